"""The scene camera's lens: scene px (distorted) to rays and back.

OpenCV's rational model (its camera calibration chapter): with a ray ``x, y`` (x/z and y/z in front of the camera) and
``r2 = x*x + y*y``, the lens moves it by the factor
``(1 + k1 r2 + k2 r2**2 + k3 r2**3) / (1 + k4 r2 + k5 r2**2 + k6 r2**3)`` and by the tangential terms of p1, p2.
The inverse has no formula. OpenCV's ``undistortPoints`` stops after five steps of a plain iteration, which leaves
0.1 px near the corners of a Neon's frame, and its exact variant has different names in OpenCV 4 and 5; the Newton
iteration here ends below a thousandth of a pixel everywhere in the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraModel
from psychopy_neon.screen.coordinates import Points

__all__ = ["SceneLens"]

STEPS = 12
CONVERGED = 1e-8
NOT_FOUND = 1e-6
_SCALES_PER_R2 = 256


class SceneLens:
    """The lens of one scene camera.

    Parameters
    ----------
    camera : CameraModel

    Raises
    ------
    ConfigurationError
        Matrix or distortion have another shape, hold what is no number, or describe no camera.
    """

    def __init__(self, camera: CameraModel) -> None:
        matrix = np.asarray(camera.matrix, np.float64)
        coefficients = np.asarray(camera.distortion, np.float64).ravel()
        if matrix.shape != (3, 3) or coefficients.shape != (8,):
            shapes = (matrix.shape, coefficients.shape)
            raise ConfigurationError("calibration", shapes, "a camera matrix (3, 3) and 8 distortion coefficients")
        is_finite = np.isfinite(matrix).all() and np.isfinite(coefficients).all()
        if not is_finite or min(matrix[0, 0], matrix[1, 1]) <= 0:
            raise ConfigurationError("calibration", matrix.tolist(), "finite numbers and focal lengths above 0")
        self._k: tuple[float, ...] = tuple(coefficients.tolist())
        (self.fx, skew, self.cx), (_, self.fy, self.cy), _ = matrix.tolist()
        if skew:
            raise ConfigurationError("calibration", matrix.tolist(), "a camera matrix without skew")
        self._focal = np.array([self.fx, self.fy])
        self._centre = np.array([self.cx, self.cy])
        self._rim_r2 = _rim_r2(self._k)
        self._scales = self._first_scales()

    def rays(self, points: Points) -> Points:
        """Rays of scene px, shapes (n, 2); NaN where no direction in front of the camera falls on that place."""
        target = (np.asarray(points, np.float64).reshape(-1, 2) - self._centre) / self._focal
        with np.errstate(all="ignore"):
            x, y, is_found = self._newton(target[:, 0], target[:, 1], 1.0, _largest)
            rays: Points = np.where(is_found[:, None], np.stack([x, y], axis=1), np.nan)
        return rays

    def ray(self, x: float, y: float) -> tuple[float, float]:
        """The same for one point: plain numbers take a tenth of the time that arrays need for it."""
        x, y = (x - self.cx) / self.fx, (y - self.cy) / self.fy
        try:
            scale = self._scales[min(int((x * x + y * y) * _SCALES_PER_R2), len(self._scales) - 1)]
            x, y, is_found = self._newton(x, y, scale, _larger)
        except (ArithmeticError, ValueError):  # what arrays call NaN
            return math.nan, math.nan
        return (x, y) if is_found else (math.nan, math.nan)

    def scene(self, rays: Points) -> Points:
        """Scene px of rays, shapes (n, 2); the inverse of :meth:`rays`."""
        rays = np.asarray(rays, np.float64).reshape(-1, 2)
        moved_x, moved_y, *_ = _bent(rays[:, 0], rays[:, 1], self._k)
        points: Points = np.stack([moved_x, moved_y], axis=1) * self._focal + self._centre
        return points

    def scene_and_slope(self, rays: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Scene px, shape (..., 2), of rays, shape (..., 2), and their derivative, shape (..., 2, 2): px per ray."""
        x, y, xx, xy, yy = _bent(rays[..., 0], rays[..., 1], self._k)
        points, slope = np.empty(rays.shape), np.empty((*rays.shape, 2))
        points[..., 0], points[..., 1] = x * self.fx + self.cx, y * self.fy + self.cy
        slope[..., 0, 0], slope[..., 0, 1] = xx * self.fx, xy * self.fx
        slope[..., 1, 0], slope[..., 1, 1] = xy * self.fy, yy * self.fy
        return points, slope

    def _first_scales(self) -> list[float]:
        """How much farther out a ray is than where the lens puts it, by the squared radius of that: a first guess."""
        r = np.linspace(0, min(math.sqrt(self._rim_r2), 3.0), 2000)
        bent, *_ = _bent(r, np.zeros_like(r), (*self._k[:2], 0.0, 0.0, *self._k[4:]))
        r2 = (np.arange(int(bent.max() ** 2 * _SCALES_PER_R2) + 1) + 0.5) / _SCALES_PER_R2
        scales: list[float] = (np.interp(np.sqrt(r2), bent, r) / np.sqrt(r2)).tolist()
        return scales

    def _newton(
        self, target_x: Any, target_y: Any, scale: float, largest: Callable[[Any, Any], float]
    ) -> tuple[Any, Any, Any]:
        """The ray that the lens moves to the target, and whether there is one; numbers or arrays."""
        k = self._k
        x, y = target_x * scale, target_y * scale
        for _ in range(STEPS):
            moved_x, moved_y, xx, xy, yy = _bent(x, y, k)
            dx, dy = target_x - moved_x, target_y - moved_y
            if largest(dx, dy) < CONVERGED:
                break
            determinant = xx * yy - xy * xy
            x, y = x + (yy * dx - xy * dy) / determinant, y + (xx * dy - xy * dx) / determinant
        # Beyond the rim the model folds back: a place there is one on paper only.
        return x, y, (dx * dx + dy * dy < NOT_FOUND**2) & (x * x + y * y < self._rim_r2)


def _largest(dx: npt.NDArray[np.float64], dy: npt.NDArray[np.float64]) -> float:
    return float(np.nanmax(np.abs([dx, dy]), initial=0.0))


def _larger(dx: float, dy: float) -> float:
    return max(abs(dx), abs(dy))


def _rim_r2(k: tuple[float, ...]) -> float:
    """Squared radius up to which the lens moves what is farther out farther out; inf where it always does.

    The derivative of ``r * above / below`` has the sign of a polynomial in ``r2``.
    """
    above = np.polynomial.Polynomial([1, k[0], k[1], k[4]])
    below = np.polynomial.Polynomial([1, k[5], k[6], k[7]])
    twice_r2 = np.polynomial.Polynomial([0, 2])
    slope = (above + twice_r2 * above.deriv()) * below - twice_r2 * above * below.deriv()
    roots = [root for places in (slope.roots(), below.roots()) for root in places]
    return min((float(root.real) for root in roots if abs(root.imag) < 1e-9 and root.real > 0), default=math.inf)


def _bent(x: Any, y: Any, k: tuple[float, ...]) -> tuple[Any, Any, Any, Any, Any]:
    """Where the lens puts a ray, and the derivative xx, xy (= yx), yy; numbers or arrays."""
    k1, k2, p1, p2, k3, k4, k5, k6 = k
    r2 = x * x + y * y
    above = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    below = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    above_slope = k1 + r2 * (2 * k2 + r2 * 3 * k3)
    below_slope = k4 + r2 * (2 * k5 + r2 * 3 * k6)
    factor = above / below
    slope = 2 * (above_slope * below - above * below_slope) / (below * below)  # times x or y: the chain rule of r2
    return (
        x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * factor + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        factor + x * x * slope + 2 * p1 * y + 6 * p2 * x,
        x * y * slope + 2 * p1 * x + 2 * p2 * y,
        factor + y * y * slope + 6 * p1 * y + 2 * p2 * x,
    )

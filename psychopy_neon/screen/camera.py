"""The scene camera's lens: scene px (distorted) to ideal px and back.

OpenCV's rational model (its camera calibration chapter): with ``x, y`` on the plane one unit in front of the camera
and ``r2 = x*x + y*y``, the lens moves the point by the factor
``(1 + k1 r2 + k2 r2**2 + k3 r2**3) / (1 + k4 r2 + k5 r2**2 + k6 r2**3)`` and by the tangential terms of p1, p2.
The inverse has no formula. OpenCV's ``undistortPoints`` stops after five steps of a plain iteration, which leaves
0.1 px near the corners of a Neon's frame, and its exact variant has different names in OpenCV 4 and 5; the Newton
iteration here ends below a thousandth of a pixel everywhere in the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraModel
from psychopy_neon.screen.coordinates import Points

__all__ = ["distort_points", "undistort_points"]

_STEPS = 12
_CONVERGED = 1e-8
_NOT_FOUND = 1e-6

Coefficients: TypeAlias = tuple[float, ...]


def undistort_points(points: Points, calibration: CameraModel) -> Points:
    """Scene px to ideal px.

    Parameters
    ----------
    points
        Shape (n, 2), scene px.

    Returns
    -------
    Shape (n, 2), ideal px; NaN where no direction in front of the camera falls on that place.
    """
    matrix, k = _parts(calibration)
    target = (np.asarray(points, np.float64).reshape(-1, 2) - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
    if len(target) == 1:
        # One point at every flip: the same steps in plain numbers take a tenth of the time that arrays need for it.
        place = np.array([_undistorted_one(float(target[0, 0]), float(target[0, 1]), k)])
    else:
        with np.errstate(all="ignore"):
            x, y, is_found = _newton(target[:, 0], target[:, 1], k, _largest)
            place = np.where(is_found[:, None], np.stack([x, y], axis=1), np.nan)
    ideal: Points = place @ matrix[:2, :2].T + matrix[:2, 2]
    return ideal


def distort_points(points: Points, calibration: CameraModel) -> Points:
    """Ideal px to scene px; the inverse of :func:`undistort_points`. Shapes (n, 2)."""
    matrix, k = _parts(calibration)
    plane = (np.asarray(points, np.float64).reshape(-1, 2) - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
    x, y, *_ = _lens(plane[:, 0], plane[:, 1], k)
    scene: Points = np.stack([x, y], axis=1) @ matrix[:2, :2].T + matrix[:2, 2]
    return scene


def _parts(calibration: CameraModel) -> tuple[npt.NDArray[np.float64], Coefficients]:
    matrix = np.asarray(calibration.matrix, np.float64)
    coefficients = np.asarray(calibration.distortion, np.float64).ravel()
    if matrix.shape != (3, 3) or coefficients.shape != (8,):
        shapes = (matrix.shape, coefficients.shape)
        raise ConfigurationError("calibration", shapes, "a camera matrix (3, 3) and 8 distortion coefficients")
    return matrix, tuple(coefficients.tolist())


@lru_cache(maxsize=8)
def _rim(k: Coefficients) -> float:
    """Radius, on the unit plane, up to which the lens moves what is farther out farther out; inf where it always does.

    The derivative of ``r * above / below`` has the sign of a polynomial in ``r2``.
    """
    above = np.polynomial.Polynomial([1, k[0], k[1], k[4]])
    below = np.polynomial.Polynomial([1, k[5], k[6], k[7]])
    twice_r2 = np.polynomial.Polynomial([0, 2])
    slope = (above + twice_r2 * above.deriv()) * below - twice_r2 * above * below.deriv()
    roots = [root for places in (slope.roots(), below.roots()) for root in places]
    r2 = [float(root.real) for root in roots if abs(root.imag) < 1e-9 and root.real > 0]
    return float(np.sqrt(min(r2, default=np.inf)))


def _newton(
    target_x: Any, target_y: Any, k: Coefficients, largest: Callable[[Any, Any], float]
) -> tuple[Any, Any, Any]:
    """The place on the unit plane that the lens moves to the target, and whether there is one; numbers or arrays."""
    x, y = target_x, target_y
    for _ in range(_STEPS):
        moved_x, moved_y, xx, xy, yy = _lens(x, y, k)
        dx, dy = target_x - moved_x, target_y - moved_y
        if largest(dx, dy) < _CONVERGED:
            break
        determinant = xx * yy - xy * xy
        x, y = x + (yy * dx - xy * dy) / determinant, y + (xx * dy - xy * dx) / determinant
    # Beyond the rim the model folds back: a place there is one on paper only.
    return x, y, (dx * dx + dy * dy < _NOT_FOUND**2) & (x * x + y * y < _rim(k) ** 2)


def _largest(dx: npt.NDArray[np.float64], dy: npt.NDArray[np.float64]) -> float:
    return float(np.nanmax(np.abs([dx, dy]), initial=0.0))


def _undistorted_one(target_x: float, target_y: float, k: Coefficients) -> tuple[float, float]:
    try:
        x, y, is_found = _newton(target_x, target_y, k, lambda dx, dy: max(abs(dx), abs(dy)))
        return (x, y) if is_found else (math.nan, math.nan)
    except (ZeroDivisionError, OverflowError):  # what arrays call NaN
        return math.nan, math.nan


def _lens(x: Any, y: Any, k: Coefficients) -> tuple[Any, Any, Any, Any, Any]:
    """Where the lens puts a point of the unit plane, and the derivative xx, xy (= yx), yy; numbers or arrays."""
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

"""The scene camera's lens: scene px (distorted) to ideal px and back.

OpenCV's rational model (its camera calibration chapter): with ``x, y`` on the plane one unit in front of the camera
and ``r2 = x*x + y*y``, the lens moves the point by the factor
``(1 + k1 r2 + k2 r2**2 + k3 r2**3) / (1 + k4 r2 + k5 r2**2 + k6 r2**3)`` and by the tangential terms of p1, p2.
The inverse has no formula. OpenCV's ``undistortPoints`` stops after five steps of a plain iteration, which leaves
0.1 px near the corners of a Neon's frame, and its exact variant has different names in OpenCV 4 and 5; the Newton
iteration here ends below a thousandth of a pixel everywhere in the frame.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraModel
from psychopy_neon.screen.coordinates import Points

__all__ = ["distort_points", "undistort_points"]

_STEPS = 12
_CONVERGED = 1e-8


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
    matrix, coefficients = _parts(calibration)
    target = (np.asarray(points, np.float64).reshape(-1, 2) - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
    place = target.copy()
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            moved, jacobian = _lens(place, coefficients)
            missing = target - moved
            if np.nanmax(np.abs(missing), initial=0.0) < _CONVERGED:
                break
            place = place + _solve(jacobian, missing)
        moved = _move(place, coefficients)
        # Beyond the rim the model folds back: what Newton finds there is a solution on paper only.
        is_behind_rim = np.hypot(place[:, 0], place[:, 1]) >= _rim(tuple(coefficients.tolist()))
        failed = ~(np.abs(target - moved).max(axis=1, initial=0.0) < 1e-6) | is_behind_rim
    place[failed] = np.nan
    ideal: Points = place @ matrix[:2, :2].T + matrix[:2, 2]
    return ideal


def distort_points(points: Points, calibration: CameraModel) -> Points:
    """Ideal px to scene px; the inverse of :func:`undistort_points`. Shapes (n, 2)."""
    matrix, coefficients = _parts(calibration)
    plane = (np.asarray(points, np.float64).reshape(-1, 2) - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
    moved = _move(plane, coefficients)
    scene: Points = moved @ matrix[:2, :2].T + matrix[:2, 2]
    return scene


def _parts(calibration: CameraModel) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    matrix = np.asarray(calibration.matrix, np.float64)
    coefficients = np.asarray(calibration.distortion, np.float64).ravel()
    if matrix.shape != (3, 3) or coefficients.shape != (8,):
        shapes = (matrix.shape, coefficients.shape)
        raise ConfigurationError("calibration", shapes, "a camera matrix (3, 3) and 8 distortion coefficients")
    return matrix, coefficients


@lru_cache(maxsize=8)
def _rim(k: tuple[float, ...]) -> float:
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


def _move(plane: Points, k: npt.NDArray[np.float64]) -> Points:
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    factor = (1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]))) / (1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7])))
    return np.stack(
        [
            x * factor + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x),
            y * factor + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y,
        ],
        axis=1,
    )


def _lens(plane: Points, k: npt.NDArray[np.float64]) -> tuple[Points, npt.NDArray[np.float64]]:
    """Where the lens puts points of the unit plane, and the derivative as rows (xx, xy, yx, yy)."""
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    above = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]))
    below = 1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7]))
    above_slope = k[0] + r2 * (2 * k[1] + r2 * 3 * k[4])
    below_slope = k[5] + r2 * (2 * k[6] + r2 * 3 * k[7])
    factor = above / below
    slope = 2 * (above_slope * below - above * below_slope) / (below * below)  # times x or y: the chain rule of r2
    cross = x * y * slope + 2 * k[2] * x + 2 * k[3] * y
    jacobian = np.stack(
        [
            factor + x * x * slope + 2 * k[2] * y + 6 * k[3] * x,
            cross,
            cross,
            factor + y * y * slope + 6 * k[2] * y + 2 * k[3] * x,
        ],
        axis=1,
    )
    return _move(plane, k), jacobian


def _solve(jacobian: npt.NDArray[np.float64], missing: Points) -> Points:
    xx, xy, yx, yy = jacobian.T
    determinant = xx * yy - xy * yx
    dx = (yy * missing[:, 0] - xy * missing[:, 1]) / determinant
    dy = (xx * missing[:, 1] - yx * missing[:, 0]) / determinant
    return np.stack([dx, dy], axis=1)

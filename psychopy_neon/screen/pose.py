"""A screen as one frame shows it, and what is seen of it where."""

from __future__ import annotations

import math
from operator import mul
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.coordinates import Points
from psychopy_neon.screen.fit import Fit
from psychopy_neon.screen.motion import NO_TURN, Turn, turned_ray

__all__ = ["ScreenPlace", "ScreenPose"]

Floats = npt.NDArray[np.float64]


class ScreenPlace(NamedTuple):
    """Where a line of sight meets the screen."""

    x: float
    """Screen px; NaN where it does not."""
    y: float
    error_px: float
    """Expected distance from the true place, as far as the pose goes (two-dimensional root mean square), screen px."""
    error_deg: float
    """The same as an angle seen from the scene camera."""


VIDEO_RAD = 3.5e-5
"""What no residual shows, as an angle: the compression of the video moves all of a picture's edges together, by some
0.03 scene px at 6 Mbit/s."""
NOWHERE = ScreenPlace(math.nan, math.nan, math.nan, math.nan)


class ScreenPose:
    """Where a screen is, seen from the scene camera; never changes.

    Parameters
    ----------
    lens : SceneLens
    fit : Fit
    duplicates : tuple of int
    """

    def __init__(self, lens: SceneLens, fit: Fit, duplicates: tuple[int, ...] = ()) -> None:
        self.tags = fit.supporting
        """Ids of the tags that the pose rests on, also those that are covered in part."""
        self.verified = fit.verified
        """Ids of those whose whole picture is seen."""
        self.reprojection_px = fit.residual_px
        """Root mean square distance of the tags' edges from the fitted ones, scene px."""
        self.duplicates = duplicates
        """Ids that were seen more than once and left out."""
        self.ray_from_screen = fit.ray_from_screen
        """Homography, shape (3, 3); the third coordinate of its result is positive in front of the camera."""
        self.screen_from_ray = np.asarray(np.linalg.inv(fit.ray_from_screen), np.float64)
        """Its inverse."""
        self._ray_covariance: list[list[float]] = (_TERMS @ fit.covariance.ravel()).tolist()
        self._rows = tuple(self.screen_from_ray.ravel().tolist())
        self._lens = lens

    @property
    def tag_count(self) -> int:
        return len(self.tags)

    @property
    def is_coarse(self) -> bool:
        """Whether it rests on a single tag: places far from that are guesses."""
        return len(self.tags) < 2

    def screen_from_scene(self, points: Points) -> Points:
        """Scene px to screen px, shapes (n, 2); NaN where the line of sight does not meet the screen's plane."""
        return projected(self.screen_from_ray, self._lens.rays(points))

    def scene_from_screen(self, points: Points) -> Points:
        """Screen px to scene px, shapes (n, 2); NaN behind the camera."""
        return self._lens.scene(projected(self.ray_from_screen, np.asarray(points, np.float64).reshape(-1, 2)))

    def rays_from_screen(self, points: Points) -> Points:
        """Screen px to rays, shapes (n, 2); NaN behind the camera."""
        return projected(self.ray_from_screen, points)

    def place(self, x: float, y: float, turn: Turn = NO_TURN) -> ScreenPlace:
        """One scene px to the screen, with its expected error; a few microseconds.

        Parameters
        ----------
        x, y
            Scene px.
        turn
            How the camera has turned since the pose was seen.
        """
        u, v = turned_ray(*self._lens.ray(x, y), turn.vector)
        xu, xv, x1, yu, yv, y1, wu, wv, w1 = self._rows
        depth = wu * u + wv * v + w1
        if not depth > 0:  # NaN is not either
            return NOWHERE
        screen_x, screen_y = (xu * u + xv * v + x1) / depth, (yu * u + yv * v + y1) / depth
        u2, uv, v2 = u * u, u * v, v * v
        powers = (1.0, u, v, u2, uv, v2, u * u2, u * uv, v * uv, v * v2, u2 * u2, u2 * uv, u2 * v2, uv * v2, v2 * v2)
        ray_uu, ray_uv, ray_vv = (sum(map(mul, terms, powers)) for terms in self._ray_covariance)
        r2 = u2 + v2
        # A turn by a small angle moves a ray by up to (1 + r2) times that, more along the radius than across.
        turn_variance = (turn.error_rad * turn.error_rad + VIDEO_RAD * VIDEO_RAD) * (1 + r2)
        ray_uu += turn_variance * (1 + u2)
        ray_uv += turn_variance * uv
        ray_vv += turn_variance * (1 + v2)
        sx, sy = (xu - screen_x * wu) / depth, (xv - screen_x * wv) / depth
        tx, ty = (yu - screen_y * wu) / depth, (yv - screen_y * wv) / depth
        variance_px = (sx * sx + tx * tx) * ray_uu + 2 * (sx * sy + tx * ty) * ray_uv + (sy * sy + ty * ty) * ray_vv
        variance_rad = ((1 + v2) * ray_uu - 2 * uv * ray_uv + (1 + u2) * ray_vv) / (1 + r2) ** 2
        return ScreenPlace(
            screen_x, screen_y, math.sqrt(max(variance_px, 0.0)), math.degrees(math.sqrt(max(variance_rad, 0.0)))
        )


def _ray_variance_terms() -> Floats:
    """What makes the covariance of a ray of that of a pose, shape (3, 15, 64).

    In u a ray moves by ``u, v, 1, -uu, -uv`` times five of the eight numbers, in v by ``u, v, 1, -uv, -vv`` times five.
    So its covariance uu, uv, vv is a polynomial in u and v of degree 4, whose coefficients are sums of the pose's.
    """
    in_u = {0: (1, 0, 1), 1: (0, 1, 1), 2: (0, 0, 1), 6: (2, 0, -1), 7: (1, 1, -1)}
    in_v = {3: (1, 0, 1), 4: (0, 1, 1), 5: (0, 0, 1), 6: (1, 1, -1), 7: (0, 2, -1)}
    terms = np.zeros((3, len(_POWERS), 64))
    for row, (first, second) in enumerate(((in_u, in_u), (in_u, in_v), (in_v, in_v))):
        for i, (power_u, power_v, sign) in first.items():
            for j, (other_u, other_v, other_sign) in second.items():
                term = _POWERS.index((power_u + other_u, power_v + other_v))
                terms[row, term, 8 * i + j] += sign * other_sign
    return terms


_POWERS = [(degree - down, down) for degree in range(5) for down in range(degree + 1)]
"""Of u and v in the terms of a polynomial of degree 4."""
_TERMS = _ray_variance_terms()


def projected(homography: Floats, points: Points) -> Points:
    """Apply a homography to points, shape (n, 2); NaN where the third coordinate is not positive."""
    lifted = points @ homography[:, :2].T + homography[:, 2]
    depth = lifted[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        places: Points = np.where(depth > 0, lifted[:, :2] / depth, np.nan)
    return places

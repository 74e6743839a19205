"""The scene camera's geometry: a flat screen, a head in front of it, and a lens with distortion.

This is written apart from ``screen/`` on purpose: what judges the mapper must not share its code. Conventions are
those of ``screen/coordinates.py``: scene px have pixel centres at integers, screen px have their origin at the outer
corner of the first pixel.

The model is OpenCV's pinhole with rational distortion (k1 k2 p1 p2 k3 k4 k5 k6). With a real Neon's numbers it holds up
to a rim of about 65 degrees off the axis, where the distorted radius is largest; the outermost corners of the image lie
beyond it and no ray leads there. The inverse is found by Newton's method from a table: the fixed-point iteration of
``cv2.undistortPoints`` diverges well before the rim.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from psychopy_neon.samples import CameraModel
from psychopy_neon.simulator.settings import HeadPose

__all__ = ["NODE_PX", "SCENE_SIZE_PX", "Lens", "SceneCamera", "fitting_distance", "head_rotation"]

Floats: TypeAlias = npt.NDArray[np.float64]
Nodes: TypeAlias = npt.NDArray[np.float32]

SCENE_SIZE_PX = (1600, 1200)
_FILL_WIDTH, _FILL_HEIGHT = 0.8, 0.85
NODE_PX = 4
"""Between nodes so far apart the place on the screen that a pixel sees is interpolated; off by less than 0.02 px."""


class Lens:
    """A lens: rays (x/z, y/z in camera coordinates) to scene px and back."""

    def __init__(self, calibration: CameraModel) -> None:
        self._matrix = calibration.matrix.astype(np.float64)
        self._distortion = calibration.distortion.astype(np.float64)
        self._node_rays: Nodes | None = None
        radii = np.linspace(0, 5, 5001)
        bent = radii * self._radial(radii**2)[0]
        falling = np.flatnonzero(np.diff(bent) <= 0)
        count = int(falling[0]) + 1 if len(falling) else len(radii)
        self._radii, self._bent_radii = radii[:count], bent[:count]
        self.rim = float(radii[count - 1])
        """Radius of the outermost ray that the model can bend."""

    def distort(self, rays: Floats) -> Floats:
        """Scene px, shape (n, 2), of rays, shape (n, 2); a ray beyond the rim is drawn on the rim."""
        radius = np.hypot(rays[:, 0], rays[:, 1])
        inside = rays * np.minimum(1.0, self.rim / np.maximum(radius, 1e-12))[:, np.newaxis]
        bent, _ = self._bend(inside)
        fx, fy, cx, cy = self._matrix[0, 0], self._matrix[1, 1], self._matrix[0, 2], self._matrix[1, 2]
        return np.stack([bent[:, 0] * fx + cx, bent[:, 1] * fy + cy], axis=1)

    def undistort(self, scene_px: Floats) -> Floats:
        """Rays, shape (n, 2), of scene px, shape (n, 2); exact to about 1e-9 px, nan where no ray leads."""
        fx, fy, cx, cy = self._matrix[0, 0], self._matrix[1, 1], self._matrix[0, 2], self._matrix[1, 2]
        target = np.stack([(scene_px[:, 0] - cx) / fx, (scene_px[:, 1] - cy) / fy], axis=1)
        bent_radius = np.hypot(target[:, 0], target[:, 1])
        radius = np.interp(bent_radius, self._bent_radii, self._radii)
        rays: Floats = target * (radius / np.maximum(bent_radius, 1e-12))[:, np.newaxis]
        is_seen = bent_radius < 0.995 * self._bent_radii[-1]
        rays[~is_seen] = 0.0
        for _ in range(20):
            bent, jacobian = self._bend(rays)
            step = _solved(jacobian, target - bent)
            step[~is_seen] = 0.0
            rays += step
            if np.abs(step).max(initial=0.0) < 1e-13:
                break
        rays[~is_seen] = np.nan
        return rays

    def node_rays(self) -> Nodes:
        """Rays at the nodes of a grid over the scene, shape (rows, columns, 2); nan where no ray leads.

        The nodes lie ``NODE_PX`` apart, each in the middle of as many pixels, one more on every side of the scene.
        Computed once.
        """
        if self._node_rays is None:
            columns, rows = ((np.arange(-1, size // NODE_PX + 1) + 0.5) * NODE_PX - 0.5 for size in SCENE_SIZE_PX)
            grid = np.stack(np.meshgrid(columns, rows), axis=-1)
            self._node_rays = self.undistort(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)
        return self._node_rays

    def _bend(self, rays: Floats) -> tuple[Floats, Floats]:
        """Distorted rays (n, 2) and the derivative (n, 2, 2) of the distortion."""
        p1, p2 = self._distortion[2:4]
        x, y = rays[:, 0], rays[:, 1]
        r2 = x * x + y * y
        radial, slope = self._radial(r2)
        bent = np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=1,
        )
        jacobian = np.empty((len(rays), 2, 2))
        jacobian[:, 0, 0] = radial + 2 * slope * x * x + 2 * p1 * y + 6 * p2 * x
        jacobian[:, 0, 1] = jacobian[:, 1, 0] = 2 * slope * x * y + 2 * p1 * x + 2 * p2 * y
        jacobian[:, 1, 1] = radial + 2 * slope * y * y + 6 * p1 * y + 2 * p2 * x
        return bent, jacobian

    def _radial(self, r2: Floats) -> tuple[Floats, Floats]:
        """The radial factor and its derivative with respect to the squared radius."""
        k1, k2, _, _, k3, k4, k5, k6 = self._distortion
        below = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / below
        slope = (k1 + r2 * (2 * k2 + 3 * k3 * r2) - radial * (k4 + r2 * (2 * k5 + 3 * k6 * r2))) / below
        return radial, slope


class SceneCamera:
    """The scene camera at one head pose in front of one screen. Immutable.

    Parameters
    ----------
    lens
        The lens.
    screen_px
        Width and height of the screen in px.
    head
        Where the camera is.
    """

    def __init__(self, lens: Lens, screen_px: tuple[int, int], head: HeadPose) -> None:
        self.screen_px = screen_px
        self.head = head
        self.lens = lens
        distance = head.distance if head.distance is not None else fitting_distance(lens, screen_px)
        self._plane_from_px = _plane_from_px(screen_px, head.x, head.y, distance)
        self.ray_from_screen: Floats = head_rotation(head) @ self._plane_from_px
        self.screen_from_ray = np.asarray(np.linalg.inv(self.ray_from_screen), np.float64)

    def scene_from_screen(self, screen_px: npt.ArrayLike) -> Floats:
        """Scene px, shape (n, 2), at which the camera sees screen px, shape (n, 2)."""
        return self.lens.distort(_apply(self.ray_from_screen, np.asarray(screen_px, np.float64).reshape(-1, 2)))

    def screen_from_scene(self, scene_px: npt.ArrayLike) -> Floats:
        """Screen px, shape (n, 2), that the camera sees at scene px, shape (n, 2)."""
        return _apply(self.screen_from_ray, self.lens.undistort(np.asarray(scene_px, np.float64).reshape(-1, 2)))

    def sees_all(self, screen_px: Floats) -> bool:
        """Whether no point, shape (n, 2), is behind the camera or beyond the lens's rim."""
        if np.any(_depth(self.ray_from_screen, screen_px) <= 1e-6):
            return False
        rays = _apply(self.ray_from_screen, screen_px)
        return bool(np.hypot(rays[:, 0], rays[:, 1]).max() < 0.99 * self.lens.rim)

    def screen_px_per_scene_px(self) -> float:
        """How much the camera shrinks the screen, at its centre."""
        width, height = self.screen_px
        middle = np.array([width / 2, height / 2])
        ends = self.scene_from_screen(np.stack([middle, middle + np.array([1, 0]), middle + np.array([0, 1])]))
        area = np.linalg.det(np.stack([ends[1] - ends[0], ends[2] - ends[0]]))
        return float(1 / np.sqrt(max(abs(area), 1e-9)))

    def seen_region(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom (exclusive, all even) of the scene px where the screen may be seen."""
        width, height = self.screen_px
        ramp = np.linspace(0, 1, 33)
        edge = [(u * width, v * height) for u in ramp for v in (0, 1)]
        edge += [(u * width, v * height) for u in (0, 1) for v in ramp]
        points = np.array(edge)
        if not self.sees_all(points):
            return 0, 0, *SCENE_SIZE_PX
        scene = self.scene_from_screen(points)
        low = np.clip(np.floor(scene.min(axis=0)) - 3, 0, SCENE_SIZE_PX).astype(int) // 2 * 2
        high = np.clip(np.ceil(scene.max(axis=0)) + 3, 0, SCENE_SIZE_PX).astype(int) // 2 * 2
        return int(low[0]), int(low[1]), int(max(high[0], low[0])), int(max(high[1], low[1]))

    def direction_of(self, screen_px: tuple[float, float]) -> Floats:
        """Where a place on the screen lies from the camera: a unit vector along the screen's axes.

        Axes: x right, y down, z away. It does not depend on how the head is turned.
        """
        direction: Floats = self._plane_from_px @ np.array([*screen_px, 1.0])
        return direction / float(np.sqrt(direction @ direction))


def head_rotation(head: HeadPose) -> Floats:
    """Vectors in the screen's axes (x right, y down, z away from the head) to the scene camera's, shape (3, 3)."""
    yaw, pitch, roll = (math.radians(each) for each in (head.yaw_deg, head.pitch_deg, head.roll_deg))
    (cy, sy), (cp, sp), (cr, sr) = ((math.cos(each), math.sin(each)) for each in (yaw, pitch, roll))
    about_y = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
    about_z = np.array([[cr, sr, 0.0], [-sr, cr, 0.0], [0.0, 0.0, 1.0]])
    rotation: Floats = about_z @ about_x @ about_y
    return rotation


def fitting_distance(lens: Lens, screen_px: tuple[int, int]) -> float:
    """Distance at which a straight look sees the screen fill 80 % of the image's width (or 85 % of its height)."""
    width, height = screen_px
    corners = np.array([[0, height / 2], [width, height / 2], [width / 2, 0], [width / 2, height]])
    near, far = 0.2, 50.0
    for _ in range(40):
        middle = (near + far) / 2
        seen = lens.distort(_apply(_plane_from_px(screen_px, 0.0, 0.0, middle), corners))
        is_small = (
            seen[1, 0] - seen[0, 0] < _FILL_WIDTH * SCENE_SIZE_PX[0]
            and seen[3, 1] - seen[2, 1] < _FILL_HEIGHT * SCENE_SIZE_PX[1]
        )
        near, far = (near, middle) if is_small else (middle, far)
    return far


def _plane_from_px(screen_px: tuple[int, int], x: float, y: float, distance: float) -> Floats:
    """Screen px to places seen from the head, in widths of the screen along the screen's axes, shape (3, 3)."""
    width, height = screen_px
    return np.array([[1 / width, 0, -0.5 - x], [0, 1 / width, -0.5 * height / width - y], [0, 0, distance]])


def _solved(matrices: Floats, right: Floats) -> Floats:
    """Solutions, shape (n, 2), of n systems of two equations; many times faster than ``np.linalg.solve`` for these."""
    a, b, c, d = (matrices[:, row, column] for row in (0, 1) for column in (0, 1))
    return (
        np.stack([d * right[:, 0] - b * right[:, 1], a * right[:, 1] - c * right[:, 0]], axis=1)
        / ((a * d - b * c)[:, np.newaxis])
    )


def _apply(homography: Floats, points: Floats) -> Floats:
    lifted = points @ homography[:, :2].T + homography[:, 2]
    result: Floats = lifted[:, :2] / lifted[:, 2:]
    return result


def _depth(homography: Floats, points: Floats) -> Floats:
    result: Floats = points @ homography[2, :2] + homography[2, 2]
    return result

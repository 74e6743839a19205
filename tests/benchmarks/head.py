"""A head in front of a screen: where it is at any time, what its gyroscope says, and where its wearer looks.

World axes: x to the right, y down, z from the wearer to the screen; metres. The neck stands still and the camera sits
off its axis, so that a turn also moves the camera. The lens is the simulator's: what judges the mapper must not share
its code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.simulator.lens import SCENE_SIZE_PX, Lens

Floats = npt.NDArray[np.float64]

SCREEN_PX = (1920, 1080)
SCREEN_WIDTH_M, DISTANCE_M = 0.52, 0.60
CAMERA_FROM_NECK_M = np.array([0.0, -0.1, 0.1])
GYRO_HZ, GAZE_HZ = 110.0, 200.0
GYRO_BIAS_DPS, GYRO_NOISE_DPS = (0.3, -0.2, 0.1), 0.05
GYRO_LATE_S = 0.004
"""Its times say so much later than it was."""
IMU_TILT_DEG, IMU_MISALIGNMENT_DEG = -102.0, (2.0, -1.5, 2.5)
"""How the sensor sits in the frame: the documented turn about the camera's x, and what a real one is off by."""
FIXATION_S = 0.3


@dataclass(frozen=True)
class Turn:
    """Turning to and fro about one axis: a sinusoid, or with ``evenness`` near 1 an even speed with short reversals."""

    speed_dps: float = 0.0
    """The highest; with ``evenness`` 0.99 most of the time is spent near it."""
    reach_deg: float = 0.0
    evenness: float = 1e-3
    phase: float = 0.0

    def angle_rad(self, at_s: Floats) -> Floats:
        if not self.speed_dps:
            return np.zeros_like(at_s)
        bend = np.arcsin(self.evenness)
        rate = np.deg2rad(self.speed_dps) * bend / (np.deg2rad(self.reach_deg) * self.evenness)
        angle: Floats = np.deg2rad(self.reach_deg) / bend * np.arcsin(self.evenness * np.sin(rate * at_s + self.phase))
        return angle


@dataclass(frozen=True)
class Head:
    """A head that turns about its neck: yaw to the right, pitch up, roll to the right shoulder."""

    yaw: Turn = field(default_factory=Turn)
    pitch: Turn = field(default_factory=Turn)
    roll: Turn = field(default_factory=Turn)

    def rotation(self, at_s: npt.ArrayLike) -> Floats:
        """World from camera, shape (n, 3, 3)."""
        times = np.atleast_1d(np.asarray(at_s, np.float64))
        angles = (turn.angle_rad(times) for turn in (self.yaw, self.pitch, self.roll))
        return _about(1, next(angles)) @ _about(0, next(angles)) @ _about(2, next(angles))

    def ray_from_screen(self, at_s: npt.ArrayLike) -> Floats:
        """Screen px to rays (x/z, y/z) of the camera, shape (n, 3, 3)."""
        rotation = self.rotation(at_s)
        camera = rotation @ CAMERA_FROM_NECK_M - CAMERA_FROM_NECK_M
        pixel_m = SCREEN_WIDTH_M / SCREEN_PX[0]
        corner = np.array([-SCREEN_WIDTH_M / 2, -SCREEN_PX[1] * pixel_m / 2, DISTANCE_M])
        plane = np.zeros((len(rotation), 3, 3))
        plane[:, 0, 0] = plane[:, 1, 1] = pixel_m
        plane[:, :, 2] = corner - camera
        return rotation.transpose(0, 2, 1) @ plane

    def speed_dps(self, at_s: npt.ArrayLike, span_s: float = 1e-3) -> Floats:
        """Angular velocity in camera axes, averaged over a span around each time, shape (n, 3)."""
        times = np.atleast_1d(np.asarray(at_s, np.float64))
        before, after = self.rotation(times - span_s / 2), self.rotation(times + span_s / 2)
        turns = before.transpose(0, 2, 1) @ after
        return np.rad2deg(np.array([cv2.Rodrigues(turn)[0].ravel() for turn in turns])) / span_s


@dataclass(frozen=True)
class Gyro:
    """What the inertial sensor sent: its times, shape (n,), and deg/s in its own axes, shape (n, 3)."""

    at_s: Floats
    dps: Floats


@dataclass(frozen=True)
class Gaze:
    """What the wearer looked at: times, shape (n,), screen px and scene px, shape (n, 2)."""

    at_s: Floats
    screen_px: Floats
    scene_px: Floats


def imu_from_camera() -> Floats:
    """The turn from camera axes to those of the inertial sensor, shape (3, 3)."""
    misaligned = cv2.Rodrigues(np.deg2rad(np.array(IMU_MISALIGNMENT_DEG)))[0]
    return np.asarray(misaligned @ _about(0, np.deg2rad([IMU_TILT_DEG]))[0], np.float64)


def gyro_trace(head: Head, seconds: float, rng: np.random.Generator) -> Gyro:
    """The inertial sensor from half a second before the first frame on."""
    times = np.arange(-0.5, seconds, 1 / GYRO_HZ)
    dps = head.speed_dps(times, 1 / GYRO_HZ) @ imu_from_camera().T
    return Gyro(times + GYRO_LATE_S, dps + np.array(GYRO_BIAS_DPS) + rng.normal(0, GYRO_NOISE_DPS, dps.shape))


def gaze_trace(head: Head, lens: Lens, seconds: float, rng: np.random.Generator) -> Gaze:
    """Fixations on places all over the screen, each seen where the head has it at that time.

    A place that the camera does not see is left out.
    """
    times = np.arange(0, seconds, 1 / GAZE_HZ)
    targets = rng.uniform(0.02, 0.98, (int(seconds / FIXATION_S) + 1, 2)) * np.array(SCREEN_PX)
    screen = targets[(times / FIXATION_S).astype(int)]
    scene = scene_from_screen(lens, head.ray_from_screen(times), screen)
    is_seen = is_in_frame(scene)
    return Gaze(times[is_seen], screen[is_seen], scene[is_seen])


def scene_from_screen(lens: Lens, ray_from_screen: Floats, screen_px: Floats) -> Floats:
    """Scene px of screen px, shapes (n, 2), each with its own homography, shape (n, 3, 3); NaN behind the camera."""
    lifted = np.einsum("nij,nj->ni", ray_from_screen, np.column_stack([screen_px, np.ones(len(screen_px))]))
    is_ahead = lifted[:, 2] > 1e-6
    rays = lifted[:, :2] / np.where(is_ahead, lifted[:, 2], np.inf)[:, None]
    scene = lens.distort(rays)
    scene[~is_ahead | (np.hypot(rays[:, 0], rays[:, 1]) > 0.99 * lens.rim)] = np.nan
    return scene


def is_in_frame(scene_px: Floats) -> npt.NDArray[np.bool_]:
    """Whether places, shape (n, 2), lie in the scene frame; NaN does not."""
    inside: npt.NDArray[np.bool_] = np.all((scene_px >= 0) & (scene_px <= np.array(SCENE_SIZE_PX) - 1), axis=1)
    return inside


def _about(axis: int, angles_rad: npt.ArrayLike) -> Floats:
    """Rotations about one axis, shape (n, 3, 3)."""
    angles = np.atleast_1d(np.asarray(angles_rad, np.float64))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.tile(np.eye(3), (len(angles), 1, 1))
    rotation[:, first, first] = rotation[:, second, second] = np.cos(angles)
    rotation[:, first, second], rotation[:, second, first] = -np.sin(angles), np.sin(angles)
    return rotation

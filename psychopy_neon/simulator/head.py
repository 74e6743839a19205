"""The simulated head in the course of time: its pose, the scene camera in it, and how fast it turns."""

from __future__ import annotations

import dataclasses
import threading

import cv2
import numpy as np

from psychopy_neon.simulator.head_motion import HeadMotion, HeadMotionSpec
from psychopy_neon.simulator.lens import Floats, Lens, SceneCamera, fitting_distance, head_rotation
from psychopy_neon.simulator.settings import HeadPose

__all__ = ["Head"]

_STEP_NS = 1_000_000
"""To both sides, for the turning rate: sinusoids of a few Hz bend little in it."""


class Head:
    """Where the head is at any time of the phone's monotonic clock.

    Parameters
    ----------
    lens
        Of the scene camera.
    screen_px
        Width and height of the screen.
    pose
        About which it moves.
    motion
        How it moves.
    seed
        Of natural motion.

    Notes
    -----
    Thread: any.
    """

    def __init__(
        self, lens: Lens, screen_px: tuple[int, int], pose: HeadPose, motion: HeadMotionSpec, seed: int
    ) -> None:
        self.screen_px = screen_px
        self._lens = lens
        self._seed = seed
        self._fitting_distance = fitting_distance(lens, screen_px)
        self._lock = threading.Lock()
        # Replaced as a whole, under _lock; whoever reads needs no lock and sees one state.
        self._state = self._state_of(pose, HeadMotion(motion, seed))

    @property
    def motion(self) -> HeadMotionSpec:
        """How it moves now."""
        return self._state[1].spec

    def set_pose(self, pose: HeadPose) -> None:
        """Move to another pose, at once; a motion goes on about it."""
        with self._lock:
            self._state = self._state_of(pose, self._state[1])

    def set_motion(self, motion: HeadMotionSpec) -> None:
        """Move in another way, at once."""
        with self._lock:
            self._state = self._state_of(self._state[0], HeadMotion(motion, self._seed))

    def pose_at(self, uptime_ns: int) -> HeadPose:
        """Where it is; the distance is always told."""
        pose, motion, _ = self._state
        yaw, pitch, roll = motion.at(uptime_ns / 1e9)
        return dataclasses.replace(
            pose, yaw_deg=pose.yaw_deg + yaw, pitch_deg=pose.pitch_deg + pitch, roll_deg=pose.roll_deg + roll
        )

    def camera_at(self, uptime_ns: int) -> SceneCamera:
        """The scene camera; the same object as long as nothing moves, which tells the renderer so."""
        _, motion, resting = self._state
        if motion.spec.is_still:
            return resting
        return SceneCamera(self._lens, self.screen_px, self.pose_at(uptime_ns))

    def rotation_at(self, uptime_ns: int) -> Floats:
        """Vectors in the screen's axes to the scene camera's, shape (3, 3)."""
        return head_rotation(self.pose_at(uptime_ns))

    def turning_at(self, uptime_ns: int) -> Floats:
        """Angular velocity in the scene camera's axes (x right, y down, z ahead), degrees per second, shape (3,).

        That of the motion: a pose that is set is there at once, with no way to it.
        """
        if self._state[1].spec.is_still:
            return np.zeros(3)
        before, after = (self.rotation_at(uptime_ns + step_ns) for step_ns in (-_STEP_NS, _STEP_NS))
        # How the world turns as the camera sees it, which is the other way round.
        turned = cv2.Rodrigues(after @ before.T)[0].ravel()
        return np.asarray(-np.rad2deg(turned) * 1e9 / (2 * _STEP_NS), np.float64)

    def _state_of(self, pose: HeadPose, motion: HeadMotion) -> tuple[HeadPose, HeadMotion, SceneCamera]:
        if pose.distance is None:
            pose = dataclasses.replace(pose, distance=self._fitting_distance)
        return pose, motion, SceneCamera(self._lens, self.screen_px, pose)

"""Gaze meets the pose of its own time.

Frames come thirty times a second, gaze two hundred times. Live, the newest pose is moved on to the time of the gaze by
the gyroscope. One frame later better can be had: the pose before and the pose after, each moved to that time and mixed
by their distances, so that what the gyroscope does not know cancels.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.samples import GazeReason, PoseTiming, Vector3
from psychopy_neon.screen.coordinates import is_on_screen
from psychopy_neon.screen.mapper import ScreenMapper
from psychopy_neon.screen.motion import NO_TURN, HeadMotion, Turn
from psychopy_neon.screen.pose import ScreenPlace, ScreenPose

__all__ = ["LocatedFrame", "Placed", "PoseTimeline"]

KEPT = 1024
"""Frames: half a minute, for whoever fetches the samples of a whole trial at its end."""
LEARNED_WITHIN_S = 0.1
"""Two poses farther apart tell little about the gyroscope."""
TAUGHT_AT_FIRST, TAUGHT_EVERY = 45, 3
"""For a second and a half every frame teaches the gyroscope, then one in three does."""
UNSEEN_SHARE = 0.3
"""Without gyroscope: how much of the head's turn between two frames mixing their poses may leave."""
UNFORESEEN_SHARE = 0.5
"""Without gyroscope: how much of its turn a head may not go on with."""
UNKNOWN_RAD_S = 0.5
"""Without gyroscope and with a single frame: how fast a head may turn."""
MAX_AGE_S = 0.3
FRAME_TIME_S = 0.0001
"""How well the time is known that a frame shows: while it was exposed the head did not turn evenly."""


class LocatedFrame(NamedTuple):
    """What a frame told."""

    device_ns: int
    poses: tuple[ScreenPose | GazeReason, ...]
    """One for each layout."""
    turn_rad_s: Vector3 | None
    """How fast the camera turned since the frame before, camera axes; None where the poses do not tell."""


class Placed(NamedTuple):
    """Gaze on a screen."""

    place: ScreenPlace
    screen: int
    """Index of the layout."""
    is_on_screen: bool
    pose: ScreenPose
    """The one that it rests on most."""
    pose_age_s: float
    """Time of the gaze minus that pose's."""
    timing: PoseTiming


class PoseTimeline:
    """The poses of the last frames and the turning between them.

    Parameters
    ----------
    mapper : ScreenMapper
    motion : HeadMotion
        Learns from the frames; one that has learned already may go on with another mapper.
    max_age_s : float
        A pose is not carried farther than this.

    Notes
    -----
    Times are device ns. Thread: :meth:`add_frame` from one, the others from any.
    """

    def __init__(self, mapper: ScreenMapper, motion: HeadMotion, *, max_age_s: float = MAX_AGE_S) -> None:
        self.mapper = mapper
        self.motion = motion
        self.max_age_s = max_age_s
        self._frames: tuple[LocatedFrame, ...] = ()
        self._taught = 0
        self._places = [_grid(each.size_px) for each in mapper.layouts]

    @property
    def newest(self) -> LocatedFrame | None:
        """The newest frame."""
        return self._frames[-1] if self._frames else None

    def add_frame(self, device_ns: int, luma: npt.NDArray[np.uint8]) -> LocatedFrame:
        """Locate the screens in a frame, shape (height, width); frames come in the order of their times."""
        last = self.newest
        if last is not None and device_ns <= last.device_ns:  # the device's clock was set back
            self._frames, last = (), None
        turn = self.motion.turn(last.device_ns, device_ns) if last is not None else None
        turned = None if turn is None else np.asarray(cv2.Rodrigues(-np.array(turn.vector))[0], np.float64)
        poses = self.mapper.locate_all(luma, turned)
        frame = LocatedFrame(device_ns, poses, self._learned_rate(last, device_ns, poses, turn))
        self._frames = (*self._frames[1 - KEPT :], frame)
        return frame

    def live(self, x: float, y: float, device_ns: int) -> Placed | GazeReason:
        """Scene px at a time on the screen, by the newest pose; the reason when there is none."""
        frames = self._frames
        if not frames:
            return GazeReason.NO_SCENE
        found = self._looked_at(self._carried(x, y, device_ns, screen) for screen in range(len(self._places)))
        if isinstance(found, GazeReason) and abs(device_ns - frames[-1].device_ns) > self.max_age_s * 1e9:
            return GazeReason.SCENE_STALE
        return found

    def later(self, x: float, y: float, device_ns: int) -> Placed | GazeReason | None:
        """The same by the poses before and after; None while the frame after has not come."""
        frames = self._frames
        if not frames or device_ns > frames[-1].device_ns:
            return None
        after = bisect_left(frames, device_ns, key=attrgetter("device_ns"))
        pair = frames[max(after - 1, 0)], frames[after]
        found = self._looked_at(
            self._interpolated(x, y, device_ns, screen, *pair) for screen in range(len(self._places))
        )
        return found if isinstance(found, Placed) else self.live(x, y, device_ns)

    def _carried(self, x: float, y: float, device_ns: int, screen: int) -> Placed | GazeReason:
        """By the newest pose of one screen."""
        newest = self._frames[-1]
        for frame in reversed(self._frames):
            age_ns = device_ns - frame.device_ns
            if abs(age_ns) > self.max_age_s * 1e9:
                if age_ns > 0:
                    break
                continue
            pose = frame.poses[screen]
            if isinstance(pose, ScreenPose):
                turn, timing = self._turn(frame, device_ns)
                return self._placed(pose.place(x, y, turn), screen, pose, age_ns, timing)
        pose = newest.poses[screen]
        return pose if isinstance(pose, GazeReason) else GazeReason.SCENE_STALE

    def _interpolated(
        self, x: float, y: float, device_ns: int, screen: int, before: LocatedFrame, after: LocatedFrame
    ) -> Placed | GazeReason:
        """By the poses of two frames; the reason if one of them has none, or they are too far apart."""
        first, second = before.poses[screen], after.poses[screen]
        passed_ns = after.device_ns - before.device_ns
        if isinstance(first, GazeReason):
            return first
        if isinstance(second, GazeReason):
            return second
        if passed_ns == 0 or passed_ns > self.max_age_s * 1e9:
            return GazeReason.SCENE_STALE
        share = (device_ns - before.device_ns) / passed_ns
        both = []
        for frame, pose in ((before, first), (after, second)):
            turn = self.motion.turn(frame.device_ns, device_ns)
            if turn is None:
                turn = Turn(NO_TURN.vector, UNSEEN_SHARE * _size(after.turn_rad_s) * passed_ns / 1e9)
            # At either end the pose is known; what the gyroscope misses is largest between them.
            error_rad = math.hypot(turn.error_rad * 2 * share * (1 - share), FRAME_TIME_S * _size(frame.turn_rad_s))
            both.append(pose.place(x, y, Turn(turn.vector, error_rad)))
        place = ScreenPlace(
            *((1 - share) * p + share * q for p, q in zip(both[0][:2], both[1][:2], strict=True)),
            *(math.hypot((1 - share) * p, share * q) for p, q in zip(both[0][2:], both[1][2:], strict=True)),
        )
        nearer, pose = (before, first) if share < 0.5 else (after, second)
        return self._placed(place, screen, pose, device_ns - nearer.device_ns, PoseTiming.INTERPOLATED)

    def _turn(self, frame: LocatedFrame, device_ns: int) -> tuple[Turn, PoseTiming]:
        """How the camera turned since a frame."""
        turn, timing = self.motion.turn(frame.device_ns, device_ns), PoseTiming.CARRIED
        if turn is None:
            timing = PoseTiming.EXTRAPOLATED
            passed_s = (device_ns - frame.device_ns) / 1e9
            if frame.turn_rad_s is None:
                turn = Turn(NO_TURN.vector, UNKNOWN_RAD_S * abs(passed_s))
            else:
                x, y, z = frame.turn_rad_s
                missed_rad = UNFORESEEN_SHARE * _size(frame.turn_rad_s) * abs(passed_s)
                turn = Turn((x * passed_s, y * passed_s, z * passed_s), missed_rad)
        return Turn(turn.vector, math.hypot(turn.error_rad, FRAME_TIME_S * _size(frame.turn_rad_s))), timing

    def _placed(
        self, place: ScreenPlace, screen: int, pose: ScreenPose, age_ns: int, timing: PoseTiming
    ) -> Placed | GazeReason:
        if not math.isfinite(place.x + place.y):
            return GazeReason.OUT_OF_VIEW
        is_on = is_on_screen(place.x, place.y, self.mapper.layouts[screen].size_px)
        return Placed(place, screen, is_on, pose, age_ns / 1e9, timing)

    def _looked_at(self, found: Iterable[Placed | GazeReason]) -> Placed | GazeReason:
        """The screen that gaze lies on; beside all of them the first; the first reason if there is none."""
        first: Placed | GazeReason | None = None
        for each in found:
            if isinstance(each, Placed) and each.is_on_screen:
                return each
            if first is None or (isinstance(first, GazeReason) and isinstance(each, Placed)):
                first = each
        assert first is not None  # a mapper has a layout at least
        return first

    def _learned_rate(
        self, last: LocatedFrame | None, device_ns: int, poses: tuple[ScreenPose | GazeReason, ...], turn: Turn | None
    ) -> Vector3 | None:
        """How fast the camera turned since the last frame; as often as that is due, the gyroscope learns from it."""
        if last is None or device_ns - last.device_ns > LEARNED_WITHIN_S * 1e9:
            return None
        passed_s = (device_ns - last.device_ns) / 1e9
        self._taught += 1
        if turn is not None and self._taught > TAUGHT_AT_FIRST and self._taught % TAUGHT_EVERY:
            x, y, z = turn.vector
            return x / passed_s, y / passed_s, z / passed_s
        for before, after, places in zip(last.poses, poses, self._places, strict=True):
            if isinstance(before, GazeReason) or isinstance(after, GazeReason) or before.is_coarse or after.is_coarse:
                continue
            rays = before.rays_from_screen(places)
            if np.isfinite(rays).all():
                motion = after.ray_from_screen @ before.screen_from_ray
                x, y, z = (self.motion.learn(last.device_ns, device_ns, motion, rays) / passed_s).tolist()
                return x, y, z
        return None


def _size(turn_rad_s: Vector3 | None) -> float:
    return UNKNOWN_RAD_S if turn_rad_s is None else math.hypot(*turn_rad_s)


def _grid(size_px: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Places all over a screen, screen px, shape (12, 2)."""
    xs, ys = np.meshgrid(np.linspace(0, size_px[0], 4), np.linspace(0, size_px[1], 3))
    return np.stack([xs.ravel(), ys.ravel()], axis=1)

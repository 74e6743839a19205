"""Where on the screen the wearer looks now: the newest gaze through the newest head pose."""

from __future__ import annotations

import math

import numpy as np

from psychopy_neon.device.neon import Neon
from psychopy_neon.device.stream import Reader
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import NeonTimeoutError
from psychopy_neon.samples import GazeReason, GazeSample, SceneFrame, ScreenGaze, ScreenQuality
from psychopy_neon.screen.coordinates import is_on_screen
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper, ScreenPose

__all__ = ["ScreenGazeTracker"]

FRAME_WAIT_S = 0.5


class ScreenGazeTracker:
    """Follows the screen's tags in the scene video and puts gaze onto the screen.

    A worker searches every scene frame (the newest; those that it is too slow for are counted in ``skipped``);
    :meth:`latest` only multiplies, so it is cheap enough for every flip.

    Parameters
    ----------
    neon : Neon
        Its gaze and scene streams are opened; the worker ends with it.
    layout : ScreenLayout
        Where the tags are, screen px.
    gaze_max_age_s, scene_max_age_s : float
        Older data give a reason in place of a position.

    Raises
    ------
    LinkError, NeonTimeoutError, RemoteProtocolError
        The device's calibration could not be read.
    """

    def __init__(
        self, neon: Neon, layout: ScreenLayout, *, gaze_max_age_s: float = 0.25, scene_max_age_s: float = 0.5
    ) -> None:
        self.layout = layout
        self.gaze_max_age_s = gaze_max_age_s
        self.scene_max_age_s = scene_max_age_s
        self.skipped = 0
        """Scene frames that were not searched because a newer one was there."""
        self._neon = neon
        self._mapper = ScreenMapper(neon.calibration, layout)
        self._located: tuple[SceneFrame, ScreenPose | GazeReason] | None = None
        neon.gaze.latest()
        frames = neon.scene.reader()
        neon.crew.start("screen", lambda stop: self._follow(frames, stop), is_heavy=True)

    def latest(self) -> ScreenGaze:
        """Gaze on the screen, or the reason why there is none; never waits, never an old value."""
        sample = self._neon.gaze.latest(None)
        if sample is None:
            return ScreenGaze(None, GazeReason.NO_STREAM)
        now_ns = self._neon.host_clock.now_ns()
        age_s = (now_ns - sample.host_ns) / 1e9
        if age_s > self.gaze_max_age_s:
            return ScreenGaze(None, GazeReason.STALE, age_s=age_s, sample=sample)
        if not sample.worn:
            return ScreenGaze(None, GazeReason.NOT_WORN, age_s=age_s, sample=sample)
        if self._located is None:
            return ScreenGaze(None, GazeReason.NO_SCENE, age_s=age_s, sample=sample)
        frame, pose = self._located
        if now_ns - frame.host_ns > self.scene_max_age_s * 1e9:
            pose = GazeReason.SCENE_STALE
        if isinstance(pose, GazeReason):
            return ScreenGaze(None, pose, age_s=age_s, sample=sample)
        return self._mapped(sample, age_s, frame, pose)

    def _mapped(self, sample: GazeSample, age_s: float, frame: SceneFrame, pose: ScreenPose) -> ScreenGaze:
        x, y = (float(each) for each in pose.screen_from_scene(np.array([[sample.x, sample.y]]))[0])
        quality = ScreenQuality(pose.tag_count, pose.reprojection_px, (sample.device_ns - frame.device_ns) / 1e9)
        if not (math.isfinite(x) and math.isfinite(y)):
            return ScreenGaze(None, GazeReason.OUT_OF_VIEW, quality=quality, age_s=age_s, sample=sample)
        return ScreenGaze((x, y), None, is_on_screen(x, y, self.layout.size_px), quality, age_s, sample)

    def _follow(self, frames: Reader[SceneFrame], stop: StopSignal) -> None:
        while not stop.is_set:
            try:
                frame = frames.wait(FRAME_WAIT_S)
            except NeonTimeoutError:
                continue  # no video now: latest() says so by the age of the last frame
            newer = frames.take()
            self.skipped += len(newer)
            frame = newer[-1] if newer else frame
            self._located = (frame, self._mapper.locate(frame.luma))

"""Where on the screen the wearer looks: gaze from one stream, head poses from another, the gyroscope between them."""

from __future__ import annotations

import math
import threading
import warnings
from collections import deque
from typing import NamedTuple

from psychopy_neon.device.neon import Neon
from psychopy_neon.device.stream import Reader
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import NeonError, NeonTimeoutError
from psychopy_neon.samples import CameraCalibration, GazeReason, GazeSample, SceneFrame, ScreenGaze, ScreenQuality
from psychopy_neon.screen.blink import BlinkWatch
from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.layout import ScreenLayout, refuse_shared_ids
from psychopy_neon.screen.mapper import ScreenMapper
from psychopy_neon.screen.motion import HeadMotion, MotionModel
from psychopy_neon.screen.timeline import LocatedFrame, Placed, PoseTimeline

__all__ = ["ScreenGazeTracker"]

FRAME_WAIT_S = 0.5
CALIBRATION_PAUSE_S = 2.0
BLINK_MARGIN_S = 0.05
SETTLE_S = 0.5
"""So long :meth:`ScreenGazeTracker.take` keeps a sample back for the scene frame after it."""


class _Newest(NamedTuple):
    """The newest sample and where it was put, by what was known of the screens then."""

    sample: GazeSample
    is_blink: bool
    located: tuple[SceneFrame, LocatedFrame] | None
    gaze: ScreenGaze


class ScreenGazeTracker:
    """Follows screens by their tags in the scene video and puts gaze onto them.

    A worker searches every scene frame (the newest; those that it is too slow for are counted in ``skipped``), learns
    how the head turns, and ends with the device. :meth:`latest` only computes, so it is cheap enough for every flip.

    Parameters
    ----------
    neon : Neon
        Its gaze, scene and IMU streams are opened.
    layout : ScreenLayout, optional
        Where the tags are, screen px. Without it the scene video is not opened, and gaze has no place until
        :meth:`use_layouts`.
    *more : ScreenLayout
        Further screens, with tags of their own; ``ScreenGaze.screen`` tells on which gaze lies.
    calibration : CameraCalibration, optional
        Default: the device's own, read by the worker. A Pupil Invisible has none to give.
    gaze_max_age_s, pose_max_age_s : float
        Older gaze, and poses that would have to be carried farther, give a reason in place of a position.
    blink_aperture_mm : float
        Lids less open than this are closed; 0 switches that off.

    Raises
    ------
    ConfigurationError
        A tag belongs to two layouts, or ``calibration`` is none.

    Notes
    -----
    Thread: any, but one for :meth:`latest` and one for :meth:`take`.
    """

    def __init__(
        self,
        neon: Neon,
        layout: ScreenLayout | None = None,
        *more: ScreenLayout,
        calibration: CameraCalibration | None = None,
        gaze_max_age_s: float = 0.25,
        pose_max_age_s: float = 0.3,
        blink_aperture_mm: float = 2.0,
    ) -> None:
        layouts = () if layout is None else (layout, *more)
        refuse_shared_ids(layouts)
        if calibration is not None:
            SceneLens(calibration.scene)  # refuses what is no camera, here and not in the worker
        self.gaze_max_age_s = gaze_max_age_s
        self.pose_max_age_s = pose_max_age_s
        self.skipped = 0
        """Scene frames that were not searched because a newer one was there."""
        self.trouble: str | None = None
        """Why nothing is mapped although there is gaze and video: what went wrong with the calibration."""
        self._neon = neon
        self._calibration = calibration
        self._layouts: tuple[ScreenLayout, ...] = layouts
        self._layouts_lock = threading.Lock()
        self._layouts_changed = threading.Event()
        self._motion = HeadMotion()
        self._timeline: PoseTimeline | None = None
        self._located: tuple[SceneFrame, LocatedFrame] | None = None
        self._gyro_lock = threading.Lock()
        self._gyro = neon.imu.reader()
        self._live_samples, self._live_lids = neon.gaze.reader(), BlinkWatch(blink_aperture_mm, BLINK_MARGIN_S)
        self._later_samples, self._later_lids = neon.gaze.reader(), BlinkWatch(blink_aperture_mm, BLINK_MARGIN_S)
        self._waiting: deque[tuple[GazeSample, bool]] = deque()
        self._newest: _Newest | None = None
        neon.gaze.latest()
        neon.imu.latest()
        neon.crew.start("screen", self._follow, is_heavy=True)

    # What is known of the screens

    @property
    def layouts(self) -> tuple[ScreenLayout, ...]:
        """The screens that are looked for."""
        return self._layouts

    @property
    def layout(self) -> ScreenLayout | None:
        """The first of them."""
        return self._layouts[0] if self._layouts else None

    def use_layouts(self, *layouts: ScreenLayout) -> None:
        """Look for other screens, or other tags on them, from the next scene frame on; without any, for none.

        Raises
        ------
        ConfigurationError
            A tag belongs to two layouts.
        """
        refuse_shared_ids(layouts)
        with self._layouts_lock:
            self._layouts = layouts
            self._timeline = self._located = None
        self._layouts_changed.set()

    @property
    def located(self) -> tuple[SceneFrame, LocatedFrame] | None:
        """The newest scene frame that was searched, and what it told."""
        return self._located

    @property
    def searched(self) -> int:
        """Scene frames that were searched as a whole; in the others tags were followed."""
        timeline = self._timeline
        return timeline.mapper.searched if timeline is not None else 0

    @property
    def motion(self) -> MotionModel:
        """What has been learned of the gyroscope: axes, delay, and how much carrying poses by it helps."""
        return self._motion.model

    # Gaze

    def latest(self) -> ScreenGaze:
        """The newest gaze on the screen by the newest pose, or why there is none; never waits, never an old value."""
        samples = self._live_samples.take()
        for sample in samples:
            is_blink = self._live_lids.is_blink(sample)
        if samples:
            self._newest = self._put(samples[-1], is_blink)
        elif self._newest is None:
            return ScreenGaze(None, GazeReason.NO_STREAM)
        elif self._newest.located is not self._located:  # the same sample can be put more exactly now
            self._newest = self._put(self._newest.sample, self._newest.is_blink)
        gaze = self._newest.gaze
        age_s = (self._neon.host_clock.now_ns() - self._newest.sample.host_ns) / 1e9
        if age_s > self.gaze_max_age_s:
            return ScreenGaze(None, GazeReason.STALE, age_s=age_s, sample=gaze.sample)
        return gaze._replace(age_s=age_s)

    def take(self, *, is_final: bool = False) -> list[ScreenGaze]:
        """Every gaze sample since the last call, oldest first, by the poses before and after it: for the file.

        A sample comes when the scene frame after it has been searched, some 50 ms later than from :meth:`latest`, and
        in ``SETTLE_S`` at the latest. ``age_s`` is None: nobody looks at it now.

        Parameters
        ----------
        is_final
            Keep none back, for example because the layouts are going to change or the device to be closed.
        """
        for sample in self._later_samples.take():
            self._waiting.append((sample, self._later_lids.is_blink(sample)))
        self._take_gyro()
        gazes = []
        now_ns = self._neon.host_clock.now_ns()
        while self._waiting:
            sample, is_blink = self._waiting[0]
            placed: Placed | GazeReason | None = self._reason(sample, is_blink)
            if placed is None:
                timeline = self._timeline
                placed = timeline.later(sample.x, sample.y, sample.device_ns) if timeline is not None else None
                if placed is None:
                    if self._layouts and not is_final and now_ns - sample.host_ns < SETTLE_S * 1e9:
                        break
                    placed = self._placed(sample.x, sample.y, sample.device_ns)
            self._waiting.popleft()
            gazes.append(self._gaze(placed, sample, None))
        return gazes

    @property
    def dropped(self) -> int:
        """Samples that :meth:`take` came too late for."""
        return self._later_samples.dropped

    def on_screen(self, x: float, y: float, device_ns: int) -> ScreenGaze:
        """Another place of the last half minute, scene px, on the screen: where a fixation of the device was."""
        self._take_gyro()
        timeline = self._timeline
        placed = timeline.later(x, y, device_ns) if timeline is not None else None
        return self._gaze(placed or self._placed(x, y, device_ns), None, None)

    def _reason(self, sample: GazeSample, is_blink: bool) -> GazeReason | None:
        """Why a sample is no place to look at."""
        if not sample.worn:
            return GazeReason.NOT_WORN
        if is_blink:
            return GazeReason.BLINK
        if not math.isfinite(sample.x + sample.y):
            return GazeReason.NO_GAZE
        return None

    def _put(self, sample: GazeSample, is_blink: bool) -> _Newest:
        located = self._located
        placed: Placed | GazeReason | None = self._reason(sample, is_blink)
        if placed is None:
            self._take_gyro()
            placed = self._placed(sample.x, sample.y, sample.device_ns)
        return _Newest(sample, is_blink, located, self._gaze(placed, sample, None))

    def _placed(self, x: float, y: float, device_ns: int) -> Placed | GazeReason:
        timeline = self._timeline
        if timeline is not None:
            return timeline.live(x, y, device_ns)
        if not self._layouts:
            return GazeReason.NO_LAYOUT
        return GazeReason.NO_CALIBRATION if self.trouble else GazeReason.NO_SCENE

    def _gaze(self, placed: Placed | GazeReason, sample: GazeSample | None, age_s: float | None) -> ScreenGaze:
        if isinstance(placed, GazeReason):
            return ScreenGaze(None, placed, age_s=age_s, sample=sample)
        (x, y, error_px, error_deg), screen, is_on, pose, pose_age_s, timing = placed
        quality = ScreenQuality(
            pose.tag_count, pose.reprojection_px, error_px, error_deg, pose_age_s, pose.is_coarse, timing
        )
        return ScreenGaze((x, y), None, is_on, quality, age_s, sample, screen)

    # The worker

    def _follow(self, stop: StopSignal) -> None:
        stop.call_when_set(self._layouts_changed.set)
        frames: Reader[SceneFrame] | None = None
        while not stop.is_set:
            layouts = self._layouts
            if not layouts:
                frames = None  # what came meanwhile was not too much for this worker
                self._layouts_changed.wait()
                self._layouts_changed.clear()
                continue
            calibration = self._calibration or self._read_calibration(stop)
            if calibration is None:
                continue
            frames = frames or self._neon.scene.reader()
            try:
                frame = frames.wait(FRAME_WAIT_S)
            except NeonTimeoutError:
                continue  # no video now: latest() says so by the age of the last pose
            newer = frames.take()
            self.skipped += len(newer)
            frame = newer[-1] if newer else frame
            timeline = self._timeline
            if timeline is None or timeline.mapper.layouts != layouts:
                mapper = ScreenMapper(calibration, *layouts)
                timeline = PoseTimeline(mapper, self._motion, max_age_s=self.pose_max_age_s)
            self._take_gyro()
            located = timeline.add_frame(frame.device_ns, frame.luma)
            with self._layouts_lock:
                if layouts is self._layouts:  # else the frame was searched for what nobody wants any more
                    self._timeline, self._located = timeline, (frame, located)

    def _read_calibration(self, stop: StopSignal) -> CameraCalibration | None:
        """The device's calibration, or None after a pause."""
        try:
            calibration = self._neon.calibration
            SceneLens(calibration.scene)  # a CRC may be right and the numbers none
            self._calibration, self.trouble = calibration, None
        except NeonError as error:
            if self.trouble is None:
                warnings.warn(f"no gaze on the screen, for lack of the camera's calibration: {error}", stacklevel=2)
            self.trouble = str(error)
            stop.wait(CALIBRATION_PAUSE_S)
        return self._calibration

    def _take_gyro(self) -> None:
        """Bring in what the gyroscope has told; the frame loop must not wait for another thread that is about it."""
        if not self._gyro_lock.acquire(blocking=False):
            return
        try:
            for sample in self._gyro.take():
                self._motion.add(sample.device_ns, sample.gyro_dps)
        finally:
            self._gyro_lock.release()

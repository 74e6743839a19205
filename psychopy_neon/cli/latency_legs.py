"""The legs from the eye tracker's time stamp to the flip, as far as they can be measured without hardware."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from psychopy_neon.cli.preview_numbers import quantile
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.screen_gaze import ScreenGazeTracker
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import LinkError, NeonTimeoutError
from psychopy_neon.samples import GazeReason, GazeSample, SceneFrame, ScreenGaze
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper

__all__ = [
    "Display",
    "Leg",
    "PacedDisplay",
    "SceneWatch",
    "Uses",
    "arrivals",
    "locating_alone",
    "use_gaze",
    "wait_for_streams",
    "wire",
]

KEPT_FRAMES = 30
"""For locating once more, without anything beside it; a Neon's are 2.9 MB each."""
FRAME_WAIT_S = 0.5
LOOK_S = 0.0005
"""Nothing tells when a frame has been located: it is looked for so often."""
LOCATE_LIMIT_S = 0.25
AWAKE_NS = 500_000
"""Sleeping wakes a little late: the rest is waited for awake."""


@dataclass
class Leg:
    """The times that one leg took."""

    how: str
    values_ms: list[float] = field(default_factory=list)

    def add_ns(self, value_ns: int) -> None:
        self.values_ms.append(value_ns / 1e6)

    def as_json(self) -> dict[str, float | int | str]:
        """Median, 95 %, max (ms), count, and how it was measured; at least one value."""
        numbers = {"median_ms": quantile(self.values_ms, 0.5), "95_percent_ms": quantile(self.values_ms, 0.95)}
        rounded = {name: round(value, 4) for name, value in numbers.items() if value is not None}
        return {**rounded, "max_ms": round(max(self.values_ms), 4), "count": len(self.values_ms), "how": self.how}


class Display(Protocol):
    """What is drawn to and flipped, sixty times a second or as often as it does."""

    def show(self, gaze: ScreenGaze | None) -> None:
        """Draw what goes by the gaze."""

    def flip(self) -> int:
        """Wait for the flip; its time, host ns."""


class PacedDisplay:
    """Flips at a rate, by the clock, around another display's that does not wait (or around none).

    Parameters
    ----------
    rate_hz
        Flips per second.
    now_ns : callable
        Host clock.
    inner : Display, optional
        Drawn to and flipped each time.
    """

    def __init__(self, rate_hz: float, now_ns: Callable[[], int], inner: Display | None = None) -> None:
        self._period_ns = round(1e9 / rate_hz)
        self._now_ns = now_ns
        self._inner = inner
        self._next_ns = now_ns()

    def show(self, gaze: ScreenGaze | None) -> None:
        if self._inner is not None:
            self._inner.show(gaze)

    def flip(self) -> int:
        self._next_ns = max(self._next_ns + self._period_ns, self._now_ns())
        while (left_ns := self._next_ns - self._now_ns()) > 0:
            time.sleep(max(left_ns - AWAKE_NS, 0) / 1e9)  # it stands for the vertical blank
        return self._now_ns() if self._inner is None else self._inner.flip()


def arrivals(neon: Neon, seconds: float) -> list[GazeSample]:
    """Wait for gaze, sample by sample, for so long: a packet is read when it comes and not when a frame wants it.

    Raises
    ------
    LinkError
        The device went away.
    """
    reader, samples = neon.gaze.reader(), []
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        neon.check_link()
        try:
            samples.append(reader.wait(min(left_s, FRAME_WAIT_S)))
        except NeonTimeoutError:
            continue  # how many came is told by the count
    return samples


def wire(samples: list[GazeSample]) -> Leg:
    """From the device's time stamps to the packets; each is right within its sample's bound.

    A sample without a bound is left out: its host time is that of arrival, so it tells nothing.
    """
    leg = Leg("packet read as it comes - time stamp of its gaze")
    for sample in samples:
        if sample.bound_ns is not None:
            leg.add_ns(sample.received_ns - sample.host_ns)
    return leg


class SceneWatch:
    """Follows scene frames from their last packet until their screens are located.

    Parameters
    ----------
    neon : Neon
        A thread of its crew does the waiting, and ends with it.
    tracker : ScreenGazeTracker or None
    """

    def __init__(self, neon: Neon, tracker: ScreenGazeTracker | None) -> None:
        self.wire = Leg("last packet of a frame read - its time stamp")
        self.decode = Leg("frame in the hand of a waiting thread - its last packet")
        self.locate = Leg(f"screens of a frame known - frame in hand; looked for every {1e3 * LOOK_S:g} ms")
        self.frames: deque[SceneFrame] = deque(maxlen=KEPT_FRAMES)
        self._now_ns = neon.host_clock.now_ns
        self._tracker = tracker
        self._reader = neon.scene.reader()
        neon.crew.start("latency", self._run)

    def _run(self, stop: StopSignal) -> None:
        while not stop.is_set:
            try:
                frame = self._reader.wait(FRAME_WAIT_S)
            except NeonTimeoutError:
                continue  # how many came is told by the count
            in_hand_ns = self._now_ns()
            self.frames.append(frame)
            if frame.bound_ns is not None:
                self.wire.add_ns(frame.received_ns - frame.host_ns)
            self.decode.add_ns(in_hand_ns - frame.received_ns)
            if self._tracker is not None:
                self._wait_located(self._tracker, frame, in_hand_ns, stop)
            self._reader.take()  # what came meanwhile has waited for this thread: it would count as slow

    def _wait_located(self, tracker: ScreenGazeTracker, frame: SceneFrame, since_ns: int, stop: StopSignal) -> None:
        while not stop.wait(LOOK_S) and self._now_ns() - since_ns < LOCATE_LIMIT_S * 1e9:
            located = tracker.located
            if located is not None and located[0].sequence >= frame.sequence:
                if located[0] is frame:  # else it was skipped for a newer one
                    self.locate.add_ns(self._now_ns() - since_ns)
                return


class Uses:
    """What a frame loop met when it used gaze at every flip."""

    def __init__(self, is_mapped: bool) -> None:
        self.age = Leg("gaze asked for - its time stamp: wire, and waiting until the loop asks")
        self.call = Leg(f"answer - question: read what has come{', map it' if is_mapped else ' (nothing is mapped)'}")
        self.wait = Leg("flip - gaze in hand; gaze is asked for right after the flip before")
        self.sum = Leg("flip - time stamp of the gaze that it was drawn by; the three above added up, flip by flip")
        self.pose_age = Leg("gaze asked for - time stamp of the scene frame that the pose is of")
        self.flips = 0
        self.bounds_ns: list[int] = []
        self.reasons: Counter[GazeReason] = Counter()


def use_gaze(neon: Neon, tracker: ScreenGazeTracker | None, display: Display, seconds: float) -> Uses:
    """Ask for gaze after every flip, draw by it, flip.

    Raises
    ------
    LinkError
        The device went away.
    """
    uses, now_ns = Uses(tracker is not None), neon.host_clock.now_ns
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        neon.check_link()
        asked_ns = now_ns()
        gaze = tracker.latest() if tracker is not None else None
        sample = gaze.sample if gaze is not None else neon.gaze.latest()
        in_hand_ns = now_ns()
        display.show(gaze)
        flip_ns = display.flip()
        uses.flips += 1
        if gaze is not None and gaze.reason is not None:
            uses.reasons[gaze.reason] += 1
        if sample is None or (gaze is not None and gaze.reason is not None):
            continue
        uses.call.add_ns(in_hand_ns - asked_ns)
        uses.wait.add_ns(flip_ns - in_hand_ns)
        if sample.bound_ns is not None:  # else nothing is proven about the time of the stamp
            uses.bounds_ns.append(sample.bound_ns)
            uses.age.add_ns(asked_ns - sample.host_ns)
            uses.sum.add_ns(flip_ns - sample.host_ns)
            if gaze is not None and gaze.quality is not None:
                uses.pose_age.add_ns(asked_ns - sample.host_ns + round(1e9 * gaze.quality.pose_age_s))
    return uses


def locating_alone(neon: Neon, layout: ScreenLayout, frames: list[SceneFrame]) -> Leg:
    """Locate frames that came in this order once more, one after the other and without waiting for any."""
    leg = Leg("the last frames again, in one go; the first, searched as a whole, left out")
    mapper = ScreenMapper(neon.calibration, layout)
    for number, frame in enumerate(frames):
        begin_ns = neon.host_clock.now_ns()
        mapper.locate_all(frame.luma)
        if number:
            leg.add_ns(neon.host_clock.now_ns() - begin_ns)
    return leg


def wait_for_streams(
    neon: Neon, tracker: ScreenGazeTracker | None, display: Display, limit_s: float
) -> GazeReason | None:
    """Flip until gaze, video and the screen are there; what is still missing of the screen after the limit.

    Raises
    ------
    LinkError
        No gaze, or no video, has come.
    """
    end_s = time.monotonic() + limit_s
    while True:
        gaze = tracker.latest() if tracker is not None else None
        has_gaze, has_scene = neon.gaze.latest() is not None, neon.scene.latest() is not None
        if has_gaze and has_scene and (gaze is None or gaze.reason is None):
            return None
        if time.monotonic() > end_s:
            break
        display.show(gaze)
        display.flip()
    if not (has_gaze and has_scene):
        what = "scene video" if has_gaze else "gaze"
        raise LinkError(
            neon.address, f"no {what} came within {limit_s:g} s; is the app in front, and is UDP let through?"
        )
    return gaze.reason if gaze is not None else None

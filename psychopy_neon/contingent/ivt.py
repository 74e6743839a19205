"""Fixations, saccades and blinks from gaze on the screen, found while it comes in, by a threshold of velocity."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from psychopy_neon.contingent.evidence import at_least, ns
from psychopy_neon.contingent.movement import Movement, mean_place, movement_between
from psychopy_neon.contingent.screen_events import (
    ScreenBlink,
    ScreenEvent,
    ScreenFixation,
    ScreenSaccade,
    Span,
    checked_px_per_deg,
)
from psychopy_neon.contingent.velocity import Spot, VelocityEstimator
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, GazeSample, ScreenGaze

__all__ = ["IvtDetector"]

RECENT = 256
"""Samples kept to find the edges of a saccade: more than a second."""


@dataclass(slots=True)
class _Run:
    """Gaze that rests; a fixation when it has done so for long enough."""

    start: GazeSample
    start_ns: int
    is_fixation: bool = False
    count: int = 0
    sum_x: float = 0.0
    sum_y: float = 0.0

    def add(self, spot: Spot) -> None:
        self.count, self.sum_x, self.sum_y = self.count + 1, self.sum_x + spot.x, self.sum_y + spot.y

    def absorb(self, other: _Run) -> None:
        self.count, self.sum_x, self.sum_y = (
            self.count + other.count,
            self.sum_x + other.sum_x,
            self.sum_y + other.sum_y,
        )

    @property
    def mean(self) -> tuple[float, float] | None:
        return (self.sum_x / self.count, self.sum_y / self.count) if self.count else None


class IvtDetector:
    """Identification by velocity threshold (I-VT), in degrees of the screen, for gaze that jitters.

    Gaze is at rest while its speed stays below the threshold and moves while it is above. Speed comes from
    :class:`~psychopy_neon.contingent.velocity.VelocityEstimator`, which is calm enough for the jitter of a wearable;
    it smears a jump over its window, so the edges of a found saccade are then looked for with the slope of three
    samples along the saccade's own direction.

    - Rest of ``min_fixation_s`` is a fixation; shorter rest belongs to the movement.
    - Movement shorter than ``min_saccade_s`` is none. A saccade lies between two fixations: one whose start was not
      seen is not told.
    - Two fixations that are no farther apart than ``merge_deg`` and ``merge_s`` are one.
    - A gap or no data ends what goes on (``is_cut``); closed eyes are a blink.

    Onsets are told as soon as they are sure, and again when they have ended, with the end. The onset of a saccade is
    told before its end is known: when its fixations turn out to be one, nothing follows, and the fixation goes on.

    Parameters
    ----------
    px_per_deg : float
        Screen px per degree of visual angle, as at the centre of the screen. Seen under 20 degrees from there the true
        number is an eighth larger.
    threshold_deg_s, leave_deg_s : float
        Speed above which a movement begins, and below which it ends.
    min_fixation_s, min_saccade_s, merge_s, merge_deg
        See above.
    gap_s : float
        A longer time between two samples is a gap.
    window_s : float
        Of the velocity estimator.

    Attributes
    ----------
    delay_s : float
        So much after its beginning the onset of a saccade is told, as a rule (of one of 10 degrees 5 ms earlier, of a
        small one in strong jitter up to 10 ms later); that of a fixation ``min_fixation_s`` later. The age of the
        samples comes on top.
    merged : int
        Told onsets of saccades that were none.

    Raises
    ------
    ConfigurationError
        Settings below 0, or ``leave_deg_s`` above ``threshold_deg_s``.

    Notes
    -----
    Thread: one at a time. Feed it every sample (``tracker.take()``); with those of ``latest()`` at a display's rate the
    edges are as coarse as the frames.
    """

    def __init__(
        self,
        px_per_deg: float,
        *,
        threshold_deg_s: float = 30.0,
        leave_deg_s: float = 20.0,
        min_fixation_s: float = 0.06,
        min_saccade_s: float = 0.01,
        merge_s: float = 0.075,
        merge_deg: float = 0.5,
        gap_s: float = 0.05,
        window_s: float = 0.04,
    ) -> None:
        self._px_per_deg = checked_px_per_deg(px_per_deg)
        self._begin_px_s = at_least(0.0, "threshold_deg_s", threshold_deg_s) * px_per_deg
        if not 0 <= leave_deg_s <= threshold_deg_s:
            raise ConfigurationError("leave_deg_s", leave_deg_s, f"0 to threshold_deg_s, {threshold_deg_s:g}")
        self._leave_px_s = leave_deg_s * px_per_deg
        self._min_fixation_ns, self._min_saccade_ns = (
            ns("min_fixation_s", min_fixation_s),
            ns("min_saccade_s", min_saccade_s),
        )
        self._merge_ns, self._merge_px = ns("merge_s", merge_s), at_least(0.0, "merge_deg", merge_deg) * px_per_deg
        self._gap_ns = ns("gap_s", gap_s)
        self._velocity = VelocityEstimator(window_s)
        self.delay_s = self._velocity.delay_s + min_saccade_s
        self.merged = 0
        self._newest_ns: int | None = None
        self._blink: list[GazeSample] = []
        """The first and the newest sample of closed eyes."""
        self._forget()

    def feed(self, gaze: ScreenGaze) -> list[ScreenEvent]:
        """Take in one gaze, in order of time; a sample that was there before says nothing new.

        Returns
        -------
        list
            What has become certain, oldest first.
        """
        sample = gaze.sample
        if gaze.pos is None or sample is None or not all(map(math.isfinite, gaze.pos)):
            return self._no_data(gaze.reason, sample)
        if self._newest_ns is not None and sample.device_ns <= self._newest_ns:
            return []
        told = self._end_blink(sample)
        if self._samples and sample.device_ns - self._samples[-1].device_ns > self._gap_ns:
            told += self.end()
        self._newest_ns = sample.device_ns
        spot = Spot(sample.device_ns, *gaze.pos)
        self._samples.append(sample)
        self._spots.append(spot)
        self._waiting.append(spot)
        velocity = self._velocity.add(spot)
        if velocity is not None:
            told += self._classify(velocity[0], math.hypot(velocity[1], velocity[2]))
        return told

    def end(self) -> list[ScreenEvent]:
        """No more gaze for now: end what goes on with the newest sample."""
        if not self._samples:
            return []
        told: list[ScreenEvent] = []
        run, fast_ns = self._run, self._fast_ns
        if run is not None and run.is_fixation:
            if fast_ns is None:
                told.append(self._fixation(run, self._samples[-1], is_cut=True))
            else:
                start = self._sample_at(fast_ns)
                told.append(self._fixation(run, start))
                told += [self._cut_saccade(start)] if self._is_told else []
        self._forget()
        return told

    def _forget(self) -> None:
        """As before the first sample."""
        self._velocity.reset()
        self._spots: deque[Spot] = deque(maxlen=RECENT)
        self._samples: deque[GazeSample] = deque(maxlen=RECENT)
        self._waiting: deque[Spot] = deque()
        """Places that lie in the newer half of the window: not at rest and not moving yet."""
        self._run: _Run | None = None
        """Rest; while there is a movement, the rest before it."""
        self._next: _Run | None = None
        """Rest after the movement, as long as it is too short."""
        self._fast_ns: int | None = None
        """When the movement began."""
        self._is_told = False
        """Whether its onset is."""

    def _classify(self, at_ns: int, speed_px_s: float) -> list[ScreenEvent]:
        """The middle of the window is at rest or moves."""
        settled = []
        while self._waiting and self._waiting[0].at_ns <= at_ns:
            settled.append(self._waiting.popleft())
        is_moving = self._fast_ns is not None and self._next is None
        if speed_px_s > (self._leave_px_s if is_moving else self._begin_px_s):
            return self._moved(at_ns)
        return self._rested(at_ns, settled)

    def _moved(self, at_ns: int) -> list[ScreenEvent]:
        self._next = None
        if self._fast_ns is None:
            self._fast_ns, self._is_told = at_ns, False
        run = self._run
        if self._is_told or at_ns - self._fast_ns < self._min_saccade_ns or run is None or not run.is_fixation:
            return []
        self._is_told = True
        start = self._sample_at(self._fast_ns)
        return [
            ScreenSaccade(
                _onset(start), mean_place(self._spots, self._fast_ns - self._min_fixation_ns, self._fast_ns), None
            )
        ]

    def _rested(self, at_ns: int, settled: list[Spot]) -> list[ScreenEvent]:
        if self._run is None and self._fast_ns is None:
            self._run = _Run(self._samples[0], self._samples[0].device_ns)
        elif self._fast_ns is not None and not self._was_movement(at_ns):
            self._fast_ns = None
        elif self._fast_ns is not None and self._next is None:
            self._next = _Run(self._sample_at(at_ns), at_ns)
        run = self._next or self._run
        assert run is not None
        for spot in settled:
            run.add(spot)
        if run.is_fixation or at_ns - run.start_ns < self._min_fixation_ns:
            return []
        run.is_fixation = True
        if self._next is None:
            return [ScreenFixation(_onset(run.start), run.mean)]
        return self._arrived(run)

    def _was_movement(self, at_ns: int) -> bool:
        """Whether what was faster than the threshold lasted for long enough to be more than jitter."""
        fast_ns = self._fast_ns
        assert fast_ns is not None
        return self._next is not None or self._run is None or at_ns - fast_ns >= self._min_saccade_ns

    def _arrived(self, after: _Run) -> list[ScreenEvent]:
        """A fixation follows on the movement: so it was a saccade, or it was none."""
        before, fast_ns = self._run, self._fast_ns
        assert fast_ns is not None
        was_told = self._is_told
        self._run, self._next, self._fast_ns = after, None, None
        if before is None or not before.is_fixation:
            return [ScreenFixation(_onset(after.start), after.mean)]
        movement = movement_between(self._spots, (fast_ns, after.start_ns), self._min_fixation_ns, self._begin_px_s)
        is_near = movement.amplitude_px <= self._merge_px and after.start_ns - fast_ns <= self._merge_ns
        if is_near or movement.end_ns - movement.start_ns < self._min_saccade_ns:
            self.merged += was_told
            before.absorb(after)
            self._run = before
            return []
        return self._saccade(before, movement, after)

    def _saccade(self, before: _Run, movement: Movement, after: _Run) -> list[ScreenEvent]:
        start, end = self._sample_at(movement.start_ns), self._sample_at(movement.end_ns)
        after.start = end
        saccade = ScreenSaccade(
            _span(start, end),
            movement.start,
            movement.end,
            None,
            movement.amplitude_px,
            movement.amplitude_px / self._px_per_deg,
            movement.peak_px_s / self._px_per_deg,
        )
        return [self._fixation(before, start), saccade, ScreenFixation(_onset(end), after.mean)]

    def _fixation(self, run: _Run, end: GazeSample, is_cut: bool = False) -> ScreenFixation:
        return ScreenFixation(_span(run.start, end), run.mean, None, is_cut)

    def _cut_saccade(self, start: GazeSample) -> ScreenSaccade:
        from_pos = mean_place(self._spots, start.device_ns - self._min_fixation_ns, start.device_ns)
        return ScreenSaccade(_span(start, self._samples[-1]), from_pos, None, is_cut=True)

    def _sample_at(self, device_ns: int) -> GazeSample:
        """The newest sample not after a time, of those that are kept."""
        for sample in reversed(self._samples):
            if sample.device_ns <= device_ns:
                return sample
        return self._samples[0]

    def _no_data(self, reason: GazeReason | None, sample: GazeSample | None) -> list[ScreenEvent]:
        told = self.end()
        if reason is GazeReason.BLINK and sample is not None:
            if not self._blink:
                self._blink = [sample, sample]
                return [*told, ScreenBlink(_onset(sample))]
            self._blink[1] = max(self._blink[1], sample, key=lambda each: each.device_ns)
            return told
        return told + self._end_blink(None)

    def _end_blink(self, sample: GazeSample | None) -> list[ScreenEvent]:
        """It ends with the first open eyes, or where nothing more is known with the last closed ones."""
        if not self._blink:
            return []
        first, newest = self._blink
        self._blink = []
        is_known = sample is not None and sample.device_ns - newest.device_ns <= self._gap_ns
        return [ScreenBlink(_span(first, sample if sample is not None and is_known else newest))]


def _onset(start: GazeSample) -> Span:
    return Span(start.device_ns, None, start.host_ns, None, start.bound_ns)


def _span(start: GazeSample, end: GazeSample) -> Span:
    bounds = (start.bound_ns, end.bound_ns)
    bound_ns = None if None in bounds else max(bound for bound in bounds if bound is not None)
    return Span(start.device_ns, end.device_ns, start.host_ns, end.host_ns, bound_ns)

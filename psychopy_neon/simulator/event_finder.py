"""Fixations, saccades and blinks in what the simulated eyes do; pure."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple, TypeAlias

from psychopy_neon.samples import EyeEventDatum, EyeEventKind, GazeMotion

__all__ = ["EyeEventFinder", "Look"]

Point: TypeAlias = tuple[float, float]

THRESHOLD_DPS = 30.0
WINDOW = 5
"""Looks over which speed is taken, first and last included: 20 ms at 200 Hz. A pointer moves less often than that."""
MAX_GAP_NS = 50_000_000
_STILL_PART = 0.1
_KINDS = {
    False: (EyeEventKind.FIXATION, EyeEventKind.FIXATION_ONSET),
    True: (EyeEventKind.SACCADE, EyeEventKind.SACCADE_ONSET),
}


class Look(NamedTuple):
    """What the eyes did at one moment."""

    time_ns: int
    direction: tuple[float, float, float]
    """Unit vector that does not turn with the head."""
    scene: Point
    """Place in the scene image."""
    is_closed: bool


class _Span:
    """A fixation or saccade that has begun, summed up so that a long one needs no more memory."""

    def __init__(self, first: Look, is_moving: bool) -> None:
        self.is_moving = is_moving
        self._first = self._last = first
        self._count = 1
        self._sum_x, self._sum_y = first.scene
        self._path = self._fastest = 0.0

    @property
    def onset(self) -> EyeEventDatum:
        return EyeEventDatum(_KINDS[self.is_moving][1], self._first.time_ns, None, None, 0)

    def add(self, look: Look) -> None:
        """Go on; looks from before what is known already are passed over."""
        if look.time_ns <= self._last.time_ns:
            return
        distance = math.dist(look.scene, self._last.scene)
        self._path += distance
        self._fastest = max(self._fastest, distance * 1e9 / (look.time_ns - self._last.time_ns))
        self._sum_x += look.scene[0]
        self._sum_y += look.scene[1]
        self._count += 1
        self._last = look

    def finished(self) -> EyeEventDatum:
        first, last = self._first, self._last
        duration_s = (last.time_ns - first.time_ns) / 1e9
        motion = GazeMotion(
            first.scene,
            last.scene,
            (self._sum_x / self._count, self._sum_y / self._count),
            math.dist(first.scene, last.scene),
            _degrees(first, last),
            self._path / duration_s if duration_s else 0.0,
            self._fastest,
        )
        return EyeEventDatum(_KINDS[self.is_moving][0], first.time_ns, last.time_ns, motion, 0)


class EyeEventFinder:
    """Finds events by a threshold of velocity.

    Gaze that turned by more than 30 degrees per second on the mean of the last 20 ms moves: a saccade, however long it
    lasts, so also following something fast. All else is fixation. Velocity is that of gaze in the room: turning the
    head while looking at the same place is none. Where in these 20 ms gaze set out, or came to rest, is told by a tenth
    of the way in them. An event is told as soon as it is found. Blinks are told when the eyes open; they neither end
    nor begin a fixation.
    """

    def __init__(self) -> None:
        self._window: deque[Look] = deque(maxlen=WINDOW)
        self._span: _Span | None = None
        self._closed_since_ns: int | None = None

    def reset(self) -> None:
        """Forget what has begun: nobody looks."""
        self._window.clear()
        self._span = self._closed_since_ns = None

    def add(self, look: Look) -> list[EyeEventDatum]:
        """Take the next look; the events that it brings to light, with the times of the looks."""
        if self._window and look.time_ns - self._window[-1].time_ns > MAX_GAP_NS:
            self.reset()
        self._window.append(look)
        return [*self._blinks(look), *self._turns()]

    def _blinks(self, look: Look) -> list[EyeEventDatum]:
        since_ns = self._closed_since_ns
        if look.is_closed:
            self._closed_since_ns = look.time_ns if since_ns is None else since_ns
            return []
        self._closed_since_ns = None
        return [] if since_ns is None else [EyeEventDatum(EyeEventKind.BLINK, since_ns, look.time_ns, None, 0)]

    def _turns(self) -> list[EyeEventDatum]:
        if len(self._window) < WINDOW:
            return []
        oldest, newest = self._window[0], self._window[-1]
        span, travelled = self._span, _degrees(oldest, newest)
        is_moving = travelled * 1e9 > THRESHOLD_DPS * (newest.time_ns - oldest.time_ns)
        if span is None:
            self._span = _Span(oldest, is_moving)
            return [self._span.onset]
        span.add(oldest)
        if span.is_moving is is_moving:
            return []
        near, limit = (oldest if is_moving else newest), _STILL_PART * travelled
        resting = [look for look in self._window if _degrees(near, look) <= limit]
        turn = resting[-1] if is_moving else resting[0]
        for look in self._window:
            if look.time_ns <= turn.time_ns:
                span.add(look)
        self._span = _Span(turn, is_moving)
        return [span.finished(), self._span.onset]


def _degrees(a: Look, b: Look) -> float:
    # By the chord: of small angles the cosine tells nothing.
    return math.degrees(2 * math.asin(min(1.0, math.dist(a.direction, b.direction) / 2)))

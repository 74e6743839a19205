"""Device ns to host ns, from time echoes.

An echo tells two things. The phone read its clock between our sending and our receiving, and it read it inside the
whole millisecond that it answered (assumed: the phone cuts to whole milliseconds, it does not round). So the offset
(device minus host) lies in ::

    [device_ms * 1e6 - received_ns,  (device_ms + 1) * 1e6 - sent_ns]

whatever the path did. The middle is the estimate and half the width the bound: half the round trip plus half the
phone's millisecond on either side of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["ClockOffset", "Exchange", "OffsetEstimator"]

NS_PER_MS = 1_000_000
WINDOW_NS = 30_000_000_000
DRIFT_ALLOWANCE_PPM = 100
"""What two quartz clocks may run apart at worst; an old echo's interval is widened by it, so the bound stays true."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One time echo: host clock at sending and at receiving, and the phone's answer."""

    sent_ns: int
    received_ns: int
    device_ms: int

    @property
    def round_trip_ns(self) -> int:
        """Time between sending and receiving."""
        return self.received_ns - self.sent_ns

    @property
    def interval_ns(self) -> tuple[int, int]:
        """Smallest and largest offset (device minus host) that this echo allows."""
        device_ns = self.device_ms * NS_PER_MS
        return device_ns - self.received_ns, device_ns + NS_PER_MS - self.sent_ns


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Offset of the device's clock and both conversions.

    Within one ClockOffset the conversions are exact inverses: both add the same whole number.
    """

    offset_ns: int
    """Device minus host."""
    bound_ns: int
    """The true offset lies within ``offset_ns`` plus or minus this."""
    drift_ppm: float
    measured_at_ns: int
    """Host clock, middle of the exchange that decided."""
    exchanges: int
    segment: int
    """Counts the steps of the phone's clock."""
    updated_at_ns: int
    """Host clock of the newest echo; ``bound_ns`` holds at this time."""

    def bound_at_ns(self, host_ns: int) -> int:
        """The bound at a later time: it grows by the drift allowance as long as no echo renews it."""
        return self.bound_ns + _slack_ns(max(host_ns - self.updated_at_ns, 0))

    def host_ns(self, device_ns: int) -> int:
        """Host clock of a device time."""
        return device_ns - self.offset_ns

    def device_ns(self, host_ns: int) -> int:
        """Device clock of a host time."""
        return host_ns + self.offset_ns


class OffsetEstimator:
    """The newest offset from a sliding window of echoes: the one with the narrowest interval decides."""

    def __init__(self, window_ns: int = WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._window: deque[Exchange] = deque()
        self._segment = 0
        self._history: list[ClockOffset] = []
        self.current: ClockOffset | None = None

    @property
    def history(self) -> tuple[ClockOffset, ...]:
        """The last offset of every segment, oldest first; the running one is the last."""
        return (*self._history, self.current) if self.current else tuple(self._history)

    def add(self, exchange: Exchange) -> ClockOffset:
        """Take one exchange and return the offset that holds now.

        An exchange whose interval cannot be reconciled with the window's means that the phone's clock was set:
        a new segment begins with it.
        """
        now_ns = exchange.received_ns
        while self._window and now_ns - self._window[0].received_ns > self._window_ns:
            self._window.popleft()
        low, high = exchange.interval_ns
        if any(low > top or high < bottom for bottom, top in (_widened(old, now_ns) for old in self._window)):
            if self.current is not None:
                self._history.append(self.current)
            self._segment += 1
            self._window.clear()
        self._window.append(exchange)
        best = min(self._window, key=lambda old: _width(_widened(old, now_ns)))
        low, high = _widened(best, now_ns)
        middle_ns = (best.sent_ns + best.received_ns) // 2
        self.current = ClockOffset(
            (low + high) // 2, -(-(high - low) // 2), 0.0, middle_ns, len(self._window), self._segment, now_ns
        )
        return self.current


def _widened(exchange: Exchange, now_ns: int) -> tuple[int, int]:
    low, high = exchange.interval_ns
    slack_ns = _slack_ns(now_ns - exchange.received_ns)
    return low - slack_ns, high + slack_ns


def _slack_ns(elapsed_ns: int) -> int:
    return elapsed_ns * DRIFT_ALLOWANCE_PPM // 1_000_000


def _width(interval_ns: tuple[int, int]) -> int:
    return interval_ns[1] - interval_ns[0]

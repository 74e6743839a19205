"""RTP ticks to device ns, through the sender reports (RFC 3550 section 6.4.1)."""

from __future__ import annotations

from collections import deque

from psychopy_neon.timing.offset import MAX_CHANGE_PPM

__all__ = ["MediaClock"]

_NS_PER_S = 1_000_000_000
_STEP_NS = 5_000_000
"""Two reports that disagree by more than this are a step of the phone's clock, not its drift: 5 ms between reports
a few seconds apart would be over 1000 ppm."""
_SPREAD_OVER = 20
"""Reports that the spread is taken over: of a clock that was slewed once the bound must not tell for ever."""


class MediaClock:
    """One stream's ticks on the device's clock.

    Made anew for every RTSP session: a new session has new tick origins, and the old anchor would be wrong by their
    difference.

    Parameters
    ----------
    clock_hz : int
        Rate from the session description.
    """

    def __init__(self, clock_hz: int) -> None:
        self.clock_hz = clock_hz
        self.spread_ns = 0
        """Largest disagreement of a recent report with the line of the one before it, steps left out."""
        self._errors_ns: deque[int] = deque(maxlen=_SPREAD_OVER)
        self._tick_ns = -(-_NS_PER_S // clock_hz)
        self._anchor: tuple[int, int] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a report has come."""
        return self._anchor is not None

    def add_report(self, ticks: int, device_ns: int) -> bool:
        """Take a sender report, times from now on are relative to it; False when the phone's clock had been set."""
        error_ns = abs(device_ns - self.at(ticks)[0]) if self.is_ready else None
        self._anchor = (ticks, device_ns)
        if error_ns is None:
            return True
        is_steady = error_ns <= _STEP_NS
        if is_steady:
            self._errors_ns.append(error_ns)
        else:
            self._errors_ns.clear()
        self.spread_ns = max(self._errors_ns, default=0)
        return is_steady

    def at(self, ticks: int) -> tuple[int, int]:
        """Device time of a tick stamp, Unix ns, and the bound on its error; only when ready.

        The distance from the last report is taken as a signed 32-bit number, so the wrap of the stamps (13.3 h at
        90 kHz) does not show as long as reports come more often than half of that. The bound is one tick, what the
        reports disagree by, and by how much the phone's wall clock, of which the reports tell, may have been slewed
        since the last one against the clock that counts the ticks.
        """
        assert self._anchor is not None
        distance = ((ticks - self._anchor[0] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        since_ns = (distance * _NS_PER_S + self.clock_hz // 2) // self.clock_hz
        slewed_ns = abs(since_ns) * MAX_CHANGE_PPM // 1_000_000
        return self._anchor[1] + since_ns, self._tick_ns + self.spread_ns + slewed_ns

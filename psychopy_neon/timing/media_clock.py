"""RTP ticks to device ns, through the sender reports (RFC 3550 section 6.4.1)."""

from __future__ import annotations

__all__ = ["MediaClock"]

_NS_PER_S = 1_000_000_000
_STEP_NS = 5_000_000
"""Two reports that disagree by more than this are a step of the phone's clock, not its drift: 5 ms between reports
a few seconds apart would be over 1000 ppm."""


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
        self.steps = 0
        self.spread_ns = 0
        """Largest disagreement of a report with the line of the one before it, steps left out."""
        self.bound_ns = self._tick_ns = -(-_NS_PER_S // clock_hz)
        """Bound on the error of :meth:`device_ns`: one tick, and what the reports disagree by."""
        self._anchor: tuple[int, int] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a report has come."""
        return self._anchor is not None

    def add_report(self, ticks: int, device_ns: int) -> None:
        """Take a sender report; times from now on are relative to it."""
        expected_ns = self.device_ns(ticks)
        if expected_ns is not None:
            error_ns = abs(device_ns - expected_ns)
            if error_ns > _STEP_NS:
                self.steps += 1
                self.spread_ns = 0
            else:
                self.spread_ns = max(self.spread_ns, error_ns)
        self.bound_ns = self._tick_ns + self.spread_ns
        self._anchor = (ticks, device_ns)

    def device_ns(self, ticks: int) -> int | None:
        """Device time of a tick stamp, Unix ns; None before the first report.

        The distance from the last report is taken as a signed 32-bit number, so the wrap of the stamps (13.3 h at
        90 kHz) does not show as long as reports come more often than half of that.
        """
        if self._anchor is None:
            return None
        anchor_ticks, anchor_ns = self._anchor
        distance = ((ticks - anchor_ticks + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        return anchor_ns + (distance * _NS_PER_S + self.clock_hz // 2) // self.clock_hz

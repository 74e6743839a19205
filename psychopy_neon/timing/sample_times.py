"""Ticks of one stream to device and host times: sender reports, clock segments and arrival brought together."""

from __future__ import annotations

from typing import Protocol

from psychopy_neon.timing.arrival import ArrivalClock
from psychopy_neon.timing.media_clock import MediaClock
from psychopy_neon.timing.offset import ClockOffset

__all__ = ["OffsetSource", "SampleTimes", "StepWait"]

STEP_WAIT_NS = 500_000_000
"""How long data may wait for the echoes that tell to what the device's clock was set."""


class OffsetSource(Protocol):
    """What is asked of the device's clock; see :class:`~psychopy_neon.timing.track.ClockTrack` for the words."""

    @property
    def newest(self) -> ClockOffset | None: ...
    @property
    def settled_ns(self) -> int | None: ...

    def segment_of(self, device_ns: int, seen_ns: int) -> int: ...
    def last_offset(self, segment: int) -> ClockOffset: ...


class StepWait:
    """Holds data back when the device's clock seems to have been set, until echoes tell to what, or for a while."""

    def __init__(self, offsets: OffsetSource) -> None:
        self._offsets = offsets
        self._since_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """Something came that does not go together with the device's clock as it is known."""
        self._since_ns = now_ns

    def is_over(self, now_ns: int) -> bool:
        """Whether data may go on."""
        if self._since_ns is not None:
            settled_ns = self._offsets.settled_ns
            is_settled = settled_ns is None or settled_ns >= self._since_ns
            if is_settled or now_ns - self._since_ns >= STEP_WAIT_NS:
                self._since_ns = None
        return self._since_ns is None


class SampleTimes:
    """Times of the data of one RTP source, from its ticks.

    A report is made with the device's clock as it is set then, and data count from the newest report. So data between a
    step of that clock and the next report still have times of the old segment, and that segment's offset.
    """

    def __init__(self, clock_hz: int, offsets: OffsetSource) -> None:
        self.media = MediaClock(clock_hz)
        self._offsets = offsets
        self._arrival = ArrivalClock()
        self._report = (0, 0)  # device time and arrival of the newest report
        self._step_wait = StepWait(offsets)  # for what a report that jumped means
        self._segment = 0  # that the report belongs to, found out when
        self._newest_segment: int | None = None  # was the newest

    def add_report(self, ticks: int, device_ns: int, received_ns: int) -> None:
        """Take a sender report."""
        if not self.media.add_report(ticks, device_ns):
            self._step_wait.begin(received_ns)
            self._arrival.restart()
        self._report = device_ns, received_ns
        self._newest_segment = None

    @property
    def is_anchored(self) -> bool:
        """Whether a report has told what the ticks mean."""
        return self.media.is_ready

    def is_ready(self, now_ns: int) -> bool:
        """Whether data can be timed: there is a report, and if it jumped it is known why."""
        return self.media.is_ready and self._step_wait.is_over(now_ns)

    def at(self, ticks: int, received_ns: int) -> tuple[int, int, int | None]:
        """Device time, host time and bound of a datum, ns; only when ready.

        Without time echo the host time is that of the smallest delay of arrival, and the bound None.
        """
        device_ns, media_bound_ns = self.media.at(ticks)
        newest = self._offsets.newest
        if newest is None:
            return device_ns, self._arrival.host_ns(device_ns, received_ns), None
        if newest.segment != self._newest_segment:
            self._newest_segment = newest.segment
            self._segment = self._offsets.segment_of(*self._report)
        offset = newest if self._segment == newest.segment else self._offsets.last_offset(self._segment)
        host_ns = offset.host_ns(device_ns)
        return device_ns, host_ns, offset.bound_at_ns(host_ns) + media_bound_ns

"""Host times of data that carry the device's own time: the inertial sensor's, and eye events."""

from __future__ import annotations

from psychopy_neon.timing.arrival import ArrivalClock
from psychopy_neon.timing.media_clock import MediaClock
from psychopy_neon.timing.offset import ClockOffset
from psychopy_neon.timing.sample_times import OffsetSource, StepWait

__all__ = ["DeviceTimes"]

_SLACK_NS = 5_000_000
"""Data from the future by so much more than any before are a step of the device's clock."""


class DeviceTimes:
    """Times of the data of one RTP source, from the device time in each of them.

    Such a time follows a step of the device's clock at once, often before the echoes have noticed. It then lies in the
    future, or before what came earlier; also a sender report may tell. Data wait until the echoes have settled it. A
    step so small that none of this shows is noticed with the next echoes only.

    The bound is that of the clock offset: how well the device stamped its data nobody can tell from here.

    Parameters
    ----------
    clock_hz : int
        Of the stream's RTP ticks, which serve to notice steps only.
    offsets : OffsetSource
    disorder_ns : int
        By how much the device time of a datum may lie before that of an earlier one.
    """

    is_anchored = True
    """No report has to come before data have a time."""

    def __init__(self, clock_hz: int, offsets: OffsetSource, disorder_ns: int) -> None:
        self._offsets = offsets
        self._disorder_ns = disorder_ns
        self._media = MediaClock(clock_hz)
        self._arrival = ArrivalClock()
        self._step_wait = StepWait(offsets)
        self._newest_ns: int | None = None  # largest device time since the clock was set
        self._ahead_ns = 0  # data have come from the future by so much, and it was no step
        self._segment = 0  # the newest that is known
        self._since_ns = 0  # since then, host clock: what was measured later belongs to it

    def add_report(self, ticks: int, device_ns: int, received_ns: int) -> None:
        """Take a sender report."""
        if not self._media.add_report(ticks, device_ns):
            self._begin_step(device_ns, received_ns)

    def add(self, device_ns: int, received_ns: int) -> None:
        """Look at a datum's time when it comes; :meth:`is_ready` then tells whether it has to wait."""
        newest = self._offsets.newest
        if newest is not None:
            ahead_ns = newest.host_ns(device_ns) - newest.bound_at_ns(received_ns) - received_ns
            if ahead_ns > self._ahead_ns:
                self._ahead_ns = ahead_ns + _SLACK_NS
                self._begin_step(device_ns, received_ns)
        if self._newest_ns is None or device_ns > self._newest_ns:
            self._newest_ns = device_ns
        elif device_ns < self._newest_ns - self._disorder_ns:
            self._begin_step(device_ns, received_ns)

    def is_ready(self, now_ns: int) -> bool:
        """Whether data can be timed: nothing seems to have happened to the device's clock, or it is known what."""
        return self._step_wait.is_over(now_ns)

    def at(self, device_ns: int, received_ns: int) -> tuple[int, int | None]:
        """Host time and bound of a device time, ns; only when ready.

        Without time echo the host time is that of the smallest delay of arrival, and the bound None.
        """
        if self._offsets.newest is None:
            return self._arrival.host_ns(device_ns, received_ns), None
        return self._converted(device_ns, received_ns)

    def before(self, device_ns: int, later_device_ns: int, later_host_ns: int) -> tuple[int, int | None]:
        """The same for a device time before one that has been converted: the beginning of something that lasted."""
        if self._offsets.newest is None:
            # A clock that was set back meanwhile shows a beginning after the end.
            return min(later_host_ns - (later_device_ns - device_ns), later_host_ns), None
        return self._converted(device_ns, later_host_ns)

    def _converted(self, device_ns: int, seen_ns: int) -> tuple[int, int]:
        offset = self._offset_of(device_ns, seen_ns)
        host_ns = offset.host_ns(device_ns)
        return host_ns, offset.bound_at_ns(host_ns)

    def _offset_of(self, device_ns: int, seen_ns: int) -> ClockOffset:
        """The offset by which a device time was read that was seen at a host time."""
        newest = self._offsets.newest
        assert newest is not None
        if newest.segment != self._segment:
            self._segment, self._since_ns, self._ahead_ns = newest.segment, seen_ns, 0
        if newest.segment == 0 or self._since_ns <= newest.host_ns(device_ns) <= seen_ns:
            return newest
        segment = self._offsets.segment_of(device_ns, seen_ns)
        return newest if segment == newest.segment else self._offsets.last_offset(segment)

    def _begin_step(self, device_ns: int, received_ns: int) -> None:
        if self._step_wait.is_over(received_ns):
            self._step_wait.begin(received_ns)
        self._newest_ns = device_ns
        self._arrival.restart()

"""The offset in the course of time, from step to step of the device's clock, and times of the past converted by it."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from psychopy_neon.timing.offset import MAX_CHANGE_PPM, ClockOffset

__all__ = ["ClockSegment", "ClockTrack"]

_KEEP_EVERY_NS = 1_000_000_000


@dataclass(slots=True)
class ClockSegment:
    """The device's clock between two steps of it.

    Between two entries of ``offsets`` the offset lies on the straight line through them; before the first and after the
    last it stays as it is. So both conversions are each other's inverse, to the nanosecond that the line is rounded to.

    Notes
    -----
    Grows as long as it is the newest one.
    """

    segment: int
    began_after_ns: int
    """Host clock; the step with which the segment began came after this."""
    began_before_ns: int
    """And before this. For the first segment: when the first echo was sent and received."""
    step_ns: int = 0
    """By how much the device's clock was set forward; 0 for the first segment."""
    offsets: list[ClockOffset] = field(default_factory=list)
    """What was known, about one entry a second, oldest first; the last one is the newest."""

    def add(self, offset: ClockOffset) -> None:
        """Go on with a newer offset."""
        known = self.offsets
        kept_ns = known[-2].measured_at_ns if len(known) > 1 else self.began_before_ns
        if known and known[-1].measured_at_ns - kept_ns < _KEEP_EVERY_NS:
            known.pop()
        # What was known so badly that the clock would have to run backwards, or at half its rate, is not kept.
        while known and _device_at(offset) - _device_at(known[-1]) < _elapsed_ns(known[-1], offset) // 2:
            known.pop()
        known.append(offset)

    def device_ns(self, host_ns: int) -> int:
        """Device clock of a host time."""
        before, after = _around(self.offsets, host_ns, _host_at)
        if before is after:
            return before.device_ns(host_ns)
        device_ns, host_elapsed_ns = _device_at(before), _elapsed_ns(before, after)
        return device_ns + (host_ns - _host_at(before)) * (_device_at(after) - device_ns) // host_elapsed_ns

    def host_ns(self, device_ns: int) -> int:
        """Host clock of a device time."""
        before, after = _around(self.offsets, device_ns, _device_at)
        if before is after:
            return before.host_ns(device_ns)
        device_elapsed_ns = _device_at(after) - _device_at(before)
        # Rounded the other way than above: only so do the two undo each other.
        return _host_at(before) - (_device_at(before) - device_ns) * _elapsed_ns(before, after) // device_elapsed_ns

    def offset_at(self, host_ns: int) -> ClockOffset:
        """Offset and bound at a host time.

        Between two entries the clock may have changed its rate once, so that it left the line by a quarter of the
        change times their distance at most.
        """
        before, after = _around(self.offsets, host_ns, _host_at)
        if before is after:
            bound_ns = before.bound_at_ns(host_ns)
        else:
            bound_ns = max(before.bound_ns, after.bound_ns) + _elapsed_ns(before, after) * MAX_CHANGE_PPM // 4_000_000
        offset_ns = self.device_ns(host_ns) - host_ns
        return ClockOffset(
            offset_ns, bound_ns, after.drift_ppm, after.drift_bound_ppm, host_ns, after.exchanges, self.segment
        )


class ClockTrack:
    """All segments so far.

    Notes
    -----
    Thread: one adds; any may ask.
    """

    def __init__(self) -> None:
        self.segments: list[ClockSegment] = []

    def add(self, offset: ClockOffset, began_ns: tuple[int, int]) -> None:
        """Take the newest offset; ``began_ns``: between which host times its segment began."""
        if not self.segments or self.segments[-1].segment != offset.segment:
            segment = ClockSegment(offset.segment, *began_ns)
            if self.segments:
                segment.step_ns = offset.offset_ns - self.segments[-1].offset_at(began_ns[0]).offset_ns
            segment.add(offset)
            self.segments.append(segment)
        else:
            self.segments[-1].add(offset)

    def segment_at(self, host_ns: int) -> ClockSegment:
        """The segment in force at a host time; a step counts as made in the middle of the two echoes around it."""
        for segment in reversed(self.segments):
            if 2 * host_ns >= segment.began_after_ns + segment.began_before_ns:
                return segment
        return self.segments[0]

    def segment_of(self, device_ns: int, seen_ns: int) -> ClockSegment:
        """The segment that a device time belongs to which was read before ``seen_ns``, and not long before.

        It is that by which the delay until it was seen is the smallest, among those by which it was read while they
        were in force. (After a step back by less than the delay two may be; then this may be the wrong one.)
        """

        def rank(index: int) -> tuple[bool, int]:
            segment = self.segments[index]
            offset = segment.offset_at(seen_ns)
            host_ns = offset.host_ns(device_ns)
            followers = self.segments[index + 1 : index + 2]
            ends_ns = min([seen_ns, *(follower.began_before_ns for follower in followers)])
            was_in_force = segment.began_after_ns - offset.bound_ns <= host_ns <= ends_ns + offset.bound_ns
            return not was_in_force, abs(seen_ns - host_ns)

        return self.segments[min(range(len(self.segments)), key=rank)]

    def offset_at(self, host_ns: int) -> ClockOffset:
        """Offset at a host time; between the two echoes around a step the bound contains the step."""
        offset = self.segment_at(host_ns).offset_at(host_ns)
        for segment in self.segments[1:]:
            if segment.began_after_ns <= host_ns <= segment.began_before_ns:
                return dataclasses.replace(offset, bound_ns=offset.bound_ns + abs(segment.step_ns))
        return offset

    def device_ns(self, host_ns: int) -> int:
        """Device clock of a host time."""
        return self.segment_at(host_ns).device_ns(host_ns)

    def host_ns(self, device_ns: int, near_host_ns: int | None = None) -> int:
        """Host clock of a device time.

        After a backward step a device time has happened twice: the one nearest to ``near_host_ns`` is meant, by default
        the newest that has happened.
        """
        if near_host_ns is not None:
            candidates = [segment.host_ns(device_ns) for segment in self.segments]
            return min(candidates, key=lambda host_ns: abs(host_ns - near_host_ns))
        for segment in reversed(self.segments):
            host_ns = segment.host_ns(device_ns)
            if host_ns >= segment.began_after_ns:
                return host_ns
        return self.segments[0].host_ns(device_ns)


def _host_at(offset: ClockOffset) -> int:
    return offset.measured_at_ns


def _device_at(offset: ClockOffset) -> int:
    return offset.measured_at_ns + offset.offset_ns


def _elapsed_ns(before: ClockOffset, after: ClockOffset) -> int:
    return after.measured_at_ns - before.measured_at_ns


def _around(
    offsets: Sequence[ClockOffset], time_ns: int, time_of: Callable[[ClockOffset], int]
) -> tuple[ClockOffset, ClockOffset]:
    """The entries before and after a time; twice the same at the ends."""
    index = bisect.bisect_right(offsets, time_ns, key=time_of)
    last = len(offsets) - 1
    return offsets[min(max(index - 1, 0), last)], offsets[min(index, last)]

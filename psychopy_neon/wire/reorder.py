"""RTP packets in the order in which they were sent.

A packet in order comes out at once. One that comes too early waits until the missing ones arrive, or until its time is
up: then those are given up and counted as lost.
"""

from __future__ import annotations

from typing import TypeAlias

from psychopy_neon.wire.rtp import RtpPacket

__all__ = ["Arrived", "ReorderBuffer", "serial_difference"]

Arrived: TypeAlias = tuple[RtpPacket, int]
"""A packet and the time at which it arrived, ns."""

_RESTART_DISTANCE = 3000
"""A jump larger than this is a new sequence, not loss (RFC 3550 appendix A.1, MAX_DROPOUT)."""


def serial_difference(a: int, b: int, bits: int = 16) -> int:
    """``a - b`` in serial number arithmetic (RFC 1982): negative when a is before b."""
    half = 1 << (bits - 1)
    return ((a - b + half) & ((1 << bits) - 1)) - half


class ReorderBuffer:
    """Puts one stream's packets in order, with time as an argument.

    Parameters
    ----------
    max_wait_ns : int
        How long a packet may wait for an earlier one.
    max_packets : int
        How many may wait; the oldest gap is given up when one more comes.
    """

    def __init__(self, max_wait_ns: int, max_packets: int = 64) -> None:
        self.received = 0
        self.lost = 0
        self.late = 0
        self.duplicate = 0
        self.restarts = 0
        self._max_wait_ns = max_wait_ns
        self._max_packets = max_packets
        # Sequence numbers are counted on over the wrap, as RFC 3550 appendix A.1 extends them.
        self._first = 0
        self._next = 0
        self._expected_before = 0
        self._ssrc: int | None = None
        self._waiting: dict[int, Arrived] = {}
        self._given_up: set[int] = set()

    @property
    def highest(self) -> int:
        """Extended sequence number of the newest packet that came out."""
        return self._next - 1

    @property
    def expected(self) -> int:
        """Packets sent up to the newest that came out, over all sources."""
        return self._expected_before + self._next - self._first

    def add(self, packet: RtpPacket, now_ns: int) -> list[Arrived]:
        """Take a packet; those that may go on now, each with the time of its own arrival."""
        self.received += 1
        if packet.ssrc != self._ssrc:
            return self._restart(packet, now_ns)
        if packet.sequence == self._next & 0xFFFF and not self._waiting:  # in order: nearly always
            self._next += 1
            return [(packet, now_ns)]
        ahead = serial_difference(packet.sequence, self._next & 0xFFFF)
        if abs(ahead) > _RESTART_DISTANCE:
            return self._restart(packet, now_ns)
        number = self._next + ahead
        if ahead < 0:
            self._count_old(number)
        elif number in self._waiting:
            self.duplicate += 1
        else:
            self._waiting[number] = (packet, now_ns)
        ready = self._in_turn()
        while len(self._waiting) > self._max_packets:
            ready += self._give_up_gap()
        return ready + self.due(now_ns)

    def due(self, now_ns: int) -> list[Arrived]:
        """Packets that have waited long enough; what was missing before them is lost."""
        ready: list[Arrived] = []
        due_ns = self.next_due_ns()
        while due_ns is not None and due_ns <= now_ns:
            ready += self._give_up_gap()
            due_ns = self.next_due_ns()
        return ready

    def next_due_ns(self) -> int | None:
        """When :meth:`due` has something to release; None while nothing waits."""
        if not self._waiting:
            return None
        return min(arrived_ns for _, arrived_ns in self._waiting.values()) + self._max_wait_ns

    def _restart(self, packet: RtpPacket, now_ns: int) -> list[Arrived]:
        ready = [self._waiting[number] for number in sorted(self._waiting)]
        if self._ssrc is not None:
            self.restarts += 1
        self._expected_before = self.expected
        self._waiting.clear()
        self._given_up.clear()
        self._ssrc = packet.ssrc
        self._first = packet.sequence
        self._next = packet.sequence + 1
        return [*ready, (packet, now_ns)]

    def _count_old(self, number: int) -> None:
        """A packet from before the turn: one that was given up is late, any other came twice."""
        if number in self._given_up:
            self._given_up.discard(number)
            self.late += 1
            self.lost -= 1
        else:
            self.duplicate += 1

    def _in_turn(self) -> list[Arrived]:
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready

    def _give_up_gap(self) -> list[Arrived]:
        first = min(self._waiting)
        self.lost += first - self._next
        self._given_up = {old for old in self._given_up if self._next - old < _RESTART_DISTANCE}
        self._given_up.update(range(self._next, first))
        self._next = first
        return self._in_turn()

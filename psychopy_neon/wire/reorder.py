"""RTP packets in the order in which they were sent.

A packet in order comes out at once. One that comes too early waits until the missing ones arrive, or until its time is
up: then those are given up and counted as lost.
"""

from __future__ import annotations

from psychopy_neon.wire.rtp import RtpPacket

__all__ = ["ReorderBuffer", "serial_difference"]

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
        self._next: int | None = None
        self._ssrc = 0
        self._waiting: dict[int, tuple[int, RtpPacket]] = {}
        self._given_up: set[int] = set()

    @property
    def has_waiting(self) -> bool:
        """Whether packets wait for an earlier one."""
        return bool(self._waiting)

    def add(self, packet: RtpPacket, now_ns: int) -> list[RtpPacket]:
        """Take a packet, return those whose turn it is."""
        self.received += 1
        if self._next is None or packet.ssrc != self._ssrc:
            return self._restart(packet)
        ahead = serial_difference(packet.sequence, self._next)
        if ahead == 0 and not self._waiting:
            self._next = (packet.sequence + 1) & 0xFFFF
            return [packet]
        if abs(ahead) > _RESTART_DISTANCE:
            return self._restart(packet)
        if ahead < 0:
            self._count_old(packet.sequence)
            return []
        if packet.sequence in self._waiting:
            self.duplicate += 1
            return []
        self._waiting[packet.sequence] = (now_ns, packet)
        ready = self._in_turn()
        while len(self._waiting) > self._max_packets:
            ready += self._give_up_gap()
        return ready

    def due(self, now_ns: int) -> list[RtpPacket]:
        """Packets that have waited long enough; what was missing before them is lost."""
        ready: list[RtpPacket] = []
        due_ns = self.next_due_ns()
        while due_ns is not None and due_ns <= now_ns:
            ready += self._give_up_gap()
            due_ns = self.next_due_ns()
        return ready

    def next_due_ns(self) -> int | None:
        """When :meth:`due` has something to release; None while nothing waits."""
        if not self._waiting:
            return None
        return min(arrived_ns for arrived_ns, _ in self._waiting.values()) + self._max_wait_ns

    def _restart(self, packet: RtpPacket) -> list[RtpPacket]:
        ready = [waiting for _, waiting in sorted(self._waiting.values(), key=lambda entry: self._place(entry[1]))]
        if self._next is not None:
            self.restarts += 1
        self._waiting.clear()
        self._given_up.clear()
        self._ssrc = packet.ssrc
        self._next = (packet.sequence + 1) & 0xFFFF
        return [*ready, packet]

    def _place(self, packet: RtpPacket) -> int:
        return serial_difference(packet.sequence, self._next or 0)

    def _count_old(self, sequence: int) -> None:
        """A packet from before the turn: one that was given up is late, any other came twice."""
        if sequence in self._given_up:
            self._given_up.discard(sequence)
            self.late += 1
            self.lost -= 1
        else:
            self.duplicate += 1

    def _in_turn(self) -> list[RtpPacket]:
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next)[1])
            self._next = (self._next + 1) & 0xFFFF
        return ready

    def _give_up_gap(self) -> list[RtpPacket]:
        first = min((packet for _, packet in self._waiting.values()), key=self._place)
        start, missing = self._next or 0, self._place(first)
        self.lost += missing
        self._given_up = {old for old in self._given_up if serial_difference(start, old) < _RESTART_DISTANCE} | {
            (start + step) & 0xFFFF for step in range(missing)
        }
        self._next = first.sequence
        return self._in_turn()

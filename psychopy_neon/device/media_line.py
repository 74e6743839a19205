"""What all lines of the pipeline have in common: RTP packets in order, reports, and data that wait for their time."""

from __future__ import annotations

import random
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.timing.sample_times import OffsetSource
from psychopy_neon.wire.reorder import ReorderBuffer
from psychopy_neon.wire.rtcp import ReceiverReport, ReportBlock, SenderReport, SourceDescription, parse_compound
from psychopy_neon.wire.rtp import RtpPacket
from psychopy_neon.wire.sdp import Media

__all__ = ["Counts", "MediaLine", "Times"]

MAX_WAITING = 1000
"""Data that may wait for the first sender report: five seconds of gaze at 200 Hz."""
_SDES_CNAME = 1

Datum = TypeVar("Datum")


class Times(Protocol):
    """How the data of one source get their times; two ways are in ``timing/``."""

    @property
    def is_anchored(self) -> bool:
        """Whether enough has come for any datum to have a time."""

    def add_report(self, ticks: int, device_ns: int, received_ns: int) -> None: ...
    def is_ready(self, now_ns: int) -> bool: ...


AnyTimes = TypeVar("AnyTimes", bound=Times)


@dataclass(slots=True)
class Counts:
    """What became of the packets of one session, or the sum over sessions."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    malformed: int = 0
    dropped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.received + other.received,
            self.lost + other.lost,
            self.late + other.late,
            self.duplicate + other.duplicate,
            self.malformed + other.malformed,
            self.dropped + other.dropped,
        )


@dataclass(slots=True)
class _Source:
    """What a receiver report says of the sender (RFC 3550 section 6.4.1)."""

    own_ssrc: int = field(default_factory=lambda: random.getrandbits(32))
    last_sr: int = 0
    last_sr_at_ns: int = 0
    expected_before: int = 0
    received_before: int = 0
    lost_of_others: int = 0


class MediaLine(ABC, Generic[Datum, AnyTimes]):
    """Packets in, timed data out.

    Parameters
    ----------
    media : Media
        From the session description: payload types, clock rate.
    offsets : OffsetSource
        The device's clock.
    make_times : callable
        Makes what times the data of one source.
    max_wait_ns : int
        How long a packet may wait for an earlier one.

    Notes
    -----
    Thread: one at a time; the session sees to that.
    """

    quiet_ns = 0
    """For so long there may be nothing to send although all is well."""

    def __init__(
        self, media: Media, offsets: OffsetSource, make_times: Callable[[], AnyTimes], max_wait_ns: int
    ) -> None:
        self.malformed = 0
        self.dropped = 0
        self.last_packet_ns: int | None = None
        self.on_first_packet: Callable[[int], None] | None = None
        """Called with the host time at which the session's first packet was read."""
        self.reports = 0
        self._payload_types = frozenset(media.payload_types)
        self._reorder = ReorderBuffer(max_wait_ns)
        self._ssrc: int | None = None
        self._early_report: SenderReport | None = None  # of a source that has not sent a packet yet
        self._offsets = offsets
        self._make_times = make_times
        self._times = make_times()
        self._untimed: deque[tuple[int, Datum, int]] = deque()
        self._source = _Source()

    @property
    def counts(self) -> Counts:
        r = self._reorder
        return Counts(r.received, r.lost, r.late, r.duplicate, self.malformed, self.dropped)

    # Packets

    def receive(self, data: bytes, received_ns: int) -> bool:
        """Take an RTP datagram; False when it was none of this stream's."""
        try:
            packet = RtpPacket.parse(data)
        except RemoteProtocolError:
            self.malformed += 1
            return False
        if packet.payload_type not in self._payload_types:
            self.malformed += 1
            return False
        if packet.ssrc != self._ssrc:
            self._begin_source(packet, received_ns)
        if self.last_packet_ns is None and self.on_first_packet is not None:
            self.on_first_packet(received_ns)
        self.last_packet_ns = received_ns
        for ready, arrived_ns in self._reorder.add(packet, received_ns):
            self._unpack(ready, arrived_ns)
        return True

    def due(self, now_ns: int) -> None:
        """Let go of packets that have waited long enough for an earlier one, and of data whose time is known by now."""
        for ready, arrived_ns in self._reorder.due(now_ns):
            self._unpack(ready, arrived_ns)
        self._release(now_ns)

    @property
    def is_timed(self) -> bool:
        """Whether host times do not depend on when a packet was read: without a clock offset that is all there is."""
        return self._offsets.newest is not None

    def _begin_source(self, packet: RtpPacket, received_ns: int) -> None:
        """A new SSRC has tick and sequence origins of its own: nothing of the old one may time it."""
        if self._ssrc is not None:
            self.due(sys.maxsize)
            self._times = self._make_times()
            self.dropped += len(self._untimed)
            self._untimed.clear()
        self._ssrc = packet.ssrc
        expected, received = self._reorder.expected, self._reorder.received
        self._source = _Source(expected_before=expected, received_before=received, lost_of_others=expected - received)
        report, self._early_report = self._early_report, None
        if report is not None and report.ssrc == packet.ssrc:
            self._take_report(report, received_ns)

    # Times

    @property
    def is_ready(self) -> bool:
        """Whether all that data need for having a time has come."""
        return self._times.is_anchored

    def _time(self, stamp: int, datum: Datum, received_ns: int) -> None:
        """Deliver a datum as soon as it can be timed; ``stamp`` is what its time is made of, ticks or device ns."""
        if self._times.is_ready(received_ns):
            if self._untimed:
                self._release(received_ns)
            self._deliver(datum, stamp, received_ns)
            return
        if len(self._untimed) >= MAX_WAITING:
            self._untimed.popleft()
            self.dropped += 1
        self._untimed.append((stamp, datum, received_ns))

    def _release(self, now_ns: int) -> None:
        """Deliver what has waited for a report, or for the echo that tells what a report means."""
        while self._untimed and self._times.is_ready(now_ns):
            stamp, datum, received_ns = self._untimed.popleft()
            self._deliver(datum, stamp, received_ns)

    def control(self, data: bytes, received_ns: int) -> None:
        """Take an RTCP datagram: sender reports tie ticks to the device's clock."""
        try:
            packets = parse_compound(data)
        except RemoteProtocolError:
            self.malformed += 1
            return
        for packet in packets:
            if not isinstance(packet, SenderReport):
                continue
            if packet.ssrc == self._ssrc:
                self._take_report(packet, received_ns)
            else:
                self._early_report = packet

    def _take_report(self, report: SenderReport, received_ns: int) -> None:
        self._times.add_report(report.rtp_timestamp, report.unix_ns, received_ns)
        self.reports += 1
        self._source.last_sr = (report.ntp >> 16) & 0xFFFFFFFF
        self._source.last_sr_at_ns = received_ns
        self._release(received_ns)

    def receiver_report(self, now_ns: int) -> bytes | None:
        """RR and SDES as one datagram (RFC 3550 section 6.1); None before the first packet."""
        if self._ssrc is None:
            return None
        source, order = self._source, self._reorder
        expected, received = order.expected - source.expected_before, order.received - source.received_before
        source.expected_before, source.received_before = order.expected, order.received
        fraction = max(0, expected - received) * 256 // expected if expected > 0 else 0
        delay = (now_ns - source.last_sr_at_ns) * 65536 // 1_000_000_000 if source.last_sr else 0
        # Jitter stays 0: nobody at the other end reads it, and it would cost time for every packet.
        block = ReportBlock(
            self._ssrc,
            min(fraction, 255),
            order.expected - order.received - source.lost_of_others,
            order.highest & 0xFFFFFFFF,
            0,
            source.last_sr,
            delay & 0xFFFFFFFF,
        )
        description = SourceDescription(((source.own_ssrc, ((_SDES_CNAME, "psychopy-neon"),)),))
        return bytes(ReceiverReport(source.own_ssrc, (block,))) + bytes(description)

    @abstractmethod
    def _unpack(self, packet: RtpPacket, received_ns: int) -> None: ...

    @abstractmethod
    def _deliver(self, datum: Datum, stamp: int, received_ns: int) -> None: ...

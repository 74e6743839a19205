"""The line that every datum runs along; read this first.

::

    bytes -> RtpPacket -> in order -> GazeDatum  -> device ns -> host ns -> GazeSample -> the user's Stream
             wire.rtp     wire.reorder wire.gaze    media_clock   offset
                                    -> AccessUnit -> device ns -> decoder thread (video.py) -> SceneFrame -> Stream

One line lives as long as one RTSP session: sequence numbers, tick origins and half-finished pictures of an old
session mean nothing in a new one. A line owns no socket and no thread; the session in ``rtsp_link.py`` feeds it.
Nothing here raises for what a device sent: it is counted.
"""

from __future__ import annotations

import random
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.samples import GazeDatum, GazeSample
from psychopy_neon.timing.sample_times import OffsetSource, SampleTimes
from psychopy_neon.wire.gaze import parse_gaze
from psychopy_neon.wire.h264 import AccessUnit, Depacketizer, parameter_sets_from_fmtp
from psychopy_neon.wire.reorder import ReorderBuffer
from psychopy_neon.wire.rtcp import ReceiverReport, ReportBlock, SenderReport, SourceDescription, parse_compound
from psychopy_neon.wire.rtp import RtpPacket
from psychopy_neon.wire.sdp import Media

__all__ = ["Counts", "GazeLine", "MediaLine", "SceneLine", "TimedUnit"]

NS_PER_MS = 1_000_000
GAZE_WAIT_NS = 15 * NS_PER_MS
SCENE_WAIT_NS = 40 * NS_PER_MS
MAX_WAITING = 1000
"""Data that may wait for the first sender report: five seconds of gaze at 200 Hz."""
_SDES_CNAME = 1

Datum = TypeVar("Datum")


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


@dataclass(frozen=True, slots=True)
class TimedUnit:
    """A coded picture on its way to the decoder, already timed."""

    unit: AccessUnit
    device_ns: int
    host_ns: int
    bound_ns: int | None
    received_ns: int
    session: int


@dataclass(slots=True)
class _Source:
    """What a receiver report says of the sender (RFC 3550 section 6.4.1)."""

    own_ssrc: int = field(default_factory=lambda: random.getrandbits(32))
    last_sr: int = 0
    last_sr_at_ns: int = 0
    expected_before: int = 0
    received_before: int = 0
    lost_of_others: int = 0


class MediaLine(ABC, Generic[Datum]):
    """What gaze and scene have in common: packets in, timed data out.

    Parameters
    ----------
    media : Media
        From the session description: payload types, clock rate.
    clock_hz : int
    offsets : OffsetSource
        The device's clock.
    max_wait_ns : int
        How long a packet may wait for an earlier one.

    Notes
    -----
    Thread: one at a time; the session sees to that.
    """

    def __init__(self, media: Media, clock_hz: int, offsets: OffsetSource, max_wait_ns: int) -> None:
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
        self._clock_hz = clock_hz
        self._offsets = offsets
        self._times = SampleTimes(clock_hz, offsets)
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
            self._times = SampleTimes(self._clock_hz, self._offsets)
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
        """Whether a report has told what the ticks mean."""
        return self._times.media.is_ready

    def _time(self, ticks: int, datum: Datum, received_ns: int) -> None:
        if self._times.is_ready(received_ns):
            if self._untimed:
                self._release(received_ns)
            self._deliver(datum, ticks, received_ns)
            return
        if len(self._untimed) >= MAX_WAITING:
            self._untimed.popleft()
            self.dropped += 1
        self._untimed.append((ticks, datum, received_ns))

    def _release(self, now_ns: int) -> None:
        """Deliver what has waited for a report, or for the echo that tells what a report means."""
        while self._untimed and self._times.is_ready(now_ns):
            ticks, datum, received_ns = self._untimed.popleft()
            self._deliver(datum, ticks, received_ns)

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
    def _deliver(self, datum: Datum, ticks: int, received_ns: int) -> None: ...


class GazeLine(MediaLine[GazeDatum]):
    """RTP datagrams to gaze samples."""

    def __init__(self, media: Media, clock_hz: int, offsets: OffsetSource, sink: Callable[[GazeSample], None]) -> None:
        super().__init__(media, clock_hz, offsets, GAZE_WAIT_NS)
        self._sink = sink

    def _unpack(self, packet: RtpPacket, received_ns: int) -> None:
        try:
            datum = parse_gaze(packet.payload, packet.timestamp, packet.sequence)
        except RemoteProtocolError:
            self.malformed += 1
            return
        self._time(packet.timestamp, datum, received_ns)

    def _deliver(self, datum: GazeDatum, ticks: int, received_ns: int) -> None:
        device_ns, host_ns, bound_ns = self._times.at(ticks, received_ns)
        _, sequence, x, y, worn, left, right = datum
        values = (device_ns, host_ns, bound_ns, x, y, worn, left, right, sequence, received_ns)
        self._sink(tuple.__new__(GazeSample, values))  # as in wire.rtp


class SceneLine(MediaLine[AccessUnit]):
    """RTP datagrams to coded pictures for the decoder."""

    def __init__(
        self,
        media: Media,
        clock_hz: int,
        offsets: OffsetSource,
        session: int,
        sink: Callable[[TimedUnit], None],
    ) -> None:
        super().__init__(media, clock_hz, offsets, SCENE_WAIT_NS)
        self._session = session
        self._sink = sink
        self._depacketizer = Depacketizer()
        self._previous_ns = 0
        for fmtp in media.fmtp.values():
            self._depacketizer.set_parameter_sets(*parameter_sets_from_fmtp(fmtp))

    @property
    def counts(self) -> Counts:
        counts = super().counts
        counts.malformed += self._depacketizer.malformed + self._depacketizer.skipped
        return counts

    def _unpack(self, packet: RtpPacket, received_ns: int) -> None:
        for unit in self._depacketizer.add(packet):
            # A picture that only the next one's first packet completed was there before that packet.
            arrived_ns = received_ns if unit.last_sequence == packet.sequence else self._previous_ns
            self._time(unit.ticks, unit, arrived_ns)
        self._previous_ns = received_ns

    def _deliver(self, datum: AccessUnit, ticks: int, received_ns: int) -> None:
        self._sink(TimedUnit(datum, *self._times.at(ticks, received_ns), received_ns, self._session))

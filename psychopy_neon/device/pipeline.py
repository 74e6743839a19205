"""The line that every datum runs along; read this first.

::

    bytes -> RtpPacket -> in order -> GazeDatum  -> device ns -> host ns -> GazeSample -> the user's Stream
             wire.rtp     wire.reorder wire.gaze    media_clock   offset
                                    -> AccessUnit -> device ns -> decoder thread (video.py) -> SceneFrame -> Stream
                                    -> ImuDatum, EyeEventDatum (with device ns) -> host ns -> ImuSample, EyeEvent

One line lives as long as one RTSP session: sequence numbers, tick origins and half-finished pictures of an old
session mean nothing in a new one. A line owns no socket and no thread; the session in ``rtsp_link.py`` feeds it.
Nothing here raises for what a device sent: it is counted. What the lines have in common is in ``media_line.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psychopy_neon.device.media_line import Counts, MediaLine
from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.samples import EyeEvent, EyeEventDatum, GazeDatum, GazeSample, ImuDatum, ImuSample
from psychopy_neon.timing.device_times import DeviceTimes
from psychopy_neon.timing.sample_times import OffsetSource, SampleTimes
from psychopy_neon.wire.eye_events import parse_eye_event
from psychopy_neon.wire.gaze import parse_gaze
from psychopy_neon.wire.h264 import AccessUnit, Depacketizer, parameter_sets_from_fmtp
from psychopy_neon.wire.imu import parse_imu
from psychopy_neon.wire.rtp import RtpPacket
from psychopy_neon.wire.sdp import Media

__all__ = ["EyeEventLine", "GazeLine", "ImuLine", "SceneLine", "TimedUnit"]

NS_PER_MS = 1_000_000
DATA_WAIT_NS = 15 * NS_PER_MS
SCENE_WAIT_NS = 40 * NS_PER_MS
IMU_DISORDER_NS = 5 * NS_PER_MS
EVENT_DISORDER_NS = 1000 * NS_PER_MS
"""Detectors of different kinds take their time: the end of a blink may be told long after a later fixation began."""
EVENT_QUIET_NS = 15_000 * NS_PER_MS
"""Phones send a keep-alive every few seconds; the maker's own client waits for ten."""
# As in wire.rtp: what a named tuple's own constructor calls.
_new = tuple.__new__


@dataclass(frozen=True, slots=True)
class TimedUnit:
    """A coded picture on its way to the decoder, already timed."""

    unit: AccessUnit
    device_ns: int
    host_ns: int
    bound_ns: int | None
    received_ns: int
    session: int


class GazeLine(MediaLine[GazeDatum, SampleTimes]):
    """RTP datagrams to gaze samples."""

    def __init__(self, media: Media, clock_hz: int, offsets: OffsetSource, sink: Callable[[GazeSample], None]) -> None:
        super().__init__(media, offsets, lambda: SampleTimes(clock_hz, offsets), DATA_WAIT_NS)
        self._sink = sink

    def _unpack(self, packet: RtpPacket, received_ns: int) -> None:
        try:
            datum = parse_gaze(packet.payload, packet.timestamp, packet.sequence)
        except RemoteProtocolError:
            self.malformed += 1
            return
        self._time(packet.timestamp, datum, received_ns)

    def _deliver(self, datum: GazeDatum, stamp: int, received_ns: int) -> None:
        device_ns, host_ns, bound_ns = self._times.at(stamp, received_ns)
        _, sequence, x, y, worn, left, right = datum
        values = (device_ns, host_ns, bound_ns, x, y, worn, left, right, sequence, received_ns)
        self._sink(_new(GazeSample, values))


class SceneLine(MediaLine[AccessUnit, SampleTimes]):
    """RTP datagrams to coded pictures for the decoder."""

    def __init__(
        self,
        media: Media,
        clock_hz: int,
        offsets: OffsetSource,
        session: int,
        sink: Callable[[TimedUnit], None],
    ) -> None:
        super().__init__(media, offsets, lambda: SampleTimes(clock_hz, offsets), SCENE_WAIT_NS)
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

    def _deliver(self, datum: AccessUnit, stamp: int, received_ns: int) -> None:
        self._sink(TimedUnit(datum, *self._times.at(stamp, received_ns), received_ns, self._session))


class ImuLine(MediaLine[ImuDatum, DeviceTimes]):
    """RTP datagrams to samples of the inertial sensor."""

    def __init__(self, media: Media, clock_hz: int, offsets: OffsetSource, sink: Callable[[ImuSample], None]) -> None:
        super().__init__(media, offsets, lambda: DeviceTimes(clock_hz, offsets, IMU_DISORDER_NS), DATA_WAIT_NS)
        self._sink = sink

    def _unpack(self, packet: RtpPacket, received_ns: int) -> None:
        try:
            datum = parse_imu(packet.payload, packet.sequence)
        except RemoteProtocolError:
            self.malformed += 1
            return
        device_ns = datum.device_ns
        if not device_ns:  # left out: of no use to anybody
            self.malformed += 1
            return
        self._times.add(device_ns, received_ns)
        self._time(device_ns, datum, received_ns)

    def _deliver(self, datum: ImuDatum, stamp: int, received_ns: int) -> None:
        host_ns, bound_ns = self._times.at(stamp, received_ns)
        _, sequence, gyro, accel, quaternion = datum
        self._sink(_new(ImuSample, (stamp, host_ns, bound_ns, gyro, accel, quaternion, sequence, received_ns)))


class EyeEventLine(MediaLine[EyeEventDatum, DeviceTimes]):
    """RTP datagrams to eye events."""

    quiet_ns = EVENT_QUIET_NS

    def __init__(self, media: Media, clock_hz: int, offsets: OffsetSource, sink: Callable[[EyeEvent], None]) -> None:
        super().__init__(media, offsets, lambda: DeviceTimes(clock_hz, offsets, EVENT_DISORDER_NS), DATA_WAIT_NS)
        self._sink = sink

    def _unpack(self, packet: RtpPacket, received_ns: int) -> None:
        try:
            datum = parse_eye_event(packet.payload, packet.sequence)
        except RemoteProtocolError:
            self.malformed += 1
            return
        if datum is None:  # a keep-alive has done its duty by having come
            return
        last_ns = datum.start_ns if datum.end_ns is None else datum.end_ns
        self._times.add(last_ns, received_ns)
        self._time(last_ns, datum, received_ns)

    def _deliver(self, datum: EyeEventDatum, stamp: int, received_ns: int) -> None:
        kind, start_ns, end_ns, motion, sequence = datum
        host_ns, bound_ns = self._times.at(stamp, received_ns)
        start_host_ns, end_host_ns = host_ns, None
        if end_ns is not None:
            start_host_ns, start_bound_ns = self._times.before(start_ns, stamp, host_ns)
            end_host_ns = host_ns
            if bound_ns is not None and start_bound_ns is not None:
                bound_ns = max(bound_ns, start_bound_ns)
        self._sink(
            EyeEvent(kind, start_ns, end_ns, start_host_ns, end_host_ns, bound_ns, motion, sequence, received_ns)
        )

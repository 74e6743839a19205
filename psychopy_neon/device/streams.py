"""The streams of one device, put together: sensor, RTSP session, line, ring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from psychopy_neon.device.buffers import Ring
from psychopy_neon.device.clock import DeviceClock
from psychopy_neon.device.media_line import MediaLine
from psychopy_neon.device.pipeline import EyeEventLine, GazeLine, ImuLine, SceneLine
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.status_feed import StatusBoard
from psychopy_neon.device.stream import Stream, StreamSource, Timed
from psychopy_neon.device.stream_worker import StreamWorker
from psychopy_neon.device.transport import Peer
from psychopy_neon.device.video import SceneDecoder, SceneSource
from psychopy_neon.device.worker import Crew
from psychopy_neon.samples import EyeEvent, GazeSample, ImuSample, SceneFrame
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.timing.sample_times import OffsetSource
from psychopy_neon.wire.rtsp_session import MediaKind
from psychopy_neon.wire.sdp import Media
from psychopy_neon.wire.status import Sensor, parse_status

__all__ = ["StreamMaker"]

GAZE_KEPT = 8192
"""40 s at 200 Hz."""
IMU_KEPT = 4096
"""37 s at 110 Hz."""
EYE_EVENTS_KEPT = 1024
"""Minutes: there are five to ten a second."""
SCENE_KEPT = 10
GAZE_MAX_AGE_S = IMU_MAX_AGE_S = 0.25
SCENE_MAX_AGE_S = 0.5
REST_LIMIT_S = 2.0
_NO_IMU = "a Pupil Invisible does not stream it; with a Neon, is the app in front?"
_NO_EYE_EVENTS = (
    "a Pupil Invisible has none; with a Neon, is the computing of fixations switched on in the app's settings?"
)

Item = TypeVar("Item", bound=Timed)
DataLine: TypeAlias = Callable[[Media, int, OffsetSource, Callable[[Item], None]], MediaLine[Any, Any]]


class StreamMaker:
    """Makes the streams of a device, each with a worker that runs once the stream is used.

    A sensor that is not there, or stops, only concerns its own stream: its health tells why, and it is tried again.
    """

    def __init__(self, peer: Peer, crew: Crew, host_clock: HostClock, clock: DeviceClock, board: StatusBoard) -> None:
        self.workers: list[StreamWorker] = []
        """Of all streams, for when something was heard of the device last."""
        self._peer = peer
        self._crew = crew
        self._host_clock = host_clock
        self._clock = clock
        self._board = board
        # Its own: a worker that asks must not wait for what a user asks.
        self._rest = RestClient(peer, REST_LIMIT_S)

    def gaze(self) -> Stream[GazeSample]:
        """Gaze."""
        ring: Ring[GazeSample] = Ring(GAZE_KEPT)
        worker = self._data_worker("gaze", GazeLine, ring, is_pumped=True)
        return self._stream("gaze", ring, worker, GAZE_MAX_AGE_S)

    def imu(self) -> Stream[ImuSample]:
        """The inertial sensor."""
        ring: Ring[ImuSample] = Ring(IMU_KEPT)
        worker = self._data_worker("imu", ImuLine, ring, is_pumped=True, absence=_NO_IMU)
        return self._stream("imu", ring, worker, IMU_MAX_AGE_S)

    def eye_events(self) -> Stream[EyeEvent]:
        """Eye events; so few that their own thread may read each as it comes."""
        ring: Ring[EyeEvent] = Ring(EYE_EVENTS_KEPT)
        worker = self._data_worker("eye_events", EyeEventLine, ring, absence=_NO_EYE_EVENTS)
        return self._stream("eye_events", ring, worker, None)

    def scene(self) -> Stream[SceneFrame]:
        """Scene video."""
        ring: Ring[SceneFrame] = Ring(SCENE_KEPT)
        decoder = SceneDecoder(ring.add)

        def make_line(session: int, media: Media, clock_hz: int) -> MediaLine[Any, Any]:
            return SceneLine(media, clock_hz, self._clock, session, decoder.put)

        worker = self._worker("world", "video", make_line)
        return self._stream("scene", ring, SceneSource(worker, decoder, self._crew), SCENE_MAX_AGE_S)

    def close(self) -> None:
        """Let go of the connection; the workers are the crew's."""
        self._rest.close()

    def _data_worker(self, sensor: str, line: DataLine[Item], ring: Ring[Item], **options: Any) -> StreamWorker:
        def make_line(_session: int, media: Media, clock_hz: int) -> MediaLine[Any, Any]:
            return line(media, clock_hz, self._clock, ring.add)

        return self._worker(sensor, "application", make_line, **options)

    def _worker(
        self, sensor: str, kind: MediaKind, make_line: Callable[[int, Media, int], MediaLine[Any, Any]], **options: Any
    ) -> StreamWorker:
        def read_sensor(fresh: bool) -> Sensor | None:
            return self._sensor(sensor, fresh)

        worker = StreamWorker(sensor, kind, self._peer, self._crew, self._host_clock, read_sensor, make_line, **options)
        self.workers.append(worker)
        return worker

    def _stream(self, name: str, ring: Ring[Item], source: StreamSource, max_age_s: float | None) -> Stream[Item]:
        return Stream(name, ring, source, self._host_clock, max_age_s, lambda: self._clock.trouble)

    def _sensor(self, name: str, fresh: bool) -> Sensor | None:
        """The entry of a sensor; ``fresh`` asks the device first, since the port may be another after a restart."""
        if fresh:
            self._board.replace(parse_status(self._rest.get("/api/status")))
        return self._board.status.sensor(name)

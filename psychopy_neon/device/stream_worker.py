"""Keeps one stream running: opens sessions, one after the other, and writes down the gaps between them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from psychopy_neon.device.media_line import Counts, MediaLine
from psychopy_neon.device.rtsp_link import RtspLink
from psychopy_neon.device.transport import Peer
from psychopy_neon.device.worker import Crew, StopSignal
from psychopy_neon.errors import NeonError
from psychopy_neon.samples import Gap
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.wire.rtsp_session import MediaKind
from psychopy_neon.wire.sdp import Media
from psychopy_neon.wire.status import Sensor

__all__ = ["StreamWorker"]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
MAX_GAPS = 1000


class StreamWorker:
    """The source of one stream.

    Parameters
    ----------
    sensor_name : str
        As the device calls it: ``gaze``, ``world``, ``imu``, ``eye_events``.
    media_kind : MediaKind
    peer : Peer
        Resolved; every connection goes there, whatever address the device reports.
    read_sensor : callable
        ``read_sensor(fresh)`` gives the sensor's entry of the status, None if there is none; ``fresh`` asks the device
        before.
    make_line : callable
        ``make_line(session, media, clock_hz)`` for each session.
    is_pumped : bool
        See :class:`.rtsp_link.RtspLink`.
    absence : str
        What to look at when the device does not have this stream.
    """

    def __init__(
        self,
        sensor_name: str,
        media_kind: MediaKind,
        peer: Peer,
        crew: Crew,
        host_clock: HostClock,
        read_sensor: Callable[[bool], Sensor | None],
        make_line: Callable[[int, Media, int], MediaLine[Any, Any]],
        is_pumped: bool = False,
        absence: str = "is the sensor connected and the app in front?",
    ) -> None:
        self._sensor_name = sensor_name
        self._kind = media_kind
        self._peer = peer
        self._crew = crew
        self._host_clock = host_clock
        self._read_sensor = read_sensor
        self._make_line = make_line
        self._is_pumped = is_pumped
        self._absence = absence
        self._link: RtspLink | None = None
        self._lock = threading.Lock()
        self._is_open = False  # set under _lock, never unset
        self._past = Counts()
        self._line: MediaLine[Any, Any] | None = None
        self._gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self._gap: Gap | None = None
        self._sessions = 0
        self._last_packet_ns: int | None = None

    # What the Stream asks

    def open(self) -> None:
        """Start the worker unless it runs."""
        self._crew.check()
        if self._is_open:
            return
        with self._lock:
            if not self._is_open:
                self._crew.start(self._sensor_name, self.run)
                self._is_open = True

    def pump(self) -> None:
        """Read the packets that are there, if that is left to whoever wants them; never waits."""
        link = self._link
        if link is not None:
            link.pump()

    def pump_one(self, timeout_s: float) -> bool:
        """Wait for a packet and read that one; False, at once, when that is not how data come."""
        link = self._link
        return link is not None and link.pump_one(timeout_s)

    @property
    def counts(self) -> Counts:
        """Packets of all sessions."""
        line = self._line
        return self._past + line.counts if line is not None else self._past

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Holes between sessions, the newest thousand; one that lasts has no end yet."""
        gap, finished = self._gap, tuple(self._gaps)
        return finished if gap is None else (*finished, gap)

    @property
    def last_packet_ns(self) -> int | None:
        """Host clock of the newest packet."""
        line = self._line
        return line.last_packet_ns if line is not None and line.last_packet_ns else self._last_packet_ns

    # The worker

    def run(self, stop: StopSignal) -> None:
        """Open sessions until told to stop."""
        pause_s, is_first = FIRST_PAUSE_S, True
        while not stop.is_set:
            opened_ns = self._host_clock.now_ns()
            cause = self._one_session(stop, fresh=not is_first)
            is_first = False
            if stop.is_set:
                return
            had_packets = self._end_session(cause, opened_ns)
            pause_s = FIRST_PAUSE_S if had_packets else min(pause_s * 2, LONGEST_PAUSE_S)
            stop.wait(pause_s)

    def _one_session(self, stop: StopSignal, fresh: bool) -> str:
        """Run one session; why it ended."""
        try:
            sensor = self._read_sensor(fresh)
            if sensor is None or not sensor.connected or not sensor.port:
                return f"the device has no {self._sensor_name} stream now: {self._absence}"
            url = sensor.url(self._peer.url_host)
            now_ns = self._host_clock.now_ns
            self._link = link = RtspLink(
                self._peer.ip, sensor.port, url, self._kind, self._begin_line, now_ns, self._is_pumped
            )
            return link.run(stop)
        except NeonError as error:
            return str(error)

    def _begin_line(self, media: Media, clock_hz: int) -> MediaLine[Any, Any]:
        self._sessions += 1
        self._line = line = self._make_line(self._sessions, media, clock_hz)
        line.on_first_packet = self._close_gap
        return line

    def _close_gap(self, received_ns: int) -> None:
        gap, self._gap = self._gap, None
        if gap is not None:
            self._gaps.append(Gap(gap.start_ns, received_ns, gap.cause))

    def _end_session(self, cause: str, opened_ns: int) -> bool:
        """Book what the session counted and begin a gap; whether there were packets."""
        line, self._line = self._line, None
        last_ns = line.last_packet_ns if line is not None else None
        if line is not None:
            self._past = self._past + line.counts
        if last_ns is not None:
            self._last_packet_ns = last_ns
        if self._gap is None:
            self._gap = Gap(last_ns if last_ns is not None else opened_ns, None, cause)
        return last_ns is not None

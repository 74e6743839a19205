"""The device's clock against this computer's: asks by time echo, on a connection and in a thread of its own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from psychopy_neon.device.transport import connect_tcp
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import ClockNotReadyError, LinkError, NeonError, NeonTimeoutError, RemoteProtocolError
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.timing.offset import ClockOffset, Exchange, OffsetEstimator, Rounding
from psychopy_neon.timing.pace import QUICK_COUNT, pause_s
from psychopy_neon.timing.track import ClockSegment, ClockTrack
from psychopy_neon.wire.echo import REPLY_BYTES, encode_request, parse_reply

__all__ = ["DeviceClock", "EchoFeed"]

CONNECT_LIMIT_S = 2.0
REPLY_LIMIT_NS = 1_000_000_000
RETRY_S = 0.5
EXCHANGES_KEPT = 4096
READY_BOUND_NS = 2_000_000


class DeviceClock:
    """What is known about the device's clock; both directions of every conversion.

    Parameters
    ----------
    rounding : {"floor", "any"}
        What the phone does to get the whole milliseconds of its time echo.
    host_clock : HostClock, optional
        Tests inject another.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, rounding: Rounding = "floor", host_clock: HostClock | None = None) -> None:
        self._host_clock = host_clock or HostClock()
        self._lock = threading.Lock()
        self._estimator = OffsetEstimator(rounding)  # guarded by _lock
        self._track = ClockTrack()  # guarded by _lock
        self._exchanges: deque[Exchange] = deque(maxlen=EXCHANGES_KEPT)  # guarded by _lock
        self._is_ready = threading.Event()
        self.newest: ClockOffset | None = None
        """The offset, None before the first echoes."""
        self.settled_ns: int | None = None
        """Host clock up to which every step of the device's clock is known."""
        self.trouble: str | None = "no time echo has been answered yet"
        """Why there is no echo now; None while there is."""

    @property
    def offset(self) -> ClockOffset:
        """The offset (device minus host) and its bound, as of the newest echo.

        Raises
        ------
        ClockNotReadyError
            Before the first echoes; says why there were none.
        """
        newest = self.newest
        if newest is None:
            raise self._not_ready()
        return newest

    @property
    def history(self) -> tuple[ClockSegment, ...]:
        """What was known in the course of time, by segments between steps of the device's clock, oldest first."""
        with self._lock:
            return tuple(replace(each, offsets=list(each.offsets)) for each in self._track.segments)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The newest echoes, oldest first."""
        with self._lock:
            return tuple(self._exchanges)

    @property
    def outliers(self) -> int:
        """Echoes that could not be true."""
        return self._estimator.outliers

    @property
    def rate_changes(self) -> int:
        """How often the device's clock was found to run at another rate than before."""
        return self._estimator.rate_changes

    def host_ns(self, device_ns: int, near_host_ns: int | None = None) -> int:
        """Host clock of a device time.

        After a backward step of the device's clock a device time has happened twice: the one nearest to
        ``near_host_ns`` is meant, by default the newest.

        Raises
        ------
        ClockNotReadyError
        """
        with self._known() as track:
            return track.host_ns(device_ns, near_host_ns)

    def device_ns(self, host_ns: int) -> int:
        """Device clock, Unix ns, of a host time; inverse of :meth:`host_ns` within a segment."""
        with self._known() as track:
            return track.device_ns(host_ns)

    def offset_at(self, host_ns: int) -> ClockOffset:
        """Offset and bound at a host time, by the segment that it lies in.

        Raises
        ------
        ClockNotReadyError
        """
        with self._known() as track:
            return track.offset_at(host_ns)

    def segment_of(self, device_ns: int, seen_ns: int) -> int:
        """Number of the segment that a device time belongs to which was read shortly before ``seen_ns``."""
        with self._known() as track:
            return track.segment_of(device_ns, seen_ns).segment

    def last_offset(self, segment: int) -> ClockOffset:
        """The newest that is known of a segment."""
        with self._known() as track:
            return track.segments[segment].offsets[-1]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history as JSON, with one instant on the host and on the wall clock (Unix ns) for people.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        host_ns, wall_ns = self._host_clock.wall_bracket_ns()
        content = {"host_ns": host_ns, "wall_ns": wall_ns, "segments": [asdict(each) for each in self.history]}
        Path(path).write_text(json.dumps(content) + "\n", encoding="utf-8")

    def wait(self, timeout_s: float) -> bool:
        """True as soon as an offset is known to 2 ms, or as well as some quick echoes tell; at the latest after
        ``timeout_s``.
        """
        return self._is_ready.wait(timeout_s)

    def add(self, exchange: Exchange) -> float:
        """Take an echo; the pause in seconds from its sending to that of the next."""
        with self._lock:
            self._exchanges.append(exchange)
            newest = self._estimator.add(exchange)
            if newest is not None and not self._estimator.is_doubtful:
                self._track.add(newest, self._estimator.began_ns)
                self.settled_ns = self._estimator.settled_ns
            self.newest, self.trouble = newest, None
            pause = pause_s(newest, self._estimator.is_doubtful)
        if newest is not None and (newest.bound_ns <= READY_BOUND_NS or newest.exchanges >= QUICK_COUNT):
            self._is_ready.set()
        return pause

    def report_trouble(self, text: str) -> None:
        """Why there is no echo, for whoever asks for the offset."""
        self.trouble = text

    @contextlib.contextmanager
    def _known(self) -> Iterator[ClockTrack]:
        """The track, locked, with something in it."""
        with self._lock:
            if not self._track.segments:
                raise self._not_ready()
            yield self._track

    def _not_ready(self) -> ClockNotReadyError:
        return ClockNotReadyError(
            f"the offset of the device's clock is not known: {self.trouble or 'too few echoes so far'}. "
            'Wait a second, or let the device stamp (at_ns="arrival")'
        )


class EchoFeed:
    """The worker that keeps a :class:`DeviceClock` fresh.

    Parameters
    ----------
    ip : str
        Numeric address of the device.
    port : callable
        The echo port from the newest status; None when the device has none.
    """

    def __init__(self, ip: str, port: Callable[[], int | None], clock: DeviceClock, host_clock: HostClock) -> None:
        self._ip = ip
        self._port = port
        self._clock = clock
        self._host_clock = host_clock

    def run(self, stop: StopSignal) -> None:
        """Ask until told to stop; every failure is followed by another try."""
        while not stop.is_set:
            port = self._port()
            if port is None:
                self._clock.report_trouble("the device offers no time echo (is the Companion app up to date?)")
            else:
                try:
                    self._ask(port, stop)
                except NeonError as error:
                    self._clock.report_trouble(str(error))
            stop.wait(RETRY_S)

    def _ask(self, port: int, stop: StopSignal) -> None:
        with (
            connect_tcp(self._ip, port, CONNECT_LIMIT_S, stop) as sock,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(sock, selectors.EVENT_READ)
            selector.register(stop.socket, selectors.EVENT_READ)
            # Sent back unchanged. By the protocol it is the wall clock; here that marks the first, the others count on.
            number = self._host_clock.wall_bracket_ns()[1] // 1_000_000
            while not stop.is_set:
                number += 1
                try:
                    exchange = self._exchange(number, sock, selector, stop)
                except NeonError:  # NeonTimeoutError is an OSError too
                    raise
                except OSError as error:
                    raise LinkError(f"{self._ip}:{port}", f"the time echo was cut ({error})") from error
                if exchange is None:
                    return
                # The first exchange of a connection pays for the device's waking up: its wide interval does no harm.
                pause = self._clock.add(exchange)
                stop.wait(pause - (self._host_clock.now_ns() - exchange.sent_ns) / 1e9)

    def _exchange(
        self, number: int, sock: socket.socket, selector: selectors.BaseSelector, stop: StopSignal
    ) -> Exchange | None:
        """One echo; None when told to stop."""
        now_ns = self._host_clock.now_ns
        reply, request = b"", encode_request(number)
        sent_ns = now_ns()
        sock.send(request)
        while len(reply) < REPLY_BYTES:
            left_ns = sent_ns + REPLY_LIMIT_NS - now_ns()
            if left_ns <= 0:
                raise NeonTimeoutError("time echo", REPLY_LIMIT_NS / 1e9)
            selector.select(left_ns / 1e9)
            received_ns = now_ns()
            if stop.is_set:
                return None
            try:
                data = sock.recv(REPLY_BYTES - len(reply))
            except BlockingIOError:
                continue
            if not data:
                raise LinkError(self._ip, "the device closed the time echo connection")
            reply += data
        echo = parse_reply(reply)
        if echo.client_ms != number:
            raise RemoteProtocolError("time echo", f"answers {echo.client_ms} instead of {number}", reply)
        return Exchange(sent_ns, received_ns, echo.device_ms)

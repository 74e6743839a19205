"""The device's clock against this computer's: asks by time echo, on a connection and in a thread of its own."""

from __future__ import annotations

import selectors
import threading
from collections.abc import Callable

from psychopy_neon.device.transport import connect_tcp
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import ClockNotReadyError, LinkError, NeonError, NeonTimeoutError, RemoteProtocolError
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.timing.offset import ClockOffset, Exchange, OffsetEstimator
from psychopy_neon.wire.echo import REPLY_BYTES, encode_request, parse_reply

__all__ = ["DeviceClock", "EchoFeed"]

CONNECT_LIMIT_S = 2.0
REPLY_LIMIT_NS = 1_000_000_000
QUICK_COUNT = 10
CALM_COUNT = 4
IN_BURST_S = 0.02
BETWEEN_BURSTS_S = 2.0
RETRY_S = 1.0


class DeviceClock:
    """What is known about the device's clock; both directions of every conversion.

    Notes
    -----
    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._estimator = OffsetEstimator()  # guarded by _lock
        self._is_ready = threading.Event()
        self.newest: ClockOffset | None = None
        """The offset, None before the first echo."""
        self._trouble = "no time echo has been answered yet"

    @property
    def offset(self) -> ClockOffset:
        """The offset (device minus host) and its bound, as of the newest echo.

        Raises
        ------
        ClockNotReadyError
            Before the first echo; says why there was none.
        """
        newest = self.newest
        if newest is None:
            raise ClockNotReadyError(
                f"the offset of the device's clock is not known: {self._trouble}. "
                'Wait a second, or let the device stamp (at_ns="arrival")'
            )
        return newest

    @property
    def history(self) -> tuple[ClockOffset, ...]:
        """The last offset of every segment between steps of the device's clock, oldest first."""
        with self._lock:
            return self._estimator.history

    def host_ns(self, device_ns: int, near_host_ns: int | None = None) -> int:
        """Host clock of a device time.

        After a backward step of the device's clock a device time has happened twice: the one nearest to
        ``near_host_ns`` is meant, by default the newest.
        """
        newest = self.offset
        if near_host_ns is None:
            return newest.host_ns(device_ns)
        candidates = [offset.host_ns(device_ns) for offset in reversed(self.history)]
        return min(candidates, key=lambda host_ns: abs(host_ns - near_host_ns))

    def device_ns(self, host_ns: int) -> int:
        """Device clock, Unix ns, of a host time; by the newest offset."""
        return self.offset.device_ns(host_ns)

    def wait(self, timeout_s: float) -> bool:
        """True as soon as an offset is known, at the latest after ``timeout_s``."""
        return self._is_ready.wait(timeout_s)

    def add(self, exchange: Exchange) -> None:
        """Take an echo."""
        with self._lock:
            self.newest = self._estimator.add(exchange)
        self._is_ready.set()

    def report_trouble(self, text: str) -> None:
        """Why there is no echo, for the error that :attr:`offset` raises."""
        self._trouble = text


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
            left = QUICK_COUNT
            while not stop.is_set:
                try:
                    exchange = self._exchange(sock.send, sock.recv, selector, stop)
                except NeonError:  # NeonTimeoutError is an OSError too
                    raise
                except OSError as error:
                    raise LinkError(f"{self._ip}:{port}", f"the time echo was cut ({error})") from error
                if exchange is None:
                    return
                # The first exchange of a connection pays for the device's waking up: its wide interval does no harm.
                self._clock.add(exchange)
                left -= 1
                if left == 0:
                    left = CALM_COUNT
                    stop.wait(BETWEEN_BURSTS_S)
                else:
                    stop.wait(IN_BURST_S)

    def _exchange(
        self,
        send: Callable[[bytes], int],
        recv: Callable[[int], bytes],
        selector: selectors.BaseSelector,
        stop: StopSignal,
    ) -> Exchange | None:
        """One echo; None when told to stop."""
        now_ns = self._host_clock.now_ns
        reply = b""
        # Sent back unchanged; it is the wall clock because the protocol says so, nothing is timed by it.
        number = self._host_clock.wall_bracket_ns()[1] // 1_000_000
        sent_ns = now_ns()
        send(encode_request(number))
        while len(reply) < REPLY_BYTES:
            left_ns = sent_ns + REPLY_LIMIT_NS - now_ns()
            if left_ns <= 0:
                raise NeonTimeoutError("time echo", REPLY_LIMIT_NS / 1e9)
            selector.select(left_ns / 1e9)
            received_ns = now_ns()
            if stop.is_set:
                return None
            try:
                data = recv(REPLY_BYTES - len(reply))
            except BlockingIOError:
                continue
            if not data:
                raise LinkError(self._ip, "the device closed the time echo connection")
            reply += data
        echo = parse_reply(reply)
        if echo.client_ms != number:
            raise RemoteProtocolError("time echo", f"answers {echo.client_ms} instead of {number}", reply)
        return Exchange(sent_ns, received_ns, echo.device_ms)

"""Keeps the device's status fresh: read once by REST, then kept by the websocket that pushes every change."""

from __future__ import annotations

import contextlib
import json
import selectors
import threading
from collections.abc import Callable

import websocket

from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.transport import connect_tcp
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import LinkError, NeonError
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.wire.status import DeviceEvent, DeviceStatus, parse_component, parse_status

__all__ = ["StatusBoard", "StatusFeed"]

CONNECT_LIMIT_S = 2.0
PING_EVERY_S = 0.5
SILENCE_LIMIT_NS = 5_000_000_000
"""Without even an answer to our pings the connection is dead, whatever TCP thinks."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 0.5
MAX_MESSAGE_BYTES = 1 << 20


class StatusBoard:
    """The newest status and whether anybody keeps it fresh.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, status: DeviceStatus, now_ns: int) -> None:
        self._lock = threading.Lock()
        self._status = status  # guarded by _lock
        self.heard_ns = now_ns
        """Host clock when the device last answered."""
        self.trouble: str | None = None
        """Why the device cannot be asked now; None while all is well."""

    @property
    def status(self) -> DeviceStatus:
        return self._status

    def replace(self, status: DeviceStatus) -> None:
        """A status read as a whole; what only the websocket tells is kept."""
        with self._lock:
            old = self._status
            if status.recording is None and old.recording is not None:
                status = status.updated(old.recording)
            self._status = status

    def apply(self, change: Callable[[DeviceStatus], DeviceStatus]) -> None:
        with self._lock:
            self._status = change(self._status)


class StatusFeed:
    """The worker behind a :class:`StatusBoard`.

    Parameters
    ----------
    rest : RestClient
        For this worker alone.
    """

    def __init__(self, rest: RestClient, board: StatusBoard, host_clock: HostClock) -> None:
        self._rest = rest
        self._board = board
        self._now_ns = host_clock.now_ns

    def run(self, stop: StopSignal) -> None:
        """Listen until told to stop; every broken connection is followed by another."""
        pause_s, is_first = FIRST_PAUSE_S, True
        while not stop.is_set:
            try:
                if not is_first:
                    self.read_whole()
                is_first = False
                self._listen(stop)
                pause_s = FIRST_PAUSE_S
            except (NeonError, websocket.WebSocketException, OSError) as error:
                is_first = False
                self._board.trouble = (
                    f"{type(error).__name__}: {error}" if not isinstance(error, NeonError) else str(error)
                )
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self._rest.close()

    def read_whole(self) -> DeviceStatus:
        """Read the whole status by REST.

        Raises
        ------
        LinkError, NeonTimeoutError, RequestRefusedError, RemoteProtocolError
        """
        status = parse_status(self._rest.get("/api/status"))
        self._board.replace(status)
        self._board.heard_ns = self._now_ns()
        self._board.trouble = None
        return status

    def _listen(self, stop: StopSignal) -> None:
        peer = self._rest.peer
        sock = connect_tcp(peer.ip, peer.port, CONNECT_LIMIT_S, stop)
        sock.settimeout(CONNECT_LIMIT_S)
        connection = websocket.create_connection(
            f"ws://{peer}/api/status", timeout=CONNECT_LIMIT_S, socket=sock, suppress_origin=True
        )
        with contextlib.closing(connection), selectors.DefaultSelector() as selector:
            connection.settimeout(PING_EVERY_S)
            selector.register(sock, selectors.EVENT_READ)
            selector.register(stop.socket, selectors.EVENT_READ)
            self._board.heard_ns = heard_ns = self._now_ns()
            self._board.trouble = None
            while not stop.is_set:
                if not selector.select(PING_EVERY_S):
                    if self._now_ns() - heard_ns > SILENCE_LIMIT_NS:
                        raise LinkError(str(peer), "the status connection fell silent")
                    connection.ping()
                if stop.is_set or not selector.select(0):
                    continue
                opcode, data = connection.recv_data(control_frame=True)
                self._board.heard_ns = heard_ns = self._now_ns()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    raise LinkError(str(peer), "the device closed the status connection")
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    self._take(data)

    def _take(self, data: bytes) -> None:
        component = None
        if len(data) <= MAX_MESSAGE_BYTES:
            with contextlib.suppress(ValueError, RecursionError):  # no JSON: counted as unknown
                component = parse_component(json.loads(data))
        if not isinstance(component, DeviceEvent):
            self._board.apply(lambda status: status.updated(component))

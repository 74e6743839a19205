"""Keeps the device's status fresh: read once by REST, then kept by the websocket that pushes every change."""

from __future__ import annotations

import contextlib
import dataclasses
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
from psychopy_neon.wire.status import DeviceEvent, DeviceStatus, Recording, parse_component, parse_status

__all__ = ["StatusBoard", "StatusFeed"]

CONNECT_LIMIT_S = 2.0
PING_EVERY_S = 1.0
SILENCE_LIMIT_NS = 5_000_000_000
"""Without even an answer to our pings the connection is dead, whatever TCP thinks."""
RETRY_S = 0.3
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

    def replace(self, status: DeviceStatus, knows_recording: bool = False) -> None:
        """A status read as a whole, which names a recording only while it runs; what the websocket told is kept.

        ``knows_recording``: nobody listened to the websocket, so a recording that is not named has stopped.
        """
        with self._lock:
            old = self._status.recording
            if status.recording is None and old is not None:
                has_stopped = knows_recording and old.action == "START"
                status = status.updated(dataclasses.replace(old, action="STOP") if has_stopped else old)
            self._status = status

    def apply(self, change: Callable[[DeviceStatus], DeviceStatus]) -> None:
        with self._lock:
            self._status = change(self._status)

    @property
    def recording_id(self) -> str | None:
        """The recording that runs; None: none does."""
        recording = self._status.recording
        return recording.id if recording is not None and recording.action == "START" else None

    def note_recording(self, recording_id: str | None, action: str) -> None:
        """What the device confirmed by REST, until its own message comes by websocket; None: the recording it was."""

        def change(status: DeviceStatus) -> DeviceStatus:
            known = status.recording.id if status.recording is not None else ""
            return status.updated(Recording(recording_id or known, action))

        self.apply(change)


class StatusFeed:
    """The worker behind a :class:`StatusBoard`.

    Parameters
    ----------
    rest : RestClient
        For this worker alone.
    on_event : callable
        Given every event that the device says to have taken, from whichever client; must not wait.
    """

    def __init__(
        self,
        rest: RestClient,
        board: StatusBoard,
        host_clock: HostClock,
        on_event: Callable[[DeviceEvent], object] = lambda _event: None,
    ) -> None:
        self._rest = rest
        self._on_event = on_event
        self._board = board
        self._now_ns = host_clock.now_ns

    def run(self, stop: StopSignal) -> None:
        """Listen until told to stop; every broken connection is followed by another."""
        is_first = True
        while not stop.is_set:
            try:
                if not is_first:
                    self.read_whole()
                self._listen(stop)
            except (NeonError, websocket.WebSocketException, OSError) as error:
                self._board.trouble = str(error).removeprefix(f"{self._rest.peer}: ") or type(error).__name__
            is_first = False
            stop.wait(RETRY_S)
        self._rest.close()

    def read_whole(self) -> DeviceStatus:
        """Read the whole status by REST.

        Raises
        ------
        LinkError, NeonTimeoutError, RequestRefusedError, RemoteProtocolError
        """
        status = parse_status(self._rest.get("/api/status"))
        self._board.replace(status, knows_recording=True)
        self._board.heard_ns = self._now_ns()
        self._board.trouble = None
        return status

    def _listen(self, stop: StopSignal) -> None:
        peer = self._rest.peer
        with connect_tcp(peer.ip, peer.port, CONNECT_LIMIT_S, stop) as sock, selectors.DefaultSelector() as selector:
            sock.settimeout(CONNECT_LIMIT_S)
            connection = websocket.create_connection(
                f"ws://{peer}/api/status", timeout=CONNECT_LIMIT_S, socket=sock, suppress_origin=True
            )
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
        if isinstance(component, DeviceEvent):
            self._on_event(component)
        else:
            self._board.apply(lambda status: status.updated(component))

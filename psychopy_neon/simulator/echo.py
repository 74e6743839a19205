"""The time echo server, on a network that is as bad as wanted."""

from __future__ import annotations

import asyncio
import dataclasses
import time

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.echo_paths import EchoPath
from psychopy_neon.simulator.listener import Listener
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.echo import REQUEST_BYTES, encode_reply, parse_request

__all__ = ["ECHO_MODES", "LATE_NS", "EchoServer"]

ECHO_MODES = ("normal", "silent", "late", "foreign", "short", "dribble", "closed")
"""``silent`` takes requests and does not answer, ``late`` answers after :data:`LATE_NS`, ``foreign`` with the number of
another request, ``short`` with 12 of 16 bytes, ``dribble`` byte by byte; ``closed`` cuts all connections and refuses
new ones."""
LATE_NS = 1_500_000_000
"""Longer than a client should wait; the reply comes all the same."""

_NS_PER_MS = 1_000_000
_CLOSE_S = 2.0
_SHORT_BYTES = 12
_DRIBBLE_S = 0.002
_U64 = 0xFFFF_FFFF_FFFF_FFFF


class EchoServer:
    """Answers with the phone's wall clock in whole milliseconds, and tells the truth of every exchange.

    Notes
    -----
    Thread: the event loop's only.
    """

    def __init__(self, clock: PhoneClock, truth: TruthLog, settings: SimulatorSettings) -> None:
        self._clock = clock
        self._truth = truth
        self._rounding_ns = _NS_PER_MS // 2 if settings.echo_rounding == "nearest" else 0
        spec = settings.echo_path
        spec = dataclasses.replace(spec, even_ms=spec.even_ms + settings.echo_jitter_ms)
        self._path = EchoPath(spec, settings.seed, time.perf_counter_ns())
        self._mode = "normal"
        self._is_cut = False
        self._listener = Listener(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._serve))
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> int:
        """Begin to serve and give the port; raises OSError when it is taken."""
        return await self._listener.open(host, port)

    async def close(self) -> None:
        """End all connections."""
        await self._listener.close()
        tasks = set(self._connections)
        self._drop()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)

    def set_mode(self, mode: str) -> None:
        """Answer like this from the next request on, see :data:`ECHO_MODES`.

        Raises
        ------
        ConfigurationError
            There is no such mode.
        LinkError
            The port, after ``closed``, cannot be had again.
        """
        if mode not in ECHO_MODES:
            raise ConfigurationError("mode", mode, f"one of {', '.join(ECHO_MODES)}")
        self._mode = mode
        self._open_or_shut()

    def cut(self) -> None:
        """End all connections and refuse new ones."""
        self._is_cut = True
        self._open_or_shut()

    def mend(self) -> None:
        """Accept connections again, if the mode does; raises LinkError when the port cannot be had."""
        self._is_cut = False
        self._open_or_shut()

    @property
    def _is_closed(self) -> bool:
        return self._is_cut or self._mode == "closed"

    def _open_or_shut(self) -> None:
        if self._is_closed:
            self._listener.shut()
            self._drop()
        else:
            self._listener.reopen()

    def _drop(self) -> None:
        for task in self._connections:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # A client may ask again whenever it likes, so waiting ends with the connection only. One that was accepted
            # just before the port was closed is ended here.
            while not self._is_closed:
                await self._answer(parse_request(await reader.readexactly(REQUEST_BYTES)), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or was dropped; asyncio itself complains of a cancelled handler
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, number: int, writer: asyncio.StreamWriter) -> None:
        mode, received_ns = self._mode, time.perf_counter_ns()
        await _sleep_until(received_ns + self._path.out_ns(received_ns))
        # Sleeping ends up to some milliseconds late, so what counts is when the clock is read, not when it was to be.
        host_ns = time.perf_counter_ns()
        device_ms = (self._clock.device_ns(host_ns) + self._rounding_ns) // _NS_PER_MS
        sent_ns = None
        try:
            await _sleep_until(host_ns + self._path.back_ns(host_ns) + (LATE_NS if mode == "late" else 0))
            # Before 1970 the phone's signed number is a very large one.
            reply = encode_reply(number ^ 1 if mode == "foreign" else number, device_ms & _U64)
            pieces = _pieces(reply, mode)
            for piece in pieces:
                sent_ns = time.perf_counter_ns()
                writer.write(piece)
                await writer.drain()
                if len(pieces) > 1:
                    await asyncio.sleep(_DRIBBLE_S)  # else they would be one segment
        finally:
            times = {"received_ns": received_ns, "host_ns": host_ns, "sent_ns": sent_ns}
            self._truth.add("echo", {"mode": mode, "number": number, "device_ms": device_ms, **times})


def _pieces(reply: bytes, mode: str) -> list[bytes]:
    if mode == "silent":
        return []
    if mode == "short":
        return [reply[:_SHORT_BYTES]]
    return [bytes((byte,)) for byte in reply] if mode == "dribble" else [reply]


async def _sleep_until(host_ns: int) -> None:
    while (rest_ns := host_ns - time.perf_counter_ns()) > 0:
        await asyncio.sleep(rest_ns / 1e9)

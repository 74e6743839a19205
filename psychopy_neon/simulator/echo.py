"""The time echo server."""

from __future__ import annotations

import asyncio
import random

from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.wire.echo import REQUEST_BYTES, encode_reply, parse_request

__all__ = ["EchoServer"]

_NS_PER_MS = 1_000_000
_CLOSE_S = 2.0


class EchoServer:
    """Answers with the phone's time, cut (not rounded) to whole milliseconds."""

    def __init__(self, clock: PhoneClock, settings: SimulatorSettings) -> None:
        self._clock = clock
        self._jitter_s = settings.echo_jitter_ms / 1e3
        self._random = random.Random(f"{settings.seed}/echo")
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self, host: str, port: int) -> int:
        """Begin to serve and give the port; raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        for writer in self._connections.values():
            writer.close()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            # A client may ask again whenever it likes, so waiting ends with the connection only.
            while True:
                client_ms = parse_request(await reader.readexactly(REQUEST_BYTES))
                await self._travel()
                device_ms = self._clock.now_ns() // _NS_PER_MS
                await self._travel()
                writer.write(encode_reply(client_ms, device_ms))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            del self._connections[task]
            writer.close()

    async def _travel(self) -> None:
        if self._jitter_s:
            await asyncio.sleep(self._random.uniform(0, self._jitter_s))

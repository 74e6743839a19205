"""A port that is listened at, and can be shut and opened again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from psychopy_neon.errors import LinkError

__all__ = ["Listener"]


class Listener:
    """Used by the event loop's thread only; connections that were made are the protocol's own affair."""

    def __init__(self, make_protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        self._make_protocol = make_protocol
        self._server: asyncio.Server | None = None
        self._family = socket.AF_INET
        self._address: tuple[str, int] = ("", 0)
        self._adopting: asyncio.Task[None] | None = None
        self._is_shut = False

    async def open(self, host: str, port: int) -> int:
        """Begin to listen and give the port; raises OSError when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(self._make_protocol, host, port)
        listening = self._server.sockets[0]
        self._family, self._address = listening.family, listening.getsockname()[:2]
        return self._address[1]

    def shut(self) -> None:
        """Refuse connections from now on; twice is fine."""
        self._is_shut = True
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def reopen(self) -> None:
        """Listen again at the same port; raises LinkError when it is taken by now."""
        if not self._is_shut:
            return
        try:
            # At once, so that whoever connects from now on is not refused, only served a moment later.
            listening = socket.create_server(self._address, family=self._family)
        except OSError as error:
            where = f"{self._address[0]}:{self._address[1]}"
            raise LinkError(where, f"cannot be used again ({error.strerror or error})") from error
        self._is_shut = False
        self._adopting = asyncio.get_running_loop().create_task(self._adopt(listening))

    async def close(self) -> None:
        """End for ever."""
        if self._adopting is not None:
            await self._adopting
        self.shut()

    async def _adopt(self, listening: socket.socket) -> None:
        server = await asyncio.get_running_loop().create_server(self._make_protocol, sock=listening)
        if self._is_shut:  # again, meanwhile
            server.close()
        else:
            self._server = server

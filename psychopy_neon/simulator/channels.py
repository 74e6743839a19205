"""The two ways of media to a client: UDP, and frames inside the RTSP connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from psychopy_neon.wire.rtsp import InterleavedFrame

__all__ = ["InterleavedChannel", "UdpChannel"]

_PAIR_TRIES = 50
_SEND_S = 0.2
_MAX_UNSENT_BYTES = 4 * 1024 * 1024


class UdpChannel:
    """A pair of UDP sockets, even port for RTP and the odd one after it for RTCP (RFC 3550 section 11).

    Nobody reads what clients send to them to open their firewalls: it stays in the sockets' buffers.

    Raises
    ------
    OSError
        No pair of ports is free.
    """

    name = "udp"

    def __init__(self, host: str, client: str, client_ports: tuple[int, int]) -> None:
        self._rtp, self._rtcp = _bound_pair(host)
        self._targets = tuple((client, port) for port in client_ports)

    @property
    def server_ports(self) -> tuple[int, int]:
        """The ports that packets come from."""
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    def send_rtp(self, data: bytes) -> None:
        self._rtp.sendto(data, self._targets[0])

    def send_rtcp(self, data: bytes) -> None:
        self._rtcp.sendto(data, self._targets[1])

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()


class InterleavedChannel:
    """Frames inside the RTSP connection; any thread may send."""

    name = "tcp"

    def __init__(self, writer: asyncio.StreamWriter, channels: tuple[int, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = writer.transport
        self._channels = channels
        self._is_closed = False

    def send_rtp(self, data: bytes) -> None:
        self._send(bytes(InterleavedFrame(self._channels[0], data)))

    def send_rtcp(self, data: bytes) -> None:
        self._send(bytes(InterleavedFrame(self._channels[1], data)))

    def close(self) -> None:
        self._is_closed = True

    def _send(self, frame: bytes) -> None:
        if self._is_closed or self._transport.is_closing():
            raise ConnectionResetError("the RTSP connection is closed")
        if self._transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            raise BlockingIOError("the client reads too slowly")
        with contextlib.suppress(RuntimeError):  # the loop has just been closed, and the connection with it
            self._loop.call_soon_threadsafe(self._write, frame)

    def _write(self, frame: bytes) -> None:
        if not self._is_closed and not self._transport.is_closing():
            self._transport.write(frame)


def _bound_pair(host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(_PAIR_TRIES):
        even, odd = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        try:
            even.bind((host, 0))
            port = even.getsockname()[1]
            if port % 2 == 0:
                odd.bind((host, port + 1))
                even.settimeout(_SEND_S)
                odd.settimeout(_SEND_S)
                return even, odd
        except (OSError, OverflowError):
            pass  # the neighbour is taken: another pair is tried, and the last failure is told below
        even.close()
        odd.close()
    raise OSError(f"no free pair of UDP ports at {host}")

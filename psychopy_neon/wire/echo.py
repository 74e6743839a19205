"""Time echo: eight bytes there, sixteen back, big-endian milliseconds since the Unix epoch; no framing.

::

    client -> device   the client's number
    device -> client   that number again, then the device's clock in ms
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from psychopy_neon.errors import RemoteProtocolError

__all__ = [
    "REPLY_BYTES",
    "REQUEST_BYTES",
    "EchoReply",
    "encode_reply",
    "encode_request",
    "parse_reply",
    "parse_request",
]

_REQUEST = struct.Struct("!Q")
_REPLY = struct.Struct("!QQ")
REQUEST_BYTES = _REQUEST.size
REPLY_BYTES = _REPLY.size


@dataclass(frozen=True, slots=True)
class EchoReply:
    """The number that was sent and the device's clock."""

    client_ms: int
    device_ms: int


def encode_request(client_ms: int) -> bytes:
    """The number is only sent back: it marks the reply, the exact time of sending is kept by the client."""
    return _REQUEST.pack(client_ms)


def parse_request(data: bytes) -> int:
    """Read a request of exactly eight bytes."""
    if len(data) != REQUEST_BYTES:
        raise RemoteProtocolError("time echo request", "not 8 bytes", data)
    (client_ms,) = _REQUEST.unpack(data)
    return int(client_ms)


def encode_reply(client_ms: int, device_ms: int) -> bytes:
    """Write a reply."""
    return _REPLY.pack(client_ms, device_ms)


def parse_reply(data: bytes) -> EchoReply:
    """Read a reply of exactly sixteen bytes."""
    if len(data) != REPLY_BYTES:
        raise RemoteProtocolError("time echo reply", "not 16 bytes", data)
    return EchoReply(*_REPLY.unpack(data))

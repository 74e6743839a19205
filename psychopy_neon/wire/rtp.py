"""RTP packets (RFC 3550 section 5.1).

::

    0                   1                   2                   3
    V=2 P X  CC  M  PT  |  sequence number
    timestamp
    SSRC
    CSRC ... (CC of them), extension header (if X), payload, padding (if P)
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["RtpPacket"]

_HEADER = struct.Struct("!BBHII")
_WHERE = "RTP packet"


class RtpPacket(NamedTuple):
    """One RTP packet; the payload is without padding and extension."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    """Profile word and data of the header extension."""

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Read one packet.

        Raises
        ------
        RemoteProtocolError
            Another version than 2, or lengths that do not fit the data.
        """
        if len(data) < _HEADER.size:
            raise RemoteProtocolError(_WHERE, "shorter than its 12-byte header", data)
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != 2:
            raise RemoteProtocolError(_WHERE, f"version {first >> 6} instead of 2", data)
        start, end = _HEADER.size, len(data)
        csrcs: tuple[int, ...] = ()
        extension = None
        # The usual packet of a Neon has neither CSRC, extension nor padding: one comparison for all three.
        if first & 0x3F:
            csrcs, extension, start, end = _optional_parts(data, first)
        payload = data[start:end]
        # As the constructor of a named tuple does it, without its call: this runs for every packet.
        return tuple.__new__(cls, (second & 0x7F, sequence, timestamp, ssrc, payload, second >= 0x80, csrcs, extension))

    def __bytes__(self) -> bytes:
        if len(self.csrcs) > 15:
            raise LocalProtocolError(f"an RTP packet carries at most 15 CSRCs, not {len(self.csrcs)}")
        first = 0x80 | (0x10 if self.extension else 0) | len(self.csrcs)
        second = (0x80 if self.marker else 0) | self.payload_type
        parts = [_HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)]
        parts += [csrc.to_bytes(4, "big") for csrc in self.csrcs]
        if self.extension:
            profile, words = self.extension
            if len(words) % 4:
                raise LocalProtocolError("an RTP header extension is a whole number of 4-byte words")
            parts += [struct.pack("!HH", profile, len(words) // 4), words]
        return b"".join([*parts, self.payload])


def _optional_parts(data: bytes, first: int) -> tuple[tuple[int, ...], tuple[int, bytes] | None, int, int]:
    """CSRCs, extension, and where the payload starts and ends."""
    start = _HEADER.size + 4 * (first & 0x0F)
    end = len(data)
    if start > end:
        raise RemoteProtocolError(_WHERE, "CSRC list is cut", data, _HEADER.size)
    csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, _HEADER.size)
    extension = None
    if first & 0x10:
        if start + 4 > end:
            raise RemoteProtocolError(_WHERE, "header extension is cut", data, start)
        profile, words = struct.unpack_from("!HH", data, start)
        body = start + 4
        start = body + 4 * words
        if start > end:
            raise RemoteProtocolError(_WHERE, "header extension is cut", data, body)
        extension = (profile, data[body:start])
    if first & 0x20:
        # The last byte counts the padding, itself included (RFC 3550 section 5.1).
        padding = data[-1]
        if not 0 < padding <= end - start:
            raise RemoteProtocolError(_WHERE, f"padding of {padding} bytes does not fit", data, end - 1)
        end -= padding
    return csrcs, extension, start, end

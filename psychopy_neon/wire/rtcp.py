"""RTCP packets (RFC 3550 section 6): SR, RR, SDES, BYE, and whatever else comes as bytes.

Every packet begins with ``V=2 P count | packet type | length in words minus one``; several packets stand one after
the other in a datagram (a compound).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "Goodbye",
    "ReceiverReport",
    "ReportBlock",
    "RtcpPacket",
    "SenderReport",
    "SourceDescription",
    "UnknownReport",
    "ntp_from_unix_ns",
    "parse_compound",
    "unix_ns_from_ntp",
]

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
CNAME = 1

_NTP_TO_UNIX_S = 2_208_988_800
_NS_PER_S = 1_000_000_000
_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IB3sIIII")


def unix_ns_from_ntp(ntp: int) -> int:
    """Unix time in ns of a 64-bit NTP time stamp (32 bits of seconds since 1900, 32 bits of fraction)."""
    seconds, fraction = ntp >> 32, ntp & 0xFFFFFFFF
    return (seconds - _NTP_TO_UNIX_S) * _NS_PER_S + ((fraction * _NS_PER_S + (1 << 31)) >> 32)


def ntp_from_unix_ns(unix_ns: int) -> int:
    """64-bit NTP time stamp of a Unix time in ns; its inverse gives the same ns back."""
    seconds, rest_ns = divmod(unix_ns, _NS_PER_S)
    return ((seconds + _NTP_TO_UNIX_S) << 32) + ((rest_ns << 32) + _NS_PER_S // 2) // _NS_PER_S


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int = 0
    cumulative_lost: int = 0
    highest_sequence: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay_since_last_sr: int = 0

    @classmethod
    def parse(cls, data: bytes, offset: int) -> ReportBlock:
        """Read the block that begins at an offset, whose 24 bytes are there."""
        ssrc, fraction, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(data, offset)
        return cls(ssrc, fraction, int.from_bytes(lost, "big", signed=True), highest, jitter, last_sr, delay)

    def __bytes__(self) -> bytes:
        # The total can be negative (duplicates) and is clamped to its 24 bits (RFC 3550 appendix A.3).
        lost = max(-0x800000, min(0x7FFFFF, self.cumulative_lost)).to_bytes(3, "big", signed=True)
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost,
            lost,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        )


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The one packet that ties RTP ticks to the sender's wall clock."""

    ssrc: int
    ntp: int
    """64-bit NTP time stamp."""
    rtp_timestamp: int
    packet_count: int = 0
    octet_count: int = 0
    blocks: tuple[ReportBlock, ...] = ()

    @property
    def unix_ns(self) -> int:
        """The sender's wall clock, Unix ns."""
        return unix_ns_from_ntp(self.ntp)

    @classmethod
    def from_unix_ns(
        cls, ssrc: int, unix_ns: int, rtp_timestamp: int, packet_count: int = 0, octet_count: int = 0
    ) -> SenderReport:
        """Make a report for a Unix time in ns."""
        return cls(ssrc, ntp_from_unix_ns(unix_ns), rtp_timestamp, packet_count, octet_count)

    def __bytes__(self) -> bytes:
        body = _SENDER.pack(self.ssrc, self.ntp, self.rtp_timestamp, self.packet_count, self.octet_count)
        return _packet(SENDER_REPORT, len(self.blocks), body + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A receiver's report."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = self.ssrc.to_bytes(4, "big") + b"".join(map(bytes, self.blocks))
        return _packet(RECEIVER_REPORT, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: for each source its items ``(type, text)``."""

    chunks: tuple[tuple[int, tuple[tuple[int, str], ...]], ...]

    def __bytes__(self) -> bytes:
        body = b""
        for ssrc, items in self.chunks:
            chunk = ssrc.to_bytes(4, "big")
            for kind, text in items:
                encoded = text.encode()
                if len(encoded) > 255:
                    raise LocalProtocolError("an SDES item holds at most 255 bytes")
                chunk += bytes((kind, len(encoded))) + encoded
            # A null item ends the list, and more nulls fill the chunk to a whole word (RFC 3550 section 6.5).
            body += chunk + bytes(4 - len(chunk) % 4)
        return _packet(SOURCE_DESCRIPTION, len(self.chunks), body)


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE."""

    sources: tuple[int, ...]
    reason: str = ""

    def __bytes__(self) -> bytes:
        body = b"".join(source.to_bytes(4, "big") for source in self.sources)
        if self.reason:
            encoded = self.reason.encode()[:255]
            body += bytes((len(encoded),)) + encoded
            body += bytes(-len(body) % 4)
        return _packet(GOODBYE, len(self.sources), body)


@dataclass(frozen=True, slots=True)
class UnknownReport:
    """A packet of a type that is not read here; ``data`` is its body."""

    packet_type: int
    data: bytes


RtcpPacket: TypeAlias = "SenderReport | ReceiverReport | SourceDescription | Goodbye | UnknownReport"


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """Read all packets of one datagram.

    Raises
    ------
    RemoteProtocolError
        A version other than 2, or a length that does not fit.
    """
    packets: list[RtcpPacket] = []
    offset = 0
    while offset < len(data):
        if offset + 4 > len(data):
            raise RemoteProtocolError("RTCP packet", "header is cut", data, offset)
        first, packet_type, words = _HEADER.unpack_from(data, offset)
        end = offset + 4 + 4 * words
        if first >> 6 != 2:
            raise RemoteProtocolError("RTCP packet", f"version {first >> 6} instead of 2", data, offset)
        if end > len(data):
            raise RemoteProtocolError("RTCP packet", "longer than the datagram", data, offset)
        body = data[offset + 4 : end]
        if first & 0x20:
            body = _without_padding(body)
        packets.append(_parse_one(packet_type, first & 0x1F, body))
        offset = end
    return packets


def _without_padding(body: bytes) -> bytes:
    if not body or not 0 < body[-1] <= len(body):
        raise RemoteProtocolError("RTCP packet", "padding does not fit", body)
    return body[: -body[-1]]


def _parse_one(packet_type: int, count: int, body: bytes) -> RtcpPacket:
    try:
        if packet_type == SENDER_REPORT:
            ssrc, ntp, ticks, packets, octets = _SENDER.unpack_from(body)
            return SenderReport(ssrc, ntp, ticks, packets, octets, _blocks(body, _SENDER.size, count))
        if packet_type == RECEIVER_REPORT:
            return ReceiverReport(int.from_bytes(body[:4], "big"), _blocks(body, 4, count))
        if packet_type == GOODBYE:
            return _goodbye(body, count)
    except struct.error as error:
        raise RemoteProtocolError(f"RTCP packet of type {packet_type}", "shorter than its fields", body) from error
    if packet_type == SOURCE_DESCRIPTION:
        return _source_description(body, count)
    return UnknownReport(packet_type, body)


def _blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    if len(body) < start:
        raise struct.error
    return tuple(ReportBlock.parse(body, start + _BLOCK.size * index) for index in range(count))


def _goodbye(body: bytes, count: int) -> Goodbye:
    sources = struct.unpack_from(f"!{count}I", body)
    rest = body[4 * count :]
    return Goodbye(sources, rest[1 : 1 + rest[0]].decode(errors="replace") if rest else "")


def _source_description(body: bytes, count: int) -> SourceDescription:
    chunks = []
    offset = 0
    for _ in range(count):
        if offset + 4 > len(body):
            raise RemoteProtocolError("RTCP SDES", "chunk is cut", body, offset)
        ssrc = int.from_bytes(body[offset : offset + 4], "big")
        items, offset = _items(body, offset + 4)
        chunks.append((ssrc, items))
    return SourceDescription(tuple(chunks))


def _items(body: bytes, offset: int) -> tuple[tuple[tuple[int, str], ...], int]:
    """Items up to the null item, and the offset of the next chunk (chunks begin at whole words)."""
    items = []
    while offset < len(body) and body[offset]:
        if offset + 2 > len(body) or offset + 2 + body[offset + 1] > len(body):
            raise RemoteProtocolError("RTCP SDES", "item is cut", body, offset)
        end = offset + 2 + body[offset + 1]
        items.append((body[offset], body[offset + 2 : end].decode(errors="replace")))
        offset = end
    return tuple(items), offset + 4 - offset % 4


def _packet(packet_type: int, count: int, body: bytes) -> bytes:
    if count > 31:
        raise LocalProtocolError(f"an RTCP packet counts at most 31 entries, not {count}")
    return _HEADER.pack(0x80 | count, packet_type, len(body) // 4) + body

"""RTSP messages (RFC 2326) and the frames that may stand between them on one TCP connection.

::

    OPTIONS rtsp://10.0.0.2:8086/ RTSP/1.0       RTSP/1.0 200 OK        $ <channel> <length16> <payload>
    CSeq: 1                                      Cseq: 1                (section 10.12)
    <empty line> <body of Content-Length bytes>  ...

Reading is lenient (LF line ends, folded headers, bytes that belong to nothing), since what a phone's media library
puts on the line is often text where a frame is expected and the other way round; writing is strict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TypeAlias

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Headers", "InterleavedFrame", "RtspMessage", "RtspParser", "RtspRequest", "RtspResponse"]

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024
_VERSION = "RTSP/1.0"
_DOLLAR = 0x24
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"RTSP/\d\.\d +(\d{3}) ?(.*)", re.ASCII)
_REQUEST_LINE = re.compile(r"([A-Z_]+) +(\S+) +RTSP/\d\.\d", re.ASCII)
_START = re.compile(rb"\$|RTSP/|[A-Z_]{4,20} ")
"""What a frame, a response or a request starts with; used to find the way back after garbage."""
_FRAME_CHANNELS = 16
"""Channels that a session can have negotiated; a dollar sign followed by more is garbage, not a frame."""
_LINE_BREAK = re.compile(r"[\r\n]")


class Headers(MutableMapping[str, str]):
    """Header fields; names are case-insensitive and keep the spelling they were first given."""

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, tuple[str, str]] = {}
        for name, value in fields.items() if isinstance(fields, Mapping) else fields:
            # A field that comes twice is a list in two pieces (RFC 2616 section 4.2).
            self[name] = f"{self[name]}, {value}" if name in self else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._fields[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({dict(self)})"


def _serialised(first_line: str, headers: Headers, body: bytes) -> bytes:
    fields = Headers(headers)
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [first_line, *(f"{name}: {value}" for name, value in fields.items())]
    for line in lines:
        if _LINE_BREAK.search(line):
            raise LocalProtocolError(f"a line break inside an RTSP line: {line!r}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class RtspRequest:
    """A request; ``Content-Length`` is written from the body."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return _serialised(f"{self.method} {self.url} {_VERSION}", self.headers, self.body)


@dataclass(frozen=True, slots=True)
class RtspResponse:
    """A response; ``Content-Length`` is written from the body."""

    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return _serialised(f"{_VERSION} {self.status} {self.reason}", self.headers, self.body)


@dataclass(frozen=True, slots=True)
class InterleavedFrame:
    """An RTP or RTCP packet inside the RTSP connection (RFC 2326 section 10.12)."""

    channel: int
    payload: bytes

    def __bytes__(self) -> bytes:
        return bytes((_DOLLAR, self.channel)) + len(self.payload).to_bytes(2, "big") + self.payload


RtspMessage: TypeAlias = RtspRequest | RtspResponse | InterleavedFrame


class RtspParser:
    """Bytes of one connection to messages, however they were cut into pieces.

    ``skipped_bytes`` counts what belonged to no message.
    """

    def __init__(self) -> None:
        self.skipped_bytes = 0
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[RtspMessage]:
        """Take bytes, return the messages that are whole now.

        Raises
        ------
        RemoteProtocolError
            A head over 64 KiB or a body over 1 MiB is announced; the parser has forgotten everything.
        """
        self._buffer += data
        messages: list[RtspMessage] = []
        while self._buffer:
            length, message = self._next()
            if length == 0:
                break
            del self._buffer[:length]
            if message is not None:
                messages.append(message)
            else:
                self.skipped_bytes += length
        return messages

    def _next(self) -> tuple[int, RtspMessage | None]:
        """How many bytes are done with (0: more are needed) and the message that they were."""
        buffer = self._buffer
        if buffer[0] == _DOLLAR:
            return self._frame()
        head_end = _HEAD_END.search(buffer)
        # A frame's first bytes may stand before the end of what looks like a head.
        if not _may_start(buffer):
            return self._garbage(), None
        if head_end is None:
            if len(buffer) > MAX_HEAD_BYTES:
                raise self._too_long("the head of an RTSP message", MAX_HEAD_BYTES)
            return 0, None
        return self._message(head_end)

    def _frame(self) -> tuple[int, InterleavedFrame | None]:
        buffer = self._buffer
        if len(buffer) < 2:
            return 0, None
        if buffer[1] >= _FRAME_CHANNELS:
            return self._garbage(), None
        if len(buffer) < 4:
            return 0, None
        end = 4 + int.from_bytes(buffer[2:4], "big")
        if len(buffer) < end:
            return 0, None
        return end, InterleavedFrame(buffer[1], bytes(buffer[4:end]))

    def _message(self, head_end: re.Match[bytes]) -> tuple[int, RtspMessage | None]:
        head = bytes(self._buffer[: head_end.start()]).decode("utf-8", "replace")
        first_line, *lines = head.splitlines()
        status_line, request_line = _STATUS_LINE.fullmatch(first_line), _REQUEST_LINE.fullmatch(first_line)
        if not status_line and not request_line:
            return self._garbage(), None
        headers = _parse_headers(lines)
        length = headers.get("Content-Length", "0").strip()
        body_bytes = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else 0
        if body_bytes > MAX_BODY_BYTES:
            raise self._too_long("the body of an RTSP message", MAX_BODY_BYTES)
        start, end = head_end.end(), head_end.end() + body_bytes
        if len(self._buffer) < end:
            return 0, None
        body = bytes(self._buffer[start:end])
        if status_line:
            return end, RtspResponse(int(status_line[1]), status_line[2].strip(), headers, body)
        assert request_line is not None
        return end, RtspRequest(request_line[1], request_line[2], headers, body)

    def _garbage(self) -> int:
        """Length of what can be thrown away: up to the next place where a message may start."""
        found = _START.search(self._buffer, 1)
        return found.start() if found else max(len(self._buffer) - _longest_start(self._buffer), 1)

    def _too_long(self, what: str, limit: int) -> RemoteProtocolError:
        first = bytes(self._buffer[:16])
        self._buffer.clear()
        return RemoteProtocolError("RTSP", f"{what} is longer than {limit} bytes", first)


def _may_start(buffer: bytearray) -> bool:
    """Whether a response or a request can begin here, as far as it has come."""
    piece = bytes(buffer[:24])
    if b"RTSP/".startswith(piece[:5]):
        return True
    word = re.match(rb"[A-Z_]{1,20}", piece)
    if word is None:
        return False
    return word.end() == len(piece) or (word.end() >= 4 and piece[word.end() : word.end() + 1] == b" ")


def _longest_start(buffer: bytearray) -> int:
    """How many of the last bytes may be the first ones of a message."""
    tail = re.search(rb"(?:[A-Z_]{1,20}|RTSP/?)\Z", bytes(buffer[-24:]))
    return len(tail[0]) if tail else 0


def _parse_headers(lines: list[str]) -> Headers:
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and fields:
            # A folded line goes on with the value before it (RFC 2616 section 2.2).
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip():
            fields.append((name.strip(), value.strip()))
    return Headers(fields)

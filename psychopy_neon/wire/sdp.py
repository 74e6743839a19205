"""Session descriptions (SDP, RFC 8866), as far as RTSP needs them: the media, their payload types and controls."""

from __future__ import annotations

from dataclasses import dataclass, field

from psychopy_neon.errors import RemoteProtocolError

__all__ = ["Media", "RtpMap", "SessionDescription"]

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RtpMap:
    """What a payload type means: encoding name as sent, ticks per second, channels."""

    encoding: str
    clock_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """One ``m=`` block."""

    kind: str
    port: int = 0
    payload_types: tuple[int, ...] = ()
    rtpmaps: dict[int, RtpMap] = field(default_factory=dict)
    fmtp: dict[int, dict[str, str]] = field(default_factory=dict)
    control: str | None = None

    def __str__(self) -> str:
        lines = [f"m={self.kind} {self.port} RTP/AVP {' '.join(map(str, self.payload_types))}"]
        for payload_type, rtpmap in self.rtpmaps.items():
            channels = f"/{rtpmap.channels}" if rtpmap.channels != 1 else ""
            lines.append(f"a=rtpmap:{payload_type} {rtpmap.encoding}/{rtpmap.clock_hz}{channels}")
        for payload_type, options in self.fmtp.items():
            pairs = (f"{key}={value}" if value else key for key, value in options.items())
            lines.append(f"a=fmtp:{payload_type} {';'.join(pairs)}")
        if self.control:
            lines.append(f"a=control:{self.control}")
        return "\r\n".join(lines) + "\r\n"


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A session with its media.

    ``skipped`` counts lines that could not be read; nothing in them was needed.
    """

    media: tuple[Media, ...]
    control: str | None = None
    origin_host: str = "0.0.0.0"
    connection_host: str = "0.0.0.0"
    name: str = "Unnamed"
    skipped: int = 0

    @classmethod
    def parse(cls, data: bytes | str) -> SessionDescription:
        """Read a description, with CRLF or LF line ends.

        Raises
        ------
        RemoteProtocolError
            It has no ``m=`` line, or is longer than 64 KiB.
        """
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        if len(text) > MAX_BYTES:
            raise RemoteProtocolError("SDP", f"longer than {MAX_BYTES} characters", text[:16].encode())
        reader = _Reader()
        for line in text.splitlines():
            reader.read(line.strip())
        if not reader.media:
            raise RemoteProtocolError("SDP", "has no m= line", text[:16].encode())
        return cls(tuple(reader.media), reader.control, reader.origin, reader.connection, reader.name, reader.skipped)

    def __str__(self) -> str:
        head = [
            "v=0",
            f"o=- 0 0 IN IP4 {self.origin_host}",
            f"s={self.name}",
            "i=N/A",
            f"c=IN IP4 {self.connection_host}",
            "t=0 0",
            "a=recvonly",
        ]
        if self.control:
            head.append(f"a=control:{self.control}")
        return "\r\n".join(head) + "\r\n" + "".join(map(str, self.media))


class _Reader:
    """Collects lines; a line that cannot be read is counted and left out."""

    def __init__(self) -> None:
        self.media: list[Media] = []
        self.control: str | None = None
        self.origin = self.connection = "0.0.0.0"
        self.name = ""
        self.skipped = 0

    def read(self, line: str) -> None:
        kind, equals, value = line.partition("=")
        try:
            if kind == "m" and equals:
                self._media_line(value)
            elif kind == "a" and equals:
                self._attribute(value)
            elif kind == "o" and equals:
                self.origin = value.split()[-1]
            elif kind == "c" and equals and not self.media:
                self.connection = value.split()[-1]
            elif kind == "s" and equals:
                self.name = value
            elif line and not equals:
                self.skipped += 1
        except (ValueError, IndexError):
            self.skipped += 1

    def _media_line(self, value: str) -> None:
        kind, port, _profile, *formats = value.split()
        # "port/count" is legal (RFC 8866 section 5.14); other than numeric formats are not RTP payload types.
        types = tuple(int(each) for each in formats if each.isdigit())
        self.media.append(Media(kind.lower(), int(port.split("/")[0]), types))

    def _attribute(self, value: str) -> None:
        name, _, rest = value.partition(":")
        rest = rest.strip()
        if name == "control":
            self._set_control(rest)
        elif name == "rtpmap" and self.media:
            payload_type, mapping = rest.split(None, 1)
            encoding, rate, *channels = mapping.strip().split("/")
            clock_hz = int(rate)
            if clock_hz <= 0:
                raise ValueError(rate)
            self.media[-1].rtpmaps[int(payload_type)] = RtpMap(encoding, clock_hz, int(channels[0]) if channels else 1)
        elif name == "fmtp" and self.media:
            payload_type, options = rest.split(None, 1)
            pairs = (option.partition("=") for option in options.split(";") if option.strip())
            # Names of fmtp options are case-insensitive (RFC 6184 section 8.1), so they are kept in lower case.
            self.media[-1].fmtp[int(payload_type)] = {key.strip().lower(): val.strip() for key, _, val in pairs}

    def _set_control(self, control: str) -> None:
        if not self.media:
            self.control = control
            return
        last = self.media[-1]
        self.media[-1] = Media(last.kind, last.port, last.payload_types, last.rtpmaps, last.fmtp, control)

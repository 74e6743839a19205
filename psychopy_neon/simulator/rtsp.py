"""The RTSP server, after the habits of the phone's media library.

The DESCRIBE of a connection chooses the stream by ``camera=`` in its URL; later URLs of the same connection do not
matter. Media flow from SETUP (or PLAY, as the settings say) until the connection ends.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.simulator.channels import InterleavedChannel, UdpChannel
from psychopy_neon.simulator.listener import Listener
from psychopy_neon.simulator.media import Receivers
from psychopy_neon.simulator.phone_clock import TICKS_PER_S, PhoneClock
from psychopy_neon.simulator.sender import RtpSender
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.rtsp import Headers, RtspParser, RtspRequest, RtspResponse
from psychopy_neon.wire.sdp import Media, RtpMap, SessionDescription

__all__ = ["OfferedStream", "RtspServer", "data_media", "scene_media"]

_VIDEO_TYPE = 96
_DATA_TYPES = {"gaze": 99, "imu": 100, "eye_events": 101}
_CLOSE_S = 2.0
_FIRST_REQUEST_S = 30.0
_READ_BYTES = 65536
_CLIENT_PORT = re.compile(r"client_port=(\d{1,5})(?:-(\d{1,5}))?")
_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})(?:-(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class OfferedStream:
    """A stream that clients may ask for."""

    name: str
    media: Media
    receivers: Receivers


def data_media(stream: str) -> Media:
    """Description of ``gaze``, ``imu`` or ``eye_events``; what a phone calls the latter two no public source tells."""
    payload_type = _DATA_TYPES[stream]
    rtpmap = {payload_type: RtpMap(f"com.pupillabs.{stream}1", TICKS_PER_S)}
    return Media("application", 5006, (payload_type,), rtpmap, control="trackID=1")


def scene_media(sps: bytes, pps: bytes) -> Media:
    """Description of the scene stream."""
    sets = ",".join(base64.b64encode(nal).decode("ascii") for nal in (sps, pps))
    fmtp = {"packetization-mode": "1", "profile-level-id": sps[1:4].hex(), "sprop-parameter-sets": sets}
    return Media(
        "video", 5006, (_VIDEO_TYPE,), {_VIDEO_TYPE: RtpMap("H264", TICKS_PER_S)}, {_VIDEO_TYPE: fmtp}, "trackID=1"
    )


class RtspServer:
    """Listens, and keeps the connections. Used by the event loop's thread only."""

    def __init__(
        self,
        streams: Mapping[str, OfferedStream],
        is_connected: Callable[[str], bool],
        clock: PhoneClock,
        truth: TruthLog,
        settings: SimulatorSettings,
    ) -> None:
        self.streams = streams
        self.is_connected = is_connected
        self.settings = settings
        self._clock = clock
        self._truth = truth
        self._listener = Listener(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._serve))
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._sessions = 0

    async def open(self, host: str, port: int) -> int:
        """Begin to serve and give the port; raises OSError when it is taken."""
        return await self._listener.open(host, port)

    async def close(self) -> None:
        """End all connections."""
        await self._listener.close()
        tasks = list(self._connections)
        self.drop()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)

    def cut(self) -> None:
        """Cut all connections and refuse new ones."""
        self._listener.shut()
        self.drop()

    def mend(self) -> None:
        """Let clients connect again."""
        self._listener.reopen()

    def drop(self, stream: str | None = None) -> None:
        """Cut the connections of one stream, or all."""
        for connection in self._connections.values():
            if stream is None or connection.stream_name == stream:
                connection.cut()

    def new_sender(self, stream: OfferedStream, channel: UdpChannel | InterleavedChannel) -> RtpSender:
        """A session's sender; sessions are numbered in the order of their SETUP."""
        self._sessions += 1
        payload_type = stream.media.payload_types[0]
        return RtpSender(stream.name, payload_type, self._sessions, channel, self._clock, self._truth, self.settings)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._connections[task] = _Connection(self, writer)
        try:
            await connection.converse(reader)
        except (ConnectionError, asyncio.TimeoutError, RemoteProtocolError):
            pass  # the client has gone, never asked for anything, or speaks something else: the connection ends
        finally:
            del self._connections[task]
            connection.cut()


class _Connection:
    """One client's TCP connection: at most one stream and one session."""

    def __init__(self, server: RtspServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._stream: OfferedStream | None = None
        self._sender: RtpSender | None = None
        self._session = ""
        self._base = ""

    @property
    def stream_name(self) -> str | None:
        """The stream that was asked for."""
        return self._stream.name if self._stream is not None else None

    async def converse(self, reader: asyncio.StreamReader) -> None:
        """Answer requests until the connection ends."""
        parser = RtspParser()
        while True:
            # Without a session nobody needs the connection; with one it may be silent for ever (no keep-alive).
            limit_s = None if self._sender is not None else _FIRST_REQUEST_S
            data = await asyncio.wait_for(reader.read(_READ_BYTES), limit_s)
            if not data:
                return
            for message in parser.feed(data):
                # Frames from the client are its RTCP, which the phone does not listen to.
                if isinstance(message, RtspRequest):
                    self._writer.write(bytes(self._answer(message)))
            await self._writer.drain()

    def cut(self) -> None:
        """End session and connection; twice is fine."""
        self._end_session()
        self._writer.close()

    # Requests

    def _answer(self, request: RtspRequest) -> RtspResponse:
        handlers: dict[str, Callable[[RtspRequest], RtspResponse]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._teardown,
            "GET_PARAMETER": self._get_parameter,
        }
        handler = handlers.get(request.method)
        if handler is None:
            return RtspResponse(400, "Bad Request", Headers({"Server": _SERVER, "Content-Length": "0"}))
        return handler(request)

    def _options(self, request: RtspRequest) -> RtspResponse:
        return _response(request, {"Public": "DESCRIBE,SETUP,TEARDOWN,PLAY,PAUSE"})

    def _get_parameter(self, request: RtspRequest) -> RtspResponse:
        return _response(request, {"Session": self._session} if self._session else {})

    def _describe(self, request: RtspRequest) -> RtspResponse:
        stream = self._wanted(request.url)
        if stream is None:
            return _response(request, {}, 404, "Not Found")
        self._stream = stream
        here, port = self._writer.get_extra_info("sockname")[:2]
        self._base = f"rtsp://{here}:{port}/"
        peer = self._writer.get_extra_info("peername")[0]
        sdp = SessionDescription((stream.media,), origin_host=here, connection_host=peer)
        headers = {"Content-Base": self._base, "Content-Type": "application/sdp"}
        return _response(request, headers, body=str(sdp).encode())

    def _setup(self, request: RtspRequest) -> RtspResponse:
        self._stream = self._stream or self._wanted(request.url)
        if self._stream is None:
            return _response(request, {}, 455, "Method Not Valid in This State")
        asked = request.headers.get("Transport", "")
        try:
            channel, transport = self._open_channel(asked)
        except ValueError:
            return _response(request, {}, 461, "Unsupported Transport")
        except OSError:
            return _response(request, {}, 500, "Internal Server Error")
        self._end_session()
        self._sender = self._server.new_sender(self._stream, channel)
        self._session = f"{self._sender.ssrc:08x}{self._sender.session:04x}"
        headers = {
            "Transport": f"{transport};ssrc={self._sender.ssrc:08x};mode=play",
            "Session": self._session,
            "Cache-Control": "no-cache",
        }
        if self._server.settings.media_start == "setup":
            # After the reply, which is written when this returns: over TCP no frame may come before it.
            asyncio.get_running_loop().call_soon(self._begin, self._sender)
        return _response(request, headers)

    def _play(self, request: RtspRequest) -> RtspResponse:
        if self._sender is None:
            return _response(request, {}, 455, "Method Not Valid in This State")
        info = f"url={self._base}trackID=1;seq={self._sender.next_sequence}"
        asyncio.get_running_loop().call_soon(self._begin, self._sender)
        return _response(request, {"RTP-Info": info, "Session": self._session})

    def _pause(self, request: RtspRequest) -> RtspResponse:
        if self._sender is None or self._stream is None:
            return _response(request, {}, 455, "Method Not Valid in This State")
        self._stream.receivers.discard(self._sender)
        return _response(request, {"Session": self._session})

    def _teardown(self, request: RtspRequest) -> RtspResponse:
        self._end_session()
        return _response(request, {})

    # Session

    def _wanted(self, url: str) -> OfferedStream | None:
        names = parse_qs(urlsplit(url).query).get("camera", [])
        stream = self._server.streams.get(names[0]) if names else None
        return stream if stream is not None and self._server.is_connected(stream.name) else None

    def _open_channel(self, asked: str) -> tuple[UdpChannel | InterleavedChannel, str]:
        """The channel and the Transport of the reply; ValueError: not one that the phone knows."""
        peer = self._writer.get_extra_info("peername")[0]
        if "/TCP" in asked.upper():
            found = _INTERLEAVED.search(asked)
            low = int(found[1]) if found else 0
            high = int(found[2]) if found and found[2] else low + 1
            if max(low, high) > 255:
                raise ValueError(asked)
            echoed = f";interleaved={low}-{high}" if self._server.settings.echo_interleaved else ""
            return InterleavedChannel(self._writer, (low, high)), f"RTP/AVP/TCP;unicast{echoed}"
        found = _CLIENT_PORT.search(asked)
        if found is None:
            raise ValueError(asked)
        ports = int(found[1]), int(found[2]) if found[2] else int(found[1]) + 1
        if not all(0 < port < 65536 for port in ports):
            raise ValueError(asked)
        channel = UdpChannel(self._writer.get_extra_info("sockname")[0], peer, ports)
        server = "{}-{}".format(*channel.server_ports)
        client = "{}-{}".format(*ports)
        return channel, f"RTP/AVP/UDP;unicast;destination={peer};client_port={client};server_port={server}"

    def _begin(self, sender: RtpSender) -> None:
        # The session may have ended in the meantime.
        if self._stream is not None and sender is self._sender:
            self._stream.receivers.add(sender)

    def _end_session(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None and self._stream is not None:
            self._stream.receivers.discard(sender)
            sender.close()
        self._session = ""


_SERVER = "Pupil Invisible RTSP Server"


def _response(
    request: RtspRequest, headers: Mapping[str, str], status: int = 200, reason: str = "OK", body: bytes = b""
) -> RtspResponse:
    """A response with the phone's fields in the phone's order."""
    first = {"Server": _SERVER, "Cseq": request.headers.get("CSeq", "0"), "Content-Length": str(len(body))}
    return RtspResponse(status, reason, Headers({**first, **headers}), body)

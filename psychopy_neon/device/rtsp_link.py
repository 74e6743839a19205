"""One RTSP session with its two UDP sockets, from connecting to the reason why it ended.

The dialogue runs over TCP (``wire.rtsp_session`` decides what to say), media come as UDP datagrams on an even port,
reports on the odd one above it. The TCP connection stays open: the phone ends the media when it closes.
"""

from __future__ import annotations

import contextlib
import random
import select
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

from psychopy_neon.device.media_line import MediaLine
from psychopy_neon.device.transport import connect_tcp, open_udp_pair, udp_address
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import LinkError, NeonError
from psychopy_neon.wire.rtsp import Headers, InterleavedFrame, RtspMessage, RtspParser, RtspRequest, RtspResponse
from psychopy_neon.wire.rtsp_session import ClientDialogue, MediaKind
from psychopy_neon.wire.sdp import Media

__all__ = ["RtspLink"]

CONNECT_LIMIT_S = 2.0
HANDSHAKE_LIMIT_NS = 5_000_000_000
FIRST_PACKET_LIMIT_NS = 3_000_000_000
"""From PLAY to the first packet: the phone may have to start a camera."""
SILENCE_LIMIT_NS = 1_000_000_000
FIRST_REPORT_LIMIT_NS = 8_000_000_000
"""The phone's library reports every 3 s; without a report no sample has a time."""
REPORT_EVERY_NS = 5_000_000_000
TICK_NS = 100_000_000
ATTEND_S = 0.2
ATTEND_OFTEN_S = 0.005
_DATAGRAM_BYTES = 4096
_WARM_UP_COUNT = 2
_WARM_UP_BYTES = 200
_USER_AGENT = "psychopy-neon"


class RtspLink:
    """One session; made anew for every attempt.

    Parameters
    ----------
    ip : str
        Numeric address that the user's host leads to.
    port : int
        RTSP port from the Sensor entry.
    url : str
    media_kind : "application" or "video"
    make_line : callable
        Makes the line for the announced media once the description is known.
    now_ns : callable
        Host clock.
    is_pumped : bool
        Whether those who want the data read the packets themselves, by :meth:`pump`. Being woken for each of 200
        packets a second costs more than reading them; a frame loop comes by 60 times a second and finds three. The
        session's own thread then only sees to it that nothing is left lying. Otherwise it waits for every packet.
    """

    def __init__(
        self,
        ip: str,
        port: int,
        url: str,
        media_kind: MediaKind,
        make_line: Callable[[Media, int], MediaLine[Any, Any]],
        now_ns: Callable[[], int],
        is_pumped: bool = False,
    ) -> None:
        self.line: MediaLine[Any, Any] | None = None
        self._ip = ip
        self._port = port
        self._url = url
        self._kind: MediaKind = media_kind
        self._make_line = make_line
        self._now_ns = now_ns
        self._ended: str | None = None
        self._parser = RtspParser()
        self._playing_since_ns: int | None = None
        self._is_pumped = is_pumped
        self._lock = threading.Lock()
        self._is_open = False  # guarded by _lock, as is the line: several threads pump

    def run(self, stop: StopSignal) -> str:
        """Run until the session ends or ``stop`` is set; the cause as a sentence.

        Raises
        ------
        NeonError
            When the device could not be reached or refused.
        """
        self._tcp = connect_tcp(self._ip, self._port, CONNECT_LIMIT_S, stop)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._tcp)
            self._rtp, self._rtcp = open_udp_pair(_local_ip(self._tcp))
            stack.enter_context(self._rtp)
            stack.enter_context(self._rtcp)
            self._selector = stack.enter_context(selectors.DefaultSelector())
            self._selector.register(self._tcp, selectors.EVENT_READ, self._read_rtsp)
            self._selector.register(self._rtcp, selectors.EVENT_READ, self._read_rtcp)
            self._selector.register(stop.socket, selectors.EVENT_READ, None)
            ports = (int(self._rtp.getsockname()[1]), int(self._rtcp.getsockname()[1]))
            self._dialogue = ClientDialogue(self._url, ports, self._kind, _USER_AGENT)
            self._shake_hands(stop)
            if self.line is not None:
                self._rtp.setblocking(False)
                self._is_open = self._is_pumped
                try:
                    (self._attend if self._is_pumped else self._receive)(self.line, stop)
                finally:
                    with self._lock:
                        self._is_open = False
            self._say_goodbye()
        return self._ended or "closed by this program"

    # The two halves of a session

    def _shake_hands(self, stop: StopSignal) -> None:
        """Talk until media may come."""
        self._started_ns = now_ns = self._now_ns()
        self._next_report_ns = self._next_keep_alive_ns = now_ns + REPORT_EVERY_NS
        self._send(bytes(self._dialogue.start()))
        while self._playing_since_ns is None and self._ended is None and not stop.is_set:
            self._read_ready(TICK_NS / 1e9)
            if self._now_ns() - self._started_ns > HANDSHAKE_LIMIT_NS:
                self._ended = "the device did not answer the RTSP requests in time"

    def _receive(self, line: MediaLine[Any, Any], stop: StopSignal) -> None:
        """Wait for packets; everything else is looked after ten times a second.

        The thread waits in ``recv`` itself: to ask a selector first would double the work for each packet.
        """
        self._rtp.settimeout(TICK_NS / 1e9)
        next_tick_ns = self._now_ns()
        while self._ended is None:
            self._take_packet(line)
            now_ns = self._now_ns()
            if not line.is_ready:
                self._read_ready(0)  # the first report is what the first packets wait for
            if now_ns >= next_tick_ns:
                if stop.is_set:
                    return
                self._read_ready(0)
                self._tick(line, now_ns)
                next_tick_ns = now_ns + TICK_NS

    def _attend(self, line: MediaLine[Any, Any], stop: StopSignal) -> None:
        """See to it that nothing is left lying while others pump."""
        while self._ended is None and not stop.is_set:
            # Without clock offset the time of arrival is all that there is: it is taken more often then.
            wait_s = ATTEND_S if line.is_timed else ATTEND_OFTEN_S
            self._read_ready(wait_s)
            now_ns = self._now_ns()
            if line.last_packet_ns is None or now_ns - line.last_packet_ns > wait_s * 1e9:  # nobody else came by
                self.pump()
            with self._lock:
                self._tick(line, now_ns)

    def pump(self) -> None:
        """Read the packets that are there; never waits. Thread: any."""
        line = self.line
        if not self._is_open or line is None:
            return
        with self._lock:
            while self._is_open and self._take_packet(line):
                pass

    def pump_one(self, timeout_s: float) -> bool:
        """Wait for a packet and read that one; False, at once, when there is no session to wait for. Thread: any."""
        line = self.line
        if not self._is_open or line is None:
            return False
        try:
            is_there, _, _ = select.select((self._rtp,), (), (), timeout_s)
        except (OSError, ValueError):  # the session ended meanwhile and closed its socket
            return False
        if is_there:
            with self._lock:
                if self._is_open:
                    self._take_packet(line)
        return True

    def _take_packet(self, line: MediaLine[Any, Any]) -> bool:
        """Read one packet; False when there is none."""
        try:
            data = self._rtp.recv(_DATAGRAM_BYTES)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:  # an ICMP answer to what we sent, or a datagram too long for the buffer (Windows)
            line.malformed += 1
            return True
        line.receive(data, self._now_ns())
        return True

    def _read_ready(self, timeout_s: float) -> None:
        """Read what there is on the other sockets."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is not None:
                key.data()

    def _tick(self, line: MediaLine[Any, Any], now_ns: int) -> None:
        line.due(now_ns)
        self._watch(line, now_ns, self._playing_since_ns or now_ns)
        if now_ns >= self._next_report_ns:
            self._next_report_ns = now_ns + REPORT_EVERY_NS
            self._send_report(line, now_ns)
        if now_ns >= self._next_keep_alive_ns:
            # The server drops a session that is silent for its timeout; half of it leaves room for a lost answer.
            self._next_keep_alive_ns = now_ns + int(max(self._dialogue.timeout_s / 2, 1.0) * 1e9)
            request = self._dialogue.keep_alive()
            if request is not None:
                self._send(bytes(request))

    def _watch(self, line: MediaLine[Any, Any], now_ns: int, playing_ns: int) -> None:
        last_ns = line.last_packet_ns
        if last_ns is None:
            if now_ns - playing_ns > max(FIRST_PACKET_LIMIT_NS, line.quiet_ns):
                self._ended = "no packet came after PLAY: is UDP to this computer blocked by a firewall?"
        elif now_ns - last_ns > max(SILENCE_LIMIT_NS, line.quiet_ns):
            self._ended = f"silent for {(now_ns - last_ns) / 1e9:.1f} s"
        elif line.reports == 0 and not line.is_ready and now_ns - playing_ns > FIRST_REPORT_LIMIT_NS:
            self._ended = "packets come but no sender report: their times are unknown"

    # Sockets

    def _read_rtcp(self) -> None:
        try:
            data = self._rtcp.recv(_DATAGRAM_BYTES)
        except OSError:  # as above; the next report comes soon
            return
        if self.line is not None:
            with self._lock:
                self.line.control(data, self._now_ns())

    def _read_rtsp(self) -> None:
        try:
            data = self._tcp.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended = f"the RTSP connection was lost ({error.strerror or error})"
            return
        if not data:
            self._ended = "the device closed the RTSP connection"
            return
        for message in self._parser.feed(data):
            self._handle(message)
        if self._playing_since_ns is None and self._parser.skipped_bytes > 4096:
            self._ended = "garbage instead of RTSP: does this port belong to a Neon?"

    def _handle(self, message: RtspMessage) -> None:
        if isinstance(message, RtspRequest):
            cseq = Headers({"CSeq": message.headers.get("CSeq", "0")})
            self._send(bytes(RtspResponse(551, "Option not supported", cseq)))
            return
        if isinstance(message, InterleavedFrame):
            if self.line is not None:
                self.line.malformed += 1
            return
        had_ports = self._dialogue.server_ports
        request = self._dialogue.receive(message)
        if self.line is None and self._dialogue.media is not None:
            self.line = self._make_line(self._dialogue.media, self._dialogue.clock_hz)
        if had_ports is None and self._dialogue.server_ports is not None:
            self._warm_up()
        if request is not None:
            self._send(bytes(request))
        elif self._dialogue.is_playing and self._playing_since_ns is None:
            self._playing_since_ns = self._now_ns()

    def _send(self, data: bytes) -> None:
        """Requests are a few hundred bytes: the socket's buffer takes them, or the connection is dead."""
        try:
            sent = self._tcp.send(data)
        except OSError as error:
            self._ended = f"the RTSP connection was lost ({error.strerror or error})"
            return
        if sent < len(data):
            self._ended = "the device does not read its RTSP connection"

    def _warm_up(self) -> None:
        """Open the way back through firewalls that let answers in; the server ignores these bytes."""
        for sock, port in zip((self._rtp, self._rtcp), self._dialogue.server_ports or (), strict=False):
            for _ in range(_WARM_UP_COUNT):
                with contextlib.suppress(OSError):
                    sock.sendto(random.randbytes(_WARM_UP_BYTES), udp_address(self._ip, port))

    def _send_report(self, line: MediaLine[Any, Any], now_ns: int) -> None:
        report = line.receiver_report(now_ns)
        ports = self._dialogue.server_ports
        if report is not None and ports is not None:
            with contextlib.suppress(OSError):  # a report is a courtesy; silence is noticed elsewhere
                self._rtcp.sendto(report, udp_address(self._ip, ports[1]))

    def _say_goodbye(self) -> None:
        with contextlib.suppress(NeonError, OSError):
            if self._dialogue.session_id:
                self._tcp.send(bytes(self._dialogue.teardown()))


def _local_ip(sock: socket.socket) -> str:
    try:
        name = sock.getsockname()
    except OSError as error:
        raise LinkError("RTSP", f"the connection was lost ({error})") from error
    zone = name[3] if len(name) > 3 else 0
    return f"{name[0]}%{zone}" if zone and "%" not in name[0] else str(name[0])

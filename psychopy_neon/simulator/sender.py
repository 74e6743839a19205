"""One RTP session on its way out: sender reports, sequence numbers, and the packets that the network loses."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from psychopy_neon.simulator.phone_clock import PhoneClock, ticks_of_uptime, uptime_of_ticks
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.rtcp import SenderReport
from psychopy_neon.wire.rtp import RtpPacket

__all__ = ["Channel", "RtpSender"]

_BURST_PACKETS = 24
_BURST_PAUSE_S = 0.0003
"""A key frame has more packets than a socket's default buffer holds; a phone's radio spreads them, so does this."""


class Channel(Protocol):
    """The way of a session's packets to its client. A failure to send raises OSError."""

    name: str

    def send_rtp(self, data: bytes) -> None:
        """Hand over an RTP packet."""

    def send_rtcp(self, data: bytes) -> None:
        """Hand over an RTCP packet."""

    def close(self) -> None:
        """Let go; twice is fine."""


class RtpSender:
    """Packets of one session; one thread sends, any thread may close.

    Source, sequence and tick origin are random, from the seed and the session's number. The first packet is a sender
    report (no client knows the time of anything before it), and each is sent right before a data packet.
    """

    def __init__(
        self,
        stream: str,
        payload_type: int,
        session: int,
        channel: Channel,
        clock: PhoneClock,
        truth: TruthLog,
        settings: SimulatorSettings,
    ) -> None:
        self.stream = stream
        self.session = session
        self._payload_type = payload_type
        self._channel = channel
        self._clock = clock
        self._truth = truth
        self._settings = settings
        self._random = random.Random(f"{settings.seed}/{stream}/{session}")
        self.ssrc = self._random.getrandbits(32)
        self._sequence = self._random.getrandbits(16)
        self._tick_origin = self._random.getrandbits(32)
        self._packets = self._octets = 0
        self._report_due_ns: int | None = None
        self._held: bytes | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._tell_session("open")

    @property
    def next_sequence(self) -> int:
        """Sequence number of the next packet."""
        return self._sequence

    def send(self, parts: Sequence[tuple[bytes, bool]], uptime_ns: int, number: int) -> int | None:
        """Send the packets of one datum or picture.

        Parameters
        ----------
        parts
            Payload and marker of each packet.
        uptime_ns
            Their time on the phone's monotonic clock.
        number
            Number of the datum, for the ground truth.

        Returns
        -------
        sent_ns
            Host clock just before the last packet was handed over; None when the session has ended.
        """
        ticks = self._tick_origin + ticks_of_uptime(uptime_ns) & 0xFFFFFFFF
        sent_ns = None
        with self._lock:
            for index, (payload, marker) in enumerate(parts):
                if self._is_closed:
                    return None
                if index and index % _BURST_PACKETS == 0:
                    time.sleep(_BURST_PAUSE_S)  # as a radio does, or the socket overflows
                sent_ns = time.perf_counter_ns()
                packet = RtpPacket(self._payload_type, self._sequence, ticks, self.ssrc, payload, marker)
                try:
                    self._report_when_due(sent_ns)
                    self._send_packet(packet, number, sent_ns)
                except OSError:
                    # The client has gone, or its network has; the RTSP connection will say so, media just stop.
                    self._tell_packet("lost", packet.sequence, number, sent_ns)
                self._sequence = self._sequence + 1 & 0xFFFF
        return sent_ns

    def close(self) -> None:
        """End the session; twice is fine."""
        # Closed first without the lock: a sender in the midst of a picture stops after the present packet.
        was_closed, self._is_closed = self._is_closed, True
        with self._lock:
            self._channel.close()
        if not was_closed:
            self._tell_session("close")

    def _report_when_due(self, now_ns: int) -> None:
        if self._report_due_ns is not None and now_ns < self._report_due_ns:
            return
        # A report is about a whole tick, so that its two times are the same instant to the nanosecond.
        ticks = ticks_of_uptime(self._clock.uptime_ns(now_ns))
        report = SenderReport.from_unix_ns(
            self.ssrc,
            self._clock.device_ns_of_uptime(uptime_of_ticks(ticks)),
            self._tick_origin + ticks & 0xFFFFFFFF,
            self._packets & 0xFFFFFFFF,
            self._octets & 0xFFFFFFFF,
        )
        self._report_due_ns = now_ns + round(self._settings.report_interval_s * 1e9)
        self._channel.send_rtcp(bytes(report))

    def _send_packet(self, packet: RtpPacket, number: int, now_ns: int) -> None:
        self._packets += 1
        self._octets += len(packet.payload)
        if self._settings.loss and self._random.random() < self._settings.loss:
            self._tell_packet("lost", packet.sequence, number, now_ns)
            return
        data = bytes(packet)
        if self._held is None and self._settings.reorder and self._random.random() < self._settings.reorder:
            self._held = data
            self._tell_packet("reordered", packet.sequence, number, now_ns)
            return
        held, self._held = self._held, None
        self._channel.send_rtp(data)
        if held is not None:
            self._channel.send_rtp(held)

    def _tell_packet(self, fate: str, sequence: int, number: int, now_ns: int) -> None:
        fields = {"stream": self.stream, "session": self.session, "sequence": sequence, "number": number}
        self._truth.add("packet", {"fate": fate, **fields, "host_ns": now_ns})

    def _tell_session(self, action: str) -> None:
        now_ns = time.perf_counter_ns()
        fields = {"stream": self.stream, "session": self.session, "transport": self._channel.name}
        self._truth.add("session", {"action": action, **fields, "host_ns": now_ns})

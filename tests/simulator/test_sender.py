import time

import pytest

from psychopy_neon.simulator import SimulatorSettings
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.sender import RtpSender
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.rtcp import SenderReport, parse_compound
from psychopy_neon.wire.rtp import RtpPacket


class Recorder:
    """A channel that keeps what it is given."""

    name = "recorder"

    def __init__(self) -> None:
        self.sent: list[RtpPacket | SenderReport] = []
        self.is_broken = False
        self.closed = 0

    def send_rtp(self, data: bytes) -> None:
        if self.is_broken:
            raise ConnectionResetError
        self.sent.append(RtpPacket.parse(data))

    def send_rtcp(self, data: bytes) -> None:
        (report,) = parse_compound(data)
        assert isinstance(report, SenderReport)
        self.sent.append(report)

    def close(self) -> None:
        self.closed += 1


def sender(truth: TruthLog, clock: PhoneClock | None = None, **settings: float) -> tuple[RtpSender, Recorder]:
    channel = Recorder()
    made = RtpSender(
        "gaze",
        99,
        1,
        channel,
        clock or PhoneClock(),
        truth,
        SimulatorSettings(**settings),  # type: ignore[arg-type]
    )
    return made, channel


def test_a_report_comes_first_and_agrees_with_the_ticks() -> None:
    clock = PhoneClock(offset_ns=123_456_789)
    rtp, channel = sender(TruthLog(), clock)
    uptime_ns = clock.uptime_ns(time.perf_counter_ns())
    rtp.send([(b"a", False), (b"b", True)], uptime_ns, 0)
    report, first, second = channel.sent
    assert isinstance(report, SenderReport)
    assert isinstance(first, RtpPacket)
    assert isinstance(second, RtpPacket)
    assert (first.payload, first.marker, second.payload, second.marker) == (b"a", False, b"b", True)
    assert second.sequence == (first.sequence + 1) % 65536
    assert report.ssrc == first.ssrc == rtp.ssrc
    ticks = (first.timestamp - report.rtp_timestamp + 2**31) % 2**32 - 2**31
    assert report.unix_ns + ticks * 10**9 // 90_000 == pytest.approx(clock.device_ns_of_uptime(uptime_ns), abs=6000)


def test_a_step_of_the_clock_shows_in_the_next_report_only() -> None:
    clock = PhoneClock()
    rtp, channel = sender(TruthLog(), clock, report_interval_s=0.05)
    rtp.send([(b"", True)], 0, 0)
    clock.step(3 * 10**9)
    rtp.send([(b"", True)], 5_000_000, 1)
    time.sleep(0.06)
    rtp.send([(b"", True)], 10_000_000, 2)
    kinds = [type(each) for each in channel.sent]
    assert kinds == [SenderReport, RtpPacket, RtpPacket, SenderReport, RtpPacket]
    before, after = (each for each in channel.sent if isinstance(each, SenderReport))
    ticks = (after.rtp_timestamp - before.rtp_timestamp) % 2**32
    assert after.unix_ns - before.unix_ns - ticks * 10**9 // 90_000 == pytest.approx(3 * 10**9, abs=2)
    assert (after.packet_count, after.octet_count) == (2, 0)


def test_losses_are_seeded_and_told() -> None:
    runs = []
    for _ in range(2):
        truth = TruthLog()
        rtp, channel = sender(truth, loss=0.2)
        for number in range(500):
            rtp.send([(b"x", True)], number * 5_000_000, number)
        arrived = [each.sequence for each in channel.sent if isinstance(each, RtpPacket)]
        lost = [record["sequence"] for record in truth.records("packet")]
        assert {record["fate"] for record in truth.records("packet")} == {"lost"}
        assert len(arrived) + len(lost) == 500
        assert not set(arrived) & set(lost)
        assert 60 < len(lost) < 140
        runs.append(lost)
    assert runs[0] == runs[1]


def test_a_reordered_packet_follows_its_successor() -> None:
    truth = TruthLog()
    rtp, channel = sender(truth, reorder=0.3)
    for number in range(200):
        rtp.send([(b"x", True)], number * 5_000_000, number)
    arrived = [each.sequence for each in channel.sent if isinstance(each, RtpPacket)]
    late = {record["sequence"] for record in truth.records("packet") if record["fate"] == "reordered"}
    assert len(late) > 20
    for sequence in late & set(arrived):
        assert arrived[arrived.index(sequence) - 1] == (sequence + 1) % 65536
    assert len(set(arrived)) == len(arrived)
    assert len(arrived) in (199, 200), "the last one may still wait for its successor"


def test_a_client_that_has_gone_is_no_error() -> None:
    truth = TruthLog()
    rtp, channel = sender(truth)
    channel.is_broken = True
    assert rtp.send([(b"x", True)], 0, 0) is not None
    assert truth.records("packet")[0]["fate"] == "lost"
    rtp.close()
    rtp.close()
    assert rtp.send([(b"x", True)], 0, 1) is None
    assert [record["action"] for record in truth.records("session")] == ["open", "close"]

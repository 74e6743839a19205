"""The line from datagrams to samples, fed by hand: no sockets, no threads, time is an argument."""

import struct

import pytest
from datagrams import Offsets, gaze, rtp, sender_report

from psychopy_neon.device.media_line import MAX_WAITING, Counts
from psychopy_neon.device.pipeline import GazeLine
from psychopy_neon.wire.sdp import Media, RtpMap

MS = 1_000_000
S = 1000 * MS
HZ = 90_000
PERIOD = HZ // 200
T0 = 1_700_000_000 * S
OFFSET = T0  # so the host time of the first packet is 0
MEDIA = Media("application", 5006, (99,), {99: RtpMap("com.pupillabs.gaze1", HZ)})
SSRC = 0x11223344
OTHER = 0x55667788


class Gaze:
    """A gaze line and what came out of it. Packet ``n`` is 5 ms after packet ``n - 1`` and has x = n."""

    def __init__(self, offset_ns=OFFSET, first_sequence=100, first_ticks=1000):
        self.samples = []
        self.line = GazeLine(MEDIA, HZ, Offsets(offset_ns, 7 * MS), self.samples.append)
        self.first_sequence = first_sequence
        self.first_ticks = first_ticks

    def packet(self, n, ssrc=SSRC, **fields):
        return rtp(self.first_sequence + n, self.first_ticks + n * PERIOD, gaze(n), ssrc, **fields)

    def send(self, *numbers, at_ns=None, ssrc=SSRC):
        for n in numbers:
            self.line.receive(self.packet(n, ssrc), n * 5 * MS if at_ns is None else at_ns)

    def report(self, n=0, device_ns=T0, ssrc=SSRC):
        self.line.control(sender_report(device_ns + n * 5 * MS, self.first_ticks + n * PERIOD, ssrc), n * 5 * MS)

    @property
    def xs(self):
        return [sample.x for sample in self.samples]


@pytest.fixture
def line():
    gaze = Gaze()
    gaze.report()
    return gaze


def test_sample_has_both_times_and_their_bound(line):
    line.send(0, 1)
    first, second = line.samples
    assert first.device_ns == T0
    assert second.device_ns == T0 + 5 * MS
    assert second.host_ns == T0 + 5 * MS - OFFSET
    assert second.received_ns == 5 * MS
    # Of the offset, which is measured 10 s later; one tick; and what the phone's clock may be slewed in 5 ms.
    assert second.bound_ns == 7 * MS + (10 * S - 5 * MS) * 6 // 10_000 + 11_112 + 2_500
    assert (second.sequence, second.worn) == (101, True)
    assert line.line.counts == Counts(received=2)
    assert line.line.last_packet_ns == 5 * MS


def test_bound_grows_while_no_echo_comes(line):
    line.report(4000)
    line.send(4000)
    assert line.samples[0].bound_ns == 7 * MS + 6 * MS + 11_112  # 600 ppm of 10 s


def test_the_bound_is_that_of_when_the_datum_was_measured_not_of_when_it_came(line):
    line.send(0, at_ns=10 * S)
    assert line.samples[0].bound_ns == 7 * MS + 6 * MS + 11_112


def test_without_an_offset_the_smallest_delay_of_arrival_and_no_bound():
    line = Gaze(offset_ns=None)
    line.report()
    for n, arrived_ns in ((3, 24 * MS), (4, 22 * MS), (5, 31 * MS)):
        line.send(n, at_ns=arrived_ns)
    # The second came fastest, 2 ms after what it would be by the number of packets; the first could not know.
    assert [sample.host_ns for sample in line.samples] == [24 * MS, 22 * MS, 27 * MS]
    assert [sample.bound_ns for sample in line.samples] == [None] * 3


def test_loss(line):
    line.send(0, 1, 4)
    assert line.xs == [0, 1]
    line.line.due(34 * MS)
    assert line.xs == [0, 1]
    line.line.due(35 * MS)
    assert line.xs == [0, 1, 4]
    assert line.samples[-1].received_ns == 20 * MS, "the time of its own arrival"
    assert line.line.counts == Counts(received=3, lost=2)


def test_reorder_within_the_wait(line):
    line.send(0)
    line.line.receive(line.packet(2), 11 * MS)
    line.line.receive(line.packet(1), 13 * MS)
    assert line.xs == [0, 1, 2]
    assert [sample.received_ns for sample in line.samples] == [0, 13 * MS, 11 * MS]
    assert line.line.counts == Counts(received=3)


def test_too_late_after_the_wait(line):
    line.send(0, 2)
    line.line.due(S)
    line.send(1, 3)
    assert line.xs == [0, 2, 3]
    assert line.line.counts == Counts(received=4, late=1)


def test_duplicates(line):
    line.send(0, 1, 1, 0, 2, 4, 4)
    line.line.due(S)
    assert line.xs == [0, 1, 2, 4]
    assert line.line.counts == Counts(received=7, lost=1, duplicate=3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        bytes(12),
        rtp(101, 1450, gaze(1), payload_type=96),
        b"\x8f" + rtp(101, 1450, gaze(1))[1:20],
        bytes(range(256)) * 5,
    ],
    ids=["empty", "one", "version", "payload-type", "csrcs", "noise"],
)
def test_malformed_datagrams_are_counted(line, data):
    line.send(0)
    assert not line.line.receive(data, 1)
    line.send(1)
    assert line.xs == [0, 1]
    assert line.line.counts == Counts(received=2, malformed=1)
    assert line.line.last_packet_ns == 5 * MS


def test_payload_too_short_is_counted(line):
    line.send(0)
    line.line.receive(rtp(101, 1450, b"12345678"), 1)
    line.send(2)
    assert line.xs == [0, 2]
    assert line.line.counts == Counts(received=3, malformed=1)


@pytest.mark.parametrize("data", [b"\x80\xc8", b"\x80\xc8\xff\xff1234", b"\0" * 28])
def test_malformed_reports_are_counted(line, data):
    line.line.control(data, 1)
    assert line.line.counts.malformed == 1
    line.send(0)
    assert line.samples[0].device_ns == T0


def test_report_in_a_compound(line):
    data = sender_report(T0 + S, 1000 + HZ) + struct.pack("!BBHI", 0x81, 203, 1, SSRC)
    line.send(0)
    line.line.control(data, 1)
    assert line.line.reports == 2


def test_samples_before_the_first_report_are_kept():
    line = Gaze()
    line.send(0, 1, 2)
    assert line.samples == []
    line.report(2)
    assert line.xs == [0, 1, 2]
    assert [sample.device_ns for sample in line.samples] == [T0, T0 + 5 * MS, T0 + 10 * MS]
    assert [sample.received_ns for sample in line.samples] == [0, 5 * MS, 10 * MS]
    line.send(3)
    assert line.xs == [0, 1, 2, 3]
    assert line.line.counts.dropped == 0


def test_report_never_comes():
    line = Gaze()
    line.send(*range(MAX_WAITING + 10))
    assert line.samples == []
    assert line.line.reports == 0
    assert line.line.counts == Counts(received=MAX_WAITING + 10, dropped=10)


def test_report_that_came_before_the_first_packet_counts(line):
    line.send(5)
    assert line.samples[0].device_ns == T0 + 25 * MS
    assert line.line.reports == 1


def test_wrap_of_ticks_and_sequence():
    line = Gaze(first_sequence=0xFFFF - 3, first_ticks=2**32 - 5 * PERIOD)
    line.report()
    line.send(*range(10))
    assert line.xs == list(range(10))
    assert [sample.device_ns for sample in line.samples] == [T0 + n * 5 * MS for n in range(10)]
    assert line.line.counts == Counts(received=10)


def test_report_beyond_the_wrap():
    line = Gaze(first_ticks=2**32 - 3 * PERIOD)
    line.send(0, 1, 2, 3, 4)
    line.report(4)
    assert [sample.device_ns for sample in line.samples] == [T0 + n * 5 * MS for n in range(5)]


def test_clock_step_of_the_device(line):
    line.send(0)
    line.report(1, T0 - 3600 * S)
    line.send(1)
    assert [sample.device_ns for sample in line.samples] == [T0, T0 + 5 * MS - 3600 * S]


# Another source


def test_new_source_is_not_timed_by_the_old_clock(line):
    line.send(0, 1)
    other = 77_777_777
    line.line.receive(rtp(9000, other, gaze(50), OTHER), 20 * MS)
    assert line.xs == [0, 1]
    line.line.control(sender_report(T0 + 30 * MS, other + HZ // 100, OTHER), 30 * MS)
    assert line.xs == [0, 1, 50]
    assert line.samples[-1].device_ns == T0 + 20 * MS
    assert line.line.counts == Counts(received=3)


def test_report_of_the_old_source_does_not_time_the_new_one(line):
    line.send(0)
    line.line.receive(rtp(9000, 77_777_777, gaze(50), OTHER), 20 * MS)
    line.report(3)  # late, of the old source
    assert line.xs == [0]
    line.line.control(sender_report(T0 + 20 * MS, 77_777_777, OTHER), 30 * MS)
    assert line.samples[-1].device_ns == T0 + 20 * MS


def test_report_of_a_stranger_changes_nothing(line):
    line.send(0)
    line.line.control(sender_report(5 * S, 0, 0xDEADBEEF), 1)
    line.send(1)
    assert line.samples[-1].device_ns == T0 + 5 * MS


def test_report_of_a_stranger_before_the_first_packet():
    line = Gaze()
    line.report(0, 5 * S, OTHER)
    line.send(0)
    assert line.samples == []
    line.report()
    assert line.samples[0].device_ns == T0


def test_report_of_the_new_source_may_come_before_its_first_packet(line):
    line.send(0)
    line.line.control(sender_report(T0 + S, 77_777_777, OTHER), 15 * MS)
    line.send(1)
    line.line.receive(rtp(9000, 77_777_777, gaze(50), OTHER), 20 * MS)
    assert [sample.device_ns for sample in line.samples] == [T0, T0 + 5 * MS, T0 + S]


def test_what_waited_of_the_old_source_is_timed_by_the_old_clock(line):
    line.send(0, 2)
    assert line.xs == [0]
    line.line.receive(rtp(9000, 77_777_777, gaze(50), OTHER), 20 * MS)
    line.line.control(sender_report(T0 + 20 * MS, 77_777_777, OTHER), 30 * MS)
    assert line.xs == [0, 2, 50]
    assert [sample.device_ns for sample in line.samples] == [T0, T0 + 10 * MS, T0 + 20 * MS]
    assert line.samples[1].received_ns == 10 * MS
    assert line.line.counts == Counts(received=3, lost=1)


def test_untimed_samples_of_the_old_source_are_dropped():
    line = Gaze()
    line.send(0, 1)
    line.line.receive(rtp(9000, 77_777_777, gaze(50), OTHER), 20 * MS)
    line.line.control(sender_report(T0, 77_777_777, OTHER), 30 * MS)
    assert line.xs == [50]
    assert line.line.counts == Counts(received=3, dropped=2)


def test_first_packet_is_announced_once(line):
    seen = []
    line.line.on_first_packet = seen.append
    line.send(3, 4)
    assert seen == [15 * MS]


# Receiver reports, read by hand (RFC 3550 section 6.4.2)


def blocks_of(data):
    first, kind, words, own = struct.unpack_from("!BBHI", data)
    assert (first, kind, words) == (0x81, 201, 7)
    source, lost, highest, jitter, last_sr, delay = struct.unpack_from("!IIIIII", data, 8)
    cumulative = lost & 0xFFFFFF
    cumulative -= (cumulative & 0x800000) << 1
    rest = data[32:]
    assert rest[0] == 0x81
    assert rest[1] == 202
    assert len(rest) == 4 * (1 + struct.unpack_from("!H", rest, 2)[0])
    assert struct.unpack_from("!I", rest, 4)[0] == own
    assert rest[8:22] == b"\x01\x0dpsychopy-neon"[:14]
    return source, lost >> 24, cumulative, highest, jitter, last_sr, delay


def test_no_receiver_report_before_the_first_packet(line):
    assert line.line.receiver_report(0) is None


def test_receiver_report(line):
    line.send(0, 1, 4, 5)
    line.line.due(S)
    source, fraction, lost, highest, _, last_sr, delay = blocks_of(line.line.receiver_report(2 * S))
    assert source == SSRC
    assert (fraction, lost, highest) == (2 * 256 // 6, 2, 105)
    ntp = (T0 // S + 2_208_988_800) << 32
    assert last_sr == ntp >> 16 & 0xFFFFFFFF
    assert delay == 2 * 65536
    line.send(6, 7)
    _, fraction, lost, highest, *_ = blocks_of(line.line.receiver_report(3 * S))
    assert (fraction, lost, highest) == (0, 2, 107)


def test_receiver_report_counts_cycles_and_begins_anew_with_a_source():
    line = Gaze(first_sequence=0xFFFE)
    line.send(0, 1, 2, 3)
    _, fraction, lost, highest, *_, last_sr, delay = blocks_of(line.line.receiver_report(S))
    assert (fraction, lost, highest, last_sr, delay) == (0, 0, 0x10001, 0, 0)
    line.line.receive(rtp(9000, 5, gaze(50), OTHER), S)
    source, fraction, lost, highest, *_ = blocks_of(line.line.receiver_report(2 * S))
    assert (source, fraction, lost, highest) == (OTHER, 0, 0, 9000)


def test_sum_of_counts():
    assert Counts(1, 2, 3, 4, 5, 6) + Counts(10, 20, 30, 40, 50, 60) == Counts(11, 22, 33, 44, 55, 66)

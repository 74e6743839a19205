"""The line from datagrams to samples of the inertial sensor, fed by hand: no sockets, no threads."""

import struct

import pytest
from datagrams import Offsets, rtp, sender_report

from psychopy_neon.device.media_line import Counts
from psychopy_neon.device.pipeline import ImuLine
from psychopy_neon.wire.sdp import Media, RtpMap

MS = 1_000_000
S = 1000 * MS
HZ = 90_000
PERIOD = 9 * MS
T0 = 1_700_000_000 * S
MEDIA = Media("application", 5006, (100,), {100: RtpMap("com.pupillabs.imu1", HZ)})
OTHER = 0x55667788


def varint(value):
    done = b""
    while value > 127:
        done += bytes((value % 128 + 128,))
        value //= 128
    return done + bytes((value,))


def imu(n, device_ns):
    """Gyroscope x is the number; acceleration and orientation have one number each."""
    gyro = b"\x1a\x05\x0d" + struct.pack("<f", n)
    return b"\x08" + varint(device_ns) + gyro + b"\x12\x05\x1d" + struct.pack("<f", 1) + b"\x22\x05\x0d\0\0\x80\x3f"


class Imu:
    """A line and what came out of it. Packet ``n`` is 9 ms after packet ``n - 1``, and takes no time to come."""

    def __init__(self, offset_ns=T0):
        self.samples = []
        self.offsets = Offsets(offset_ns, 7 * MS)
        self.line = ImuLine(MEDIA, HZ, self.offsets, self.samples.append)

    def send(self, *numbers, at_ns=None, ssrc=1, ahead_ns=0):
        for n in numbers:
            data = rtp(100 + n, 77 + n * PERIOD * 9 // 100_000, imu(n, T0 + n * PERIOD + ahead_ns), ssrc, 100)
            self.line.receive(data, n * PERIOD if at_ns is None else at_ns)

    @property
    def numbers(self):
        return [sample.gyro_dps[0] for sample in self.samples]


@pytest.fixture
def line():
    return Imu()


def test_sample_has_both_times_without_a_report(line):
    line.send(0, 1)
    _, second = line.samples
    assert (second.device_ns, second.host_ns, second.received_ns) == (T0 + PERIOD, PERIOD, PERIOD)
    # That of the offset, which is measured 10 s later; the sensor's own time needs no ticks.
    assert second.bound_ns == 7 * MS + (10 * S - PERIOD) * 6 // 10_000
    assert (second.gyro_dps, second.accel_g, second.quaternion) == ((1, 0, 0), (0, 0, 1), (1, 0, 0, 0))
    assert second.sequence == 101
    assert line.line.counts == Counts(received=2)
    assert line.line.is_ready
    assert line.line.reports == 0


def test_without_an_offset_the_smallest_delay_of_arrival_and_no_bound():
    line = Imu(offset_ns=None)
    for n, delay_ns in ((3, 24 * MS), (4, 2 * MS), (5, 31 * MS)):
        line.send(n, at_ns=n * PERIOD + delay_ns)
    assert [sample.host_ns - n * PERIOD for n, sample in enumerate(line.samples, 3)] == [24 * MS, 2 * MS, 2 * MS]
    assert [sample.bound_ns for sample in line.samples] == [None] * 3


def test_loss_reorder_and_duplicates(line):
    line.send(0, 2, 1, 1, 5)
    assert line.numbers == [0, 1, 2]
    line.line.due(S)
    assert line.numbers == [0, 1, 2, 5]
    line.send(4, 6)
    assert line.numbers == [0, 1, 2, 5, 6]
    assert line.line.counts == Counts(received=7, lost=1, late=1, duplicate=1)


@pytest.mark.parametrize(
    "payload",
    [b"\x12\x0f\x0d", b"\x0b", b"\xff" * 1400, b"", imu(1, 0)[2:]],
    ids=["cut", "group", "noise", "empty", "no time"],
)
def test_hostile_payloads_are_counted(line, payload):
    line.send(0)
    line.line.receive(rtp(101, 5, payload, 1, 100), 1)
    line.send(2)
    assert line.numbers == [0, 2]
    assert line.line.counts == Counts(received=3, malformed=1)


def test_gaze_on_the_wrong_stream_is_counted(line):
    assert not line.line.receive(rtp(0, 0, imu(1, T0), 1, 99), 1)
    assert line.line.counts == Counts(malformed=1)


def test_after_a_step_of_the_clock_samples_wait_for_the_echoes(line):
    """They show it themselves, before any report."""
    line.offsets.settled_ns = 0
    line.send(0, 1)
    line.send(2, 3, ahead_ns=3 * S)
    assert line.numbers == [0, 1]
    line.offsets.newest = Offsets(T0 + 3 * S, 7 * MS).newest
    line.offsets.settled_ns = 3 * PERIOD
    line.line.due(4 * PERIOD)
    assert line.numbers == [0, 1, 2, 3]
    assert [sample.host_ns for sample in line.samples] == [n * PERIOD for n in range(4)]


def test_after_a_step_back_samples_do_not_wait_for_ever(line):
    line.offsets.settled_ns = 0
    line.send(0, 1)
    line.send(2, ahead_ns=-3 * S)
    line.line.due(2 * PERIOD + 499 * MS)
    assert line.numbers == [0, 1]
    line.line.due(2 * PERIOD + 500 * MS)
    assert line.numbers == [0, 1, 2]


def test_another_source_has_a_past_of_its_own(line):
    """An older time of a new source is no step of the clock."""
    line.offsets.settled_ns = 0
    line.send(500)
    line.send(0, at_ns=501 * PERIOD, ssrc=OTHER)
    assert line.numbers == [500, 0]
    line.line.control(sender_report(T0, 0, OTHER), 502 * PERIOD)
    assert line.line.reports == 1

"""The four words of a stream, without a device."""

import threading

import pytest

from psychopy_neon.device.buffers import Ring
from psychopy_neon.device.media_line import Counts
from psychopy_neon.device.stream import Stream
from psychopy_neon.errors import NeonError, NeonTimeoutError
from psychopy_neon.samples import GazeSample
from psychopy_neon.timing.host_clock import HostClock

S = 1_000_000_000


class Clock(HostClock):
    time_ns = 100 * S

    def now_ns(self):
        return self.time_ns


class Source:
    def __init__(self):
        self.counts = Counts(received=5, dropped=2)
        self.gaps = ()
        self.opened = 0
        self.pumped = 0
        self.error = None

    def open(self):
        self.opened += 1
        if self.error:
            raise self.error

    def pump(self):
        self.pumped += 1

    def pump_one(self, timeout_s):
        return False


def sample(number, host_ns, received_ns=None):
    received_ns = host_ns if received_ns is None else received_ns
    return GazeSample(0, host_ns, 1, float(number), 0.0, True, None, None, number, received_ns)


@pytest.fixture
def parts():
    ring, source, clock = Ring(8), Source(), Clock()
    return Stream("gaze", ring, source, clock, 0.25, lambda: None), ring, source, clock


def test_opens_at_first_use_but_not_for_health(parts):
    stream, _, source, _ = parts
    assert stream.health.received == 5
    assert source.opened == 0
    assert stream.latest() is None
    assert source.opened == 1


def test_latest_and_its_age(parts):
    stream, ring, _, clock = parts
    ring.add(sample(1, clock.time_ns - S // 4))
    assert stream.latest().sequence == 1
    clock.time_ns += 1
    assert stream.latest() is None
    assert stream.latest(max_age_s=None).sequence == 1
    assert stream.latest(max_age_s=1.0).sequence == 1
    assert stream.latest(max_age_s=0.0) is None


def test_take_and_wait_share_one_order(parts):
    stream, ring, _, clock = parts
    for number in range(4):
        ring.add(sample(number, clock.time_ns))
    assert stream.wait(0).sequence == 0
    assert [each.sequence for each in stream.take()] == [1, 2, 3]
    with pytest.raises(NeonTimeoutError, match="gaze"):
        stream.wait(0.01)


def test_reader_begins_now_and_is_independent(parts):
    stream, ring, _, clock = parts
    ring.add(sample(0, clock.time_ns))
    reader = stream.reader()
    ring.add(sample(1, clock.time_ns))
    assert [each.sequence for each in reader.take()] == [1]
    assert [each.sequence for each in stream.take()] == [0, 1]


def test_unread_items_are_counted(parts):
    stream, ring, _, clock = parts
    reader = stream.reader()
    for number in range(20):
        ring.add(sample(number, clock.time_ns))
    assert len(reader.take()) == 8
    assert reader.dropped == 12
    stream.take()
    assert stream.health.dropped == 2 + 12


def test_rate_and_age(parts):
    stream, ring, _, clock = parts
    assert (stream.health.rate_hz, stream.health.age_s) == (0.0, None)
    for number in range(8):
        ring.add(sample(number, clock.time_ns - S + number * 5_000_000))
    health = stream.health
    assert health.rate_hz == pytest.approx(200.0)
    assert health.age_s == pytest.approx(0.965)
    clock.time_ns += 3 * S
    assert stream.health.rate_hz == 0.0


def test_error_of_the_source_is_raised(parts):
    stream, _, source, _ = parts
    reader = stream.reader()
    source.error = NeonError("gone")
    for act in (stream.latest, stream.take, stream.wait, stream.reader, reader.take, reader.wait):
        with pytest.raises(NeonError, match="gone"):
            act()


def test_error_ends_a_wait_with_its_cause(parts):
    """A worker that dies while somebody waits: the wait tells of it instead of a time-out."""
    stream, _, source, _ = parts
    errors = []

    def wait():
        try:
            stream.wait(30)
        except NeonError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    source.error = NeonError("died")
    waiting.join(20)
    assert [str(error) for error in errors] == ["died"]

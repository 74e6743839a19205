"""Times of a stream's data: reports, segments and arrival brought together."""

import random

import pytest
from echoes import MS, Clock, Phone, S

from psychopy_neon.timing.arrival import ArrivalClock
from psychopy_neon.timing.sample_times import STEP_WAIT_NS, SampleTimes

HZ = 90_000
LATENCY_NS = 20 * MS


class Stream:
    """A phone whose wall clock may be set or slewed; its media count an even monotonic clock."""

    def __init__(self, phone, clock):
        self.phone = phone
        self.times = SampleTimes(HZ, clock)
        self.waiting, self.out = [], []  # (true host time, device, host, bound)

    def report(self, host_ns, delay_ns=LATENCY_NS):
        device_ns = host_ns + self.phone.offset_at(host_ns)
        self.times.add_report(host_ns * 9 // 100_000, device_ns, host_ns + delay_ns)

    def sample(self, host_ns):
        self.waiting.append(host_ns)
        while self.waiting and self.times.is_ready(host_ns + LATENCY_NS):
            taken_ns = self.waiting.pop(0)
            times = self.times.at(taken_ns * 9 // 100_000 & 0xFFFFFFFF, taken_ns + LATENCY_NS)
            self.out.append((taken_ns, *times))


def run(phone, step_s=None, step_ns=0, reports_at=(), seconds=14):
    """Echoes, samples and reports in the order of their arrival."""
    clock = Clock()
    stream = Stream(phone, clock)
    what = [(at_ns, "sample") for at_ns in range(0, seconds * S, 5 * MS)]
    what += [(round(at_s * S), "report") for at_s in reports_at]
    what += [(at_ns, "echo") for at_ns in range(0, seconds * S, 25 * MS)]
    is_stepped = step_s is None
    for at_ns, kind in sorted(what):
        if not is_stepped and at_ns >= step_s * S:
            phone.offset_ns += step_ns
            is_stepped = True
        if kind == "sample":
            stream.sample(at_ns)
        elif kind == "report":
            stream.report(at_ns)
        else:
            clock.add(phone.echo(at_ns))
    return stream


def assert_true(stream, since_s=0.5):
    for true_ns, _, host_ns, bound_ns in stream.out:
        if true_ns > since_s * S:
            assert abs(host_ns - true_ns) <= bound_ns, true_ns / S


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS, 40 * MS])
@pytest.mark.parametrize("after_s", [0.001, 0.02, 0.06, 0.9])
def test_every_sample_around_a_step_has_its_time_within_the_bound(step_ns, after_s):
    """The report that tells of the step comes before the echoes have noticed, or long after."""
    stream = run(Phone(), 10.0, step_ns, reports_at=(0, 3, 6, 9, 10 + after_s, 13))
    assert_true(stream)
    assert [true_ns for true_ns, *_ in stream.out] == list(range(0, 14 * S, 5 * MS)), "none is lost or out of order"


def test_reports_that_come_faster_than_echoes_do_not_end_the_wait():
    stream = run(Phone(), 10.003, 1_700 * MS, reports_at=(0, 5, *(10 + n / 1000 for n in range(4, 300, 3))))
    assert_true(stream)


def test_samples_between_a_step_and_the_next_report_belong_to_the_old_segment():
    phone = Phone()
    before_ns = phone.offset_ns
    stream = run(phone, 10.0, 5 * S, reports_at=(0, 13))
    for true_ns, device_ns, host_ns, _ in stream.out:
        if 11 * S < true_ns < 12.9 * S:
            assert device_ns - true_ns == pytest.approx(before_ns, abs=0.1 * MS)
            assert host_ns == pytest.approx(true_ns, abs=5 * MS)


def test_a_slewed_clock_is_within_the_bound():
    phone = Phone(drift=lambda s: 500e-6 * min(max(0, s - 5), 4))
    assert_true(run(phone, reports_at=(0, 3, 6, 9, 12)))


def test_a_report_that_jumped_is_not_waited_for_for_ever():
    phone, clock = Phone(), Clock()
    for exchange in phone.echoes(1):
        clock.add(exchange)
    stream = Stream(phone, clock)
    stream.report(S)
    phone.offset_ns += 5 * S
    stream.report(2 * S)  # and no echo any more
    assert not stream.times.is_ready(2 * S + LATENCY_NS + STEP_WAIT_NS - 1)
    assert stream.times.is_ready(2 * S + LATENCY_NS + STEP_WAIT_NS)


def test_without_echo_the_smallest_delay_stands_for_none():
    phone, times = Phone(), SampleTimes(HZ, Clock())
    times.add_report(0, phone.offset_ns, 0)
    assert times.is_ready(0)
    rng = random.Random(3)
    late = []
    for sent_ns in range(0, 20 * S, 5 * MS):
        delay_ns = 7 * MS + round(rng.expovariate(1 / (5 * MS)))
        _device_ns, host_ns, bound_ns = times.at(sent_ns * 9 // 100_000, sent_ns + delay_ns)
        assert bound_ns is None
        assert host_ns <= sent_ns + delay_ns
        late.append(host_ns - sent_ns)
    assert max(late[1000:]) - min(late[1000:]) < MS, "the distances are those of the device's clock"
    assert late[-1] == pytest.approx(7 * MS, abs=0.2 * MS)


def test_arrival_forgets_after_half_a_minute():
    clock = ArrivalClock()
    assert clock.host_ns(0, 2 * MS) == 2 * MS
    for second in range(1, 40):
        host_ns = clock.host_ns(second * S, second * S + 5 * MS)
    assert host_ns == 39 * S + 5 * MS
    clock.restart()
    assert clock.host_ns(100 * S, 7) == 7

"""Times of data that carry the device's own: before, at and after steps of its clock."""

import pytest
from echoes import MS, Clock, Phone, S

from psychopy_neon.timing.device_times import DeviceTimes
from psychopy_neon.timing.sample_times import STEP_WAIT_NS

HZ = 90_000
LATENCY_NS = 20 * MS
PERIOD_NS = 9 * MS


class Stream:
    """A phone whose clock may be set stamps data with it."""

    def __init__(self, phone, clock, disorder_ns=5 * MS):
        self.phone = phone
        self.times = DeviceTimes(HZ, clock, disorder_ns)
        self.waiting, self.out = [], []  # (true host time, device, host, bound, time of delivery)

    def datum(self, host_ns):
        device_ns, received_ns = host_ns + self.phone.offset_at(host_ns), host_ns + LATENCY_NS
        self.times.add(device_ns, received_ns)
        self.waiting.append((host_ns, device_ns, received_ns))
        self.release(received_ns)

    def release(self, now_ns):
        while self.waiting and self.times.is_ready(now_ns):
            true_ns, device_ns, received_ns = self.waiting.pop(0)
            self.out.append((true_ns, device_ns, *self.times.at(device_ns, received_ns), now_ns))

    def report(self, host_ns):
        self.times.add_report(host_ns * 9 // 100_000, host_ns + self.phone.offset_at(host_ns), host_ns + LATENCY_NS)


def run(phone, step_s=None, step_ns=0, seconds=14, every_ns=PERIOD_NS, reports_at=(), disorder_ns=5 * MS):
    """Echoes, data and reports in the order of their arrival."""
    clock = Clock()
    stream = Stream(phone, clock, disorder_ns)
    what = [(at_ns, "datum") for at_ns in range(0, seconds * S, every_ns)]
    what += [(round(at_s * S), "report") for at_s in reports_at]
    what += [(at_ns, "echo") for at_ns in range(0, seconds * S, 25 * MS)]
    is_stepped = step_s is None
    for at_ns, kind in sorted(what):
        if not is_stepped and at_ns >= step_s * S:
            phone.offset_ns += step_ns
            is_stepped = True
        if kind == "echo":
            clock.add(phone.echo(at_ns))
        else:
            getattr(stream, kind)(at_ns)
    return stream


def assert_true(stream, since_s=0.5):
    for true_ns, _, host_ns, bound_ns, _ in stream.out:
        if true_ns > since_s * S:
            assert abs(host_ns - true_ns) <= bound_ns, true_ns / S


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS, 90 * MS, -90 * MS])
@pytest.mark.parametrize("at_s", [10.0, 10.013, 10.02])
def test_every_datum_around_a_step_has_its_time_within_the_bound(step_ns, at_s):
    """Whether the data or the echoes notice first."""
    stream = run(Phone(), at_s, step_ns)
    assert_true(stream)
    assert [true_ns for true_ns, *_ in stream.out] == list(range(0, 14 * S, PERIOD_NS)), "none is lost or out of order"
    assert max(now_ns - true_ns for true_ns, *_, now_ns in stream.out) < LATENCY_NS + STEP_WAIT_NS
    assert {now_ns - true_ns for true_ns, *_, now_ns in stream.out if true_ns < 9 * S} == {LATENCY_NS}


def test_rare_data_in_disorder_learn_of_a_step_by_a_report():
    """A step by less than the disorder that is normal."""
    stream = run(Phone(), 10.0, -600 * MS, every_ns=300 * MS, reports_at=(0, 3, 6, 9, 10.01, 13), disorder_ns=S)
    assert_true(stream)


def test_what_began_before_a_step_is_converted_by_the_clock_of_then():
    phone, clock = Phone(), Clock()
    for at_ns in range(0, 20 * S, 25 * MS):
        if at_ns == 10 * S:
            before = phone.offset_ns
            phone.offset_ns += 5 * S
        clock.add(phone.echo(at_ns))
    times = DeviceTimes(HZ, clock, S)
    end_ns, received_ns = 10_200 * MS + phone.offset_ns, 10_300 * MS
    times.add(end_ns, received_ns)
    end_host_ns, end_bound_ns = times.at(end_ns, received_ns)
    assert abs(end_host_ns - 10_200 * MS) <= end_bound_ns
    for start_host_ns in (9_000 * MS, 9_980 * MS):
        host_ns, bound_ns = times.before(start_host_ns + before, end_ns, end_host_ns)
        assert abs(host_ns - start_host_ns) <= bound_ns
    host_ns, bound_ns = times.before(10_100 * MS + phone.offset_ns, end_ns, end_host_ns)
    assert abs(host_ns - 10_100 * MS) <= bound_ns


def test_data_that_are_always_from_the_future_are_waited_for_once():
    """A sensor whose stamps are ahead is no step at every datum."""
    phone, clock = Phone(), Clock()
    for exchange in phone.echoes(1):
        clock.add(exchange)
    times = DeviceTimes(HZ, clock, 5 * MS)
    waits = 0
    for at_ns in range(S, 3 * S, PERIOD_NS):
        times.add(at_ns + phone.offset_ns + 200 * MS, at_ns)
        waits += not times.is_ready(at_ns)
    assert 0 < waits <= -(-STEP_WAIT_NS // PERIOD_NS), "and not for ever, although no echo comes"


def test_one_absurd_time_does_not_stop_the_stream():
    phone, clock = Phone(), Clock()
    for exchange in phone.echoes(1):
        clock.add(exchange)
    stream = Stream(phone, clock)
    for number in range(200):
        at_ns = S + number * PERIOD_NS
        if number in (20, 21):
            stream.times.add((2**64 - 1, 0)[number - 20], at_ns)
        stream.datum(at_ns)
    assert len(stream.out) == 200
    assert_true(stream)


def test_without_echo_the_smallest_delay_stands_for_none():
    phone = Phone()
    times = DeviceTimes(HZ, Clock(), S)
    for at_ns, delay_ns in ((0, 30 * MS), (300 * MS, 12 * MS), (700 * MS, 40 * MS)):
        device_ns = at_ns + phone.offset_ns
        times.add(device_ns, at_ns + delay_ns)
        assert times.is_ready(at_ns + delay_ns)
        host_ns, bound_ns = times.at(device_ns, at_ns + delay_ns)
    assert (host_ns, bound_ns) == (712 * MS, None)
    assert times.before(device_ns - 250 * MS, device_ns, host_ns) == (462 * MS, None)
    assert times.before(device_ns + 5 * S, device_ns, host_ns) == (712 * MS, None)
    times.add(device_ns - 5 * S, 800 * MS)  # set back: the delays of before mean nothing
    assert times.at(device_ns - 5 * S, 800 * MS) == (800 * MS, None)

"""Times of samples beside a phone whose clock is set, slewed or silent: the whole client and the ground truth."""

import pytest
from fakes import wait_until

from psychopy_neon.device.neon import Neon
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

pytestmark = pytest.mark.once
MS = 1_000_000
S = 1000 * MS


@pytest.fixture
def simulate():
    running = []

    def start(**settings):
        simulated = SimulatedNeon(SimulatorSettings(number_gaze=True, **settings)).start()
        running.append(simulated)
        return simulated

    yield start
    for each in running:
        each.close()


def take(reader, count):
    return [reader.wait(20) for _ in range(count)]


def assert_true(simulated, samples):
    last = int(samples[-1].x)
    wait_until(lambda: any(record["number"] == last for record in simulated.truth.records("gaze")))
    truth = {record["number"]: record for record in simulated.truth.records("gaze")}
    for sample in samples:
        assert abs(sample.host_ns - truth[int(sample.x)]["host_ns"]) <= sample.bound_ns, int(sample.x) - last
    numbers = [int(sample.x) for sample in samples]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS])
@pytest.mark.parametrize("interval_s", [0.05, 0.7])
def test_every_sample_around_a_step_has_its_time(simulate, step_ns, interval_s):
    """Whether the report that tells of it comes before the echoes have noticed, or long after."""
    simulated = simulate(offset_ns=500 * MS, drift_ppm=40, report_interval_s=interval_s)
    with Neon(simulated.address) as neon:
        reader = neon.gaze.reader()
        samples = take(reader, 100)
        simulated.step_clock(step_ns)
        samples += take(reader, 300)
        wait_until(lambda: len(neon.clock.history) == 2)
        _, segment = neon.clock.history
    assert_true(simulated, samples)
    step = next(record for record in simulated.truth.records("clock") if record["cause"] == "step")
    assert segment.began_after_ns <= step["host_ns"] <= segment.began_before_ns
    assert segment.step_ns == pytest.approx(step_ns, abs=10 * MS)


def test_a_slewed_and_drifting_clock(simulate):
    simulated = simulate(drift_ppm=40, echo_jitter_ms=2)
    with Neon(simulated.address) as neon:
        reader = neon.gaze.reader()
        samples = take(reader, 100)
        simulated.slew_clock(1 * MS)
        samples += take(reader, 150)
        simulated.set_drift(-40)
        samples += take(reader, 150)
        assert len(neon.clock.history) == 1
        assert_true(simulated, samples)


def test_without_time_echo_there_is_no_bound_and_a_reason(simulate):
    simulated = simulate(has_echo=False)
    with Neon(simulated.address) as neon:
        samples = take(neon.gaze.reader(), 100)
        assert {sample.bound_ns for sample in samples} == {None}
        assert all(sample.host_ns <= sample.received_ns for sample in samples)
        assert "no time echo" in neon.gaze.health.clock_trouble
        assert neon.clock.newest is None


def test_the_reason_goes_with_the_first_echo_and_comes_back_with_silence(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        assert neon.clock.wait(20)
        assert neon.gaze.health.clock_trouble is None
        known = neon.clock.offset
        simulated.set_echo("closed")
        wait_until(lambda: neon.gaze.health.clock_trouble is not None, 20)
        later_ns = neon.host_clock.now_ns()
        assert neon.clock.offset.bound_at_ns(later_ns) > known.bound_ns
        assert neon.clock.offset_at(later_ns).bound_ns == neon.clock.offset.bound_at_ns(later_ns)
        simulated.set_echo("normal")
        wait_until(lambda: neon.gaze.health.clock_trouble is None, 20)

from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.simulator.phone_clock import PhoneClock, ticks_of_uptime, uptime_of_ticks

START = (1_000_000, 1_700_000_000_000_000_000)


def test_offset_and_steps_are_exact_without_drift() -> None:
    clock = PhoneClock(offset_ns=7, start=START)
    assert clock.device_ns(1_000_000) == START[1] + 7
    assert clock.device_ns(1_000_123) == START[1] + 130
    clock.step(-50)
    assert clock.device_ns(1_000_123) == START[1] + 80
    assert clock.host_ns(START[1] + 80) == 1_000_123
    assert clock.uptime_ns(1_000_123) == 123, "the monotonic clock does not step"


def test_drift_is_relative_to_the_host() -> None:
    clock = PhoneClock(drift_ppm=100, start=START)
    assert clock.device_ns(1_000_000 + 10**9) - START[1] == 10**9 + 100_000


@given(st.integers(0, 10**14), st.floats(-10_000, 10_000), st.integers(-(10**15), 10**15))
def test_there_and_back(progress: int, drift_ppm: float, offset: int) -> None:
    clock = PhoneClock(offset, drift_ppm, START)
    host_ns = START[0] + progress
    assert abs(clock.host_ns(clock.device_ns(host_ns)) - host_ns) <= 1


@given(st.integers(0, 10**12))
def test_ticks_there_and_back(ticks: int) -> None:
    assert ticks_of_uptime(uptime_of_ticks(ticks)) == ticks

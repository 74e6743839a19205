"""The clock offset and its bound."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.timing.offset import ClockOffset, Exchange, OffsetEstimator

times = st.integers(-(2**70), 2**70)


@given(times, times)
def test_there_and_back_is_the_identity(offset_ns, time_ns):
    offset = ClockOffset(offset_ns, 0, 0.0, 0, 1, 0, 0)

    assert offset.host_ns(offset.device_ns(time_ns)) == time_ns
    assert offset.device_ns(offset.host_ns(time_ns)) == time_ns


@pytest.mark.parametrize("offset_ms", [500, -500])
def test_the_sign_is_device_minus_host(offset_ms):
    offset = OffsetEstimator().add(Exchange(10_000_000_000, 10_002_000_000, 10_001 + offset_ms))

    assert offset.offset_ns == pytest.approx(offset_ms * 1e6, abs=offset.bound_ns)
    assert offset.device_ns(0) == offset.offset_ns
    assert offset.bound_ns == 1_500_000


@pytest.mark.parametrize("seed", range(20))
def test_the_true_offset_always_lies_within_the_bound(seed):
    rng = random.Random(seed)
    drift_ppm = rng.uniform(-50, 50)
    estimator = OffsetEstimator()
    now_ns, start_offset_ns = 10**12, rng.randrange(-(10**12), 10**12)
    for _ in range(400):
        now_ns += rng.randrange(5_000_000, 500_000_000)
        there_ns, back_ns = (int(rng.expovariate(1 / 4e6)) for _ in range(2))
        true_ns = start_offset_ns + int((now_ns - 10**12) * drift_ppm / 1e6)
        offset = estimator.add(Exchange(now_ns - there_ns, now_ns + back_ns, (now_ns + true_ns) // 1_000_000))

        assert abs(offset.offset_ns - true_ns) <= offset.bound_ns + back_ns // 10_000
        assert offset.segment == 0


def test_a_step_of_the_phone_begins_a_segment():
    estimator = OffsetEstimator()
    for second in range(5):
        estimator.add(Exchange(second * 10**9, second * 10**9 + 2_000_000, second * 1000 + 1))
    stepped = estimator.add(Exchange(6 * 10**9, 6 * 10**9 + 2_000_000, 9001))

    assert stepped.segment == 1
    assert stepped.exchanges == 1
    assert stepped.offset_ns == pytest.approx(3 * 10**9, abs=stepped.bound_ns)
    assert [offset.segment for offset in estimator.history] == [0, 1]


def test_the_bound_grows_while_no_echo_renews_it():
    offset = OffsetEstimator().add(Exchange(0, 2_000_000, 1000))

    assert offset.bound_at_ns(offset.updated_at_ns) == offset.bound_ns
    assert offset.bound_at_ns(offset.updated_at_ns + 10 * 10**9) == offset.bound_ns + 1_000_000

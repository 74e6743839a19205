"""The clock offset and its bound."""

import dataclasses
import math

import pytest
from echoes import MS, Phone, S
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.timing.offset import CONFIRMING, ClockOffset, Exchange, OffsetEstimator

times = st.integers(-(2**70), 2**70)


def fed(phone, seconds=5.0, **options):
    estimator = OffsetEstimator(**options)
    for exchange in phone.echoes(seconds):
        estimator.add(exchange)
    return estimator


def assert_holds(estimator, phone):
    offset = estimator.current
    assert abs(offset.offset_ns - phone.offset_at(offset.measured_at_ns)) <= offset.bound_ns


@given(times, times)
def test_there_and_back_is_the_identity(offset_ns, time_ns):
    offset = ClockOffset(offset_ns, 0, 0.0, 0.0, 0, 1, 0)

    assert offset.host_ns(offset.device_ns(time_ns)) == time_ns
    assert offset.device_ns(offset.host_ns(time_ns)) == time_ns


@pytest.mark.parametrize("offset_ns", [500 * MS, -500 * MS, 0, 1_700_000_000 * S, -7_300_000_000 * S])
def test_the_sign_is_device_minus_host(offset_ns):
    phone = Phone(offset_ns=offset_ns)
    offset = fed(phone).current

    assert abs(offset.offset_ns - offset_ns) <= offset.bound_ns < MS
    assert offset.device_ns(0) == offset.offset_ns


def test_one_echo_limits_the_offset_from_both_sides():
    """Sent at 10.000 s, received at 10.004 s, the phone says 10.502: it lies between 0.498 and 0.503 s ahead."""
    estimator = OffsetEstimator()
    for _ in range(CONFIRMING):
        offset = estimator.add(Exchange(10_000 * MS, 10_004 * MS, 10_502))

    assert offset.offset_ns == pytest.approx(500.5 * MS, abs=0.01 * MS)
    assert offset.bound_ns == pytest.approx(2.5 * MS, abs=0.01 * MS)


def test_nothing_is_said_before_echoes_agree():
    estimator = OffsetEstimator()
    assert [estimator.add(exchange) for exchange in list(Phone().echoes(1))[: CONFIRMING - 1]] == [None, None]
    assert (estimator.current, estimator.settled_ns, estimator.is_doubtful) == (None, None, True)


CLOCKS = {
    "even": lambda s: 40e-6 * s,
    "changed": lambda s: 40e-6 * s - 20e-6 * max(0, s - 10),
    "reversed": lambda s: 40e-6 * s - 80e-6 * max(0, s - 10),
    "slewed": lambda s: 40e-6 * s + 500e-6 * min(max(0, s - 10), 4),
    "slewed back": lambda s: 40e-6 * s - 500e-6 * min(max(0, s - 10), 4),
    "slewed shortly": lambda s: 500e-6 * min(max(0, s - 10), 0.3),
    "wandering": lambda s: 2e-3 * math.sin(s / 60),
}


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(("out_ms", "back_ms"), [(4.0, 1.3), (8.0, 8.0), (0.0, 0.2)])
def test_the_true_offset_always_lies_within_the_bound(clock, out_ms, back_ms):
    for seed in range(3):
        phone = Phone(seed, drift=CLOCKS[clock], out_ms=out_ms, back_ms=back_ms)
        estimator = OffsetEstimator()
        for exchange in phone.echoes(20):
            if estimator.current is not None:
                just_before_ns = exchange.sent_ns
                bound_ns = estimator.current.bound_at_ns(just_before_ns)
                assert abs(estimator.current.offset_ns - phone.offset_at(just_before_ns)) <= bound_ns
            estimator.add(exchange)
        assert (estimator.segment, estimator.outliers) == (0, 0)
        assert estimator.current.bound_ns < 2 * MS


def test_the_drift_is_found_with_a_bound_of_its_own():
    offset = fed(Phone(drift=lambda s: 40e-6 * s), 30).current

    assert abs(offset.drift_ppm - 40) <= offset.drift_bound_ppm < 60


def test_a_change_of_rate_is_noticed():
    estimator = fed(Phone(drift=CLOCKS["slewed"], out_ms=1, back_ms=1), 20)
    assert estimator.rate_changes >= 2
    assert fed(Phone(drift=CLOCKS["even"]), 20).rate_changes == 0


def test_a_phone_that_rounds_needs_the_wider_bound():
    """It is up to half a millisecond ahead of one that cuts: too much for what a good path allows."""
    is_wrong = []
    for rounding in ("floor", "any"):
        phone = Phone(out_ms=0.1, back_ms=0.1)
        phone.rounding_ns = MS // 2
        offset = fed(phone, 20, rounding=rounding).current
        is_wrong.append(abs(offset.offset_ns - phone.offset_ns) > offset.bound_ns)
    assert is_wrong == [True, False]


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS, 20 * MS, -(10**18)])
def test_a_step_is_dated_between_two_echoes_and_begins_a_segment(step_ns):
    phone = Phone(drift=lambda s: 40e-6 * s)
    estimator = fed(phone, 10)
    echoes = list(phone.echoes(1, from_s=10))
    phone.offset_ns += step_ns
    stepped = list(phone.echoes(5, from_s=11))
    for exchange in (*echoes, *stepped):
        estimator.add(exchange)
        first_seen = exchange.sent_ns >= stepped[0].sent_ns
        assert not first_seen or estimator.current.bound_ns >= abs(
            estimator.current.offset_ns - phone.offset_at(estimator.current.measured_at_ns)
        ), "as long as it is not known what happened the bound covers both"
    assert estimator.current.segment == 1
    assert estimator.began_ns == (echoes[-1].sent_ns, stepped[0].received_ns)
    assert estimator.current.exchanges == len(stepped)
    assert_holds(estimator, phone)


@pytest.mark.parametrize("lie_ms", [50, -50, -1_700_000_000_000, 7_000_000_000_000, -10])
def test_an_echo_that_lies_is_counted_and_changes_nothing(lie_ms):
    phone = Phone()
    estimator = fed(phone, 5)
    before = estimator.current
    echoes = list(phone.echoes(1, from_s=5))
    for lying in echoes[:2]:
        estimator.add(dataclasses.replace(lying, device_ms=lying.device_ms + lie_ms))
        assert estimator.is_doubtful
        assert estimator.current.offset_ns == before.offset_ns
        assert estimator.current.bound_ns >= abs(lie_ms) * MS
    for exchange in echoes[2:]:
        estimator.add(exchange)
    assert (estimator.outliers, estimator.segment, estimator.is_doubtful) == (2, 0, False)
    assert_holds(estimator, phone)


def test_lies_that_do_not_agree_begin_no_segment():
    phone = Phone()
    estimator = fed(phone, 5)
    for number, exchange in enumerate(phone.echoes(1, from_s=5)):
        estimator.add(dataclasses.replace(exchange, device_ms=exchange.device_ms + 1000 * (number % 2 + 1)))
    assert estimator.segment == 0
    assert estimator.outliers > 20


def test_a_long_echo_is_no_lie():
    phone = Phone()
    estimator = fed(phone, 5)
    bound_ns = estimator.current.bound_ns
    late = phone.echo(5 * S)
    estimator.add(dataclasses.replace(late, received_ns=late.received_ns + 300 * MS))
    assert estimator.outliers == 0
    assert bound_ns <= estimator.current.bound_ns < bound_ns + 300 * MS * 600 / 1e6 + 10_000


def test_the_bound_grows_while_no_echo_renews_it():
    offset = fed(Phone()).current

    assert offset.bound_at_ns(offset.measured_at_ns) == offset.bound_ns
    assert offset.bound_at_ns(offset.measured_at_ns + 10 * S) == offset.bound_ns + 6 * MS
    assert offset.bound_at_ns(offset.measured_at_ns - 10 * S) == offset.bound_ns + 6 * MS


def test_a_silence_is_survived():
    """Twenty seconds without echo, in which the clock is slewed."""
    phone = Phone(drift=lambda s: 500e-6 * min(max(0, s - 6), 5))
    estimator = fed(phone, 5)
    for exchange in phone.echoes(5, from_s=25):
        estimator.add(exchange)
        assert_holds(estimator, phone)
    assert (estimator.segment, estimator.outliers) == (0, 0)

from __future__ import annotations

import math
import random

import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.filters import OneEuroFilter

MS = 1_000_000


def test_the_first_place_is_taken_as_it_is() -> None:
    assert OneEuroFilter().update(7, (3.0, 4.0)) == (3.0, 4.0)


def test_one_step_by_hand() -> None:
    """Cut-off 1 Hz, 10 ms later: the time constant is 159 ms, so the place moves by a share of 1 / 16.9."""
    steady = OneEuroFilter(min_cutoff_hz=1.0, beta=0.0)
    steady.update(0, (0.0, 100.0))
    assert steady.update(10 * MS, (10.0, 100.0)) == (pytest.approx(10 / (1 + 1 / (2 * math.pi * 0.01))), 100.0)


@pytest.mark.parametrize("steps_ms", [[5], [17], [5, 5, 30, 5]])
def test_a_slow_movement_is_late_by_the_stated_delay(steps_ms: list[int]) -> None:
    steady, at_ns = OneEuroFilter(min_cutoff_hz=1.5, beta=0.01), 0
    speed_px_s = 20.0
    pos = steady.update(0, (0.0, 0.0))
    for number in range(1000):
        at_ns += steps_ms[number % len(steps_ms)] * MS
        pos = steady.update(at_ns, (speed_px_s * at_ns / 1e9, 0.0))
    assert speed_px_s * at_ns / 1e9 - pos[0] == pytest.approx(speed_px_s * steady.delay_s, rel=0.05)
    assert steady.delay_s == pytest.approx(1 / (2 * math.pi * (1.5 + 0.01 * speed_px_s)), rel=0.01)


def test_rest_gets_calm_and_a_jump_stays_quick() -> None:
    noise, steady = random.Random(1), OneEuroFilter()
    rest = [steady.update(n * 5 * MS, (noise.gauss(0, 8), 0.0))[0] for n in range(400)]
    assert math.sqrt(sum(x * x for x in rest[200:]) / 200) < 8 / 3
    calm_delay_s = steady.delay_s
    for n in range(400, 410):  # 400 px in 50 ms
        steady.update(n * 5 * MS, (40.0 * (n - 399), 0.0))
    assert steady.delay_s < calm_delay_s / 5
    for n in range(410, 430):
        pos = steady.update(n * 5 * MS, (400.0, 0.0))
    assert pos[0] == pytest.approx(400, abs=10)


def test_a_movement_is_not_bent() -> None:
    steady = OneEuroFilter()
    for n in range(100):
        x, y = steady.update(n * 5 * MS, (30.0 * n, 1.0 * n))
        assert y * 30 == pytest.approx(x)


def test_after_a_gap_it_begins_anew() -> None:
    steady = OneEuroFilter(gap_s=0.1)
    steady.update(0, (0.0, 0.0))
    assert steady.update(100 * MS, (50.0, 0.0))[0] < 50.0
    assert steady.update(201 * MS, (90.0, 0.0)) == (90.0, 0.0)


def test_a_time_that_was_there_before_changes_nothing() -> None:
    steady = OneEuroFilter()
    steady.update(0, (0.0, 0.0))
    pos = steady.update(5 * MS, (10.0, 0.0))
    assert steady.update(5 * MS, (500.0, 500.0)) == pos
    assert steady.update(4 * MS, (500.0, 500.0)) == pos


@pytest.mark.parametrize(
    ("setting", "value"), [("min_cutoff_hz", 0.0), ("beta", -0.1), ("speed_cutoff_hz", math.nan), ("gap_s", 0.0)]
)
def test_what_cannot_be_used_is_refused(setting: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        OneEuroFilter(**{setting: value})

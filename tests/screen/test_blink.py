from __future__ import annotations

import math

from psychopy_neon.samples import EyeState, GazeSample
from psychopy_neon.screen.blink import BlinkWatch


def sample(at_ms: float, left_mm: float | None, right_mm: float | None = 9.0, has_eyes: bool = True) -> GazeSample:
    eyes = (EyeState(aperture_mm=left_mm), EyeState(aperture_mm=right_mm)) if has_eyes else (None, None)
    return GazeSample(round(at_ms * 1e6), 0, None, 800.0, 600.0, True, *eyes, 0, 0)


def test_closed_lids_are_a_blink_until_a_moment_after() -> None:
    watch = BlinkWatch(2.0, 0.05)
    assert not watch.is_blink(sample(0, 9.0))
    assert watch.is_blink(sample(5, 1.9, 1.0))
    assert watch.is_blink(sample(10, 0.0, 0.0))
    assert watch.is_blink(sample(15, 9.0))
    assert watch.is_blink(sample(59.9, 9.0))
    assert not watch.is_blink(sample(60, 9.0))
    assert not watch.is_blink(sample(65, 9.0))


def test_a_wink_is_no_blink() -> None:
    watch = BlinkWatch(2.0, 0.05)
    assert not watch.is_blink(sample(0, 0.5, 9.0))
    assert not watch.is_blink(sample(5, 9.0, 0.5))


def test_eyes_without_lids_are_never_closed() -> None:
    watch = BlinkWatch(2.0, 0.05)
    assert not watch.is_blink(sample(0, None, None))
    assert not watch.is_blink(sample(5, 0.5, None))
    assert not watch.is_blink(sample(10, None, None, has_eyes=False))
    assert not watch.is_blink(sample(15, math.nan, math.nan))


def test_it_can_be_switched_off() -> None:
    watch = BlinkWatch(0.0, 0.05)
    assert not watch.is_blink(sample(0, 0.0, 0.0))


def test_a_clock_that_is_set_back_leaves_no_blink_behind() -> None:
    watch = BlinkWatch(2.0, 0.05)
    assert watch.is_blink(sample(10_000, 0.5, 0.5))
    assert not watch.is_blink(sample(9_990, 9.0))

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from psychopy_neon.errors import ConfigurationError

TOLERANCE_S = 0.002
"""Both clocks are read within microseconds, but a busy computer may pause the test anywhere."""


class OtherTimeBase:
    """A clock that has nothing to do with the host's counter, and jumps."""

    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s

    def getTime(self) -> float:  # noqa: N802 (PsychoPy's name)
        return time.perf_counter_ns() * 1e-9 + self.ahead_s


class Halting(OtherTimeBase):
    """Loses the processor in all readings but one, after it has read."""

    readings = 0

    def getTime(self) -> float:  # noqa: N802
        seconds = super().getTime()
        self.readings += 1
        if self.readings != 3:
            time.sleep(0.05)
        return seconds


def test_now_is_now(psychopy: SimpleNamespace) -> None:
    before = psychopy.core.getTime()
    now_s = psychopy.clock.psychopy_from_host_s(time.perf_counter_ns())
    assert before - TOLERANCE_S <= now_s <= psychopy.core.getTime() + TOLERANCE_S


@pytest.mark.parametrize("ago_s", [0.0, 0.3, 3600.0, -2.0])
def test_there_and_back(psychopy: SimpleNamespace, ago_s: float) -> None:
    host_ns = time.perf_counter_ns() - round(ago_s * 1e9)
    seconds = psychopy.clock.psychopy_from_host_s(host_ns)
    assert abs(psychopy.clock.host_ns_from_psychopy(seconds) - host_ns) < TOLERANCE_S * 1e9


def test_a_reset_is_seen_at_once(psychopy: SimpleNamespace) -> None:
    clock = psychopy.core.Clock()
    host_ns = time.perf_counter_ns()
    assert abs(psychopy.clock.psychopy_from_host_s(host_ns, clock)) < TOLERANCE_S
    clock.addTime(100.0)
    assert psychopy.clock.psychopy_from_host_s(host_ns, clock) == pytest.approx(clock.getTime(), abs=1.0)
    clock.reset()
    time.sleep(0.02)
    assert psychopy.clock.psychopy_from_host_s(host_ns, clock) < 0  # it was before the reset


def test_another_time_base_that_jumps(psychopy: SimpleNamespace) -> None:
    clock = OtherTimeBase(1.7e9)
    host_ns = 5_000_000_000
    assert psychopy.clock.psychopy_from_host_s(host_ns, clock) == pytest.approx(1.7e9 + 5, abs=TOLERANCE_S)
    clock.ahead_s = -3.0
    assert psychopy.clock.psychopy_from_host_s(host_ns, clock) == pytest.approx(2, abs=TOLERANCE_S)
    assert psychopy.clock.host_ns_from_psychopy(2.0, clock) == pytest.approx(host_ns, abs=TOLERANCE_S * 1e9)


def test_a_pause_between_the_readings_does_not_count(psychopy: SimpleNamespace) -> None:
    clock = Halting(10.0)
    assert psychopy.clock.psychopy_from_host_s(0, clock) == pytest.approx(10.0, abs=TOLERANCE_S)


def test_a_clock_that_counts_down_is_refused(psychopy: SimpleNamespace) -> None:
    with pytest.raises(ConfigurationError, match="counts up"):
        psychopy.clock.psychopy_from_host_s(0, psychopy.core.CountdownTimer(5))


def test_the_default_clock_is_the_one_of_now(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psychopy.logging, "defaultClock", OtherTimeBase(50.0))
    assert psychopy.clock.psychopy_from_host_s(0) == pytest.approx(50.0, abs=TOLERANCE_S)


@pytest.mark.parametrize("wait_blanking", [True, False])
def test_the_flip_lies_within_the_call(psychopy: SimpleNamespace, open_window, wait_blanking: bool) -> None:
    win = open_window((320, 240), waitBlanking=wait_blanking)
    before_ns = time.perf_counter_ns()
    returned = win.flip()
    after_ns = time.perf_counter_ns()
    flip_ns = psychopy.clock.host_ns_of_flip(win)
    assert before_ns - TOLERANCE_S * 1e9 < flip_ns < after_ns + TOLERANCE_S * 1e9
    if wait_blanking:
        assert abs(psychopy.clock.host_ns_from_psychopy(returned) - flip_ns) < TOLERANCE_S * 1e9


def test_a_window_that_was_never_flipped(psychopy: SimpleNamespace) -> None:
    with pytest.raises(ConfigurationError, match="flipped"):
        psychopy.clock.host_ns_of_flip(SimpleNamespace(_frameTimes=[], name="unseen"))

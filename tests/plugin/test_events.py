from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.errors import ClockNotReadyError, ConfigurationError, NeonTimeoutError

TOLERANCE_NS = 1_000_000
"""What an event may be off besides the device's own clock."""


@pytest.fixture
def events(psychopy: SimpleNamespace, neon):
    return psychopy.events.NeonEvents(neon)


@pytest.fixture
def win(open_window):
    return open_window((320, 240))


@pytest.mark.parametrize("wait_blanking", [True, False])
def test_the_event_has_the_time_of_the_flip(open_window, events, neon, judge, wait_blanking: bool) -> None:
    win = open_window((320, 240), waitBlanking=wait_blanking)
    event = events.sendEventOnFlip(win, "onset")
    assert (neon.sent, event.host_ns, event.is_done, events.waiting) == ([], None, False, 1)
    before_ns = time.perf_counter_ns()
    win.flip()
    after_ns = time.perf_counter_ns()
    assert neon.sent == [("onset", event.host_ns)]
    assert before_ns - TOLERANCE_NS <= event.host_ns <= after_ns + TOLERANCE_NS
    assert judge.is_fair(event.host_ns, win._frameTime)
    assert event.wait(timeout_s=0).device_ns == event.host_ns
    assert (event.is_done, event.error, events.waiting, events.sent) == (True, None, 0, 1)


def test_each_event_at_its_own_flip(win, events, neon, judge) -> None:
    flips = []
    for frame in range(20):
        if frame % 3 == 0:
            events.sendEventOnFlip(win, f"frame {frame}")
            events.sendEventOnFlip(win, f"also {frame}")
        win.flip()
        flips.append(win._frameTime)
    names = [f"{word} {frame}" for frame in range(0, 20, 3) for word in ("frame", "also")]
    assert neon.names == names
    assert all(judge.is_fair(at_ns, flips[int(name.split()[1])]) for name, at_ns in neon.sent)


def reset(psychopy: SimpleNamespace, clock) -> None:
    clock.reset()


def pause(psychopy: SimpleNamespace, clock) -> None:
    clock.addTime(-3.0)  # what generated scripts do after a pause


def sync_with_iohub(psychopy: SimpleNamespace, clock) -> None:
    other = psychopy.core.Clock()
    other.addTime(7.0)
    for each in ("_timeAtLastReset", "_epochTimeAtLastReset"):  # as ioHub's syncClock
        setattr(clock, each, getattr(other, each))


def replace(psychopy: SimpleNamespace, clock) -> None:
    psychopy.logging.setDefaultClock(psychopy.core.Clock())


DISTURBANCES = [reset, pause, sync_with_iohub, replace]


@pytest.mark.parametrize("disturb", DISTURBANCES)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_clock_that_is_set_around_the_flip_changes_nothing(
    psychopy: SimpleNamespace, win, events, judge, disturb: Callable[..., None], moment: str
) -> None:
    event = events.sendEventOnFlip(win, "onset")
    time.sleep(0.01)  # so that a clock that was reset shows another time
    if moment == "before":
        disturb(psychopy, judge)
    before_ns = time.perf_counter_ns()
    win.flip()
    after_ns = time.perf_counter_ns()
    if moment == "after":
        disturb(psychopy, judge)
    assert before_ns - TOLERANCE_NS <= event.host_ns <= after_ns + TOLERANCE_NS
    assert events.restamped == 0


@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_a_clock_that_is_set_in_the_flip_costs_the_way_to_our_call(
    psychopy: SimpleNamespace, win, events, judge, disturb: Callable[..., None]
) -> None:
    called_ns = []
    win.callOnFlip(lambda: called_ns.append(time.perf_counter_ns()))
    win.callOnFlip(disturb, psychopy, judge)
    event = events.sendEventOnFlip(win, "onset")
    win.callOnFlip(lambda: called_ns.append(time.perf_counter_ns()))
    win.flip()
    assert called_ns[0] <= event.host_ns <= called_ns[1]
    assert (events.restamped, events.sent, events.failed) == (1, 1, 0)


@pytest.mark.parametrize("error", [ClockNotReadyError("no echo yet"), ZeroDivisionError("a fault of ours")])
def test_an_error_does_not_break_the_flip(
    psychopy: SimpleNamespace, win, events, neon, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    logged, called = [], []
    monkeypatch.setattr(psychopy.logging, "error", logged.append)
    neon.error = error
    event = events.sendEventOnFlip(win, "onset")
    win.callOnFlip(called.append, 1)
    win.flip()
    win.flip()
    assert called == [1]
    assert (event.is_done, event.error, events.failed, events.sent, events.waiting) == (True, error, 1, 0, 0)
    assert len(logged) == 1
    assert "'onset'" in logged[0]
    assert str(error) in logged[0]
    with pytest.raises(type(error)):
        event.wait(timeout_s=0)
    with pytest.raises(type(error)):
        events.check()
    events.check()


def test_without_a_flip_there_is_no_event(win, events, neon) -> None:
    event = events.sendEventOnFlip(win, "onset")
    with pytest.raises(NeonTimeoutError, match=r"flip of event 'onset'.*win\.flip"):
        event.wait(timeout_s=0.01)
    win.close()
    assert (events.waiting, event.is_done, neon.sent) == (1, False, [])
    with pytest.raises(ConfigurationError, match="an open window"):
        events.sendEventOnFlip(win, "late")


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_is_refused_before_the_flip(win, events, name: object) -> None:
    with pytest.raises(ConfigurationError, match="at least one character"):
        events.sendEventOnFlip(win, name)
    assert events.waiting == 0


def test_an_event_now(events, neon) -> None:
    assert events.sendEvent("now").wait().name == "now"
    assert neon.sent == [("now", None)]  # the Neon takes its own clock


def test_an_event_at_the_time_that_flip_returned(win, events, neon, judge) -> None:
    flip_s = win.flip()
    win.flip()
    events.sendEvent("earlier", flip_s)
    events.sendEvent("earlier", float(flip_s))
    assert all(judge.is_fair(at_ns, flip_s) for _, at_ns in neon.sent)


def test_an_event_at_a_time_of_another_clock(psychopy: SimpleNamespace, events, neon) -> None:
    clock = psychopy.core.Clock()
    clock.addTime(100.0)
    before_ns = time.perf_counter_ns()
    events.sendEvent("then", clock.getTime(), clock)
    events.sendEvent("soon", np.float64(clock.getTime() + 60), clock)
    (_, then_ns), (_, soon_ns) = neon.sent
    assert before_ns - TOLERANCE_NS <= then_ns <= time.perf_counter_ns()
    assert before_ns + 60e9 - TOLERANCE_NS <= soon_ns <= time.perf_counter_ns() + 60e9


@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_a_time_from_before_the_clock_was_set_is_refused(
    psychopy: SimpleNamespace, win, events, neon, judge, disturb: Callable[..., None]
) -> None:
    flip_s = win.flip()
    disturb(psychopy, judge)
    with pytest.raises(ConfigurationError, match="since it was last set"):
        events.sendEvent("onset", flip_s)
    with pytest.raises(ConfigurationError, match="since it was last set"):
        psychopy.clock.host_ns_of_flip(win)
    assert neon.sent == []


def test_a_time_of_the_wrong_clock_is_refused(psychopy: SimpleNamespace, events) -> None:
    trial = psychopy.core.Clock()
    with pytest.raises(ConfigurationError, match="a time of this clock"):
        events.sendEvent("onset", trial.getTime())


@pytest.mark.parametrize("seconds", ["1.5", float("nan"), float("inf"), True, [1.0]])
def test_what_is_no_time_is_refused(events, neon, seconds: object) -> None:
    with pytest.raises(ConfigurationError, match="seconds on a PsychoPy clock"):
        events.sendEvent("onset", seconds)
    assert neon.sent == []


def test_an_error_of_a_direct_call_is_raised(events, neon) -> None:
    neon.error = ClockNotReadyError("no echo yet")
    with pytest.raises(ClockNotReadyError):
        events.sendEvent("now")
    assert (events.sent, events.failed) == (0, 0)
    events.check()

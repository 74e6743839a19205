"""The mirror, driven by the calls that the Builder's scripts make; a real one runs in test_builder_script.py."""

from __future__ import annotations

import json
import pickle
import time
from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.errors import ClockNotReadyError, ConfigurationError

TOLERANCE_NS = 1_000_000
TAPPED = ("timestampOnFlip", "addData", "updateEntryFromLoop", "loopEnded")


@pytest.fixture
def win(open_window):
    return open_window((320, 240))


@pytest.fixture
def new_exp(psychopy: SimpleNamespace):
    """Makes ExperimentHandlers as the Builder does; nothing is saved."""
    return lambda: psychopy.data.ExperimentHandler(name="study", savePickle=False, saveWideText=False)


@pytest.fixture
def exp(new_exp):
    return new_exp()


@pytest.fixture
def events(psychopy: SimpleNamespace, neon):
    yield psychopy.events.NeonEvents(neon)
    for mirror in tuple(psychopy.mirror._running):
        mirror.stop()


@pytest.fixture
def mirror(events, exp):
    return events.mirror(exp)


@pytest.fixture
def new_loop(psychopy: SimpleNamespace):
    def new_loop(name: str = "trials", words: tuple[str, ...] = ("rot", "blau"), repeats: int = 1) -> object:
        conditions = [{"word": word, "size": np.float64(0.5)} for word in words]
        return psychopy.data.TrialHandler2(conditions, repeats, "sequential", name=name)

    return new_loop


def run_trial(exp, win, clock) -> None:
    """One trial of a routine with a stimulus, by the calls of a generated script."""
    exp.timestampOnFlip(win, "thisRow.t", format=float)
    exp.addData("cue.started", clock.getTime(format="float"))
    exp.timestampOnFlip(win, "text.started")
    win.flip()
    exp.timestampOnFlip(win, "text.stopped")
    win.flip()
    exp.addData("cue.stopped", clock.getTime(format="float"))
    exp.nextEntry()


TRIAL = ["cue.started", "trials.started {}", "text.started", "text.stopped", "cue.stopped", "trials.stopped {}"]


def test_a_loop_with_a_routine_and_a_stimulus(mirror, exp, win, neon, judge, new_loop) -> None:
    trials = new_loop()
    exp.addLoop(trials)
    for _ in trials:
        run_trial(exp, win, judge)
    assert neon.names == [name.format(number) for number in (0, 1) for name in TRIAL]
    stamps = dict(neon.sent)
    for row in exp.entries:
        assert judge.is_fair(stamps[f"trials.started {row['trials.thisN']}"], row["thisRow.t"])
    for name in ("cue.started", "text.started", "text.stopped", "cue.stopped"):
        times = [at_ns for sent, at_ns in neon.sent if sent == name]
        assert all(judge.is_fair(at_ns, row[name]) for at_ns, row in zip(times, exp.entries, strict=True))


def test_a_loop_around_a_loop(mirror, exp, win, neon, judge, new_loop) -> None:
    blocks = new_loop("blocks", ("a", "b"))
    exp.addLoop(blocks)
    for _ in blocks:
        exp.timestampOnFlip(win, "thisRow.t")
        trials = new_loop("trials", ("c",))
        exp.addLoop(trials)
        for _ in trials:
            run_trial(exp, win, judge)
    inner = [name.format(0) for name in TRIAL]
    blocks = [["blocks.started {}", *inner, "blocks.stopped {}"] for _ in (0, 1)]
    expected = [name.format(number) for number, names in enumerate(blocks) for name in names]
    assert sorted(neon.names) == sorted(expected)
    assert neon.names.index("blocks.started 0") < neon.names.index("trials.started 0")  # of one flip, outer first
    assert neon.names.index("blocks.stopped 0") < neon.names.index("blocks.started 1")


def test_other_kinds_of_loops(psychopy: SimpleNamespace, mirror, exp, win, neon, judge) -> None:
    old = psychopy.data.TrialHandler([{"word": "rot"}, {"word": "rot"}], 1, "sequential", name="old")
    stairs = psychopy.data.StairHandler(1.0, nTrials=2, nReversals=1, name="stairs")
    for loop in (old, stairs):
        exp.addLoop(loop)
        for _ in loop:
            run_trial(exp, win, judge)
            if loop is stairs:
                loop.addResponse(1)
                loop.finished = loop.thisTrialN == 1
    names = [name for name in neon.names if name.startswith(("old", "stairs"))]
    assert names == [
        f"{loop}.{what} {number}" for loop in ("old", "stairs") for number in (0, 1) for what in ("started", "stopped")
    ]


def test_trials_of_a_script_that_stamps_no_flip(mirror, exp, neon, new_loop) -> None:
    trials = new_loop()
    exp.addLoop(trials)
    began = []
    for _ in trials:
        began.append(time.perf_counter_ns())
        time.sleep(0.02)  # the start is told late, but with its own time
        exp.nextEntry()
    assert neon.names == [f"trials.{what} {number}" for number in (0, 1) for what in ("started", "stopped")]
    starts = [at_ns for name, at_ns in neon.sent if ".started" in name]
    assert all(began_ns - 10_000_000 < at_ns <= began_ns for at_ns, began_ns in zip(starts, began, strict=True))


def test_skipped_trials_do_not_happen(mirror, exp, win, neon, judge, new_loop) -> None:
    trials = new_loop(words=("a", "b", "c", "d"))
    exp.addLoop(trials)
    for _ in trials:
        exp.timestampOnFlip(win, "thisRow.t")
        win.flip()
        if trials.thisN == 0:
            exp.skipTrials(2)
        exp.nextEntry()
    assert [name for name in neon.names if "started" in name] == [f"trials.started {each}" for each in (0, 2, 3)]
    assert [name for name in neon.names if "stopped" in name] == [f"trials.stopped {each}" for each in (0, 2, 3)]


def test_conditions_stand_in_the_name_of_a_start(events, exp, win, neon, new_loop) -> None:
    events.mirror(exp, only="trials.started *", conditions=["word", "size", "absent"])
    trials = new_loop(words=("grün", "a b"))
    exp.addLoop(trials)
    for _ in trials:
        exp.timestampOnFlip(win, "thisRow.t")
        win.flip()
    assert neon.names[0] == 'trials.started 0 {"word": "grün", "size": 0.5}'
    assert json.loads(neon.names[1].split(" ", 2)[2]) == {"word": "a b", "size": 0.5}


def test_add_data_tells_the_time_where_it_can(psychopy: SimpleNamespace, mirror, exp, win, neon, judge) -> None:
    routine = psychopy.core.Clock()
    earlier = win.flip()
    time.sleep(0.3)  # far enough to tell the flip from now
    soon = judge.getTime() + 0.03  # a plain float, as the expected time of the next flip that sounds have
    before_ns = time.perf_counter_ns()
    exp.addData("flip.started", earlier)
    exp.addData("sound.started", soon)
    now = {"routine.started": routine.getTime(), "far.started": 5.0, "text.started": "2026-01-01", "flag.started": True}
    for name, value in now.items():
        exp.addData(name, value)
    after_ns = time.perf_counter_ns()
    stamps = dict(neon.sent)
    assert judge.is_fair(stamps["flip.started"], earlier)
    assert abs(stamps["sound.started"] - before_ns - 30_000_000) < 20_000_000
    assert all(before_ns <= stamps[name] <= after_ns for name in now)


def test_what_does_not_happen_now_is_no_event(mirror, exp, neon) -> None:
    exp.addData("sound.started", None)  # a placeholder, which PsychoPy's validators write
    exp.addData("sound.stopped", "")
    exp.addData("text.started", float("nan"))
    exp.addData("key.rt", 0.3)
    exp.nextEntry()
    exp.addData("text.stopped", 1.0, row=0)
    assert neon.sent == []


@pytest.mark.parametrize("only", ["cue.*", ["cue.s*", "nothing"], lambda name: name.startswith("cue")])
def test_a_filter(events, exp, win, neon, judge, new_loop, only: object) -> None:
    events.mirror(exp, only=only)
    trials = new_loop(words=("a",))
    exp.addLoop(trials)
    for _ in trials:
        run_trial(exp, win, judge)
    assert neon.names == ["cue.started", "cue.stopped"]


def test_without_components_there_are_routines_and_trials(
    psychopy: SimpleNamespace, events, exp, win, neon, judge, new_loop
) -> None:
    before = psychopy.data.Routine.__init__
    mirror = events.mirror(exp, components=False)
    loop = new_loop(words=("rot",))
    exp.addLoop(loop)
    next(loop)
    psychopy.data.Routine(name="cue")
    run_trial(exp, win, judge)
    exp.timestampOnFlip(win, "key.started")  # a keyboard, whose object has no name
    win.flip()
    assert neon.names == ["cue.started", "trials.started 0", "cue.stopped"]
    mirror.stop()
    assert psychopy.data.Routine.__init__ is before


def test_mirrored_twice_is_sent_once(psychopy: SimpleNamespace, events, exp, win, neon, judge, new_loop) -> None:
    first = events.mirror(exp, only="nothing")
    trials = new_loop(words=("a",))
    exp.addLoop(trials)
    for _ in trials:
        second = psychopy.events.NeonEvents(neon).mirror(exp)
        run_trial(exp, win, judge)
    assert (first.isRunning, second.isRunning) == (False, True)
    assert neon.names == [name.format(0) for name in TRIAL]


def test_experiments_and_neons_do_not_mix(psychopy: SimpleNamespace, events, exp, new_exp, neon) -> None:
    other_neon = type(neon)()
    other_exp = new_exp()
    events.mirror(exp)
    psychopy.events.NeonEvents(other_neon).mirror(other_exp)
    exp.addData("a.started", 0)
    other_exp.addData("b.started", 0)
    psychopy.events.NeonEvents(other_neon).mirror(exp)
    exp.addData("c.started", 0)
    assert neon.names == ["a.started", "c.started"]
    assert other_neon.names == ["b.started", "c.started"]


def test_stop_leaves_psychopy_as_it_was(psychopy: SimpleNamespace, events, exp, win, neon) -> None:
    handler = psychopy.data.ExperimentHandler
    before = [handler.__dict__[name] for name in TAPPED]
    mirror = events.mirror(exp)
    exp.timestampOnFlip(win, "text.started")
    mirror.stop()
    mirror.stop()
    assert [handler.__dict__[name] for name in TAPPED] == before
    exp.addData("cue.started", 0)
    win.flip()
    assert neon.names == ["text.started"]  # it was asked for before


def test_somebody_else_may_replace_a_method_meanwhile(
    psychopy: SimpleNamespace, events, exp, neon, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = psychopy.data.ExperimentHandler
    seen = []
    first = events.mirror(exp)
    ours = handler.addData
    with monkeypatch.context() as patch:
        patch.setattr(handler, "addData", lambda self, name, value: (seen.append(name), ours(self, name, value))[1])
        first.stop()
        exp.addData("a.started", 0)
        second = events.mirror(exp)
        exp.addData("b.started", 0)
    second.stop()
    assert (seen, neon.names) == (["a.started", "b.started"], ["b.started"])
    assert handler.addData.__qualname__ == "ExperimentHandler.addData"
    assert not hasattr(handler.addData, "__wrapped__")


def test_what_psychopy_saves_is_the_same(
    psychopy: SimpleNamespace, events, new_exp, win, new_loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Still(psychopy.core.Clock):  # so that two runs have the same times
        def getTime(self, *args: object, **settings: object) -> float:  # noqa: N802 (PsychoPy's name)
            return psychopy.mirror.Timestamp(2.5, lastReset=self._epochTimeAtLastReset)

    clock = Still()
    monkeypatch.setattr(psychopy.logging, "defaultClock", clock)
    saved = []
    for is_mirrored in (False, True):
        exp, trials = new_exp(), new_loop()
        mirror = events.mirror(exp) if is_mirrored else None
        exp.addLoop(trials)
        for _ in trials:
            run_trial(exp, win, clock)
        assert exp.addData.__doc__ == psychopy.data.ExperimentHandler.addData.__doc__
        pickled = pickle.dumps(exp)
        assert b"psychopy_neon" not in pickled
        again = pickle.loads(pickled)
        saved.append((again.entries, again.dataNames, sorted(again.__dict__)))
        if mirror:
            mirror.stop()
    assert saved[0] == saved[1]
    assert events.sent == 2 * len(TRIAL)


def test_a_neon_that_is_not_ready_does_not_stop_the_experiment(mirror, events, exp, win, neon, judge, new_loop) -> None:
    neon.error = ClockNotReadyError("no echo yet")
    trials = new_loop()
    exp.addLoop(trials)
    for _ in trials:
        run_trial(exp, win, judge)
    assert len(exp.entries) == 2
    assert (events.sent, events.failed) == (0, 2 * len(TRIAL))
    with pytest.raises(ClockNotReadyError):
        events.check()


def test_a_filter_that_fails_does_not_stop_the_experiment(events, exp, neon) -> None:
    events.mirror(exp, only=lambda name: 1 / 0)
    exp.addData("cue.started", 0)
    assert (neon.sent, events.failed) == ([], 1)
    with pytest.raises(ZeroDivisionError):
        events.check()


@pytest.mark.parametrize("settings", [{"only": 3}, {"only": ["a", 3]}, {"conditions": 5}])
def test_settings_that_cannot_be_used(psychopy: SimpleNamespace, events, exp, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="a text or several"):
        events.mirror(exp, **settings)
    assert psychopy.mirror._running == []


def test_only_an_experiment_handler_can_be_mirrored(events, win) -> None:
    with pytest.raises(ConfigurationError, match="thisExp"):
        events.mirror(win)

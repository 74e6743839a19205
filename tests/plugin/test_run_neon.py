"""A run with doubles for the eye tracker: gaze, events, tags, template, troubles and the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from fake_tracker import FakeTracker

from psychopy_neon.errors import NeonError
from psychopy_neon.samples import GazeReason, ScreenGaze
from psychopy_neon.screen.layout import PrintedTag, printed_layout, single_tag_layout


@pytest.fixture
def tracker(psychopy: SimpleNamespace) -> FakeTracker:
    return FakeTracker()


@pytest.fixture
def win(open_window: Callable[..., object]) -> object:
    return open_window((320, 240), units="pix")


@pytest.fixture
def exp(psychopy: SimpleNamespace) -> object:
    exp = psychopy.data.ExperimentHandler(extraInfo={"participant": "p1"}, savePickle=False, saveWideText=False)
    exp.status = 1  # started
    return exp


@pytest.fixture
def make(win: object, exp: object, tracker: FakeTracker) -> Iterator[Callable[..., object]]:
    """A run as the backend begins it, but for the search and ioHub."""
    from psychopy_neon.plugin.run.neon_run import NeonRun
    from psychopy_neon.plugin.run.settings import RunSettings

    runs = []

    def make(device: object = tracker, *, is_started: bool = True, **settings: object) -> object:
        run = NeonRun(win, RunSettings.of(settings))
        runs.append(run)
        run.attach(exp)
        if is_started:
            run.start(device)
            run._monitor.open()
        return run

    yield make
    for run in runs:
        run.close()


def test_one_run_for_a_window_and_an_experiment(win: object, exp: object, tracker: FakeTracker) -> None:
    from psychopy_neon.plugin.run import currentRun

    run = currentRun(win, exp, tracker)
    assert currentRun(win, exp) is run
    assert run.isNeon
    run.close()
    assert currentRun(win, exp, tracker) is not run
    currentRun(win, exp).close()


def test_gaze_is_read_once_per_frame(make: Callable, tracker: FakeTracker, win: object) -> None:
    run = make()
    assert run.gaze().pos == (160.0, 120.0)
    assert run.gaze() is run.gaze()
    assert len(tracker.of("gaze")) == 1
    win.flip()
    run.gaze()
    assert len(tracker.of("gaze")) == 2


def test_a_script_that_does_not_flip_gets_new_gaze(
    make: Callable, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psychopy_neon.plugin.run import neon_run

    run = make()
    run.gaze()
    monkeypatch.setattr(neon_run, "FRESH_NS", -1)
    run.gaze()
    assert len(tracker.of("gaze")) == 2


@pytest.mark.parametrize("error", [NeonError("x"), AttributeError("x"), RuntimeError("x")])
def test_gaze_never_raises(make: Callable, tracker: FakeTracker, error: Exception) -> None:
    run = make()
    tracker.error = error
    assert run.gaze() == ScreenGaze(None, GazeReason.NO_STREAM)


@pytest.mark.parametrize("answer", [None, "PC_DEVICE_RUNTIME_ERROR", {"error": "why"}])
def test_what_iohub_says_instead_of_an_answer_is_an_error(
    make: Callable, tracker: FakeTracker, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make()
    monkeypatch.setattr(tracker, "sendEvent", lambda *_: answer)
    with pytest.raises(NeonError):
        run.events.sendEvent("cue")


def test_events_have_host_times(make: Callable, tracker: FakeTracker, win: object) -> None:
    run = make()
    run.events.sendEventOnFlip(win, "cue")
    before_ns = time.perf_counter_ns()
    win.flip()
    ((name, at_ns),) = tracker.of("event")
    assert name == "cue"
    assert before_ns <= at_ns <= time.perf_counter_ns()


def tag_in_window(tag: int) -> SimpleNamespace:
    """What a run asks a stimulus for."""
    layout = single_tag_layout((320, 240), tag, centre_px=(40 + 80 * tag, 60), tag_px=50)
    return SimpleNamespace(layout=layout, screen=0)


def test_tags_are_registered_together_in_their_flip(make: Callable, tracker: FakeTracker, win: object) -> None:
    run = make()
    win.flip()
    assert tracker.of("layouts") == [([], "pix")]
    frames = [tag_in_window(0), tag_in_window(1)]
    for frame in frames:
        run.addTags(frame)
    assert len(tracker.of("layouts")) == 1
    win.flip()
    assert tracker.of("layouts")[1:] == [([2], "pix")]
    run.removeTags(frames[0])
    run.removeTags(frames[0])
    win.flip()
    win.flip()
    assert tracker.of("layouts")[2:] == [([1], "pix")]


def test_tags_on_paper_may_come_before_the_start(make: Callable, tracker: FakeTracker, win: object) -> None:
    run = make(is_started=False)
    run.addTags(printed_layout((320, 240), (32.0, 24.0), {4: PrintedTag(-5.0, 12.0, 6.0)}))
    win.flip()
    assert tracker.of("layouts") == []
    run.start(tracker)
    win.flip()
    assert tracker.of("layouts") == [([1], "pix")]


def test_the_same_tags_again_are_not_registered_anew(make: Callable, tracker: FakeTracker, win: object) -> None:
    """Whoever maps gaze would look for the whole screen again, at the start of every repeat of a routine."""
    run = make()
    first, second, other = tag_in_window(0), tag_in_window(0), tag_in_window(1)
    run.addTags(first)
    win.flip()
    run.removeTags(first)
    run.addTags(second)
    win.flip()
    assert tracker.of("layouts") == [([1], "pix")]
    run.removeTags(second)
    run.addTags(other)
    win.flip()
    assert tracker.of("layouts") == 2 * [([1], "pix")]


def test_units_that_change_are_registered(make: Callable, tracker: FakeTracker, win: object) -> None:
    make()
    win.flip()
    win.units = "norm"
    win.flip()
    assert tracker.of("layouts") == [([], "pix"), ([], "norm")]


def test_tags_that_clash_are_told_and_nothing_is_raised(make: Callable, exp: object, win: object) -> None:
    run = make(whenLost="go on")
    for _ in range(2):
        run.addTags(tag_in_window(0))
    win.flip()
    win.flip()
    assert "cannot be used" in exp.thisEntry["neon.trouble"]


def test_a_screen_is_there_without_tags(make: Callable, win: object) -> None:
    screen = make().screen
    assert screen.layout.size_px == (320, 240)
    assert screen.from_screen((160, 120)) == (0.0, 0.0)
    assert screen.to_window(ScreenGaze((170.0, 100.0), None)) == (10.0, 20.0)
    assert screen.to_window(ScreenGaze(None, GazeReason.BLINK)) is None
    assert screen.to_window(ScreenGaze((1.0, 1.0), None, screen=1)) is None


def test_the_template_is_filled_from_the_dialog(make: Callable, tracker: FakeTracker) -> None:
    make(template={"Name?": "participant", "Site": "lab 2"})
    assert tracker.of("template") == [({"Name?": "p1", "Site": "lab 2"},)]


@pytest.mark.parametrize(("policy", "status"), [("stop", -1), ("go on", 1)])
def test_a_template_that_is_not_filled_in_follows_the_policy(
    make: Callable, tracker: FakeTracker, win: object, exp: object, policy: str, status: int, quick: None
) -> None:
    tracker.error = NeonError("no such question")
    make(template={"Name?": "participant"}, whenMissing=policy, whenLost="go on")
    tracker.error = None
    win.flip()
    assert exp.status == status
    assert "no such question" in exp.thisEntry["neon.trouble"]


@pytest.fixture
def quick(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are not left standing."""
    from psychopy_neon.plugin.run import neon_run, telling

    for module, name in ((telling, "TELL_LIMIT_S"), (telling, "ASK_LIMIT_S")):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(neon_run, "LOOK_EVERY_NS", 0)


@pytest.mark.parametrize(
    ("policy", "status", "code"), [("stop", -1, 4), ("ask", -1, 4), ("go on", 1, 5)], ids=["stop", "ask", "go on"]
)
def test_a_neon_that_is_lost_follows_the_policy(
    make: Callable, tracker: FakeTracker, win: object, exp: object, quick: None, policy: str, status: int, code: int
) -> None:
    run = make(whenLost=policy)
    win.flip()
    tracker.facts |= {"state": "lost", "problem": "the phone is gone"}
    win.flip()
    assert exp.status == status
    assert exp.thisEntry["neon.trouble"] == "the phone is gone"
    assert run._exit.value == code
    run.finish()
    assert exp.extraInfo["neon.problems"] == "the phone is gone"


def test_a_neon_that_comes_back_answers_the_question(
    make: Callable, tracker: FakeTracker, win: object, exp: object, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psychopy_neon.plugin.run import telling

    monkeypatch.setattr(telling, "ASK_LIMIT_S", 20.0)
    run = make(whenLost="ask")
    win.flip()
    tracker.facts["state"] = "lost"
    ask = run._monitor.ask

    def back(*args: object) -> object:
        tracker.facts["state"] = "ready"
        return ask(*args)

    monkeypatch.setattr(run._monitor, "ask", back)
    win.flip()
    assert exp.status == 1
    assert exp.thisEntry["neon.trouble"].endswith("the Neon is back, gaze arrives again")


@pytest.mark.parametrize(
    ("settings", "keep", "how"),
    [
        ({}, None, "save"),
        ({"atEnd": "cancel"}, None, "cancel"),
        ({"atEnd": "cancel"}, True, "save"),
        ({}, False, "cancel"),
        ({"atEnd": "expression", "saveIf": lambda: 0}, None, "cancel"),
        ({"atEnd": "expression", "saveIf": lambda: 1}, None, "save"),
        ({"atEnd": "expression", "saveIf": lambda: 1 / 0}, None, "save"),
    ],
)
def test_the_recording_ends_as_it_was_decided(
    make: Callable, tracker: FakeTracker, settings: dict, keep: bool | None, how: str
) -> None:
    run = make(**settings)
    if keep is not None:
        run.keepRecording(keep)
    run.finish()
    run.finish()
    assert tracker.of("finish") == [(how,)]
    assert run.columns["neon.recording"] == {"save": "saved", "cancel": "cancelled"}[how]


def test_every_row_has_the_columns(make: Callable, exp: object) -> None:
    run = make()
    for number in range(2):
        exp.addData("trial", number)
        exp.nextEntry()
    exp.addData("trial", 2)
    run.finish()
    rows = exp.getAllEntries()
    assert [row["neon.recording_id"] for row in rows] == ["r1"] * 3
    assert rows[0]["neon.template"] == "Default"
    assert exp.extraInfo["neon.phone"] == "Neon"


def test_a_dead_iohub_at_the_end_is_written_down(make: Callable, tracker: FakeTracker, exp: object) -> None:
    run = make()
    tracker.error = NeonError("dead")
    run.finish()
    assert "dead" in run.columns["neon.problems"]
    assert run.columns["neon.recording"] == "unknown"


def test_a_phone_that_refuses_to_stop_is_told(make: Callable, tracker: FakeTracker, exp: object) -> None:
    run = make()
    before = tracker.getReport()
    tracker.getReport = lambda: before
    tracker.facts["recording_ended"] = "the recording was not ended: a required question is empty"
    run.finish()
    assert "required" in run.columns["neon.problems"]
    assert "required" in exp.thisEntry["neon.trouble"]


def test_a_second_experiment_of_a_session_begins_anew(
    make: Callable, psychopy: SimpleNamespace, tracker: FakeTracker, exp: object
) -> None:
    run = make()
    other = psychopy.data.ExperimentHandler(extraInfo={}, savePickle=False, saveWideText=False)
    run.attach(other)
    assert exp.extraInfo["neon.recording"] == "saved"
    run.start(tracker)
    run.finish()
    assert other.extraInfo["neon.recording"] == "saved"


class Mouse:
    """MouseGaze, or another eye tracker of ioHub."""

    pos: object = (10.0, 20.0)

    def getPos(self) -> object:  # noqa: N802
        return self.pos


def test_another_eye_tracker_gives_its_gaze(make: Callable, win: object) -> None:
    mouse = Mouse()
    run = make(mouse)
    assert not run.isNeon
    assert not run.isIdle
    gaze = run.gaze()
    assert gaze.pos == (170.0, 100.0)
    assert gaze.is_on_screen
    assert run.screen.to_window(gaze) == (10.0, 20.0)
    win.flip()
    mouse.pos = None
    assert run.gaze() == ScreenGaze(None, GazeReason.NO_GAZE)


def test_events_and_tags_without_a_neon_harm_nobody(make: Callable, win: object) -> None:
    run = make(Mouse())
    run.addTags(SimpleNamespace())
    run.events.sendEvent("cue")
    flipped = run.events.sendEventOnFlip(win, "cue")
    win.flip()
    assert flipped.is_done
    with pytest.raises(NeonError, match="no Neon"):
        flipped.wait(20)
    assert run._link.unsent == 2
    assert run.events.failed == 0


def test_no_eye_tracker_at_all(make: Callable) -> None:
    run = make(None)
    assert run.isIdle
    assert run.gaze() == ScreenGaze(None, GazeReason.NO_STREAM)
    run.finish()
    assert run.columns["neon.recording"] == "none"


@pytest.mark.parametrize(("events", "wanted"), [("all", ["trial", "text"]), ("routines", ["trial"]), ("none", [])])
def test_what_is_mirrored(
    psychopy: SimpleNamespace, make: Callable, exp: object, tracker: FakeTracker, events: str, wanted: list[str]
) -> None:
    make(events=events)
    psychopy.data.Routine(name="trial")
    for name in ("trial", "text"):
        exp.addData(f"{name}.started", 0.0)
    assert [name for name, _ in tracker.of("event")] == [f"{name}.started" for name in wanted]


def test_an_experiment_that_starts_is_heard_of(psychopy: SimpleNamespace, exp: object) -> None:
    from psychopy_neon.plugin.run.starting import StartTap

    before = psychopy.data.ExperimentHandler.status
    started: list[object] = []
    tap = StartTap(started.append)
    tap.install()
    exp.status = 0
    exp.status = 1
    assert started == [exp]
    assert exp.status == 1
    tap.restore()
    tap.restore()
    assert psychopy.data.ExperimentHandler.status is before


def test_what_is_written_does_not_break_the_csv_file(exp: object) -> None:
    from psychopy_neon.plugin.run.data_file import columns_of, mark_row

    mark_row(exp, 'no "Who",\nno answer')
    assert exp.thisEntry["neon.trouble"] == "no 'Who', no answer"
    assert columns_of({}, None, 'a "b"', ['"c"'])["neon.problems"] == "'c'"

"""What the experimenter is told of the host's reports: pure, with times given."""

from __future__ import annotations

import pytest

from psychopy_neon.plugin.run.troubles import HubFacts, Judge

SECOND = 1_000_000_000
RUNNING = HubFacts()


def report(at_s: float, state: str = "ready", **other: object) -> dict:
    facts = {"state": state, "problem": None, "recording_ended": None, "events_refused": 0}
    return {**facts, "sent_ns": round(at_s * SECOND), **other}


def kinds(judge: Judge, at_s: float, newest: dict | None, hub: HubFacts | None = RUNNING) -> list[str]:
    return [trouble.kind for trouble in judge.look(round(at_s * SECOND), newest, hub)]


def test_a_run_in_which_all_is_well_has_nothing_to_tell() -> None:
    judge = Judge()
    assert kinds(judge, 0, None) == []
    assert kinds(judge, 5, report(5, "connecting", problem="looking")) == []
    assert all(kinds(judge, at, report(at)) == [] for at in range(6, 100))


def test_lost_and_back_are_told_once_each() -> None:
    judge = Judge()
    states = ["ready", "lost", "lost", "ready", "ready", "lost"]
    told = [kinds(judge, at, report(at, state)) for at, state in enumerate(states)]
    assert told == [[], ["lost"], [], ["back"], [], ["lost"]]


def test_a_device_that_is_not_found_is_missing_after_a_while_and_then_back() -> None:
    judge = Judge()
    assert kinds(judge, 0, report(0, "connecting")) == []
    (missing,) = judge.look(13 * SECOND, report(13, "connecting", problem="why"), RUNNING)
    assert missing == ("missing", "why")
    assert kinds(judge, 14, report(14, "connecting")) == []
    assert kinds(judge, 15, report(15)) == ["back"]


def test_an_iohub_that_never_says_a_word() -> None:
    judge = Judge()
    assert kinds(judge, 0, None) == []
    assert kinds(judge, 13, None) == ["missing"]
    assert kinds(judge, 14, None) == []


def test_an_iohub_that_falls_silent_and_comes_back() -> None:
    judge, last = Judge(), report(1)
    assert kinds(judge, 1, last) == []
    assert kinds(judge, 3.5, last) == []
    assert kinds(judge, 4.5, last) == ["lost"]
    assert kinds(judge, 5, last) == []
    assert kinds(judge, 6, report(6)) == ["back"]


def test_an_iohub_that_died_is_told_once_and_nothing_after_it() -> None:
    judge = Judge()
    assert kinds(judge, 1, report(1)) == []
    (trouble,) = judge.look(2 * SECOND, report(1), HubFacts(exitCode=-9))
    assert trouble.kind == "hub"
    assert "-9" in trouble.words
    assert kinds(judge, 9, report(1), HubFacts(exitCode=-9)) == []


def test_a_recording_that_ends_by_itself_is_no_other_problem() -> None:
    judge, ended = Judge(), "the recording was stopped and saved on the phone"
    assert kinds(judge, 1, report(1, recording_ended=ended, problem=ended)) == ["recording"]
    assert kinds(judge, 2, report(2, recording_ended=ended, problem=ended)) == []
    assert kinds(judge, 3, report(3)) == []
    assert kinds(judge, 4, report(4, recording_ended=ended)) == ["recording"]


def test_a_problem_is_told_when_it_is_new() -> None:
    judge = Judge()
    problems = ["a", "a", "b", None, "b"]
    told = [kinds(judge, at, report(at, problem=problem)) for at, problem in enumerate(problems)]
    assert told == [["problem"], [], ["problem"], [], ["problem"]]


def test_events_that_did_not_arrive_are_counted() -> None:
    judge = Judge()
    assert kinds(judge, 1, report(1, events_refused=2)) == ["events"]
    assert kinds(judge, 2, report(2, events_refused=2)) == []
    (trouble,) = judge.look(3 * SECOND, report(3, events_refused=5), RUNNING)
    assert trouble.words.startswith("3 events")


@pytest.mark.parametrize("is_down", [False, True])
def test_calls_without_an_answer_are_told_unless_all_is_down(is_down: bool) -> None:
    judge = Judge()
    if is_down:
        assert kinds(judge, 0, report(0, "lost")) == ["lost"]
    told = kinds(judge, 1, report(1, "lost" if is_down else "ready"), HubFacts(timeouts=2))
    assert told == ([] if is_down else ["slow"])


def test_a_neon_in_this_process_needs_no_iohub() -> None:
    judge = Judge()
    assert kinds(judge, 1, report(1), None) == []
    assert kinds(judge, 2, report(2, "lost"), None) == ["lost"]

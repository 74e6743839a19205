"""Each Builder demo, in short, from its first routine to its exit code, judged by what the simulated phone knows."""

from __future__ import annotations

import functools
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from whole_runs import events_of, rows_of, run_whole, truth_of

from psychopy_neon.simulator.phone_clock import PhoneClock

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]
RUN = Path(__file__).parent / "run_demo.py"
DEMOS = Path(__file__).parents[2] / "demos" / "builder"
NAMES = ("dwell_choice", "eeg_events", "fixation_gate", "free_viewing", "moving_window", "pupil_response")
LIMIT_S = 200.0
PROMISED_NS = 1_000_000
HOLD_S = 0.2
"""As in the script that runs them."""
Run = Callable[[str], SimpleNamespace]


@pytest.fixture(scope="module")
def run(psychopy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Gives what a demo left; each is run once."""
    pytest.importorskip("tables")

    def found(name: str) -> SimpleNamespace:
        folder = tmp_path_factory.mktemp(name)
        run_whole(RUN, DEMOS / name / f"{name}.psyexp", folder, folder=folder, limit_s=LIMIT_S)
        told = json.loads((folder / "told.json").read_text())
        told["readings"] = {seconds: bracket for seconds, bracket in told["readings"]}
        left = {"rows": rows_of(folder), "stored": events_of(folder), "truth": truth_of(folder)}
        return SimpleNamespace(folder=folder, **left, **told)

    return functools.cache(found)


def of_kind(found: SimpleNamespace, kind: str) -> list[dict]:
    return [record for record in found.truth if record["kind"] == kind]


def trials(found: SimpleNamespace) -> list[dict[str, str]]:
    """Rows of the two trials."""
    rows = [row for row in found.rows if row["trials.thisN"]]
    assert [row["trials.thisN"] for row in rows] == ["0", "1"]
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_a_saved_recording_and_tells_of_it(run: Run, name: str) -> None:
    found = run(name)
    assert [each["action"] for each in of_kind(found, "recording")] == ["START", "STOP", "SAVE"]
    for row in found.rows:
        assert (row["neon.recording"], row["neon.pilot"], row["neon.problems"]) == ("saved", "simulated", "")
        assert row["neon.recording_id"] == of_kind(found, "recording")[0]["id"]
        assert (row["neon.events_refused"], row["neon.gaze_lost"]) == ("0", "0")
    (check,) = (row for row in found.rows if row["check_gate.opened"])
    assert check["check_gate.opened"] == "True"
    assert float(check["check_gate.rt"]) >= HOLD_S
    assert len(trials(found)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_stored(run: Run, name: str) -> None:
    found = run(name)
    sent = [each["device_ns"] for each in of_kind(found, "gaze")]
    stored = found.stored["NeonGazeEvent"]["device_ns"].tolist()
    in_span = [each for each in sent if stored[0] <= each <= stored[-1]]
    lost = int(found.stored["NeonGapEvent"]["lost"].sum())
    assert len(stored) > 500
    assert set(stored) <= set(in_span)
    assert len(stored) == len(set(stored)) == len(in_span) - lost
    assert len(found.stored["BinocularEyeSampleEvent"]) == len(stored)


@pytest.mark.parametrize("name", NAMES)
def test_places_are_those_that_were_looked_at(run: Run, name: str) -> None:
    found = run(name)
    left, top, width, height = found.window
    looked_at = {
        each["device_ns"]: (each["screen_x"] - left, each["screen_y"] - top) for each in of_kind(found, "gaze")
    }
    gaze, screen = found.stored["NeonGazeEvent"], found.stored["MonocularEyeSampleEvent"]
    has_place = gaze["reason"] == b""
    assert has_place.sum() > 200
    places = np.stack([gaze["screen_x"], gaze["screen_y"]], axis=1)[has_place]
    truth = np.array([looked_at[each] for each in gaze["device_ns"][has_place].tolist()])
    errors_px = np.hypot(*(places - truth).T)
    told_px = gaze["error_px"][has_place]
    assert np.median(errors_px) < 0.5
    # Without a new picture of the scene a pose is carried on for a moment, and the error that it tells grows.
    assert np.quantile(errors_px[told_px < 1], 0.95) < 1.0
    assert np.quantile(errors_px - told_px, 0.95) < 0.5
    in_window = np.stack([places[:, 0] - width / 2, height / 2 - places[:, 1]], axis=1) / height
    assert np.allclose(in_window, np.stack([screen["gaze_x"], screen["gaze_y"]], axis=1)[has_place], atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_events_have_the_times_of_what_they_mark(run: Run, name: str) -> None:
    """Of routines and trials, and those that the demo sends itself, within their bound and 1 ms."""
    found = run(name)
    clock = PhoneClock.from_truth(found.truth)
    judged = set()
    for event, seconds in stamps(found):
        times_ns = [clock.host_ns(each["device_ns"]) for each in of_kind(found, "event") if each["name"] == event]
        before_ns, after_ns = found.readings[seconds]
        errors_ns = [max(before_ns - time_ns, time_ns - after_ns, 0) for time_ns in times_ns]
        assert min(errors_ns, default=np.inf) <= slack_ns(found), event
        judged.add(event)
    received = {each["name"] for each in of_kind(found, "event")}
    not_stamped = {each for each in received if each.startswith(("trials.stopped", "answer"))}
    assert judged == received - not_stamped


def slack_ns(found: SimpleNamespace) -> float:
    """What is promised of an event's time, and the bound of the clock."""
    return PROMISED_NS + float(found.stored["NeonGazeEvent"]["confidence_interval"].max()) * 1e9


def stamps(found: SimpleNamespace) -> list[tuple[str, float]]:
    """Name of each event and the time that PsychoPy has for it."""
    stamped = [
        (column, float(row[column]))
        for row in found.rows
        for column in (f"{routine}.{what}" for routine in found.routines for what in ("started", "stopped"))
        if row.get(column)
    ]
    begun = {each["name"] for each in of_kind(found, "event") if each["name"].startswith("trials.started")}
    numbered = {name.split()[1]: name for name in begun}
    stamped += [(numbered[row["trials.thisN"]], float(row["thisRow.t"])) for row in trials(found)]
    own = [(row["onset.event"], float(row["onset.flip_time"])) for row in found.rows if row.get("onset.event")]
    return stamped + own


def test_free_viewing_has_looks_at_each_part(run: Run) -> None:
    found = run("free_viewing")
    assert [row["scene"] for row in trials(found)] == ["morning", "noon"]
    for part in ("house", "tree", "sun"):
        for row in trials(found):
            assert int(row[f"{part}_roi.looks"]) >= 1
            assert float(row[f"{part}_roi.on_s"]) > 0
            assert float(row[f"{part}_roi.first_look_s"]) > 0
            times_s = [float(row[f"{part}_roi.{what}_s"]) for what in ("on", "off", "no_data")]
            assert 0 < sum(times_s) <= float(row["scene.stopped"]) - float(row["scene.started"]) + 0.1


def test_fixation_gate_opens_and_the_trial_follows(run: Run) -> None:
    for row in trials(run("fixation_gate")):
        assert (row["gate.opened"], row["gate.waited_for"]) == ("True", "")
        assert float(row["gate.rt"]) >= float(row["gate.on_s"]) >= HOLD_S / 2
        assert float(row["stripes.started"]) >= float(row["gate.started"]) + float(row["gate.rt"])
        assert row["answer.corr"] == "0", "nobody pressed a key"


def test_dwell_choice_scores_the_answer_that_was_looked_at(run: Run) -> None:
    """The left one in both trials, which is right in the first."""
    rows = trials(run("dwell_choice"))
    assert [(row["correctSide"], row["choice"], row["correct"]) for row in rows] == [
        ("left", "left", "1"),
        ("right", "left", "0"),
    ]
    for row in rows:
        assert (row["left.selected"], row["right.selected"]) == ("True", "False")
        assert row["left.corr"] == row["right.corr"] == row["correct"]
        assert row["rt"] == row["left.rt"]
        assert float(row["left.rt"]) - float(row["left.look_s"]) >= HOLD_S
        assert row["right.rt"] == "None"


def test_moving_window_follows_in_both_modes(run: Run) -> None:
    rows = trials(run("moving_window"))
    assert [row["mode"] for row in rows] == ["moving window", "scotoma"]
    assert all(0 <= float(row["gaze_window.no_gaze_share"]) < 1 for row in rows)


def test_pupil_response_can_be_cut_at_the_steps(run: Run) -> None:
    """By the script that is in its folder, with both files on one clock."""
    found = run("pupil_response")
    plot = SimpleNamespace(**runpy.run_path(str(DEMOS / "pupil_response" / "plot_pupil.py")))
    (table,), (hdf5,) = found.folder.glob("data/*.csv"), found.folder.glob("data/*.hdf5")
    times_s, pupils_mm = plot.pupils(hdf5)
    assert 1 < np.nanmin(pupils_mm) <= np.nanmax(pupils_mm) < 10
    step_times = plot.steps(table)
    assert [kind for _, kind in step_times] == ["darker", "brighter"]
    samples = found.stored["NeonGazeEvent"]
    for begin_s, _ in step_times:
        before_ns, after_ns = found.readings[begin_s]
        time_s = np.interp((before_ns + after_ns) / 2, samples["host_ns"], samples["time"])
        assert abs(time_s - begin_s) < 0.001 + (after_ns - before_ns) / 1e9
    cut = plot.responses(step_times, times_s, pupils_mm)
    assert [kind for kind, _, _ in cut] == ["darker", "brighter"]
    assert all(len(from_step_s) == len(change_mm) > 100 for _, from_step_s, change_mm in cut)


def test_eeg_events_are_named_by_the_conditions_and_answers_have_the_time_of_the_key(run: Run) -> None:
    found = run("eeg_events")
    rows = trials(found)
    assert [row["onset.event"] for row in rows] == ["standard 1", "target 2"]
    assert all(row["onset.flip_time"] == row["flash.started"] for row in rows)
    names = [each["name"] for each in of_kind(found, "event")]
    assert 'trials.started 1 {"kind": "target", "trigger": 2}' in names
    clock = PhoneClock.from_truth(found.truth)
    times_ns = [clock.host_ns(each["device_ns"]) for each in of_kind(found, "event") if each["name"] == "answer 8"]
    assert len(times_ns) == len(found.answers_ns) == 2
    for time_ns, (before_ns, after_ns) in zip(sorted(times_ns), found.answers_ns, strict=True):
        assert before_ns - slack_ns(found) <= time_ns <= after_ns + slack_ns(found)

"""The scripts that are written: what the parts are made with, and what happens when."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

pytest.importorskip("psychopy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from builder_kit import ALL, alerts, calls_of, made, script_of, settings_of
    from psychopy.experiment.components.polygon import PolygonComponent
    from psychopy.scripts.psyexpCompile import compileScript

    from psychopy_neon.plugin.builder.components import (
        DwellButtonComponent,
        FixationGateComponent,
        GazeCursorComponent,
        GazeROIComponent,
        GazeWindowComponent,
        NeonAprilTagComponent,
        NeonAprilTagFrameComponent,
        NeonEventComponent,
    )

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]


def part_of_script(script: str, first: str, last: str) -> list[str]:
    """Lines from one that has ``first`` to one that has ``last``, without indents and stock comments."""
    text = script[script.index(first) :]
    text = text[: text.index(last)]
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_run_is_asked_for_once_before_anything_is_made() -> None:
    script = script_of(made([(each, {}) for each in ALL], [(NeonEventComponent, {"name": "second"})]))
    (call,) = calls_of(script, "currentRun")
    assert sorted(keyword.arg for keyword in call.keywords) == ["exp", "eyetracker", "win"]
    assert "from psychopy_neon.plugin.run import currentRun" in script
    assert "from psychopy_neon.plugin.run import parts as neonParts" in script
    assert script.index("neonRun = currentRun") < min(script.index(f"neonParts.{each.part}") for each in ALL)


def test_a_file_is_compiled(tmp_path: Path) -> None:
    compileScript(made([(each, {}) for each in ALL]), outfile=str(tmp_path / "made.py"))
    script = (tmp_path / "made.py").read_text("utf-8-sig")
    compile(script, "made.py", "exec")
    for each in ALL:
        name = each.stem.split("_")[0]
        assert f"neonParts.{each.part}" in script
        assert name in script


def test_a_gate_ends_its_routine() -> None:
    gate = {"name": "gate", "radius": "2.5", "units": "deg", "limit": "", "pos": "$[left, 0]", "stopVal": ""}
    exp = made([(FixationGateComponent, gate)])
    exp.routines["trial0"][-1].params["pos"].updates = "set every frame"
    script = script_of(exp)
    settings = settings_of(script, "GatePart")
    assert (settings["radius"], settings["units"], settings["limit"]) == (2.5, "deg", None)
    assert settings["depth"] == 0.0
    assert "pos" not in settings, "what changes is not known when the script makes its parts"
    assert "gate.prepare()" not in script
    assert part_of_script(script, "# if gate is active this frame", "# if gate is stopping")[1:] == [
        "if gate.status == STARTED:",
        "# update params",
        "gate.setPos([left, 0], log=False)",
        "# where is the gaze?",
        "gate.update()",
    ]
    stop = part_of_script(script, "if bool(False) or gate.isDone:", "# check for quit")
    assert stop[-4:] == ["gate.status = FINISHED", "gate.stop()", "if gate.endsRoutine:", "continueRoutine = False"]


def test_a_stop_time_of_a_gate_still_counts() -> None:
    script = script_of(made([(FixationGateComponent, {"name": "gate", "stopVal": "3"})]))
    assert "if tThisFlipGlobal > gate.tStartRefresh + 3-frameTolerance or gate.isDone:" in script


def test_an_event_that_changes_is_worked_out_when_it_starts() -> None:
    event = {"name": "mark", "eventName": "$'cue ' + word", "stopEventName": "cue off", "stopVal": "0.5"}
    script = script_of(made([(NeonEventComponent, event)]))
    assert part_of_script(script, "mark.start(", "# if mark is stopping") == ["mark.start('cue ' + word)"]
    assert script.count("mark.stop('cue off')") == 2, "at its stop, or with the routine"
    assert script.index("mark.stop('cue off')  # if the routine") < script.index("mark.end()")
    assert "'mark.started'" not in script


def test_an_event_without_end_holds_nothing_up() -> None:
    script = script_of(made([(NeonEventComponent, {"name": "mark", "stopVal": ""})]))
    assert part_of_script(script, "mark.start(", "# check for quit")[:2] == [
        "mark.start('event')",
        "mark.status = FINISHED  # it holds nothing up",
    ]
    assert "mark.stop(" not in script


def test_what_stays_in_the_background_works_on_without_holding_up() -> None:
    shape = (PolygonComponent, {"name": "shape"})
    script = script_of(made([shape, (GazeROIComponent, {"name": "roi", "target": "shape"})]))
    assert "roi.status = FINISHED  # it holds nothing up" in script
    assert part_of_script(script, "if roi.isOn:", "# check for quit") == [
        "if roi.isOn:",
        "# where is the gaze?",
        "roi.update()",
    ]
    timed = script_of(made([shape, (GazeROIComponent, {"name": "roi", "target": "shape", "stopVal": "2"})]))
    assert "roi.isOn" not in timed
    assert "roi.status = FINISHED  #" not in timed


def test_a_routine_of_nothing_but_background_is_told() -> None:
    with alerts() as said:
        script_of(made([(NeonAprilTagFrameComponent, {"name": "frame"}), (GazeCursorComponent, {"name": "cursor"})]))
        assert len([each for each in said if "holds its routine up" in each]) == 2
    with alerts() as said:
        script_of(made([(NeonAprilTagFrameComponent, {}), (GazeCursorComponent, {"stopVal": "5"})]))
    assert said == []


def test_a_target_below_the_roi_is_known_in_time() -> None:
    exp = made([(GazeROIComponent, {"name": "roi", "target": "shape"}), (PolygonComponent, {"name": "shape"})])
    script = script_of(exp)
    assert script.index("shape = visual.") > script.index("roi = neonParts.RoiPart")
    assert part_of_script(script, "roi.setTarget(", "# store start times")[:2] == [
        "roi.setTarget(shape)",
        "roi.reset()",
    ]


def test_two_routines_have_their_own_tags() -> None:
    first = (NeonAprilTagFrameComponent, {"name": "wide", "columns": "6", "stopVal": "1"})
    second = [(NeonAprilTagComponent, {"name": f"tag{each}", "tagId": str(each), "stopVal": "1"}) for each in (30, 31)]
    with alerts() as said:
        script = script_of(made([first], second))
    assert said == []
    assert settings_of(script, "TagFramePart")["columns"] == 6
    places = [script.index(text) for text in ("wide.start()", "wide.end()", "tag30.start()", "tag31.end()")]
    assert places == sorted(places)


def test_order_in_the_routine_is_order_of_drawing() -> None:
    names = [(PolygonComponent, {"name": "shape"}), (GazeWindowComponent, {}), (DwellButtonComponent, {})]
    script = script_of(made(names))
    assert settings_of(script, "WindowPart")["depth"] == -1.0
    assert settings_of(script, "ButtonPart")["depth"] == -2.0


def test_units_of_the_experiment_are_those_of_the_window() -> None:
    script = script_of(made([(GazeCursorComponent, {"units": "from exp settings", "size": "1 # a comment"})]))
    assert settings_of(script, "CursorPart")["units"] == "win.units"
    assert settings_of(script, "CursorPart")["size"] == 1

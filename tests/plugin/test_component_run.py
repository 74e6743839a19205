"""A script that the Builder writes, run with a run that a test sets: all components in two routines and a loop."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("psychopy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from builder_kit import made

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]

REPEATS = 2
CORNER_PX = (600.0, 300.0)
SETTINGS = {
    "Show info dlg": "False",
    "Full-screen window": "False",
    "measureFrameRate": "False",
    "frameRate": "60",
    "keyboardBackend": "Pyglet",
    "Enable Escape": "",
    "Save csv file": "False",
    "Save wide csv file": "False",
    "Save psydat file": "False",
    "Save log file": "False",
}


def study() -> object:
    """A gate under one set of tags, a choice under another."""
    from psychopy.experiment.components.polygon import PolygonComponent

    from psychopy_neon.plugin.builder import components as ours

    gate = [
        (ours.NeonAprilTagFrameComponent, {"name": "frame"}),
        (ours.GazeCursorComponent, {"name": "cursor", "smoothing": "1-euro"}),
        (ours.FixationGateComponent, {"name": "gate", "holdTime": "0.03", "radius": "0.2", "pos": "$place"}),
        (ours.NeonEventComponent, {"name": "cue", "eventName": "$'cue %d' % trials.thisN", "stopEventName": "cue off"}),
    ]
    choice = [
        (ours.GazeROIComponent, {"name": "roi", "target": "shape", "minTime": "0"}),
        (PolygonComponent, {"name": "shape", "pos": "(0.25, 0)", "stopVal": ""}),
        (ours.GazeWindowComponent, {"name": "patch"}),
        (ours.NeonAprilTagComponent, {"name": "tag", "tagId": "40", "pos": "(-0.4, -0.3)"}),
        (ours.DwellButtonComponent, {"name": "yes", "pos": "(0.25, 0)", "dwellTime": "0.05", "storeCorrect": True}),
        (ours.NeonEventComponent, {"name": "mark", "eventName": "choice", "stopVal": ""}),
    ]
    exp = made(gate, choice)
    for name, value in SETTINGS.items():
        exp.settings.params[name].val = value
    exp.flow[0].loop.params["nReps"].val = str(REPEATS)
    exp.routines["trial0"][3].params["pos"].updates = "set every frame"
    yes = exp.routines["trial1"][-2].params
    yes["correctAns"].val, yes["correctAns"].updates = "trials.thisN == 0", "set every repeat"
    return exp


@pytest.fixture
def script(tmp_path: Path) -> SimpleNamespace:
    path = tmp_path / "study.py"
    path.write_text(study().writeScript(expPath=str(path)).lstrip("\ufeff"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("study", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


class ChangingRun:
    """Gaze where both tools are; what tags there were at each flip."""

    def __new__(cls, win: object) -> object:
        from fake_run import FakeRun

        run = FakeRun(win)
        run.place, run.layouts = CORNER_PX, []
        flip = win.flip

        def noted(*args: object, **settings: object) -> object:
            run.layouts.append({each for tags in run.tags for each in tags.layout.tags})
            return flip(*args, **settings)

        win.flip = noted
        return run


@pytest.mark.timeout(60)
def test_a_script_runs_to_its_end(
    script: SimpleNamespace, psychopy: SimpleNamespace, open_window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["study.py"])
    win = open_window((800, 600), units="height")
    exp = psychopy.data.ExperimentHandler(name="study", savePickle=False, saveWideText=False)
    run = ChangingRun(win)
    script.currentRun = lambda **given: run
    script.place = (0.25, 0.0)
    script.deviceManager.ioServer = None
    script.run(script.expInfo, exp, win)
    rows = [row for row in exp.entries if "gate.opened" in row]
    assert not [name for name in exp.dataNames if name.startswith("trials.gate")], "nothing is in the file twice"
    assert len(rows) == REPEATS
    assert all(row["gate.opened"] is True and row["gate.rt"] > 0 for row in rows)
    assert [row["cue.event"] for row in rows] == ["cue 0", "cue 1"]
    assert all(row["yes.selected"] is True and row["yes.rt"] > 0 for row in rows)
    assert [row["yes.corr"] for row in rows] == [1, 0]
    assert all(row["roi.looks"] == 1 and row["roi.on_s"] > 0 for row in rows)
    assert all(row["patch.no_gaze_share"] == 0 for row in rows)
    assert all(row["cue.stop_flip_time"] >= row["cue.flip_time"] == row["gate.started"] for row in rows)
    assert all(row["gate.stopped"] == row["yes.started"] for row in rows), "the flip that ended one began the other"
    assert run.neon.names == [name for number in range(REPEATS) for name in (f"cue {number}", "cue off", "choice")]
    changes = [ids for last, ids in pairwise([None, *run.layouts]) if ids != last]
    frame = set(range(12))
    assert [ids for ids in changes if ids] == [frame, {40}] * REPEATS
    assert run.tags == []
    assert win._toDraw == []

"""Parts that look at the gaze: gate, button, ROI, cursor and window, over a real window and a run that a test sets."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason

pytestmark = pytest.mark.once

LIMIT_S = 20
MIDDLE = (200.0, 150.0)


class Rows:
    """Stands for the experiment: keeps what is added."""

    def __init__(self) -> None:
        self.added: dict[str, object] = {}

    def addData(self, name: str, value: object) -> None:  # noqa: N802 (PsychoPy's name)
        self.added[name] = value


@pytest.fixture
def stage(psychopy: SimpleNamespace, open_window) -> SimpleNamespace:
    """A window of 400 x 300 px, a run and the parts; ``make`` is what a script does with one."""
    from fake_run import FakeRun

    from psychopy_neon.plugin.run import parts

    win = open_window((400, 300), units="height", color="black")
    run = FakeRun(win)

    def make(name: str, **values: object) -> object:
        return getattr(parts, name)(win=win, run=run, exp=Rows(), name="thing", **values)

    return SimpleNamespace(win=win, run=run, parts=parts, make=make)


def begin(stage: SimpleNamespace, part: object) -> None:
    """A repeat of the routine, up to the first flip."""
    part.reset()
    part.start()
    stage.win.flip()


def frames_until(stage: SimpleNamespace, part: object, is_over) -> None:
    """Updates and flips, as a script does, until something is so."""
    end = time.monotonic() + LIMIT_S
    while not is_over():
        assert time.monotonic() < end, "it never was"
        part.update()
        stage.win.flip()
        time.sleep(0.005)  # new gaze comes at 200 Hz; without a pause the loop would only be busy


def results(part: object) -> dict[str, object]:
    part.exp.added.clear()
    part.end()
    assert all(name.startswith("thing.") for name in part.exp.added)
    return {name.removeprefix("thing."): value for name, value in part.exp.added.items()}


def test_a_gate_opens_and_tells_when(stage: SimpleNamespace) -> None:
    gate = stage.make("GatePart", holdTime=0.05, radius=0.1, pos=(0.25, 0))
    begin(stage, gate)
    frames_until(stage, gate, lambda: gate.tool.gate.times.reasons_s.get(GazeReason.TAGS_LOST, 0) > 0.02)
    assert not gate.isDone
    stage.run.place = (275.0, 150.0)
    frames_until(stage, gate, lambda: gate.isDone)
    assert gate.isOpen
    assert gate.endsRoutine
    found = results(gate)
    assert (found["opened"], found["waited_for"]) == (True, "")
    assert found["rt"] >= 0.05
    assert found["no_data_s"] >= 0.02
    assert found.keys() == {"opened", "rt", "waited_for", "on_s", "off_s", "no_data_s"}


def test_a_gate_that_moves_in_every_frame_is_where_it_is(stage: SimpleNamespace) -> None:
    gate = stage.make("GatePart", holdTime=0.02, radius=0.05)
    begin(stage, gate)
    tool = gate.tool
    gate.setPos([-0.5, 0.25], log=False)
    assert gate.tool is tool
    assert tool.posPx == pytest.approx((50, 75))
    stage.run.place = (50.0, 75.0)
    frames_until(stage, gate, lambda: gate.isOpen)
    gate.setRadius(0.2)
    gate.reset()
    assert gate.tool.gate.radius_px == pytest.approx(60)
    assert not gate.isDone


def test_a_gate_gives_up_and_goes_on_if_it_shall(stage: SimpleNamespace) -> None:
    gate = stage.make("GatePart", limit=0.05, whenGivenUp="go on")
    begin(stage, gate)
    frames_until(stage, gate, lambda: gate.isDone)
    assert (gate.isOpen, gate.isGivenUp, gate.endsRoutine) == (False, True, False)
    found = results(gate)
    assert (found["opened"], found["rt"]) == (False, None)
    assert "no screen tag is seen" in found["waited_for"]


def test_without_gaze_from_anything_a_gate_holds_nobody_up(psychopy: SimpleNamespace, stage: SimpleNamespace) -> None:
    stage.run.isIdle, stage.run.reason = True, GazeReason.NO_STREAM
    said: list[str] = []
    gate = stage.make("GatePart", limit=None)
    log = psychopy.logging.LogFile(SimpleNamespace(write=said.append, flush=lambda: None), level=30)
    try:
        for _ in range(2):
            begin(stage, gate)
            gate.update()
            assert (gate.isGivenUp, gate.endsRoutine) == (True, True)
        psychopy.logging.flush()
    finally:
        psychopy.logging.root.removeTarget(log)
    assert len([line for line in said if "no gaze from anything" in line]) == 1


def test_a_button_is_a_response(stage: SimpleNamespace) -> None:
    button = stage.make("ButtonPart", dwellTime=0.05, text="ja", storeCorrect=True)
    button.setCorrectAns(True)
    stage.run.place = MIDDLE
    begin(stage, button)
    frames_until(stage, button, lambda: button.isDone)
    assert button.endsRoutine
    found = results(button)
    assert (found["selected"], found["corr"], found["abandoned"]) == (True, 1, 0)
    assert found["rt"] > found["look_s"]
    button.setText("nein")
    stage.run.place = None
    begin(stage, button)
    button.update()
    found = results(button)
    assert (found["selected"], found["rt"], found["look_s"], found["corr"]) == (False, None, None, 0)


def test_a_button_that_ends_no_routine_stays(stage: SimpleNamespace) -> None:
    button = stage.make("ButtonPart", dwellTime=0.02, forceEndRoutine=False)
    stage.run.place = MIDDLE
    begin(stage, button)
    frames_until(stage, button, lambda: button.isSelected)
    assert not button.isDone
    assert "corr" not in results(button)


def test_a_roi_counts_anew_in_each_repeat(psychopy: SimpleNamespace, stage: SimpleNamespace) -> None:
    roi = stage.make("RoiPart", minTime=0, margin=0, hysteresis=0)
    shape = psychopy.visual.Rect(stage.win, 0.2, 0.2, units="height")
    for _ in range(2):
        roi.setTarget(shape)
        stage.run.place = (10.0, 10.0)
        begin(stage, roi)
        frames_until(stage, roi, lambda: roi.tool.roi.times.seconds(roi.tool.roi.look) > 0.01)
        assert roi.isLookedAt is False
        stage.run.place = MIDDLE
        frames_until(stage, roi, lambda: roi.isLookedAt and roi.tool.results()["on_s"] > 0.01)
        found = results(roi)
        assert found["looks"] == roi.numLooks == 1
        assert found["first_look_s"] >= 0.01
        assert found.keys() == {"looks", "on_s", "off_s", "no_data_s", "first_look_s"}
        assert min(found["on_s"], found["off_s"]) >= 0.01
    stage.run.place = None
    begin(stage, roi)
    frames_until(stage, roi, lambda: roi.tool.results()["no_data_s"] > 0)
    assert roi.isLookedAt is None
    assert results(roi)["first_look_s"] is None


def test_a_target_without_area_is_told(stage: SimpleNamespace) -> None:
    roi = stage.make("RoiPart")
    for target in (None, "shape", 3):
        roi.setTarget(target)
        with pytest.raises(ConfigurationError, match=r"thing: target=.*a component with an area"):
            roi.reset()


def test_a_cursor_is_at_the_newest_gaze_when_it_is_drawn(stage: SimpleNamespace, grab) -> None:
    cursor = stage.make("CursorPart", size=0.2, lineWidth=30, units="height", color="red", smoothing="1-euro")
    begin(stage, cursor)
    stage.run.place = (300.0, 100.0)
    cursor.draw()
    rows, columns = np.nonzero(grab(stage.win)[..., 0])
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((300, 100), abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(60, abs=2)
    stage.win.flip()
    cursor.stop()
    stage.win.flip()
    assert not grab(stage.win).any()


def test_a_window_shows_and_a_scotoma_hides(psychopy: SimpleNamespace, stage: SimpleNamespace, grab) -> None:
    shape = psychopy.visual.Rect(stage.win, 2, 2, units="height", fillColor="white")
    patch = stage.make("WindowPart", radius=0.2, softEdge=0, holdTime=0)
    for mode, in_middle, outside in [("moving window", 255, 0), ("scotoma", 0, 255)]:
        patch.setMode(mode)
        begin(stage, patch)
        patch.stop()
        stage.run.place = MIDDLE
        shape.draw()
        patch.draw()
        image = grab(stage.win)
        assert (image[150, 200, 0], image[150, 50, 0]) == (in_middle, outside)
        stage.run.place = None
        patch.draw()
        assert not grab(stage.win).any()
        assert results(patch)["no_gaze_share"] == pytest.approx(2 / 3)  # with the flip of the beginning
        stage.win.flip()


def test_an_open_stimulus_is_seen_without_gaze_if_it_shall(stage: SimpleNamespace, grab) -> None:
    patch = stage.make("WindowPart", noGaze="show everything", color="red")
    patch.reset()
    patch.draw()
    assert not grab(stage.win).any()
    assert results(patch) == {"no_gaze_share": 1.0}


def test_what_cannot_be_used_is_told_with_its_component(stage: SimpleNamespace) -> None:
    for part, values, told in (
        ("GatePart", {"radius": -1}, "thing.radius=-1 cannot be used; allowed: a length above 0"),
        ("GatePart", {"pos": "left"}, "thing.pos='left' cannot be used; allowed: a place"),
        ("GatePart", {"units": "furlong"}, "thing: units='furlong' cannot be used"),
        ("ButtonPart", {"dwellTime": float("nan")}, "thing.dwellTime=nan cannot be used"),
        ("CursorPart", {"color": "sky blew"}, "thing.color='sky blew' cannot be used; allowed: a colour"),
        ("CursorPart", {"smoothing": "much"}, "thing.smoothing='much' cannot be used; allowed: one of"),
        ("WindowPart", {"radius": 0.1, "softEdge": 0.5}, "thing: softEdge=0.5 cannot be used; allowed: at most twice"),
    ):
        with pytest.raises(ConfigurationError, match=told.replace(".", r"\.")):
            stage.make(part, **values).prepare()


def test_a_routine_that_ends_before_its_first_flip_has_no_times(stage: SimpleNamespace) -> None:
    gate = stage.make("GatePart")
    gate.reset()
    gate.start()
    gate.end()
    gate.reset()
    stage.win.flip()
    assert gate.startedNs is None

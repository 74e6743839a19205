"""Dwell button, fixation gate, look-away pause and ROI over PsychoPy's stimuli."""

from __future__ import annotations

import numpy as np
import pytest

from psychopy_neon.contingent.dwell import DwellState
from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.gate import GateState
from psychopy_neon.contingent.look_away import Attention
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze

pytestmark = pytest.mark.once

MS = 1_000_000
SIZE = (800, 600)
LOST = ScreenGaze(None, GazeReason.TAGS_LOST)


def gaze_at(x: float, y: float) -> ScreenGaze:
    """A new record each time: new gaze."""
    return ScreenGaze((x, y), None, 0 <= x < SIZE[0] and 0 <= y < SIZE[1])


def show(tool, seconds: float, x: float | None, y: float = 300.0):
    """Gaze at a place, every 10 ms, after what came before; what the last update answered."""
    answer, began_ns = None, getattr(tool, "shownNs", 0)
    for step in range(1, round(seconds * 100) + 1):
        tool.shownNs = began_ns + step * 10 * MS
        answer = tool.update(LOST if x is None else gaze_at(x, y), tool.shownNs)
    return answer


@pytest.fixture
def opened(psychopy, open_window):
    win = open_window(SIZE, units="pix", color="black")
    return win, psychopy.AprilTagFrame(win)


def test_a_button_fills_clockwise_and_is_selected(psychopy, opened, grab) -> None:
    win, frame = opened
    button = psychopy.plugin_visual.DwellButton(
        win, frame, (100, 50), 200, "pix", dwellTime=1.0, color="blue", ringColor="red", fillColor="lime"
    )
    assert button.posPx == (500, 250)
    for hundredths, state in [(26, DwellState.FILLING), (50, DwellState.FILLING), (30, DwellState.SELECTED)]:
        assert show(button, hundredths / 100, 510, 240) is state
        button.draw()
        image = grab(win).astype(int)
        win.flip()
        rows, columns = np.indices(image.shape[:2])
        x, y = columns + 0.5 - 500, rows + 0.5 - 250
        in_ring = np.abs(np.hypot(x, y) - 92) < 5
        clockwise = np.degrees(np.arctan2(x, -y)) % 360
        done = 360 * button.dwell.progress
        full, empty = (clockwise > 3) & (clockwise < done - 3), (clockwise > done + 3) & (clockwise < 357)
        assert (image[in_ring & full] == (0, 255, 0)).all()
        assert (image[in_ring & empty] == (255, 0, 0)).all()
    assert button.isSelected


def test_a_button_that_has_moved_is_looked_at_where_it_is(psychopy, opened) -> None:
    win, frame = opened
    button = psychopy.plugin_visual.DwellButton(win, frame, (-200, 0), 100, "pix", dwellTime=0.3)
    assert show(button, 0.5, 600) is DwellState.EMPTY
    button.pos = (200, 0)
    assert show(button, 0.5, 600) is DwellState.SELECTED
    button.cancel()
    assert show(button, 0.5, 600) is DwellState.LOCKED
    button.reset()
    assert show(button, 0.5, None) is DwellState.EMPTY


def test_units_and_margin_of_a_button(psychopy, open_window) -> None:
    win = open_window(SIZE, units="height")
    frame = psychopy.AprilTagFrame(win)
    button = psychopy.plugin_visual.DwellButton(win, frame, (0.1, 0.2), 0.2, margin=0.05, dwellTime=0.05)
    assert button.posPx == pytest.approx((460, 180))
    assert button.radius_px == pytest.approx(60)
    assert show(button, 0.2, 460 + 91, 180) is DwellState.EMPTY
    assert show(button, 0.2, 460 + 89, 180) is DwellState.SELECTED


def test_a_gate_opens_and_shows_its_state(psychopy, opened, grab) -> None:
    win, frame = opened
    gate = psychopy.plugin_visual.FixationGate(
        win, frame, 50, (0, 100), 30, "pix", limit=5.0, color="red", holdColor="blue", openColor="lime"
    )
    for seconds, x, state, color in [
        (0.2, 700, GateState.WAITING, (255, 0, 0)),
        (0.2, 430, GateState.HOLDING, (0, 0, 255)),
        (0.2, 430, GateState.OPEN, (0, 255, 0)),
    ]:
        assert show(gate, seconds, x, 200) is state
        gate.draw()
        assert tuple(grab(win)[200, 400]) == color
        win.flip()
    assert gate.isOpen
    gate.reset()
    show(gate, 0.1, None)
    assert GazeReason.TAGS_LOST.value in gate.waitsFor
    assert show(gate, 6.0, None) is GateState.TIMED_OUT


def test_a_pause_covers_the_screen_and_says_why(psychopy, opened, grab) -> None:
    win, frame = opened
    win.color = "white"
    win.flip()
    pause = psychopy.plugin_visual.LookAwayPause(win, frame, 0.5, 1.0, margin=50, marginUnits="pix")
    assert show(pause, 0.8, 840) is Attention.THERE, "within the margin"
    pause.draw()
    assert (grab(win) == 255).all()
    assert show(pause, 0.8, 900) is Attention.AWAY
    pause.draw()
    image = grab(win).astype(int)
    assert tuple(image[10, 10]) == pytest.approx((76, 76, 76), abs=3)
    assert (image == 255).any(), "the message"
    assert pause._message.text == pause.awayText
    assert show(pause, 1.5, None) is Attention.NO_DATA
    pause.draw()
    assert GazeReason.TAGS_LOST.value in pause._message.text
    assert show(pause, 0.3, 400) is Attention.THERE


STIMULI = {
    "Rect": {"size": (200, 100), "pos": (100, 50)},
    "Circle": {"radius": 80, "edges": 64, "pos": (-50, 0)},
    "Circle as an ellipse": {"radius": 80, "edges": 64, "size": (1, 0.5)},
    "ShapeStim": {"vertices": [(0, 0), (100, 0), (100, 100), (50, 20), (0, 100)], "ori": 20},
    "ImageStim": {"image": np.zeros((4, 4)), "size": (120, 60), "ori": 30, "pos": (10, 20)},
    "GratingStim": {"size": (120, 60), "units": "pix"},
    "TextStim": {"text": "some words", "height": 40, "pos": (60, 60)},
    "TextBox2": {"text": "some words", "size": (200, 80), "letterHeight": 30, "pos": (-40, 30)},
}


@pytest.mark.parametrize("kind", STIMULI)
@pytest.mark.parametrize("is_retina", [False, True])
def test_a_roi_has_the_shape_of_its_stimulus(psychopy, opened, kind: str, is_retina: bool) -> None:
    """As the stimulus itself says by contains(), but for what lies within a pixel of its edge."""
    win, frame = opened
    win.useRetina = is_retina
    stim = getattr(psychopy.visual, kind.split()[0])(win, **{"units": "pix", **STIMULI[kind]})
    shape = psychopy.gaze_tool.screen_shape(stim, frame)
    scale = 2 if is_retina else 1
    judged = 0
    for x, y in np.random.default_rng(1).uniform(-250, 250, (400, 2)):
        distance_px = shape.distance_px((400 + scale * x, 300 - scale * y))
        if abs(distance_px) > 1.5 * scale:
            assert (distance_px < 0) == bool(stim.contains((x, y), units="pix")), (x, y)
            judged += 1
    assert judged > 300


def test_a_roi_follows_its_stimulus_and_knows_three_states(psychopy, opened) -> None:
    win, frame = opened
    disc = psychopy.visual.Circle(win, units="norm", radius=0.1, pos=(0.5, 0))
    roi = psychopy.plugin_visual.GazeROI(disc, frame, margin=10, hysteresis=10, marginUnits="pix", minTime=0.05)
    assert roi.isLookedAt is None
    assert show(roi, 0.2, 600) is Look.ON
    disc.pos = (-0.5, 0)
    assert show(roi, 0.2, 600) is Look.OFF
    assert show(roi, 0.2, 200) is Look.ON
    assert roi.isLookedAt is True
    assert show(roi, 0.1, None) is Look.NO_DATA
    assert roi.isLookedAt is None
    results = roi.results()
    assert (roi.numLooks, results["looks"]) == (2, 2)
    assert results["on_s"] == pytest.approx(0.4)
    assert results["no_data_s"] == pytest.approx(0.09)


def test_a_margin_in_degrees_is_that_of_the_monitor(psychopy, opened) -> None:
    win, frame = opened
    square = psychopy.visual.Rect(win, size=(100, 100))
    px_per_degree = 1920 / 53 * 65 * np.tan(np.radians(1))
    assert psychopy.gaze_tool.px_per_degree(win) == pytest.approx(px_per_degree, rel=0.001)
    roi = psychopy.plugin_visual.GazeROI(square, frame, margin=2.0, hysteresis=0.0, minTime=0.0)
    assert show(roi, 0.01, 450 + 2 * px_per_degree - 1) is Look.ON
    assert show(roi, 0.01, 450 + 2 * px_per_degree + 1) is Look.OFF
    win.monitor.setWidth(None)
    with pytest.raises(ConfigurationError):
        psychopy.plugin_visual.GazeROI(square, frame)


@pytest.mark.parametrize("kind", ["DotStim", "turned text"])
def test_a_stimulus_without_an_area_is_refused(psychopy, opened, kind: str) -> None:
    win, frame = opened
    text = {"text": "a", "ori": 30}
    stim = psychopy.visual.DotStim(win) if kind == "DotStim" else psychopy.visual.TextStim(win, **text)
    with pytest.raises(ConfigurationError):
        psychopy.plugin_visual.GazeROI(stim, frame)

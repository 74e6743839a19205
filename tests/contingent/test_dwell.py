from __future__ import annotations

import random

import pytest
from scripted import AGE_NS, MS, Frames, gaze_at

from psychopy_neon.contingent.dwell import Dwell, DwellState
from psychopy_neon.contingent.shapes import Circle
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason

BUTTON = Circle((500.0, 500.0), 80.0)
ON, BESIDE = (510.0, 490.0), (700.0, 500.0)
LOST = GazeReason.TAGS_LOST


def frames_of(dwell: Dwell, step_ms: float = 10.0) -> Frames:
    return Frames(lambda at_ns, gaze: dwell.update(at_ns, gaze, BUTTON), step_ms)


def test_it_fills_while_looked_at_and_is_selected_when_full() -> None:
    dwell = Dwell(0.5)
    frames = frames_of(dwell)
    assert frames.show(0.2, BESIDE) is DwellState.EMPTY
    entered_ns = frames.at_ns + 10 * MS - AGE_NS
    assert frames.show(0.4, ON) is DwellState.FILLING
    assert dwell.progress == pytest.approx(0.39 / 0.5)
    assert frames.show(0.11, ON) is DwellState.SELECTED
    assert (dwell.progress, dwell.entered_ns, dwell.selected_ns) == (1.0, entered_ns, frames.at_ns)
    assert frames.show(0.2, BESIDE) is DwellState.SELECTED
    assert dwell.selected_ns == frames.at_ns - 200 * MS


@pytest.mark.parametrize("reason", list(GazeReason))
def test_it_never_fills_on_no_data(reason: GazeReason) -> None:
    dwell = Dwell(0.3, loss_limit_s=10.0)
    frames = frames_of(dwell)
    frames.show(0.2, ON)
    filled = dwell.progress
    assert frames.show(5.0, None, reason) is DwellState.HELD
    assert dwell.progress == filled
    frames.show(0.01, ON)
    assert dwell.progress == filled, "the loss itself is not filled when gaze comes back"


def test_it_never_fills_on_the_same_sample() -> None:
    dwell = Dwell(0.05, loss_limit_s=10.0)
    frames = frames_of(dwell)
    frames.show(0.02, ON)
    filled = dwell.progress
    assert frames.repeat(3.0) is DwellState.HELD
    assert dwell.progress == filled


def test_a_display_faster_than_the_tracker_loses_nothing() -> None:
    dwell = Dwell(0.2)
    frames = frames_of(dwell, step_ms=2.5)
    for _ in range(40):
        frames.show(0.0025, ON)
        frames.repeat(0.0025)
    frames.show(0.0025, ON)
    assert dwell.state is DwellState.SELECTED


@pytest.mark.parametrize(("loss_s", "is_kept"), [(0.28, True), (0.34, False)])
def test_a_short_loss_holds_and_a_long_one_empties(loss_s: float, is_kept: bool) -> None:
    dwell = Dwell(0.5, loss_limit_s=0.3)
    frames = frames_of(dwell)
    frames.show(0.3, ON)
    entered_ns = dwell.entered_ns
    frames.show(loss_s, None, LOST)
    frames.show(0.1, ON)
    assert (dwell.entered_ns == entered_ns) is is_kept
    assert dwell.abandoned == (not is_kept)
    assert dwell.progress == pytest.approx((0.29 + 0.09 if is_kept else 0.09) / 0.5)


@pytest.mark.parametrize(("exit_s", "is_kept"), [(0.08, True), (0.15, False)])
def test_a_short_exit_holds_and_a_long_one_empties(exit_s: float, is_kept: bool) -> None:
    dwell = Dwell(0.5, exit_limit_s=0.1)
    frames = frames_of(dwell)
    frames.show(0.3, ON)
    frames.show(exit_s, BESIDE)
    frames.show(0.1, ON)
    assert dwell.progress == pytest.approx((0.29 + 0.09 if is_kept else 0.09) / 0.5)


def test_flicker_between_beside_and_lost_does_not_hold_for_ever() -> None:
    dwell = Dwell(0.5, exit_limit_s=0.1, loss_limit_s=0.3)
    frames = frames_of(dwell)
    frames.show(0.3, ON)
    for _ in range(6):
        frames.show(0.02, BESIDE)
        frames.show(0.02, None, LOST)
    assert dwell.state is DwellState.EMPTY


def test_a_busy_program_does_not_fill() -> None:
    dwell = Dwell(0.5, loss_limit_s=0.3)
    frames = frames_of(dwell)
    frames.show(0.1, ON)
    frames.stall(2.0)
    assert frames.show(0.01, ON) is DwellState.FILLING
    assert dwell.progress == 0


def test_cancelled_it_waits_until_gaze_has_left() -> None:
    dwell = Dwell(0.2)
    frames = frames_of(dwell)
    frames.show(0.1, ON)
    dwell.cancel()
    assert frames.show(1.0, ON) is DwellState.LOCKED
    assert frames.show(1.0, None, LOST) is DwellState.LOCKED, "nobody has seen it leave"
    frames.show(0.02, BESIDE)
    assert frames.show(0.3, ON) is DwellState.SELECTED


def test_reset_begins_anew() -> None:
    dwell = Dwell(0.2)
    frames = frames_of(dwell)
    frames.show(0.3, ON)
    dwell.reset()
    assert (dwell.state, dwell.progress, dwell.selected_ns) == (DwellState.EMPTY, 0.0, None)
    assert frames.show(0.3, ON) is DwellState.SELECTED


def test_a_button_that_moves_with_gaze_is_selected() -> None:
    dwell = Dwell(0.4)
    for step in range(60):
        at_ns, x = step * 10 * MS, 10.0 * step
        dwell.update(at_ns, gaze_at(at_ns, (x, 0.0)), Circle((x + 20, 0.0), 40.0))
    assert dwell.state is DwellState.SELECTED


@pytest.mark.parametrize("seed", range(5))
def test_looking_about_selects_nothing(seed: int) -> None:
    """Fixations of 0.2 to 0.6 s in the button and beside it, one minute."""
    dwell, places = Dwell(0.8), random.Random(seed)
    frames = frames_of(dwell)
    for _ in range(75):
        frames.show(places.uniform(0.2, 0.6), ON)
        frames.show(places.uniform(0.2, 0.6), BESIDE)
    assert dwell.state is not DwellState.SELECTED
    assert dwell.abandoned >= 70


@pytest.mark.parametrize("settings", [{"dwell_s": 0.0}, {"dwell_s": -1.0}, {"loss_limit_s": -1}, {"exit_limit_s": -1}])
def test_what_cannot_be_used_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Dwell(**settings)

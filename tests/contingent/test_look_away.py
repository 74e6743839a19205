from __future__ import annotations

import pytest
from scripted import MS, Frames

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.look_away import Attention, LookAway
from psychopy_neon.contingent.shapes import rectangle
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason

SCREEN = rectangle((960.0, 540.0), (1920.0, 1080.0))
ON, BESIDE = (500.0, 500.0), (2100.0, 500.0)
LOST = GazeReason.TAGS_LOST


def frames_of(away: LookAway) -> Frames:
    return Frames(lambda at_ns, gaze: away.update(at_ns, gaze, SCREEN))


def test_it_pauses_after_a_time_beside_the_screen_and_ends_after_a_time_on_it() -> None:
    away = LookAway(away_s=1.0, back_s=0.2)
    frames = frames_of(away)
    assert frames.show(1.0, ON) is Attention.THERE
    began_ns = frames.at_ns + 10 * MS
    assert frames.show(1.0, BESIDE) is Attention.THERE
    assert frames.show(0.01, BESIDE) is Attention.AWAY
    assert (away.since_ns, away.pauses, away.is_paused) == (began_ns, 1, True)
    assert frames.show(0.2, ON) is Attention.AWAY
    assert frames.show(0.01, ON) is Attention.THERE
    assert (away.since_ns, away.pauses) == (None, 1)
    assert away.times.seconds(Look.OFF) == pytest.approx(1.01)


def test_no_data_is_another_state_with_its_own_limit() -> None:
    away = LookAway(away_s=0.5, no_data_s=2.0)
    frames = frames_of(away)
    frames.show(0.5, ON)
    assert frames.show(2.0, None, LOST) is Attention.THERE
    assert frames.show(0.01, None, LOST) is Attention.NO_DATA
    assert away.reason is LOST
    assert frames.show(0.52, BESIDE) is Attention.AWAY, "now it is known where gaze is"
    assert away.pauses == 1


def test_short_looks_away_and_blinks_do_not_pause() -> None:
    away = LookAway(away_s=1.0, no_data_s=2.0)
    frames = frames_of(away)
    for _ in range(5):
        frames.show(0.9, BESIDE)
        frames.show(0.1, ON)
        frames.show(1.5, None, GazeReason.BLINK)
        frames.show(0.1, ON)
    assert away.pauses == 0


def test_flicker_between_beside_and_lost_pauses() -> None:
    away = LookAway(away_s=1.0, no_data_s=2.0)
    frames = frames_of(away)
    frames.show(0.5, ON)
    for _ in range(11):
        frames.show(0.1, BESIDE)
        frames.show(0.1, None, LOST)
    assert away.is_paused


def test_a_margin_for_the_trackers_error() -> None:
    away = LookAway(away_s=0.1, margin_px=200.0)
    assert frames_of(away).show(1.0, BESIDE) is Attention.THERE


@pytest.mark.parametrize("is_repeated", [False, True])
def test_a_pause_does_not_end_on_what_is_no_evidence(is_repeated: bool) -> None:
    away = LookAway(away_s=0.1, back_s=0.05)
    frames = frames_of(away)
    frames.show(0.2, BESIDE)
    frames.show(0.01, ON)
    if is_repeated:
        frames.repeat(0.09)
    else:
        frames.stall(3.0)
        frames.show(0.01, ON)
    assert away.state is Attention.AWAY


@pytest.mark.parametrize("setting", ["away_s", "no_data_s", "back_s", "margin_px"])
def test_what_cannot_be_used_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError):
        LookAway(**{setting: -1.0})

from __future__ import annotations

import pytest
from scripted import MS, Frames, gaze_at

from psychopy_neon.contingent.window import Followed, Follower
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason
from psychopy_neon.screen.filters import OneEuroFilter

PLACE = (300.0, 200.0)
LOST = GazeReason.TAGS_LOST


def test_it_is_where_gaze_is_and_nowhere_without() -> None:
    frames = Frames(Follower(hold_s=0.0).update)
    assert frames.show(0.1, PLACE) == Followed(PLACE, False, None)
    assert frames.show(0.01, None, LOST) == Followed(None, False, LOST)


def test_it_holds_for_so_long_and_says_so() -> None:
    frames = Frames(Follower(hold_s=0.1).update)
    frames.show(0.1, PLACE)
    assert frames.show(0.1, None, LOST) == Followed(PLACE, True, LOST)
    assert frames.show(0.01, None, LOST) == Followed(None, False, LOST)
    assert frames.show(1.0, None, LOST) == Followed(None, False, LOST)
    assert frames.show(0.01, (5.0, 6.0)) == Followed((5.0, 6.0), False, None)


def test_gaze_that_stands_still_in_the_stream_is_lost_too() -> None:
    frames = Frames(Follower(hold_s=0.0, repeat_limit_s=0.1).update)
    frames.show(0.1, PLACE)
    assert frames.repeat(0.1) == Followed(PLACE, False, None)
    assert frames.repeat(0.05) == Followed(None, False, GazeReason.STALE)


def test_gaze_that_is_too_old_is_none() -> None:
    follower = Follower(hold_s=0.0, max_age_s=0.05)
    assert follower.update(0, gaze_at(0, PLACE)._replace(age_s=0.049)).pos == PLACE
    assert follower.update(MS, gaze_at(MS, PLACE)._replace(age_s=0.051)) == Followed(None, False, GazeReason.STALE)


def test_beside_the_screen_is_a_place() -> None:
    assert Frames(Follower().update).show(0.02, (-50.0, 2000.0)) == Followed((-50.0, 2000.0), False, None)


def test_the_same_sample_on_a_screen_that_was_found_anew_is_drawn_there() -> None:
    follower = Follower()
    gaze = gaze_at(0, PLACE)
    follower.update(0, gaze)
    assert follower.update(MS, gaze._replace(pos=(301.0, 202.0))).pos == (301.0, 202.0)


def test_a_filter_steadies_new_samples_only_and_begins_anew_after_a_loss() -> None:
    follower = Follower(hold_s=0.0, smoother=OneEuroFilter(beta=0.0))
    frames = Frames(follower.update)
    frames.show(0.2, PLACE)
    moved = frames.show(0.01, (400.0, 200.0)).pos
    assert PLACE[0] < moved[0] < 400.0
    assert frames.repeat(0.05).pos == moved
    frames.show(0.01, None, LOST)
    assert frames.show(0.01, (700.0, 200.0)).pos == (700.0, 200.0)


@pytest.mark.parametrize("settings", [{"hold_s": -1.0}, {"max_age_s": -1.0}, {"repeat_limit_s": -1.0}])
def test_what_cannot_be_used_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Follower(**settings)

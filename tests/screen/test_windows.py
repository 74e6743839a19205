from __future__ import annotations

import numpy as np
import pytest
from judge import Floats, Look, Screen, View

from psychopy_neon.screen.windows import MOST_TAGS, match_tags
from psychopy_neon.simulator.settings import HeadPose

HEADS = {
    "straight": HeadPose(),
    "turned": HeadPose(yaw_deg=6, pitch_deg=-3, roll_deg=14),
    "far": HeadPose(distance=1.7, yaw_deg=-5),
}
SHIFTS = {"none": (0, 0), "small": (7.4, -3.2), "right": (60, 5), "up left": (-60, -58)}


def expected(view: View, screen: Screen, shift: tuple[float, float] = (0, 0)) -> dict[int, Floats]:
    """Where the tags are, moved."""
    return {tag_id: view.camera.scene_from_screen(corners) + shift for tag_id, corners in screen[1].tags.items()}


def assert_found(found: dict[int, Floats], view: View, screen: Screen, away_px: float = 2.0) -> None:
    truth = expected(view, screen)
    for tag_id, corners in found.items():
        np.testing.assert_allclose(corners, truth[tag_id], atol=away_px)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("damage", ["none", "noise", "blur"])
def test_tags_are_found_where_they_are(look: Look, screen: Screen, name: str, shift: str, damage: str) -> None:
    view = look(screen[0], HEADS[name])
    if damage == "noise":
        view = view.noisy(np.random.default_rng(1), noise=12)
    elif damage == "blur":
        view = view.blurred(2.5)
    found = match_tags(view.luma, expected(view, screen, SHIFTS[shift]))
    assert len(found) >= MOST_TAGS - (damage == "blur")  # the far ones have modules of three pixels
    assert_found(found, view, screen)


def test_the_tags_are_chosen_from_all_over_the_screen(look: Look, screen: Screen) -> None:
    view = look(screen[0])
    found = match_tags(view.luma, expected(view, screen))
    middles = np.array([screen[1].tags[tag_id].mean(axis=0) for tag_id in found])
    assert (np.ptp(middles, axis=0) > (1500, 800)).all()


def test_a_hand_over_a_third_of_a_tag_does_no_harm(look: Look, screen: Screen) -> None:
    view = look(screen[0], HEADS["turned"])
    hand = screen[1].tags[2][0] + [[-12, -12], [20, -12], [20, 108], [-12, 108]]
    found = match_tags(view.covered(hand).luma, {2: expected(view, screen, (20, -30))[2]})
    assert_found(found, view, screen, away_px=3.0)
    assert found.keys() == {2}


def test_what_is_not_there_is_not_found(look: Look, screen: Screen) -> None:
    view = look(screen[0])
    places = expected(view, screen)
    others = {tag_id + 100: corners for tag_id, corners in places.items()}
    assert match_tags(view.luma, others) == {}
    assert match_tags(view.luma, expected(view, screen, (0, 150))) == {}


@pytest.mark.parametrize("noise", [0, 40])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_on_a_wall(look: Look, screen: Screen, level: int, noise: float) -> None:
    view = look(screen[0])
    wall = view.changed(np.full(view.luma.shape, level, np.uint8)).noisy(np.random.default_rng(2), noise)
    assert match_tags(wall.luma, expected(view, screen)) == {}


def test_tags_partly_or_wholly_outside_of_the_frame(look: Look, screen: Screen) -> None:
    """The upper left tag lies at the frame's left border, then beyond it."""
    view = look(screen[0], HEADS["straight"])
    truth = expected(view, screen)
    left = int(truth[0][:, 0].min())
    for cut in (left + 15, left + 200):
        part = np.ascontiguousarray(view.luma[:, cut:])
        found = match_tags(part, {0: truth[0] - (cut, 0), 6: truth[6] - (cut, 0)})
        assert found.keys() == {6}
        np.testing.assert_allclose(found[6], truth[6] - (cut, 0), atol=2)
    part = np.ascontiguousarray(view.luma[:, left - 4 :])  # within the frame, expected to stick out of it
    found = match_tags(part, {0: truth[0] - (left - 4 + 30, 0)})
    np.testing.assert_allclose(found[0], truth[0] - (left - 4, 0), atol=2)


@pytest.mark.parametrize(
    "corners",
    [
        np.full((4, 2), np.nan),
        np.full((4, 2), np.inf),
        np.full((4, 2), -500.0),
        np.array([[100.0, 100], [108, 100], [108, 108], [100, 108]]),
        np.array([[0.0, 0], [9000, 0], [9000, 9000], [0, 9000]]),
    ],
    ids=["nan", "inf", "outside", "8 px", "larger than the frame"],
)
def test_expectations_that_help_nobody(look: Look, screen: Screen, corners: Floats) -> None:
    luma = look(screen[0]).luma
    assert match_tags(luma, {0: corners}) == {}
    assert match_tags(luma[:3, :3], {0: corners}) == {}
    assert match_tags(luma, {}) == {}

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import (
    PrintedTag,
    ScreenLayout,
    border_layout,
    printed_layout,
    refuse_shared_ids,
    single_tag_layout,
)

SQUARE = np.array([[0, 0], [80, 0], [80, 80], [0, 80]], float)


def test_a_layout_keeps_its_own_unchangeable_corners() -> None:
    corners = SQUARE.copy()
    layout = ScreenLayout((800, 600), {3: corners})
    corners += 5
    np.testing.assert_array_equal(layout.tags[3], SQUARE)
    with pytest.raises(ValueError, match="read-only"):
        layout.tags[3][0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        layout.size_px = (1, 1)  # type: ignore[misc]


def test_tags_may_lie_beside_the_screen_and_their_white_may_touch() -> None:
    ScreenLayout((800, 600), {0: SQUARE - 200, 586: SQUARE - (100, 200)})
    with pytest.raises(ConfigurationError, match="white"):
        ScreenLayout((800, 600), {0: SQUARE - 200, 586: SQUARE - (101, 200)})


def turned(turn_deg: float) -> np.ndarray:
    turn = np.radians(turn_deg)
    middle = SQUARE.mean(axis=0)
    return (SQUARE - middle) @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + middle


def test_turned_tags_overlap_only_if_they_do() -> None:
    # Squares of 100 px with their white; on their corners they are 141 px wide.
    right, lying = np.array([1, 0]), turned(45)
    ScreenLayout((800, 600), {0: lying, 1: lying + 100})  # their bounding boxes overlap
    ScreenLayout((800, 600), {0: lying, 1: lying + 142 * right})
    ScreenLayout((800, 600), {0: lying, 1: SQUARE + 121 * right})
    for corners in (lying + 70, lying + 140 * right, SQUARE + 120 * right, turned(10)):
        with pytest.raises(ConfigurationError, match="overlap"):
            ScreenLayout((800, 600), {0: lying, 1: corners})


def test_a_small_tag_within_another_overlaps_it() -> None:
    with pytest.raises(ConfigurationError, match="overlap"):
        ScreenLayout((800, 600), {0: SQUARE, 1: SQUARE / 10 + 30})


@pytest.mark.parametrize(
    ("size_px", "tags", "setting"),
    [
        ((0, 600), {0: SQUARE}, "size_px"),
        ((800, 600), {}, "tags"),
        ((800, 600), {-1: SQUARE}, "tags"),
        ((800, 600), {587: SQUARE}, "tags"),
        ((800, 600), {0: SQUARE[:3]}, "tags[0]"),
        ((800, 600), {0: SQUARE[::-1]}, "tags[0]"),
        ((800, 600), {0: SQUARE * np.nan}, "tags[0]"),
        ((800, 600), {0: SQUARE * (1, 0)}, "tags[0]"),
        ((800, 600), {0: SQUARE[[0, 2, 1, 3]]}, "tags[0]"),
        ((800, 600), {0: np.array([[0, 0], [80, 0], [20, 20], [0, 80]])}, "tags[0]"),
        ((800, 600), {0: SQUARE, 1: SQUARE + 79}, "tags"),
    ],
)
def test_what_cannot_be_used_is_refused(size_px: tuple[int, int], tags: dict, setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ScreenLayout(size_px, tags)
    assert caught.value.setting == setting


@given(
    size_px=st.tuples(st.integers(600, 5000), st.integers(440, 3000)),
    tag_px=st.integers(10, 80),
    columns=st.integers(2, 7),
    rows=st.integers(2, 5),
    margin_px=st.integers(0, 20),
)
def test_a_border_has_whole_modules_within_the_screen(
    size_px: tuple[int, int], tag_px: int, columns: int, rows: int, margin_px: int
) -> None:
    layout = border_layout(size_px, tag_px=tag_px, columns=columns, rows=rows, margin_px=margin_px, first_id=7)
    assert list(layout.tags) == list(range(7, 7 + 2 * columns + 2 * (rows - 2)))
    module = tag_px // 10
    corners = np.stack(list(layout.tags.values()))
    assert (corners == corners.round()).all()
    assert (corners[:, 2] - corners[:, 0] == 8 * module).all()
    low, high = corners.min(axis=(0, 1)) - module, corners.max(axis=(0, 1)) + module
    np.testing.assert_array_equal(low, margin_px)
    np.testing.assert_array_equal(high, np.array(size_px) - margin_px)


@pytest.mark.parametrize(
    "settings",
    [
        {"tag_px": 9},
        {"columns": 1},
        {"rows": 1},
        {"tag_px": 300},
        {"columns": 20},
        {"margin_px": 500},
        {"margin_px": -1},
        {"quiet_modules": 0},
        {"quiet_modules": 60},
        {"ids": [1, 2]},
        {"ids": range(580, 592)},
    ],
)
def test_a_border_that_does_not_fit_is_refused(settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        border_layout((1280, 720), **settings)


def test_white_modules_of_neighbours_do_not_overlap() -> None:
    with pytest.raises(ConfigurationError):
        border_layout((1000, 600), tag_px=100, columns=11)
    border_layout((1000, 600), tag_px=100, columns=10)


def test_a_border_with_ids_and_a_wide_quiet_zone() -> None:
    layout = border_layout((1000, 600), tag_px=129, columns=2, rows=2, ids=[9, 3, 500, 4], quiet_modules=2)
    assert list(layout.tags) == [9, 3, 500, 4]
    np.testing.assert_array_equal(layout.tags[9], SQUARE + 20)  # 120 px: twelve modules of ten pixels
    np.testing.assert_array_equal(layout.outlines[4], np.array([[880, 480], [1000, 480], [1000, 600], [880, 600]]))


@given(
    turn_deg=st.floats(-720, 720),
    centre=st.tuples(st.floats(200, 600), st.floats(200, 400)),
    tag_px=st.floats(10, 140),
    quiet=st.integers(1, 3),
)
def test_a_single_tag(turn_deg: float, centre: tuple[float, float], tag_px: float, quiet: int) -> None:
    if tag_px < 8 + 2 * quiet:
        return
    layout = single_tag_layout((800, 600), 5, centre_px=centre, tag_px=tag_px, turn_deg=turn_deg, quiet_modules=quiet)
    corners = layout.tags[5]
    sides = np.roll(corners, -1, axis=0) - corners
    module = np.linalg.norm(sides, axis=1) / 8
    np.testing.assert_allclose(module, module[0].round(), atol=1e-9)
    assert tag_px - (8 + 2 * quiet) < (8 + 2 * quiet) * module[0] <= tag_px + 1e-5
    np.testing.assert_allclose(np.cos(np.arctan2(*sides[0][::-1]) - np.radians(turn_deg)), 1, atol=1e-9)
    is_straight = turn_deg % 90 == 0
    np.testing.assert_allclose(corners.mean(axis=0), centre, atol=0.5 + 1e-9 if is_straight else 1e-9)
    assert not is_straight or (corners == corners.round()).all()


def test_a_single_tag_must_lie_on_the_screen() -> None:
    single_tag_layout((800, 600), 0, centre_px=(50, 550), tag_px=100)
    for centre, turn_deg in [((49, 300), 0), ((300, 551), 0), ((60, 300), 45)]:
        with pytest.raises(ConfigurationError, match="centre_px"):
            single_tag_layout((800, 600), 0, centre_px=centre, tag_px=100, turn_deg=turn_deg)


def test_printed_tags_in_centimetres() -> None:
    layout = printed_layout(
        (1920, 1080), (48.0, 27.0), {7: PrintedTag(-4.0, 5.0, 3.0), 8: PrintedTag(52.0, 5.0, 4.0, turn_deg=90)}
    )
    np.testing.assert_allclose(layout.tags[7], np.array([[-5.5, 3.5], [-2.5, 3.5], [-2.5, 6.5], [-5.5, 6.5]]) * 40)
    # Turned clockwise, what was the upper left corner is on the right.
    np.testing.assert_allclose(layout.tags[8], np.array([[54, 3], [54, 7], [50, 7], [50, 3]]) * 40)
    for screen_cm, width_cm in [((0, 27), 3), ((48, float("nan")), 3), ((48, 27), 0), ((48, 27), -1)]:
        with pytest.raises(ConfigurationError):
            printed_layout((1920, 1080), screen_cm, {7: PrintedTag(-4, 5, width_cm)})


def test_joined_layouts() -> None:
    border = border_layout((800, 600), tag_px=100, columns=3, rows=2, quiet_modules=1)
    tag = single_tag_layout((800, 600), 20, centre_px=(400, 300), tag_px=84, quiet_modules=3)
    paper = ScreenLayout((800, 600), {30: SQUARE - 200})
    joined = border.joined(tag, paper)
    assert list(joined.tags) == [*range(6), 20, 30]
    np.testing.assert_array_equal(joined.outlines[20], tag.outlines[20])  # and not one module around
    for other, message in [
        (ScreenLayout((800, 601), {30: SQUARE}), "same screen"),
        (ScreenLayout((800, 600), {3: SQUARE - 200}), "once"),
        (ScreenLayout((800, 600), {30: SQUARE}), "overlap"),
    ]:
        with pytest.raises(ConfigurationError, match=message):
            border.joined(other)


def test_screens_that_are_seen_together_have_ids_of_their_own() -> None:
    screens = [border_layout((800, 600), first_id=first_id, tag_px=60) for first_id in (0, 12, 40)]
    refuse_shared_ids(screens)
    with pytest.raises(ConfigurationError, match=r"screens 1 and 3 .* firstId=52") as caught:
        refuse_shared_ids([*screens, border_layout((300, 300), first_id=20, tag_px=60)])
    assert caught.value.value == [20, 21, 22, 23]
    with pytest.raises(ConfigurationError, match=r"ids=\[\.\.\.\]"):
        refuse_shared_ids([border_layout((800, 600), first_id=570, tag_px=60)] * 2)

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import ScreenLayout, border_layout

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


def test_tags_may_lie_beside_the_screen_and_touch() -> None:
    ScreenLayout((800, 600), {0: SQUARE - 200, 586: SQUARE - (120, 200)})


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
        ((800, 600), {0: SQUARE, 1: SQUARE + 79}, "tags"),
    ],
)
def test_what_cannot_be_used_is_refused(size_px: tuple[int, int], tags: dict, setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ScreenLayout(size_px, tags)
    assert caught.value.setting == setting


@given(
    size_px=st.tuples(st.integers(600, 5000), st.integers(400, 3000)),
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
    "settings", [{"tag_px": 9}, {"columns": 1}, {"rows": 1}, {"tag_px": 300}, {"columns": 20}, {"margin_px": 500}]
)
def test_a_border_that_does_not_fit_is_refused(settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        border_layout((1280, 720), **settings)


def test_white_modules_of_neighbours_do_not_overlap() -> None:
    with pytest.raises(ConfigurationError):
        border_layout((1000, 600), tag_px=100, columns=11)
    border_layout((1000, 600), tag_px=100, columns=10)

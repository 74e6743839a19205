from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.modules import tag_picture
from psychopy_neon.screen.tag_levels import TagLevels, white_share

GREY = (0.5, 0.5, 0.5)


@pytest.mark.parametrize("tag_id", [0, 1, 250, 586])
@pytest.mark.parametrize("quiet", [1, 2, 4])
def test_white_share(tag_id: int, quiet: int) -> None:
    picture = np.pad(tag_picture(tag_id, 1), quiet - 1, constant_values=255)
    assert white_share(tag_id, quiet) == pytest.approx((picture > 0).mean())


def test_contrast_moves_both_towards_the_grey_between() -> None:
    white, black = TagLevels(0.9, 0.1, contrast=0.5).of_tag(0.5, GREY, (1, 1, 1))
    assert (white, black) == (pytest.approx((0.7,) * 3), pytest.approx((0.3,) * 3))


@given(
    share=st.floats(0.3, 0.8),
    background=st.tuples(*[st.floats(0.05, 0.95)] * 3),
    gamma=st.tuples(*[st.floats(1.0, 2.6)] * 3),
    contrast=st.floats(0.2, 1.0),
)
def test_matched_tags_give_as_much_light_as_the_background(
    share: float, background: tuple[float, ...], gamma: tuple[float, ...], contrast: float
) -> None:
    try:
        white, black = TagLevels(contrast=contrast, is_matched=True).of_tag(share, background, gamma)
    except ConfigurationError:
        assume(False)  # too little room for contrast
    assert all(0 <= dark <= light <= 1 for dark, light in zip(black, white, strict=True))
    mean = share * np.array(white) ** gamma + (1 - share) * np.array(black) ** gamma
    np.testing.assert_allclose(mean, np.array(background) ** gamma, atol=1e-9)


def test_a_matched_tag_has_all_the_contrast_that_the_screen_allows() -> None:
    dark = TagLevels(is_matched=True).of_tag(0.5, (0.2,) * 3, (2.2,) * 3)
    bright = TagLevels(is_matched=True).of_tag(0.5, (0.9,) * 3, (2.2,) * 3)
    assert dark[1] == (0, 0, 0)
    assert bright[0] == (1, 1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"contrast": 0},
        {"contrast": 1.01},
        {"contrast": float("nan")},
        {"contrast": 0.09},
        {"white": 1.1},
        {"black": -0.1},
        {"white": 0.3, "black": 0.3},
        {"white": 0.35, "black": 0.3},
    ],
)
def test_levels_that_cannot_be_used_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        TagLevels(**settings)


@pytest.mark.parametrize("background", [(0, 0, 0), (1, 1, 1), (1, 0, 0), (0.02, 0.02, 0.02)])
def test_no_match_without_room_for_contrast(background: tuple[float, ...]) -> None:
    with pytest.raises(ConfigurationError, match="background"):
        TagLevels(is_matched=True).of_tag(0.54, background, (2.2,) * 3)

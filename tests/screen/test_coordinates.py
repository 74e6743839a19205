import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.screen.coordinates import (
    centred_from_screen,
    is_on_screen,
    screen_from_centred,
)

SIZES = st.tuples(st.integers(1, 8000), st.integers(1, 8000))
PLACES = st.floats(-1e4, 1e4)


@given(PLACES, PLACES, SIZES)
def test_centred_px_and_back(x: float, y: float, size_px: tuple[int, int]) -> None:
    np.testing.assert_allclose(screen_from_centred(*centred_from_screen(x, y, size_px), size_px), (x, y), atol=1e-9)


def test_the_first_pixel_is_top_left() -> None:
    assert centred_from_screen(0, 0, (1920, 1080)) == (-960, 540)
    assert centred_from_screen(0.5, 0.5, (3, 3)) == (-1, 1)  # the centre of a pixel of an odd screen


def test_the_right_and_lower_edge_are_outside() -> None:
    assert is_on_screen(0, 0, (1920, 1080))
    assert is_on_screen(1919.99, 1079.99, (1920, 1080))
    assert not is_on_screen(1920, 5, (1920, 1080))
    assert not is_on_screen(5, 1080, (1920, 1080))
    assert not is_on_screen(-0.01, 5, (1920, 1080))
    assert not is_on_screen(float("nan"), 5, (1920, 1080))

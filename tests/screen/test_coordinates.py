import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.screen.coordinates import (
    centred_from_screen,
    full_from_reduced,
    is_on_screen,
    screen_from_centred,
    transform,
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


def test_a_reduced_image_has_its_first_pixel_centre_inside() -> None:
    ramp = np.arange(12.0)
    for factor in (2, 3, 4):
        reduced = ramp.reshape(-1, factor).mean(axis=1)  # the mean place of each block is its value
        places = np.stack([np.arange(len(reduced))] * 2, axis=1).astype(float)
        np.testing.assert_allclose(full_from_reduced(places, factor)[:, 0], reduced)


def test_transform_divides_by_the_third_coordinate() -> None:
    homography = np.array([[2.0, 0, 1], [0, 2, 3], [0, 0.5, 1]])
    np.testing.assert_allclose(transform(homography, np.array([[1.0, 2.0]])), [[1.5, 3.5]])

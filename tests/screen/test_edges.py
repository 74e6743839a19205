"""Edges of hand-made pictures, whose places are known to any fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from judge import Floats, Image, Look, Screen, half_plane, luma_of

from psychopy_neon.screen.edges import edge_distances, median
from psychopy_neon.screen.modules import TagModules
from psychopy_neon.simulator.settings import HeadPose

UNKNOWN = (np.nan, np.nan)
KNOWN = (40.0, 200.0)
RIGHT = (1.0, 0.0)


def distances(
    luma: Image,
    bases: Floats,
    outward: tuple[float, float] = RIGHT,
    module_px: float = 6.0,
    levels: tuple[float, float] = KNOWN,
) -> Floats:
    """Of one side."""
    found, contrast = edge_distances(
        luma, bases[np.newaxis], np.array([outward]), np.array([module_px]), np.array([levels])
    )
    assert (found.shape, contrast.shape) == ((1, len(bases)), (1,))
    return found[0]


def column(x: float, count: int = 12, first: float = 20.0, step: float = 3.0) -> Floats:
    return np.stack([np.full(count, x), first + step * np.arange(count)], axis=1)


def test_pixel_centres_are_at_integers() -> None:
    """Pixel 29 is the last black one: it ends half a pixel after its centre."""
    luma = np.full((80, 60), 200, np.uint8)
    luma[:, :30] = 40
    np.testing.assert_allclose(distances(luma, column(29.0)), 0.5, atol=1e-6)
    np.testing.assert_allclose(distances(luma.T, column(29.0)[:, ::-1], (0.0, 1.0)), 0.5, atol=1e-6)
    # The other way round pixel 30 is the first black one, and outward is to the left.
    np.testing.assert_allclose(distances(luma[:, ::-1], column(30.0), (-1.0, 0.0)), 0.5, atol=1e-6)


@pytest.mark.parametrize("levels", [KNOWN, UNKNOWN], ids=["levels given", "not given"])
@pytest.mark.parametrize("sigma_px", [0.0, 0.5, 1.0, 1.5])
def test_an_edge_at_any_fraction_of_a_pixel(sigma_px: float, levels: tuple[float, float]) -> None:
    # Where levels are not given, a profile that lies aside ends before it has reached black or white.
    share = 0.2 if sigma_px > 0.5 and levels is UNKNOWN else 0.0
    for fraction in np.linspace(0, 1, 11):
        luma = luma_of(half_plane((80, 60), (30 + fraction, 0), RIGHT, sigma_px))
        for base in (29.0, 29.6, 30.0, 31.3):
            truth = 30 + fraction - base
            found = distances(luma, column(base), levels=levels)
            np.testing.assert_allclose(found, truth, atol=0.03 + share * abs(truth))


@pytest.mark.parametrize("angle_deg", [10, 45, 80, 135, 200, 290])
def test_a_slanted_edge(angle_deg: float) -> None:
    angle = np.deg2rad(angle_deg)
    normal, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    place = np.array([40.3, 39.8])
    luma = luma_of(half_plane((80, 80), tuple(place), tuple(normal), 0.8))
    offset = 0.7
    bases = place - offset * normal + np.linspace(-20, 20, 12)[:, None] * along
    np.testing.assert_allclose(distances(luma, bases, tuple(normal)), offset, atol=0.03)


def test_noise_is_averaged() -> None:
    rng = np.random.default_rng(1)
    clean = half_plane((1500, 60), (30.4, 0), RIGHT, 1.0) * 160 + 40
    luma = np.clip(clean + rng.normal(0, 8, clean.shape), 0, 255).round().astype(np.uint8)
    found = distances(luma, column(30.0, count=480))
    assert np.isfinite(found).mean() > 0.9
    assert np.nanmean(found) == pytest.approx(0.4, abs=0.02)
    # Two pixels of slope 64 grey levels a pixel with noise of 8 would tell it to 0.12 px.
    assert np.nanstd(found) < 0.11


def test_a_faraway_edge_is_none() -> None:
    luma = luma_of(half_plane((80, 60), (30, 0), RIGHT, 0.5))
    assert np.isnan(distances(luma, column(20.0))).all()
    assert np.isnan(distances(luma, column(40.0))).all()


def test_the_wrong_way_round_is_none() -> None:
    luma = luma_of(half_plane((80, 60), (30, 0), RIGHT, 0.5))
    assert np.isnan(distances(luma, column(30.0), (-1.0, 0.0))).all()


def test_what_is_covered_is_nan_and_the_rest_is_true() -> None:
    picture = half_plane((80, 60), (30.3, 0), RIGHT, 0.7)
    luma = luma_of(picture)
    luma[46:, :] = 150  # half a side and a little less
    found = distances(luma, column(30.0))  # at 20, 23, .. 53
    np.testing.assert_allclose(found[:8], 0.3, atol=0.03)
    assert np.isnan(found[9:]).all()


@pytest.mark.parametrize("level", [0, 90, 150, 255])
def test_an_edge_of_what_covers_is_not_taken_for_the_side(level: int) -> None:
    """A hand whose own edge runs near the side, at a slant."""
    luma = luma_of(half_plane((80, 60), (30.3, 0), RIGHT, 0.7))
    ys, xs = np.mgrid[:80, :60]
    luma[(xs > 26 + (ys - 38) * 0.4) & (ys > 38)] = level
    found = distances(luma, column(30.0))
    np.testing.assert_allclose(found[:5], 0.3, atol=0.03)
    is_found = np.isfinite(found)
    assert (np.abs(found[is_found] - 0.3) < 0.5).all()
    assert not is_found[-4:].any()


def test_levels_that_are_given_undo_what_blur_mixes_in() -> None:
    """A border between white within and white without: blurred, it is nowhere black."""
    sigma_px, module = 1.6, 4.0
    picture = half_plane((80, 60), (30.0, 0), RIGHT, sigma_px) + half_plane((80, 60), (26.0, 0), (-1.0, 0.0), sigma_px)
    luma = luma_of(picture)
    given, taken = (distances(luma, column(30.0), module_px=module, levels=levels) for levels in (KNOWN, UNKNOWN))
    assert np.abs(given).max() < 0.1
    assert np.abs(given).max() < np.abs(taken).min() / 3


@pytest.mark.parametrize(("x", "is_there"), [(0.2, False), (1.0, False), (6.0, True), (53.0, True), (58.6, False)])
def test_near_the_border_of_the_frame(x: float, is_there: bool) -> None:
    luma = luma_of(half_plane((80, 60), (x, 0), RIGHT, 0.5))
    found = distances(luma, column(x))
    assert (np.isfinite(found) == is_there).all()
    assert np.isnan(distances(luma, column(x, first=-30, count=8))).all()  # and beyond it


def test_too_little_contrast_is_no_edge() -> None:
    picture = half_plane((80, 60), (30, 0), RIGHT, 0.5)
    weak, strong = luma_of(picture, 100, 106), luma_of(picture, 100, 124)
    assert np.isnan(distances(weak, column(30.0), levels=UNKNOWN)).all()
    np.testing.assert_allclose(distances(strong, column(30.0), levels=UNKNOWN), 0, atol=0.05)


def test_a_side_much_weaker_than_the_others_is_something_else() -> None:
    strong = luma_of(half_plane((80, 60), (30, 0), RIGHT, 0.5))
    luma = np.concatenate([strong, strong, luma_of(half_plane((80, 60), (30, 0), RIGHT, 0.5), 100, 160)])
    bases = np.stack([column(30.0), column(30.0, first=100), column(30.0, first=180)])
    found, contrast = edge_distances(luma, bases, np.tile(RIGHT, (3, 1)), np.full(3, 6.0), np.full((3, 2), np.nan))
    np.testing.assert_allclose(contrast, [160, 160, 60], atol=1)
    np.testing.assert_array_equal(np.isfinite(found).all(axis=1), [True, True, False])
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_no_edge(level: int) -> None:
    luma = np.full((80, 60), level, np.uint8)
    assert np.isnan(distances(luma, column(30.0), levels=UNKNOWN)).all()
    assert np.isnan(distances(luma, column(30.0))).all()


@pytest.mark.parametrize("head", [HeadPose(), HeadPose(yaw_deg=15, roll_deg=10), HeadPose(distance=1.6)])
def test_points_on_the_sides_of_tags_are_exact_and_unbiased(look: Look, screen: Screen, head: HeadPose) -> None:
    """Measured from bases that are half a pixel off; judged on the screen by the true camera."""
    image, layout = screen
    rng = np.random.default_rng(1)
    view = look(image, head).noisy(rng)
    corners = np.stack(list(layout.tags.values()))
    shares = np.linspace(0.15, 0.85, 12)[:, None]
    on_sides = corners[:, :, None] + (np.roll(corners, -1, axis=1) - corners)[:, :, None] * shares
    scene = view.camera.scene_from_screen(on_sides.reshape(-1, 2)).reshape(-1, 12, 2)
    along = scene[:, -1] - scene[:, 0]
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    bases = scene + rng.uniform(-0.5, 0.5, (len(scene), 1, 1)) * outward[:, None]
    module_px = np.linalg.norm(along, axis=1) / 0.7 / 8
    tag_corners = view.camera.scene_from_screen(corners.reshape(-1, 2)).reshape(-1, 4, 2)
    read = TagModules(layout.tags).read(view.luma, tag_corners)
    found, _ = edge_distances(view.luma, bases, outward, module_px, np.repeat(read.levels, 4, axis=0))
    assert np.isfinite(found[np.repeat(read.whole, 4)]).mean() > 0.97
    edges = bases + found[..., None] * outward[:, None]
    back = view.camera.screen_from_scene(edges.reshape(-1, 2)).reshape(on_sides.reshape(-1, 12, 2).shape)
    away = back - on_sides.reshape(-1, 12, 2)
    # Tags stand straight on this screen: sides 0 and 2 tell y, sides 1 and 3 x.
    for offsets in (away[0::2, :, 1], away[1::2, :, 0]):
        # Half a pixel of another convention would show as a mean of 0.5 scene px, 0.7 screen px and more.
        assert abs(np.nanmean(offsets)) < 0.06
        assert np.nanstd(offsets) < 0.4


def test_the_upper_median() -> None:
    assert median(np.array([3.0, 1.0, 2.0])) == 2.0
    assert median(np.array([4.0, 1.0, 2.0, 3.0])) == 3.0

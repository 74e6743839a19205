from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from judge import Image, View

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen import tags
from psychopy_neon.screen.layout import ScreenLayout, border_layout
from psychopy_neon.screen.tags import find_tags, module_blocks, tag_picture
from psychopy_neon.simulator.settings import HeadPose

FEW = 2
"""Tags that OpenCV 4 passes over in some frames; OpenCV 5 finds them all."""

Look = Callable[..., View]
Screen = tuple[Image, ScreenLayout]


def paste(image: Image, tag_id: int, left: int, top: int, module: int = 12) -> None:
    picture = tag_picture(tag_id, module)
    image[top : top + len(picture), left : left + len(picture)] = picture[:, :, np.newaxis]


def drawn(layout: ScreenLayout) -> Image:
    """The screen itself, luma."""
    luma = np.full(layout.size_px[::-1], 128, np.uint8)
    for tag_id, corners in layout.tags.items():
        module = round((corners[1, 0] - corners[0, 0]) / 8)
        left, top = corners[0].astype(int) - module
        picture = tag_picture(tag_id, module)
        luma[top : top + len(picture), left : left + len(picture)] = picture
    return luma


@pytest.mark.parametrize("tag_px", [50, 120, 200])
def test_an_undistorted_screen_at_scale_1(tag_px: int) -> None:
    layout = border_layout((1601, 1201), tag_px=tag_px, first_id=100)
    found = find_tags(drawn(layout))
    assert found.duplicates == ()
    assert found.corners.keys() == layout.tags.keys()
    for tag_id, corners in found.corners.items():
        # Scene px count from the centre of the first pixel, screen px from its outer corner.
        np.testing.assert_allclose(corners + 0.5, layout.tags[tag_id], atol=0.02)


@pytest.mark.parametrize("roll_deg", [0, 30, 90, 135, 180, 270])
def test_corners_begin_at_the_top_left_of_the_tag_as_printed(look: Look, screen: Screen, roll_deg: float) -> None:
    image, layout = screen
    view = look(image, HeadPose(roll_deg=roll_deg, distance=1.6))
    found = find_tags(view.luma)
    assert len(found.corners) >= len(layout.tags) - FEW
    for tag_id, corners in found.corners.items():
        # Loose: the lens bends the sides, which these corners take as straight.
        np.testing.assert_allclose(corners, view.camera.scene_from_screen(layout.tags[tag_id]), atol=0.5)


@pytest.mark.parametrize("head", [HeadPose(), HeadPose(yaw_deg=15, roll_deg=10), HeadPose(distance=1.6)])
def test_points_on_the_sides_are_exact_and_unbiased(look: Look, screen: Screen, head: HeadPose) -> None:
    image, layout = screen
    view = look(image, head).noisy(np.random.default_rng(1))
    along, across = [], []
    for tag_id, edges in find_tags(view.luma).edges.items():
        back = view.camera.screen_from_scene(edges.reshape(-1, 2)).reshape(4, -1, 2)
        left, top = layout.tags[tag_id][0]
        right, bottom = layout.tags[tag_id][2]
        along += [back[0, :, 1] - top, back[2, :, 1] - bottom]
        across += [back[1, :, 0] - right, back[3, :, 0] - left]
    for offsets in (np.concatenate(along), np.concatenate(across)):
        # Half a pixel of another convention would show as a mean of 0.5 scene px, 0.7 screen px and more.
        assert abs(np.nanmean(offsets)) < 0.06
        assert np.nanstd(offsets) < 0.4


def test_opencv_alone_counts_from_pixel_corners(look: Look, screen: Screen) -> None:
    """Why the edges are measured here: should OpenCV change this one day, it may become simpler."""
    image, layout = screen
    view = look(image)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_APRILTAG
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, ids, _ = cv2.aruco.ArucoDetector(family, parameters).detectMarkers(view.luma)
    truth = np.stack([view.camera.scene_from_screen(layout.tags[int(tag_id)]) for tag_id in np.ravel(ids)])
    np.testing.assert_allclose((np.stack(corners)[:, 0] - truth).mean(axis=(0, 1)), 0.5, atol=0.2)


def test_a_tag_that_is_seen_twice_is_left_out(look: Look, screen: Screen) -> None:
    image = screen[0].copy()
    paste(image, 4, 700, 500)
    found = find_tags(look(image).luma)
    assert found.duplicates == (4,)
    assert found.corners.keys() == found.edges.keys() == set(range(12)) - {4}


def test_a_tag_that_opencv_names_twice_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = border_layout((1200, 900), tag_px=100)
    luma = drawn(layout)
    expected = find_tags(luma).corners
    corners, ids, _ = tags._detector().detectMarkers(luma)

    class Repeating:
        def detectMarkers(self, luma: Image) -> tuple:  # noqa: N802 (OpenCV's name)
            return (*corners, corners[0] + 1), np.concatenate([ids, ids[:1]]), ()

    monkeypatch.setattr(tags, "_detector", Repeating)
    found = find_tags(luma)
    assert found.duplicates == ()
    assert found.corners.keys() == expected.keys()


def test_a_tag_whose_side_is_covered_is_left_out(look: Look, screen: Screen) -> None:
    image, layout = screen
    image = image.copy()
    left, top = layout.tags[1][0].astype(int)
    image[top - 12 : top + 110, left - 20 : left + 3] = 0  # a dark cable along the left side
    found = find_tags(look(image).luma)
    assert set(range(12)) - {1} <= found.corners.keys()
    if 1 in found.corners:  # then only with points that are really there
        assert np.isfinite(found.corners[1]).all()


@pytest.mark.parametrize("contrast", [0.35, 0.7])
def test_dim_tags_on_a_dark_screen(look: Look, screen: Screen, contrast: float) -> None:
    image = (screen[0] * contrast).astype(np.uint8)
    found = find_tags(look(image).noisy(np.random.default_rng(2)).luma)
    assert len(found.corners) >= 12 - FEW


@pytest.mark.parametrize("level", [0, 70, 255])
def test_nothing_is_found_on_a_wall(level: int) -> None:
    found = find_tags(np.full((1200, 1600), level, np.uint8))
    assert (found.corners, found.edges, found.duplicates) == ({}, {}, ())


def test_a_tiny_frame() -> None:
    assert find_tags(np.zeros((4, 3), np.uint8)).corners == {}


def test_rows_need_not_follow_each_other(look: Look, screen: Screen) -> None:
    luma = look(screen[0]).luma
    padded = np.zeros((1200, 1664), np.uint8)
    padded[:, :1600] = luma
    interleaved = np.stack([luma, luma], axis=-1)[:, :, 0]
    expected = find_tags(luma).corners
    for view in (padded[:, :1600], interleaved):
        assert not view.flags.c_contiguous
        found = find_tags(view).corners
        assert found.keys() == expected.keys()
        for tag_id, corners in found.items():
            np.testing.assert_array_equal(corners, expected[tag_id])


@pytest.mark.parametrize("luma", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)])
def test_what_is_no_luma_plane_is_refused(luma: Image) -> None:
    with pytest.raises(ConfigurationError, match="uint8"):
        find_tags(luma)


def test_a_frame_is_searched_before_the_next_one_comes(look: Look, screen: Screen) -> None:
    """Some 10 ms at 30 frames a second; the limit is generous, for computers are busy."""
    luma = look(screen[0]).luma
    find_tags(luma)
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        find_tags(luma)
        times.append(time.perf_counter() - begin)
    assert np.median(times) < 0.1


@pytest.mark.parametrize("tag_id", [0, 23, 586])
def test_a_picture_is_the_tag_with_its_white_module(tag_id: int) -> None:
    picture = tag_picture(tag_id, 7)
    assert picture.shape == (70, 70)
    assert picture.dtype == np.uint8
    modules = picture[3::7, 3::7]
    np.testing.assert_array_equal(np.kron(modules, np.ones((7, 7))), picture)
    assert set(np.unique(picture)) == {0, 255}
    ring = np.ones((10, 10), bool)
    ring[1:-1, 1:-1] = False
    assert (modules[ring] == 255).all()
    border = np.ones((8, 8), bool)
    border[1:-1, 1:-1] = False
    assert (modules[1:-1, 1:-1][border] == 0).all()


@pytest.mark.parametrize("tag_id", [0, 586])
def test_module_blocks_cover_each_module_once(tag_id: int) -> None:
    covered = np.zeros((2, 10, 10), int)
    for is_white in (False, True):
        for (left, top), _, (right, bottom), _ in module_blocks(tag_id, is_white) + 1:
            covered[int(is_white), top:bottom, left:right] += 1

    assert (covered.sum(axis=0) == 1).all()
    assert ((covered[1] == 1) == (tag_picture(tag_id, 1) == 255)).all()

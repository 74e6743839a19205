from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from judge import Image, Look, Screen

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen import tags
from psychopy_neon.screen.layout import ScreenLayout, border_layout
from psychopy_neon.screen.modules import tag_picture
from psychopy_neon.screen.tags import find_tags, search_tags
from psychopy_neon.simulator.settings import HeadPose

FEW = 2
"""Tags that OpenCV 4 passes over in some frames; OpenCV 5 finds them all."""


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


@pytest.mark.parametrize("sigma_px", [0.0, 1.5, 2.0])
def test_a_search_finds_also_what_is_too_blurred_to_measure(look: Look, screen: Screen, sigma_px: float) -> None:
    image, layout = screen
    view = look(image, HeadPose(yaw_deg=5, roll_deg=7))
    luma = view.blurred(sigma_px).luma if sigma_px else view.luma
    found = search_tags(luma)
    assert len(found.corners) >= 12 - FEW
    for tag_id, corners in found.corners.items():
        truth = view.camera.scene_from_screen(layout.tags[tag_id])
        np.testing.assert_allclose(corners, truth, atol=5.0 if sigma_px else 2.0)


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
    assert found.corners.keys() == set(range(12)) - {4}


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
    assert (found.corners, found.duplicates) == ({}, ())


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

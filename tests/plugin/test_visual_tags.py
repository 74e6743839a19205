"""Tags are where their layout says, to the pixel, whatever the window does."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from tag_pictures import COLOR, background_of, expected_pixels

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import ScreenGaze
from psychopy_neon.screen.tags import find_tags

pytestmark = pytest.mark.once

SIZES = [(800, 600), (801, 601), (1000, 563)]
NEAR_PX = 0.1
"""The finder is made for pictures of a camera: edges as sharp as those of the framebuffer it finds 0.05 px off."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("units", ["height", "pix"])
def test_every_pixel_is_where_the_layout_says(psychopy, open_window, grab, size: tuple[int, int], units: str) -> None:
    win = open_window(size, units=units, color=COLOR)
    assert tuple(win.size) == size, "the window manager gave the window another size"
    frame = psychopy.AprilTagFrame(win)
    frame.draw()
    image = grab(win)
    assert frame.layout.size_px == size
    assert len(frame.layout.tags) == 12
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))


@pytest.mark.parametrize("size", SIZES)
def test_all_tags_are_found_in_the_framebuffer(psychopy, open_window, grab, size: tuple[int, int]) -> None:
    win = open_window(size, color=COLOR)
    frame = psychopy.AprilTagFrame(win, tagSize=80, firstId=20)
    frame.draw()
    found = find_tags(grab(win)[:, :, 1])
    assert found.corners.keys() == frame.layout.tags.keys()
    for tag_id, corners in found.corners.items():
        np.testing.assert_allclose(corners + 0.5, frame.layout.tags[tag_id], atol=NEAR_PX)


def test_opencv_agrees(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color=COLOR)
    frame = psychopy.AprilTagFrame(win, tagSize=100, columns=4, ids=[586, 3, 99, 41, 7, 250, 1, 0, 300, 12])
    frame.draw()
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, ids, _ = cv2.aruco.ArucoDetector(family).detectMarkers(grab(win)[:, :, 1].copy())
    found = {int(tag_id): place.reshape(4, 2) for tag_id, place in zip(np.ravel(ids), corners, strict=True)}
    assert found.keys() == frame.layout.tags.keys()
    for tag_id, place in found.items():
        np.testing.assert_allclose(place + 0.5, frame.layout.tags[tag_id], atol=1.0)  # it names pixels, not edges


def test_size_and_inset_in_units(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), units="norm", color=COLOR)
    px_per_cm = 1920 / 53
    for units, side, inset in [("height", 0.2, 0.05), ("norm", 0.4, 0.1), ("pix", 129, 30.4), ("cm", 3.4, 0.83)]:
        frame = psychopy.AprilTagFrame(win, side, columns=2, rows=2, units=units, inset=inset)
        np.testing.assert_array_equal(frame.layout.outlines[0][[0, 2]], [[30, 30], [150, 150]])
    assert 120 < 3.4 * px_per_cm < 130
    frame.draw()
    image = grab(win)
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))


def test_a_wider_quiet_zone(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color=COLOR)
    frame = psychopy.AprilTagFrame(win, tagSize=112, quietZone=3)
    frame.draw()
    image = grab(win)
    assert frame.layout.tags[0][0].tolist() == [24, 24]  # three modules of eight pixels
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))


def test_other_stimuli_and_the_windows_state_change_nothing(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), units="norm", color=(128, 30, 200), colorSpace="rgb255", allowStencil=True)
    frame = psychopy.AprilTagFrame(win, columns=4, rows=4, tagSize=95)
    below = psychopy.visual.GratingStim(win, tex="sin", size=(2, 2), sf=7, opacity=0.4, contrast=0.7)
    below.draw()
    under = grab(win)
    frame.draw()
    np.testing.assert_array_equal(grab(win), expected_pixels(frame.layout, under))
    below.draw()  # and the frame leaves nothing behind that would change what is drawn next
    assert (grab(win) != expected_pixels(frame.layout, under)).any()


def test_adding_instead_of_covering(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color=COLOR, useFBO=True, blendMode="add")
    if win.blendMode != "add":
        pytest.skip("this graphics driver cannot draw into a framebuffer object")
    frame = psychopy.AprilTagFrame(win)
    frame.draw()
    image = grab(win)
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))
    assert win.blendMode == "add"


def test_a_display_of_high_resolution(psychopy, open_window, grab) -> None:
    """What PsychoPy does on a Mac, where one of its pixels is two of the framebuffer's in each direction."""
    win = open_window((1001, 777), color=COLOR, units="pix")
    win.useRetina = True
    frame = psychopy.AprilTagFrame(win, 40, units="pix")
    frame.draw()
    image = grab(win)
    assert np.ptp(frame.layout.outlines[0]) == 80
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))
    assert frame.from_screen((1001, 0)) == (1001 / 4, 777 / 4)


@pytest.mark.parametrize(("scale", "turn_deg"), [((0.75, 0.75), 20.0), ((-1.0, 1.0), 0.0)])
def test_a_view_moves_the_tags_with_all_that_is_drawn(
    psychopy, open_window, grab, scale: tuple[float, float], turn_deg: float
) -> None:
    win = open_window((800, 600), color=COLOR, units="pix")
    win.viewScale, win.viewOri = scale, turn_deg
    win.flip()  # only now PsychoPy takes them over
    frame = psychopy.AprilTagFrame(win, tagSize=140, columns=3, rows=2)
    frame.draw()
    luma = grab(win)[:, :, 1].copy()
    is_mirror = scale[0] < 0
    found = find_tags(np.ascontiguousarray(luma[:, ::-1]) if is_mirror else luma)
    assert len(found.corners) >= 2
    marker = psychopy.visual.Rect(win, width=4, height=4, fillColor="red", lineColor=None, units="pix")
    for tag_id in list(found.corners)[:2]:
        marker.pos = frame.from_screen(frame.layout.tags[tag_id][0])
        marker.draw()
        image = grab(win).astype(int)
        rows, columns = np.nonzero(image[:, :, 0] - image[:, :, 1] > 150)
        place = np.array([columns.mean(), rows.mean()])
        seen = found.corners[tag_id][0] * (-1, 1) + (799, 0) if is_mirror else found.corners[tag_id][0]
        np.testing.assert_allclose(place, seen, atol=1.0)
        win.flip()
        frame.draw()


def resize(win: object, size: tuple[int, int]) -> None:
    """What PsychoPy does when a window is made to fill the screen, but for the display's part, which takes its time."""
    win.backend._frameBufferSize[:] = size
    win.viewport = win.scissor = (0, 0, *size)
    win.resetEyeTransform()


def test_a_resized_window_says_so_and_gaze_still_fits(psychopy, open_window, grab) -> None:
    win = open_window((1000, 700), color=COLOR, units="height")
    resize(win, (800, 600))
    frame = psychopy.AprilTagFrame(win, tagSize=100)
    assert frame.layout.size_px == (800, 600)
    resize(win, (1000, 700))
    with pytest.warns(UserWarning, match="made for a window") as caught:
        frame.draw()
    assert caught[0].filename == __file__
    frame.draw()  # said once: a warning is an error here
    found = find_tags(grab(win)[:, :, 1])
    assert found.corners.keys() == frame.layout.tags.keys()
    for tag_id, corners in found.corners.items():
        np.testing.assert_allclose(corners + 0.5, frame.layout.tags[tag_id] + (100, 50), atol=NEAR_PX)
        x, y = frame.to_window(ScreenGaze(tuple(frame.layout.tags[tag_id][0]), None, True))
        np.testing.assert_allclose([x * 700 + 500, 350 - y * 700], corners[0] + 0.5, atol=NEAR_PX)


@pytest.mark.parametrize(
    "settings",
    [
        {"contrast": 0},
        {"contrast": 1.5},
        {"contrast": 0.05},
        {"tagSize": 5},
        {"tagSize": 400},
        {"tagSize": float("nan")},
        {"tagSize": 0.1, "units": "furlong"},
        {"quietZone": 0},
        {"quietZone": 1.5},
        {"white": 1.2},
        {"white": -0.5, "black": 0.5},
        {"white": 0.1, "black": 0.0},
        {"inset": -3},
        {"inset": 300},
        {"ids": [1, 2, 3]},
        {"ids": [5] * 12},
        {"firstId": 580},
    ],
)
def test_what_cannot_be_used_is_refused(psychopy, open_window, settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        psychopy.AprilTagFrame(open_window((800, 600)), **settings)


def test_drawing_is_cheap(psychopy, open_window) -> None:
    win = open_window((800, 600))
    frame = psychopy.AprilTagFrame(win)
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        frame.draw()
        times.append(time.perf_counter() - begin)
    assert np.median(times) < 0.005  # 0.5 ms without a graphics card; generous, for computers are busy

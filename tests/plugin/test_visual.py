from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.tags import find_tags, tag_picture

pytestmark = pytest.mark.once

COLOR = (0.2, -0.4, 0.6)
UNITS = ["pix", "norm", "height", "cm", "deg", "degFlat", "degFlatPos"]
SIZES = [(800, 600), (801, 601), (1000, 563)]


def expected_pixels(layout: ScreenLayout, background: np.ndarray, black: int = 0, white: int = 255) -> np.ndarray:
    """The window as the layout says it is."""
    width, height = layout.size_px
    image = np.broadcast_to(background, (height, width, 3)).copy()
    for tag_id, corners in layout.tags.items():
        module = round((corners[1, 0] - corners[0, 0]) / 8)
        left, top = corners[0].astype(int) - module
        side = 10 * module
        picture = np.where(tag_picture(tag_id, module) > 0, white, black)
        image[top : top + side, left : left + side] = picture[:, :, np.newaxis]
    return image


def background_of(image: np.ndarray) -> np.ndarray:
    return image[image.shape[0] // 2, image.shape[1] // 2]


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
        np.testing.assert_allclose(corners + 0.5, frame.layout.tags[tag_id], atol=0.1)


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
    frame = psychopy.AprilTagFrame(win)
    frame.draw()
    image = grab(win)
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image)))
    assert frame.from_screen((1001, 0)) == (1001 / 4, 777 / 4)


def test_contrast(psychopy, open_window, grab) -> None:
    win = open_window((800, 600))
    frame = psychopy.AprilTagFrame(win, contrast=0.5)
    frame.draw()
    image = grab(win)
    black, white = int(image.min()), int(image.max())
    assert (black, white) == (pytest.approx(64, abs=1), pytest.approx(191, abs=1))
    np.testing.assert_array_equal(image, expected_pixels(frame.layout, background_of(image), black, white))
    frame.contrast = 1.0
    frame.draw()
    assert (grab(win).min(), grab(win).max()) == (0, 255)


@pytest.mark.parametrize("settings", [{"contrast": 0}, {"contrast": 1.5}, {"tagSize": 5}, {"tagSize": 400}])
def test_what_cannot_be_used_is_refused(psychopy, open_window, settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        psychopy.AprilTagFrame(open_window((800, 600)), **settings)


def test_drawn_automatically_the_tags_come_last(psychopy, open_window) -> None:
    win = open_window((800, 600))
    frame = psychopy.AprilTagFrame(win)
    cursor = psychopy.GazeCursor(win, frame)
    square = psychopy.visual.Rect(win)
    for stimulus in (frame, cursor, square):
        stimulus.autoDraw = True
    assert win._toDraw == [square, cursor, frame]
    win.flip()
    frame.autoDraw = False
    assert win._toDraw == [square, cursor]


def test_drawing_is_cheap(psychopy, open_window) -> None:
    win = open_window((800, 600))
    frame = psychopy.AprilTagFrame(win)
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        frame.draw()
        times.append(time.perf_counter() - begin)
    assert np.median(times) < 0.005  # 0.5 ms without a graphics card; generous, for computers are busy


@pytest.mark.parametrize("is_retina", [False, True])
@pytest.mark.parametrize("units", UNITS)
def test_gaze_in_the_units_of_the_window(psychopy, open_window, units: str, is_retina: bool) -> None:
    win = open_window((801, 600), units=units)
    win.useRetina = is_retina
    frame = psychopy.AprilTagFrame(win)
    for x, y in [(400.5, 300.0), (0.0, 0.0), (801.0, 600.0), (123.25, 77.5), (700.0, 30.0), (-50.0, 900.0)]:
        pos = frame.to_window(ScreenGaze((x, y), None, True))
        pix = psychopy.monitorunittools.convertToPix(np.zeros(2), np.array(pos), units, win)
        scale = 2 if is_retina else 1
        np.testing.assert_allclose(pix, [(x - 400.5) / scale, (300 - y) / scale], atol=1e-6)


@pytest.mark.parametrize("units", ["degFlat", "degFlatPos"])
def test_flat_degrees_far_out(psychopy, open_window, units: str) -> None:
    win = open_window((1200, 800), units=units)
    win.monitor.setDistance(8.0)  # up to 64 degrees from the centre
    frame = psychopy.AprilTagFrame(win)
    for x, y in [(0.0, 0.0), (1200.0, 10.0), (600.0, 0.0), (0.0, 400.0), (601.0, 399.0)]:
        pos = frame.from_screen((x, y))
        pix = psychopy.monitorunittools.convertToPix(np.zeros(2), np.array(pos), units, win)
        np.testing.assert_allclose(pix, [x - 600, 400 - y], atol=1e-6)


def test_no_gaze_has_no_place(psychopy, open_window) -> None:
    frame = psychopy.AprilTagFrame(open_window())
    assert frame.to_window(ScreenGaze(None, GazeReason.TAGS_LOST)) is None


def test_unknown_units_are_refused(psychopy, open_window) -> None:
    win = open_window()
    frame = psychopy.AprilTagFrame(win)
    frame.win = SimpleNamespace(units="furlong", useRetina=False)
    with pytest.raises(ConfigurationError, match="furlong"):
        frame.from_screen((1, 1))


@pytest.mark.parametrize("is_retina", [False, True])
@pytest.mark.parametrize("pos", [(400.0, 300.0), (251.0, 222.0), (600.5, 380.5)])
def test_the_ring_is_where_the_gaze_is(psychopy, open_window, grab, pos: tuple[float, float], is_retina: bool) -> None:
    win = open_window((800, 600), units="norm", color="black")
    win.useRetina = is_retina
    cursor = psychopy.GazeCursor(win, psychopy.AprilTagFrame(win), size=60, color="red")
    cursor.gaze = ScreenGaze(pos, None, True)
    cursor.draw()
    assert cursor.isShown
    rows, columns = np.nonzero(grab(win)[:, :, 0] > 128)
    np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], pos, atol=0.6)
    assert np.ptp(columns) + 1 == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    "gaze",
    [None, ScreenGaze(None, GazeReason.STALE), ScreenGaze((-5.0, 300.0), None, is_on_screen=False)],
)
def test_nothing_is_drawn_without_gaze_on_the_screen(psychopy, open_window, grab, gaze: ScreenGaze | None) -> None:
    win = open_window((800, 600), color="black")
    cursor = psychopy.GazeCursor(win, psychopy.AprilTagFrame(win))
    cursor.gaze = gaze
    cursor.draw()
    assert not cursor.isShown
    assert (grab(win) == 0).all()

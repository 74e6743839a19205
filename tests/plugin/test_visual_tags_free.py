"""Single tags anywhere, and layouts of several."""

from __future__ import annotations

import numpy as np
import pytest
from tag_pictures import COLOR, background_of, expected_pixels

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import PrintedTag, printed_layout
from psychopy_neon.screen.tags import find_tags

pytestmark = pytest.mark.once


@pytest.mark.parametrize("ori", [0, 90, 180, -90])
@pytest.mark.parametrize("size", [(800, 600), (801, 601)])
def test_a_straight_tag_fills_whole_pixels(psychopy, open_window, grab, size: tuple[int, int], ori: float) -> None:
    win = open_window(size, color=COLOR, units="height")
    tag = psychopy.AprilTag(win, 17, 0.2, (0.2131, -0.1077), ori=ori)
    tag.draw()
    image = grab(win)
    upright = psychopy.AprilTag(win, 17, 0.2, (0.2131, -0.1077)).layout
    expected = expected_pixels(upright, image[0, 0])
    (left, top), (right, bottom) = upright.outlines[17][[0, 2]].astype(int)
    expected[top:bottom, left:right] = np.rot90(expected[top:bottom, left:right], -ori // 90)
    np.testing.assert_array_equal(image, expected)
    assert right - left == 120
    middle = size[0] / 2 + 0.2131 * size[1], size[1] / 2 + 0.1077 * size[1]
    np.testing.assert_allclose(tag.layout.tags[17].mean(axis=0), middle, atol=0.5)
    found = find_tags(image[:, :, 1].copy())
    np.testing.assert_allclose(found.corners[17] + 0.5, tag.layout.tags[17], atol=0.1)


@pytest.mark.parametrize(("ori", "off_px"), [(30.0, 0.2), (45.0, 0.5), (200.0, 0.2)])
def test_a_turned_tag_is_where_its_layout_says(psychopy, open_window, grab, ori: float, off_px: float) -> None:
    win = open_window((800, 600), color=COLOR, units="pix")
    tag = psychopy.AprilTag(win, 100, 205, (100, -50), ori=ori)
    tag.draw()
    found = find_tags(grab(win)[:, :, 1].copy())
    # Edges go in steps of whole pixels, which at 45 degrees are all the same part of a pixel beside the true line.
    np.testing.assert_allclose(found.corners[100] + 0.5, tag.layout.tags[100], atol=off_px)
    top = np.array(tag.layout.tags[100][1]) - tag.layout.tags[100][0]
    assert np.degrees(np.arctan2(top[1], top[0])) % 360 == pytest.approx(ori)  # clockwise, as in PsychoPy
    rectangle = psychopy.visual.Rect(win, 160, 160, units="pix", pos=(100, -50), ori=ori)
    drawn = np.array([(400 + x, 300 - y) for x, y in rectangle.verticesPix])
    gaps = np.linalg.norm(drawn[:, None] - tag.layout.tags[100][None], axis=-1)
    assert gaps.min(axis=1).max() < 1e-6  # PsychoPy turns a square of that size to the same corners


def test_a_frame_free_tags_and_printed_ones_make_one_layout(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color=COLOR, units="pix")
    frame = psychopy.AprilTagFrame(win, tagSize=100, columns=3)
    tags = [psychopy.AprilTag(win, 50 + i, 82, (x, 0), quietZone=2) for i, x in enumerate((-150, 0, 150))]
    printed = printed_layout((800, 600), (22.0, 16.5), {90: PrintedTag(-5.0, 8.0, 4.0)})
    layout = frame.layout.joined(*(tag.layout for tag in tags), printed)
    assert list(layout.tags) == [*range(8), 50, 51, 52, 90]
    frame.draw()
    for tag in tags:
        tag.draw()
    shown = frame.layout.joined(*(tag.layout for tag in tags))
    image = grab(win)
    np.testing.assert_array_equal(image, expected_pixels(shown, image[150, 400]))
    with pytest.raises(ConfigurationError, match="once"):
        frame.layout.joined(psychopy.AprilTag(win, 3, 82).layout)
    with pytest.raises(ConfigurationError, match="overlap"):
        tags[1].layout.joined(psychopy.AprilTag(win, 60, 80, (75, 0)).layout)


@pytest.mark.parametrize(
    ("name", "value"), [("pos", (10, 10)), ("ori", 5), ("size", 50), ("tagId", 3), ("units", "cm")]
)
def test_a_tag_stays_where_its_layout_says(psychopy, open_window, name: str, value: object) -> None:
    tag = psychopy.AprilTag(open_window((800, 600), units="pix"), 1, 100)
    before = getattr(tag, name)
    with pytest.raises(ConfigurationError, match=r"another tag.*another tracker"):
        setattr(tag, name, value)
    assert getattr(tag, name) == before


@pytest.mark.parametrize(
    "settings",
    [{"tagId": 587}, {"size": 9}, {"size": 700}, {"pos": (370, 0)}, {"pos": (0, -251)}, {"pos": (310, 240), "ori": 45}],
)
def test_what_cannot_be_used_is_refused(psychopy, open_window, settings: dict) -> None:
    win = open_window((800, 600), units="pix")
    psychopy.AprilTag(win, 1, 100, (350, -250))
    with pytest.raises(ConfigurationError):
        psychopy.AprilTag(win, **{"tagId": 1, "size": 100, **settings})


def test_automatically_drawn_it_lies_above_other_stimuli(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), units="pix", color=COLOR)
    tag = psychopy.AprilTag(win, 1, 100)
    cover = psychopy.visual.Rect(win, 300, 300, fillColor="red")
    for stimulus in (tag, cover):
        stimulus.autoDraw = True
    for stimulus in win._toDraw:
        stimulus.draw()
    image = grab(win)
    (left, top), (right, bottom) = tag.layout.outlines[1][[0, 2]].astype(int)
    expected = expected_pixels(tag.layout, background_of(image))
    np.testing.assert_array_equal(image[top:bottom, left:right], expected[top:bottom, left:right])

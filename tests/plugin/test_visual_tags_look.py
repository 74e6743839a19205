"""How bright tags are, and what is said about their size."""

from __future__ import annotations

import math
import re
import warnings

import numpy as np
import pytest
from tag_pictures import background_of, expected_pixels

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.tags import find_tags

pytestmark = pytest.mark.once


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
    with pytest.raises(ConfigurationError):
        frame.contrast = 0
    assert frame.contrast == 1.0


def test_grey_levels(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color="blue")
    frame = psychopy.AprilTagFrame(win, white=0.6, black=-0.8, contrast=0.5)
    frame.draw()
    image = grab(win)
    # Half the contrast is half the distance from the grey between them, -0.1: 0.25 and -0.45.
    expected = expected_pixels(frame.layout, background_of(image), round(255 * 0.275), round(255 * 0.625))
    assert np.abs(image.astype(int) - expected).max() <= 1


def assert_matched(image: np.ndarray, layout: object, gamma: object) -> None:
    """Every tag, with the white around it, gives as much light as the background; in each colour."""
    light = (image / 255.0) ** gamma
    background = background_of(light)
    for outline in layout.outlines.values():
        (left, top), (right, bottom) = outline[[0, 2]].astype(int)
        np.testing.assert_allclose(light[top:bottom, left:right].mean(axis=(0, 1)), background, rtol=0.01, atol=0.002)


@pytest.mark.parametrize("color", [(0, 0, 0), (-0.4, -0.4, -0.4), (0.7, 0.7, 0.7), (0.2, -0.3, 0.1)])
@pytest.mark.parametrize("quiet", [1, 2])
def test_matched_luminance(psychopy, open_window, grab, color: tuple[float, ...], quiet: int) -> None:
    win = open_window((1000, 700), color=color)
    frame = psychopy.AprilTagFrame(win, tagSize=120, matchLuminance=True, quietZone=quiet)
    frame.draw()
    image = grab(win)
    assert_matched(image, frame.layout, 2.2)
    assert find_tags(image[:, :, 1].copy()).corners.keys() == frame.layout.tags.keys()
    frame.contrast = 0.7
    frame.draw()
    assert_matched(grab(win), frame.layout, 2.2)
    win.color = (0.3, 0.3, 0.3)
    win.flip()  # to the new background
    frame.draw()
    assert_matched(grab(win), frame.layout, 2.2)


def test_the_gamma_counts(psychopy, open_window, grab) -> None:
    win = open_window((800, 600), color=(0, 0, 0))
    frame = psychopy.AprilTagFrame(win, matchLuminance=True, gamma=(1.8, 2.0, 2.4))
    frame.draw()
    assert_matched(grab(win), frame.layout, np.array([1.8, 2.0, 2.4]))
    linear = psychopy.AprilTagFrame(win, matchLuminance=True)
    win.__dict__["gamma"] = [2.1, 2.1, 2.1]  # as if the window could set it, which a virtual display cannot
    linear.draw()
    assert_matched(grab(win), linear.layout, 1.0)


@pytest.mark.parametrize("color", ["black", "white", "red"])
def test_no_match_without_room_for_contrast(psychopy, open_window, color: str) -> None:
    win = open_window((800, 600), color=color)
    with pytest.raises(ConfigurationError, match="matchLuminance"):
        psychopy.AprilTagFrame(win, matchLuminance=True)
    psychopy.AprilTagFrame(win)


@pytest.fixture
def told(psychopy, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What PsychoPy's log has been told about tags."""
    messages: list[str] = []
    monkeypatch.setattr(psychopy.logging, "warning", lambda text: messages.append(text) if "Tag" in text else None)
    return messages


def test_tags_too_small_are_told_with_the_size_that_would_do(psychopy, open_window, told: list[str]) -> None:
    win = open_window((1000, 700))  # on 53 cm of 1920 px, 65 cm away
    with pytest.warns(UserWarning, match="smallest tag") as caught:
        psychopy.AprilTagFrame(win, tagSize=100, columns=3)
    (warning,) = caught
    assert warning.filename == __file__
    assert told == [str(warning.message)]
    assert f"{888.1 * 10 * 53 / 1920 / 65:.1f} px wide" in told[0]
    advised = int(re.search(r"tags of (\d+) px", told[0])[1])
    assert advised == 10 * math.ceil(5 * 65 / 888.1 / (53 / 1920))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        psychopy.AprilTagFrame(win, tagSize=advised, columns=3)
        win.monitor.setDistance(25)
        psychopy.AprilTagFrame(win, tagSize=100, columns=3)


@pytest.mark.parametrize("forget", ["setDistance", "setWidth", "setSizePix"])
def test_nothing_is_said_of_an_unknown_monitor(psychopy, open_window, told: list[str], forget: str) -> None:
    win = open_window((800, 600), units="pix")
    getattr(win.monitor, forget)(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        psychopy.AprilTagFrame(win)
        psychopy.AprilTag(win, 5, 30)
    assert told == []

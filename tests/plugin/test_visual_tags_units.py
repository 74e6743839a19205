"""From gaze in framebuffer pixels to PsychoPy's units, judged by PsychoPy's own way back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze

pytestmark = pytest.mark.once

UNITS = ["pix", "norm", "height", "cm", "deg", "degFlat", "degFlatPos"]
PLACES = [(400.5, 300.0), (0.0, 0.0), (801.0, 600.0), (123.25, 77.5), (700.0, 30.0), (-50.0, 900.0)]


def assert_fits(psychopy: SimpleNamespace, win: object, stimulus: object) -> None:
    """PsychoPy draws what stands at ``to_window()`` at the gaze."""
    scale = 2 if win.useRetina else 1
    for x, y in PLACES:
        pos = stimulus.to_window(ScreenGaze((x, y), None, True))
        assert [type(each) for each in pos] == [float, float]
        pix = psychopy.monitorunittools.convertToPix(np.zeros(2), np.array(pos), win.units, win)
        np.testing.assert_allclose(pix, [(x - 400.5) / scale, (300 - y) / scale], atol=1e-6)


@pytest.mark.parametrize("is_retina", [False, True])
@pytest.mark.parametrize("units", UNITS)
def test_gaze_in_the_units_of_the_window(psychopy, open_window, units: str, is_retina: bool) -> None:
    win = open_window((801, 600), units=units)
    win.useRetina = is_retina
    assert_fits(psychopy, win, psychopy.AprilTagFrame(win))


def test_whatever_changes_later_counts_at_once(psychopy, open_window) -> None:
    win = open_window((801, 600), units="pix")
    frame = psychopy.AprilTagFrame(win)
    for units in UNITS:
        win.units = units
        for distance_cm, width_cm, size_px in [(40.0, 53.0, (1920, 1080)), (90.0, 30.5, (1280, 1024))]:
            win.monitor.setDistance(distance_cm)
            win.monitor.setWidth(width_cm)
            win.monitor.setSizePix(size_px)
            assert_fits(psychopy, win, frame)
    win.monitor = psychopy.monitors.Monitor("another", width=20, distance=50)
    win.monitor.setSizePix((640, 480))
    assert_fits(psychopy, win, frame)


def test_one_tag_is_enough_for_units(psychopy, open_window) -> None:
    win = open_window((801, 600), units="deg")
    assert_fits(psychopy, win, psychopy.AprilTag(win, 3, 90, units="pix"))


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


def test_gaze_on_another_screen_has_no_place_here(psychopy, open_window) -> None:
    frame = psychopy.AprilTagFrame(open_window(), firstId=100, screen=1)
    assert frame.to_window(ScreenGaze((10.0, 10.0), None, True)) is None
    assert frame.to_window(ScreenGaze((10.0, 10.0), None, True, screen=1)) == frame.from_screen((10.0, 10.0))


def test_unknown_units_are_refused(psychopy, open_window) -> None:
    win = open_window()
    frame = psychopy.AprilTagFrame(win)
    frame.win = SimpleNamespace(units="furlong", useRetina=False, size=win.size, monitor=win.monitor)
    with pytest.raises(ConfigurationError, match="furlong"):
        frame.from_screen((1, 1))


@pytest.mark.parametrize(
    ("units", "forget"), [("cm", "setWidth"), ("deg", "setDistance"), ("degFlat", "setDistance"), ("deg", "setSizePix")]
)
def test_a_monitor_that_does_not_know_enough_says_so(psychopy, open_window, units: str, forget: str) -> None:
    win = open_window()
    frame = psychopy.AprilTagFrame(win)
    win.units = units
    getattr(win.monitor, forget)(None)
    with pytest.raises(ConfigurationError, match="Monitor Center"):
        frame.from_screen((1, 1))
    with pytest.raises(ConfigurationError, match="units"):
        psychopy.AprilTagFrame(win, 2, units=units)

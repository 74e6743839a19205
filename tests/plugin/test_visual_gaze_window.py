"""Gaze window, scotoma and cursor: what is on the screen."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from psychopy_neon.contingent.window import NoGaze
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze
from psychopy_neon.screen.filters import OneEuroFilter

pytestmark = pytest.mark.once

SIZE = (800, 600)
LOST = ScreenGaze(None, GazeReason.TAGS_LOST)


def gaze_at(x: float, y: float, screen: int = 0) -> ScreenGaze:
    return ScreenGaze((x, y), None, 0 <= x < SIZE[0] and 0 <= y < SIZE[1], screen=screen)


@pytest.fixture
def shown(psychopy, open_window, grab):
    """A window full of white under a tool of black; what is white afterwards."""
    win = open_window(SIZE, units="pix", color="black")
    frame = psychopy.AprilTagFrame(win)
    white = psychopy.visual.Rect(win, size=SIZE, fillColor="white", lineColor=None)

    def shown(tool, gaze):
        white.draw()
        tool.gaze = gaze
        tool.draw()
        picture = grab(win)
        win.flip()
        return picture[:, :, 1].astype(int)

    return SimpleNamespace(win=win, frame=frame, picture=shown)


def distances(x: float, y: float) -> np.ndarray:
    """Of all pixels' centres from a place."""
    rows, columns = np.indices((SIZE[1], SIZE[0]))
    return np.hypot(columns + 0.5 - x, rows + 0.5 - y)


@pytest.mark.parametrize("is_retina", [False, True])
@pytest.mark.parametrize("pos", [(400.0, 300.0), (123.4, 456.7), (5.0, 590.0)])
@pytest.mark.parametrize("name", ["GazeWindow", "GazeScotoma"])
def test_the_disc_is_where_the_gaze_is(psychopy, shown, name: str, pos: tuple[float, float], is_retina: bool) -> None:
    shown.win.useRetina = is_retina
    tool = getattr(psychopy.plugin_visual, name)(shown.win, shown.frame, 50 if is_retina else 100, "pix")
    picture, far = shown.picture(tool, gaze_at(*pos)), distances(*pos)
    inside, outside = (255, 0) if name == "GazeWindow" else (0, 255)
    if is_retina and name == "GazeScotoma":
        outside = None  # the white under it is drawn in other pixels then
    assert (picture[far < 98.5] == inside).all()
    assert outside is None or (picture[far > 101.5] == outside).all()
    assert tool.drawnPos == pos


def test_a_soft_edge_is_half_transparent_at_the_radius(psychopy, shown) -> None:
    tool = psychopy.plugin_visual.GazeWindow(shown.win, shown.frame, 100, "pix", softEdge=60)
    picture, far = shown.picture(tool, gaze_at(400, 300)), distances(400, 300)
    assert picture[np.abs(far - 100) < 0.5].mean() == pytest.approx(127, abs=6)
    assert (picture[far < 68] == 255).all()
    assert (picture[far > 132] == 0).all()
    ring = [picture[np.abs(far - radius) < 1].mean() for radius in range(70, 131, 10)]
    assert ring == sorted(ring, reverse=True)


@pytest.mark.parametrize("name", ["GazeWindow", "GazeScotoma"])
@pytest.mark.parametrize(("rule", "level"), [(NoGaze.SHOW_NOTHING, 0), (NoGaze.SHOW_ALL, 255)])
def test_without_gaze_the_rule_holds(psychopy, shown, name: str, rule: NoGaze, level: int) -> None:
    tool = getattr(psychopy.plugin_visual, name)(shown.win, shown.frame, 100, "pix", noGaze=rule, holdTime=0.0)
    shown.picture(tool, gaze_at(400, 300))
    assert (shown.picture(tool, LOST) == level).all()
    assert (tool.drawnPos, tool.isHeld, tool.reason) == (None, False, GazeReason.TAGS_LOST)


def test_a_lost_gaze_is_held_and_told(psychopy, shown) -> None:
    tool = psychopy.plugin_visual.GazeWindow(shown.win, shown.frame, 100, "pix", holdTime=60.0)
    before = shown.picture(tool, gaze_at(400, 300))
    np.testing.assert_array_equal(shown.picture(tool, LOST), before)
    assert (tool.drawnPos, tool.isHeld, tool.reason) == ((400, 300), True, GazeReason.TAGS_LOST)


@pytest.mark.parametrize("gaze", [gaze_at(-500, 300), gaze_at(400, 99_999), gaze_at(400, 300, screen=1)])
def test_gaze_beside_this_screen_opens_no_window_here(psychopy, shown, gaze: ScreenGaze) -> None:
    tool = psychopy.plugin_visual.GazeWindow(shown.win, shown.frame, 100, "pix", noGaze=NoGaze.SHOW_ALL)
    assert (shown.picture(tool, gaze) == 0).all()
    assert tool.reason is None


def test_the_cover_has_the_windows_colour(psychopy, open_window, grab) -> None:
    win = open_window(SIZE, units="height", color=(40, 90, 160), colorSpace="rgb255")
    frame = psychopy.AprilTagFrame(win)
    under = grab(win)
    psychopy.visual.Rect(win, size=3, fillColor="white", lineColor=None).draw()
    tool = psychopy.plugin_visual.GazeWindow(win, frame, 0.1)
    tool.gaze = gaze_at(400, 300)
    tool.draw()
    far = distances(400, 300) > 70
    assert np.abs(grab(win)[far].astype(int) - under[far]).max() <= 1


@pytest.mark.parametrize(
    "settings", [{"radius": 0}, {"radius": 50, "softEdge": 101}, {"radius": 1, "units": "furlong"}]
)
def test_what_cannot_be_used_is_refused(psychopy, shown, settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        psychopy.plugin_visual.GazeWindow(shown.win, shown.frame, **{"units": "pix", **settings})


def test_degrees_need_a_monitor_that_knows(psychopy, open_window) -> None:
    win = open_window(SIZE)
    frame = psychopy.AprilTagFrame(win)
    win.monitor.setDistance(None)
    with pytest.raises(ConfigurationError, match="distance"):
        psychopy.plugin_visual.GazeWindow(win, frame, 2.0, "deg")


def test_a_filtered_cursor_lags_and_an_unfiltered_one_does_not(psychopy, shown) -> None:
    plain = psychopy.GazeCursor(shown.win, shown.frame)
    calm = psychopy.GazeCursor(shown.win, shown.frame, smoother=OneEuroFilter(gap_s=60.0))
    record = psychopy.plugin_visual.GazeRecord(shown.win)
    plain.record = calm.record = record
    for x in (100.0, 140.0):
        for cursor in (plain, calm):
            cursor.gaze = gaze_at(x, 300.0)
            cursor.draw()
        time.sleep(0.002)  # the filter goes by time, and two draws may fall into one tick of a coarse clock
        shown.win.flip()
    drawn = [row["drawn_x_px"] for row in record.rows()]
    assert drawn[:3] == [100.0, 100.0, 140.0]
    assert 100.0 < drawn[3] < 140.0

from __future__ import annotations

import numpy as np
import pytest

from psychopy_neon.samples import GazeReason, ScreenGaze

pytestmark = pytest.mark.once


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

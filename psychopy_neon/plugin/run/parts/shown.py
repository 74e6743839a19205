"""What follows the gaze: it is read when the frame is drawn, the last moment before the flip."""

from psychopy_neon.contingent.window import NoGaze
from psychopy_neon.plugin.builder.components.gaze_cursor import ONE_EURO
from psychopy_neon.plugin.builder.components.gaze_cursor import SETTINGS as CURSOR
from psychopy_neon.plugin.builder.components.gaze_window import SCOTOMA, SHOW_ALL
from psychopy_neon.plugin.builder.components.gaze_window import SETTINGS as WINDOW
from psychopy_neon.plugin.run.parts.part import DrawnPart
from psychopy_neon.plugin.visual import GazeCursor, GazeScotoma, GazeWindow
from psychopy_neon.plugin.visual.gaze_cursor import DEPTH
from psychopy_neon.plugin.visual.gaze_tool import length_px
from psychopy_neon.screen.filters import OneEuroFilter

__all__ = ["CursorPart", "WindowPart"]


class _Follower(DrawnPart):
    usesGaze = True

    def draw(self, win=None):
        """Called by the window at each flip."""
        self.tool.gaze = self.run.gaze()
        super().draw(win)


class CursorPart(_Follower):
    """A ring at the gaze, over everything but the tags."""

    SETTINGS = CURSOR

    def __init__(self, win, run, exp, name, **values):
        super().__init__(win, run, exp, name, DEPTH, **values)

    def _make(self, size, units, smoothing, **values):
        return GazeCursor(
            self.win,
            self.run.screen,
            length_px(self.win, size, units),
            smoother=OneEuroFilter() if smoothing == ONE_EURO else None,
            name=self.name,
            **values,
        )


class WindowPart(_Follower):
    """A moving window or a scotoma; ``no_gaze_share`` is the share of its frames in which gaze was missing."""

    SETTINGS = WINDOW

    def reset(self):
        super().reset()
        self._frames = self._framesWithout = 0

    def draw(self, win=None):
        super().draw(win)
        self._frames += 1
        self._framesWithout += self.tool.reason is not None

    def results(self):
        return {"no_gaze_share": self._framesWithout / self._frames if self._frames else None}

    def _make(self, mode, noGaze, **values):
        patch = GazeScotoma if mode == SCOTOMA else GazeWindow
        shown = NoGaze.SHOW_ALL if noGaze == SHOW_ALL else NoGaze.SHOW_NOTHING
        return patch(self.win, self.run.screen, noGaze=shown, name=self.name, **values)

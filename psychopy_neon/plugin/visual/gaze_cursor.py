"""A ring where the wearer looks."""

from psychopy import visual

from psychopy_neon.contingent.window import Follower
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, circle_vertices, now_ns
from psychopy_neon.plugin.visual.units import px_per_pix

__all__ = ["GazeCursor"]

DEPTH = -900.0
"""Above other automatically drawn stimuli, below the tags."""


class GazeCursor(GazeTool):
    """A ring at the gaze on the screen; nothing is drawn while there is none.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    size : float
        Outer diameter, framebuffer px.
    lineWidth : float
        Framebuffer px.
    color : str or sequence
        Any colour that PsychoPy takes.
    smoother : OneEuroFilter, optional
        Steadies the ring, and makes it late (``smoother.delay_s``). Default: none.
    record : GazeRecord, optional
        Keeps what was drawn.
    name : str, optional
    autoLog : bool
        As for every PsychoPy stimulus.

    Attributes
    ----------
    gaze : ScreenGaze or None
        Set it before :meth:`draw`.
    isShown : bool
        Whether the last draw showed the ring; it does not when the gaze has no position or lies beside the screen.
    """

    def __init__(
        self,
        win,
        frame,
        size=36,
        lineWidth=4,
        color="red",
        *,
        smoother=None,
        record=None,
        name="GazeCursor",
        autoLog=False,
    ):
        super().__init__(win, frame, record, DEPTH, name, autoLog)
        self.isShown = False
        self._follower = Follower(hold_s=0.0, smoother=smoother)
        scale = px_per_pix(win)
        outer = size / 2 / scale
        inner = max(outer - lineWidth / scale, 0)
        # Filled between two circles: lines as wide as this show gaps at their joints.
        self._ring = visual.ShapeStim(
            win,
            units="pix",
            vertices=[circle_vertices(outer), circle_vertices(inner)],
            fillColor=color,
            lineColor=None,
            autoLog=False,
        )

    def draw(self, win=None):
        """Draw the ring if there is gaze on the screen."""
        self.isShown = False
        if self.gaze is None:
            return
        gaze = self._here(self.gaze)
        place = self._follower.update(now_ns(None), gaze)
        self.isShown = place.pos is not None and gaze.is_on_screen
        if self.isShown:
            self._ring.pos = self._pix(place.pos)
            self._ring.draw(win)
        self._keep(place.pos, self.isShown)

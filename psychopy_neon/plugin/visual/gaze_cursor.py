"""A ring where the wearer looks."""

import numpy as np
from psychopy import visual
from psychopy.visual.basevisual import MinimalStim

from psychopy_neon.plugin.visual.units import px_per_pix
from psychopy_neon.screen.coordinates import centred_from_screen

__all__ = ["GazeCursor"]

EDGES = 64
DEPTH = -900.0
"""Above other automatically drawn stimuli, below the tags."""


class GazeCursor(MinimalStim):
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

    def __init__(self, win, frame, size=36, lineWidth=4, color="red", *, name="GazeCursor", autoLog=False):
        super().__init__(name=name, autoLog=False)
        self.win = win
        self.depth = DEPTH
        self.gaze = None
        self.isShown = False
        self._size_px = frame.layout.size_px
        self._scale = px_per_pix(win)
        outer = size / 2 / self._scale
        inner = max(outer - lineWidth / self._scale, 0)
        # Filled between two circles: lines as wide as this show gaps at their joints.
        self._ring = visual.ShapeStim(
            win, units="pix", vertices=[_circle(outer), _circle(inner)], fillColor=color, lineColor=None, autoLog=False
        )
        self.autoLog = autoLog

    def draw(self, win=None):
        """Draw the ring if there is gaze on the screen."""
        gaze = self.gaze
        self.isShown = gaze is not None and gaze.pos is not None and gaze.is_on_screen
        if self.isShown:
            x, y = centred_from_screen(*gaze.pos, self._size_px)
            self._ring.pos = (x / self._scale, y / self._scale)
            self._ring.draw(win)


def _circle(radius):
    angles = np.linspace(0, 2 * np.pi, EDGES, endpoint=False)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)

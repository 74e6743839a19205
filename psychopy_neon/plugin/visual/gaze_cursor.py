"""A ring where the wearer looks."""

from psychopy import visual

from psychopy_neon.screen.coordinates import centred_from_screen

__all__ = ["GazeCursor"]


class GazeCursor:
    """A ring at the gaze on the screen; nothing is drawn while there is none.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    radius, lineWidth : float
        Framebuffer px.
    color : str or sequence
        Any colour that PsychoPy takes.

    Attributes
    ----------
    gaze : ScreenGaze or None
        Set it before :meth:`draw`.
    isShown : bool
        Whether the last draw showed the ring.
    """

    def __init__(self, win, frame, radius=18, lineWidth=4, color="red"):
        self.gaze = None
        self.isShown = False
        self._frame = frame
        self._ring = visual.Circle(
            win, units="pix", radius=radius, lineWidth=lineWidth, lineColor=color, fillColor=None, autoLog=False
        )

    def draw(self, win=None):
        """Draw the ring if there is gaze."""
        self.isShown = self.gaze is not None and self.gaze.pos is not None
        if self.isShown:
            self._ring.pos = centred_from_screen(*self.gaze.pos, self._frame.layout.size_px)
            self._ring.draw(win)

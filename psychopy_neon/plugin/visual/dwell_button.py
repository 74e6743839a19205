"""A button that is pressed by looking at it; a ring around it shows how far it is."""

from psychopy import visual

from psychopy_neon.contingent.dwell import Dwell, DwellState
from psychopy_neon.contingent.shapes import Circle
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, circle_vertices, length_px, now_ns
from psychopy_neon.plugin.visual.units import px_per_pix, screen_px

__all__ = ["DwellButton"]

RING_SHARE = 0.16
"""Width of the ring, of the radius."""
SEAM_DEG = 0.5
"""Half rings reach so far over one another, so that no line shows between them."""
TEXT_SHARE = 0.5
"""Height of the label, of the radius."""


class DwellButton(GazeTool):
    """A round button with a ring that fills while it is looked at.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    pos : tuple of float
        Centre. It can be moved at any time.
    size : float
        Diameter; 4 degrees or more serve a tracker that is not corrected.
    units : str
        Of ``pos`` and ``size``: any of PsychoPy's. Default: the window's.
    text : str
        Label.
    dwellTime : float
        Seconds to fill it.
    margin, hysteresis : float
        Gaze so far beside the button enters, and leaves only so much farther out; in ``units``.
    lossTime, exitTime : float
        No gaze, or gaze beside the button, for so long, s, is bridged.
    color, ringColor, fillColor, textColor
        Of the button, of the ring empty and filled, of the label.
    record : GazeRecord, optional

    Attributes
    ----------
    dwell : Dwell
        State, progress and times (``dwell.entered_ns``, ``dwell.selected_ns``).

    Raises
    ------
    ConfigurationError
        Settings that cannot be used, or degrees without a monitor that knows its width and distance.
    """

    def __init__(
        self,
        win,
        frame,
        pos=(0, 0),
        size=0.2,
        units="",
        text="",
        dwellTime=0.8,
        margin=0.0,
        hysteresis=0.0,
        lossTime=0.3,
        exitTime=0.1,
        *,
        color="dimgrey",
        ringColor="black",
        fillColor="gold",
        textColor="white",
        record=None,
        name=None,
        autoLog=False,
    ):
        super().__init__(win, frame, record, 0.0, name or f"DwellButton {text}".strip(), autoLog)
        self.units = units or win.units
        self.pos = pos
        self.radius_px = length_px(win, size, self.units) / 2
        margin_px, hysteresis_px = (length_px(win, each, self.units) if each else 0.0 for each in (margin, hysteresis))
        self.dwell = Dwell(
            dwellTime,
            loss_limit_s=lossTime,
            exit_limit_s=exitTime,
            margin_px=margin_px,
            hysteresis_px=hysteresis_px,
        )
        radius = self.radius_px / px_per_pix(win)
        self._disc = self._shape([circle_vertices(radius)], color)
        # A ring that fills is two half rings and a third that turns over them: nothing has to be computed anew.
        right, left, moving = (self._shape([_half_ring(radius)], ringColor) for _ in range(3))
        left.ori = 180
        self._halves, self._moving = (right, left), moving
        self._colors = {"empty": ringColor, "filled": fillColor}
        self._label = visual.TextStim(
            win,
            text=text,
            units="pix",
            height=TEXT_SHARE * radius,
            color=textColor,
            wrapWidth=4 * radius,
            autoLog=False,
        )

    @property
    def isSelected(self):
        """Whether it has been filled."""
        return self.dwell.state is DwellState.SELECTED

    @property
    def posPx(self):
        """Centre now, screen px."""
        return screen_px(self.win, self.pos, self.units, self.frame.layout.size_px)

    def update(self, gaze, atNs=None):
        """Take in the gaze of a frame.

        Parameters
        ----------
        gaze : ScreenGaze
        atNs : int, optional
            Host time, ns. Default: now.

        Returns
        -------
        DwellState
        """
        self.gaze = gaze
        return self.dwell.update(now_ns(atNs), self._here(gaze), Circle(self.posPx, self.radius_px))

    def cancel(self):
        """Empty it; gaze has to leave before it fills again."""
        self.dwell.cancel()

    def reset(self):
        """Begin anew."""
        self.dwell.reset()

    def draw(self, win=None):
        """Draw button, ring and label."""
        center_px = self.posPx
        pix = self._pix(center_px)
        progress = self.dwell.progress
        right, left = self._halves
        is_half = progress > 0.5
        _paint(right, self._colors["filled"] if progress > 0 else self._colors["empty"])
        _paint(self._moving, self._colors["filled" if is_half else "empty"])
        self._moving.ori = 360 * (progress - 0.5 if is_half else progress)
        shown = [self._disc, right, left, *([self._moving] if progress > 0 else []), self._label]
        for each in shown:
            each.pos = pix
            each.draw(win)
        if self.gaze is not None:
            self._keep(center_px, True)

    def _shape(self, vertices, color):
        return visual.ShapeStim(
            self.win, units="pix", vertices=vertices, fillColor=color, lineColor=None, autoLog=False
        )


def _half_ring(radius):
    """The right half, from the top to the bottom, a little over both."""
    inner = radius * (1 - RING_SHARE)
    outer_arc = circle_vertices(radius, -SEAM_DEG, 180 + SEAM_DEG)
    inner_arc = circle_vertices(inner, -SEAM_DEG, 180 + SEAM_DEG)
    return [*outer_arc.tolist(), *inner_arc[::-1].tolist()]


def _paint(shape, color):
    """Only where it changes: converting a colour takes longer than drawing."""
    if getattr(shape, "paintedIn", None) != color:
        shape.paintedIn, shape.fillColor = color, color

"""A fixation cross that opens when it has been looked at."""

from psychopy import visual

from psychopy_neon.contingent.gate import Gate, GateState
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, length_px, now_ns
from psychopy_neon.plugin.visual.units import px_per_pix, screen_px

__all__ = ["FixationGate"]


class FixationGate(GazeTool):
    """A cross; :meth:`update` says when gaze has rested on it.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    radius : float
        How near gaze has to be; two degrees forgive the error of an uncorrected tracker.
    pos : tuple of float
        Of the cross. It can be moved at any time.
    size : float
        Of the cross.
    units : str
        Of ``radius``, ``pos`` and ``size``: any of PsychoPy's.
    holdTime : float
        How long gaze has to stay, s.
    limit : float or None
        When to give up, s after the first update. None: never.
    color, holdColor, openColor
        Of the cross in its states; give the same three times if it shall not change.
    record : GazeRecord, optional

    Attributes
    ----------
    gate : Gate
        State, times and what it counted (``gate.times``).

    Raises
    ------
    ConfigurationError
        Settings that cannot be used, or degrees without a monitor that knows its width and distance.
    """

    def __init__(
        self,
        win,
        frame,
        radius=2.0,
        pos=(0, 0),
        size=0.8,
        units="deg",
        holdTime=0.3,
        limit=None,
        *,
        color="black",
        holdColor="white",
        openColor="lime",
        record=None,
        name="FixationGate",
        autoLog=False,
    ):
        super().__init__(win, frame, record, 0.0, name, autoLog)
        self.units, self.pos = units, pos
        self.gate = Gate(length_px(win, radius, units), holdTime, limit)
        self._colors = {
            GateState.WAITING: color,
            GateState.HOLDING: holdColor,
            GateState.OPEN: openColor,
            GateState.TIMED_OUT: color,
        }
        self._painted = GateState.WAITING
        self._cross = visual.ShapeStim(
            win,
            units="pix",
            vertices=_cross(length_px(win, size, units) / px_per_pix(win)),
            fillColor=color,
            lineColor=None,
            autoLog=False,
        )

    @property
    def state(self):
        """A :class:`~psychopy_neon.contingent.gate.GateState`."""
        return self.gate.state

    @property
    def isOpen(self):
        """Whether gaze has rested on it."""
        return self.gate.state is GateState.OPEN

    @property
    def waitsFor(self):
        """What is missing, in words for the experimenter; empty when it is open."""
        return self.gate.waits_for

    @property
    def posPx(self):
        """The cross now, screen px."""
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
        GateState
        """
        self.gaze = gaze
        return self.gate.update(now_ns(atNs), self._here(gaze), self.posPx)

    def reset(self):
        """Close it and begin anew."""
        self.gate.reset()

    def draw(self, win=None):
        """Draw the cross in the colour of its state."""
        center_px = self.posPx
        if self._painted is not self.gate.state:
            self._painted = self.gate.state
            self._cross.fillColor = self._colors[self._painted]
        self._cross.pos = self._pix(center_px)
        self._cross.draw(win)
        if self.gaze is not None:
            self._keep(center_px, True)


def _cross(size):
    """Two bars of a sixth of their length."""
    long, short = size / 2, size / 12
    corners = [(-short, long), (short, long), (short, short), (long, short), (long, -short), (short, -short)]
    return corners + [(-x, -y) for x, y in corners]

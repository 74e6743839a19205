"""Stops the experiment while nobody looks at the screen, and says so."""

from psychopy import visual

from psychopy_neon.contingent.look_away import Attention, LookAway
from psychopy_neon.contingent.shapes import rectangle
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, length_px, now_ns
from psychopy_neon.plugin.visual.units import px_per_pix

__all__ = ["LookAwayPause"]

DEPTH = -700.0
"""Above stimuli, below the tags."""
TEXT_SHARE = 1 / 28
"""Of the window's height."""


class LookAwayPause(GazeTool):
    """A veil with a message while gaze is beside the screen, or missing, for long.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    awayTime : float
        Gaze beside the screen for so long, s, is a pause.
    noDataTime : float
        No gaze for so long, s, is a pause, too; told apart.
    backTime : float
        Gaze has to be back for so long, s.
    margin : float
        Gaze so far beside the screen is still on it.
    marginUnits : str
        Any of PsychoPy's.
    awayText, noDataText : str
        What is shown; ``{reason}`` in the second becomes the reason.
    record : GazeRecord, optional

    Attributes
    ----------
    lookAway : LookAway
        State, times and what it counted.

    Raises
    ------
    ConfigurationError
        Settings that cannot be used, or degrees without a monitor that knows its width and distance.
    """

    def __init__(
        self,
        win,
        frame,
        awayTime=1.0,
        noDataTime=2.0,
        backTime=0.2,
        margin=2.0,
        marginUnits="deg",
        awayText="Please look at the screen",
        noDataText="Please wait: {reason}",
        *,
        record=None,
        name="LookAwayPause",
        autoLog=False,
    ):
        super().__init__(win, frame, record, DEPTH, name, autoLog)
        margin_px = length_px(win, margin, marginUnits) if margin else 0.0
        self.lookAway = LookAway(awayTime, noDataTime, backTime, margin_px=margin_px)
        self.awayText, self.noDataText = awayText, noDataText
        width, height = (each / px_per_pix(win) for each in frame.layout.size_px)
        self._veil = visual.Rect(
            win,
            units="pix",
            size=(width, height),
            fillColor="black",
            opacity=0.7,
            lineColor=None,
            interpolate=False,
            autoLog=False,
        )
        self._message = visual.TextStim(
            win, units="pix", height=height * TEXT_SHARE, wrapWidth=width * 0.6, color="white", autoLog=False
        )

    @property
    def state(self):
        """A :class:`~psychopy_neon.contingent.look_away.Attention`."""
        return self.lookAway.state

    @property
    def isPaused(self):
        """Whether the experiment should wait."""
        return self.lookAway.is_paused

    def update(self, gaze, atNs=None):
        """Take in the gaze of a frame.

        Parameters
        ----------
        gaze : ScreenGaze
        atNs : int, optional
            Host time, ns. Default: now.

        Returns
        -------
        Attention
        """
        self.gaze = gaze
        width, height = self.frame.layout.size_px
        screen = rectangle((width / 2, height / 2), (width, height))
        return self.lookAway.update(now_ns(atNs), self._here(gaze), screen)

    def draw(self, win=None):
        """Draw veil and message while it pauses; nothing else."""
        if self.isPaused:
            text = self._text()
            if self._message.text != text:
                self._message.text = text
            self._veil.draw(win)
            self._message.draw(win)
        if self.gaze is not None:
            self._keep(None, self.isPaused)

    def _text(self):
        if self.state is Attention.AWAY:
            return self.awayText
        reason = self.lookAway.reason
        # Gaze that has just come back has no reason; the message stays until it has been there for long enough.
        return self.noDataText.format(reason=reason.value) if reason else self._message.text

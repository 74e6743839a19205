"""A region of interest over any stimulus."""

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.roi import Roi
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, length_px, now_ns, screen_shape

__all__ = ["GazeROI"]


class GazeROI(GazeTool):
    """Tells whether a stimulus is looked at, how often and how long; wherever the stimulus moves.

    Its place and size are read at each update, so draw and move the stimulus as you like. Nothing is drawn.

    Parameters
    ----------
    stim
        A stimulus of PsychoPy for which ``contains()`` works: shapes, pictures, gratings, texts.
    frame : AprilTagFrame
        Of the same window.
    margin : float
        Gaze so far outside is on it: about the error of the tracker. 0 takes none.
    hysteresis : float
        Gaze on it may go so much farther before it is off.
    marginUnits : str
        Of both, any of PsychoPy's. Degrees need a monitor with width and distance.
    minTime : float
        Shorter looks, and shorter looks away, are overlooked, s.
    bridgeTime : float
        A look that goes on after a loss (a blink) no longer than this, s, is the same look.
    record : GazeRecord, optional

    Attributes
    ----------
    roi : Roi
        Times (``roi.times``), entries and the time of the first.

    Raises
    ------
    ConfigurationError
        Settings that cannot be used, degrees without a monitor that knows its width and distance, or a stimulus
        without an area.
    """

    def __init__(
        self,
        stim,
        frame,
        margin=1.0,
        hysteresis=0.5,
        marginUnits="deg",
        minTime=0.1,
        bridgeTime=0.3,
        *,
        record=None,
        name=None,
        autoLog=False,
    ):
        super().__init__(stim.win, frame, record, 0.0, name or f"GazeROI {stim.name}", autoLog)
        self.stim = stim
        screen_shape(stim, frame)  # says now if it has no area
        margin_px, hysteresis_px = (
            length_px(stim.win, each, marginUnits) if each else 0.0 for each in (margin, hysteresis)
        )
        self.roi = Roi(minTime, margin_px=margin_px, hysteresis_px=hysteresis_px, bridge_s=bridgeTime)

    def update(self, gaze, atNs=None):
        """Take in the gaze of a frame.

        Parameters
        ----------
        gaze : ScreenGaze
        atNs : int, optional
            Host time, ns. Default: now.

        Returns
        -------
        Look
            ``ON``, ``OFF`` or ``NO_DATA``.
        """
        self.gaze = gaze
        shape = screen_shape(self.stim, self.frame)
        look = self.roi.update(now_ns(atNs), self._here(gaze), shape)
        self._keep(None, False)
        return look

    @property
    def isLookedAt(self):
        """True or False; None while nobody knows."""
        return None if self.roi.look is Look.NO_DATA else self.roi.look is Look.ON

    @property
    def numLooks(self):
        """How many looks there were."""
        return self.roi.entries

    def results(self):
        """Values for the trial's row: looks, seconds on it, beside it and without data, and the time of the first look.

        Returns
        -------
        dict
            ``looks``, ``on_s``, ``off_s``, ``no_data_s``, ``first_look_host_ns`` (None: never looked at).
        """
        times = {f"{name}_s": self.roi.times.seconds(look) for name, look in _TIMES.items()}
        return {"looks": self.roi.entries, **times, "first_look_host_ns": self.roi.first_entered_ns}


_TIMES = {"on": Look.ON, "off": Look.OFF, "no_data": Look.NO_DATA}

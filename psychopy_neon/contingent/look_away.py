"""Pauses while nobody looks at the screen."""

from __future__ import annotations

from enum import Enum

from psychopy_neon.contingent.evidence import REPEAT_LIMIT_S, Look, ns
from psychopy_neon.contingent.shapes import Shape
from psychopy_neon.contingent.target import LookTimes, Reading, Target
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["Attention", "LookAway"]


class Attention(Enum):
    """Whether the experiment should go on."""

    THERE = "gaze is on the screen"
    AWAY = "gaze is beside the screen"
    NO_DATA = "nobody knows where gaze is"


class LookAway:
    """Says when to pause: gaze beside the screen for long, or, with a limit of its own, no gaze for long.

    Somebody who turns the head takes the tags out of the camera's view, which is no data and not "beside the screen":
    :attr:`reason` tells (``TAGS_LOST``, ``OUT_OF_VIEW``).

    Parameters
    ----------
    away_s : float
        Beside the screen for so long is a pause.
    no_data_s : float
        No gaze for so long is a pause of another kind.
    back_s : float
        Gaze has to be on the screen for so long to end a pause; only new samples count.
    margin_px : float
        Gaze so far beside the screen is still on it, for the tracker's error.
    repeat_limit_s
        As in :class:`~psychopy_neon.contingent.target.Target`.

    Attributes
    ----------
    state : Attention
    reason : GazeReason or None
        Why there is no gaze at the last update.
    since_ns : int or None
        Host clock: the update with which gaze went missing or away; None while it is there.
    pauses : int
        How often a pause began.
    times : LookTimes
        How long gaze was on the screen, beside it and missing.

    Raises
    ------
    ConfigurationError
        A setting below 0.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(
        self,
        away_s: float = 1.0,
        no_data_s: float = 2.0,
        back_s: float = 0.2,
        *,
        margin_px: float = 0.0,
        repeat_limit_s: float = REPEAT_LIMIT_S,
    ) -> None:
        self._limits_ns = {Look.OFF: ns("away_s", away_s), Look.NO_DATA: ns("no_data_s", no_data_s)}
        self._back_ns = ns("back_s", back_s)
        self._repeat_limit_ns = ns("repeat_limit_s", repeat_limit_s)
        self._target = Target(margin_px, 0.0, repeat_limit_s)
        self._last: Reading | None = None
        self._run_ns = 0
        """Host clock, of the first of the updates that all said what the last one said."""
        self.state = Attention.THERE
        self.reason: GazeReason | None = None
        self.since_ns: int | None = None
        self.pauses = 0
        self.times = LookTimes(repeat_limit_s)

    @property
    def is_paused(self) -> bool:
        """Whether the experiment should wait."""
        return self.state is not Attention.THERE

    def update(self, at_ns: int, gaze: ScreenGaze, screen: Shape) -> Attention:
        """Take in the gaze of one frame.

        Parameters
        ----------
        at_ns : int
            Host clock.
        gaze : ScreenGaze
        screen : Shape
            What counts as the screen.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        reading = self._target.update(at_ns, gaze, screen)
        self._count_time(reading)
        self._last, self.reason = reading, reading.seen.reason
        run_ns = at_ns - self._run_ns
        if reading.look is Look.ON:
            if not self.is_paused or (reading.seen.is_new and run_ns >= self._back_ns):
                self.state, self.since_ns = Attention.THERE, None
        else:
            self.since_ns = self._run_ns if self.since_ns is None else self.since_ns
            # The second condition ends what flickers between the two without being on the screen.
            is_long = at_ns - self.since_ns >= max(self._limits_ns.values())
            if run_ns >= self._limits_ns[reading.look] or is_long:
                self._pause(Attention.AWAY if reading.look is Look.OFF else Attention.NO_DATA)
        return self.state

    def _count_time(self, reading: Reading) -> None:
        at_ns, last = reading.seen.at_ns, self._last
        if last is None:
            self._run_ns = at_ns
            return
        step_ns = at_ns - last.seen.at_ns
        self.times.add(last.look, last.seen.reason, step_ns)
        if last.look is not reading.look or (reading.look is not Look.NO_DATA and step_ns > self._repeat_limit_ns):
            self._run_ns = at_ns

    def _pause(self, kind: Attention) -> None:
        self.pauses += not self.is_paused
        self.state = kind

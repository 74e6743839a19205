"""A button that is pressed by looking at it."""

from __future__ import annotations

from enum import Enum

from psychopy_neon.contingent.evidence import REPEAT_LIMIT_S, Look, ns
from psychopy_neon.contingent.shapes import Shape
from psychopy_neon.contingent.target import Reading, Target
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import ScreenGaze

__all__ = ["Dwell", "DwellState"]


class DwellState(Enum):
    """Where a dwell stands."""

    EMPTY = "not looked at"
    FILLING = "looked at"
    HELD = "looked at until a moment ago"
    SELECTED = "selected"
    LOCKED = "cancelled: gaze has to leave first"


class Dwell:
    """Fills while it is looked at and is selected when it is full.

    Only time between two *new* samples that are both on the shape fills it, so nothing fills on no data or on a value
    that was used before. A short loss and a short exit hold what is filled, longer ones empty it.

    Parameters
    ----------
    dwell_s : float
        Time to fill it. 0.8 s is long enough that looking around seldom selects.
    loss_limit_s : float
        No data for so long is bridged (a blink lasts 0.1 to 0.3 s).
    exit_limit_s : float
        Gaze beside the shape for so long is bridged.
    margin_px, hysteresis_px, repeat_limit_s
        As in :class:`~psychopy_neon.contingent.target.Target`.

    Attributes
    ----------
    state : DwellState
    reading : Reading or None
        What the last update said of the shape.
    progress : float
        0 to 1.
    entered_ns : int or None
        Host clock: when the sample with which the present (or winning) look began was measured.
    selected_ns : int or None
        Host clock: the update that selected.
    abandoned : int
        How many looks ended before it was full.

    Raises
    ------
    ConfigurationError
        A setting below 0, or a dwell time of 0.

    Notes
    -----
    Thread: one at a time. ``selected_ns - entered_ns`` is the dwell time plus the bridged time plus the gaze's age.
    """

    def __init__(
        self,
        dwell_s: float = 0.8,
        *,
        loss_limit_s: float = 0.3,
        exit_limit_s: float = 0.1,
        margin_px: float = 0.0,
        hysteresis_px: float = 0.0,
        repeat_limit_s: float = REPEAT_LIMIT_S,
    ) -> None:
        self._dwell_ns = ns("dwell_s", dwell_s)
        if not self._dwell_ns:
            raise ConfigurationError("dwell_s", dwell_s, "above 0")
        self._loss_limit_ns, self._exit_limit_ns = ns("loss_limit_s", loss_limit_s), ns("exit_limit_s", exit_limit_s)
        self._target = Target(margin_px, hysteresis_px, repeat_limit_s)
        self._repeat_limit_ns = ns("repeat_limit_s", repeat_limit_s)
        self.state = DwellState.EMPTY
        self.reading: Reading | None = None
        self.abandoned = 0
        self._empty()

    def update(self, at_ns: int, gaze: ScreenGaze, shape: Shape) -> DwellState:
        """Take in the gaze of one frame.

        Parameters
        ----------
        at_ns : int
            Host clock.
        gaze : ScreenGaze
        shape : Shape
            Where the button is now.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        self.reading = reading = self._target.update(at_ns, gaze, shape)
        if self.state is DwellState.LOCKED:
            if reading.look is Look.OFF:
                self.state = DwellState.EMPTY
        elif self.state is not DwellState.SELECTED:
            self._give_up_if_away(at_ns)
            self._go_on(reading)
        return self.state

    def cancel(self) -> None:
        """End the present look or undo the selection; gaze has to leave before it fills again."""
        self._empty()
        self.state = DwellState.LOCKED

    def reset(self) -> None:
        """Begin anew, as for the next trial."""
        self._empty()
        self.state = DwellState.EMPTY

    def _empty(self) -> None:
        self._filled_ns = 0
        self.progress = 0.0
        self.entered_ns: int | None = None
        self.selected_ns: int | None = None
        self._last_on_ns: int | None = None
        self._away_since_ns: int | None = None
        self._is_bridging = False

    def _give_up_if_away(self, at_ns: int) -> None:
        """Before the new gaze is looked at: it does not bridge what was too long already."""
        if self._last_on_ns is None:
            return
        if self._away_since_ns is not None:
            is_lost = at_ns - self._away_since_ns > self._exit_limit_ns
        else:
            is_lost = at_ns - self._last_on_ns > max(self._loss_limit_ns, self._repeat_limit_ns)
        if is_lost:
            self.abandoned += 1
            self.reset()

    def _go_on(self, reading: Reading) -> None:
        at_ns = reading.seen.at_ns
        if reading.look is Look.ON:
            if reading.seen.is_new:
                self._fill(at_ns, reading.seen.measured_ns)
        elif self._last_on_ns is not None:
            self.state = DwellState.HELD
            self._is_bridging = True
            if reading.look is Look.OFF and self._away_since_ns is None:
                self._away_since_ns = at_ns

    def _fill(self, at_ns: int, measured_ns: int) -> None:
        if self._last_on_ns is None:
            self.entered_ns = measured_ns
        elif not self._is_bridging and at_ns - self._last_on_ns <= self._repeat_limit_ns:
            self._filled_ns += at_ns - self._last_on_ns
        self._last_on_ns, self._away_since_ns, self._is_bridging = at_ns, None, False
        self.progress = min(self._filled_ns / self._dwell_ns, 1.0)
        if self._filled_ns < self._dwell_ns:
            self.state = DwellState.FILLING
        else:
            self.state, self.selected_ns = DwellState.SELECTED, at_ns

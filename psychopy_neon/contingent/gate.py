"""A gate that opens when a point has been fixated, so that a trial begins with gaze where it should be."""

from __future__ import annotations

from enum import Enum

from psychopy_neon.contingent.dwell import Dwell, DwellState
from psychopy_neon.contingent.evidence import REPEAT_LIMIT_S, Look, at_least, ns
from psychopy_neon.contingent.shapes import Circle
from psychopy_neon.contingent.target import LookTimes, Reading
from psychopy_neon.samples import ScreenGaze

__all__ = ["Gate", "GateState"]


class GateState(Enum):
    """Where a gate stands."""

    WAITING = "waiting for gaze"
    HOLDING = "gaze is there, for not long enough yet"
    OPEN = "open"
    TIMED_OUT = "the limit passed before it opened"


class Gate:
    """Opens when gaze has been within ``radius_px`` of a point for ``hold_s``.

    Parameters
    ----------
    radius_px : float
        Around the point; two degrees forgive the error of an uncorrected tracker.
    hold_s : float
        How long gaze has to stay. Only new samples count.
    limit_s : float or None
        From the first update on; None: as long as it takes.
    loss_limit_s, exit_limit_s, hysteresis_px, repeat_limit_s
        As in :class:`~psychopy_neon.contingent.dwell.Dwell`.

    Attributes
    ----------
    state : GateState
    opened_ns : int or None
        Host clock, of the update that opened it.
    entered_ns : int or None
        Host clock: when the first sample of the present (or winning) look was measured.
    times : LookTimes
        How long gaze was at the point, beside it, and missing with which reason.

    Raises
    ------
    ConfigurationError
        A setting below 0, or ``hold_s`` of 0.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(
        self,
        radius_px: float,
        hold_s: float = 0.3,
        limit_s: float | None = None,
        *,
        loss_limit_s: float = 0.1,
        exit_limit_s: float = 0.05,
        hysteresis_px: float = 0.0,
        repeat_limit_s: float = REPEAT_LIMIT_S,
    ) -> None:
        self.radius_px = at_least(0.0, "radius_px", radius_px)
        self.hold_s = hold_s
        self._limit_ns = None if limit_s is None else ns("limit_s", limit_s)
        self._repeat_limit_s = repeat_limit_s
        self._dwell = Dwell(
            hold_s,
            loss_limit_s=loss_limit_s,
            exit_limit_s=exit_limit_s,
            hysteresis_px=hysteresis_px,
            repeat_limit_s=repeat_limit_s,
        )
        self._begin()

    def _begin(self) -> None:
        self.state: GateState = GateState.WAITING
        self.opened_ns: int | None = None
        self.entered_ns: int | None = None
        self.times = LookTimes(self._repeat_limit_s)
        self._last: Reading | None = None
        self._began_ns: int = 0

    def update(self, at_ns: int, gaze: ScreenGaze, point: tuple[float, float]) -> GateState:
        """Take in the gaze of one frame; once open or timed out it stays so until :meth:`reset`.

        Parameters
        ----------
        at_ns : int
            Host clock.
        gaze : ScreenGaze
        point : tuple of float
            Where the point is now, screen px.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        if self.state in (GateState.OPEN, GateState.TIMED_OUT):
            return self.state
        dwell = self._dwell.update(at_ns, gaze, Circle(point, self.radius_px))
        self._count(at_ns)
        self.entered_ns = self._dwell.entered_ns
        if dwell is DwellState.SELECTED:
            self.state, self.opened_ns = GateState.OPEN, at_ns
        elif self._limit_ns is not None and at_ns - self._began_ns >= self._limit_ns:
            self.state = GateState.TIMED_OUT
        else:
            self.state = GateState.WAITING if dwell is DwellState.EMPTY else GateState.HOLDING
        return self.state

    @property
    def waits_for(self) -> str:
        """What is missing, in words for the experimenter; empty when it is open."""
        if self.state is GateState.OPEN:
            return ""
        if self.state is GateState.TIMED_OUT:
            return self._what_went_wrong()
        if self._last is None:
            return "the first gaze"
        if self._last.distance_px is None:
            reason = self._last.seen.reason
            return f"gaze: {reason.value if reason else 'there is none'}"
        if self._last.look is Look.OFF:
            return f"gaze nearer to the point: it is {self._last.distance_px + self.radius_px:.0f} px away"
        return f"gaze to stay for another {self.hold_s * (1 - self._dwell.progress):.2f} s"

    def reset(self) -> None:
        """Close it and begin anew; the limit counts from the next update on."""
        self._dwell.reset()
        self._begin()

    def _count(self, at_ns: int) -> None:
        if self._last is None:
            self._began_ns = at_ns
        else:
            self.times.add(self._last.look, self._last.seen.reason, at_ns - self._last.seen.at_ns)
        self._last = self._dwell.reading

    def _what_went_wrong(self) -> str:
        shares = {look: self.times.seconds(look) for look in Look}
        reasons = self.times.reasons_s
        why = f" (mostly: {next(iter(reasons)).value})" if reasons else ""
        return (
            f"nothing more; of the time allowed gaze was {shares[Look.ON]:.1f} s at the point, "
            f"{shares[Look.OFF]:.1f} s beside it and {shares[Look.NO_DATA]:.1f} s missing{why}"
        )

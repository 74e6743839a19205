"""Steadies a place that jitters, at a price in delay that it tells; off unless somebody hands one over."""

from __future__ import annotations

import math

from psychopy_neon.errors import ConfigurationError

__all__ = ["OneEuroFilter"]


class OneEuroFilter:
    """The 1-euro filter: a low-pass whose cut-off rises with speed, so rest is calm and jumps are quick.

    A low-passed speed sets the cut-off, ``min_cutoff_hz + beta * speed``, of the low-pass for the place. Speed is that
    of the point and not of each coordinate, so a movement is not bent. Steps in time may differ; after a gap the filter
    begins anew at the first place, so no jump is drawn as a glide.

    Parameters
    ----------
    min_cutoff_hz : float
        Cut-off at rest. Lower is calmer and later: a slow movement is followed ``1 / (2 * pi * cutoff)`` late.
    beta : float
        Hz for each px per second. It depends on the unit: 0.01 is for screen px.
    speed_cutoff_hz : float
        Cut-off for the speed.
    gap_s : float
        A longer pause between two places is a gap.

    Raises
    ------
    ConfigurationError
        A setting that is not above 0 (``beta``: below 0).

    Notes
    -----
    Thread: one at a time. Source: Casiez, Roussel and Vogel 2012, "1 euro filter: a simple speed-based low-pass filter
    for noisy input in interactive systems" (CHI).
    """

    def __init__(
        self, min_cutoff_hz: float = 1.5, beta: float = 0.01, speed_cutoff_hz: float = 1.0, gap_s: float = 0.1
    ) -> None:
        settings = {"min_cutoff_hz": min_cutoff_hz, "speed_cutoff_hz": speed_cutoff_hz, "gap_s": gap_s}
        for setting, value in settings.items():
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError(setting, value, "a number above 0")
        if not (math.isfinite(beta) and beta >= 0):
            raise ConfigurationError("beta", beta, "a number, at least 0")
        self._min_cutoff_hz, self._beta, self._speed_cutoff_hz = min_cutoff_hz, beta, speed_cutoff_hz
        self._gap_ns = round(gap_s * 1e9)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next place is taken as it is."""
        self._at_ns: int | None = None
        self._pos = self._measured = self._velocity = (0.0, 0.0)
        self._cutoff_hz = self._min_cutoff_hz

    def update(self, at_ns: int, pos: tuple[float, float]) -> tuple[float, float]:
        """The steadied place.

        Parameters
        ----------
        at_ns : int
            When the place was measured, any clock. A time that is not after the last one changes nothing.
        pos : tuple of float
            x, y, finite.

        Returns
        -------
        tuple of float
            x, y in the same unit.
        """
        if self._at_ns is None or at_ns - self._at_ns > self._gap_ns:
            self.reset()
            self._at_ns, self._pos, self._measured = at_ns, pos, pos
            return pos
        if at_ns <= self._at_ns:
            return self._pos
        step_s = (at_ns - self._at_ns) / 1e9
        # From the places as measured: against the filter's own place its lag would count as speed.
        velocity = ((pos[0] - self._measured[0]) / step_s, (pos[1] - self._measured[1]) / step_s)
        self._velocity = _mixed(self._velocity, velocity, self._speed_cutoff_hz, step_s)
        self._cutoff_hz = self._min_cutoff_hz + self._beta * math.hypot(*self._velocity)
        self._pos = _mixed(self._pos, pos, self._cutoff_hz, step_s)
        self._at_ns, self._measured = at_ns, pos
        return self._pos

    @property
    def delay_s(self) -> float:
        """How late the place is now in a movement of steady, slow speed: the time constant of the present cut-off."""
        return _time_constant_s(self._cutoff_hz)


def _time_constant_s(cutoff_hz: float) -> float:
    return 1 / (2 * math.pi * cutoff_hz)


def _mixed(old: tuple[float, float], new: tuple[float, float], cutoff_hz: float, step_s: float) -> tuple[float, float]:
    """One step of a low-pass of first order."""
    share = 1 / (1 + _time_constant_s(cutoff_hz) / step_s)
    return old[0] + share * (new[0] - old[0]), old[1] + share * (new[1] - old[1])

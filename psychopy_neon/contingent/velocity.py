"""How fast gaze moves, from places that jitter."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from psychopy_neon.contingent.evidence import ns
from psychopy_neon.errors import ConfigurationError

__all__ = ["Spot", "VelocityEstimator", "slope"]

LEAST_SPOTS = 4
LEAST_SHARE = 0.7
"""Of the window that the spots have to reach over."""


class Spot(NamedTuple):
    """A place at a time."""

    at_ns: int
    x: float
    y: float


class VelocityEstimator:
    """Slope of the straight line through the places of the last moments (least squares).

    The difference of two samples 5 ms apart turns jitter of 0.2 degrees into 57 degrees per second, far over any
    threshold. A line through ``n`` samples ``dt`` apart has a slope whose error is the jitter's divided by
    ``dt * sqrt(n * (n * n - 1) / 12)``: with nine samples (40 ms) 5 degrees per second, so still eyes stay below a
    threshold of 30, and a jump of 0.8 degrees still comes over it (a jump of A gives a slope of ``1.5 * A / window``).

    Parameters
    ----------
    window_s : float
        Time that the line covers.

    Attributes
    ----------
    delay_s : float
        The slope is that of the middle of the window, so it is late by half of it.

    Raises
    ------
    ConfigurationError
        A window of 0 or below.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(self, window_s: float = 0.04) -> None:
        self._window_ns = ns("window_s", window_s)
        if not self._window_ns:
            raise ConfigurationError("window_s", window_s, "above 0")
        self._spots: deque[Spot] = deque()
        self.delay_s = window_s / 2

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._spots.clear()

    def add(self, spot: Spot) -> tuple[int, float, float] | None:
        """Add a place that is later than the last one.

        Returns
        -------
        tuple of (int, float, float) or None
            Time, ns, of the middle of the window, and velocity there, units of the places per second. None while the
            window holds too few places.
        """
        spots = self._spots
        spots.append(spot)
        while spot.at_ns - spots[0].at_ns > self._window_ns:
            spots.popleft()
        if len(spots) < LEAST_SPOTS or spot.at_ns - spots[0].at_ns < LEAST_SHARE * self._window_ns:
            return None
        mean_ns, velocity_x, velocity_y = slope(spots)
        return mean_ns, velocity_x, velocity_y


def slope(spots: deque[Spot] | list[Spot]) -> tuple[int, float, float]:
    """Mean time, ns, and slope per second of the straight line through two or more places at different times."""
    count, begin_ns = len(spots), spots[0].at_ns
    times = [(spot.at_ns - begin_ns) / 1e9 for spot in spots]
    mean_s = math.fsum(times) / count
    spread = slope_x = slope_y = 0.0
    for time_s, spot in zip(times, spots, strict=True):
        off_s = time_s - mean_s
        spread += off_s * off_s
        slope_x += off_s * spot.x
        slope_y += off_s * spot.y
    return begin_ns + round(mean_s * 1e9), slope_x / spread, slope_y / spread

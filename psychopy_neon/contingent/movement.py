"""Where a saccade really began and ended, once a smeared velocity has shown that there was one."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from psychopy_neon.contingent.velocity import Spot, slope

__all__ = ["Movement", "mean_place", "movement_between"]


class Movement(NamedTuple):
    """A saccade; from the last sample before it to the first one after it."""

    start_ns: int
    end_ns: int
    start: tuple[float, float]
    """Mean place just before, as ``end`` just after."""
    end: tuple[float, float]
    amplitude_px: float
    peak_px_s: float
    """Highest slope of three samples along the movement: jitter adds to it, the more the smaller the movement is."""


def mean_place(spots: deque[Spot], from_ns: int, to_ns: int) -> tuple[float, float]:
    """Mean of the places between two times; of the nearest one where there is none between."""
    inside = [spot for spot in spots if from_ns <= spot.at_ns <= to_ns]
    if not inside:
        inside = [min(spots, key=lambda spot: abs(spot.at_ns - from_ns))]
    return sum(spot.x for spot in inside) / len(inside), sum(spot.y for spot in inside) / len(inside)


def movement_between(spots: deque[Spot], coarse_ns: tuple[int, int], rest_ns: int, least_px_s: float) -> Movement:
    """The movement inside a time in which a smeared velocity was high.

    The speed along the line from rest to rest has the jitter of one coordinate, not of two, so the slope of three
    samples is good enough for the edges: they are where it falls below ``least_px_s`` on either side of its peak.

    Parameters
    ----------
    spots
        Recent places; those of the rest before and after among them.
    coarse_ns
        First and last time of the high velocity.
    rest_ns
        So much before and after is averaged for the places of departure and arrival.
    least_px_s
        Speed at the edges.
    """
    begin_ns, end_ns = coarse_ns
    start, end = mean_place(spots, begin_ns - rest_ns, begin_ns), mean_place(spots, end_ns, end_ns + rest_ns)
    amplitude_px = math.dist(start, end)
    inside = [spot for spot in spots if begin_ns <= spot.at_ns <= end_ns]
    if len(inside) < 3 or not amplitude_px:
        return Movement(begin_ns, end_ns, start, end, amplitude_px, amplitude_px / max(end_ns - begin_ns, 1) * 1e9)
    along_x, along_y = (end[0] - start[0]) / amplitude_px, (end[1] - start[1]) / amplitude_px
    speeds = []
    for place in range(1, len(inside) - 1):
        _, velocity_x, velocity_y = slope(inside[place - 1 : place + 2])
        speeds.append(velocity_x * along_x + velocity_y * along_y)
    peak = max(range(len(speeds)), key=speeds.__getitem__)
    first = last = peak
    while first > 0 and speeds[first - 1] >= least_px_s:
        first -= 1
    while last + 1 < len(speeds) and speeds[last + 1] >= least_px_s:
        last += 1
    # speeds[i] is that of inside[i + 1]: the last sample before the movement and the first one after it.
    return Movement(inside[first].at_ns, inside[last + 2].at_ns, start, end, amplitude_px, speeds[peak])

"""The gyroscope's past: how far it had turned, and how fast it turned, at any time."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import NamedTuple

from psychopy_neon.samples import Vector3

__all__ = ["GyroHistory", "GyroState"]

KEPT = 4096
"""Samples: some 40 seconds."""
AHEAD_NS = 40_000_000
"""The newest rate may be taken to go on for so long."""
LARGEST_GAP_NS = 60_000_000
"""Between samples; across a longer one nobody knows how the head turned."""


class GyroState(NamedTuple):
    """The gyroscope at one time, sensor axes."""

    integral: Vector3
    """Of the rate since some time before, rad: only differences mean something."""
    rate: Vector3
    """rad/s."""


class GyroHistory:
    """The samples of the last time, their rates taken as even between them.

    Notes
    -----
    Thread: :meth:`add` from one at a time, :meth:`at` from any.
    """

    def __init__(self) -> None:
        # Times, rates and integrals. All three are replaced together, never cut: whoever reads meanwhile has three
        # that fit each other.
        self._samples: tuple[list[int], list[Vector3], list[Vector3]] = [], [], []

    def add(self, device_ns: int, gyro_dps: Vector3) -> None:
        """Take a sample; a late one or a second one of the same time, or no number, is passed over."""
        rate = (math.radians(gyro_dps[0]), math.radians(gyro_dps[1]), math.radians(gyro_dps[2]))
        times, rates, sums = self._samples
        if not math.isfinite(sum(rate)) or (times and -LARGEST_GAP_NS <= device_ns - times[-1] <= 0):
            return
        if not times or abs(device_ns - times[-1]) > LARGEST_GAP_NS:  # also: the device's clock was set back
            self._samples = [device_ns], [rate], [(0.0, 0.0, 0.0)]
            return
        if len(times) >= 2 * KEPT:
            times, rates, sums = self._samples = times[-KEPT:], rates[-KEPT:], sums[-KEPT:]
        half_s = (device_ns - times[-1]) / 2e9
        (ax, ay, az), (bx, by, bz) = sums[-1], rates[-1]
        sums.append((ax + half_s * (bx + rate[0]), ay + half_s * (by + rate[1]), az + half_s * (bz + rate[2])))
        rates.append(rate)
        times.append(device_ns)  # last: it makes the others count

    def at(self, device_ns: int) -> GyroState | None:
        """The gyroscope at a device time; None before the first sample, and too long after the last."""
        times, rates, sums = self._samples
        place = bisect_right(times, device_ns)
        if not place:
            return None
        past_ns = device_ns - times[place - 1]
        past_s = past_ns / 1e9
        (x, y, z), (ax, ay, az) = sums[place - 1], rates[place - 1]
        if place == len(times):
            if past_ns > AHEAD_NS:
                return None
            return GyroState((x + ax * past_s, y + ay * past_s, z + az * past_s), (ax, ay, az))
        share = past_ns / (times[place] - times[place - 1])
        bx, by, bz = rates[place]
        rate = ax + share * (bx - ax), ay + share * (by - ay), az + share * (bz - az)
        half_s = past_s / 2
        return GyroState((x + half_s * (ax + rate[0]), y + half_s * (ay + rate[1]), z + half_s * (az + rate[2])), rate)

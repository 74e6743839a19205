"""How the simulated head turns by itself: angles as smooth functions of time."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TypeAlias

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.spec_text import parse_spec

__all__ = ["HEAD_MOTIONS", "HeadMotion", "HeadMotionSpec"]

Angles: TypeAlias = tuple[float, float, float]
"""Yaw, pitch and roll, degrees."""

_MAX_DEG = 90.0
_MAX_DPS = 500.0
_PERIODS_S = (0.2, 600.0)
_REPEATS_S = 60.0
_WAVES = 6
_CYCLES = (18, 90)
"""In the time after which it repeats: 0.3 to 1.5 Hz."""
_SHARES = (1.0, 0.6, 0.35)
"""Speeds of pitch and roll beside that of yaw: heads turn more than they nod, and nod more than they tilt."""
_PEAK_SEARCH_HZ = 50


@dataclass(frozen=True, slots=True)
class HeadMotionSpec:
    """Turning about three axes, around the pose that the head is in; a sway and a natural motion add up."""

    yaw_deg: float = 0.0
    """Amplitude of the sway to the sides."""
    yaw_s: float = 3.0
    """Its period."""
    pitch_deg: float = 0.0
    pitch_s: float = 4.3
    roll_deg: float = 0.0
    roll_s: float = 5.1
    peak_dps: float = 0.0
    """Largest speed of a natural motion, which is made of sinusoids of 0.3 to 1.5 Hz chosen by the seed and repeats
    every minute; degrees per second, to a few percent."""

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = (0.0, _MAX_DEG) if field.name.endswith("deg") else _PERIODS_S
            if field.name == "peak_dps":
                low, high = 0.0, _MAX_DPS
            if not low <= getattr(self, field.name) <= high:
                raise ConfigurationError(f"head_motion.{field.name}", getattr(self, field.name), f"{low:g} to {high:g}")

    @property
    def is_still(self) -> bool:
        """Whether nothing moves."""
        return not (self.yaw_deg or self.pitch_deg or self.roll_deg or self.peak_dps)

    @classmethod
    def parse(cls, text: str) -> HeadMotionSpec:
        """Read a name of :data:`HEAD_MOTIONS`, ``field=value`` pairs, or a name and pairs that change it.

        Raises
        ------
        ConfigurationError
            A name or a field is not known, or a value cannot be used.
        """
        return parse_spec("head_motion", text, cls(), HEAD_MOTIONS)


HEAD_MOTIONS: Mapping[str, HeadMotionSpec] = MappingProxyType(
    {
        "still": HeadMotionSpec(),
        "sway": HeadMotionSpec(yaw_deg=8.0, pitch_deg=4.0, roll_deg=3.0),
        "natural": HeadMotionSpec(peak_dps=30.0),
    }
)


@dataclass(frozen=True, slots=True)
class _Wave:
    """An angle in the course of time: degrees, and radians per second."""

    amplitude_deg: float
    rate: float
    phase: float

    def at(self, time_s: float) -> float:
        return self.amplitude_deg * math.sin(self.rate * time_s + self.phase)

    def speed_at(self, time_s: float) -> float:
        return self.amplitude_deg * self.rate * math.cos(self.rate * time_s + self.phase)


class HeadMotion:
    """Angles of a moving head.

    Parameters
    ----------
    spec
        How it moves.
    seed
        The same seed gives the same natural motion.
    """

    def __init__(self, spec: HeadMotionSpec, seed: int) -> None:
        self.spec = spec
        draw = random.Random(f"{seed}/head motion")
        swaying = ((spec.yaw_deg, spec.yaw_s), (spec.pitch_deg, spec.pitch_s), (spec.roll_deg, spec.roll_s))
        sways = [(_Wave(degrees, 2 * math.pi / period_s, 0.0),) if degrees else () for degrees, period_s in swaying]
        natural = _natural(spec.peak_dps, draw) if spec.peak_dps else [()] * len(sways)
        self._axes = tuple((*sway, *waves) for sway, waves in zip(sways, natural, strict=True))

    def at(self, time_s: float) -> Angles:
        """How far the head is turned from its pose, ``time_s`` after the phone was switched on."""
        yaw, pitch, roll = (sum(wave.at(time_s) for wave in waves) for waves in self._axes)
        return yaw, pitch, roll


def _natural(peak_dps: float, draw: random.Random) -> list[tuple[_Wave, ...]]:
    """For each axis waves of equal speed; all together reach the peak once or twice a minute."""
    axes = []
    for share in _SHARES:
        rates = [2 * math.pi * draw.randint(*_CYCLES) / _REPEATS_S for _ in range(_WAVES)]
        axes.append(tuple(_Wave(share / rate, rate, draw.uniform(0, 2 * math.pi)) for rate in rates))
    times = (number / _PEAK_SEARCH_HZ for number in range(round(_REPEATS_S * _PEAK_SEARCH_HZ)))
    # The axes are nearly at right angles to each other as long as the head nods little.
    fastest = max(math.hypot(*(sum(wave.speed_at(time_s) for wave in waves) for waves in axes)) for time_s in times)
    scale = peak_dps / fastest
    return [tuple(_Wave(scale * wave.amplitude_deg, wave.rate, wave.phase) for wave in waves) for waves in axes]

"""What one update of a tool has to go by: a place, or the reason why there is none."""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["REPEAT_LIMIT_S", "Evidence", "Look", "Seen", "at_least", "ns"]

REPEAT_LIMIT_S = 0.1
"""So long one sample counts; the next one is due after 5 ms, and a network's hiccup is over after some of those."""


class Look(Enum):
    """Whether something is looked at; the three are never mixed up."""

    ON = "on"
    OFF = "off"
    NO_DATA = "no data"


class Seen(NamedTuple):
    """Gaze at one update."""

    at_ns: int
    """Host clock, of the update."""
    pos: tuple[float, float] | None
    """Screen px."""
    reason: GazeReason | None
    is_new: bool
    """A sample that no update before had."""
    measured_ns: int
    """Host clock, of the sample; of the update where there is no sample."""


class Evidence:
    """Tells new gaze from old: a sample counts for a stated time and is no data afterwards.

    Parameters
    ----------
    repeat_limit_s : float
        How long one and the same sample is taken for the present gaze.

    Raises
    ------
    ConfigurationError
        A limit below 0.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(self, repeat_limit_s: float = REPEAT_LIMIT_S) -> None:
        self._repeat_limit_ns = ns("repeat_limit_s", repeat_limit_s)
        self._at_ns: int | None = None
        self._key: object = None
        self._first_ns = 0

    def take(self, at_ns: int, gaze: ScreenGaze) -> Seen:
        """What this update may go by.

        Parameters
        ----------
        at_ns : int
            Host clock; not before that of the last update.
        gaze : ScreenGaze

        Raises
        ------
        ConfigurationError
            A time before the last one: two clocks have been mixed.
        """
        if self._at_ns is not None and at_ns < self._at_ns:
            raise ConfigurationError("at_ns", at_ns, f"host time from {self._at_ns} on, the last update's")
        self._at_ns = at_ns
        sample = gaze.sample
        measured_ns = at_ns if sample is None else sample.host_ns
        if gaze.pos is None:
            return Seen(at_ns, None, gaze.reason or GazeReason.NO_GAZE, False, measured_ns)
        if not (math.isfinite(gaze.pos[0]) and math.isfinite(gaze.pos[1])):
            return Seen(at_ns, None, GazeReason.NO_GAZE, False, measured_ns)
        # The record itself is kept where it names no sample: its identity is then the only thing to tell it by.
        key: object = gaze if sample is None else (sample.device_ns, sample.sequence)
        is_new = key is not self._key if sample is None else key != self._key
        if is_new:
            self._key, self._first_ns = key, at_ns
        elif at_ns - self._first_ns > self._repeat_limit_ns:
            return Seen(at_ns, None, GazeReason.STALE, False, measured_ns)
        return Seen(at_ns, gaze.pos, None, is_new, measured_ns)


def ns(setting: str, seconds: float) -> int:
    """A setting in seconds as ns.

    Raises
    ------
    ConfigurationError
        Below 0, or no number.
    """
    return round(at_least(0.0, setting, seconds) * 1e9)


def at_least(least: float, setting: str, value: float) -> float:
    """A setting that is finite and not below ``least``.

    Raises
    ------
    ConfigurationError
        It is.
    """
    if not (math.isfinite(value) and value >= least):
        raise ConfigurationError(setting, value, f"a number, at least {least:g}")
    return value

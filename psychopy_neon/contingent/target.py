"""Is a place looked at: the question that dwell, gate, ROI and look-away pause share."""

from __future__ import annotations

from typing import NamedTuple

from psychopy_neon.contingent.evidence import REPEAT_LIMIT_S, Evidence, Look, Seen, at_least, ns
from psychopy_neon.contingent.shapes import Shape
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["LookTimes", "Reading", "Target"]


class Reading(NamedTuple):
    """What one update says about a target."""

    look: Look
    seen: Seen
    distance_px: float | None
    """Of the gaze from the shape's edge, without margin; None without gaze."""


class Target:
    """Whether gaze is on a shape, with a margin for the tracker's error and a larger shape for leaving.

    Parameters
    ----------
    margin_px : float
        Gaze so far outside of the shape is on it.
    hysteresis_px : float
        Once on it, gaze may go so much farther before it is off, so noise at the edge does not flicker.
    repeat_limit_s : float
        How long one and the same sample counts.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(
        self, margin_px: float = 0.0, hysteresis_px: float = 0.0, repeat_limit_s: float = REPEAT_LIMIT_S
    ) -> None:
        self._margin_px = at_least(0.0, "margin_px", margin_px)
        self._leaving_px = margin_px + at_least(0.0, "hysteresis_px", hysteresis_px)
        self._evidence = Evidence(repeat_limit_s)
        self._was_on = False

    def update(self, at_ns: int, gaze: ScreenGaze, shape: Shape) -> Reading:
        """Look at one gaze; no data leaves open whether the next gaze enters or leaves.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        seen = self._evidence.take(at_ns, gaze)
        if seen.pos is None:
            return Reading(Look.NO_DATA, seen, None)
        distance_px = shape.distance_px(seen.pos)
        self._was_on = distance_px <= (self._leaving_px if self._was_on else self._margin_px)
        return Reading(Look.ON if self._was_on else Look.OFF, seen, distance_px)


class LookTimes:
    """How long it was on, off and without data, and why without; the three sum up to the whole time.

    The time from one update to the next belongs to what the first one said, but for so long only as a sample counts:
    what nobody looked at because the program was busy is no data (``STALE``).
    """

    def __init__(self, repeat_limit_s: float = REPEAT_LIMIT_S) -> None:
        self._limit_ns = ns("repeat_limit_s", repeat_limit_s)
        self._look_ns = dict.fromkeys(Look, 0)
        self._reason_ns: dict[GazeReason, int] = {}

    def add(self, look: Look, reason: GazeReason | None, step_ns: int) -> None:
        """Time from an update to the next one."""
        if look is Look.NO_DATA:
            self._add_no_data(reason or GazeReason.NO_GAZE, step_ns)
            return
        known_ns = min(step_ns, self._limit_ns)
        self._look_ns[look] += known_ns
        if step_ns > known_ns:
            self._add_no_data(GazeReason.STALE, step_ns - known_ns)

    def seconds(self, look: Look) -> float:
        """Time of one kind."""
        return self._look_ns[look] / 1e9

    @property
    def reasons_s(self) -> dict[GazeReason, float]:
        """Time of no data by its reason, the longest first."""
        pairs = sorted(self._reason_ns.items(), key=lambda pair: -pair[1])
        return {reason: spent_ns / 1e9 for reason, spent_ns in pairs}

    def _add_no_data(self, reason: GazeReason, step_ns: int) -> None:
        self._look_ns[Look.NO_DATA] += step_ns
        self._reason_ns[reason] = self._reason_ns.get(reason, 0) + step_ns

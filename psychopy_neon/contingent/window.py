"""Where to draw what follows gaze: a cursor, a moving window, a scotoma."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from psychopy_neon.contingent.evidence import Evidence, ns
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["Followed", "Follower", "NoGaze", "Smoother"]


DRAWN_LIMIT_S = 0.25
"""As long as the tracker takes a sample for the present gaze; what is only drawn proves nothing."""


class NoGaze(Enum):
    """What to show of the stimulus while there is no gaze."""

    SHOW_ALL = "the whole stimulus, as if there were no window and no scotoma"
    SHOW_NOTHING = "nothing of the stimulus"


class Smoother(Protocol):
    """Steadies gaze, at a price in delay; :class:`~psychopy_neon.screen.filters.OneEuroFilter` is one."""

    def update(self, at_ns: int, pos: tuple[float, float]) -> tuple[float, float]:
        """The steadied place at a time of the host clock."""

    def reset(self) -> None:
        """Forget the past."""


class Followed(NamedTuple):
    """Where to draw at this frame."""

    pos: tuple[float, float] | None
    """Screen px; None: nowhere."""
    is_held: bool
    """There is no gaze: it is the last place."""
    reason: GazeReason | None
    """Why there is no gaze."""


class Follower:
    """Follows gaze; when there is none it holds the last place for a stated time, and no longer.

    Parameters
    ----------
    hold_s : float
        So long the last place is kept; 0: not at all.
    max_age_s : float or None
        Gaze that is older is no gaze: a limit to the lag of what is drawn. None: the tracker's own limit.
    smoother : Smoother, optional
        Default: none, so no delay is added.
    repeat_limit_s : float
        How long one and the same sample counts.

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
        hold_s: float = 0.1,
        max_age_s: float | None = None,
        smoother: Smoother | None = None,
        repeat_limit_s: float = DRAWN_LIMIT_S,
    ) -> None:
        self._hold_ns = ns("hold_s", hold_s)
        self._max_age_s = None if max_age_s is None else ns("max_age_s", max_age_s) / 1e9
        self._smoother = smoother
        self._evidence = Evidence(repeat_limit_s)
        self._pos: tuple[float, float] | None = None
        self._pos_at_ns = 0

    def update(self, at_ns: int, gaze: ScreenGaze) -> Followed:
        """Take in the gaze of one frame, host clock.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        seen = self._evidence.take(at_ns, gaze)
        reason = seen.reason
        if reason is None and self._max_age_s is not None and (gaze.age_s or 0.0) > self._max_age_s:
            reason = GazeReason.STALE
        if seen.pos is not None and reason is None:
            if self._smoother is None:
                self._pos = seen.pos  # of the same sample, too: the screen may have been found anew since
            elif seen.is_new or self._pos is None:
                self._pos = self._smoother.update(seen.measured_ns, seen.pos)
            self._pos_at_ns = at_ns
            return Followed(self._pos, False, None)
        if self._pos is not None and at_ns - self._pos_at_ns <= self._hold_ns:
            return Followed(self._pos, True, reason)
        self._forget()
        return Followed(None, False, reason)

    def _forget(self) -> None:
        self._pos = None
        if self._smoother is not None:
            self._smoother.reset()

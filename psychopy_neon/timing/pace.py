"""When to ask for the next time echo."""

from __future__ import annotations

from psychopy_neon.timing.offset import ClockOffset

__all__ = ["QUICK_COUNT", "pause_s"]

GOOD_BOUND_NS = 450_000
QUICK_COUNT = 16
"""Echoes of the beginning, a quarter of a second's."""
QUICK_S = 0.010618
CALM_S = 0.149618
BUSY_S = 0.019618
"""The pauses end in the golden section of a millisecond: so the echoes fall on all phases of the phone's millisecond
in turn, whose edges are what tells its time."""


def pause_s(offset: ClockOffset | None, is_doubtful: bool = False) -> float:
    """Seconds from the sending of one echo to that of the next.

    Quickly at first and when the newest echo contradicts those before; then seven times a second, or fifty where the
    way is so uneven that the bound would get worse otherwise. They are spread evenly: in a longer silence a clock that
    is being slewed would go astray unseen.
    """
    if offset is None or offset.exchanges < QUICK_COUNT or is_doubtful:
        return QUICK_S
    return CALM_S if offset.bound_ns <= GOOD_BOUND_NS else BUSY_S

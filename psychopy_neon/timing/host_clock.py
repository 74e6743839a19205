"""The one place that says what time it is on this computer."""

from __future__ import annotations

import time

__all__ = ["HostClock"]


class HostClock:
    """This computer's clock: ``time.perf_counter_ns()``, system-wide and monotonic.

    Handed in wherever a time is needed, so that a test can hand in another one.
    """

    now_ns = staticmethod(time.perf_counter_ns)
    """Host clock, ns; arbitrary origin, the same in every process of this computer."""

    def wall_bracket_ns(self) -> tuple[int, int]:
        """The same instant on the host clock and on the wall clock (Unix ns), for people and file headers only.

        Three brackets are taken and the narrowest kept, so that an interruption between two readings does not count.
        """
        brackets = [(time.perf_counter_ns(), time.time_ns(), time.perf_counter_ns()) for _ in range(3)]
        before, wall_ns, after = min(brackets, key=lambda bracket: bracket[2] - bracket[0])
        return (before + after) // 2, wall_ns

"""The clock of the simulated phone."""

from __future__ import annotations

import threading
import time

__all__ = ["TICKS_PER_S", "PhoneClock", "ticks_of_uptime", "uptime_of_ticks"]

_NS_PER_S = 1_000_000_000
_PPB = 1_000_000_000
TICKS_PER_S = 90_000
"""Rate of the RTP stamps of all streams."""


class PhoneClock:
    """Unix time of the phone as a function of this computer's ``perf_counter_ns``.

    ``device = wall clock at start + offset + uptime + steps made since``, where ``uptime = progress of perf_counter x
    (1 + drift)`` is the phone's monotonic clock: it never steps, media are stamped with it. All integer arithmetic, so
    both directions agree to the nanosecond wherever the drift is zero.

    Parameters
    ----------
    offset_ns
        Phone minus wall clock of this computer, at the start.
    drift_ppm
        How much faster the phone's clock runs.
    start
        Host and wall time of one instant, ns; None: now. Tests give their own.
    """

    def __init__(self, offset_ns: int = 0, drift_ppm: float = 0.0, start: tuple[int, int] | None = None) -> None:
        host_ns, wall_ns = start if start is not None else _bracket()
        self._drift_ppb = round(drift_ppm * 1000)
        self._start_host_ns = host_ns
        self._lock = threading.Lock()
        self._boot_ns = wall_ns + offset_ns

    def uptime_ns(self, host_ns: int) -> int:
        """The phone's monotonic clock, ns since the start, at a host time of ``perf_counter_ns``."""
        progress = host_ns - self._start_host_ns
        return progress + progress * self._drift_ppb // _PPB

    def host_ns_of_uptime(self, uptime_ns: int) -> int:
        """Host time of a time on the phone's monotonic clock."""
        return self._start_host_ns + uptime_ns * _PPB // (_PPB + self._drift_ppb)

    def device_ns_of_uptime(self, uptime_ns: int) -> int:
        """Phone time, Unix ns and by its present setting, of a time on its monotonic clock."""
        return self._boot_ns + uptime_ns

    def device_ns(self, host_ns: int) -> int:
        """Phone time, Unix ns, at a host time of ``perf_counter_ns``."""
        return self._boot_ns + self.uptime_ns(host_ns)

    def host_ns(self, device_ns: int) -> int:
        """Host time at which the phone, by its present setting, shows a time."""
        return self.host_ns_of_uptime(device_ns - self._boot_ns)

    def now_ns(self) -> int:
        """Phone time now."""
        return self.device_ns(time.perf_counter_ns())

    def step(self, step_ns: int) -> None:
        """Set the phone's clock forward (or back) by an amount, as a synchronisation with a time server does."""
        with self._lock:
            self._boot_ns += step_ns


def ticks_of_uptime(uptime_ns: int) -> int:
    """The RTP tick nearest to a time on the monotonic clock, not yet cut to 32 bits."""
    return (uptime_ns * TICKS_PER_S + _NS_PER_S // 2) // _NS_PER_S


def uptime_of_ticks(ticks: int) -> int:
    """Time of an RTP tick on the monotonic clock, to the nearest ns."""
    return (ticks * _NS_PER_S + TICKS_PER_S // 2) // TICKS_PER_S


def _bracket() -> tuple[int, int]:
    """Host and wall time of one instant: the tightest of a few brackets."""
    best = (1 << 62, 0, 0)
    for _ in range(5):
        before = time.perf_counter_ns()
        wall_ns = time.time_ns()
        after = time.perf_counter_ns()
        best = min(best, (after - before, (before + after) // 2, wall_ns))
    return best[1], best[2]

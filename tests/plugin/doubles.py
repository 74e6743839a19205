"""What stands in for the Neon, and what judges its times; imports PsychoPy, so it needs a display."""

from __future__ import annotations

import time
from types import SimpleNamespace

from psychopy import core

from psychopy_neon.samples import Event


class FakeNeon:
    """Takes events and answers at once, unless ``error`` is set: then it raises that."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int | None]] = []
        self.error: Exception | None = None

    def send_event(self, name: str, at_ns: int | None = None) -> SimpleNamespace:
        if self.error is not None:
            raise self.error
        self.sent.append((name, at_ns))
        answer = Event(name, at_ns if at_ns is not None else time.perf_counter_ns(), "recording")
        return SimpleNamespace(is_done=True, error=None, wait=lambda timeout_s=2.0: answer)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.sent]


class JudgeClock(core.Clock):
    """Notes the host time around each of its readings: what it said at a flip tells when that was."""

    def __init__(self) -> None:
        super().__init__()
        self.readings: dict[float, tuple[int, int]] = {}

    def getTime(self, *args: object, **settings: object) -> float:  # noqa: N802 (PsychoPy's name)
        before_ns = time.perf_counter_ns()
        seconds = super().getTime(*args, **settings)
        self.readings[float(seconds)] = (before_ns, time.perf_counter_ns())
        return seconds

    def error_ns(self, host_ns: int, seconds: float) -> int:
        """How far a host time lies outside the bracket of the reading that said so many seconds."""
        before_ns, after_ns = self.readings[float(seconds)]
        return max(before_ns - host_ns, host_ns - after_ns, 0)

    def is_fair(self, host_ns: int, seconds: float) -> bool:
        """Whether a host time is that of a reading, within the millisecond that is promised."""
        return self.error_ns(host_ns, seconds) <= 1_000_000

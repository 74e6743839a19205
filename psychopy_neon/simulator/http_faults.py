"""What goes wrong with the phone's HTTP."""

from __future__ import annotations

import time

from psychopy_neon.simulator.truth import TruthLog

__all__ = ["HttpFaults"]


class HttpFaults:
    """Used by the event loop's thread only."""

    def __init__(self, truth: TruthLog) -> None:
        self._truth = truth
        self._status = 503
        self._failing_until_s = 0.0
        self._losses = 0
        self.is_published = True
        """Whether events whose answers are lost are told to the feeds."""

    def fail(self, seconds: float, status: int) -> None:
        """Answer every request with this status for so long, without looking at it; 0: no more."""
        self._status = status
        self._failing_until_s = time.monotonic() + seconds

    def lose(self, count: int, is_published: bool) -> None:
        """Carry out the next POSTs, but cut the connection instead of answering."""
        self._losses = count
        self.is_published = is_published

    def failing_status(self, path: str) -> int | None:
        """The status to answer a request with; None: it is to be looked at."""
        if time.monotonic() >= self._failing_until_s:
            return None
        self._tell("refused", path)
        return self._status

    def take_loss(self, path: str) -> bool:
        """Whether the answer to this POST is lost."""
        if self._losses <= 0:
            return False
        self._losses -= 1
        self._tell("answer_lost", path)
        return True

    def _tell(self, fate: str, path: str) -> None:
        self._truth.add("request", {"fate": fate, "path": path, "host_ns": time.perf_counter_ns()})

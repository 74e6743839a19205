"""The clocks of the simulated phone: what they show at every moment, past and planned.

A phone has two. Its *monotonic* clock runs with the crystal and never steps: media are stamped with it. Its *wall*
clock is that one plus an offset, which a time server changes: time echoes, events and sender reports tell it. So ::

    drift   the crystal runs faster than this computer's      both clocks
    slew    the wall clock catches up bit by bit (adjtime)    wall clock only
    step    the wall clock is set (settimeofday)              wall clock only

A sender report relates the two, so a client sees a slew as a change of that relation, and drift not at all in it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from psychopy_neon.errors import ConfigurationError

__all__ = ["MAX_RATE_PPM", "TICKS_PER_S", "ClockPiece", "PhoneClock", "ticks_of_uptime", "uptime_of_ticks"]

_NS_PER_S = 1_000_000_000
_PPB = 1_000_000_000
MAX_RATE_PPM = 10_000
"""Largest drift and slew, either way."""
TICKS_PER_S = 90_000
"""Rate of the RTP stamps of all streams."""


@dataclass(frozen=True, slots=True)
class ClockPiece:
    """What the clocks show from one moment on, at constant rates."""

    host_ns: int
    uptime_ns: int
    device_ns: int
    drift_ppb: int
    """How much faster the monotonic clock runs than the host's."""
    slew_ppb: int
    """How much faster the wall clock runs than the monotonic clock."""

    def at(self, host_ns: int) -> ClockPiece:
        """The same rates, begun at another moment."""
        uptime_ns = self.uptime_ns + _run(host_ns - self.host_ns, self.drift_ppb)
        return replace(self, host_ns=host_ns, uptime_ns=uptime_ns, device_ns=self.device_ns_of_uptime(uptime_ns))

    def device_ns_of_uptime(self, uptime_ns: int) -> int:
        """Wall clock at a time on the monotonic clock."""
        return self.device_ns + _run(uptime_ns - self.uptime_ns, self.slew_ppb)

    def host_ns_of_uptime(self, uptime_ns: int) -> int:
        """First host time at which the monotonic clock is that far."""
        return self.host_ns + _time_to_run(uptime_ns - self.uptime_ns, self.drift_ppb)

    def host_ns_of_device(self, device_ns: int) -> int:
        """First host time at which the wall clock is that far."""
        return self.host_ns_of_uptime(self.uptime_ns + _time_to_run(device_ns - self.device_ns, self.slew_ppb))

    def truth_fields(self) -> dict[str, Any]:
        """For the ground truth; :meth:`PhoneClock.from_truth` reads them."""
        times = {"host_ns": self.host_ns, "uptime_ns": self.uptime_ns, "device_ns": self.device_ns}
        return {**times, "drift_ppm": self.drift_ppb / 1000, "slew_ppm": self.slew_ppb / 1000}


class PhoneClock:
    """Both clocks of the phone as functions of this computer's ``perf_counter_ns``.

    All integer arithmetic: host to device and back is exact where no rate is negative, and at most 1 ns early for each
    rate that is. Changes take a host time, by default now, and come in the order of their times.

    Parameters
    ----------
    offset_ns
        Wall clock of the phone minus that of this computer, at the start.
    drift_ppm
        How much faster the phone's crystal runs, to a thousandth.
    start
        Host and wall time of one instant, ns; None: now. Tests give their own.

    Raises
    ------
    ConfigurationError
        A rate beyond ``MAX_RATE_PPM``, or a change before the one made last.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, offset_ns: int = 0, drift_ppm: float = 0.0, start: tuple[int, int] | None = None) -> None:
        host_ns, wall_ns = start if start is not None else _bracket()
        self._lock = threading.Lock()
        self._changed_ns = host_ns  # guarded by _lock
        # Replaced as a whole, under _lock; whoever reads needs no lock and sees one state. After a running slew stands
        # one piece that is still to come: its end.
        first = ClockPiece(host_ns, 0, wall_ns + offset_ns, _ppb("drift_ppm", drift_ppm), 0)
        self._pieces: tuple[ClockPiece, ...] = (first,)

    @classmethod
    def from_truth(cls, records: Iterable[Mapping[str, Any]]) -> PhoneClock:
        """The clock that a ground truth tells of, to ask what the phone showed at any host time, to the nanosecond.

        Parameters
        ----------
        records
            In the order in which they were written; those of other kinds than ``clock`` are passed over.

        Raises
        ------
        ConfigurationError
            There is no record of a clock.
        """
        pieces: list[ClockPiece] = []
        for record in records:
            if record["kind"] != "clock":
                continue
            rates = (round(record[name] * 1000) for name in ("drift_ppm", "slew_ppm"))
            piece = ClockPiece(record["host_ns"], record["uptime_ns"], record["device_ns"], *rates)
            # The end of a slew is told when the slew begins; a change before it replaces it.
            pieces = [*(each for each in pieces if each.host_ns < piece.host_ns), piece]
        if not pieces:
            raise ConfigurationError("records", [], "a ground truth with records of kind 'clock'")
        clock = cls(start=(0, 0))
        clock._pieces, clock._changed_ns = tuple(pieces), pieces[-1].host_ns
        return clock

    # What it shows

    @property
    def pieces(self) -> tuple[ClockPiece, ...]:
        """All pieces, oldest first."""
        return self._pieces

    def uptime_ns(self, host_ns: int) -> int:
        """The phone's monotonic clock, ns since the start, at a host time of ``perf_counter_ns``."""
        return self._in_force(host_ns).at(host_ns).uptime_ns

    def device_ns(self, host_ns: int) -> int:
        """The phone's wall clock, Unix ns, at a host time of ``perf_counter_ns``."""
        return self._in_force(host_ns).at(host_ns).device_ns

    def host_ns_of_uptime(self, uptime_ns: int) -> int:
        """First host time at which the monotonic clock shows a time."""
        return _last(self._pieces, lambda piece: piece.uptime_ns <= uptime_ns)[0].host_ns_of_uptime(uptime_ns)

    def device_ns_of_uptime(self, uptime_ns: int) -> int:
        """Wall clock, Unix ns, when the monotonic clock showed a time."""
        return _last(self._pieces, lambda piece: piece.uptime_ns <= uptime_ns)[0].device_ns_of_uptime(uptime_ns)

    def host_ns(self, device_ns: int) -> int:
        """Host time at which the wall clock shows a time.

        After a step back it may show it twice: the later one is meant. A time left out by a step forward is the moment
        of the step.
        """
        piece, following = _last(self._pieces, lambda piece: piece.device_ns <= device_ns)
        host_ns = piece.host_ns_of_device(device_ns)
        return host_ns if following is None else min(host_ns, following.host_ns)

    def now_ns(self) -> int:
        """The wall clock now."""
        return self.device_ns(time.perf_counter_ns())

    # What changes it. Each gives the pieces that begin with it, for the ground truth.

    def step(self, step_ns: int, at_host_ns: int | None = None) -> tuple[ClockPiece, ...]:
        """Set the wall clock forward (or back) by an amount; a running slew ends, as with settimeofday."""
        with self._lock:
            past, now, _ = self._cut(at_host_ns)
            return self._continue(past, replace(now, device_ns=now.device_ns + step_ns, slew_ppb=0))

    def set_drift(self, drift_ppm: float, at_host_ns: int | None = None) -> tuple[ClockPiece, ...]:
        """Let the crystal, hence both clocks, run faster by this from now on; a running slew goes on."""
        drift_ppb = _ppb("drift_ppm", drift_ppm)
        with self._lock:
            past, now, slew_end = self._cut(at_host_ns)
            now = replace(now, drift_ppb=drift_ppb)
            if slew_end is None:
                return self._continue(past, now)
            ahead_ns = slew_end.device_ns - slew_end.uptime_ns
            return self._continue(past, now, _slew_end(now, slew_end.uptime_ns, ahead_ns))

    def slew(self, amount_ns: int, rate_ppm: float = 500.0, at_host_ns: int | None = None) -> tuple[ClockPiece, ...]:
        """Let the wall clock run faster (or slower) until an amount is made up, as adjtime does.

        Parameters
        ----------
        amount_ns
            To go forward; negative: back.
        rate_ppm
            How much faster or slower meanwhile; 500 is what Linux does. Ends a slew that still runs.
        at_host_ns
            When; None: now.
        """
        rate_ppb = _ppb("rate_ppm", rate_ppm)
        if rate_ppb <= 0:
            raise ConfigurationError("rate_ppm", rate_ppm, "above 0")
        with self._lock:
            past, now, _ = self._cut(at_host_ns)
            duration_ns = -(-abs(amount_ns) * _PPB // rate_ppb)
            end = _slew_end(now, now.uptime_ns + duration_ns, now.device_ns - now.uptime_ns + amount_ns)
            return self._continue(past, replace(now, slew_ppb=rate_ppb if amount_ns > 0 else -rate_ppb), end)

    def _in_force(self, host_ns: int) -> ClockPiece:
        return _last(self._pieces, lambda piece: piece.host_ns <= host_ns)[0]

    def _cut(self, at_host_ns: int | None) -> tuple[tuple[ClockPiece, ...], ClockPiece, ClockPiece | None]:
        """With _lock: the pieces before a change, the one in force begun anew, and the planned end of a slew."""
        assert self._lock.locked()
        host_ns = time.perf_counter_ns() if at_host_ns is None else at_host_ns
        if host_ns < self._changed_ns:
            raise ConfigurationError("at_host_ns", host_ns, f"{self._changed_ns}, the last change, or later")
        self._changed_ns = host_ns
        past = tuple(piece for piece in self._pieces if piece.host_ns < host_ns)
        planned = next((piece for piece in self._pieces if piece.host_ns > host_ns), None)
        return past, self._in_force(host_ns).at(host_ns), planned

    def _continue(self, past: tuple[ClockPiece, ...], *pieces: ClockPiece) -> tuple[ClockPiece, ...]:
        """With _lock: the clock goes on like this."""
        assert self._lock.locked()
        self._pieces = past + pieces
        return pieces


def ticks_of_uptime(uptime_ns: int) -> int:
    """The RTP tick nearest to a time on the monotonic clock, not yet cut to 32 bits."""
    return (uptime_ns * TICKS_PER_S + _NS_PER_S // 2) // _NS_PER_S


def uptime_of_ticks(ticks: int) -> int:
    """Time of an RTP tick on the monotonic clock, to the nearest ns."""
    return (ticks * _NS_PER_S + TICKS_PER_S // 2) // TICKS_PER_S


def _run(elapsed_ns: int, rate_ppb: int) -> int:
    return elapsed_ns + elapsed_ns * rate_ppb // _PPB


def _time_to_run(elapsed_ns: int, rate_ppb: int) -> int:
    """Smallest time after which :func:`_run` gives this much."""
    return -(-elapsed_ns * _PPB // (_PPB + rate_ppb))


def _slew_end(begin: ClockPiece, uptime_ns: int, ahead_ns: int) -> ClockPiece:
    """The piece after a slew: from this uptime on the wall clock is that far ahead of the monotonic one, exactly."""
    end = begin.at(begin.host_ns_of_uptime(uptime_ns))
    return replace(end, device_ns=end.uptime_ns + ahead_ns, slew_ppb=0)


def _last(
    pieces: tuple[ClockPiece, ...], has_begun: Callable[[ClockPiece], bool]
) -> tuple[ClockPiece, ClockPiece | None]:
    """The newest piece that has begun, else the first, and the one after it."""
    following = None
    for piece in reversed(pieces):
        if has_begun(piece):
            return piece, following
        following = piece
    return pieces[0], pieces[1] if len(pieces) > 1 else None


def _ppb(setting: str, ppm: float) -> int:
    if not (math.isfinite(ppm) and abs(ppm) <= MAX_RATE_PPM):
        raise ConfigurationError(setting, ppm, f"between -{MAX_RATE_PPM} and {MAX_RATE_PPM}")
    return round(ppm * 1000)


def _bracket() -> tuple[int, int]:
    """Host and wall time of one instant: the tightest of a few brackets."""
    best = (1 << 62, 0, 0)
    for _ in range(5):
        before = time.perf_counter_ns()
        wall_ns = time.time_ns()
        after = time.perf_counter_ns()
        best = min(best, (after - before, (before + after) // 2, wall_ns))
    return best[1], best[2]

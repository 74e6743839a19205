"""Time echoes to the offset of the device's clock, with a bound that holds.

Each echo limits the offset (device minus host) from both sides, whatever its way did. The phone read its clock after we
had sent and before we received, and it read it inside the whole millisecond that it answered::

    offset when sent      <  device_ms * 1e6 + 1e6 - sent_ns
    offset when received  >= device_ms * 1e6       - received_ns

That the phone cuts its time to whole milliseconds is assumed (``rounding="floor"``); ``"any"`` also holds for a phone
that rounds to the nearest one, with a bound that is up to a quarter of a millisecond wider.

Two regions of offset and rate are kept (:mod:`.region`):

*steady*
    clocks whose rate has only wandered since the beginning, by ``WANDER_PPM_PER_S``;
*possible*
    clocks that besides have changed their rate once, at any time up to now, by up to ``MAX_CHANGE_PPM``.

The bound covers all that is possible; the estimate is the middle of that, moved to what is steady. When an echo leaves
nothing steady, the rate has changed: what is possible becomes the new steady. When nothing is possible either, the
clock has been set, or the echo lies: ``CONFIRMING`` such echoes in a row that agree begin a new segment, fewer are
outliers and counted.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from psychopy_neon.timing.region import Region, bent, cut, hull, moved, rate_widened

__all__ = ["MAX_CHANGE_PPM", "MAX_RATE_PPM", "ClockOffset", "Exchange", "OffsetEstimator", "Rounding"]

NS_PER_MS = 1_000_000
MAX_CHANGE_PPM = 500
"""Largest sudden change of rate: an operating system that slews its clock does it by so much (adjtime)."""
MAX_RATE_PPM = 600
"""Two quartz clocks run apart by up to 100 ppm, and one of them may be slewed."""
WANDER_PPM_PER_S = 0.1
"""How fast a quartz changes its rate with temperature, and much to spare."""
CONFIRMING = 3
_BEND_FIRST = 20
"""So many echoes at first change what is steady by much: after each of them the possible clocks are bent anew."""
_BEND_EVERY_NS = 250_000_000
_WIDEN_EVERY_NS = 5_000_000_000

Rounding: TypeAlias = Literal["floor", "any"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One time echo: host clock at sending and at receiving, and the phone's answer."""

    sent_ns: int
    received_ns: int
    device_ms: int

    @property
    def round_trip_ns(self) -> int:
        """Time between sending and receiving."""
        return self.received_ns - self.sent_ns

    @property
    def middle_ns(self) -> int:
        """The offset if both ways took the same time and the phone's millisecond was half over."""
        return self.device_ms * NS_PER_MS + NS_PER_MS // 2 - (self.sent_ns + self.received_ns) // 2


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Offset of the device's clock at one moment and both conversions.

    Within one ClockOffset the conversions are exact inverses: both add the same whole number.
    """

    offset_ns: int
    """Device minus host."""
    bound_ns: int
    """The true offset lies within ``offset_ns`` plus or minus this at ``measured_at_ns``."""
    drift_ppm: float
    """How much faster the device's clock runs than the host's, if its rate has not just changed."""
    drift_bound_ppm: float
    """The same holds for the rate."""
    measured_at_ns: int
    """Host clock; the time for which the offset holds: that of the newest echo."""
    exchanges: int
    """Echoes of this segment so far."""
    segment: int
    """Counts the steps of the phone's clock."""

    def bound_at_ns(self, host_ns: int) -> int:
        """The bound at another time: it grows by the largest possible rate as long as no echo renews it."""
        return self.bound_ns + abs(host_ns - self.measured_at_ns) * MAX_RATE_PPM // 1_000_000

    def host_ns(self, device_ns: int) -> int:
        """Host clock of a device time."""
        return device_ns - self.offset_ns

    def device_ns(self, host_ns: int) -> int:
        """Device clock of a host time."""
        return host_ns + self.offset_ns


class OffsetEstimator:
    """Keeps what the echoes leave possible.

    Parameters
    ----------
    rounding : {"floor", "any"}
        What the phone does to get whole milliseconds.
    """

    def __init__(self, rounding: Rounding = "floor") -> None:
        self._early_ns = 0 if rounding == "floor" else NS_PER_MS // 2
        self._belief: _Belief | None = None
        self._suspects: list[Exchange] = []
        self._newest: Exchange | None = None  # that was believed
        self.current: ClockOffset | None = None
        self.segment = -1
        self.began_ns = (0, 0)
        """Host clock between which the present segment began."""
        self.outliers = 0
        """Echoes that could not be true."""
        self.rate_changes = 0
        """How often the rate has been found to have changed."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the newest echo contradicts those before it."""
        return bool(self._suspects)

    @property
    def settled_ns(self) -> int | None:
        """Host clock up to which no step can be that is not known: when the newest believed echo was sent."""
        return self._newest.sent_ns if self._newest is not None else None

    def add(self, exchange: Exchange) -> ClockOffset | None:
        """Take one exchange, later than all before it; the offset that holds now, None before the first."""
        if self._belief is not None and self._belief.take(exchange):
            self._accept(exchange)
        else:
            self._suspect(exchange)
        return self.current

    def _accept(self, exchange: Exchange) -> None:
        assert self._belief is not None
        self.outliers += len(self._suspects)
        self._suspects.clear()
        self.rate_changes += self._belief.has_bent
        self._newest = exchange
        self.current = self._belief.offset(self.segment)

    def _suspect(self, exchange: Exchange) -> None:
        self._suspects.append(exchange)
        while (belief := self._believing(self._suspects)) is None:
            self._suspects.pop(0)
            self.outliers += 1
        if len(self._suspects) < CONFIRMING:
            if self.current is not None:
                # As long as it is not known who is right, the bound covers both.
                doubt_ns = abs(exchange.middle_ns - self.current.offset_ns) + exchange.round_trip_ns + NS_PER_MS
                self.current = dataclasses.replace(self.current, bound_ns=max(self.current.bound_ns, doubt_ns))
            return
        first = self._suspects[0]
        # The phone read its clock after the first was sent, so the step may even lie inside that exchange.
        began_after_ns = self._newest.sent_ns if self._newest is not None else first.sent_ns
        self.began_ns = (began_after_ns, first.received_ns)
        self.segment += 1
        self._belief = belief
        self._suspects.clear()
        self._accept(exchange)

    def _believing(self, exchanges: list[Exchange]) -> _Belief | None:
        """What some exchanges alone leave possible; None: nothing."""
        belief = _Belief(exchanges[0], self._early_ns)
        return belief if all(belief.take(each) for each in exchanges[1:]) else None


class _Belief:
    """The two regions, in ns from a base, at the time of the newest echo."""

    def __init__(self, first: Exchange, early_ns: int) -> None:
        self._early_ns = early_ns
        self._base_ns = first.device_ms * NS_PER_MS - first.received_ns
        self._now_ns = self._bent_at_ns = self._widened_at_ns = first.received_ns
        low, high = self._limits(first)
        rate = MAX_RATE_PPM * 1e-6
        high += rate * first.round_trip_ns  # the limit is that of the time of sending
        self._steady = self._possible = hull((limit, turn) for limit in (low, high) for turn in (-rate, rate))
        self._steady_when_bent = self._steady
        self._exchanges = 1
        self.has_bent = False
        """Whether the newest echo showed that the rate has changed."""

    def take(self, exchange: Exchange) -> bool:
        """Learn from an echo; False, and nothing has changed, when it contradicts all that is possible."""
        now_ns = exchange.received_ns
        steady = self._cut(moved(self._steady, now_ns - self._now_ns), exchange, 0.0)
        is_due = self._exchanges < _BEND_FIRST or now_ns - self._bent_at_ns >= _BEND_EVERY_NS
        possible = () if is_due or not steady else self._possible_after(exchange, with_bends=False)
        if not possible:
            possible = self._possible_after(exchange, with_bends=True)
            if not possible:
                return False
            is_due = True
        self.has_bent = not steady
        self._steady, self._possible, self._now_ns = steady or possible, possible, now_ns
        self._exchanges += 1
        if now_ns - self._widened_at_ns >= _WIDEN_EVERY_NS:
            wander = WANDER_PPM_PER_S * 1e-6 * (now_ns - self._widened_at_ns) * 1e-9
            self._steady, self._possible = (rate_widened(each, wander) for each in (self._steady, self._possible))
            self._widened_at_ns = now_ns
        if is_due:
            self._steady_when_bent, self._bent_at_ns = self._steady, now_ns
        return True

    def offset(self, segment: int) -> ClockOffset:
        """Estimate and bound at the time of the newest echo."""
        likely, rates = zip(*self._steady, strict=True)
        since_ns = self._now_ns - self._bent_at_ns
        just_bent = [offset + rate * since_ns for offset, rate in self._steady_when_bent]
        reach = MAX_CHANGE_PPM * 1e-6 * since_ns
        allowed = [offset for offset, _ in self._possible]
        low, high = min(*allowed, min(just_bent) - reach), max(*allowed, max(just_bent) + reach)
        middle = min(max((low + high) / 2, min(likely)), max(likely))
        return ClockOffset(
            offset_ns=self._base_ns + round(middle),
            bound_ns=math.ceil(max(high - middle, middle - low)) + 1,
            drift_ppm=(min(rates) + max(rates)) / 2 * 1e6,
            drift_bound_ppm=(max(rates) - min(rates)) / 2 * 1e6,
            measured_at_ns=self._now_ns,
            exchanges=self._exchanges,
            segment=segment,
        )

    def _possible_after(self, exchange: Exchange, with_bends: bool) -> Region:
        now_ns = exchange.received_ns
        region = moved(self._possible, now_ns - self._now_ns)
        if with_bends:
            region = hull((*region, *self._bent_since(now_ns)))
        return self._cut(region, exchange, MAX_CHANGE_PPM * 1e-6)

    def _bent_since(self, now_ns: int) -> list[tuple[float, float]]:
        """Where clocks are now that were steady when the possible ones were last bent, and have bent since."""
        since_ns = now_ns - self._bent_at_ns
        return bent(moved(self._steady_when_bent, since_ns), since_ns, MAX_CHANGE_PPM * 1e-6)

    def _cut(self, region: Region, exchange: Exchange, change: float) -> Region:
        """What an echo leaves of a region whose clocks may have changed their rate by ``change`` while it travelled."""
        low, high = self._limits(exchange)
        round_trip_ns = exchange.round_trip_ns
        region = cut(region, round_trip_ns, high + change * round_trip_ns, 1)
        return cut(region, 0.0, low, -1)

    def _limits(self, exchange: Exchange) -> tuple[float, float]:
        """Smallest offset when the echo was received and largest when it was sent, from the base."""
        device_ns = exchange.device_ms * NS_PER_MS - self._base_ns
        return (
            float(device_ns - self._early_ns - exchange.received_ns),
            float(device_ns + NS_PER_MS - exchange.sent_ns),
        )

"""How long a time echo travels: models of bad networks, seeded, without a socket or a clock.

The echo server waits for these delays; a study of the clock estimator adds them up. Each named path is made up to be
nasty in one known way; none has been measured.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.spec_text import parse_spec

__all__ = ["PATHS", "EchoPath", "EchoPathSpec"]

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
_MAX_MS = 5000.0
_MAX_S = 86_400.0
_MIN_S = 0.001
"""Stretches shorter than this are no bursts, and would take long to draw."""


@dataclass(frozen=True, slots=True)
class EchoPathSpec:
    """Delays of a time echo on its way out (to the phone) and back.

    A delay is the sum of its fixed, even, exponential, burst and outlier parts; then it lasts until the next tick.
    """

    out_ms: float = 0.0
    """The fixed part."""
    back_ms: float = 0.0
    even_ms: float = 0.0
    """Longest evenly distributed part, each way."""
    out_jitter_ms: float = 0.0
    """Mean of the exponentially distributed part."""
    back_jitter_ms: float = 0.0
    calm_s: float = 10.0
    """Mean time from one burst of congestion to the next; exponentially distributed."""
    burst_s: float = 0.0
    """Mean length of a burst; 0: there is none."""
    burst_out_ms: float = 0.0
    """Mean of the delay, exponentially distributed, that a burst adds."""
    burst_back_ms: float = 0.0
    tick_out_ms: float = 0.0
    """Arrivals happen at multiples of this only, as by a beacon interval or a timer; 0: at any time."""
    tick_back_ms: float = 0.0
    outlier_part: float = 0.0
    """Part of the ways, 0 to 1, that takes ``outlier_ms / 2`` to ``outlier_ms`` longer."""
    outlier_ms: float = 300.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            unit_limit = 1.0 if field.name == "outlier_part" else _MAX_S if field.name.endswith("_s") else _MAX_MS
            if not (math.isfinite(value) and 0 <= value <= unit_limit):
                raise ConfigurationError(f"echo_path.{field.name}", value, f"0 to {unit_limit:g}")
        for name in ("calm_s", "burst_s") if self.burst_s else ():
            if getattr(self, name) < _MIN_S:
                raise ConfigurationError(f"echo_path.{name}", getattr(self, name), f"{_MIN_S:g} or more")

    @classmethod
    def parse(cls, text: str) -> EchoPathSpec:
        """Read a name of :data:`PATHS`, ``field=value`` pairs, or a name and pairs that change it, split by commas.

        Raises
        ------
        ConfigurationError
            A name or a field is not known, or a value cannot be used.
        """
        return parse_spec("echo_path", text, cls(), PATHS)


PATHS: Mapping[str, EchoPathSpec] = {
    "direct": EchoPathSpec(),
    "wifi": EchoPathSpec(0.8, 0.8, out_jitter_ms=1.0, back_jitter_ms=0.6, outlier_part=0.001),
    "uneven": EchoPathSpec(out_jitter_ms=4.0, back_jitter_ms=1.3),
    "wifi-busy": EchoPathSpec(
        out_ms=0.8,
        back_ms=0.8,
        out_jitter_ms=4.0,
        back_jitter_ms=1.3,
        calm_s=5.0,
        burst_s=1.0,
        burst_out_ms=30.0,
        burst_back_ms=12.0,
        outlier_part=0.01,
    ),
    # The access point keeps what is for a dozing phone until its next beacon; the phone sends whenever it likes.
    "power-save": EchoPathSpec(0.8, 0.8, out_jitter_ms=0.5, back_jitter_ms=0.5, tick_out_ms=102.4),
    "ticks": EchoPathSpec(0.5, 0.5, out_jitter_ms=4.0, back_jitter_ms=1.3, tick_out_ms=10.0, tick_back_ms=10.0),
}
"""Named paths: no delay; ordinary Wi-Fi; jitter that differs by the way; bursts and outliers besides; a phone that
dozes between beacons; timers of 10 ms at both ends."""


@dataclass(frozen=True, slots=True)
class _Way:
    fixed_ms: float
    jitter_ms: float
    burst_ms: float
    tick_ns: int
    tick_begin_ns: int


class EchoPath:
    """One network in the course of time.

    Parameters
    ----------
    spec
        What it is like.
    seed
        The same seed and times give the same delays.
    start_ns
        When it begins, on whatever clock the times are of.

    Notes
    -----
    Thread: one. Whoever asks for an earlier time than before gets the congestion of the latest.
    """

    def __init__(self, spec: EchoPathSpec, seed: int = 0, start_ns: int = 0) -> None:
        self._spec = spec
        self._random = random.Random(f"{seed}/echo path")
        # Apart, so that the times of bursts do not depend on how many echoes there were.
        self._weather = random.Random(f"{seed}/echo path bursts")
        self._out = self._way(spec.out_ms, spec.out_jitter_ms, spec.burst_out_ms, spec.tick_out_ms, start_ns)
        self._back = self._way(spec.back_ms, spec.back_jitter_ms, spec.burst_back_ms, spec.tick_back_ms, start_ns)
        # Begins anywhere in the weather: lengths are exponential, so what is left of one is as long as a whole one.
        self._is_congested = self._weather.random() * (spec.calm_s + spec.burst_s) < spec.burst_s
        self._turn_ns = start_ns + self._stretch_ns()

    def out_ns(self, sent_ns: int) -> int:
        """Delay, ns, of a request that is sent at a time."""
        return self._delay_ns(self._out, sent_ns)

    def back_ns(self, sent_ns: int) -> int:
        """Delay, ns, of a reply that is sent at a time."""
        return self._delay_ns(self._back, sent_ns)

    def is_congested(self, now_ns: int) -> bool:
        """Whether there is a burst at a time."""
        while self._spec.burst_s and now_ns >= self._turn_ns:
            self._is_congested = not self._is_congested
            self._turn_ns += self._stretch_ns()
        return self._is_congested

    def _delay_ns(self, way: _Way, sent_ns: int) -> int:
        spec, draw = self._spec, self._random
        # As many draws for every way and weather, so that a seed's jitter does not depend on when it was asked for.
        even, outlier, choice = draw.random(), draw.uniform(0.5, 1.0), draw.random()
        jitter, burst = draw.expovariate(1.0), draw.expovariate(1.0)
        delay_ms = way.fixed_ms + even * spec.even_ms + jitter * way.jitter_ms
        if self.is_congested(sent_ns):
            delay_ms += burst * way.burst_ms
        if choice < spec.outlier_part:
            delay_ms += outlier * spec.outlier_ms
        delay_ns = round(delay_ms * _NS_PER_MS)
        if way.tick_ns:
            delay_ns += -(sent_ns + delay_ns - way.tick_begin_ns) % way.tick_ns
        return delay_ns

    def _stretch_ns(self) -> int:
        mean_s = self._spec.burst_s if self._is_congested else self._spec.calm_s
        return round(self._weather.expovariate(1.0) * mean_s * _NS_PER_S)

    def _way(self, fixed_ms: float, jitter_ms: float, burst_ms: float, tick_ms: float, start_ns: int) -> _Way:
        tick_ns = round(tick_ms * _NS_PER_MS)
        begin_ns = start_ns + (self._random.randrange(tick_ns) if tick_ns else 0)
        return _Way(fixed_ms, jitter_ms, burst_ms, tick_ns, begin_ns)

"""Echoes of a phone whose clock is known, made from a seed: no sockets, and nothing shared with the estimator."""

import random

from psychopy_neon.timing.offset import Exchange, OffsetEstimator
from psychopy_neon.timing.track import ClockTrack

MS = 1_000_000
S = 1000 * MS


class Phone:
    """A phone whose clock is ``offset_ns + drift(seconds)`` ahead of the host's; each echo is asked after the last."""

    def __init__(self, seed=0, offset_ns=1_700_000_000 * S, drift=lambda _s: 0.0, out_ms=4.0, back_ms=1.3):
        self.random = random.Random(seed)
        self.offset_ns = offset_ns
        self.drift = drift
        self.out_ms, self.back_ms = out_ms, back_ms
        self.rounding_ns = 0

    def offset_at(self, host_ns):
        """Device minus host, ns; ``drift`` gives seconds."""
        return self.offset_ns + round(self.drift(host_ns / S) * S)

    def delay_ns(self, mean_ms):
        return round(self.random.expovariate(1 / mean_ms) * MS) if mean_ms else 0

    def echo(self, sent_ns):
        read_ns = sent_ns + self.delay_ns(self.out_ms)
        device_ms = (read_ns + self.offset_at(read_ns) + self.rounding_ns) // MS
        return Exchange(sent_ns, read_ns + self.delay_ns(self.back_ms), device_ms)

    def echoes(self, seconds, every_s=0.02, from_s=0.0):
        """Echoes one after the other, at uneven distances."""
        sent_ns = round(from_s * S)
        while sent_ns < (from_s + seconds) * S:
            exchange = self.echo(sent_ns)
            yield exchange
            sent_ns = max(exchange.received_ns, sent_ns + round(every_s * S * self.random.uniform(0.8, 1.2)))


class Clock:
    """The device's clock as far as the times of data need it."""

    def __init__(self):
        self.estimator, self.track = OffsetEstimator(), ClockTrack()
        self.newest = self.settled_ns = None

    def add(self, exchange):
        self.newest = self.estimator.add(exchange)
        if self.newest is not None and not self.estimator.is_doubtful:
            self.track.add(self.newest, self.estimator.began_ns)
            self.settled_ns = self.estimator.settled_ns

    def segment_of(self, device_ns, seen_ns):
        return self.track.segment_of(device_ns, seen_ns).segment

    def last_offset(self, segment):
        return self.track.segments[segment].offsets[-1]

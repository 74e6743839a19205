"""What users hold of a stream: :class:`Stream` and :class:`Reader`, the same four words for every kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Literal, Protocol, TypeVar

from psychopy_neon.device.buffers import Cursor, Ring
from psychopy_neon.device.media_line import Counts
from psychopy_neon.errors import NeonTimeoutError
from psychopy_neon.samples import Gap, StreamHealth
from psychopy_neon.timing.host_clock import HostClock

__all__ = ["Reader", "Stream", "StreamSource", "Timed"]

RATE_OVER_NS = 2_000_000_000
RATE_ITEMS = 1000
WAIT_SLICE_S = 0.1


class Timed(Protocol):
    """What every item of a stream has."""

    @property
    def host_ns(self) -> int: ...
    @property
    def received_ns(self) -> int: ...


Item = TypeVar("Item", bound=Timed)


class StreamSource(Protocol):
    """The worker behind a stream."""

    def open(self) -> None:
        """Start streaming unless it has started; raise what the device's workers died of."""

    def pump(self) -> None:
        """Bring into the ring what has arrived; never waits."""

    def pump_one(self, timeout_s: float) -> bool:
        """Wait for a packet and bring in that one; False, at once, when the ring itself has to be watched."""

    @property
    def counts(self) -> Counts: ...

    @property
    def gaps(self) -> tuple[Gap, ...]: ...


class Reader(Generic[Item]):
    """An independent place in a stream, bounded: what was overwritten before it was read is in ``dropped``."""

    def __init__(self, name: str, cursor: Cursor[Item], source: StreamSource) -> None:
        self._name = name
        self._cursor = cursor
        self._source = source

    @property
    def dropped(self) -> int:
        """Items lost because nobody read them in time."""
        return self._cursor.dropped

    def take(self) -> list[Item]:
        """Everything that came since the last call, oldest first; never waits."""
        self._source.open()
        self._source.pump()
        return self._cursor.take()

    def wait(self, timeout_s: float = 1.0) -> Item:
        """The oldest item not read yet.

        Raises
        ------
        NeonTimeoutError
            None came within ``timeout_s``.
        """
        end_s = time.monotonic() + timeout_s
        while True:
            self._source.open()
            item = self._cursor.take_one()
            left_s = end_s - time.monotonic()
            if item is None:
                # In slices, so that a session that begins, or a device that is closed, is noticed.
                slice_s = min(max(left_s, 0), WAIT_SLICE_S)
                if not self._source.pump_one(slice_s):
                    self._cursor.wait_for_more(slice_s)
                item = self._cursor.take_one()
            if item is not None:
                return item
            if left_s <= 0:
                gaps = self._source.gaps
                is_cut = bool(gaps) and gaps[-1].end_ns is None
                remedy = gaps[-1].cause if is_cut else f"see neon.{self._name}.health for what happened"
                raise NeonTimeoutError(f"waiting for {self._name}", timeout_s, remedy)


class Stream(Generic[Item]):
    """One stream of the device. It opens at the first use of any word but ``health`` and closes with the device.

    Parameters
    ----------
    name : str
    ring : Ring
        Filled by ``source``.
    source : StreamSource
    default_max_age_s : float or None
        Of :meth:`latest`; None: any age.
    clock_trouble : callable
        Why the device's clock is not known as it should be, or None; for ``health``.

    Notes
    -----
    Thread: any. Order: as sent by the device.
    """

    def __init__(
        self,
        name: str,
        ring: Ring[Item],
        source: StreamSource,
        host_clock: HostClock,
        default_max_age_s: float | None,
        clock_trouble: Callable[[], str | None],
    ) -> None:
        self.name = name
        self.default_max_age_s = default_max_age_s
        self._ring = ring
        self._source = source
        self._host_clock = host_clock
        self._clock_trouble = clock_trouble
        self._own = Reader(name, Cursor(ring, 0), source)

    def latest(self, max_age_s: float | Literal["default"] | None = "default") -> Item | None:
        """The newest item, or None when it is older than ``max_age_s``; never waits.

        Parameters
        ----------
        max_age_s
            Seconds since the item's own host time; None: any age; "default": the stream's.
        """
        self._source.open()
        self._source.pump()
        item = self._ring.newest()
        limit_s = self.default_max_age_s if max_age_s == "default" else max_age_s
        if item is None or limit_s is None:
            return item
        return item if self.age_s(item) <= limit_s else None

    def age_s(self, item: Item) -> float:
        """Seconds since an item was measured on the device; an eye event: since its end, or the start of an onset."""
        return (self._host_clock.now_ns() - item.host_ns) / 1e9

    def take(self) -> list[Item]:
        """Every item since the last ``take()`` or ``wait()``, oldest first; never waits."""
        return self._own.take()

    def wait(self, timeout_s: float = 1.0) -> Item:
        """The next item of :meth:`take`'s order.

        Raises
        ------
        NeonTimeoutError
            None came within ``timeout_s``.
        """
        return self._own.wait(timeout_s)

    def reader(self) -> Reader[Item]:
        """A reader of its own, beginning with what comes from now on."""
        self._source.open()
        self._source.pump()  # what has arrived already is not from now on
        return Reader(self.name, Cursor(self._ring, self._ring.count), self._source)

    @property
    def health(self) -> StreamHealth:
        """What became of the stream so far."""
        self._source.pump()
        counts, now_ns = self._source.counts, self._host_clock.now_ns()
        newest = self._ring.newest()
        return StreamHealth(
            received=counts.received,
            lost=counts.lost,
            late=counts.late,
            duplicate=counts.duplicate,
            malformed=counts.malformed,
            dropped=counts.dropped + self._own.dropped,
            rate_hz=self._rate_hz(now_ns),
            age_s=None if newest is None else (now_ns - newest.received_ns) / 1e9,
            gaps=self._source.gaps,
            clock_trouble=self._clock_trouble(),
        )

    def _rate_hz(self, now_ns: int) -> float:
        """Items per second of their own time, over the last two seconds."""
        recent = [item for item in self._ring.last(RATE_ITEMS) if now_ns - item.received_ns <= RATE_OVER_NS]
        if len(recent) < 2 or recent[-1].host_ns <= recent[0].host_ns:
            return 0.0
        return (len(recent) - 1) * 1e9 / (recent[-1].host_ns - recent[0].host_ns)

"""Hand-over between threads: bounded, counted, newest wins.

:class:`Ring` is what a stream's worker fills and any number of :class:`Cursor` read, each at its own pace;
:class:`Handover` is a queue from one worker to another.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Cursor", "Handover", "Ring"]

T = TypeVar("T")


class Ring(Generic[T]):
    """The newest ``capacity`` items, each with its running number."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._items: list[T | None] = [None] * capacity  # guarded by _lock
        self._count = 0  # items ever added; guarded by _lock
        self._waiting = 0  # guarded by _lock

    @property
    def count(self) -> int:
        """Items ever added."""
        return self._count

    def add(self, item: T) -> None:
        with self._lock:
            self._items[self._count % self.capacity] = item
            self._count += 1
            if self._waiting:
                self._changed.notify_all()

    def newest(self) -> T | None:
        with self._lock:
            return self._items[(self._count - 1) % self.capacity] if self._count else None

    def last(self, limit: int) -> list[T]:
        """Up to ``limit`` newest items, oldest first."""
        return self.since(max(self._count - limit, 0))[0]

    def since(self, position: int) -> tuple[list[T], int, int]:
        """Items from ``position`` on, the next position, and how many were overwritten before they were read."""
        with self._lock:
            first = max(position, self._count - self.capacity)
            items = [self._items[i % self.capacity] for i in range(first, self._count)]
            return [item for item in items if item is not None], self._count, first - position

    def item_at(self, position: int) -> tuple[T | None, int, int]:
        """The item at ``position`` or the oldest one after it, the next position, and how many were overwritten."""
        with self._lock:
            if position >= self._count:
                return None, position, 0
            first = max(position, self._count - self.capacity)
            return self._items[first % self.capacity], first + 1, first - position

    def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """True as soon as more than ``position`` items were ever added, at the latest after ``timeout_s``."""
        with self._changed:
            self._waiting += 1
            try:
                return self._changed.wait_for(lambda: self._count > position, timeout_s)
            finally:
                self._waiting -= 1


class Cursor(Generic[T]):
    """One reader's place in a :class:`Ring`; what the ring overwrote before it was read is counted in ``dropped``."""

    def __init__(self, ring: Ring[T], position: int) -> None:
        self._ring = ring
        self._position = position  # guarded by _lock
        self._lock = threading.Lock()
        self.dropped = 0

    def take(self) -> list[T]:
        """Everything not read yet, oldest first."""
        with self._lock:
            items, self._position, lost = self._ring.since(self._position)
            self.dropped += lost
            return items

    def take_one(self) -> T | None:
        """The oldest item not read yet."""
        with self._lock:
            item, self._position, lost = self._ring.item_at(self._position)
            self.dropped += lost
            return item

    def wait_for_more(self, timeout_s: float) -> bool:
        """True as soon as there is something to take, at the latest after ``timeout_s``."""
        return self._ring.wait_beyond(self._position, timeout_s)


class Handover(Generic[T]):
    """A bounded queue between two workers; ``put`` refuses instead of blocking."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._items: deque[T] = deque()  # guarded by _changed
        self._changed = threading.Condition(threading.Lock())
        self._is_closed = False

    def put(self, item: T) -> bool:
        """False when the queue is full: the item was not taken."""
        with self._changed:
            if self._is_closed or len(self._items) >= self.capacity:
                return False
            self._items.append(item)
            self._changed.notify()
            return True

    def get(self, timeout_s: float) -> T | None:
        """The oldest item, or None after ``timeout_s`` or when the queue was closed."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._is_closed, timeout_s)
            return self._items.popleft() if self._items else None

    def clear(self) -> int:
        """Throw everything away; the number of items thrown away is returned."""
        with self._changed:
            count = len(self._items)
            self._items.clear()
            return count

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._items)

"""Hand-over between threads."""

import threading

import pytest

from psychopy_neon.device.buffers import Cursor, Handover, Ring


@pytest.fixture
def ring():
    return Ring(4)


def test_empty(ring):
    assert ring.newest() is None
    assert ring.last(3) == []
    cursor = Cursor(ring, 0)
    assert cursor.take() == []
    assert cursor.take_one() is None
    assert not cursor.wait_for_more(0)


def test_order_and_newest(ring):
    for item in range(3):
        ring.add(item)
    assert ring.newest() == 2
    assert ring.last(2) == [1, 2]
    assert ring.last(10) == [0, 1, 2]
    assert Cursor(ring, 0).take() == [0, 1, 2]


def test_what_is_overwritten_is_counted(ring):
    cursor = Cursor(ring, 0)
    for item in range(10):
        ring.add(item)
    assert cursor.take() == [6, 7, 8, 9]
    assert cursor.dropped == 6
    assert cursor.take() == []
    assert cursor.dropped == 6


def test_overwritten_items_are_counted_one_by_one_too(ring):
    cursor = Cursor(ring, 0)
    ring.add(0)
    assert cursor.take_one() == 0
    for item in range(1, 8):
        ring.add(item)
    assert [cursor.take_one() for _ in range(5)] == [4, 5, 6, 7, None]
    assert cursor.dropped == 3


def test_readers_are_independent(ring):
    first, second = Cursor(ring, 0), Cursor(ring, 0)
    ring.add("a")
    assert first.take() == ["a"]
    ring.add("b")
    late = Cursor(ring, ring.count)
    ring.add("c")
    assert first.take() == ["b", "c"]
    assert second.take() == ["a", "b", "c"]
    assert late.take() == ["c"]
    assert (first.dropped, second.dropped, late.dropped) == (0, 0, 0)


def test_waiting_ends_when_something_comes(ring):
    cursor, got = Cursor(ring, 0), []
    waiting = threading.Thread(target=lambda: got.append(cursor.wait_for_more(10)))
    waiting.start()
    ring.add("x")
    waiting.join(20)
    assert got == [True]
    assert cursor.take_one() == "x"
    assert ring.wait_beyond(0, 0)
    assert not ring.wait_beyond(1, 0.01)


def test_many_readers_lose_nothing_and_count_what_they_lose():
    ring, total = Ring(64), 5000
    results = []

    def read(cursor):
        got = []
        while not got or got[-1] != total - 1:
            if not cursor.wait_for_more(5):
                break
            item = cursor.take_one()
            got.append(item)
        results.append((got, cursor.dropped))

    threads = [threading.Thread(target=read, args=(Cursor(ring, 0),)) for _ in range(4)]
    for each in threads:
        each.start()
    for item in range(total):
        ring.add(item)
    for each in threads:
        each.join(10)
    assert len(results) == 4
    for got, dropped in results:
        assert got == sorted(set(got))
        assert len(got) + dropped == total


def test_handover_refuses_when_full():
    queue = Handover(2)
    assert [queue.put(item) for item in "abc"] == [True, True, False]
    assert len(queue) == 2
    assert queue.get(0) == "a"
    assert queue.put("d")
    assert queue.clear() == 2
    assert queue.get(0) is None


def test_closed_handover_wakes_and_refuses():
    queue, got = Handover(2), []
    waiting = threading.Thread(target=lambda: got.append(queue.get(10)))
    waiting.start()
    queue.close()
    waiting.join(20)
    assert got == [None]
    assert not queue.put("x")

"""Threads: their names, how they end, where their errors go."""

import logging
import selectors
import threading
import time

import pytest

from psychopy_neon.device.worker import Crew, StopSignal
from psychopy_neon.errors import NeonError, NeonTimeoutError


def until_told(stop):
    stop.wait(30)


def test_names_and_daemons(crew):
    started = threading.Event()
    crew.start("gaze", lambda stop: (started.set(), until_told(stop)))
    assert started.wait(20)
    (thread,) = [each for each in threading.enumerate() if each.name == "psychopy-neon:gaze"]
    assert thread.daemon
    assert crew.close() == ()
    assert not thread.is_alive()


def test_error_of_a_worker_is_raised_by_the_next_check(crew, caplog):
    def fail(_stop):
        raise KeyError("nobody expected this")

    with caplog.at_level(logging.ERROR, "psychopy_neon"):
        worker = crew.start("gaze", fail)
        assert worker.join(20)
    for _ in range(2):
        with pytest.raises(NeonError, match=r"the gaze worker failed: KeyError.*nobody expected") as caught:
            crew.check()
        assert isinstance(caught.value.__cause__, KeyError)
    assert "gaze worker failed" in caplog.text


def test_first_error_is_the_one_that_is_kept(crew):
    def fail(number):
        def run(_stop):
            raise ValueError(number)

        return run

    for number in (1, 2):
        assert crew.start("x", fail(number)).join(20)
    with pytest.raises(NeonError, match="ValueError: 1"):
        crew.check()


def test_close_is_idempotent_and_final(crew):
    crew.start("a", until_told)
    assert crew.close() == ()
    assert crew.close() == ()
    assert crew.is_closed
    with pytest.raises(NeonError, match="closed"):
        crew.check()
    with pytest.raises(NeonError, match="closed"):
        crew.start("b", until_told)
    with pytest.raises(NeonError, match="closed"):
        crew.call("c", lambda: 1, 1.0)


def test_close_from_many_threads():
    crew = Crew()
    for duty in "abc":
        crew.start(duty, until_told)
    closers = [threading.Thread(target=crew.close) for _ in range(5)]
    for each in closers:
        each.start()
    for each in closers:
        each.join(20)
        assert not each.is_alive()


def test_close_keeps_its_limit_with_a_stuck_worker(caplog):
    crew, release = Crew(), threading.Event()
    worker = crew.start("stuck", lambda _stop: release.wait(30))
    crew.start("good", until_told)
    begin = time.monotonic()
    assert crew.close(0.2) == ("stuck",)
    assert time.monotonic() - begin < 2.0
    assert "stuck" in caplog.text
    release.set()
    assert worker.join(20)
    worker.stop.close()


def test_close_from_a_worker_does_not_wait_for_itself():
    crew, left = Crew(), []
    worker = crew.start("self", lambda _stop: left.append(crew.close(0.5)))
    assert worker.join(20)
    assert left == [("self",)]
    worker.stop.close()


def test_stop_signal_wakes_a_selector():
    stop = StopSignal()
    with selectors.DefaultSelector() as selector:
        selector.register(stop.socket, selectors.EVENT_READ)
        assert selector.select(0) == []
        timer = threading.Timer(0.05, stop.set)
        timer.start()
        assert selector.select(10)
        assert stop.is_set
        assert stop.wait(0)
        timer.join()
    stop.set()
    stop.close()
    stop.set()


def test_stop_signal_calls_back_even_when_it_is_set_already():
    stop, calls = StopSignal(), []
    stop.call_when_set(lambda: calls.append(1))
    stop.set()
    stop.call_when_set(lambda: calls.append(2))
    assert calls == [1, 2]
    stop.close()


def test_call_gives_result_error_and_limit(crew):
    assert crew.call("sum", lambda: 3, 5.0) == 3

    def fail():
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        crew.call("fail", fail, 5.0)
    crew.check()
    release = threading.Event()
    with pytest.raises(NeonTimeoutError, match=r"looking up x: nothing within 0.1 s; try later"):
        crew.call("looking up x", lambda: release.wait(30), 0.1, "try later")
    release.set()


def test_finished_workers_are_forgotten(crew):
    for _ in range(50):
        crew.call("x", lambda: None, 5.0)
    assert len(crew._workers) < 10

"""The device's clock, against echo servers written by hand."""

import dataclasses
import json
import socket
import struct
import threading
import time

import pytest
from fakes import FakeEcho, TcpFake, free_port, wait_until

from psychopy_neon.device.clock import DeviceClock, EchoFeed
from psychopy_neon.errors import ClockNotReadyError
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.timing.offset import CONFIRMING, Exchange
from psychopy_neon.timing.pace import QUICK_COUNT

MS = 1_000_000
S = 1000 * MS


@pytest.fixture
def run_feed(crew):
    """Start a feed against a port (or what gives one); the clock that it fills."""

    def start(port, clock=None):
        clock = clock or DeviceClock()
        ask = port if callable(port) else lambda: port
        crew.start("clock", EchoFeed("127.0.0.1", ask, clock, HostClock()).run)
        return clock

    return start


def trouble_of(clock, word):
    def has_word():
        try:
            clock.offset  # noqa: B018
        except ClockNotReadyError as error:
            return word in str(error) and str(error)

    return wait_until(has_word, 10)


@pytest.mark.parametrize("offset_ns", [0, 500 * MS, -3600 * S, 1_700_000_000 * S])
def test_offset_is_within_its_bound(run_feed, offset_ns):
    # A clock that starts at the machine's boot must not become negative in the protocol's unsigned numbers.
    base_ns = 10**17
    with FakeEcho(base_ns + offset_ns) as echo:
        clock = run_feed(echo.port)
        assert clock.wait(20)
        wait_until(lambda: clock.offset.exchanges >= 5)
        offset = clock.offset
        assert abs(offset.offset_ns - base_ns - offset_ns) <= offset.bound_ns
        assert 0 < offset.bound_ns < 100 * MS
        assert clock.host_ns(clock.device_ns(123_456_789)) == 123_456_789
        assert clock.device_ns(0) == offset.offset_ns


def test_waiting_ends_with_a_good_offset_or_after_the_quick_echoes():
    clock, bad = DeviceClock(), DeviceClock()
    for n in range(QUICK_COUNT):
        assert not bad.wait(0)
        bad.add(exchange(n * S // 50, 10**18, 15 * MS))
        clock.add(exchange(n * S // 50, 10**18, MS))
        assert clock.wait(0) == (n >= CONFIRMING - 1)
    assert bad.wait(0)
    assert bad.offset.bound_ns > 2 * MS


def test_not_ready_says_so():
    clock = DeviceClock()
    assert clock.newest is None
    assert clock.history == ()
    assert not clock.wait(0)
    for act in (
        lambda: clock.offset,
        lambda: clock.host_ns(1),
        lambda: clock.device_ns(1),
        lambda: clock.host_ns(1, 2),
    ):
        with pytest.raises(ClockNotReadyError, match="no time echo has been answered yet"):
            act()


def test_no_echo_port(run_feed):
    text = trouble_of(run_feed(lambda: None), "no time echo (")
    assert "is the Companion app up to date?" in text
    assert 'at_ns="arrival"' in text


def test_echo_port_that_shows_up_later(run_feed, monkeypatch):
    monkeypatch.setattr("psychopy_neon.device.clock.RETRY_S", 0.02)
    ports = [None]
    clock = run_feed(lambda: ports[0])
    trouble_of(clock, "no time echo (")
    with FakeEcho(10**17) as echo:
        ports[0] = echo.port
        assert clock.wait(20)


def test_closed_port(run_feed):
    trouble_of(run_feed(free_port()), "connection refused")


def test_server_that_never_answers(run_feed, monkeypatch):
    monkeypatch.setattr("psychopy_neon.device.clock.REPLY_LIMIT_NS", 50 * MS)
    with TcpFake(lambda connection, _number: connection.recv(100) and connection.recv(100)) as server:
        text = trouble_of(run_feed(server.port), "nothing within")
        assert "time echo: nothing within 0.05 s" in text
        assert "cut" not in text


def test_server_that_answers_half(run_feed, monkeypatch):
    monkeypatch.setattr("psychopy_neon.device.clock.REPLY_LIMIT_NS", 50 * MS)

    def serve(connection, _number):
        connection.sendall(connection.recv(8))
        connection.recv(8)

    with TcpFake(serve) as server:
        trouble_of(run_feed(server.port), "nothing within")


def test_server_that_closes(run_feed):
    with TcpFake(lambda connection, _number: connection.recv(8)) as server:
        trouble_of(run_feed(server.port), "closed the time echo connection")


def test_server_that_resets(run_feed):
    def serve(connection, _number):
        connection.recv(8)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with TcpFake(serve) as server:
        trouble_of(run_feed(server.port), "time echo")


def test_server_that_answers_another_number(run_feed):
    def serve(connection, _number):
        connection.sendall(struct.pack("!QQ", int.from_bytes(connection.recv(8), "big") + 1, 5))
        connection.recv(8)

    with TcpFake(serve) as server:
        clock = run_feed(server.port)
        trouble_of(clock, "instead of")
        assert clock.newest is None


def test_answer_in_pieces(run_feed):
    class Slow(FakeEcho):
        def serve(self, connection, _number):
            while (request := self.read(connection)) is not None:
                reply = request + struct.pack("!Q", self.device_ms())
                for byte in reply:
                    connection.sendall(bytes((byte,)))

    with Slow(10**17) as server:
        clock = run_feed(server.port)
        wait_until(lambda: clock.newest is not None and clock.newest.exchanges >= 3)
        assert abs(clock.offset.offset_ns - 10**17) <= clock.offset.bound_ns


def test_connection_is_made_again_and_the_offset_stays(run_feed, monkeypatch):
    monkeypatch.setattr("psychopy_neon.device.clock.RETRY_S", 0.02)
    with FakeEcho(10**17) as server:
        clock = run_feed(server.port)
        assert clock.wait(20)
        server.drop()
        wait_until(lambda: server.count >= 2)
        seen = clock.offset.measured_at_ns
        wait_until(lambda: clock.offset.measured_at_ns > seen)
        assert clock.offset.segment == 0


def test_feed_ends_while_it_waits_for_an_answer(crew):
    asked = threading.Event()

    def serve(connection, _number):
        connection.recv(8)
        asked.set()
        connection.recv(8)

    with TcpFake(serve) as server:
        worker = crew.start("clock", EchoFeed("127.0.0.1", lambda: server.port, DeviceClock(), HostClock()).run)
        assert asked.wait(20)
        worker.stop.set()
        assert worker.join(0.5)


def exchange(sent_ns, offset_ns, round_trip_ns=2 * MS):
    device_ms = (sent_ns + round_trip_ns // 2 + offset_ns) // MS
    return Exchange(sent_ns, sent_ns + round_trip_ns, device_ms)


def test_history_and_which_of_two_host_times_is_meant():
    clock = DeviceClock()
    base = 10**18
    for n in range(3):
        clock.add(exchange(n * S, base))
    for n in range(3, 6):
        clock.add(exchange(n * S, base - 10 * S))  # set back by ten seconds
    assert [segment.segment for segment in clock.history] == [0, 1]
    assert clock.history[-1].offsets[-1] is clock.newest is clock.offset
    before, after = clock.history
    assert (after.began_after_ns, after.began_before_ns) == (2 * S, 3 * S + 2 * MS)
    assert (before.step_ns, after.step_ns) == (0, pytest.approx(-10 * S, abs=4 * MS))
    device_ns = base + 2 * S  # happened at host second 2, and again at 12
    assert abs(clock.host_ns(device_ns) - 12 * S) < 3 * MS
    assert abs(clock.host_ns(device_ns, near_host_ns=3 * S) - 2 * S) < 3 * MS
    assert abs(clock.host_ns(device_ns, near_host_ns=11 * S) - 12 * S) < 3 * MS


def test_the_history_is_saved(tmp_path):
    clock = DeviceClock()
    clock.save(tmp_path / "clock.json")
    assert json.loads((tmp_path / "clock.json").read_text())["segments"] == []
    for n in range(100):
        clock.add(exchange(n * S // 10, 10**18))
    clock.save(tmp_path / "clock.json")
    saved = json.loads((tmp_path / "clock.json").read_text())
    assert abs(time.perf_counter_ns() - saved["host_ns"]) < 60 * S
    assert abs(time.time_ns() - saved["wall_ns"]) < 60 * S
    (segment,) = saved["segments"]
    assert segment["offsets"][-1] == dataclasses.asdict(clock.offset)
    assert len(segment["offsets"]) > 7


def test_step_of_the_device_while_the_feed_runs(run_feed):
    with FakeEcho(10**17) as echo:
        clock = run_feed(echo.port)
        assert clock.wait(20)
        echo.offset_ns = 10**17 - 5 * S
        wait_until(lambda: clock.offset.segment == 1)
        assert abs(clock.offset.offset_ns - echo.offset_ns) <= clock.offset.bound_ns
        assert len(clock.history) == 2

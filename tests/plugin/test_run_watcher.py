"""The watcher: reports by UDP, and ioHub's process and client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

LIMIT_S = 20.0


class Process:
    pid = 4711

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.was_killed = False

    def poll(self) -> int | None:
        return self.exit_code

    def kill(self) -> None:
        self.was_killed = True


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def connection(
    psychopy: SimpleNamespace, process: Process, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimpleNamespace]:
    """An ioHub that was started a moment ago."""
    from psychopy.iohub.client import ioHubConnection
    from psychopy.iohub.net import UDPClientConnection

    connection = SimpleNamespace(
        _server_process=process, udp_client=UDPClientConnection(remote_port=9), _shutdown_attempted=False
    )
    monkeypatch.setattr(ioHubConnection, "ACTIVE_CONNECTION", connection)
    yield connection
    connection.udp_client.close()


@pytest.fixture
def watcher(psychopy: SimpleNamespace) -> Iterator[object]:
    from psychopy_neon.plugin.run.watcher import Watcher

    watcher = Watcher()
    yield watcher
    watcher.close()


def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def send(watcher: object, **facts: object) -> None:
    report = {"state": "ready", "problem": None, "recording_ended": None, "events_refused": 0, "pid": Process.pid}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        data = json.dumps({**report, "sent_ns": time.perf_counter_ns(), **facts}).encode()
        sender.sendto(data, ("127.0.0.1", watcher.port))


def test_reports_of_our_iohub_are_kept_and_judged(connection: SimpleNamespace, watcher: object) -> None:
    until(lambda: watcher.hasHub)
    send(watcher, phone="Neon")
    until(lambda: watcher.report)
    assert watcher.report["phone"] == "Neon"
    send(watcher, state="lost", problem="gone")
    until(lambda: watcher.troubles)
    assert watcher.troubles[0] == ("lost", "gone")


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"{", b"[]", b"3", b'{"state": "ready"}', b'{"pid": 4711, "sent_ns": "now"}', b"x" * 60000],
)
def test_what_is_no_report_is_counted(connection: SimpleNamespace, watcher: object, data: bytes) -> None:
    until(lambda: watcher.hasHub)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, ("127.0.0.1", watcher.port))
    until(lambda: watcher.foreign)
    assert watcher.report is None


def test_an_iohub_that_was_left_over_does_not_speak_for_ours(connection: SimpleNamespace, watcher: object) -> None:
    until(lambda: watcher.hasHub)
    send(watcher, pid=Process.pid + 1)
    until(lambda: watcher.foreign)
    assert watcher.report is None


def test_the_client_of_iohub_gets_limits(connection: SimpleNamespace, watcher: object) -> None:
    from psychopy_neon.plugin.run.rpc import LimitedClient

    until(lambda: isinstance(connection.udp_client, LimitedClient))
    assert connection.udp_client.sock.gettimeout() is not None


def test_a_process_that_ends_is_told(connection: SimpleNamespace, watcher: object, process: Process) -> None:
    until(lambda: watcher.hasHub)
    process.exit_code = 1
    until(lambda: watcher.troubles)
    assert watcher.troubles[0].kind == "hub"
    assert not watcher.hasHub


def test_an_iohub_that_was_told_to_end_is_no_trouble(
    connection: SimpleNamespace, watcher: object, process: Process
) -> None:
    until(lambda: watcher.hasHub)
    connection._shutdown_attempted = True
    process.exit_code = 0
    until(lambda: not watcher.hasHub)
    watcher.close()  # its last look was after that
    assert not watcher.troubles


def test_a_process_that_does_not_answer_is_killed_at_the_end(
    connection: SimpleNamespace, watcher: object, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psychopy_neon.plugin.run import rpc

    monkeypatch.setattr(rpc, "LIMIT_S", 0.2)
    until(lambda: watcher.hasHub)
    watcher.endStuckHub()
    assert process.was_killed


def test_closing_twice(watcher: object) -> None:
    watcher.close()
    watcher.close()

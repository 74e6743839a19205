"""Limits of ioHub's calls, against a hub of three lines that answers, is late, or is dead."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import msgpack
import pytest

from psychopy_neon.errors import LinkError

KEYS = ("EXP_DEVICE", "DEV_RPC", "Keyboard", "getCurrentDeviceState", (), {})
PART_BYTES = 8172
GAZE = ("EXP_DEVICE", "DEV_RPC", "EyeTracker", "getPos", (), {})


@pytest.fixture
def rpc(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    from psychopy_neon.plugin.run import rpc

    monkeypatch.setattr(rpc, "LIMIT_S", 0.3)
    monkeypatch.setattr(rpc, "SLOW_LIMIT_S", 0.2)
    return rpc


class Hub:
    """Answers each call with ``answer(call)``; None: not at all."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.exit_code: int | None = None
        self.answer: Callable[[list], object] = lambda call: ["RESULT", call[3] if len(call) > 3 else "RUNNING"]
        self.callers: list[tuple[str, int]] = []
        self.answered = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def poll(self) -> int | None:
        return self.exit_code

    def _run(self) -> None:
        while True:
            try:
                data, caller = self.socket.recvfrom(65536)
            except OSError:
                return
            self.callers.append(caller)
            answer = self.answer(msgpack.unpackb(data))
            if answer is not None:
                self._send(msgpack.packb(answer), caller)

    def _send(self, data: bytes, caller: tuple[str, int]) -> None:
        """In parts if it is long, as ioHub does, but faster."""
        parts = [data[begin : begin + PART_BYTES] for begin in range(0, len(data), PART_BYTES)]
        if len(parts) > 1:
            self.socket.sendto(msgpack.packb(("IOHUB_MULTIPACKET_RESPONSE", len(parts))), caller)
        for part in parts:
            self.socket.sendto(part, caller)
        self.answered.set()


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.socket.close()


@pytest.fixture
def client(rpc: SimpleNamespace, hub: Hub) -> Iterator[object]:
    from psychopy.iohub.net import UDPClientConnection

    client = rpc.LimitedClient(UDPClientConnection(remote_port=hub.socket.getsockname()[1]), hub)
    yield client
    client.close()


def ask(client: object, call: tuple) -> object:
    client.sendTo(call)
    answer = client.receive()
    return None if answer is None else answer[0]


def test_an_answer_comes_through(client: object) -> None:
    assert ask(client, GAZE) == ["RESULT", "getPos"]
    assert client.isAnswering()
    assert client.timeouts == 0


def test_a_long_answer_is_not_lost(client: object, hub: Hub) -> None:
    events = "x" * 100_000
    hub.answer = lambda call: ["RESULT", events]
    client.sendTo(GAZE)
    assert hub.answered.wait(20)  # as a whole, before anybody reads it
    assert client.receive()[0] == ["RESULT", events]
    assert client.timeouts == 0


def test_a_call_without_an_answer_is_none_and_counted(client: object, hub: Hub) -> None:
    hub.answer = lambda call: None
    assert ask(client, GAZE) is None
    assert not client.isAnswering()
    assert client.timeouts == 2


def test_a_late_answer_is_not_taken_for_that_to_another_call(client: object, hub: Hub) -> None:
    late = threading.Event()

    def answer(call: list) -> list:
        if call[3] == "getPos":
            late.wait(20)
        return ["RESULT", call[3]]

    hub.answer = answer
    assert ask(client, GAZE) is None
    late.set()
    end_s = time.monotonic() + 20
    while (found := ask(client, (*GAZE[:3], "isConnected", (), {}))) is None and time.monotonic() < end_s:
        pass
    assert found == ["RESULT", "isConnected"]
    assert hub.callers[0] != hub.callers[-1]  # another socket, where the late answer did not come to


def test_the_keyboard_says_that_no_key_was_pressed(client: object, hub: Hub) -> None:
    hub.answer = lambda call: None
    assert ask(client, KEYS)[1]["events"] == {}
    hub.exit_code = 1
    assert ask(client, KEYS)[1]["events"] == {}


def test_a_dead_hub_does_not_keep_anybody_waiting(client: object, hub: Hub, rpc: SimpleNamespace) -> None:
    rpc.LIMIT_S = 1000.0
    hub.answer = lambda call: None
    hub.exit_code = -9
    assert ask(client, GAZE) is None
    assert client.timeouts == 0


def test_a_script_that_asks_a_dead_hub_for_long_gets_an_error(
    client: object, hub: Hub, rpc: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.answer = lambda call: None
    hub.exit_code = -9
    assert ask(client, GAZE) is None
    monkeypatch.setattr(rpc, "GRACE_S", -1.0)
    with pytest.raises(LinkError, match="exit code -9"):
        ask(client, GAZE)


def test_what_takes_its_time_may(rpc: SimpleNamespace) -> None:
    def limit_s(method: str, is_slow: bool = False) -> float | None:
        return rpc._limit_s(("EXP_DEVICE", "DEV_RPC", "EyeTracker", method, (), {}), is_slow)

    assert limit_s("runSetupProcedure") is None
    assert limit_s("setRecordingState") == rpc.LONG_LIMIT_S
    assert limit_s("setRecordingState", True) == rpc.LIMIT_S
    assert limit_s("getPos") == rpc.LIMIT_S
    assert limit_s("getPos", True) == rpc.SLOW_LIMIT_S
    assert rpc._limit_s(("RPC", "syncClock", ()), False) == rpc.LONG_LIMIT_S
    assert rpc._limit_s(rpc.STATUS_CALL, True) == rpc.LIMIT_S

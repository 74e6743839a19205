"""Before ioHub starts: is the Neon there, and what if not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from psychopy_neon.errors import DeviceNotFoundError, NeonError
from psychopy_neon.plugin.run.settings import RunSettings

NOBODY = "127.0.0.1:9"


class Phone:
    """Answers the question for the status, and nothing else."""

    def __init__(self) -> None:
        self.phone = {"device_name": "Neon", "battery_level": 90, "battery_state": "OK", "memory_state": "OK"}
        self.recording: dict | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = json.dumps({"message": "Success", "result": outer.status()}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def status(self) -> list[dict]:
        parts = [{"model": "Phone", "data": self.phone}, {"model": "Hardware", "data": {"module_serial": "123"}}]
        return parts + ([{"model": "Recording", "data": self.recording}] if self.recording else [])

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    phone = Phone()
    yield phone
    phone.close()


def find(address: str, *checks: str) -> object:
    from psychopy_neon.plugin.run.reach import find_neon

    return find_neon(RunSettings(address=address, checks=checks))


def test_a_neon_that_answers_is_found(psychopy: SimpleNamespace, phone: Phone) -> None:
    assert find(phone.address, "battery", "storage") == (phone.address, "Neon", "123", False)


def test_nobody_answers(psychopy: SimpleNamespace) -> None:
    with pytest.raises(DeviceNotFoundError, match=NOBODY):
        find(NOBODY)


def test_somebody_who_says_nothing_does_not_keep_us_waiting(
    psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psychopy_neon.plugin.run import reach

    monkeypatch.setattr(reach, "LOOK_LIMIT_S", 0.2)
    monkeypatch.setattr(reach, "connect", lambda *_: time.sleep(1))  # a name service that takes its time
    with pytest.raises(NeonError, match="Companion app"):
        find("neon.invalid")


@pytest.mark.parametrize(
    ("check", "facts", "words"),
    [
        ("battery", {"battery_state": "LOW", "battery_level": 9}, "9 %"),
        ("storage", {"memory_state": "CRITICAL", "memory": 2_000_000_000}, "2.0 GB"),
        ("storage", {"memory_state": "LOW", "memory": None}, "full: remove"),
    ],
)
def test_a_check_that_is_not_met_says_what_to_do(
    psychopy: SimpleNamespace, phone: Phone, check: str, facts: dict, words: str
) -> None:
    phone.phone |= facts
    assert find(phone.address)
    with pytest.raises(NeonError, match=words):
        find(phone.address, check)


def test_a_recording_that_runs_can_be_refused(psychopy: SimpleNamespace, phone: Phone) -> None:
    phone.recording = {"id": "r", "action": "START", "message": "", "rec_duration_ns": 1}
    assert find(phone.address).isRecording
    with pytest.raises(NeonError, match="runs already"):
        find(phone.address, "not recording")


class Monitor:
    """Answers questions from a list."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def ask(self, words: str, *_: object) -> object:
        self.asked.append(words)
        return self.answers.pop(0)


@pytest.fixture
def opening(psychopy: SimpleNamespace) -> Iterator[Callable[..., object]]:
    from psychopy_neon.plugin.run.opening import Opening

    made = []

    def opening(monitor: Monitor, **settings: object) -> object:
        made.append(Opening(RunSettings.of({"checks": (), **settings}), monitor))
        return made[-1]

    yield opening
    for each in made:
        each.close()


def test_found_once_is_found_for_iohub(opening: Callable[..., object], phone: Phone) -> None:
    neon = opening(Monitor(), address=phone.address, record="stream", atEnd="cancel")
    assert neon.look() is None
    key, config = neon.iohubConfig(1234)
    assert key == "psychopy_neon.EyeTracker"
    assert config["name"] == "tracker"
    settings = config["runtime_settings"]
    assert (settings["address"], settings["report_port"]) == (phone.address, 1234)
    assert (settings["record"], settings["at_end"], settings["left_running"]) == ("stream", "cancel", "use")
    json.dumps(config)  # ioHub reads it from a file


def test_stop(opening: Callable[..., object]) -> None:
    with pytest.raises(DeviceNotFoundError):
        opening(Monitor(), address=NOBODY).look()


def test_go_on(opening: Callable[..., object]) -> None:
    neon = opening(Monitor(), address=NOBODY, whenMissing="go on")
    assert NOBODY in neon.look()
    assert neon.iohubConfig(1)[1]["runtime_settings"]["address"] == NOBODY  # it may come back


def test_ask_until_it_is_there(opening: Callable[..., object], phone: Phone) -> None:
    class Mended(Monitor):
        def ask(self, words: str, *rest: object) -> object:
            phone.phone["battery_state"] = "OK"
            return super().ask(words, *rest)

    phone.phone["battery_state"] = "LOW"
    monitor = Mended("retry")
    neon = opening(monitor, address=phone.address, whenMissing="ask", checks=("battery",))
    assert neon.look() is None
    assert len(monitor.asked) == 1


@pytest.mark.parametrize(("answer", "left"), [("use", "use"), ("save", "save"), ("cancel", "cancel")])
def test_what_to_do_with_a_recording_that_runs_is_asked(
    opening: Callable[..., object], phone: Phone, answer: str, left: str
) -> None:
    phone.recording = {"id": "r", "action": "START", "message": "", "rec_duration_ns": 1}
    neon = opening(Monitor(answer), address=phone.address, leftRunning="ask")
    neon.look()
    assert neon.iohubConfig(1)[1]["runtime_settings"]["left_running"] == left


@pytest.fixture
def piloting(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psychopy.core, "getPilotMode", lambda: True)


def test_the_mouse_in_pilot_mode(opening: Callable[..., object], piloting: None) -> None:
    neon = opening(Monitor(), address=NOBODY, pilot="mouse")
    assert neon.look() is None
    key, config = neon.iohubConfig(1)
    assert key == "eyetracker.hw.mouse.EyeTracker"
    assert config["name"] == "tracker"


def test_the_real_neon_in_pilot_mode(opening: Callable[..., object], piloting: None) -> None:
    with pytest.raises(DeviceNotFoundError):
        opening(Monitor(), address=NOBODY, pilot="real").look()


@pytest.mark.once
def test_a_simulated_neon_in_pilot_mode(
    opening: Callable[..., object], piloting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psychopy_neon.plugin.run.reach.STREAM_S", 20.0)  # a busy computer draws slowly
    neon = opening(Monitor(), address=NOBODY, serial="", checks=("gaze", "scene", "worn"))
    assert neon.look() is None
    assert neon.pilot == "simulated"
    simulated = neon._simulated
    assert neon.iohubConfig(1)[1]["runtime_settings"]["address"] == simulated.address
    neon.close()
    with pytest.raises(DeviceNotFoundError):
        find(simulated.address)

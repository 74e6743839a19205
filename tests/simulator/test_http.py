"""HTTP by requests and websocket-client."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.wire.calibration import parse_calibration

from .conftest import LIMIT_S, RawRtsp


@pytest.fixture
def feed(sim: SimulatedNeon) -> Iterator[websocket.WebSocket]:
    socket = websocket.create_connection(f"ws://{sim.address}/api/status", timeout=LIMIT_S)
    yield socket
    socket.close()


def ask(sim: SimulatedNeon, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Status and the envelope."""
    reply = requests.request(method, f"http://{sim.address}{path}", timeout=LIMIT_S, **options)
    assert reply.headers["Content-Type"].startswith("application/json")
    return reply.status_code, reply.json()


def burst(feed: websocket.WebSocket) -> list[dict[str, Any]]:
    return [json.loads(feed.recv()) for _ in range(12)]


def test_status_in_the_order_of_the_phone(sim: SimulatedNeon) -> None:
    status, reply = ask(sim, "GET", "/api/status")
    assert (status, reply["message"]) == (200, "Success")
    entries = reply["result"]
    assert [entry["model"] for entry in entries] == ["Sensor"] * 10 + ["Phone", "Hardware"]
    sensors = [entry["data"] for entry in entries[:10]]
    assert [each["sensor"] for each in sensors[::2]] == ["imu", "world", "gaze", "eye_events", "eyes"]
    assert [each["conn_type"] for each in sensors[:2]] == ["WEBSOCKET", "DIRECT"]
    assert [each["sensor"] for each in sensors if each["connected"]] == ["imu", "world", "gaze", "eye_events"]
    assert entries[10]["data"]["device_id"] == sim.settings.device_id
    assert entries[10]["data"]["ip"] == "127.0.0.1"
    assert entries[11]["data"]["module_serial"] == "123456"


def test_json_looks_like_the_app_writes_it(sim: SimulatedNeon) -> None:
    text = requests.get(f"http://{sim.address}/api/status", timeout=LIMIT_S).text
    assert "camera\\u003dgaze\\u0026audioenable\\u003don" in text
    assert ": " not in text


def test_the_reported_address_may_be_another() -> None:
    with SimulatedNeon(SimulatorSettings(reported_ip="10.9.8.7")) as sim:
        _, reply = ask(sim, "GET", "/api/status")
        assert {entry["data"]["ip"] for entry in reply["result"] if "ip" in entry["data"]} == {"10.9.8.7"}
        assert sim.address.startswith("127.0.0.1:")


def test_a_recording_from_start_to_end(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    assert ask(sim, "POST", "/api/recording:stop_and_save")[0] == 500
    status, reply = ask(sim, "POST", "/api/recording:start")
    assert status == 200
    recording_id = reply["result"]["id"]
    assert ask(sim, "POST", "/api/recording:start") == (
        500,
        {"message": "A recording is already running", "result": None},
    )
    assert ask(sim, "GET", "/api/status")[1]["result"][-1]["data"]["id"] == recording_id
    assert ask(sim, "POST", "/api/recording:stop_and_save")[1]["result"] is None
    assert ask(sim, "POST", "/api/recording:start")[1]["result"]["id"] != recording_id
    assert ask(sim, "POST", "/api/recording:cancel")[0] == 200
    assert ask(sim, "POST", "/api/recording:cancel")[0] == 500
    burst(feed)
    pushed = [json.loads(feed.recv()) for _ in range(6)]
    assert {each["model"] for each in pushed} == {"Recording"}
    assert [each["data"]["action"] for each in pushed] == ["START", "STOP", "SAVE", "START", "STOP", "DISCARD"]
    assert {len(each["data"]) for each in pushed} == {4}
    assert [each["action"] for each in sim.truth.records("recording")] == [each["data"]["action"] for each in pushed]


def test_a_start_may_be_refused() -> None:
    with SimulatedNeon(SimulatorSettings(refuse_start="No wearer selected")) as sim:
        assert ask(sim, "POST", "/api/recording:start")[1]["message"] == "No wearer selected"
        sim.refuse_start(None)
        assert ask(sim, "POST", "/api/recording:start")[0] == 200


def test_a_recording_may_break(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    burst(feed)
    sim.fail_recording("unheard: none runs")
    ask(sim, "POST", "/api/recording:start")
    sim.fail_recording("Recording Watchdog failure")
    pushed = [json.loads(feed.recv())["data"] for _ in range(2)]
    assert [(each["action"], each["message"]) for each in pushed] == [
        ("START", "Started recording"),
        ("ERROR", "Recording Watchdog failure"),
    ]
    assert ask(sim, "POST", "/api/recording:stop_and_save")[0] == 500


def test_events(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    burst(feed)
    before_ns = sim.clock.now_ns()
    status, reply = ask(sim, "POST", "/api/event", json={"name": "early"})
    assert status == 200
    assert set(reply["result"]) == {"timestamp"}, "nothing is kept without a recording"
    assert reply["result"]["timestamp"] % 1_000_000 == 0
    assert -1_000_000 < reply["result"]["timestamp"] - before_ns < 5 * 10**9
    recording_id = ask(sim, "POST", "/api/recording:start")[1]["result"]["id"]
    _, reply = ask(sim, "POST", "/api/event", json={"name": "ä", "timestamp": 1_700_000_000_123_456_789})
    assert reply["result"] == {"timestamp": 1_700_000_000_123_456_789, "recording_id": recording_id}
    assert json.loads(feed.recv())["model"] == "Recording"
    assert json.loads(feed.recv()) == {"model": "Event", "data": {"name": "ä", **reply["result"]}}
    assert [record["name"] for record in sim.truth.records("event")] == ["early", "ä"]
    _, reply = ask(sim, "POST", "/api/event", json={"name": "as a float", "timestamp": 1.7e18})
    assert reply["result"] == {"timestamp": 1_700_000_000_000_000_000, "recording_id": recording_id}


NAMED = b'{"name": "a", "timestamp": '


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"timestamp": 1}', NAMED + b'"now"}', NAMED + b"1.5}"])
def test_a_broken_event_is_refused_in_json(sim: SimulatedNeon, body: bytes) -> None:
    status, reply = ask(sim, "POST", "/api/event", data=body)
    assert status == 500
    assert reply["message"]


def test_unknown_places_answer_in_json(sim: SimulatedNeon) -> None:
    assert ask(sim, "GET", "/api/nothing") == (404, {"message": "Not Found", "result": None})
    assert ask(sim, "GET", "/api/event")[0] == 405


def test_calibration(sim: SimulatedNeon) -> None:
    reply = requests.get(f"http://{sim.address}/calibration.bin", timeout=LIMIT_S)
    assert reply.headers["Content-Type"] == "application/octet-stream"
    calibration = parse_calibration(reply.content)
    assert calibration.serial == "123456"
    assert (calibration.scene.matrix == sim.calibration.scene.matrix).all()


def test_a_pupil_invisible_has_no_calibration() -> None:
    with SimulatedNeon(SimulatorSettings(model="invisible")) as sim:
        assert ask(sim, "GET", "/calibration.bin")[0] == 404
        assert ask(sim, "GET", "/api/status")[1]["result"][-1]["data"]["version"] == "1"


def test_camera_controls_exist_while_the_camera_runs(sim: SimulatedNeon) -> None:
    path = "/api/camera_control?camera=world"
    assert ask(sim, "GET", f"{path}&ae_mode=")[0] == 404
    assert ask(sim, "POST", f"{path}&gain=3")[0] == 404
    client = RawRtsp(sim, "world")
    client.ask("DESCRIBE")
    client.ask("SETUP", client.base + "trackID=1", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    client.frame()
    assert ask(sim, "GET", f"{path}&ae_mode=")[1]["result"]["current_value"] == "auto"
    assert ask(sim, "POST", f"{path}&ae_mode=manual&man_exp=200")[0] == 200
    assert ask(sim, "GET", f"{path}&man_exp=")[1]["result"]["current_value"] == 200
    for wrong in ("man_exp=1", "man_exp=x", "ae_mode=2", "zoom=1"):
        assert ask(sim, "POST", f"{path}&{wrong}")[0] == 500
    assert ask(sim, "GET", f"{path}&zoom=")[0] == 500
    assert ask(sim, "GET", path)[0] == 500
    client.close()


# The pushed status


def test_the_burst_is_the_status(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    assert burst(feed) == ask(sim, "GET", "/api/status")[1]["result"]


def test_only_changes_are_pushed(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    burst(feed)
    sim.set_battery(97)
    sim.set_sensor("gaze", connected=True, stream_error=False)
    sim.set_battery(12, "LOW")
    sim.set_sensor("world", connected=False)
    sim.set_sensor("world", connected=True)
    phone, *sensors = (json.loads(feed.recv()) for _ in range(3))
    assert phone["model"] == "Phone"
    assert (phone["data"]["battery_level"], phone["data"]["battery_state"]) == (12, "LOW")
    assert [(each["data"]["sensor"], each["data"]["connected"]) for each in sensors] == [
        ("world", False),
        ("world", True),
    ]


def test_a_ping_is_answered_and_all_feeds_hear(sim: SimulatedNeon, feed: websocket.WebSocket) -> None:
    other = websocket.create_connection(f"ws://{sim.address}/api/status", timeout=LIMIT_S)
    burst(feed)
    burst(other)
    feed.ping("hello")
    opcode, data = feed.recv_data(control_frame=True)
    assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"hello")
    sim.set_battery(50)
    assert json.loads(feed.recv()) == json.loads(other.recv())
    other.close()


def test_the_end_of_the_phone_ends_the_feed() -> None:
    with SimulatedNeon(SimulatorSettings()) as sim:
        feed = websocket.create_connection(f"ws://{sim.address}/api/status", timeout=LIMIT_S)
        burst(feed)
        begin = time.monotonic()
    assert feed.recv() == ""
    assert time.monotonic() - begin < 3
    feed.shutdown()

"""What goes wrong with HTTP and the network on purpose, seen by requests, websocket-client and plain sockets."""

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import SimulatedNeon
from psychopy_neon.simulator.faults import play_faults, read_faults

from .conftest import LIMIT_S, rtsp_port


def post(sim: SimulatedNeon, path: str, **options: Any) -> requests.Response:
    return requests.post(f"http://{sim.address}{path}", timeout=LIMIT_S, **options)


def echo_port(sim: SimulatedNeon) -> int:
    entries = requests.get(f"http://{sim.address}/api/status", timeout=LIMIT_S).json()["result"]
    (phone,) = (entry["data"] for entry in entries if entry["model"] == "Phone")
    return int(phone["time_echo_port"])


def messages(feed: websocket.WebSocket, model: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = json.loads(feed.recv())
        if message["model"] == model:
            found.append(message["data"])
    return found


def test_failing_http_looks_at_nothing(sim: SimulatedNeon) -> None:
    sim.fail_http(60)
    reply = post(sim, "/api/event", json={"name": "x"})
    assert (reply.status_code, reply.json()["result"]) == (503, None)
    assert post(sim, "/api/recording:start").status_code == 503
    assert requests.get(f"http://{sim.address}/api/status", timeout=LIMIT_S).status_code == 503
    sim.fail_http(0)
    assert post(sim, "/api/event", json={"name": "y"}).status_code == 200
    assert [record["name"] for record in sim.truth.records("event")] == ["y"]
    assert [record["path"] for record in sim.truth.records("request")] == [
        "/api/event",
        "/api/recording:start",
        "/api/status",
    ]


def test_failing_http_ends_by_itself(sim: SimulatedNeon) -> None:
    sim.fail_http(0.1, 502)
    assert post(sim, "/api/event", json={"name": "x"}).status_code == 502
    end = time.monotonic() + LIMIT_S
    while post(sim, "/api/event", json={"name": "x"}).status_code != 200:
        assert time.monotonic() < end


def test_all_of_it_from_a_script(sim: SimulatedNeon, tmp_path: Path) -> None:
    script = tmp_path / "faults.jsonl"
    acts = [{"do": "lose_answers"}, {"do": "cut_network"}, {"do": "cut_network", "is_cut": False}]
    lines = [json.dumps({"t_s": 0, **act}) for act in (*acts, {"do": "fail_http", "seconds": 60, "status": 504})]
    script.write_text("\n".join(lines), encoding="utf-8")
    asyncio.run(play_faults(read_faults(script), sim))
    assert post(sim, "/api/event", json={"name": "x"}).status_code == 504
    sim.fail_http(0)
    with pytest.raises(requests.ConnectionError):
        post(sim, "/api/event", json={"name": "x"})
    assert [record["is_cut"] for record in sim.truth.records("network")] == [True, False]


def test_status_that_is_no_error(sim: SimulatedNeon) -> None:
    with pytest.raises(ConfigurationError, match="status"):
        sim.fail_http(1, 200)


@pytest.mark.parametrize("is_published", [True, False])
def test_lost_answers(sim: SimulatedNeon, is_published: bool) -> None:
    feed = websocket.create_connection(f"ws://{sim.address}/api/status", timeout=LIMIT_S)
    post(sim, "/api/recording:start")
    sim.lose_answers(2, is_published)
    for name in ("a", "b"):
        with pytest.raises(requests.ConnectionError):
            post(sim, "/api/event", json={"name": name, "timestamp": 5})
    assert post(sim, "/api/event", json={"name": "c", "timestamp": 6}).status_code == 200
    assert [record["name"] for record in sim.truth.records("event")] == ["a", "b", "c"], "they were taken"
    assert [record["fate"] for record in sim.truth.records("request")] == ["answer_lost"] * 2
    expected = ["a", "b", "c"] if is_published else ["c"]
    assert [event["name"] for event in messages(feed, "Event", len(expected))] == expected
    feed.close()


def test_recording_whose_answer_is_lost_runs(sim: SimulatedNeon) -> None:
    sim.lose_answers()
    with pytest.raises(requests.ConnectionError):
        post(sim, "/api/recording:start")
    assert [record["action"] for record in sim.truth.records("recording")] == ["START"]
    assert post(sim, "/api/recording:stop_and_save").status_code == 200


def test_cut_network_and_back(sim: SimulatedNeon) -> None:
    ports = [int(sim.address.rpartition(":")[2]), rtsp_port(sim), echo_port(sim)]
    feed = websocket.create_connection(f"ws://{sim.address}/api/status", timeout=LIMIT_S)
    others = [socket.create_connection(("127.0.0.1", port), LIMIT_S) for port in ports]
    others[0].sendall(b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
    assert others[0].recv(9999), "it was accepted"
    sim.cut_network()
    with pytest.raises((websocket.WebSocketException, OSError)):
        messages(feed, "none of this name: reads on to the end", 1)
    feed.shutdown()
    for port, other in zip(ports, others, strict=True):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), LIMIT_S)
        other.close()
    sim.cut_network(False)
    for port in ports:
        socket.create_connection(("127.0.0.1", port), LIMIT_S).close()
    assert post(sim, "/api/recording:start").status_code == 200
    assert [record["is_cut"] for record in sim.truth.records("network")] == [True, False]

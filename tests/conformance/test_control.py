"""Status, calibration, recording, events and time echo, by the official asynchronous API."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

EVENT_NS = 1_700_000_000_123_456_789


def test_control(make_sim: Any, peer: Any, host_port: Any) -> None:
    """One session, since each costs a start of the official client."""
    sim = make_sim(offset_ns=500_000_000, name="Conformance", serial="654321")
    result = peer("control", *host_port(sim)).result()
    _check_status(sim, result)
    _check_calibration(sim, result["calibration"])
    # Official sign: host minus device, and both are cut to whole milliseconds.
    assert result["offset_ms"] == pytest.approx(-500, abs=3)
    assert result["roundtrip_ms"] < 20
    _check_recording(sim, result["recording"])


def test_refused_start(make_sim: Any, peer: Any, host_port: Any) -> None:
    sim = make_sim(refuse_start="Template has required fields")
    assert peer("refused_start", *host_port(sim)).result() == [500, "Template has required fields"]


def _check_status(sim: Any, result: Any) -> None:
    phone = result["phone"]
    assert phone["device_name"] == "Conformance"
    assert phone["device_id"] == sim.settings.device_id
    assert phone["ip"] == "127.0.0.1"
    assert (phone["battery_level"], phone["battery_state"], phone["memory_state"]) == (97, "OK", "OK")
    assert phone["memory"] > 0
    assert isinstance(phone["time_echo_port"], int)
    assert result["hardware"]["module_serial"] == "654321"
    assert result["hardware"]["version"].startswith("2")
    assert not result["recording_before"]
    direct = {each["sensor"]: each for each in result["sensors"] if each["conn_type"] == "DIRECT"}
    assert {"world", "gaze", "imu", "eyes", "eye_events"} <= set(direct)
    streamed = {"world", "gaze", "imu", "eye_events"}
    for name in streamed:
        port = direct[name]["port"]
        assert direct[name]["url"] == f"rtsp://127.0.0.1:{port}/?camera={name}&audioenable=on"
        assert not direct[name]["stream_error"]
    # The official client makes up an audio sensor, since sound comes with the scene video.
    assert {name for name, each in direct.items() if each["connected"]} - {"audio"} == streamed


def _check_calibration(sim: Any, calibration: Any) -> None:
    truth = sim.calibration
    assert calibration["version"] == truth.version
    assert calibration["serial"] == truth.serial == "654321"
    for name in ("scene", "right", "left"):
        camera = getattr(truth, name)
        expected = (camera.matrix, camera.distortion, camera.extrinsics)
        for received, value in zip(calibration[name], expected, strict=True):
            np.testing.assert_array_equal(received, value)


def _check_recording(sim: Any, result: Any) -> None:
    told = sim.truth.records("recording")
    first, second = result["first"], result["second"]
    assert [(each["action"], each["id"]) for each in told] == [
        ("START", first),
        ("STOP", first),
        ("SAVE", first),
        ("START", second),
        ("STOP", second),
        ("DISCARD", second),
    ]
    assert first != second
    assert [tuple(each) for each in result["updates"]] == [(each["id"], each["action"]) for each in told]
    assert result["running"]["id"] == first
    assert result["running"]["action"] == "START"
    assert result["running"]["rec_duration_ns"] >= 0
    for refusal in ("stop_without", "start_twice", "cancel_without"):
        status, text = result[refusal]
        assert status >= 400
        assert text

    idle, at, now = sim.truth.records("event")
    assert (idle["name"], idle["recording_id"]) == ("nobody records", None)
    assert (at["name"], at["device_ns"], at["recording_id"]) == ("at a time", EVENT_NS, first)
    assert (now["name"], now["recording_id"]) == ("jetzt äöü <=&>", first)
    assert now["device_ns"] % 1_000_000 == 0
    assert 0 <= sim.clock.device_ns(now["host_ns"]) - now["device_ns"] < 1_000_000
    for received, sent in ((result["idle_event"], idle), (result["event_at"], at), (result["event_now"], now)):
        assert received["timestamp"] == sent["device_ns"]
        assert received["recording_id"] == sent["recording_id"]

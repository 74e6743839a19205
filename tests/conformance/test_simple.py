"""A session by the official simple API, which keeps threads and a status feed of its own."""

from __future__ import annotations

from typing import Any

import pytest


def test_session(make_sim: Any, peer: Any, host_port: Any) -> None:
    sim = make_sim(frame_code=True, offset_ns=500_000_000, name="Simple", serial="112233")
    result = peer("simple_api", *host_port(sim)).result()
    assert (result["phone_name"], result["serial"], result["battery"]) == ("Simple", "112233", 97)
    assert result["calibration_serial"] == "112233"
    assert result["offset_ms"] == pytest.approx(-500, abs=3)
    assert result["errors"] == []

    sent = {(each["x"], each["y"]) for each in sim.truth.records("gaze")}
    pairs = result["matched"]
    gaze = [*result["gaze"], *(pair["gaze"] for pair in pairs)]
    assert len(result["gaze"]) == 5
    assert len(pairs) == 3
    for datum in gaze:
        assert (datum["x"], datum["y"]) in sent
    # This API gives the newest and drops what nobody took, so numbers grow but need not follow each other.
    codes = [frame["code"] for frame in result["frames"]]
    assert len(codes) == 5
    assert None not in codes
    assert codes == sorted(set(codes))
    device_ns = {each["number"]: each["device_ns"] for each in sim.truth.records("frame")}
    for frame in [*result["frames"], *(pair["frame"] for pair in pairs)]:
        assert frame["shape"] == [1200, 1600, 3]
        assert abs(frame["at"] * 1e9 - device_ns[frame["code"]]) < 13_000

    actions = [(each["action"], each["id"]) for each in sim.truth.records("recording")]
    recording_id = result["recording_id"]
    assert actions == [(action, recording_id) for action in ("START", "STOP", "SAVE")]
    (event,) = sim.truth.records("event")
    assert (event["name"], event["recording_id"]) == ("simple", recording_id)
    assert result["event"]["timestamp"] == event["device_ns"]

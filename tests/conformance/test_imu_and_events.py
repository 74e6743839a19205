"""Head movement and eye events as the official client reads them, and beside it our own."""

from __future__ import annotations

import time
from typing import Any

import pytest

from psychopy_neon import Neon
from psychopy_neon.simulator.head_motion import HeadMotionSpec

STAMP_NS = 1_000
"""The official client counts seconds since 1970 as a float."""
SENDING_NS = 100_000_000
"""From the end of an event to when it is found and stamped for sending, with much to spare."""
TYPES = {"saccade": 0, "fixation": 1, "saccade onset": 2, "fixation onset": 3, "blink": 4}
FORMS = {0: "FixationEventData", 1: "FixationEventData", 2: "FixationOnsetEventData", 3: "FixationOnsetEventData"}
FORMS[4] = "BlinkEventData"


def sent(sim: Any, kind: str, first: Any, count: int) -> list[dict[str, Any]]:
    """What was sent from the first datum received on: a hole would shift all behind it."""
    end_s = time.monotonic() + 20
    while True:
        truth = sim.truth.records(kind)
        start = next(index for index, each in enumerate(truth) if first(each))
        # The newest is written only after it was sent.
        if len(truth) >= start + count or time.monotonic() > end_s:
            return truth[start : start + count]
        time.sleep(0.01)


def check_imu(datum: Any, true: Any) -> None:
    assert abs(datum["timestamp_unix_seconds"] * 1e9 - true["device_ns"]) <= STAMP_NS
    assert list(datum["gyro_data"].values()) == list(true["gyro_dps"])
    assert list(datum["accel_data"].values()) == list(true["accel_g"])
    turn = datum["quaternion"]
    assert [turn[name] for name in "wxyz"] == list(true["quaternion"])


def check_event(event: Any, true: Any) -> None:
    assert event["event_type"] == TYPES[true["event"]]
    assert event["start_time_ns"] == true["start_ns"]
    assert event.get("end_time_ns") == true["end_ns"]
    last_ns = true["start_ns"] if true["end_ns"] is None else true["end_ns"]
    assert 0 <= event["rtp_ts_unix_seconds"] * 1e9 - last_ns + 20_000 <= SENDING_NS
    motion = true["motion"]
    if motion is not None:
        for name in ("start", "end", "mean"):
            assert [event[f"{name}_gaze_{axis}"] for axis in "xy"] == list(motion[name])
        assert (event["amplitude_pixels"], event["amplitude_angle_deg"]) == (
            motion["amplitude_px"],
            motion["amplitude_deg"],
        )
        assert (event["mean_velocity"], event["max_velocity"]) == (motion["mean_velocity"], motion["max_velocity"])


def test_two_seconds_of_a_moving_head(make_sim: Any, peer: Any) -> None:
    """None missing, the values bit by bit."""
    sim = make_sim(offset_ns=-3_600_000_000_000, head_motion=HeadMotionSpec.parse("natural,peak_dps=60"))
    data = peer("imu_and_events", "imu", 220, sim.address).result()
    first_ns = data[0]["timestamp_unix_seconds"] * 1e9
    true = sent(sim, "imu", lambda each: abs(each["device_ns"] - first_ns) <= STAMP_NS, 220)
    for datum, each in zip(data, true, strict=True):
        check_imu(datum, each)
    assert max(abs(each) for datum in data for each in datum["gyro_data"].values()) > 5


def test_events_of_all_kinds(make_sim: Any, peer: Any) -> None:
    sim = make_sim(offset_ns=250_000_000, blinks_per_minute=60, seed=1)
    events = peer("imu_and_events", "eye_events", 24, sim.address).result()
    first = events[0]

    def is_first(each: Any) -> bool:
        return (TYPES[each["event"]], each["start_ns"]) == (first["event_type"], first["start_time_ns"])

    for event, each in zip(events, sent(sim, "eye_event", is_first, 24), strict=True):
        assert event["form"] == FORMS[event["event_type"]]
        check_event(event, each)
    assert {event["event_type"] for event in events} == set(FORMS)


@pytest.mark.long
def test_keep_alives_keep_the_official_client_waiting(make_sim: Any, peer: Any) -> None:
    """It gives a stream up that is silent for ten seconds."""
    sim = make_sim()
    sim.look_at(900.0, 500.0)
    script = peer("imu_and_events", "eye_events", 2, sim.address)
    sim.truth.wait("eye_event", 1, 20)  # the onset of the one fixation
    time.sleep(11)  # more than its limit
    sim.look_at(300.0, 500.0)
    onset, fixation = script.result()
    assert (onset["event_type"], fixation["event_type"]) == (3, 1)
    assert fixation["end_time_ns"] - fixation["start_time_ns"] > 10_500_000_000


def test_simple_api(make_sim: Any, peer: Any, host_port: Any) -> None:
    """It gives the newest and drops what nobody took."""
    sim = make_sim(offset_ns=500_000_000, head_motion=HeadMotionSpec.parse("sway"))
    result = peer("simple_imu_and_events", *host_port(sim)).result()
    assert result["errors"] == []
    imu = sim.truth.records("imu")
    for datum in result["imu"]:
        stamp_ns = datum["timestamp_unix_seconds"] * 1e9
        check_imu(datum, min(imu, key=lambda each: abs(each["device_ns"] - stamp_ns)))
    events = {(TYPES[each["event"]], each["start_ns"]): each for each in sim.truth.records("eye_event")}
    assert len(result["eye_events"]) == 5
    for event in result["eye_events"]:
        check_event(event, events[event["event_type"], event["start_time_ns"]])


def test_both_at_once(make_sim: Any, peer: Any) -> None:
    """Our client and the official one agree about every sample that both received."""
    sim = make_sim(head_motion=HeadMotionSpec.parse("sway"))
    with Neon(sim.address) as neon:
        reader = neon.imu.reader()
        reader.wait(20)
        theirs = peer("imu_and_events", "imu", 100, sim.address).result()
        ours = reader.take()
        while ours[-1].device_ns < theirs[-1]["timestamp_unix_seconds"] * 1e9:
            ours.append(reader.wait(20))
    by_time = {round(sample.device_ns / STAMP_NS): sample for sample in ours}
    for datum in theirs:
        at = round(datum["timestamp_unix_seconds"] * 1e9 / STAMP_NS)
        sample = next(by_time[near] for near in (at, at - 1, at + 1) if near in by_time)
        assert tuple(datum["gyro_data"].values()) == sample.gyro_dps
        assert tuple(datum["accel_data"].values()) == sample.accel_g
        assert tuple(datum["quaternion"][name] for name in "wxyz") == sample.quaternion

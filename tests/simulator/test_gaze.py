"""Gaze, from the eyes to the packets."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import HeadPose, SceneCamera, SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.eyes import FileGaze, GazeScript
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.lens import Lens
from psychopy_neon.wire.rtcp import SenderReport, parse_compound
from psychopy_neon.wire.rtp import RtpPacket

from .conftest import RawRtsp, UdpPair


def test_the_script_is_the_same_for_a_seed_and_dwells() -> None:
    times = np.arange(0, 20, 0.005)
    first, again, other = (GazeScript((1920, 1080), seed) for seed in (1, 1, 2))
    places = np.array([first.at(t) for t in times])
    np.testing.assert_array_equal(places, [again.at(t) for t in times])
    assert not np.array_equal(places, [other.at(t) for t in times])
    assert places.min() >= 0
    assert (places <= (1920, 1080)).all()
    still = (np.diff(places, axis=0) == 0).all(axis=1)
    saccades = int((still[:-1] & ~still[1:]).sum())
    assert 20 <= saccades <= 33, "20 s of fixations of 0.6 to 1.0 s"
    assert still.mean() > 0.9


def test_a_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "gaze.jsonl"
    path.write_text('{"t_s": 0, "x": 1, "y": 2}\n\n{"t_s": 1.5, "x": 3, "y": 4}\n', encoding="utf-8")
    eyes = FileGaze(path)
    assert [eyes.at(t) for t in (0, 1.4999, 1.5, 99)] == [(1, 2), (1, 2), (3, 4), (3, 4)]


@pytest.mark.parametrize(
    "text",
    ["", "1", '{"t_s": 0, "x": 1}', '{"t_s": 0, "x": "left", "y": 1}', '{"t_s": 0, "x": NaN, "y": 1}', "\udcff"],
)
def test_a_broken_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gaze.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match="gaze"):
        FileGaze(path)


def test_times_of_a_file_grow(tmp_path: Path) -> None:
    path = tmp_path / "gaze.jsonl"
    path.write_text("\n".join(json.dumps({"t_s": t, "x": 0, "y": 0}) for t in (2, 1)), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 2"):
        FileGaze(path)


def test_200_packets_a_second_are_the_truth(sim: SimulatedNeon) -> None:
    client, sockets = RawRtsp(sim, "gaze"), UdpPair()
    client.ask("DESCRIBE")
    client.ask("SETUP", client.base, Transport=sockets.transport)
    (report,) = parse_compound(sockets.rtcp.recv(2048))
    assert isinstance(report, SenderReport)
    packets = [RtpPacket.parse(sockets.rtp.recv(2048)) for _ in range(220)]
    client.close()
    sockets.close()
    sim.truth.wait("gaze", 220)
    truth = sim.truth.records("gaze")[:220]
    first = packets[0].sequence
    assert [packet.sequence for packet in packets] == [(first + n) % 65536 for n in range(220)]
    assert [record["number"] for record in truth] == list(range(220))
    for packet, record in zip(packets, truth, strict=True):
        x, y, worn = struct.unpack_from("!ffB", packet.payload)
        assert (x, y, worn) == (record["x"], record["y"], 255)
        assert len(packet.payload) == 65
        assert x == np.float32(record["scene_x"])
        ticks = (packet.timestamp - report.rtp_timestamp + 2**31) % 2**32 - 2**31
        # A tick is 11 us, the datum lies on one; NTP's fraction is good for a nanosecond.
        assert abs(report.unix_ns + ticks * 10**9 // 90_000 - record["device_ns"]) <= 2
    periods = np.diff([record["device_ns"] for record in truth])
    assert (periods == 5_000_000).all(), "none is missing"


def test_numbers_in_place_of_x_and_a_place_to_look_at() -> None:
    with SimulatedNeon(SimulatorSettings(number_gaze=True, gaze_bytes=9, seed=5)) as sim:
        sim.look_at(100.0, 200.0)
        sim.set_worn(False)
        client, sockets = RawRtsp(sim, "gaze"), UdpPair()
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport=sockets.transport)
        data = [struct.unpack("!ffB", RtpPacket.parse(sockets.rtp.recv(2048)).payload) for _ in range(5)]
        client.close()
        sockets.close()
        place = sim.camera.scene_from_screen([(100.0, 200.0)])[0]
        assert [datum[0] for datum in data] == [0, 1, 2, 3, 4]
        assert {datum[1:] for datum in data} == {(float(np.float32(place[1])), 0)}
        sim.truth.wait("gaze", 1)
        assert sim.truth.records("gaze")[0]["scene_x"] == pytest.approx(place[0])


def test_gaze_of_a_pupil_invisible_lies_in_its_smaller_image() -> None:
    with SimulatedNeon(SimulatorSettings(model="invisible")) as sim:
        sim.look_at(960.0, 540.0)
        client, sockets = RawRtsp(sim, "gaze"), UdpPair()
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport=sockets.transport)
        payload = RtpPacket.parse(sockets.rtp.recv(2048)).payload
        client.close()
        sockets.close()
        place = sim.camera.scene_from_screen([(960.0, 540.0)])[0]
    assert len(payload) == 9
    assert struct.unpack_from("!ff", payload) == pytest.approx((place[0] - 256, place[1] - 60), abs=1e-3)


def test_gaze_is_in_the_scene_camera_of_its_own_time() -> None:
    """The head sways while the wearer looks at one place."""
    motion = HeadMotionSpec.parse("yaw_deg=10,yaw_s=2")
    with SimulatedNeon(SimulatorSettings(head=HeadPose(distance=0.8), head_motion=motion)) as sim:
        sim.look_at(700.0, 400.0)
        client, sockets = RawRtsp(sim, "gaze"), UdpPair()
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport=sockets.transport)
        data = [struct.unpack_from("!ff", RtpPacket.parse(sockets.rtp.recv(2048)).payload) for _ in range(100)]
        client.close()
        sockets.close()
        sim.truth.wait("gaze", 100, 20)
        truth, lens = sim.truth.records("gaze")[:100], Lens(sim.calibration.scene)
        uptimes = [sim.clock.uptime_ns(record["host_ns"]) for record in truth]
    for place, uptime_ns in zip(data, uptimes, strict=True):
        head = HeadPose(distance=0.8, yaw_deg=10 * np.sin(2 * np.pi * uptime_ns / 2e9))
        (expected,) = SceneCamera(lens, (1920, 1080), head).scene_from_screen([(700.0, 400.0)])
        assert place == pytest.approx(expected, abs=1e-3)
    assert np.ptp(data, axis=0)[0] > 50

"""The inertial sensor of the simulated head."""

from typing import Any

import numpy as np
import pytest

from psychopy_neon.simulator import HeadPose, SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.imu import SENSOR_FROM_CAMERA, ImuMaker
from psychopy_neon.simulator.lens import Lens
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.rtp import RtpPacket

from .conftest import RawRtsp, UdpPair

S = 1_000_000_000
PERIOD_NS = S // 110
SILENT = {"gyro_noise_dps": 0.0, "gyro_bias_dps": (0.0, 0.0, 0.0)}
TILT = np.deg2rad(102)
BY_HAND = np.array([[1, 0, 0], [0, np.cos(TILT), np.sin(TILT)], [0, -np.sin(TILT), np.cos(TILT)]])


@pytest.fixture(scope="module")
def lens() -> Lens:
    return Lens(factory_calibration("1").scene)


def sample(lens: Lens, seconds: float, motion: str = "still", pose: HeadPose | None = None, **settings: Any) -> Any:
    """Columns of what the sensor told, and how the head turned."""
    head = Head(lens, (1920, 1080), pose or HeadPose(), HeadMotionSpec.parse(motion), 0)
    truth = TruthLog()
    maker = ImuMaker(head, PhoneClock(start=(0, 10**18)), truth, SimulatorSettings(**settings))
    for uptime_ns in range(0, round(seconds * S), PERIOD_NS):
        maker.produce(uptime_ns, Audience((), 0))
    records = truth.records("imu")
    return {name: np.array([record[name] for record in records]) for name in records[0] if name != "sent_ns"}


def rotation(quaternion: Any) -> Any:
    """Of a unit quaternion w, x, y, z, from the textbook."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_a_head_at_rest_shows_bias_noise_and_gravity(lens: Lens) -> None:
    told = sample(lens, 60)
    np.testing.assert_allclose(told["gyro_dps"].mean(axis=0), (0.3, -0.2, 0.1), atol=0.005)
    np.testing.assert_allclose(told["gyro_dps"].std(axis=0), 0.05, rtol=0.1)
    up = (0, np.sin(np.deg2rad(12)), np.cos(np.deg2rad(12)))
    # The camera looks straight ahead; the sensor's y is 12 degrees below, so a part of "up" lies along it.
    np.testing.assert_allclose(told["accel_g"], [up] * len(told["accel_g"]), atol=1e-6)
    assert (told["turning_dps"] == 0).all()


def test_the_axes_are_those_of_the_device() -> None:
    np.testing.assert_allclose(SENSOR_FROM_CAMERA, BY_HAND, atol=1e-12)


@pytest.mark.parametrize("motion", ["sway", "natural,peak_dps=100"])
def test_the_gyroscope_tells_how_the_camera_turns(lens: Lens, motion: str) -> None:
    told = sample(lens, 5, motion, HeadPose(pitch_deg=10, roll_deg=5), **SILENT)
    np.testing.assert_allclose(told["gyro_dps"], told["turning_dps"] @ BY_HAND.T, atol=1e-4)
    assert np.abs(told["turning_dps"]).max() > 5


def test_gyroscope_orientation_and_gravity_belong_together(lens: Lens) -> None:
    """Turned on by the gyroscope one orientation becomes the next; each turns what is felt into the world's up."""
    told = sample(lens, 8, "natural,peak_dps=60", HeadPose(yaw_deg=20, pitch_deg=-15, roll_deg=10), **SILENT)
    turns = [rotation(each) for each in told["quaternion"]]
    np.testing.assert_allclose(np.linalg.norm(told["quaternion"], axis=1), 1, atol=1e-6)
    ups = [turn @ accel for turn, accel in zip(turns, told["accel_g"], strict=True)]
    np.testing.assert_allclose(ups, [(0, 0, 1)] * len(ups), atol=1e-6)
    rates = np.deg2rad(told["gyro_dps"])
    for index in range(len(turns) - 1):
        x, y, z = (rates[index] + rates[index + 1]) / 2 * PERIOD_NS / S
        step = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        carried = turns[index] @ (np.eye(3) + step + step @ step / 2)
        np.testing.assert_allclose(carried, turns[index + 1], atol=2e-5)


def test_a_sensor_that_sits_otherwise_and_stamps_late(lens: Lens) -> None:
    plain = sample(lens, 2, "sway", **SILENT)
    other = sample(lens, 2, "sway", **SILENT, imu_misalignment_deg=(0.0, 0.0, 3.0), imu_delay_ms=4.5)
    turn = np.deg2rad(3)
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    for name in ("gyro_dps", "accel_g"):
        np.testing.assert_allclose(other[name], plain[name] @ about_z.T, atol=1e-4)
    assert (other["device_ns"] - plain["device_ns"] == 4_500_000).all()
    assert (other["host_ns"] == plain["host_ns"]).all()


def test_noise_is_the_same_for_a_seed(lens: Lens) -> None:
    first, again, other = (sample(lens, 1, seed=seed)["gyro_dps"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_110_packets_a_second_of_their_own_type(sim: SimulatedNeon) -> None:
    client, sockets = RawRtsp(sim, "imu"), UdpPair()
    _, _, sdp = client.ask("DESCRIBE")
    client.ask("SETUP", client.base, Transport=sockets.transport)
    packets = [RtpPacket.parse(sockets.rtp.recv(2048)) for _ in range(60)]
    client.close()
    sockets.close()
    assert "m=application 5006 RTP/AVP 100\r\n" in sdp
    assert {packet.payload_type for packet in packets} == {100}
    sim.truth.wait("imu", 60, 20)
    truth = sim.truth.records("imu")[:60]
    assert np.diff([record["device_ns"] for record in truth]) == pytest.approx(PERIOD_NS, abs=1000)
    assert [record["number"] for record in truth] == list(range(60))

"""The head in the course of time: its motion, the camera in it, and how fast it turns."""

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import HeadPose, SceneCamera
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.head_motion import HEAD_MOTIONS, HeadMotion, HeadMotionSpec
from psychopy_neon.simulator.lens import Lens, head_rotation

S = 1_000_000_000
SCREEN = (1920, 1080)


@pytest.fixture(scope="module")
def lens() -> Lens:
    return Lens(factory_calibration("1").scene)


def a_head(lens: Lens, motion: str, pose: HeadPose | None = None, seed: int = 0) -> Head:
    return Head(lens, SCREEN, pose or HeadPose(), HeadMotionSpec.parse(motion), seed)


def test_a_sway_is_a_sinusoid_about_the_pose(lens: Lens) -> None:
    head = a_head(lens, "yaw_deg=10,yaw_s=4,pitch_deg=2,pitch_s=2", HeadPose(yaw_deg=3, roll_deg=1, x=0.1))
    poses = [head.pose_at(number * S // 2) for number in range(9)]
    angles = np.array([(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, pose.x) for pose in poses])
    times = np.arange(9) / 2
    expected = np.column_stack(
        [3 + 10 * np.sin(2 * np.pi * times / 4), 2 * np.sin(np.pi * times), np.ones(9), np.full(9, 0.1)]
    )
    np.testing.assert_allclose(angles, expected, atol=1e-9)


def test_a_still_head_has_one_camera_and_a_moving_one_many(lens: Lens) -> None:
    still, moving = a_head(lens, "still"), a_head(lens, "sway")
    assert still.camera_at(0) is still.camera_at(S)
    assert (still.turning_at(S) == 0).all()
    assert moving.camera_at(0) is not moving.camera_at(S)
    camera = moving.camera_at(S)
    expected = SceneCamera(lens, SCREEN, moving.pose_at(S))
    np.testing.assert_array_equal(camera.ray_from_screen, expected.ray_from_screen)


def test_a_pose_can_be_set_while_it_moves(lens: Lens) -> None:
    head = a_head(lens, "sway")
    straight = head.pose_at(S)
    head.set_pose(HeadPose(x=0.2, yaw_deg=5))
    moved = head.pose_at(S)
    assert moved.x == 0.2
    assert moved.yaw_deg == pytest.approx(straight.yaw_deg + 5)
    assert moved.distance == straight.distance
    head.set_motion(HEAD_MOTIONS["still"])
    assert head.pose_at(S).yaw_deg == 5


@pytest.mark.parametrize("motion", ["sway", "natural", "natural,peak_dps=200,roll_deg=20,roll_s=1"])
def test_the_turning_rate_carries_a_ray_to_where_the_camera_sees_it_next(lens: Lens, motion: str) -> None:
    """By the definition of angular velocity: in turning axes a resting point goes the other way round."""
    head = a_head(lens, motion, HeadPose(pitch_deg=7, roll_deg=-4))
    step_ns = 100_000
    world = np.array([0.3, -0.2, 0.933])
    for time_ns in range(S, 8 * S, S // 3):
        before, after = (head.rotation_at(time_ns + way * step_ns) @ world for way in (-1, 1))
        now = head.rotation_at(time_ns) @ world
        seen = (after - before) * 1e9 / (2 * step_ns)
        omega = np.deg2rad(head.turning_at(time_ns))
        np.testing.assert_allclose(-np.cross(omega, now), seen, atol=2e-4 * np.linalg.norm(omega) + 1e-6)


@pytest.mark.parametrize(
    ("pose", "axis"),
    [(HeadPose(yaw_deg=1), (0, 1, 0)), (HeadPose(pitch_deg=1), (1, 0, 0)), (HeadPose(roll_deg=1), (0, 0, 1))],
    ids=["to the right", "up", "to the right shoulder"],
)
def test_signs_of_the_axes(pose: HeadPose, axis: tuple[int, int, int]) -> None:
    """x right, y down, z ahead, right-handed: each positive angle is a positive turn of the head about its axis."""
    turned = head_rotation(pose)
    x, y, z = axis
    about = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]], float)
    np.testing.assert_allclose(turned.T, np.eye(3) + np.deg2rad(1) * about, atol=2e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("peak_dps", [10.0, 50.0])
def test_natural_motion_reaches_its_peak_and_repeats(lens: Lens, seed: int, peak_dps: float) -> None:
    head = a_head(lens, f"natural,peak_dps={peak_dps}", seed=seed)
    times = range(0, 60 * S, S // 25)
    speeds = np.array([np.linalg.norm(head.turning_at(time_ns)) for time_ns in times])
    assert speeds.max() == pytest.approx(peak_dps, rel=0.08)
    assert peak_dps / 8 < np.median(speeds) < peak_dps / 1.5
    assert head.pose_at(61 * S).yaw_deg == pytest.approx(head.pose_at(S).yaw_deg, abs=1e-6)


def test_natural_motion_is_the_same_for_a_seed() -> None:
    first, again, other = (HeadMotion(HEAD_MOTIONS["natural"], seed) for seed in (1, 1, 2))
    assert first.at(3.3) == again.at(3.3) != other.at(3.3)


def test_specifications_as_text() -> None:
    assert HeadMotionSpec.parse("still").is_still
    assert HeadMotionSpec.parse("sway,yaw_deg=20") == HeadMotionSpec(yaw_deg=20, pitch_deg=4, roll_deg=3)
    assert HeadMotionSpec.parse("natural").peak_dps == 30
    assert HeadMotionSpec.parse(" pitch_deg = 3 , pitch_s=1.5") == HeadMotionSpec(pitch_deg=3, pitch_s=1.5)


@pytest.mark.parametrize(
    "text",
    ["", "dance", "sway,yaw=3", "yaw_deg=nan", "yaw_deg=-1", "yaw_s=0", "peak_dps=1e9", "yaw_deg=x", "sway,still"],
)
def test_a_specification_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ConfigurationError, match="head_motion"):
        HeadMotionSpec.parse(text)

import cv2
import numpy as np
import pytest

from psychopy_neon.simulator import HeadPose, SceneCamera
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.lens import SCENE_SIZE_PX, Lens

SCREEN = (1920, 1080)
POSES = [
    HeadPose(),
    HeadPose(x=0.1, y=-0.05, distance=1.2),
    HeadPose(yaw_deg=12, pitch_deg=-8, roll_deg=5),
    HeadPose(x=-0.3, y=0.2, distance=0.9, yaw_deg=-20, pitch_deg=10, roll_deg=-15),
]


@pytest.fixture(scope="module")
def lens() -> Lens:
    return Lens(factory_calibration("1").scene)


@pytest.mark.parametrize("head", POSES)
def test_scene_px_are_those_of_opencv(lens: Lens, head: HeadPose) -> None:
    calibration = factory_calibration("1").scene
    rng = np.random.default_rng(1)
    screen = rng.uniform((0, 0), SCREEN, (200, 2))
    camera = SceneCamera(lens, SCREEN, head)
    # Rays from the homography, distorted by OpenCV: what projectPoints is given lies at depth 1.
    lifted = np.c_[screen, np.ones(len(screen))] @ camera.ray_from_screen.T
    points = lifted / lifted[:, 2:]
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), calibration.matrix, calibration.distortion)
    np.testing.assert_allclose(camera.scene_from_screen(screen), expected[:, 0], atol=1e-6)


def test_a_pose_is_rotation_and_translation_of_opencv(lens: Lens) -> None:
    calibration = factory_calibration("1").scene
    head = HeadPose(x=0.1, y=-0.2, distance=1.5, yaw_deg=10)
    camera = SceneCamera(lens, SCREEN, head)
    screen = np.array([[0, 0], [1920, 0], [960, 540], [300, 1000]], float)
    # The screen in front of the head, in widths of the screen; a head turned right sees it turned left.
    place = np.c_[screen / 1920 - (0.5 + 0.1, 0.5 * 1080 / 1920 - 0.2), np.full(4, 1.5)]
    turn = np.array([0, -np.deg2rad(10), 0])
    expected, _ = cv2.projectPoints(place, turn, np.zeros(3), calibration.matrix, calibration.distortion)
    np.testing.assert_allclose(camera.scene_from_screen(screen), expected[:, 0], atol=1e-6)


@pytest.mark.parametrize("head", POSES)
def test_there_and_back(lens: Lens, head: HeadPose) -> None:
    camera = SceneCamera(lens, SCREEN, head)
    screen = np.random.default_rng(2).uniform((0, 0), SCREEN, (200, 2))
    np.testing.assert_allclose(camera.screen_from_scene(camera.scene_from_screen(screen)), screen, atol=1e-6)


def test_signs_of_the_angles(lens: Lens) -> None:
    middle = [(960.0, 540.0)]
    straight = SceneCamera(lens, SCREEN, HeadPose()).scene_from_screen(middle)[0]
    right = SceneCamera(lens, SCREEN, HeadPose(yaw_deg=5)).scene_from_screen(middle)[0]
    up = SceneCamera(lens, SCREEN, HeadPose(pitch_deg=5)).scene_from_screen(middle)[0]
    assert right[0] < straight[0] - 50
    assert up[1] > straight[1] + 50
    tilted = SceneCamera(lens, SCREEN, HeadPose(roll_deg=5)).scene_from_screen([(0.0, 540.0), (1920.0, 540.0)])
    assert tilted[1, 1] < tilted[0, 1], "the right end of the screen is higher: counter-clockwise"


def test_the_screen_fills_the_image_by_itself(lens: Lens) -> None:
    scene = SceneCamera(lens, SCREEN, HeadPose()).scene_from_screen([(0, 540), (1920, 540)])
    assert scene[1, 0] - scene[0, 0] == pytest.approx(0.8 * SCENE_SIZE_PX[0], abs=1)


def test_nodes_lie_in_the_middle_of_their_pixels(lens: Lens) -> None:
    rays = lens.node_rays()
    assert rays.shape == (302, 402, 2)
    # One node outside on every side; the next one is in the middle of the pixels 0 to 3.
    np.testing.assert_allclose(
        lens.distort(rays[100:102, 200].astype(np.float64)), [(797.5, 397.5), (797.5, 401.5)], atol=1e-3
    )
    assert np.isnan(rays[0, 0]).all(), "beyond the rim"


def test_beyond_the_rim_there_is_no_ray(lens: Lens) -> None:
    assert np.isnan(lens.undistort(np.array([[-3000.0, -3000.0]]))).all()

import dataclasses
import math

import cv2
import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraCalibration
from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.simulator.lens import Lens


def frame_grid() -> np.ndarray:
    xs, ys = np.meshgrid(np.linspace(0, 1599, 41), np.linspace(0, 1199, 31))
    return np.stack([xs.ravel(), ys.ravel()], axis=1)


def test_there_and_back_over_the_whole_frame(scene_lens: SceneLens) -> None:
    points = frame_grid()
    rays = scene_lens.rays(points)
    is_seen = np.isfinite(rays).all(axis=1)
    assert is_seen.mean() > 0.97  # no ray leads to the outermost corners
    assert is_seen[np.linalg.norm(points - (800, 600), axis=1) < 900].all()
    np.testing.assert_allclose(scene_lens.scene(rays[is_seen]), points[is_seen], atol=1e-3)


def test_rays_are_those_of_the_judge(calibration: CameraCalibration, scene_lens: SceneLens) -> None:
    points = frame_grid()
    points = points[np.linalg.norm(points - (800, 600), axis=1) < 900]
    np.testing.assert_allclose(scene_lens.rays(points), Lens(calibration.scene).undistort(points), atol=1e-6)


def test_one_ray_is_as_good_as_many(scene_lens: SceneLens) -> None:
    points = np.concatenate([frame_grid(), [[-9000.0, 400.0], [1e300, 0.0], [np.nan, 3.0], [np.inf, 3.0]]])
    rays = scene_lens.rays(points)
    each = np.array([scene_lens.ray(x, y) for x, y in points.tolist()])
    # Where the lens turns back at its rim the last step of one may end where the other finds nothing.
    is_sure = np.isfinite(rays).all(axis=1) & (np.hypot(*rays.T) < 2.0)
    np.testing.assert_allclose(each[is_sure], rays[is_sure], atol=1e-7)
    assert is_sure[: len(frame_grid())].mean() > 0.96
    assert np.isnan(each[-4:]).all()
    assert np.isnan(rays[-4:]).all()


def test_scene_px_are_those_of_opencv(calibration: CameraCalibration, scene_lens: SceneLens) -> None:
    rays = np.array([[0.0, 0.0], [-0.79, -0.6], [0.78, 0.54], [-0.12, -0.66]])
    model = calibration.scene
    expected, _ = cv2.projectPoints(np.c_[rays, np.ones(4)], np.zeros(3), np.zeros(3), model.matrix, model.distortion)
    np.testing.assert_allclose(scene_lens.scene(rays), expected[:, 0], atol=1e-8)


def test_the_slope_is_the_derivative(scene_lens: SceneLens) -> None:
    rays = np.random.default_rng(1).uniform(-0.8, 0.8, (7, 3, 2))
    places, slope = scene_lens.scene_and_slope(rays)
    np.testing.assert_allclose(places.reshape(-1, 2), scene_lens.scene(rays.reshape(-1, 2)), atol=1e-9)
    for axis in range(2):
        step = np.eye(2)[axis] * 1e-6
        numeric = (scene_lens.scene_and_slope(rays + step)[0] - scene_lens.scene_and_slope(rays - step)[0]) / 2e-6
        np.testing.assert_allclose(slope[..., axis], numeric, rtol=1e-6, atol=1e-4)


def test_where_no_ray_leads_is_nan(calibration: CameraCalibration, scene_lens: SceneLens) -> None:
    xs, ys = np.meshgrid(np.linspace(-3000, 4600, 60), np.linspace(-3000, 4200, 60))
    points = np.concatenate([np.stack([xs.ravel(), ys.ravel()], axis=1), frame_grid(), [[-9000.0, 400.0]]])
    lens = Lens(calibration.scene)
    rays, expected = scene_lens.rays(points), lens.undistort(points)
    is_sure = np.isfinite(expected).all(axis=1)
    np.testing.assert_allclose(rays[is_sure], expected[is_sure], atol=1e-6)
    # The judge leaves out the last half per cent before the rim.
    radius = np.hypot(*rays[~is_sure & np.isfinite(rays).all(axis=1)].T)
    assert ((radius > 0.8 * lens.rim) & (radius < 1.01 * lens.rim)).all()
    assert np.isnan(rays[np.linalg.norm(points - (805, 618), axis=1) > 1300]).all()


def test_a_lens_without_distortion_has_no_rim(calibration: CameraCalibration) -> None:
    plain = SceneLens(dataclasses.replace(calibration.scene, distortion=np.zeros(8)))
    points = np.array([[-9000.0, 400.0], [3.0, 4.0]])
    rays = (points - calibration.scene.matrix[:2, 2]) / 888.4
    np.testing.assert_allclose(plain.rays(points), rays, atol=1e-9)
    np.testing.assert_allclose([plain.ray(*point) for point in points.tolist()], rays, atol=1e-9)


def test_no_points(scene_lens: SceneLens) -> None:
    assert scene_lens.rays(np.empty((0, 2))).shape == (0, 2)
    assert scene_lens.scene(np.empty((0, 2))).shape == (0, 2)


def changed(matrix: np.ndarray, row: int, column: int, value: float) -> np.ndarray:
    matrix = matrix.copy()
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [(0, 0, math.nan), (1, 2, math.inf), (0, 0, 0.0), (1, 1, -888.4), (0, 1, 3.0)],
    ids=["nan", "inf", "no focal length", "negative", "skew"],
)
def test_a_matrix_of_no_camera_is_refused(calibration: CameraCalibration, row: int, column: int, value: float) -> None:
    other = dataclasses.replace(calibration.scene, matrix=changed(calibration.scene.matrix, row, column, value))
    with pytest.raises(ConfigurationError, match="calibration"):
        SceneLens(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distortion": np.zeros(5)}, "8 distortion coefficients"),
        ({"matrix": np.eye(4)}, "camera matrix"),
        ({"distortion": np.array([0.1, 0, 0, 0, np.nan, 0, 0, 0])}, "finite"),
        ({"distortion": np.array([0.1, 0, 0, 0, 0, 0, 0, -np.inf])}, "finite"),
    ],
    ids=["five numbers", "shape", "nan", "inf"],
)
def test_another_distortion_model_is_refused(calibration: CameraCalibration, change: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SceneLens(dataclasses.replace(calibration.scene, **change))

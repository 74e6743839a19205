import dataclasses

import cv2
import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraCalibration
from psychopy_neon.screen.camera import distort_points, undistort_points
from psychopy_neon.simulator.lens import Lens


def frame_grid() -> np.ndarray:
    xs, ys = np.meshgrid(np.linspace(0, 1599, 41), np.linspace(0, 1199, 31))
    return np.stack([xs.ravel(), ys.ravel()], axis=1)


def test_there_and_back_over_the_whole_frame(calibration: CameraCalibration) -> None:
    points = frame_grid()
    ideal = undistort_points(points, calibration.scene)
    is_seen = np.isfinite(ideal).all(axis=1)
    assert is_seen.mean() > 0.97  # no ray leads to the outermost corners
    assert is_seen[np.linalg.norm(points - (800, 600), axis=1) < 900].all()
    np.testing.assert_allclose(distort_points(ideal[is_seen], calibration.scene), points[is_seen], atol=1e-3)


def test_undistorted_points_are_the_rays_of_the_lens(calibration: CameraCalibration) -> None:
    points = frame_grid()
    points = points[np.linalg.norm(points - (800, 600), axis=1) < 900]
    rays = Lens(calibration.scene).undistort(points)
    matrix = calibration.scene.matrix
    np.testing.assert_allclose(
        undistort_points(points, calibration.scene), rays * (matrix[0, 0], matrix[1, 1]) + matrix[:2, 2], atol=1e-3
    )


def test_distorted_points_are_those_of_opencv(calibration: CameraCalibration) -> None:
    scene = calibration.scene
    ideal = np.array([[805.1, 618.6], [100, 90], [1500, 1100], [700, 30.5]])
    rays = (ideal - scene.matrix[:2, 2]) / scene.matrix[[0, 1], [0, 1]]
    expected, _ = cv2.projectPoints(np.c_[rays, np.ones(4)], np.zeros(3), np.zeros(3), scene.matrix, scene.distortion)
    np.testing.assert_allclose(distort_points(ideal, scene), expected[:, 0], atol=1e-8)


def test_where_no_ray_leads_is_nan(calibration: CameraCalibration) -> None:
    xs, ys = np.meshgrid(np.linspace(-3000, 4600, 60), np.linspace(-3000, 4200, 60))
    points = np.concatenate([np.stack([xs.ravel(), ys.ravel()], axis=1), frame_grid(), [[-9000.0, 400.0]]])
    lens = Lens(calibration.scene)
    ideal = undistort_points(points, calibration.scene)
    rays = (ideal - calibration.scene.matrix[:2, 2]) / calibration.scene.matrix[[0, 1], [0, 1]]
    expected = lens.undistort(points)
    is_sure = np.isfinite(expected).all(axis=1)
    np.testing.assert_allclose(rays[is_sure], expected[is_sure], atol=1e-6)
    # The judge leaves out the last half per cent before the rim.
    radius = np.hypot(*rays[~is_sure & np.isfinite(rays).all(axis=1)].T)
    assert ((radius > 0.8 * lens.rim) & (radius < 1.01 * lens.rim)).all()
    assert np.isnan(ideal[np.linalg.norm(points - (805, 618), axis=1) > 1300]).all()


def test_a_lens_without_distortion_has_no_rim(calibration: CameraCalibration) -> None:
    plain = dataclasses.replace(calibration.scene, distortion=np.zeros(8))
    points = np.array([[-9000.0, 400.0], [3.0, 4.0]])
    np.testing.assert_allclose(undistort_points(points, plain), points, atol=1e-6)


def test_no_points(calibration: CameraCalibration) -> None:
    assert undistort_points(np.empty((0, 2)), calibration.scene).shape == (0, 2)
    assert distort_points(np.empty((0, 2)), calibration.scene).shape == (0, 2)


def test_another_distortion_model_is_refused(calibration: CameraCalibration) -> None:
    other = dataclasses.replace(calibration.scene, distortion=np.zeros(5))
    with pytest.raises(ConfigurationError, match="8 distortion coefficients"):
        undistort_points(np.zeros((1, 2)), other)

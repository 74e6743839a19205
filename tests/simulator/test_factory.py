import numpy as np
import pytest

from psychopy_neon.simulator.factory import factory_calibration


def test_poses_are_rotations() -> None:
    calibration = factory_calibration("123456")
    assert calibration.serial == "123456"
    for camera in (calibration.scene, calibration.right, calibration.left):
        turn = camera.extrinsics[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
    assert calibration.right.extrinsics[0, 3] > 0 > calibration.left.extrinsics[0, 3]

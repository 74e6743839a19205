"""What the simulated module was given by its factory: the calibration of its cameras."""

from __future__ import annotations

import numpy as np

from psychopy_neon.samples import CameraCalibration, CameraModel

__all__ = ["INVISIBLE_CROP", "factory_calibration"]

INVISIBLE_CROP = (256, 60, 1344, 1140)
"""Left, top, right, bottom of the part of the scene image that a Pupil Invisible shows, 1088 x 1080 px."""


def factory_calibration(serial: str) -> CameraCalibration:
    """Calibration of a typical Neon module."""
    scene = CameraModel(
        matrix=np.array([[888.4, 0.0, 805.1], [0.0, 888.4, 618.6], [0.0, 0.0, 1.0]]),
        distortion=np.array([-0.1302, 0.1085, 7.7e-5, -2.0e-4, 3.5e-5, 0.1697, 0.0522, 0.0249]),
        extrinsics=np.eye(4),
    )
    return CameraCalibration(1, serial, scene, right=_eye_camera(side=1), left=_eye_camera(side=-1))


def _eye_camera(side: int) -> CameraModel:
    """A camera beside the nose that looks at one eye; mirrored for the other."""
    angle = np.deg2rad(147.0) * side
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = [
        [np.cos(angle), 0.0, np.sin(angle)],
        [0.0, 1.0, 0.0],
        [-np.sin(angle), 0.0, np.cos(angle)],
    ]
    extrinsics[:3, 3] = [16.5 * side, 19.5, -7.5]
    return CameraModel(
        matrix=np.array([[140.0, 0.0, 95.0], [0.0, 140.0, 95.0], [0.0, 0.0, 1.0]]),
        distortion=np.array([0.05, -0.15, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0]),
        extrinsics=extrinsics,
    )

"""The inertial sensor in the simulated head."""

from __future__ import annotations

import random

import cv2
import numpy as np

from psychopy_neon.samples import ImuDatum
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.lens import Floats
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.imu import encode_imu

__all__ = ["SENSOR_FROM_CAMERA", "ImuMaker"]


def _turn(x_deg: float, y_deg: float, z_deg: float) -> Floats:
    """Rotation about an axis by as many degrees as it is long."""
    return np.asarray(cv2.Rodrigues(np.deg2rad([x_deg, y_deg, z_deg]))[0], np.float64)


SENSOR_FROM_CAMERA: Floats = _turn(-102.0, 0.0, 0.0)
"""Vectors in the scene camera's axes (x right, y down, z ahead) to the sensor's (x right, y ahead, z up): a quarter
turn about x, and 12 degrees by which the sensor is tilted."""
_WORLD_FROM_SCREEN = _turn(-90.0, 0.0, 0.0)
"""The world has z up, and y from the head's straight look to the screen."""


class ImuMaker:
    """Makes samples of the inertial sensor for the pacer's thread.

    It lies in the scene camera, so a head that only turns does not accelerate it.
    """

    def __init__(self, head: Head, clock: PhoneClock, truth: TruthLog, settings: SimulatorSettings) -> None:
        self._head = head
        self._clock = clock
        self._truth = truth
        self._random = random.Random(f"{settings.seed}/imu")
        self._noise_dps = settings.gyro_noise_dps
        self._bias_dps = np.array(settings.gyro_bias_dps)
        self._delay_ns = round(settings.imu_delay_ms * 1e6)
        self._sensor_from_camera = _turn(*settings.imu_misalignment_deg) @ SENSOR_FROM_CAMERA
        self._number = 0

    def produce(self, uptime_ns: int, audience: Audience) -> None:
        """Make one sample, send it and tell the truth about it."""
        number, self._number = self._number, self._number + 1
        turning_dps = self._head.turning_at(uptime_ns)
        device_ns = self._clock.device_ns_of_uptime(uptime_ns) + self._delay_ns
        datum = self._datum(device_ns, turning_dps, self._sensor_from_camera @ self._head.rotation_at(uptime_ns))
        sent_ns = audience.send([(encode_imu(datum), True)], uptime_ns, number)
        fields = {
            "number": number,
            "device_ns": device_ns,
            "host_ns": self._clock.host_ns_of_uptime(uptime_ns),
            "sent_ns": sent_ns,
            "gyro_dps": datum.gyro_dps,
            "accel_g": datum.accel_g,
            "quaternion": datum.quaternion,
            "turning_dps": turning_dps.tolist(),
            "receivers": len(audience.senders),
        }
        self._truth.add("imu", fields)

    def _datum(self, device_ns: int, turning_dps: Floats, sensor_from_screen: Floats) -> ImuDatum:
        noise_dps = [self._random.gauss(0.0, self._noise_dps) for _ in range(3)]
        gyro = self._sensor_from_camera @ turning_dps + self._bias_dps + noise_dps
        # At rest the sensor feels what holds it up against gravity.
        accel = sensor_from_screen @ (0.0, -1.0, 0.0)
        quaternion = _quaternion(_WORLD_FROM_SCREEN @ sensor_from_screen.T)
        return ImuDatum(device_ns, 0, *(_single(each) for each in (gyro, accel, quaternion)))  # type: ignore[arg-type]


def _single(values: Floats) -> tuple[float, ...]:
    """As they are sent, in single precision."""
    return tuple(np.asarray(values, np.float32).tolist())


def _quaternion(rotation: Floats) -> Floats:
    """w, x, y, z of a rotation, with w not negative."""
    vector = cv2.Rodrigues(rotation)[0].ravel()
    angle = float(np.sqrt(vector @ vector))
    half = np.sin(angle / 2) / angle if angle > 1e-12 else 0.5
    return np.array([np.cos(angle / 2), *(half * vector)])

"""How the scene camera turns between two times, from the gyroscope.

The device tells neither how its inertial sensor is turned against the scene camera nor how late its times are. Both are
learned here, from pairs of frames in which the tags told how the camera turned: with ``g`` the gyroscope's integral
between the frames, the camera turned by ``A g + c dt + tau (A dw)``, where ``A`` holds the axes (and the share that is
not rotation: a head turns about the neck, so the camera moves a little, too), ``c`` the gyroscope's bias, and ``tau``
the delay of its times; ``dw`` is how much the rate changed between the frames. Thirteen numbers, by least squares with
a memory of some ten seconds, beginning with the documented 102 degrees about x.

Camera axes: x right, y down, z forward. Sensor axes: x right, y forward, z up.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from psychopy_neon.samples import Vector3
from psychopy_neon.screen.gyro import GyroHistory

__all__ = ["CAMERA_FROM_SENSOR", "NO_TURN", "HeadMotion", "MotionModel", "Turn", "turned_ray"]

Floats: TypeAlias = npt.NDArray[np.float64]

_TILT = math.radians(102)
CAMERA_FROM_SENSOR: Floats = np.array(
    [[1, 0, 0], [0, math.cos(_TILT), -math.sin(_TILT)], [0, math.sin(_TILT), math.cos(_TILT)]]
)
"""Documented axes: camera vectors from sensor vectors, shape (3, 3)."""

MEMORY_FRAMES = 300.0
PRIOR_AXES = 0.15
"""How far an entry of the axes may be off at first: mounting, and the lever of the neck."""
PRIOR_BIAS_RAD_S = math.radians(2)
PRIOR_DELAY_S = 0.01
NOISE_RAD = 2e-4
"""Of the turn between two frames as the tags tell it."""
NOISE_SHARE = 0.03
"""The same as a share of the turn: what is not a rotation."""
LARGEST_SURPRISE_RAD = 0.05
SAMPLING_S = 0.0015
"""Between two samples a rate that changes does not change evenly: the error is as if it changed so much earlier."""
FIRST_SHARE = 0.15
"""Expected error of a carried turn as a share of it, before anything is learned."""
_NUMBERS = 13


class Turn(NamedTuple):
    """By how much the camera turned."""

    vector: Vector3
    """Rotation vector, camera axes, rad."""
    error_rad: float
    """Expected error about each axis (root mean square)."""


NO_TURN = Turn((0.0, 0.0, 0.0), 0.0)


class MotionModel(NamedTuple):
    """What has been learned of the sensor."""

    axes: tuple[Vector3, Vector3, Vector3]
    """Rows: camera rates from sensor rates."""
    bias_rad_s: Vector3
    """To be added, camera axes."""
    delay_s: float
    """The sensor's times are late by so much."""
    axes_error: float
    """Standard error of an entry of ``axes``: 0.01 are 0.6 degrees."""
    delay_error_s: float
    error_rad_s: float
    """Error of a carried turn for each second that it is carried, while the head is still."""
    error_share: float
    """The same for each radian of turn."""
    share_left: float
    """Measured benefit: what carrying leaves of the error of a pose that is held, while the head turns; 1 is none."""


class HeadMotion:
    """The gyroscope's history, and what has been learned of the sensor.

    Notes
    -----
    Thread: :meth:`add` from one thread at a time, :meth:`learn` from one, :meth:`turn` from any.
    """

    def __init__(self) -> None:
        self._gyro = GyroHistory()
        self._prior = np.diag([PRIOR_AXES**-2] * 9 + [PRIOR_BIAS_RAD_S**-2] * 3 + [PRIOR_DELAY_S**-2])
        self._prior_numbers = np.concatenate([CAMERA_FROM_SENSOR.ravel(), np.zeros(4)])
        self._information = self._prior.copy()
        self._weighted = self._prior @ self._prior_numbers
        self._still2, self._share2 = NOISE_RAD**2, FIRST_SHARE**2
        self._left2, self._held2 = 0.0, 0.0
        self._interval_s = 1 / 30
        self.model = self._solved()

    def add(self, device_ns: int, gyro_dps: Vector3) -> None:
        """Take a gyroscope sample; a late one or a second one of the same time, or no number, is passed over."""
        self._gyro.add(device_ns, gyro_dps)

    def turn(self, from_ns: int, to_ns: int) -> Turn | None:
        """How the camera turned between two device times; None where the gyroscope does not tell."""
        model = self.model
        late_ns = round(model.delay_s * 1e9)
        begin, end = self._gyro.at(from_ns + late_ns), self._gyro.at(to_ns + late_ns)
        if begin is None or end is None:
            return None
        (ax, ay, az), (bx, by, bz) = begin.integral, end.integral
        x, y, z = bx - ax, by - ay, bz - az
        passed_s = (to_ns - from_ns) / 1e9
        (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = model.axes
        bias_x, bias_y, bias_z = model.bias_rad_s
        # Written out: this is computed at every flip.
        turned_x = xx * x + xy * y + xz * z + bias_x * passed_s
        turned_y = yx * x + yy * y + yz * z + bias_y * passed_s
        turned_z = zx * x + zy * y + zz * z + bias_z * passed_s
        size2 = turned_x * turned_x + turned_y * turned_y + turned_z * turned_z
        jerked = math.dist(begin.rate, end.rate) * SAMPLING_S
        error_rad = math.sqrt((model.error_rad_s * passed_s) ** 2 + model.error_share**2 * size2 + jerked * jerked)
        return Turn((turned_x, turned_y, turned_z), error_rad)

    def learn(self, before_ns: int, after_ns: int, motion: Floats, rays: Floats) -> Floats:
        """Compare the gyroscope with what the tags tell.

        Parameters
        ----------
        before_ns, after_ns
            Device times of two frames.
        motion
            Shape (3, 3): homography of the rays of the first frame to those of the second.
        rays
            Shape (n, 2): where the screen is in the first frame.

        Returns
        -------
        The camera's turn by the tags: rotation vector, camera axes, rad, shape (3,).
        """
        observed = _camera_turn(motion, rays)
        late_ns = round(self.model.delay_s * 1e9)
        begin, end = self._gyro.at(before_ns + late_ns), self._gyro.at(after_ns + late_ns)
        predicted = self.turn(before_ns, after_ns)
        if begin is None or end is None or predicted is None:
            return observed
        passed_s = (after_ns - before_ns) / 1e9
        surprise = observed - np.array(predicted.vector)
        if not np.abs(surprise).max() < LARGEST_SURPRISE_RAD:
            return observed
        self._judge(surprise, observed, passed_s)
        integral = np.subtract(end.integral, begin.integral)
        change = np.array(self.model.axes) @ np.subtract(end.rate, begin.rate)
        design = np.zeros((3, _NUMBERS))
        for row in range(3):
            design[row, 3 * row : 3 * row + 3] = integral
            design[row, 9 + row] = passed_s
            design[row, 12] = change[row]
        # The present delay is in the integral already: what is left of it is what the design tells.
        target = observed + change * self.model.delay_s
        weight = 1 / (NOISE_RAD**2 + NOISE_SHARE**2 * float(observed @ observed))
        forget = 1 / MEMORY_FRAMES
        self._information += forget * (self._prior - self._information) + weight * design.T @ design
        self._weighted += forget * (self._prior @ self._prior_numbers - self._weighted) + weight * design.T @ target
        self._interval_s = passed_s
        self.model = self._solved()
        return observed

    def _judge(self, surprise: Floats, observed: Floats, passed_s: float) -> None:
        """Keep count of how well turns were foretold."""
        error2, turn2 = float(surprise @ surprise), float(observed @ observed)
        still2 = self._still2 * (passed_s / self._interval_s) ** 2
        # What a still head leaves is noise; what a turning one leaves beyond that grows with the turn.
        if turn2 < (10 * NOISE_RAD) ** 2:
            self._still2 += 0.05 * (error2 / 3 - self._still2)
            return
        share2 = max(error2 / 3 - still2, 0.0) / turn2
        self._share2 += 0.05 * (min(share2, 1.0) - self._share2)
        self._left2 += (error2 - self._left2) / MEMORY_FRAMES
        self._held2 += (turn2 - self._held2) / MEMORY_FRAMES

    def _solved(self) -> MotionModel:
        covariance = np.linalg.inv(self._information)
        numbers = covariance @ self._weighted
        axes = tuple(tuple(row) for row in numbers[:9].reshape(3, 3).tolist())
        errors = np.sqrt(np.diag(covariance))
        left = math.sqrt(self._left2 / self._held2) if self._held2 > 0 else 1.0
        return MotionModel(
            axes,  # type: ignore[arg-type]
            tuple(numbers[9:12].tolist()),
            float(numbers[12]),
            float(errors[:9].max()),
            float(errors[12]),
            math.sqrt(self._still2) / self._interval_s,
            math.sqrt(self._share2),
            left,
        )


def turned_ray(u: float, v: float, turn: Vector3) -> tuple[float, float]:
    """Where a ray is in the camera before it turned; NaN behind it."""
    rx, ry, rz = turn
    angle = math.sqrt(rx * rx + ry * ry + rz * rz)
    if angle < 1e-9:
        return u, v
    kx, ky, kz = rx / angle, ry / angle, rz / angle
    sine, cosine = math.sin(angle), math.cos(angle)
    along = (kx * u + ky * v + kz) * (1 - cosine)
    x = u * cosine + (ky - kz * v) * sine + kx * along
    y = v * cosine + (kz * u - kx) * sine + ky * along
    z = cosine + (kx * v - ky * u) * sine + kz * along
    return (x / z, y / z) if z > 0 else (math.nan, math.nan)


def _camera_turn(motion: Floats, rays: Floats) -> Floats:
    """Rotation vector of the camera that moves rays, shape (n, 2), most nearly as a homography does.

    A rotation by an angle about an axis k moves a to b so that ``b - a = t x (a + b)`` with ``t = k tan(angle / 2)``,
    which is linear in t.
    """
    before = np.column_stack([rays, np.ones(len(rays))])
    after = before @ motion.T
    before /= np.sqrt((before * before).sum(axis=1, keepdims=True))
    after /= np.sqrt((after * after).sum(axis=1, keepdims=True))
    sums, moved = before + after, after - before
    system = np.eye(3) * (sums * sums).sum() - sums.T @ sums
    products = sums.T @ moved
    crossed = (products - products.T)[[1, 2, 0], [2, 0, 1]]  # the sum of the cross products
    half: Floats = np.linalg.solve(system, crossed)
    size = float(np.sqrt(half @ half))
    # Directions turn the other way than the camera.
    return half * (-2 * math.atan(size) / size) if size > 0 else half

"""The gyroscope beside a camera whose turning is known; no pictures are needed."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest
from judge import Floats, TurningHead

from psychopy_neon.screen.gyro import AHEAD_NS, KEPT, LARGEST_GAP_NS
from psychopy_neon.screen.motion import CAMERA_FROM_SENSOR, FIRST_SHARE, HeadMotion, turned_ray

MS = 1_000_000
START_NS = 1_700_000_000 * 10**9
"""Of the phone's clock: its numbers are large."""
FPS, GYRO_HZ = 30, 110
BIAS_DPS = np.array([0.3, -0.4, 0.2])
LATE_S = 0.004
VIDEO_S = 0.05
"""Frames come so much later than the gyroscope's samples."""
TAG_NOISE_RAD = 5e-5
"""Some hundredths of a scene px."""
SECONDS = 16.0
GRID = np.stack(np.meshgrid(np.linspace(0, 1920, 4), np.linspace(0, 1080, 3)), axis=-1).reshape(-1, 2)


def ns(at_s: float) -> int:
    return START_NS + round(at_s * 1e9)


def sensor_dps(rate_rad_s: Floats, sensor_from_camera: Floats = CAMERA_FROM_SENSOR.T) -> tuple[float, float, float]:
    x, y, z = np.rad2deg(sensor_from_camera @ rate_rad_s).tolist()
    return x, y, z


def even(rate_rad_s: tuple[float, float, float], times_ms: range = range(0, 400, 10)) -> HeadMotion:
    """After turning at an even rate."""
    motion = HeadMotion()
    for at_ms in times_ms:
        motion.add(START_NS + at_ms * MS, sensor_dps(np.array(rate_rad_s)))
    return motion


def rays_of(ray_from_screen: Floats) -> Floats:
    lifted = GRID @ ray_from_screen[:, :2].T + ray_from_screen[:, 2]
    return lifted[:, :2] / lifted[:, 2:]


class Learning:
    """A whole session: a head that turns, a sensor that is not as documented, poses that tags tell with some noise."""

    def __init__(self, peak_dps: float = 40.0, gyro_noise_dps: float = 0.05, seconds: float = SECONDS) -> None:
        self.head = TurningHead(peak_dps, seconds + 2 * VIDEO_S)
        axis = np.array([0.6, -0.5, 0.62])
        misaligned = cv2.Rodrigues(np.deg2rad(5.0) * axis / np.linalg.norm(axis))[0]
        self.sensor_from_camera = misaligned @ CAMERA_FROM_SENSOR.T
        self.motion = HeadMotion()
        self.surprises: list[tuple[float, float]] = []
        self._rng = np.random.default_rng(1)
        gyro_s, fed = np.arange(0.0, seconds + VIDEO_S, 1 / GYRO_HZ), 0
        for before_s, after_s in pairwise(np.arange(0.1, seconds, 1 / FPS).tolist()):
            upto = int(np.searchsorted(gyro_s, after_s + VIDEO_S))
            for at_s in gyro_s[fed:upto].tolist():
                rate = sensor_dps(self.head.rate_rad_s(at_s), self.sensor_from_camera) + BIAS_DPS
                noisy = rate + self._rng.normal(0, gyro_noise_dps, 3)
                self.motion.add(ns(at_s + LATE_S), tuple(noisy.tolist()))
            fed = upto
            self._learn(before_s, after_s)

    def _learn(self, before_s: float, after_s: float) -> None:
        foretold = self.motion.turn(ns(before_s), ns(after_s))
        truth = self.head.turn(before_s, after_s)
        self.surprises.append((float(np.linalg.norm(np.array(foretold.vector) - truth)), foretold.error_rad))
        before, after = (self._seen(each) for each in (before_s, after_s))
        self.motion.learn(ns(before_s), ns(after_s), after @ np.linalg.inv(before), rays_of(before))

    def _seen(self, at_s: float) -> Floats:
        noise = cv2.Rodrigues(self._rng.normal(0, TAG_NOISE_RAD, 3))[0]
        return noise @ self.head.ray_from_screen(at_s)


@pytest.fixture(scope="module")
def learned() -> Learning:
    return Learning()


def test_an_even_turn_forward_and_backward() -> None:
    rate = (0.3, -0.5, 0.2)
    motion = even(rate)
    for from_ms, to_ms in ((100, 133), (105, 305), (390, 425), (380, 401)):
        turn = motion.turn(START_NS + from_ms * MS, START_NS + to_ms * MS)
        np.testing.assert_allclose(turn.vector, np.array(rate) * (to_ms - from_ms) / 1e3, rtol=1e-6)
        back = motion.turn(START_NS + to_ms * MS, START_NS + from_ms * MS)
        np.testing.assert_allclose(back.vector, -np.array(turn.vector), rtol=1e-9)
        assert back.error_rad == pytest.approx(turn.error_rad)
        assert turn.error_rad >= FIRST_SHARE * np.linalg.norm(turn.vector)


def test_a_changing_rate_is_integrated() -> None:
    """A rate that grows evenly is what the samples with straight lines between them are."""
    motion = HeadMotion()
    for at_ms in range(0, 200, 9):
        motion.add(START_NS + at_ms * MS, sensor_dps(np.array([0.0, 4.0 * at_ms / 1e3, 0.0])))
    turn = motion.turn(START_NS + 31 * MS, START_NS + 142 * MS)
    np.testing.assert_allclose(turn.vector, [0, 2.0 * (0.142**2 - 0.031**2), 0], atol=1e-9)


def test_without_samples_nobody_knows() -> None:
    assert HeadMotion().turn(START_NS, START_NS + MS) is None
    motion = even((0.1, 0.0, 0.0))
    assert motion.turn(START_NS - MS, START_NS + 50 * MS) is None
    last_ns = START_NS + 390 * MS
    assert motion.turn(last_ns, last_ns + AHEAD_NS) is not None
    assert motion.turn(last_ns, last_ns + AHEAD_NS + MS) is None


def test_across_a_gap_nobody_knows() -> None:
    motion = even((0.1, 0.0, 0.0))
    after_ns = START_NS + 390 * MS + LARGEST_GAP_NS + MS
    for number in range(5):
        motion.add(after_ns + number * 10 * MS, (1.0, 0.0, 0.0))
    assert motion.turn(START_NS + 380 * MS, after_ns + 20 * MS) is None
    assert motion.turn(START_NS + 200 * MS, START_NS + 300 * MS) is None  # it begins anew
    np.testing.assert_allclose(motion.turn(after_ns, after_ns + 30 * MS).vector[0], math.radians(0.03), rtol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_passed_over(bad: float) -> None:
    motion = even((0.1, 0.2, 0.0))
    expected = motion.turn(START_NS + 300 * MS, START_NS + 400 * MS)
    motion.add(START_NS + 395 * MS, (0.0, bad, 0.0))
    assert motion.turn(START_NS + 300 * MS, START_NS + 400 * MS) == expected


def test_old_and_repeated_samples_are_passed_over() -> None:
    motion = even((0.1, 0.2, 0.0))
    expected = motion.turn(START_NS + 300 * MS, START_NS + 400 * MS)
    for at_ms in (390, 385, 340):
        motion.add(START_NS + at_ms * MS, (90.0, 90.0, 90.0))
    assert motion.turn(START_NS + 300 * MS, START_NS + 400 * MS) == expected


def test_a_clock_that_is_set_back_is_followed() -> None:
    motion = even((0.1, 0.0, 0.0))
    back_ns = START_NS - 3600 * 1000 * MS
    for number in range(10):
        motion.add(back_ns + number * 10 * MS, sensor_dps(np.array([0.0, 0.4, 0.0])))
    turn = motion.turn(back_ns + 30 * MS, back_ns + 80 * MS)
    assert turn is not None
    np.testing.assert_allclose(turn.vector, [0, 0.02, 0], atol=1e-6)


def test_the_history_is_bounded_and_stays_right() -> None:
    rate = np.array([0.3, -0.5, 0.2])
    motion = even(tuple(rate), range(0, 10 * 5 * KEPT, 10))
    end_ms = 10 * (5 * KEPT - 1)
    turn = motion.turn(START_NS + (end_ms - 500) * MS, START_NS + end_ms * MS)
    np.testing.assert_allclose(turn.vector, rate * 0.5, rtol=1e-6)
    assert motion.turn(START_NS, START_NS + 100 * MS) is None


def test_axes_bias_and_delay_are_learned(learned: Learning) -> None:
    model = learned.motion.model
    axes_error = np.array(model.axes) - learned.sensor_from_camera.T
    assert np.abs(CAMERA_FROM_SENSOR - learned.sensor_from_camera.T).max() > 0.05
    assert np.abs(axes_error).max() < 0.01
    assert model.axes_error < 0.01
    bias = -learned.sensor_from_camera.T @ np.deg2rad(BIAS_DPS)
    np.testing.assert_allclose(model.bias_rad_s, bias, atol=math.radians(0.1))
    assert model.delay_s == pytest.approx(LATE_S, abs=0.0005)
    assert model.delay_error_s < 0.001
    assert model.share_left < 0.1


def test_stated_errors_hold(learned: Learning) -> None:
    model = learned.motion.model
    assert np.abs(np.array(model.axes) - learned.sensor_from_camera.T).max() < 4 * model.axes_error
    assert abs(model.delay_s - LATE_S) < 4 * model.delay_error_s
    away, stated = np.array(learned.surprises).T
    ratio = away / (math.sqrt(3) * stated)  # stated about each axis
    assert (ratio > 4).mean() < 0.01
    assert 0.05 < np.sqrt(np.mean(ratio[-300:] ** 2)) < 1.3  # before, little is claimed


def test_errors_shrink_while_learning(learned: Learning) -> None:
    first, last = (np.mean(part, axis=0) for part in (learned.surprises[:60], learned.surprises[-60:]))
    assert (last < first / 2).all()
    assert learned.motion.model.error_share < FIRST_SHARE / 3


def test_a_still_head_teaches_the_bias_alone() -> None:
    learned = Learning(peak_dps=0.0, seconds=6.0)
    model = learned.motion.model
    np.testing.assert_allclose(model.axes, CAMERA_FROM_SENSOR, atol=0.1)
    assert model.axes_error > 0.05  # and it knows that it does not know
    assert model.delay_error_s > 0.005
    turn = learned.motion.turn(ns(5.8), ns(5.9))
    assert np.linalg.norm(turn.vector) < math.radians(0.02)
    assert turn.error_rad < math.radians(0.1)


def test_it_tells_how_the_camera_turned_by_the_tags() -> None:
    head, motion = TurningHead(60.0, 1.0), HeadMotion()
    for before_s, after_s in ((0.1, 0.133), (0.5, 0.6)):
        before, after = head.ray_from_screen(before_s), head.ray_from_screen(after_s)
        for scale in (1.0, 7.0):  # of a homography tells nothing
            told = motion.learn(ns(before_s), ns(after_s), scale * after @ np.linalg.inv(before), rays_of(before))
            np.testing.assert_allclose(told, head.turn(before_s, after_s), atol=1e-7)


@pytest.mark.parametrize("wild", ["far", "other samples"])
def test_what_cannot_be_is_not_learned(wild: str) -> None:
    motion = even((0.0, 0.0, 0.0))
    before = motion.model
    jump = cv2.Rodrigues(np.array([0.0, 0.1, 0.0]))[0]
    from_ms = 300 if wild == "far" else 900
    first = TurningHead(0.0, 0.001).ray_from_screen(0.0)
    told = motion.learn(START_NS + from_ms * MS, START_NS + (from_ms + 33) * MS, jump, rays_of(first))
    np.testing.assert_allclose(told, [0, -0.1, 0], atol=1e-9)  # still told to whoever asks
    assert motion.model == before


def test_a_turned_ray_is_that_of_rodrigues() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        u, v = rng.uniform(-0.9, 0.9, 2).tolist()
        turn = rng.uniform(-0.5, 0.5, 3)
        x, y, z = cv2.Rodrigues(turn)[0] @ [u, v, 1.0]
        np.testing.assert_allclose(turned_ray(u, v, tuple(turn.tolist())), [x / z, y / z], rtol=1e-9)
    assert turned_ray(0.3, -0.2, (0.0, 0.0, 0.0)) == (0.3, -0.2)
    assert np.isnan(turned_ray(0.0, 0.0, (0.0, 2.0, 0.0))).all()  # behind
    assert np.isnan(turned_ray(math.nan, 0.0, (0.0, 0.1, 0.0))).all()

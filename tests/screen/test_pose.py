from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from judge import Floats, TurningHead

from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.fit import Fit
from psychopy_neon.screen.motion import Turn
from psychopy_neon.screen.pose import ScreenPose

SAMPLES = 20_000
PLACES = [(805.0, 618.0), (300.0, 250.0), (1400.0, 1000.0), (150.0, 900.0)]
TILTED = cv2.Rodrigues(np.array([0.2, -0.3, 0.15]))[0] @ TurningHead(0.0, 0.001).ray_from_screen(0.0)


def random_covariance(seed: int, size: float = 3e-4) -> Floats:
    """Of the eight numbers of a change, all of them correlated."""
    mixing = np.random.default_rng(seed).normal(0, size, (8, 8)) / 3
    return mixing @ mixing.T


def fit_of(ray_from_screen: Floats, covariance: Floats, tags: frozenset[int] = frozenset({1, 2})) -> Fit:
    return Fit(ray_from_screen, covariance, 0.1, frozenset(), tags)


@pytest.fixture
def pose_of(scene_lens: SceneLens) -> Callable[..., ScreenPose]:
    def pose_of(ray_from_screen: Floats = TILTED, covariance: Floats = np.zeros((8, 8))) -> ScreenPose:  # noqa: B008
        return ScreenPose(scene_lens, fit_of(ray_from_screen, covariance))

    return pose_of


def applied(homographies: Floats, places: Floats) -> Floats:
    """Places of homographies, shape (..., 3, 3), shape (..., 2)."""
    lifted = homographies @ np.append(places, 1.0)
    return lifted[..., :2] / lifted[..., 2:]


def changed(covariance: Floats, rng: np.random.Generator) -> Floats:
    """Poses as the covariance says that they may be, shape (SAMPLES, 3, 3)."""
    changes = rng.multivariate_normal(np.zeros(8), covariance, SAMPLES)
    steps = np.eye(3) + np.column_stack([changes, np.zeros(SAMPLES)]).reshape(-1, 3, 3)
    return steps @ TILTED


def angle_rad(one: Floats, other: Floats) -> Floats:
    """Between rays, shapes (..., 2); small ones too."""
    first, second = (np.concatenate([each, np.ones((*each.shape[:-1], 1))], axis=-1) for each in (one, other))
    size = np.linalg.norm(np.cross(first, second), axis=-1)
    return size / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)


def test_one_place_is_that_of_many(pose_of: Callable[..., ScreenPose]) -> None:
    pose = pose_of()
    points = np.random.default_rng(1).uniform((0, 0), (1599, 1199), (200, 2))
    many = pose.screen_from_scene(points)
    each = np.array([pose.place(x, y)[:2] for x, y in points.tolist()])
    is_near = np.linalg.norm(points - (800, 600), axis=1) < 900
    assert np.isfinite(many[is_near]).all()
    np.testing.assert_allclose(each[is_near], many[is_near], atol=1e-3)


def test_there_and_back(pose_of: Callable[..., ScreenPose], scene_lens: SceneLens) -> None:
    pose = pose_of()
    points = np.array(PLACES)
    np.testing.assert_allclose(pose.scene_from_screen(pose.screen_from_scene(points)), points, atol=1e-4)
    rays = pose.rays_from_screen(pose.screen_from_scene(points))
    np.testing.assert_allclose(rays, scene_lens.rays(points), atol=1e-9)


def test_a_turned_camera_looks_where_its_ray_was_before(
    pose_of: Callable[..., ScreenPose], scene_lens: SceneLens
) -> None:
    vector = (0.05, -0.08, 0.03)
    for x, y in PLACES:
        u, v, w = cv2.Rodrigues(np.array(vector))[0] @ [*scene_lens.ray(x, y), 1.0]
        expected = applied(np.linalg.inv(TILTED), np.array([u / w, v / w]))
        np.testing.assert_allclose(pose_of().place(x, y, Turn(vector, 0.0))[:2], expected, atol=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("place", PLACES)
def test_the_expected_error_is_that_of_the_covariance(
    pose_of: Callable[..., ScreenPose], scene_lens: SceneLens, place: tuple[float, float], seed: int
) -> None:
    covariance, rng = random_covariance(seed), np.random.default_rng(seed)
    found = pose_of(covariance=covariance).place(*place)
    ray, poses = np.array(scene_lens.ray(*place)), changed(covariance, rng)
    away = applied(np.linalg.inv(poses), ray) - found[:2]
    assert found.error_px == pytest.approx(math.sqrt(np.mean(np.sum(away**2, axis=1))), rel=0.04)
    seen = applied(poses, np.array(found[:2]))
    assert math.radians(found.error_deg) == pytest.approx(math.sqrt(np.mean(angle_rad(ray, seen) ** 2)), rel=0.04)


@pytest.mark.parametrize("place", PLACES)
def test_the_error_of_a_turn_adds_to_it(
    pose_of: Callable[..., ScreenPose], scene_lens: SceneLens, place: tuple[float, float]
) -> None:
    error_rad, rng = 0.002, np.random.default_rng(4)
    covariance = random_covariance(5)
    found = pose_of(covariance=covariance).place(*place, Turn((0.0, 0.0, 0.0), error_rad))
    x, y, z = rng.normal(0, error_rad, (3, SAMPLES))
    none = np.zeros(SAMPLES)
    turns = np.eye(3) + np.array([[none, -z, y], [z, none, -x], [-y, x, none]]).transpose(2, 0, 1)
    rays = applied(turns, np.array(scene_lens.ray(*place)))
    lifted = np.einsum("nij,nj->ni", np.linalg.inv(changed(covariance, rng)), np.column_stack([rays, none + 1]))
    away = lifted[:, :2] / lifted[:, 2:] - found[:2]
    assert found.error_px == pytest.approx(math.sqrt(np.mean(np.sum(away**2, axis=1))), rel=0.04)


def test_no_place_is_known_without_any_error(pose_of: Callable[..., ScreenPose]) -> None:
    """What no residual shows is stated, too: some hundredths of a scene px, which has 0.065 degrees."""
    for place in PLACES:
        assert 0.001 < pose_of().place(*place).error_deg < 0.01


@pytest.mark.parametrize("point", [(-9000.0, 400.0), (math.nan, 3.0), (3.0, math.inf), (1e300, 1e300)])
def test_no_place(pose_of: Callable[..., ScreenPose], point: tuple[float, float]) -> None:
    assert np.isnan(pose_of().place(*point)).all()
    assert np.isnan(pose_of().screen_from_scene(np.array([point]))).all()


def test_a_line_of_sight_that_leaves_the_plane_behind(pose_of: Callable[..., ScreenPose]) -> None:
    turned = cv2.Rodrigues(np.array([0.0, math.radians(50), 0.0]))[0] @ TurningHead(0.0, 0.001).ray_from_screen(0.0)
    pose = pose_of(turned)
    assert np.isnan(pose.place(10.0, 600.0)).all()
    assert np.isnan(pose.screen_from_scene(np.array([[10.0, 600.0]]))).all()
    assert np.isfinite(pose.place(1400.0, 600.0)[:2]).all()
    assert np.isnan(pose.place(1400.0, 600.0, Turn((0.0, -math.radians(80), 0.0), 0.0))).all()


def test_a_pose_of_one_tag_is_coarse(scene_lens: SceneLens) -> None:
    poses = [ScreenPose(scene_lens, fit_of(TILTED, np.zeros((8, 8)), tags), (7,)) for tags in ({3}, {3, 4})]
    assert [(pose.tag_count, pose.is_coarse) for pose in poses] == [(1, True), (2, False)]
    assert poses[0].duplicates == (7,)
    assert poses[0].reprojection_px == 0.1

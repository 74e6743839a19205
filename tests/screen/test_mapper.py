from __future__ import annotations

import numpy as np
import pytest
from judge import Floats, Look, Screen, View

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraCalibration, GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper, ScreenPose
from psychopy_neon.screen.modules import tag_picture
from psychopy_neon.simulator.settings import HeadPose

pytestmark = pytest.mark.once

MEDIAN_PX, P95_PX = 0.2, 0.8
"""The promise: errors of mapped gaze, screen px of a 1920 x 1080 screen."""
HEADS = {
    "straight": HeadPose(),
    "right": HeadPose(yaw_deg=15),
    "left": HeadPose(yaw_deg=-15),
    "up": HeadPose(pitch_deg=10),
    "down": HeadPose(pitch_deg=-8),
    "tilted": HeadPose(roll_deg=12),
    "all": HeadPose(x=0.2, y=-0.1, yaw_deg=-12, pitch_deg=6, roll_deg=-8),
    "beside": HeadPose(x=0.4, distance=1.2, yaw_deg=-20),
    "near": HeadPose(distance=0.8),
    "far": HeadPose(distance=1.8, yaw_deg=10, roll_deg=20),
}


def located(mapper: ScreenMapper, view: View) -> ScreenPose:
    pose = mapper.locate(view.luma)
    assert isinstance(pose, ScreenPose), pose
    return pose


def errors(pose: ScreenPose, view: View) -> Floats:
    screen, scene = view.grid()
    return np.linalg.norm(pose.screen_from_scene(scene) - screen, axis=1)


def expected_errors(pose: ScreenPose, view: View) -> Floats:
    return np.array([pose.place(x, y).error_px for x, y in view.grid()[1].tolist()])


def random_head(rng: np.random.Generator) -> HeadPose:
    x, y, yaw, pitch, roll = rng.uniform((-0.25, -0.2, -12, -8, -15), (0.25, 0.2, 12, 8, 15))
    return HeadPose(x=x, y=y, distance=rng.uniform(1.0, 1.8), yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)


def assert_promise(away: np.ndarray) -> None:
    assert np.median(away) <= MEDIAN_PX, np.median(away)
    assert np.percentile(away, 95) <= P95_PX, np.percentile(away, 95)


@pytest.mark.parametrize("damage", ["none", "noise", "h264"])
@pytest.mark.parametrize("name", HEADS)
def test_gaze_is_mapped_as_exactly_as_promised(
    look: Look, screen: Screen, mapper: ScreenMapper, name: str, damage: str
) -> None:
    rng = np.random.default_rng(3)
    view = look(screen[0], HEADS[name])
    view = {"none": lambda: view, "noise": lambda: view.noisy(rng), "h264": lambda: view.compressed(rng)}[damage]()
    pose = located(mapper, view)
    assert pose.tag_count >= 8
    assert pose.duplicates == ()
    assert pose.reprojection_px < 0.3
    assert_promise(errors(pose, view))


@pytest.mark.parametrize("heads", [12, pytest.param(400, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_heads_at_random(look: Look, screen: Screen, calibration: CameraCalibration, heads: int) -> None:
    rng = np.random.default_rng(4)
    away = []
    for _ in range(heads):
        view = look(screen[0], random_head(rng)).noisy(rng)
        away.append(errors(located(ScreenMapper(calibration, screen[1]), view), view))
    assert_promise(np.concatenate(away))


@pytest.mark.parametrize("heads", [25, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_expected_errors_are_honest(look: Look, screen: Screen, calibration: CameraCalibration, heads: int) -> None:
    """Ten frames of each head, with more or less noise and blur, and some tags covered."""
    image, layout = screen
    rng = np.random.default_rng(11)
    ratios = []
    for _ in range(heads):
        view = look(image, random_head(rng))
        for tag_id in rng.permutation(12)[: rng.integers(0, 8)].tolist():
            view = view.covered(layout.tags[tag_id][0] + rng.uniform(10, 60) + [[0, 0], [90, 0], [90, 90], [0, 90]])
        view = view.blurred(rng.uniform(0.3, 1.5))
        mapper = ScreenMapper(calibration, layout)
        for _ in range(10):
            pose = mapper.locate(view.noisy(rng, rng.uniform(1, 8)).luma)
            if isinstance(pose, ScreenPose):
                ratios.append(errors(pose, view) / expected_errors(pose, view))
    assert len(ratios) > 0.9 * 10 * heads  # the worst of them show too little for a pose
    ratio = np.concatenate(ratios)
    assert (ratio > 4).mean() < 0.01
    assert 0.3 < np.sqrt(np.mean(ratio**2)) < 1.3


def test_there_and_back(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    view = look(screen[0], HEADS["all"])
    pose = located(mapper, view)
    on_screen, _ = view.grid()
    np.testing.assert_allclose(pose.screen_from_scene(pose.scene_from_screen(on_screen)), on_screen, atol=1e-3)
    assert pose.screen_from_scene(np.empty((0, 2))).shape == (0, 2)


def test_a_place_beside_the_screen_is_mapped_too(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    view = look(screen[0], HeadPose(distance=1.8))
    beside = np.array([[-300.0, 540.0], [2200.0, 1200.0]])
    scene = view.camera.scene_from_screen(beside)
    np.testing.assert_allclose(located(mapper, view).screen_from_scene(scene), beside, atol=1.0)


def test_what_does_not_meet_the_plane_is_nan(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    pose = located(mapper, look(screen[0], HeadPose(x=-1.2, distance=1.0, yaw_deg=45)))
    assert np.isnan(pose.screen_from_scene(np.array([[-9000.0, 600.0]]))).all()  # no direction at all
    behind = pose.scene_from_screen(np.array([[-1e5, 540.0], [960.0, 540.0]]))
    assert np.isnan(behind[0]).all()
    assert np.isfinite(behind[1]).all()


def test_a_corner_of_the_screen_may_lie_behind_the_camera(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    view = look(screen[0], HeadPose(x=0.4, distance=0.15, yaw_deg=45))
    assert (view.camera.ray_from_screen @ [0, 0, 1])[2] < 0
    pose = located(mapper, view)
    for tag_id in pose.verified:
        corners = screen[1].tags[tag_id]
        scene = view.camera.scene_from_screen(corners)
        np.testing.assert_allclose(pose.screen_from_scene(scene), corners, atol=0.5)
    assert np.isnan(pose.scene_from_screen(np.zeros((1, 2)))).all()


@pytest.mark.parametrize("shift", [(4.0, 0.0), (60.0, -45.0), (700.0, 300.0)])
def test_a_wrong_entry_in_the_layout_does_no_harm(
    look: Look, screen: Screen, calibration: CameraCalibration, shift: tuple[float, float]
) -> None:
    image, layout = screen
    wrong = ScreenLayout(layout.size_px, {**layout.tags, 7: layout.tags[7] + shift})
    view = look(image, HEADS["tilted"]).noisy(np.random.default_rng(5))
    pose = located(ScreenMapper(calibration, wrong), view)
    assert pose.tag_count == 11
    assert_promise(errors(pose, view))


def test_exchanged_tags_do_no_harm(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    image, layout = screen
    exchanged = {**layout.tags, 0: layout.tags[11], 11: layout.tags[0], 3: layout.tags[6], 6: layout.tags[3]}
    view = look(image, HEADS["left"])
    pose = located(ScreenMapper(calibration, ScreenLayout(layout.size_px, exchanged)), view)
    assert_promise(errors(pose, view))


def test_a_tag_seen_twice_does_no_harm(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    image = screen[0].copy()
    image[480:600, 900:1020] = tag_picture(2, 12)[:, :, np.newaxis]
    view = look(image)
    pose = located(mapper, view)
    assert (pose.duplicates, pose.tag_count) == ((2,), 11)
    assert_promise(errors(pose, view))


def told_and_true(
    look: Look, screen: Screen, calibration: CameraCalibration, kept: tuple[int, ...]
) -> tuple[Floats, Floats, Floats]:
    """By some tags alone, for several heads: places on the screen, their errors, and what was expected."""
    image, layout = screen
    few = ScreenLayout(layout.size_px, {tag_id: layout.tags[tag_id] for tag_id in kept})
    rng, found = np.random.default_rng(12), []
    for _ in range(8):
        yaw, pitch, roll = rng.uniform(-6, 6, 3)
        view = look(image, HeadPose(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)).noisy(rng)
        pose = located(ScreenMapper(calibration, few), view)
        assert pose.tags == set(kept)
        assert pose.is_coarse == (len(kept) == 1)
        found.append((view.grid()[0], errors(pose, view), expected_errors(pose, view)))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


@pytest.mark.parametrize("kept", [(0, 1, 2, 3, 4), (0, 11), (5, 6)])
def test_few_tags_are_enough(look: Look, screen: Screen, calibration: CameraCalibration, kept: tuple[int, ...]) -> None:
    _, away, expected = told_and_true(look, screen, calibration, kept)
    assert np.median(away) < 3
    assert (away > 4 * expected).mean() < 0.05
    assert np.sqrt(np.mean((away / expected) ** 2)) < 1.5


def test_one_tag_is_coarse_far_away_and_good_nearby(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    on_screen, away, expected = told_and_true(look, screen, calibration, (0,))
    distance = np.linalg.norm(on_screen - screen[1].tags[0].mean(axis=0), axis=1)
    assert np.median(away[distance < 150]) < 1.0
    assert np.median(away[distance > 1000]) > 5
    assert (away > 4 * expected).mean() < 0.1
    rings = [
        expected[(distance >= low) & (distance < high)].mean() for low, high in ((0, 150), (150, 600), (600, 2000))
    ]
    assert rings[0] < 1.0
    assert rings[1] > 5 * rings[0]
    assert rings[2] > 3 * rings[1]


def test_no_tag_is_tags_lost(look: Look, screen: Screen, calibration: CameraCalibration, mapper: ScreenMapper) -> None:
    image, layout = screen
    assert mapper.locate(np.full((1200, 1600), 70, np.uint8)) is GazeReason.TAGS_LOST
    others = ScreenLayout(layout.size_px, {tag_id + 100: corners for tag_id, corners in layout.tags.items()})
    assert ScreenMapper(calibration, others).locate(look(image).luma) is GazeReason.TAGS_LOST
    assert mapper.locate(look(image, HeadPose(yaw_deg=120)).luma) is GazeReason.TAGS_LOST


def test_tags_that_contradict_each_other_are_implausible(
    look: Look, screen: Screen, calibration: CameraCalibration
) -> None:
    image, layout = screen
    luma = look(image).luma
    two = ScreenLayout(layout.size_px, {0: layout.tags[0], 4: layout.tags[4] - (500, -300)})
    assert ScreenMapper(calibration, two).locate(luma) is GazeReason.IMPLAUSIBLE
    shifts = {tag_id: (3000, 0) if tag_id % 2 else (0, 0) for tag_id in layout.tags}
    halves = ScreenLayout(layout.size_px, {each: corners + shifts[each] for each, corners in layout.tags.items()})
    assert ScreenMapper(calibration, halves).locate(luma) is GazeReason.IMPLAUSIBLE


def test_covered_tags_count_as_far_as_they_are_seen(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    image, layout = screen
    view = look(image, HEADS["tilted"])
    for tag_id in (0, 2, 6, 8):
        view = view.covered(layout.tags[tag_id][0] + [[-14, -14], [110, -14], [110, 50], [-14, 50]])
    for damaged in (view, view.noisy(np.random.default_rng(8))):  # searched, then followed
        pose = located(mapper, damaged)
        assert pose.tags == set(range(12))
        assert pose.verified == set(range(12)) - {0, 2, 6, 8}
        assert_promise(errors(pose, view))


def test_several_screens_are_located_apart(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    """The tags of one screen, as if they belonged to two, of which the second counts its px from the middle."""
    image, layout = screen
    middle = np.array([960, 0])
    left, right = (
        {each: place for each, place in layout.tags.items() if (place < middle)[:, 0].all() == is_left}
        for is_left in (True, False)
    )
    second = ScreenLayout((960, 1080), {each: place - middle for each, place in right.items()})
    mapper = ScreenMapper(calibration, ScreenLayout((960, 1080), left), second)
    view = look(image, HEADS["tilted"])
    on_screen, scene = view.grid()
    for _ in range(2):
        one, other = mapper.locate_all(view.luma)
        assert np.median(np.linalg.norm(one.screen_from_scene(scene) - on_screen, axis=1)) < 0.5
        assert np.median(np.linalg.norm(other.screen_from_scene(scene) + middle - on_screen, axis=1)) < 0.5
    hidden = view.covered([[960, -20], [1940, -20], [1940, 1100], [960, 1100]])
    one, other = mapper.locate_all(hidden.luma)
    assert (isinstance(one, ScreenPose), other) == (True, GazeReason.TAGS_LOST)
    with pytest.raises(ConfigurationError, match="ids"):
        ScreenMapper(calibration, layout, ScreenLayout((960, 1080), left))

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from judge import Image, View

from psychopy_neon.samples import CameraCalibration, GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper, ScreenPose
from psychopy_neon.screen.tags import tag_picture
from psychopy_neon.simulator.settings import HeadPose

pytestmark = pytest.mark.once

Look = Callable[..., View]
Screen = tuple[Image, ScreenLayout]

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


@pytest.fixture
def mapper(calibration: CameraCalibration, screen: Screen) -> ScreenMapper:
    return ScreenMapper(calibration, screen[1])


def located(mapper: ScreenMapper, view: View) -> ScreenPose:
    pose = mapper.locate(view.luma)
    assert isinstance(pose, ScreenPose), pose
    return pose


def errors(pose: ScreenPose, view: View) -> np.ndarray:
    screen, scene = view.grid()
    return np.linalg.norm(pose.screen_from_scene(scene) - screen, axis=1)


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
def test_heads_at_random(look: Look, screen: Screen, mapper: ScreenMapper, heads: int) -> None:
    rng = np.random.default_rng(4)
    away = []
    for _ in range(heads):
        x, y, yaw, pitch, roll = rng.uniform((-0.25, -0.2, -12, -8, -15), (0.25, 0.2, 12, 8, 15))
        head = HeadPose(x=x, y=y, distance=rng.uniform(1.0, 1.8), yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
        view = look(screen[0], head).noisy(rng)
        away.append(errors(located(mapper, view), view))
    assert_promise(np.concatenate(away))


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


@pytest.mark.parametrize("kept", [(0, 1, 2, 3, 4), (0, 11), (5, 6)])
def test_few_tags_are_enough(look: Look, screen: Screen, calibration: CameraCalibration, kept: tuple[int, ...]) -> None:
    image, layout = screen
    view = look(image)
    pose = located(
        ScreenMapper(calibration, ScreenLayout(layout.size_px, {tag_id: layout.tags[tag_id] for tag_id in kept})), view
    )
    assert pose.tag_count == len(kept)
    assert np.median(errors(pose, view)) < 2


def test_one_tag_is_coarse_far_away_and_good_nearby(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    image, layout = screen
    view = look(image)
    pose = located(ScreenMapper(calibration, ScreenLayout(layout.size_px, {0: layout.tags[0]})), view)
    assert pose.tag_count == 1
    on_screen, scene = view.grid()
    away = np.linalg.norm(pose.screen_from_scene(scene) - on_screen, axis=1)
    assert away[np.linalg.norm(on_screen, axis=1) < 200].max() < 1.0
    assert away.max() > 5


def test_no_tag_is_tags_lost(look: Look, screen: Screen, calibration: CameraCalibration, mapper: ScreenMapper) -> None:
    image, layout = screen
    assert mapper.locate(np.full((1200, 1600), 70, np.uint8)) is GazeReason.TAGS_LOST
    others = ScreenLayout(layout.size_px, {tag_id + 100: corners for tag_id, corners in layout.tags.items()})
    assert ScreenMapper(calibration, others).locate(look(image).luma) is GazeReason.TAGS_LOST
    assert mapper.locate(look(image, HeadPose(yaw_deg=120)).luma) is GazeReason.TAGS_LOST


def test_tags_that_contradict_each_other_are_too_few(
    look: Look, screen: Screen, calibration: CameraCalibration
) -> None:
    image, layout = screen
    luma = look(image).luma
    two = ScreenLayout(layout.size_px, {0: layout.tags[0], 4: layout.tags[4] - (500, -300)})
    assert ScreenMapper(calibration, two).locate(luma) is GazeReason.TOO_FEW_TAGS
    shifts = {tag_id: (3000, 0) if tag_id % 2 else (0, 0) for tag_id in layout.tags}
    halves = ScreenLayout(layout.size_px, {each: corners + shifts[each] for each, corners in layout.tags.items()})
    assert ScreenMapper(calibration, halves).locate(luma) is GazeReason.TOO_FEW_TAGS


def test_the_same_frame_gives_the_same_pose(
    look: Look, screen: Screen, mapper: ScreenMapper, calibration: CameraCalibration
) -> None:
    view = look(screen[0], HEADS["far"]).noisy(np.random.default_rng(6))
    places = view.grid()[1]
    first, second = (
        located(each, view).screen_from_scene(places) for each in (mapper, ScreenMapper(calibration, screen[1]))
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(located(mapper, view).screen_from_scene(places), first, atol=0.3)
    assert mapper.searched == 1


def test_tags_are_followed_while_the_head_turns_slowly(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    rng = np.random.default_rng(7)
    for frame in range(18):  # 0.1 degrees a frame are 3 degrees a second
        view = look(screen[0], HeadPose(yaw_deg=0.1 * frame, roll_deg=-0.1 * frame)).noisy(rng)
        assert_promise(errors(located(mapper, view), view))
    assert mapper.searched == 2


def test_a_head_that_jumps_is_found_by_searching(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    for head in (HeadPose(), HeadPose(yaw_deg=4), HeadPose(yaw_deg=-2), HeadPose(roll_deg=3)):
        view = look(screen[0], head)
        assert_promise(errors(located(mapper, view), view))
    assert mapper.searched == 4


@pytest.mark.parametrize("change", ["other ids", "gone"])
def test_what_stands_where_a_tag_was_must_look_like_it(
    look: Look, screen: Screen, mapper: ScreenMapper, change: str
) -> None:
    located(mapper, look(screen[0]))
    image = screen[0].copy()
    for tag_id, corners in screen[1].tags.items():
        left, top = corners[0].astype(int)
        right, bottom = corners[2].astype(int)
        other = tag_picture(100 + tag_id, (right - left) // 8)
        margin = (len(other) - (right - left)) // 2
        image[top:bottom, left:right] = other[margin:-margin, margin:-margin, None] if change == "other ids" else 0
    assert mapper.locate(look(image).luma) is GazeReason.TAGS_LOST

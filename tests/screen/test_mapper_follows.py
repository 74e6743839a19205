"""Frame after frame: where tags are looked for, and how often a whole frame is searched."""

from __future__ import annotations

from itertools import pairwise, takewhile

import numpy as np
import pytest
from judge import Floats, Look, Screen, View

from psychopy_neon.samples import CameraCalibration, GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import BAND_EVERY, BANDS, REMEMBERED, SEARCH_EVERY, ScreenMapper, ScreenPose
from psychopy_neon.screen.modules import tag_picture
from psychopy_neon.simulator.lens import head_rotation
from psychopy_neon.simulator.settings import HeadPose

pytestmark = pytest.mark.once

P95_PX = 0.8
"""As in the promise of ``test_mapper.py``."""


def located(mapper: ScreenMapper, view: View, turned: Floats | None = None) -> ScreenPose:
    pose = mapper.locate(view.luma, turned)
    assert isinstance(pose, ScreenPose), pose
    screen, scene = view.grid()
    away = np.linalg.norm(pose.screen_from_scene(scene) - screen, axis=1)
    assert np.percentile(away, 95) <= P95_PX
    return pose


def test_tags_are_followed_while_the_head_turns_slowly(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    rng = np.random.default_rng(7)
    for frame in range(12):  # 0.1 degrees a frame are 3 degrees a second
        view = look(screen[0], HeadPose(yaw_deg=0.1 * frame, roll_deg=-0.1 * frame)).noisy(rng)
        assert located(mapper, view).tag_count == 12
    assert mapper.searched == 1


def test_a_head_that_turns_unforeseen_is_found_in_windows(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    for head in (HeadPose(), HeadPose(yaw_deg=3), HeadPose(yaw_deg=-1), HeadPose(roll_deg=3), HeadPose(pitch_deg=3)):
        located(mapper, look(screen[0], head))
    assert mapper.searched == 1


@pytest.mark.parametrize("frames", [30, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("jump_deg", [2, 5])
def test_wherever_a_head_jumps_what_is_told_is_true(
    look: Look, screen: Screen, mapper: ScreenMapper, jump_deg: float, frames: int
) -> None:
    """Half followed, half lost, tags covered: rather a reason than a pose that rests on edges of something else."""
    rng, angles = np.random.default_rng(jump_deg), np.zeros(3)
    for frame in range(frames):
        angles = np.clip(angles + rng.normal(0, jump_deg, 3), (-9, -7, -14), (9, 7, 14))
        view = look(screen[0], HeadPose(yaw_deg=angles[0], pitch_deg=angles[1], roll_deg=angles[2]))
        for tag_id in rng.permutation(12)[: 5 * (frame % 2)].tolist():
            hand = rng.uniform(-10, 50) + np.array([[0, 0], [90, 0], [90, 90], [0, 90]])
            view = view.covered(screen[1].tags[tag_id][0] + hand)
        pose = mapper.locate(view.noisy(rng).luma)
        if isinstance(pose, ScreenPose):
            on_screen, scene = view.grid()
            away = np.linalg.norm(pose.screen_from_scene(scene) - on_screen, axis=1)
            expected = np.array([pose.place(x, y).error_px for x, y in scene[::10].tolist()])
            assert (away[::10] < 6 * expected).all()


def test_a_head_that_goes_on_turning_evenly_is_foreseen(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    """Beyond what windows reach, from one frame to the next but one."""
    for yaw_deg in (0, 2, 5, 9):
        located(mapper, look(screen[0], HeadPose(yaw_deg=yaw_deg)))
    assert mapper.searched == 1


def test_the_gyroscope_tells_where_to_look(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    heads = [HeadPose(), HeadPose(yaw_deg=9, pitch_deg=4, roll_deg=8), HeadPose(yaw_deg=-5)]
    located(mapper, look(screen[0], heads[0]))
    for before, after in pairwise(heads):
        turned = head_rotation(after) @ head_rotation(before).T
        located(mapper, look(screen[0], after), turned)
    assert mapper.searched == 1


def test_whole_frames_are_searched_at_most_once_in_ten(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    """A head that jumps farther than anybody can follow; bands of the frame find it meanwhile."""
    heads = [HeadPose(yaw_deg=-9), HeadPose(yaw_deg=9), HeadPose(pitch_deg=-9), HeadPose(pitch_deg=8, roll_deg=20)]
    frames = 0
    for head in heads:
        view = look(screen[0], head)
        lost = takewhile(lambda pose: not isinstance(pose, ScreenPose), (mapper.locate(view.luma) for _ in range(99)))
        waited = len(list(lost))
        assert waited < SEARCH_EVERY
        for _ in range(2):
            located(mapper, view)
        frames += waited + 3
    assert mapper.searched <= 1 + frames / SEARCH_EVERY


def test_without_tags_whole_frames_are_searched_once_in_ten(mapper: ScreenMapper) -> None:
    wall = np.full((1200, 1600), 90, np.uint8)
    assert {mapper.locate(wall) for _ in range(4 * SEARCH_EVERY)} == {GazeReason.TAGS_LOST}
    assert mapper.searched == 4


def test_tags_that_come_back_are_found_within_ten_frames(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    away = look(screen[0], HeadPose(yaw_deg=120))
    for head in (HeadPose(), HeadPose(yaw_deg=10, roll_deg=-20)):
        for _ in range(12):
            assert mapper.locate(away.luma) is GazeReason.TAGS_LOST
        results = [mapper.locate(look(screen[0], head).luma) for _ in range(SEARCH_EVERY)]
        assert isinstance(results[-1], ScreenPose)
        located(mapper, look(screen[0], head))


def test_a_screen_found_again_is_not_taken_from_an_old_pose(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    """A short loss, as by a hand: the pose goes on from where it was, and is as good as before."""
    view = look(screen[0])
    located(mapper, view)
    width, height = screen[1].size_px
    hand = view.covered([[-40, -40], [width + 40, -40], [width + 40, height + 40], [-40, height + 40]])
    for _ in range(3):
        assert mapper.locate(hand.luma) is GazeReason.TAGS_LOST
    located(mapper, look(screen[0], HeadPose(yaw_deg=1)))
    assert mapper.searched == 1


def test_a_pose_of_one_tag_takes_in_the_others_when_they_are_seen(
    look: Look, screen: Screen, mapper: ScreenMapper
) -> None:
    """It knows little of where they are."""
    view = look(screen[0], HeadPose(distance=1.2, yaw_deg=4, roll_deg=-5))
    hidden = view
    for tag_id in range(11):
        hidden = hidden.covered(screen[1].outlines[tag_id])
    for _ in range(3):
        assert mapper.locate(hidden.luma).tags == {11}
    for _ in range(3):
        pose = mapper.locate(view.luma)
    assert pose.tags == set(range(12))
    assert mapper.searched == 1


def test_a_tag_shown_a_second_time_is_noticed_and_later_used_again(
    look: Look, screen: Screen, mapper: ScreenMapper
) -> None:
    """It appears elsewhere while the screen is followed, where nobody looks but the band of the day."""
    alone = look(screen[0])
    image = screen[0].copy()
    image[480:600, 900:1020] = tag_picture(2, 12)[:, :, np.newaxis]
    twice = look(image)
    located(mapper, alone)
    before = takewhile(lambda pose: not pose.duplicates, (mapper.locate(twice.luma) for _ in range(999)))
    assert len(list(before)) <= BANDS * BAND_EVERY
    pose = located(mapper, twice)
    assert (pose.duplicates, pose.tags) == ((2,), set(range(12)) - {2})
    for _ in range(REMEMBERED + 1):
        pose = mapper.locate(alone.luma)
    assert (pose.duplicates, pose.tags) == ((), set(range(12)))
    assert mapper.searched == 1


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


def test_the_same_frame_gives_the_same_pose(
    look: Look, screen: Screen, mapper: ScreenMapper, calibration: CameraCalibration
) -> None:
    view = look(screen[0], HeadPose(distance=1.8, yaw_deg=10, roll_deg=20)).noisy(np.random.default_rng(6))
    places = view.grid()[1]
    first, second = (
        located(each, view).screen_from_scene(places) for each in (mapper, ScreenMapper(calibration, screen[1]))
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(located(mapper, view).screen_from_scene(places), first, atol=0.3)
    assert mapper.searched == 1


def test_a_screen_that_is_there_twice_is_no_screen(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    """An experimenter's monitor beside it shows the same: nobody knows which of the two is meant."""
    image, layout = screen
    three = ScreenLayout(layout.size_px, {tag_id: layout.tags[tag_id] for tag_id in (0, 4, 7)})
    twice = image.copy()
    for number, tag_id in enumerate(three.tags):
        picture = tag_picture(tag_id, 12)
        left = 400 + 300 * number
        twice[400 : 400 + len(picture), left : left + len(picture)] = picture[:, :, np.newaxis]
    mapper = ScreenMapper(calibration, three)
    assert mapper.locate(look(twice).luma) is GazeReason.IMPLAUSIBLE
    for _ in range(3):
        assert isinstance(mapper.locate(look(twice).luma), GazeReason)

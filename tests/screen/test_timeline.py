"""Gaze and poses at their times. The mapper is one that is told what it finds, so no pictures are needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from judge import Floats, TurningHead

from psychopy_neon.samples import GazeReason, PoseTiming
from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.fit import Fit
from psychopy_neon.screen.layout import ScreenLayout, border_layout
from psychopy_neon.screen.motion import CAMERA_FROM_SENSOR, HeadMotion
from psychopy_neon.screen.pose import ScreenPose
from psychopy_neon.screen.timeline import KEPT, Placed, PoseTimeline

START_NS = 1_700_000_000 * 10**9
SIZE_PX = (1920, 1080)
LAYOUT = border_layout(SIZE_PX)
TARGET = (700.0, 300.0)
LUMA = np.zeros((4, 4), np.uint8)
FRAME_S = 1 / 30


def ns(at_s: float) -> int:
    return START_NS + round(at_s * 1e9)


class ToldMapper:
    """Finds what it is told."""

    def __init__(self, *layouts: ScreenLayout) -> None:
        self.layouts = layouts
        self.next: tuple[ScreenPose | GazeReason, ...] = ()
        self.turned: list[Floats | None] = []

    def locate_all(self, luma: np.ndarray, turned: Floats | None = None) -> tuple[ScreenPose | GazeReason, ...]:
        self.turned.append(turned)
        return self.next


class World:
    """A turning head, its gyroscope and its frames, fed into a timeline."""

    def __init__(self, lens: SceneLens, peak_dps: float = 40.0, has_gyro: bool = True, max_age_s: float = 0.2) -> None:
        self.lens = lens
        self.head = TurningHead(peak_dps, 3.0)
        self.mapper = ToldMapper(LAYOUT)
        self.motion = HeadMotion()
        self.line = PoseTimeline(self.mapper, self.motion, max_age_s=max_age_s)
        if has_gyro:
            for at_s in np.arange(0.0, 3.0, 1 / 110).tolist():
                x, y, z = np.rad2deg(CAMERA_FROM_SENSOR.T @ self.head.rate_rad_s(at_s)).tolist()
                self.motion.add(ns(at_s), (x, y, z))

    def pose(self, at_s: float, tags: Sequence[int] = range(4), before: Floats | None = None) -> ScreenPose:
        """``before``: where this screen is, on the plane of the first; shape (3, 3)."""
        ray_from_screen = self.head.ray_from_screen(at_s) @ (np.eye(3) if before is None else before)
        fit = Fit(ray_from_screen, np.eye(8) * 1e-12, 0.1, frozenset(tags), frozenset(tags))
        return ScreenPose(self.lens, fit)

    def frame(self, at_s: float, *found: ScreenPose | GazeReason) -> None:
        """Without a finding, the true pose."""
        self.mapper.next = found or (self.pose(at_s),)
        self.line.add_frame(ns(at_s), LUMA)

    def frames(self, first_s: float, count: int) -> list[float]:
        times = [first_s + number * FRAME_S for number in range(count)]
        for at_s in times:
            self.frame(at_s)
        return times

    def gaze(self, at_s: float, target: tuple[float, float] = TARGET) -> tuple[float, float]:
        """Scene px of a place on the screen at a time."""
        x, y = self.pose(at_s).scene_from_screen(np.array([target]))[0].tolist()
        return x, y

    def live(self, at_s: float, target: tuple[float, float] = TARGET) -> Placed | GazeReason:
        return self.line.live(*self.gaze(at_s, target), ns(at_s))

    def later(self, at_s: float, target: tuple[float, float] = TARGET) -> Placed | GazeReason | None:
        return self.line.later(*self.gaze(at_s, target), ns(at_s))


def away_px(placed: Placed | GazeReason | None, target: tuple[float, float] = TARGET) -> float:
    assert isinstance(placed, Placed), placed
    return float(np.hypot(placed.place.x - target[0], placed.place.y - target[1]))


@pytest.fixture
def world(scene_lens: SceneLens) -> World:
    return World(scene_lens)


def test_nothing_before_the_first_frame(world: World) -> None:
    assert world.line.newest is None
    assert world.live(0.5) is GazeReason.NO_SCENE
    assert world.later(0.5) is None


def test_live_the_newest_pose_is_carried_by_the_gyroscope(world: World) -> None:
    world.frames(0.5, 6)
    last_s = 0.5 + 5 * FRAME_S
    for age_s in (0.0, 0.02, 0.06, 0.15):
        placed = world.live(last_s + age_s)
        held = world.line.newest.poses[0].place(*world.gaze(last_s + age_s))
        assert placed.timing is PoseTiming.CARRIED
        assert placed.pose_age_s == pytest.approx(age_s, abs=1e-8)
        assert placed.pose is world.line.newest.poses[0]
        assert away_px(placed) < 1.0
        assert away_px(placed) < 4 * placed.place.error_px
        if age_s > 0.05:
            assert np.hypot(held.x - TARGET[0], held.y - TARGET[1]) > 20  # without carrying
    errors_px = [world.live(last_s + age_s).place.error_px for age_s in (0.0, 0.02, 0.06, 0.15)]
    assert errors_px == sorted(errors_px)


def test_gaze_from_before_the_frame_is_carried_backward(world: World) -> None:
    world.frames(0.5, 3)
    placed = world.live(0.5 + 2 * FRAME_S - 0.03)
    assert (placed.timing, placed.pose_age_s < 0) == (PoseTiming.CARRIED, True)
    assert away_px(placed) < 0.5


def test_without_a_gyroscope_the_turning_of_before_goes_on(scene_lens: SceneLens) -> None:
    world = World(scene_lens, has_gyro=False)
    world.frame(0.5)
    unknown = world.live(0.53)
    assert unknown.timing is PoseTiming.EXTRAPOLATED
    assert unknown.place.error_px > 10  # nobody knows how fast the head turns
    world.frames(0.5 + FRAME_S, 4)
    last_s = 0.5 + 4 * FRAME_S
    for age_s in (0.01, 0.03, 0.06):
        placed = world.live(last_s + age_s)
        held = world.line.newest.poses[0].place(*world.gaze(last_s + age_s))
        assert placed.timing is PoseTiming.EXTRAPOLATED
        assert away_px(placed) < np.hypot(held.x - TARGET[0], held.y - TARGET[1]) / 2
        assert away_px(placed) < 4 * placed.place.error_px


def test_later_is_none_until_the_frame_after_has_come(world: World) -> None:
    world.frames(0.5, 3)
    last_s = 0.5 + 2 * FRAME_S
    assert world.later(last_s + 0.001) is None
    at_s = last_s + 0.7 * FRAME_S
    assert world.later(at_s) is None
    world.frame(last_s + FRAME_S)
    placed = world.later(at_s)
    assert placed.timing is PoseTiming.INTERPOLATED
    assert placed.pose is world.line.newest.poses[0]  # the nearer one
    assert placed.pose_age_s == pytest.approx(-0.3 * FRAME_S, abs=1e-8)
    assert away_px(placed) < 0.1


@pytest.mark.parametrize("has_gyro", [True, False])
def test_later_is_better_than_live(scene_lens: SceneLens, has_gyro: bool) -> None:
    """With a gyroscope that shows 1.5 degrees a second at rest, and with none."""
    world = World(scene_lens, has_gyro=False)
    if has_gyro:
        for at_s in np.arange(0.0, 3.0, 1 / 110).tolist():
            rate = np.rad2deg(CAMERA_FROM_SENSOR.T @ world.head.rate_rad_s(at_s)) + np.array([0.9, -0.9, 0.8])
            world.motion.add(ns(at_s), tuple(rate.tolist()))
    times = np.arange(0.5, 0.9, 0.005)
    live, later, stated, frame_s = [], [], [], 0.35
    for at_s in times.tolist():
        while frame_s + FRAME_S < at_s - 0.04:  # frames are 40 ms late
            frame_s += FRAME_S
            world.frame(frame_s)
        live.append(away_px(world.live(at_s)))
    world.frames(frame_s + FRAME_S, 4)
    for at_s in times.tolist():
        placed = world.later(at_s)
        assert placed.timing is PoseTiming.INTERPOLATED
        later.append(away_px(placed))
        stated.append(placed.place.error_px)
    assert np.median(later) < np.median(live) / 4
    assert (np.array(later) < 4 * np.array(stated)).all()


def test_the_mapper_is_told_how_the_camera_turned(world: World) -> None:
    world.frames(0.5, 2)
    first, second = world.mapper.turned
    assert first is None
    truth = world.head.rotation(0.5 + FRAME_S) @ world.head.rotation(0.5).T
    np.testing.assert_allclose(second, truth, atol=1e-4)


def test_an_old_scene_is_said_to_be_old(scene_lens: SceneLens) -> None:
    world = World(scene_lens, max_age_s=0.1)
    world.frames(0.5, 3)
    last_s = 0.5 + 2 * FRAME_S
    assert isinstance(world.live(last_s + 0.099), Placed)
    assert world.live(last_s + 0.101) is GazeReason.SCENE_STALE
    assert world.live(last_s - 0.2 - 0.101) is GazeReason.SCENE_STALE  # gaze from before all of it


@pytest.mark.parametrize("reason", [GazeReason.TAGS_LOST, GazeReason.IMPLAUSIBLE, GazeReason.TOO_FEW_TAGS])
def test_lost_tags_are_bridged_for_a_stated_time(world: World, reason: GazeReason) -> None:
    world.frames(0.5, 3)
    seen_s = 0.5 + 2 * FRAME_S
    for number in range(1, 9):
        at_s = seen_s + number * FRAME_S
        world.frame(at_s, reason)
        placed = world.live(at_s)
        if at_s - seen_s < world.line.max_age_s:
            assert away_px(placed) < 1.5
            assert placed.pose_age_s == pytest.approx(at_s - seen_s, abs=1e-8)
            assert placed.timing is PoseTiming.CARRIED
        else:
            assert placed is reason
    # For the file, too: there is no pose after, so the one before is carried.
    assert world.later(seen_s + 0.5 * FRAME_S).timing is PoseTiming.CARRIED


def test_gaze_between_frames_that_are_far_apart_is_carried(world: World) -> None:
    world.frames(0.5, 2)
    world.frame(1.0)
    early, late = world.later(0.6), world.later(0.95)
    assert [placed.timing for placed in (early, late)] == [PoseTiming.CARRIED] * 2
    assert late.pose_age_s == pytest.approx(-0.05, abs=1e-8)
    assert early.pose_age_s == pytest.approx(0.6 - 0.5 - FRAME_S, abs=1e-8)
    assert world.later(0.78) is GazeReason.SCENE_STALE


def test_gaze_that_meets_no_screen(world: World) -> None:
    world.frames(0.5, 3)
    at_ns = ns(0.5 + FRAME_S)
    for x, y in ((-9000.0, 400.0), (np.nan, 600.0)):
        assert world.line.live(x, y, at_ns) is GazeReason.OUT_OF_VIEW
        assert world.line.later(x, y, at_ns) is GazeReason.OUT_OF_VIEW


def test_gaze_lies_on_one_of_several_screens(scene_lens: SceneLens) -> None:
    """The second stands right of the first; its px begin anew there."""
    world = World(scene_lens)
    world.mapper = ToldMapper(LAYOUT, border_layout((800, 600), first_id=50, tag_px=60))
    world.line = PoseTimeline(world.mapper, world.motion)
    right = np.array([[1, 0, 2000], [0, 1, 200], [0, 0, 1.0]])
    for number in range(3):
        at_s = 0.5 + number * FRAME_S
        world.frame(at_s, world.pose(at_s), world.pose(at_s, before=right))
    at_s = 0.5 + 1.4 * FRAME_S
    for placed in (world.later(at_s, (2300.0, 500.0)), world.live(at_s, (2300.0, 500.0))):
        assert placed.screen == 1
        assert away_px(placed, (300.0, 300.0)) < 1
    on_first = world.later(at_s)
    assert (on_first.screen, away_px(on_first) < 1) == (0, True)
    beside = world.later(at_s, (1960.0, 500.0))
    assert (beside.screen, away_px(beside, (1960.0, 500.0)) < 1) == (0, True)
    # One that is not seen takes nothing from the other.
    at_s = 0.5 + 3 * FRAME_S
    world.frame(at_s, GazeReason.TAGS_LOST, world.pose(at_s, before=right))
    assert world.live(at_s, (2300.0, 500.0)).screen == 1


def test_a_clock_that_is_set_back_begins_anew(world: World) -> None:
    world.frames(1.0, 5)
    world.frames(0.5, 3)
    assert world.line.newest.device_ns == ns(0.5 + 2 * FRAME_S)
    assert away_px(world.live(0.5 + 2 * FRAME_S + 0.02)) < 1
    assert world.live(1.1) is GazeReason.SCENE_STALE
    assert world.later(1.1) is None
    between = world.later(0.5 + 0.5 * FRAME_S)
    assert between.timing is PoseTiming.INTERPOLATED
    assert away_px(between) < 0.1


def test_a_whole_trial_can_be_fetched_at_its_end(world: World) -> None:
    times = world.frames(0.1, 80)
    for at_s in (times[0] + 0.5 * FRAME_S, times[40] + 0.2 * FRAME_S, times[-1] - 0.3 * FRAME_S):
        placed = world.later(at_s)
        assert placed.timing is PoseTiming.INTERPOLATED
        assert away_px(placed) < 0.1


def test_old_frames_are_forgotten(world: World) -> None:
    step_s = 0.002
    for number in range(KEPT + 10):
        world.frame(0.1 + number * step_s)
    assert world.later(0.1 + 10.5 * step_s).timing is PoseTiming.INTERPOLATED
    assert world.later(0.1 + 8.5 * step_s).timing is PoseTiming.CARRIED  # back from the oldest that is left


def test_coarse_poses_teach_nothing(world: World) -> None:
    before = world.motion.model
    for number in range(6):
        at_s = 0.5 + number * FRAME_S
        world.frame(at_s, world.pose(at_s, tags=[3]))
    assert world.motion.model == before
    assert world.line.newest.turn_rad_s is None
    world.frames(0.9, 3)
    assert world.motion.model != before
    np.testing.assert_allclose(world.line.newest.turn_rad_s, world.head.rate_rad_s(0.9 + 1.5 * FRAME_S), atol=0.02)

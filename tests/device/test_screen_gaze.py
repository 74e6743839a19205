"""Gaze on the screen, from the simulated glasses to screen px, and every reason why there is none."""

import dataclasses
import time
from contextlib import ExitStack

import numpy as np
import pytest

from psychopy_neon import Neon, ScreenGazeTracker, ScreenLayout
from psychopy_neon.device import screen_gaze
from psychopy_neon.errors import ConfigurationError, NeonError
from psychopy_neon.samples import GazeReason, PoseTiming, ScreenGaze
from psychopy_neon.simulator import HeadPose, SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.factory import INVISIBLE_CROP, factory_calibration
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.screens import StillScreen
from psychopy_neon.wire.calibration import encode_calibration

pytestmark = pytest.mark.once

IMAGE, TAGS = synthetic_screen()
LAYOUT = ScreenLayout((1920, 1080), TAGS)
OTHERS = ScreenLayout((1920, 1080), {tag_id + 50: corners for tag_id, corners in TAGS.items()})
LIMIT_S = 20.0


@pytest.fixture
def simulate():
    """Starts simulated glasses before a screen, and a client of theirs."""
    with ExitStack() as stack:

        def simulate(image=IMAGE, **settings):
            sim = SimulatedNeon(SimulatorSettings(**{"scene_fps": 15, **settings}), StillScreen(image))
            stack.enter_context(sim)
            return sim, stack.enter_context(Neon(sim.address))

        yield simulate


def wait_for(tracker: ScreenGazeTracker, is_it, what: str) -> ScreenGaze:
    end = time.monotonic() + LIMIT_S
    while not is_it(gaze := tracker.latest()):
        assert time.monotonic() < end, f"no {what}, but {gaze}"
        time.sleep(0.005)
    return gaze


def wait_for_position(tracker: ScreenGazeTracker) -> ScreenGaze:
    return wait_for(tracker, lambda gaze: gaze.pos is not None, "position")


def wait_for_reason(tracker: ScreenGazeTracker, reason: GazeReason) -> ScreenGaze:
    gaze = wait_for(tracker, lambda gaze: gaze.reason is reason, reason.name)
    assert (gaze.pos, gaze.is_on_screen, gaze.quality) == (None, False, None)
    return gaze


def away_px(gaze: ScreenGaze, place: tuple[float, float]) -> float:
    return float(np.hypot(gaze.pos[0] - place[0], gaze.pos[1] - place[1]))


def truths(sim: SimulatedNeon) -> dict[int, tuple[float, float]]:
    """Places looked at by device time."""
    return {each["device_ns"]: (each["screen_x"], each["screen_y"]) for each in sim.truth.records("gaze")}


# Places


def test_a_gaze_at_rest_is_mapped_to_a_fraction_of_a_pixel(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    wait_for_position(tracker)
    for place in [(960.0, 540.0), (300.0, 250.0), (1700.0, 900.0)]:
        sim.look_at(*place)
        # Times of samples are off by up to their bound, and one datum may be on its way.
        sample_after_ns = neon.host_clock.now_ns() + 20_000_000
        gaze = wait_for(
            tracker,
            lambda gaze, t=sample_after_ns: gaze.pos and gaze.sample.host_ns > t and gaze.quality.error_px < 0.3,
            "newer position, after the gyroscope's bias is known",
        )
        assert away_px(gaze, place) < 0.5
        assert gaze.is_on_screen
        assert gaze.reason is None
        assert gaze.quality.tag_count == len(TAGS)
        assert gaze.quality.reprojection_px < 0.5
        assert gaze.quality.timing is PoseTiming.CARRIED
        assert 0 <= gaze.age_s < 0.25
    frame, located = tracker.located
    assert located.device_ns == frame.device_ns
    assert tracker.searched >= 1
    assert tracker.layout is LAYOUT


def test_a_gaze_beside_the_screen_is_a_position_off_the_screen(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    sim.look_at(-60.0, 500.0)
    gaze = wait_for(tracker, lambda gaze: gaze.pos is not None and gaze.pos[0] < 0, "position left of the screen")
    assert not gaze.is_on_screen
    assert gaze.pos == pytest.approx((-60, 500), abs=1)


def test_a_tag_that_is_there_twice_is_not_used(simulate):
    image = IMAGE.copy()
    image[480:600, 700:820] = image[0:120, 0:120]  # tag 0 again, in the middle of the screen
    sim, neon = simulate(image)
    tracker = ScreenGazeTracker(neon, LAYOUT)
    sim.look_at(200.0, 200.0)
    gaze = wait_for(
        tracker, lambda gaze: gaze.pos and gaze.pos[0] < 250 and gaze.quality.error_px < 0.3, "exact position there"
    )
    assert gaze.quality.tag_count == len(TAGS) - 1
    assert away_px(gaze, (200, 200)) < 0.7


def test_gaze_is_told_with_the_screen_it_lies_on(simulate):
    """The tags of one screen, as if its halves were two, of which the second counts its px from the middle."""
    left, right = ({each: tag for each, tag in TAGS.items() if (tag[0, 0] < 900) == is_left} for is_left in (1, 0))
    layouts = ScreenLayout((960, 1080), left), ScreenLayout((960, 1080), {e: t - (960, 0) for e, t in right.items()})
    sim, neon = simulate()
    with pytest.raises(ConfigurationError, match="ids"):
        ScreenGazeTracker(neon, LAYOUT, layouts[0])
    tracker = ScreenGazeTracker(neon, *layouts)
    assert tracker.layouts == layouts
    for screen, place in ((0, (300.0, 400.0)), (1, (1500.0, 400.0))):
        sim.look_at(*place)
        gaze = wait_for(tracker, lambda gaze, n=screen: gaze.pos and gaze.screen == n, f"gaze on screen {screen}")
        assert gaze.is_on_screen
        assert away_px(gaze, (place[0] - 960 * screen, place[1])) < 5  # half the tags, and the gyroscope's bias


def test_other_layouts_are_used_from_then_on(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, OTHERS)
    wait_for_reason(tracker, GazeReason.TAGS_LOST)
    tracker.use_layouts(LAYOUT)
    assert tracker.layout is LAYOUT
    assert tracker.latest().reason in (GazeReason.NO_SCENE, None)
    sim.look_at(500.0, 400.0)
    wait_for(tracker, lambda gaze: gaze.pos and away_px(gaze, (500, 400)) < 1, "gaze on the other layout")
    with pytest.raises(ConfigurationError, match="ids"):
        tracker.use_layouts(OTHERS, OTHERS)
    assert tracker.layout is LAYOUT


# Every sample, for the file


def collect(tracker: ScreenGazeTracker, seconds: float) -> tuple[dict[int, ScreenGaze], list[ScreenGaze]]:
    """What is told live, by device time, and what is told later."""
    live, later = {}, []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        gaze = tracker.latest()
        if gaze.sample is not None:
            live.setdefault(gaze.sample.device_ns, gaze)
        later += tracker.take()
        time.sleep(0.004)  # as often as there is gaze
    return live, later


def assert_each_once(sim: SimulatedNeon, gazes: list[ScreenGaze]) -> None:
    times = [gaze.sample.device_ns for gaze in gazes]
    sent = sorted(truths(sim))
    first = sent.index(times[0])
    assert times == sent[first : first + len(times)]


@pytest.mark.once
def test_what_comes_later_is_complete_and_better(simulate):
    """While the head turns at up to 25 degrees a second, with a gyroscope that shows some at rest."""
    sway = HeadMotionSpec(yaw_deg=6, yaw_s=1.5, pitch_deg=2, pitch_s=2)
    sim, neon = simulate(scene_fps=12, head_motion=sway, gyro_bias_dps=(1.5, -1.0, 2.0))
    tracker = ScreenGazeTracker(neon, LAYOUT)
    sim.look_at(960.0, 540.0)
    wait_for_position(tracker)
    tracker.take()
    live, later = collect(tracker, 3.0)
    assert tracker.dropped == 0
    assert_each_once(sim, later)
    assert all(gaze.age_s is None for gaze in later)
    placed = [gaze for gaze in later if gaze.pos is not None]
    assert len(placed) > 0.9 * len(later)
    interpolated = [gaze for gaze in placed if gaze.quality.timing is PoseTiming.INTERPOLATED]
    assert len(interpolated) > 0.5 * len(placed)  # a busy computer drops scene frames
    both = [(live[gaze.sample.device_ns], gaze) for gaze in interpolated if gaze.sample.device_ns in live]
    both = [(first, second) for first, second in both if first.pos is not None]
    truth = truths(sim)
    live_px, later_px = np.array([[away_px(each, truth[each.sample.device_ns]) for each in two] for two in both]).T
    assert len(both) > 100
    assert np.median(later_px) < np.median(live_px)
    assert np.percentile(later_px, 95) < np.percentile(live_px, 95)
    stated_px = np.array([second.quality.error_px for _, second in both])
    assert (later_px > 4 * stated_px).mean() < 0.02
    assert tracker.motion.share_left < 0.6


@pytest.mark.once
def test_what_is_taken_late_is_none_the_worse(simulate):
    """Once in a trial of two seconds, as scripts do."""
    sim, neon = simulate(scene_fps=12)
    tracker = ScreenGazeTracker(neon, LAYOUT)
    sim.look_at(700.0, 300.0)
    wait_for(tracker, lambda gaze: gaze.pos and away_px(gaze, (700, 300)) < 1, "gaze there")
    tracker.take()
    time.sleep(2.0)
    gazes = tracker.take()
    assert len(gazes) > 200
    assert_each_once(sim, gazes)
    timings = [gaze.quality.timing if gaze.quality else gaze.reason for gaze in gazes]
    # Not all of them: a busy computer drops scene frames.
    assert timings.count(PoseTiming.INTERPOLATED) > 0.6 * len(timings), set(timings)


def test_samples_without_a_place_come_in_their_order_too(simulate):
    sim, neon = simulate(gaze_bytes=89)
    tracker = ScreenGazeTracker(neon, LAYOUT)
    wait_for_position(tracker)
    gazes = tracker.take()
    for act in (lambda: sim.set_worn(False), lambda: sim.set_worn(True), lambda: sim.blink(0.2), lambda: None):
        act()
        gazes += collect(tracker, 0.4)[1]
    assert_each_once(sim, gazes)
    reasons = {gaze.reason for gaze in gazes}
    assert {None, GazeReason.NOT_WORN, GazeReason.BLINK} <= reasons
    assert all((gaze.pos is None) == (gaze.reason is not None) for gaze in gazes)


def test_samples_are_not_kept_back_when_there_is_no_video(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    wait_for_position(tracker)
    sim.mute("world")
    wait_for_reason(tracker, GazeReason.SCENE_STALE)
    gazes = collect(tracker, 2 * screen_gaze.SETTLE_S)[1]
    assert_each_once(sim, gazes)
    assert gazes[-1].reason is GazeReason.SCENE_STALE
    age_s = (neon.host_clock.now_ns() - gazes[-1].sample.host_ns) / 1e9
    assert age_s < 4 * screen_gaze.SETTLE_S


def test_another_place_of_a_moment_ago(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    sim.look_at(300.0, 250.0)
    seen = wait_for(tracker, lambda gaze: gaze.pos and away_px(gaze, (300, 250)) < 1, "gaze there")
    gaze = tracker.on_screen(seen.sample.x, seen.sample.y, seen.sample.device_ns)
    assert away_px(gaze, (300, 250)) < 1
    assert gaze.sample is None
    assert tracker.on_screen(-9000.0, 0.0, seen.sample.device_ns).reason is GazeReason.OUT_OF_VIEW


# Reasons


def test_every_reason_is_told(simulate):
    sim, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    assert tracker.latest().reason in (GazeReason.NO_STREAM, GazeReason.NO_SCENE)
    wait_for_position(tracker)
    sim.set_worn(False)
    assert wait_for_reason(tracker, GazeReason.NOT_WORN).sample is not None
    sim.set_worn(True)
    sim.look_at(float("nan"), float("nan"))
    assert np.isnan(wait_for_reason(tracker, GazeReason.NO_GAZE).sample.x)
    sim.look_freely()
    sim.set_head(HeadPose(yaw_deg=85))
    wait_for_reason(tracker, GazeReason.TAGS_LOST)
    sim.set_head(HeadPose())
    wait_for_position(tracker)
    sim.mute("world")
    wait_for_reason(tracker, GazeReason.SCENE_STALE)
    sim.mute("gaze")
    stale = wait_for_reason(tracker, GazeReason.STALE)
    assert stale.age_s > tracker.gaze_max_age_s


@pytest.mark.parametrize("aperture_mm", [2.0, 0.0])
def test_closed_lids_are_a_blink_unless_nobody_wants_to_know(simulate, aperture_mm):
    sim, neon = simulate(gaze_bytes=89)
    tracker = ScreenGazeTracker(neon, LAYOUT, blink_aperture_mm=aperture_mm)
    wait_for_position(tracker)
    sim.blink(0.3)
    if aperture_mm:
        wait_for_reason(tracker, GazeReason.BLINK)
        wait_for_position(tracker)
    else:
        wait_for(tracker, lambda gaze: gaze.pos and gaze.sample.left.aperture_mm < 2, "position with closed lids")


def test_a_damaged_calibration_is_told_and_read_again(simulate, monkeypatch):
    monkeypatch.setattr(screen_gaze, "CALIBRATION_PAUSE_S", 0.1)
    served = bytearray(encode_calibration(factory_calibration("123456")))
    served[100] ^= 1
    monkeypatch.setattr("psychopy_neon.simulator.neon.encode_calibration", lambda calibration: served)
    _, neon = simulate()
    tracker = warned_of("CRC", neon)
    assert "CRC" in tracker.trouble
    assert wait_for_later(tracker).reason is GazeReason.NO_CALIBRATION
    served[100] ^= 1
    wait_for_position(tracker)
    assert tracker.trouble is None


def warned_of(words: str, neon: Neon) -> ScreenGazeTracker:
    """A tracker that has found no calibration and told so."""
    with pytest.warns(UserWarning, match=words):  # noqa: PT031 (the worker warns some time after)
        tracker = ScreenGazeTracker(neon, LAYOUT)
        wait_for_reason(tracker, GazeReason.NO_CALIBRATION)
    return tracker


def wait_for_later(tracker: ScreenGazeTracker) -> ScreenGaze:
    end = time.monotonic() + LIMIT_S
    while not (gazes := tracker.take()):
        assert time.monotonic() < end, "nothing is told later"
        time.sleep(0.005)
    return gazes[0]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_calibration_without_numbers_is_a_reason_and_no_exception(simulate, number):
    """Its CRC is right: the phone itself has nothing better."""
    whole = factory_calibration("123456")
    distortion = whole.scene.distortion.copy()
    distortion[1] = number
    damaged = dataclasses.replace(whole, scene=dataclasses.replace(whole.scene, distortion=distortion))
    _, neon = simulate()
    with pytest.raises(ConfigurationError, match="calibration"):
        ScreenGazeTracker(neon, LAYOUT, calibration=damaged)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(neon), "calibration", damaged)
        tracker = warned_of("calibration", neon)
        assert "finite" in tracker.trouble


def test_a_pupil_invisible_needs_a_calibration_given(simulate):
    """It has none to give, and no inertial sensor either."""
    sim, neon = simulate(model="invisible")
    assert warned_of("calibration", neon).trouble
    whole = factory_calibration("123456")
    matrix = whole.scene.matrix.copy()
    matrix[:2, 2] -= INVISIBLE_CROP[:2]
    given = dataclasses.replace(whole, scene=dataclasses.replace(whole.scene, matrix=matrix))
    tracker = ScreenGazeTracker(neon, LAYOUT, calibration=given)
    sim.look_at(960.0, 540.0)
    gaze = wait_for(tracker, lambda gaze: gaze.pos and away_px(gaze, (960, 540)) < 1, "gaze there")
    assert gaze.quality.timing is PoseTiming.EXTRAPOLATED
    later = [gaze for gaze in collect(tracker, 0.5)[1] if gaze.pos]
    assert later[-1].quality.timing is PoseTiming.INTERPOLATED


def test_it_ends_with_the_device(simulate):
    _, neon = simulate()
    tracker = ScreenGazeTracker(neon, LAYOUT)
    wait_for_position(tracker)
    neon.close()
    for act in (tracker.latest, tracker.take):
        with pytest.raises(NeonError):
            act()
    neon.close()

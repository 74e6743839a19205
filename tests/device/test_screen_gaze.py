"""Gaze on the screen, from the simulated glasses to screen px, and every reason why there is none."""

import time

import numpy as np
import pytest

from psychopy_neon import Neon, ScreenGazeTracker, ScreenLayout
from psychopy_neon.samples import GazeReason, ScreenGaze
from psychopy_neon.simulator import HeadPose, SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.screens import StillScreen

IMAGE, TAGS = synthetic_screen()
LAYOUT = ScreenLayout((1920, 1080), TAGS)
LIMIT_S = 15.0


def wait_for(tracker: ScreenGazeTracker, is_it, what: str) -> ScreenGaze:
    end = time.monotonic() + LIMIT_S
    while not is_it(gaze := tracker.latest()):
        assert time.monotonic() < end, f"no {what}, but {gaze}"
        time.sleep(0.005)
    return gaze


@pytest.fixture
def sim():
    with SimulatedNeon(SimulatorSettings(scene_fps=15), StillScreen(IMAGE)) as sim:
        yield sim


def test_a_gaze_at_rest_is_mapped_to_a_fraction_of_a_pixel(sim):
    with Neon(sim.address) as neon:
        tracker = ScreenGazeTracker(neon, LAYOUT)
        wait_for(tracker, lambda gaze: gaze.pos is not None, "position")
        for place in [(960.0, 540.0), (300.0, 250.0), (1700.0, 900.0)]:
            sim.look_at(*place)
            # Times of samples are off by up to their bound, and one datum may be on its way.
            sample_after_ns = neon.host_clock.now_ns() + 20_000_000
            gaze = wait_for(
                tracker, lambda gaze, t=sample_after_ns: gaze.pos and gaze.sample.host_ns > t, "newer position"
            )
            assert np.hypot(gaze.pos[0] - place[0], gaze.pos[1] - place[1]) < 0.5
            assert gaze.is_on_screen
            assert gaze.reason is None
            assert gaze.quality.tag_count == len(TAGS)
            assert gaze.quality.reprojection_px < 0.5
            assert 0 <= gaze.age_s < 0.25


def test_a_gaze_beside_the_screen_is_a_position_off_the_screen(sim):
    with Neon(sim.address) as neon:
        tracker = ScreenGazeTracker(neon, LAYOUT)
        sim.look_at(-60.0, 500.0)
        gaze = wait_for(tracker, lambda gaze: gaze.pos is not None and gaze.pos[0] < 0, "position left of the screen")
        assert not gaze.is_on_screen
        assert gaze.pos == pytest.approx((-60, 500), abs=1)


def test_every_reason_is_told(sim):
    with Neon(sim.address) as neon:
        tracker = ScreenGazeTracker(neon, LAYOUT)
        assert tracker.latest().reason in (GazeReason.NO_STREAM, GazeReason.NO_SCENE)
        wait_for(tracker, lambda gaze: gaze.pos is not None, "position")
        sim.set_worn(False)
        assert wait_for(tracker, lambda gaze: gaze.reason is GazeReason.NOT_WORN, "NOT_WORN").sample is not None
        sim.set_worn(True)
        sim.set_head(HeadPose(yaw_deg=85))
        wait_for(tracker, lambda gaze: gaze.reason is GazeReason.TAGS_LOST, "TAGS_LOST")
        sim.set_head(HeadPose())
        wait_for(tracker, lambda gaze: gaze.pos is not None, "position")
        sim.mute("world")
        wait_for(tracker, lambda gaze: gaze.reason is GazeReason.SCENE_STALE, "SCENE_STALE")
        sim.mute("gaze")
        stale = wait_for(tracker, lambda gaze: gaze.reason is GazeReason.STALE, "STALE")
        assert stale.pos is None
        assert stale.age_s > 0.25


def test_a_tag_that_is_there_twice_is_not_used():
    image = IMAGE.copy()
    image[480:600, 700:820] = image[0:120, 0:120]  # tag 0 again, in the middle of the screen
    with SimulatedNeon(SimulatorSettings(scene_fps=15), StillScreen(image)) as sim, Neon(sim.address) as neon:
        tracker = ScreenGazeTracker(neon, LAYOUT)
        sim.look_at(200.0, 200.0)
        gaze = wait_for(tracker, lambda gaze: gaze.pos is not None and gaze.pos[0] < 250, "position")
        assert gaze.quality.tag_count == len(TAGS) - 1
        assert np.hypot(gaze.pos[0] - 200, gaze.pos[1] - 200) < 0.7

"""Events found in scripted looks."""

import itertools
import math
import random

import pytest

from psychopy_neon.samples import EyeEventKind
from psychopy_neon.simulator.event_finder import EyeEventFinder, Look
from psychopy_neon.simulator.eyes import BlinkScript, GazeScript

MS = 1_000_000
PX_PER_DEG = 15.0
FIXATION, SACCADE = EyeEventKind.FIXATION, EyeEventKind.SACCADE
FIXATION_ONSET, SACCADE_ONSET = EyeEventKind.FIXATION_ONSET, EyeEventKind.SACCADE_ONSET


def look(time_ms, degrees, is_closed=False, scene=None):
    """A look to the right by so many degrees."""
    angle = math.radians(degrees)
    return Look(
        round(time_ms * MS), (math.sin(angle), 0.0, math.cos(angle)), scene or (PX_PER_DEG * degrees, 600.0), is_closed
    )


def find(looks):
    finder = EyeEventFinder()
    return [(event, each.time_ns // MS) for each in looks for event in finder.add(each)]


def at(start_deg, end_deg, time_ms, since_ms, lasts_ms=40):
    part = min(1.0, max(0.0, (time_ms - since_ms) / lasts_ms))
    return start_deg + (end_deg - start_deg) * part * part * (3 - 2 * part)


def test_two_fixations_and_the_saccade_between_them():
    found = find(look(ms, at(0, 10, ms, 300)) for ms in range(0, 800, 5))
    kinds = [event.kind for event, _ in found]
    assert kinds == [FIXATION_ONSET, FIXATION, SACCADE_ONSET, SACCADE, FIXATION_ONSET]
    (begun, _), (fixation, told_ms), (away, _), (saccade, _), (rested, _) = found
    assert (begun.start_ns, fixation.start_ns) == (0, 0)
    assert fixation.end_ns == away.start_ns == saccade.start_ns
    assert saccade.end_ns == rested.start_ns
    assert abs(saccade.start_ns - 300 * MS) <= 5 * MS
    assert abs(saccade.end_ns - 340 * MS) <= 5 * MS
    assert 300 < told_ms <= 315
    assert (begun.motion, begun.end_ns) == (None, None)


def test_the_motion_of_a_saccade():
    found = find(look(ms, at(2, 14, ms, 200)) for ms in range(0, 500, 5))
    (motion,) = [event.motion for event, _ in found if event.kind is SACCADE]
    assert motion.start == pytest.approx((30, 600), abs=2)
    assert motion.end == pytest.approx((210, 600), abs=2)
    assert motion.mean == pytest.approx((120, 600), abs=20)
    assert motion.amplitude_px == pytest.approx(180, abs=3)
    assert motion.amplitude_deg == pytest.approx(12, abs=0.2)
    assert motion.mean_velocity == pytest.approx(180 / 0.04, rel=0.2)
    assert motion.max_velocity == pytest.approx(1.5 * 180 / 0.04, rel=0.1)


def test_what_the_head_does_is_no_movement_of_the_eyes():
    """Gaze stays at its place in the room while the scene image shifts."""
    found = find(look(ms, 0, scene=(ms * 1.5, 600.0)) for ms in range(0, 500, 5))
    assert [event.kind for event, _ in found] == [FIXATION_ONSET]


def test_a_jump_is_a_saccade_too():
    found = find(look(ms, 0 if ms < 100 else 5) for ms in range(0, 300, 5))
    (saccade,) = [event for event, _ in found if event.kind is SACCADE]
    assert (saccade.start_ns, saccade.end_ns) == (95 * MS, 100 * MS)


def test_a_slow_pointer_is_no_saccade_although_it_moves_in_steps():
    found = find(look(ms, ms // 10 * 0.1) for ms in range(0, 1000, 5))  # 10 degrees per second
    assert [event.kind for event, _ in found] == [FIXATION_ONSET]


def test_blinks_do_not_end_a_fixation():
    found = find(look(ms, 0, 100 <= ms < 250) for ms in range(0, 400, 5))
    assert [(event.kind, told_ms) for event, told_ms in found] == [(FIXATION_ONSET, 20), (EyeEventKind.BLINK, 250)]
    assert (found[1][0].start_ns, found[1][0].end_ns) == (100 * MS, 250 * MS)


def test_after_a_gap_all_begins_anew():
    looks = [look(ms, 0, True) for ms in range(0, 100, 5)] + [look(ms, 20) for ms in range(200, 300, 5)]
    found = find(looks)
    assert [(event.kind, event.start_ns) for event, _ in found] == [(FIXATION_ONSET, 0), (FIXATION_ONSET, 200 * MS)]


@pytest.mark.parametrize("seed", range(5))
def test_a_scripted_minute(seed):
    """Every fixation of the script is found once, and nothing else."""
    script = GazeScript((1920, 1080), seed)
    places = [script.at(ms / 1000) for ms in range(0, 60_000, 5)]
    finder = EyeEventFinder()
    found = []
    for number, (x, y) in enumerate(places):
        ray = ((x - 960) / 1500, (y - 540) / 1500, 1.0)
        size = math.hypot(*ray)
        found += finder.add(Look(number * 5 * MS, tuple(each / size for each in ray), (x, y), False))
    truth = [
        n for n in range(1, len(places)) if places[n] != places[n - 1] and (n < 2 or places[n - 1] == places[n - 2])
    ]
    saccades = [event for event in found if event.kind is SACCADE and event.end_ns - event.start_ns > 0]
    assert len(saccades) == pytest.approx(len(truth), abs=1)
    kinds = [event.kind for event in found]
    order = (FIXATION_ONSET, FIXATION, SACCADE_ONSET, SACCADE)
    assert set(itertools.pairwise(kinds)) == set(itertools.pairwise((*order, FIXATION_ONSET)))


def test_memory_of_a_long_fixation_is_bounded():
    finder = EyeEventFinder()
    noise = random.Random(1)
    for number in range(20_000):
        finder.add(look(number * 5, noise.uniform(-0.01, 0.01)))
    assert len(finder._window) < 10


def test_blinks_come_as_often_as_wished_and_are_the_same_for_a_seed():
    first, again, never = BlinkScript(20, 3), BlinkScript(20, 3), BlinkScript(0, 3)
    times = [number / 200 for number in range(200 * 600)]
    closed = [first.is_closed(time_s) for time_s in times]
    assert closed == [again.is_closed(time_s) for time_s in times]
    assert not any(map(never.is_closed, times))
    starts = [n for n in range(1, len(closed)) if closed[n] and not closed[n - 1]]
    assert 140 < len(starts) < 260, "200 in ten minutes"
    assert 0.1 < sum(closed) / 200 / len(starts) < 0.25
    assert first.is_closed(times[starts[-1]]), "the other stream may ask a little later"

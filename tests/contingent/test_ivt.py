"""The velocity-threshold detector on scripted gaze: expected lists, and false events counted."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from scripted import HOST_MINUS_DEVICE_NS, MS, Eye, gaze_at, saccade_s

from psychopy_neon.contingent.ivt import IvtDetector
from psychopy_neon.contingent.screen_events import ScreenBlink, ScreenEvent, ScreenFixation, ScreenSaccade
from psychopy_neon.contingent.velocity import Spot, VelocityEstimator
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze

PX_PER_DEG = 39.0
NOISES_DEG = [0.0, 0.1, 0.2, 0.3]


def detect(gazes: Iterable[ScreenGaze], detector: IvtDetector) -> list[ScreenEvent]:
    return [event for gaze in gazes for event in detector.feed(gaze)]


def finished(events: list[ScreenEvent], kind: type) -> list:
    return [event for event in events if isinstance(event, kind) and not event.span.is_onset]


def onsets(events: list[ScreenEvent], kind: type) -> list:
    return [event for event in events if isinstance(event, kind) and event.span.is_onset]


class Jump(NamedTuple):
    start_ns: int
    end_ns: int
    start: tuple[float, float]
    end: tuple[float, float]
    amplitude_deg: float


def read_along(eye: Eye, detector: IvtDetector, amplitudes_deg: tuple[float, float], count: int, seed: int):
    """Fixations of 0.2 to 0.6 s with jumps between; the truth and what was told."""
    choice = random.Random(seed)
    events, truth = detect(eye.fixate(0.4), detector), []
    for _ in range(count):
        amplitude_deg, angle = choice.uniform(*amplitudes_deg), choice.uniform(0, 2 * math.pi)
        start, begin_ns = eye.place, eye.at_ns
        to = (start[0] + amplitude_deg * math.cos(angle), start[1] + amplitude_deg * math.sin(angle))
        events += detect(eye.jump(to), detector)
        truth.append(Jump(begin_ns, eye.at_ns, start, to, amplitude_deg))
        events += detect(eye.fixate(choice.uniform(0.2, 0.6)), detector)
    return truth, events + detector.end()


def matches(jump: Jump, saccades: list[ScreenSaccade]) -> list[ScreenSaccade]:
    return [
        each
        for each in saccades
        if each.span.start_host_ns < jump.end_ns + 20 * MS and each.span.end_host_ns > jump.start_ns - 20 * MS
    ]


def px(place: tuple[float, float]) -> tuple[float, float]:
    return place[0] * PX_PER_DEG, place[1] * PX_PER_DEG


@pytest.mark.parametrize("noise_deg", NOISES_DEG)
@pytest.mark.parametrize("seed", [1, 2])
def test_saccades_from_2_to_20_degrees_are_all_found(noise_deg: float, seed: int) -> None:
    truth, events = read_along(Eye(PX_PER_DEG, noise_deg, seed), IvtDetector(PX_PER_DEG), (2, 20), 50, seed)
    saccades, fixations = finished(events, ScreenSaccade), finished(events, ScreenFixation)
    assert (len(saccades), len(fixations)) == (50, 51)
    for jump, saccade in zip(truth, saccades, strict=True):
        assert saccade.span.start_host_ns == pytest.approx(jump.start_ns, abs=15 * MS)
        assert saccade.span.end_host_ns == pytest.approx(jump.end_ns, abs=15 * MS)
        assert saccade.amplitude_deg == pytest.approx(jump.amplitude_deg, abs=0.15 + noise_deg)
        assert math.dist(saccade.start, px(jump.start)) < (0.1 + noise_deg) * PX_PER_DEG
        peak_deg_s = 1.875 * jump.amplitude_deg / (round(saccade_s(jump.amplitude_deg) * 200) / 200)
        assert saccade.peak_deg_s == pytest.approx(peak_deg_s, abs=0.2 * peak_deg_s + 400 * noise_deg)
    for jump, fixation in zip(truth, fixations[1:], strict=True):
        assert math.dist(fixation.pos, px(jump.end)) < (0.05 + noise_deg / 2) * PX_PER_DEG


@pytest.mark.parametrize(("noise_deg", "least"), [(0.0, 95), (0.1, 95), (0.2, 93), (0.3, 90)])
def test_small_saccades_are_mostly_found(noise_deg: float, least: int) -> None:
    truth, events = read_along(Eye(PX_PER_DEG, noise_deg, 5), IvtDetector(PX_PER_DEG), (1, 2), 100, 5)
    saccades = finished(events, ScreenSaccade)
    assert sum(len(matches(jump, saccades)) == 1 for jump in truth) >= least
    assert len(saccades) <= 100


@pytest.mark.parametrize("noise_deg", NOISES_DEG)
def test_still_eyes_do_not_jump(noise_deg: float) -> None:
    """Two minutes for each jitter: no false saccade, few onsets that are taken back."""
    detector = IvtDetector(PX_PER_DEG)
    events = detect(Eye(PX_PER_DEG, noise_deg, 3).fixate(120), detector)
    assert len(finished(events, ScreenSaccade)) == 0
    assert len(onsets(events, ScreenSaccade)) == detector.merged <= 8
    assert len(onsets(events, ScreenFixation)) == 1


def test_the_velocity_of_two_samples_would_see_movement_all_the_time() -> None:
    """What the window of the estimator is for."""
    spots = [Spot(g.sample.device_ns, *g.pos) for g in Eye(PX_PER_DEG, 0.2, 3).fixate(10)]
    shares = []
    for window_s in (0.015, 0.04):
        estimator = VelocityEstimator(window_s)
        found = [each for each in map(estimator.add, spots) if each is not None]
        shares.append(sum(math.hypot(x, y) > 30 * PX_PER_DEG for _, x, y in found) / len(found))
    assert shares[0] > 0.2
    assert shares[1] < 0.001


def test_events_come_in_order_and_times_are_on_their_clocks() -> None:
    eye, detector = Eye(PX_PER_DEG, 0.1, 1), IvtDetector(PX_PER_DEG)
    events = detect([*eye.fixate(0.3), *eye.jump((8.0, 0.0)), *eye.fixate(0.3)], detector) + detector.end()
    told = [(type(event).__name__.removeprefix("Screen"), event.span.is_onset) for event in events]
    assert told == [
        ("Fixation", True),
        ("Saccade", True),
        ("Fixation", False),
        ("Saccade", False),
        ("Fixation", True),
        ("Fixation", False),
    ]
    saccade = events[3]
    assert saccade.span.start_host_ns - saccade.span.start_ns == HOST_MINUS_DEVICE_NS
    assert (events[2].span.end_ns, events[4].span.start_ns) == (saccade.span.start_ns, saccade.span.end_ns)
    assert saccade.span.bound_ns == MS
    assert events[-1].is_cut


def test_an_onset_is_told_within_the_stated_delay() -> None:
    eye, detector = Eye(PX_PER_DEG, 0.0, 1), IvtDetector(PX_PER_DEG)
    detect(eye.fixate(0.4), detector)
    began_ns = eye.at_ns
    for gaze in eye.jump((10.0, 0.0)):
        if onsets(detector.feed(gaze), ScreenSaccade):
            break
    assert eye.at_ns - began_ns <= detector.delay_s * 1e9


@pytest.mark.parametrize("reason", [GazeReason.TAGS_LOST, GazeReason.NOT_WORN, GazeReason.STALE])
def test_no_data_ends_a_fixation_and_is_no_blink(reason: GazeReason) -> None:
    eye, detector = Eye(PX_PER_DEG, 0.1, 1), IvtDetector(PX_PER_DEG)
    before = detect(eye.fixate(0.3), detector)
    last_ns = eye.at_ns
    after = detect([*eye.lose(0.2, reason), *eye.fixate(0.3)], detector)
    fixation = finished(before + after, ScreenFixation)[0]
    assert (fixation.span.end_host_ns, fixation.is_cut) == (last_ns, True)
    assert len(onsets(before + after, ScreenFixation)) == 2
    assert not [each for each in after if isinstance(each, ScreenBlink | ScreenSaccade)]


def test_a_hole_in_the_stream_ends_a_fixation() -> None:
    eye, detector = Eye(PX_PER_DEG, 0.1, 1), IvtDetector(PX_PER_DEG)
    events = detect(eye.fixate(0.3), detector)
    last_ns = eye.at_ns
    eye.at_ns += 200 * MS
    eye.place = (10.0, 0.0)
    events += detect(eye.fixate(0.3), detector)
    assert finished(events, ScreenFixation)[0].span.end_host_ns == last_ns
    assert not [each for each in events if isinstance(each, ScreenSaccade)], "nobody saw a saccade"


def test_a_blink_has_its_times() -> None:
    eye, detector = Eye(PX_PER_DEG, 0.1, 1), IvtDetector(PX_PER_DEG)
    detect(eye.fixate(0.3), detector)
    last_ns = eye.at_ns
    during = detect(eye.lose(0.15, GazeReason.BLINK), detector)
    after = detect(eye.fixate(0.1), detector)
    assert onsets(during, ScreenBlink)[0].span.start_host_ns == last_ns + 5 * MS
    (blink,) = finished(after, ScreenBlink)
    assert blink.span.duration_s == pytest.approx(0.15)


def test_a_saccade_that_ends_in_the_dark_is_cut() -> None:
    eye, detector = Eye(PX_PER_DEG, 0.0, 1), IvtDetector(PX_PER_DEG)
    events = detect([*eye.fixate(0.3), *eye.jump((15.0, 0.0)), *eye.lose(0.1, GazeReason.BLINK)], detector)
    (saccade,) = finished(events, ScreenSaccade)
    assert (saccade.is_cut, saccade.end, saccade.amplitude_deg) == (True, None, None)
    assert len(finished(events, ScreenFixation)) == 1


def test_a_shift_that_is_small_and_short_is_no_saccade() -> None:
    """A jump of 3 degrees and straight back, as the lids make: the fixation goes on."""
    eye, detector = Eye(PX_PER_DEG, 0.0, 1), IvtDetector(PX_PER_DEG)
    events = detect(eye.fixate(0.3), detector)
    eye.place = (3.0, 0.0)
    events += detect(eye.fixate(0.01), detector)
    eye.place = (0.0, 0.0)
    events += detect(eye.fixate(0.3), detector) + detector.end()
    assert finished(events, ScreenSaccade) == []
    (fixation,) = finished(events, ScreenFixation)
    assert fixation.span.duration_s == pytest.approx(0.605)
    assert detector.merged == 1


def test_the_same_sample_again_changes_nothing() -> None:
    eye = Eye(PX_PER_DEG, 0.1, 1)
    gazes = [*eye.fixate(0.3), *eye.jump((8.0, 0.0)), *eye.fixate(0.3)]
    doubled = [gaze for gaze in gazes for _ in range(2)]
    assert detect(doubled, IvtDetector(PX_PER_DEG)) == detect(gazes, IvtDetector(PX_PER_DEG))


def test_what_has_no_sample_or_no_place_is_no_data() -> None:
    detector = IvtDetector(PX_PER_DEG)
    assert detector.feed(ScreenGaze(None, GazeReason.NO_STREAM)) == []
    assert detector.feed(gaze_at(0, (math.nan, 0.0))) == []
    assert detector.feed(ScreenGaze((1.0, 1.0), None, True)) == []


@pytest.mark.parametrize(
    "settings", [{"px_per_deg": 0.0}, {"leave_deg_s": 40.0}, {"window_s": 0.0}, {"min_fixation_s": -1.0}]
)
def test_what_cannot_be_used_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        IvtDetector(**{"px_per_deg": PX_PER_DEG, **settings})

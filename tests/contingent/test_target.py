"""Evidence, targets and times: what all tools rest on."""

from __future__ import annotations

import math

import pytest
from scripted import AGE_NS, MS, Frames, gaze_at

from psychopy_neon.contingent.evidence import Evidence, Look
from psychopy_neon.contingent.shapes import Circle
from psychopy_neon.contingent.target import LookTimes, Target
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, ScreenGaze

DISC = Circle((100.0, 100.0), 50.0)


def test_a_sample_counts_for_its_time_and_is_stale_afterwards() -> None:
    evidence = Evidence(repeat_limit_s=0.1)
    gaze = gaze_at(0, (1.0, 2.0))
    seen = [evidence.take(at_ms * MS, gaze) for at_ms in (20, 50, 120, 121)]
    assert [each.is_new for each in seen] == [True, False, False, False]
    assert [each.pos for each in seen] == [(1.0, 2.0)] * 3 + [None]
    assert seen[3].reason is GazeReason.STALE
    assert seen[0].measured_ns == 0


def test_the_same_record_without_a_sample_is_the_same_gaze() -> None:
    evidence = Evidence(repeat_limit_s=0.1)
    gaze, equal = ScreenGaze((1.0, 1.0), None, True), ScreenGaze((1.0, 1.0), None, True)
    assert [evidence.take(each * MS, gaze).is_new for each in (1, 2)] == [True, False]
    assert evidence.take(3 * MS, equal).is_new
    assert evidence.take(3 * MS, equal).measured_ns == 3 * MS


@pytest.mark.parametrize("pos", [(math.nan, 1.0), (1.0, math.inf)])
def test_what_is_no_place_is_no_data(pos: tuple[float, float]) -> None:
    assert Evidence().take(0, gaze_at(0, pos)).reason is GazeReason.NO_GAZE


def test_time_does_not_run_backwards() -> None:
    evidence = Evidence()
    evidence.take(10, gaze_at(0, None, GazeReason.STALE))
    with pytest.raises(ConfigurationError, match="at_ns"):
        evidence.take(9, gaze_at(0, None, GazeReason.STALE))


def test_margin_for_entering_and_more_for_leaving() -> None:
    target = Target(margin_px=10, hysteresis_px=15)
    # From the disc's centre to the right: its edge is at 50, the margin at 60, the larger shape at 75.
    looks = [
        target.update(n * MS, gaze_at(n * MS, (100.0 + x, 100.0)), DISC).look
        for n, x in enumerate([61, 59, 74, 76, 61])
    ]
    assert looks == [Look.OFF, Look.ON, Look.ON, Look.OFF, Look.OFF]


def test_no_data_leaves_the_side_open() -> None:
    target = Target(hysteresis_px=20)
    target.update(0, gaze_at(0, (100.0, 100.0)), DISC)
    assert target.update(1, gaze_at(1, None, GazeReason.BLINK), DISC).look is Look.NO_DATA
    assert target.update(2, gaze_at(2 * MS, (165.0, 100.0)), DISC).look is Look.ON


def test_off_the_screen_is_a_place_and_no_missing_data() -> None:
    gaze = ScreenGaze((-500.0, 100.0), None, is_on_screen=False)
    assert Target().update(0, gaze, DISC).look is Look.OFF
    assert Target().update(0, gaze, Circle((-500.0, 100.0), 5.0)).look is Look.ON


def test_times_are_split_where_nobody_looked() -> None:
    times = LookTimes(repeat_limit_s=0.1)
    times.add(Look.ON, None, 60 * MS)
    times.add(Look.ON, None, 400 * MS)
    times.add(Look.NO_DATA, GazeReason.TAGS_LOST, 500 * MS)
    assert times.seconds(Look.ON) == pytest.approx(0.16)
    assert times.seconds(Look.NO_DATA) == pytest.approx(0.8)
    assert times.reasons_s == {GazeReason.TAGS_LOST: 0.5, GazeReason.STALE: 0.3}
    assert next(iter(times.reasons_s)) is GazeReason.TAGS_LOST


@pytest.mark.parametrize("settings", [{"margin_px": -1}, {"hysteresis_px": math.nan}, {"repeat_limit_s": -0.1}])
def test_what_cannot_be_used_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Target(**settings)


def test_the_script_gives_gaze_of_its_age() -> None:
    frames = Frames(lambda at_ns, gaze: at_ns - gaze.sample.host_ns)
    assert frames.show(0.05, (0.0, 0.0)) == AGE_NS

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import AGE_NS, MS, Frames, gaze_at

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.roi import Roi
from psychopy_neon.contingent.shapes import Circle, rectangle
from psychopy_neon.samples import GazeReason

FACE = rectangle((500.0, 500.0), (200.0, 200.0))
ON, OFF = (500.0, 500.0), (800.0, 500.0)
LOST = GazeReason.TAGS_LOST


def frames_of(roi: Roi, step_ms: float = 10.0) -> Frames:
    return Frames(lambda at_ns, gaze: roi.update(at_ns, gaze, FACE), step_ms)


def test_three_states_and_their_times() -> None:
    roi = Roi(min_time_s=0.1)
    frames = frames_of(roi)
    assert roi.look is Look.NO_DATA
    assert frames.show(0.5, OFF) is Look.OFF
    first_ns = frames.at_ns + 10 * MS - AGE_NS
    assert frames.show(0.1, ON) is Look.OFF, "not for long enough yet"
    assert frames.show(0.9, ON) is Look.ON
    assert frames.show(0.4, None, LOST) is Look.NO_DATA
    assert roi.reason is LOST
    assert frames.show(0.3, OFF) is Look.OFF
    assert (roi.entries, roi.first_entered_ns) == (1, first_ns)
    times = [roi.times.seconds(look) for look in (Look.ON, Look.OFF, Look.NO_DATA)]
    assert times == pytest.approx([1.0, 0.5 + 0.29, 0.4])
    assert roi.times.reasons_s == pytest.approx({LOST: 0.4})


def test_short_looks_and_short_looks_away_are_overlooked() -> None:
    roi = Roi(min_time_s=0.1)
    frames = frames_of(roi)
    frames.show(0.3, OFF)
    frames.show(0.08, ON)
    frames.show(0.3, OFF)
    assert roi.entries == 0
    frames.show(0.5, ON)
    frames.show(0.08, OFF)
    frames.show(0.5, ON)
    assert roi.entries == 1
    assert roi.times.seconds(Look.OFF) == pytest.approx(0.68)


@pytest.mark.parametrize(("loss_s", "entries"), [(0.25, 1), (0.4, 2)])
def test_a_blink_is_no_new_entry_and_a_long_loss_is_one(loss_s: float, entries: int) -> None:
    roi = Roi(min_time_s=0.1, bridge_s=0.3)
    frames = frames_of(roi)
    frames.show(0.5, ON)
    frames.show(loss_s, None, GazeReason.BLINK)
    frames.show(0.05, ON)
    assert roi.look is (Look.ON if entries == 1 else Look.OFF)
    frames.show(0.5, ON)
    assert roi.entries == entries


def test_no_data_confirms_nothing() -> None:
    roi = Roi(min_time_s=0.1)
    frames = frames_of(roi)
    frames.show(0.3, OFF)
    frames.show(0.05, ON)
    frames.show(0.2, None, LOST)
    assert frames.show(0.05, ON) is Look.OFF
    assert roi.entries == 0
    frames.repeat(0.09)
    assert roi.entries == 0, "the same sample again is no further evidence"


def test_margin_hysteresis_and_a_moving_shape() -> None:
    roi = Roi(min_time_s=0.0, margin_px=40, hysteresis_px=20)
    looks = []
    for step, gap in enumerate([45, 35, 55, 65, 45]):
        center = (300.0 + 10 * step, 300.0)
        gaze = gaze_at(step * 10 * MS, (center[0] + 50 + gap, 300.0))
        looks.append(roi.update(step * 10 * MS, gaze, Circle(center, 50.0)))
    assert looks == [Look.OFF, Look.ON, Look.ON, Look.OFF, Look.OFF]


def entries_of(roi: Roi, seed: int, noise_px: float) -> int:
    """Ten minutes of gaze that rests on the edge of a shape, at 200 Hz."""
    noise = random.Random(seed)
    for step in range(20_000):
        pos = (600.0 + noise.gauss(0, noise_px), 500.0)
        roi.update(step * 5 * MS, gaze_at(step * 5 * MS, pos), FACE)
    return roi.entries


def test_false_entries_are_rare_with_hysteresis_and_minimum_time() -> None:
    plain = sum(entries_of(Roi(0.0), seed, 8.0) for seed in range(2))
    made_for_it = sum(entries_of(Roi(0.1, hysteresis_px=20.0), seed, 8.0) for seed in range(2))
    assert plain > 5_000
    assert made_for_it <= 2, "the first entry of each is none of noise"


@given(
    st.lists(st.tuples(st.sampled_from(["on", "off", "lost", "repeat"]), st.integers(1, 400)), min_size=1, max_size=60)
)
def test_the_three_times_sum_up_to_the_whole(steps: list[tuple[str, int]]) -> None:
    roi = Roi(min_time_s=0.05)
    at_ns = began_ns = 0
    gaze = gaze_at(0, OFF)
    roi.update(0, gaze, FACE)
    for kind, step_ms in steps:
        at_ns += step_ms * MS
        if kind != "repeat":
            gaze = gaze_at(at_ns, {"on": ON, "off": OFF, "lost": None}[kind], LOST if kind == "lost" else None)
        roi.update(at_ns, gaze, FACE)
    at_ns += MS
    roi.update(at_ns, gaze_at(at_ns, None, LOST), FACE)  # ends whatever is in doubt
    whole_s = sum(roi.times.seconds(look) for look in Look)
    assert whole_s == pytest.approx((at_ns - began_ns) / 1e9)
    assert roi.times.seconds(Look.NO_DATA) == pytest.approx(sum(roi.times.reasons_s.values()))

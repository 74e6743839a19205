"""Gaze as the official client reads it, and as both clients read it at once."""

from __future__ import annotations

import bisect
import contextlib
from typing import Any

import numpy as np
import pytest

from psychopy_neon import Neon

TICK_NS = 1_000_000_000 / 90_000
STAMP_NS = 1_000
"""The official client counts seconds since 1970 as a float, which is no finer than a quarter of a microsecond."""
FORMS = {
    9: "GazeData",
    17: "DualMonocularGazeData",
    25: "BinoAndDualMonoGazeData",
    65: "EyestateGazeData",
    89: "EyestateEyelidGazeData",
    105: "EyestateEyelidDualMonoGazeData",
}
LEFT = (3.5, -31.0, 12.25, -26.5)
RIGHT = (3.625, 31.5, 12.0, -26.75)
LEFT_LID = (0.25, -0.3, 9.5)
RIGHT_LID = (0.26, -0.29, 9.25)


@pytest.mark.long
def test_ten_seconds(make_sim: Any, peer: Any) -> None:
    """None missing, the values bit by bit, the times to a tick of the stamps."""
    sim = make_sim(offset_ns=-3_600_000_000_000)
    (data,) = peer("gaze", 2000, sim.address).result()
    assert len(data) == 2000
    for datum, true in zip(data, _sent(sim, data), strict=True):
        assert (datum["x"], datum["y"], datum["worn"]) == (true["x"], true["y"], True)
        assert abs(datum["timestamp_unix_seconds"] * 1e9 - true["device_ns"]) <= TICK_NS + STAMP_NS
    assert np.ptp([datum["x"] for datum in data]) > 100  # it has looked around


def test_forms(make_sim: Any, peer: Any) -> None:
    """Every length of payload becomes the class that it is meant to be, and every number its field."""
    sims = [make_sim(gaze_bytes=length, scene_fps=1) for length in FORMS]
    for sim, length, data in zip(sims, FORMS, peer("gaze", 20, *_addresses(sims)).result(), strict=True):
        for datum, true in zip(data, _sent(sim, data), strict=True):
            _check_form(datum, true, length)


def test_not_worn(make_sim: Any, peer: Any) -> None:
    """The official client takes 255 for worn and nothing else."""
    sim = make_sim()
    sim.set_worn(False)
    (data,) = peer("gaze", 10, sim.address).result()
    assert not any(datum["worn"] for datum in data)


def test_both_at_once(make_sim: Any, peer: Any) -> None:
    """Our client and the official one agree about every sample that both received, in every form."""
    sims = [make_sim(gaze_bytes=length, offset_ns=250_000_000) for length in FORMS]
    with contextlib.ExitStack() as stack:
        neons = [stack.enter_context(Neon(sim.address)) for sim in sims]
        readers = [neon.gaze.reader() for neon in neons]
        for reader in readers:
            reader.wait(5.0)
        results = peer("gaze", 100, *_addresses(sims)).result()
        for neon, reader, theirs in zip(neons, readers, results, strict=True):
            ours = reader.take()
            while ours[-1].device_ns < theirs[-1]["timestamp_unix_seconds"] * 1e9 - 1_000_000:
                ours.append(reader.wait(5.0))
            assert reader.dropped == 0
            health = neon.gaze.health
            assert (health.lost, health.late, health.malformed) == (0, 0, 0)
            _compare(theirs, ours)


def _addresses(sims: list[Any]) -> list[str]:
    return [sim.address for sim in sims]


def _compare(theirs: list[Any], ours: list[Any]) -> None:
    times = [sample.device_ns for sample in ours]
    for datum in theirs:
        sample = ours[_nearest(times, datum["timestamp_unix_seconds"] * 1e9)]
        # Two sessions, each with tick origin and reports of its own.
        assert abs(datum["timestamp_unix_seconds"] * 1e9 - sample.device_ns) <= 2 * TICK_NS + STAMP_NS
        _check_same(datum, sample)


def _check_form(datum: Any, true: Any, length: int) -> None:
    x, y = true["x"], true["y"]
    left_gaze, right_gaze = [float(np.float32(x - 8.0)), y], [float(np.float32(x + 8.0)), y]
    assert datum["form"] == FORMS[length]
    assert datum["worn"] is True
    if length == 17:
        assert (datum["left"], datum["right"]) == (left_gaze, right_gaze)
        return
    assert (datum["x"], datum["y"]) == (x, y)
    if length in (25, 105):
        assert [datum["mono_left_x"], datum["mono_left_y"]] == left_gaze
        assert [datum["mono_right_x"], datum["mono_right_y"]] == right_gaze
    if length >= 65:
        for side, expected in (("left", LEFT), ("right", RIGHT)):
            center = [datum[f"eyeball_center_{side}_{axis}"] for axis in "xyz"]
            assert (datum[f"pupil_diameter_{side}"], *center) == expected
            optical = [datum[f"optical_axis_{side}_{axis}"] for axis in "xyz"]
            assert np.linalg.norm(optical) == pytest.approx(1, abs=1e-6)
            assert optical[2] > 0.5
    if length >= 89:
        for side, expected_lid in (("left", LEFT_LID), ("right", RIGHT_LID)):
            lid = tuple(datum[f"eyelid_{what}_{side}"] for what in ("angle_top", "angle_bottom", "aperture"))
            assert lid == tuple(float(np.float32(value)) for value in expected_lid)


def _check_same(datum: Any, sample: Any) -> None:
    assert datum["worn"] == sample.worn
    left, right = sample.left, sample.right
    if datum["form"] == FORMS[9]:
        assert (left, right) == (None, None)
    if datum["form"] == FORMS[17]:
        assert (tuple(datum["left"]), tuple(datum["right"])) == (left.gaze, right.gaze)
        assert (sample.x, sample.y) == tuple((a + b) / 2 for a, b in zip(left.gaze, right.gaze, strict=True))
        return
    assert (datum["x"], datum["y"]) == (sample.x, sample.y)
    for side, eye in (("left", left), ("right", right)):
        if "mono_left_x" in datum:
            assert (datum[f"mono_{side}_x"], datum[f"mono_{side}_y"]) == eye.gaze
        if "pupil_diameter_left" in datum:
            assert datum[f"pupil_diameter_{side}"] == eye.pupil_mm
            assert tuple(datum[f"eyeball_center_{side}_{axis}"] for axis in "xyz") == eye.center_mm
            assert tuple(datum[f"optical_axis_{side}_{axis}"] for axis in "xyz") == eye.axis
        if "eyelid_angle_top_left" in datum:
            assert datum[f"eyelid_angle_top_{side}"] == eye.lid_top_rad
            assert datum[f"eyelid_angle_bottom_{side}"] == eye.lid_bottom_rad
            assert datum[f"eyelid_aperture_{side}"] == eye.aperture_mm


def _sent(sim: Any, data: Any) -> list[dict[str, Any]]:
    """What was sent from the first datum received on, as many as were received: a hole would shift all behind it."""
    truth = sim.truth.records("gaze")
    first = _nearest([each["device_ns"] for each in truth], data[0]["timestamp_unix_seconds"] * 1e9)
    sent = truth[first : first + len(data)]
    numbers = [each["number"] for each in sent]
    assert numbers == list(range(numbers[0], numbers[0] + len(data)))
    assert all(each["sent_ns"] is not None for each in sent)
    return sent


def _nearest(times_ns: list[int], at_ns: float) -> int:
    after = bisect.bisect(times_ns, at_ns)
    return min((i for i in (after - 1, after) if 0 <= i < len(times_ns)), key=lambda i: abs(times_ns[i] - at_ns))

from __future__ import annotations

import pytest
from scripted import AGE_NS, MS, Frames

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.gate import Gate, GateState
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason

POINT = (960.0, 540.0)
NEAR, FAR = (990.0, 540.0), (1160.0, 540.0)


def frames_of(gate: Gate) -> Frames:
    return Frames(lambda at_ns, gaze: gate.update(at_ns, gaze, POINT))


def test_it_opens_after_its_time_and_stays_open() -> None:
    gate = Gate(80, hold_s=0.3)
    frames = frames_of(gate)
    assert frames.show(0.5, FAR) is GateState.WAITING
    entered_ns = frames.at_ns + 10 * MS - AGE_NS
    assert frames.show(0.3, NEAR) is GateState.HOLDING
    assert frames.show(0.01, NEAR) is GateState.OPEN
    assert (gate.entered_ns, gate.opened_ns, gate.waits_for) == (entered_ns, frames.at_ns, "")
    assert frames.show(0.5, FAR) is GateState.OPEN


def test_it_says_what_it_waits_for() -> None:
    gate = Gate(80, hold_s=0.3)
    frames = frames_of(gate)
    assert gate.waits_for == "the first gaze"
    frames.show(0.1, None, GazeReason.NOT_WORN)
    assert gate.waits_for == f"gaze: {GazeReason.NOT_WORN.value}"
    frames.show(0.1, FAR)
    assert "200 px away" in gate.waits_for
    frames.show(0.11, NEAR)
    assert "another 0.20 s" in gate.waits_for


@pytest.mark.parametrize("reason", list(GazeReason))
def test_it_never_opens_on_no_data(reason: GazeReason) -> None:
    gate = Gate(80, hold_s=0.1, loss_limit_s=100.0)
    frames = frames_of(gate)
    frames.show(0.05, NEAR)
    assert frames.show(3.0, None, reason) is GateState.HOLDING
    assert frames.repeat(3.0) is GateState.HOLDING


def test_the_limit_and_what_was_missing() -> None:
    gate = Gate(80, hold_s=0.3, limit_s=2.0)
    frames = frames_of(gate)
    frames.show(0.5, FAR)
    frames.show(0.2, NEAR)
    assert frames.show(1.2, None, GazeReason.TAGS_LOST) is GateState.WAITING
    assert frames.show(0.2, None, GazeReason.STALE) is GateState.TIMED_OUT
    assert gate.times.seconds(Look.OFF) == pytest.approx(0.5)
    assert gate.times.seconds(Look.ON) == pytest.approx(0.2)
    assert gate.times.seconds(Look.NO_DATA) == pytest.approx(1.3)
    assert "0.2 s at the point, 0.5 s beside it and 1.3 s missing" in gate.waits_for
    assert GazeReason.TAGS_LOST.value in gate.waits_for
    assert frames.show(1.0, NEAR) is GateState.TIMED_OUT
    assert gate.opened_ns is None


def test_gaze_that_arrives_in_time_wins_over_the_limit() -> None:
    gate = Gate(80, hold_s=0.3, limit_s=0.31)
    assert frames_of(gate).show(0.32, NEAR) is GateState.OPEN


def test_reset_gives_the_whole_limit_again() -> None:
    gate = Gate(80, hold_s=0.3, limit_s=1.0)
    frames = frames_of(gate)
    frames.show(1.1, FAR)
    gate.reset()
    assert frames.show(0.9, FAR) is GateState.WAITING
    assert frames.show(0.2, FAR) is GateState.TIMED_OUT
    assert gate.times.seconds(Look.OFF) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "settings", [{"radius_px": -1}, {"radius_px": 5, "hold_s": 0}, {"radius_px": 5, "limit_s": -1}]
)
def test_what_cannot_be_used_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        Gate(**settings)

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.phone_clock import ClockPiece, PhoneClock, ticks_of_uptime, uptime_of_ticks

START = (1_000_000, 1_700_000_000_000_000_000)
S = 10**9
BEGIN, WALL = START


def records(pieces: tuple[ClockPiece, ...]) -> list[dict[str, Any]]:
    return [{"kind": "clock", **piece.truth_fields()} for piece in pieces]


def troubled(seed: int) -> tuple[PhoneClock, list[dict[str, Any]], list[int]]:
    """A clock with a few changes, its ground truth, and host times around everything that happens."""
    draw = random.Random(seed)
    clock = PhoneClock(draw.randint(-(10**15), 10**15), draw.uniform(-200, 200), START)
    told = records(clock.pieces)
    acts: list[Callable[[int], tuple[ClockPiece, ...]]] = [
        lambda at: clock.step(draw.randint(-3 * S, 3 * S), at),
        lambda at: clock.set_drift(draw.uniform(-200, 200), at),
        lambda at: clock.slew(draw.randint(-5_000_000, 5_000_000), draw.choice((50.0, 500.0)), at),
    ]
    now_ns = BEGIN
    for _ in range(draw.randint(1, 8)):
        now_ns += draw.randint(0, 10 * S)
        told += records(draw.choice(acts)(now_ns))
    corners = [piece.host_ns + shift for piece in clock.pieces for shift in (-1, 0, 1)]
    return clock, told, corners + [draw.randint(BEGIN - S, now_ns + 10 * S) for _ in range(50)]


def test_offset_and_steps_are_exact_without_drift() -> None:
    clock = PhoneClock(offset_ns=7, start=START)
    assert clock.device_ns(BEGIN) == WALL + 7
    assert clock.device_ns(BEGIN + 123) == WALL + 130
    clock.step(-50, BEGIN + 100)
    assert clock.device_ns(BEGIN + 99) == WALL + 106, "the past stays"
    assert clock.device_ns(BEGIN + 123) == WALL + 80
    assert clock.host_ns(WALL + 80) == BEGIN + 123, "shown twice: the later time is meant"
    assert clock.host_ns(WALL + 50) == BEGIN + 43
    assert clock.uptime_ns(BEGIN + 123) == 123, "the monotonic clock does not step"


def test_a_time_that_a_step_leaves_out_is_the_moment_of_the_step() -> None:
    clock = PhoneClock(start=START)
    clock.step(1000, BEGIN + 100)
    assert [clock.host_ns(WALL + ns) - BEGIN for ns in (99, 100, 600, 1099, 1101)] == [99, 100, 100, 100, 101]


def test_drift_moves_both_clocks() -> None:
    clock = PhoneClock(drift_ppm=100, start=START)
    assert clock.device_ns(BEGIN + S) - WALL == clock.uptime_ns(BEGIN + S) == S + 100_000
    clock.set_drift(-40, BEGIN + S)
    assert clock.device_ns(BEGIN + S) - WALL == S + 100_000
    assert clock.device_ns(BEGIN + 2 * S) - WALL == clock.uptime_ns(BEGIN + 2 * S) == 2 * S + 60_000


def test_a_slew_moves_the_wall_clock_until_its_amount_is_made_up() -> None:
    clock = PhoneClock(start=START)
    clock.slew(2_000_000, 500, BEGIN + S)
    ahead_ns = [clock.device_ns(BEGIN + seconds * S) - WALL - seconds * S for seconds in range(8)]
    assert ahead_ns == [0, 0, 500_000, 1_000_000, 1_500_000, 2_000_000, 2_000_000, 2_000_000]
    assert clock.uptime_ns(BEGIN + 7 * S) == 7 * S


def test_a_slew_outlives_a_change_of_drift_but_not_a_step_or_another() -> None:
    clock = PhoneClock(start=START)
    clock.slew(-2_000_000, 500, BEGIN)
    clock.set_drift(30, BEGIN + S)
    behind_ns = clock.device_ns(BEGIN + 60 * S) - WALL - clock.uptime_ns(BEGIN + 60 * S)
    assert behind_ns == -2_000_000
    clock.slew(1_000_000, 500, BEGIN + 61 * S)
    clock.step(0, BEGIN + 62 * S)
    assert clock.device_ns(BEGIN + 99 * S) - WALL - clock.uptime_ns(BEGIN + 99 * S) == pytest.approx(-1.5e6, abs=20)
    clock.slew(1_000_000, 500, BEGIN + 100 * S)
    clock.slew(-7, 500, BEGIN + 101 * S)
    last = clock.pieces[-1]
    assert last.device_ns - last.uptime_ns - WALL == pytest.approx(-1e6 - 7, abs=40)


@given(st.integers(0, 10**14), st.floats(-10_000, 10_000), st.integers(-(10**15), 10**15))
def test_there_and_back(progress: int, drift_ppm: float, offset: int) -> None:
    clock = PhoneClock(offset, drift_ppm, START)
    host_ns = START[0] + progress
    assert -1 <= clock.host_ns(clock.device_ns(host_ns)) - host_ns <= 0
    assert drift_ppm < 0 or clock.host_ns(clock.device_ns(host_ns)) == host_ns


@pytest.mark.parametrize("seed", range(40))
def test_in_every_piece_both_directions_agree(seed: int) -> None:
    clock, _, times = troubled(seed)
    for host_ns in times:
        uptime_ns, device_ns = clock.uptime_ns(host_ns), clock.device_ns(host_ns)
        assert -1 <= clock.host_ns_of_uptime(uptime_ns) - host_ns <= 0
        if all(piece.uptime_ns != uptime_ns for piece in clock.pieces):  # else a step may lie in this nanosecond
            assert clock.device_ns_of_uptime(uptime_ns) == device_ns
        back_ns = clock.host_ns(device_ns)
        assert back_ns >= host_ns - 2, "1 ns for each rate"
        if back_ns > host_ns:  # shown twice, and the later time was meant
            assert 0 <= clock.device_ns(back_ns) - device_ns <= 1


@pytest.mark.parametrize("seed", range(40))
def test_the_monotonic_clock_never_goes_back(seed: int) -> None:
    clock, _, times = troubled(seed)
    shown = [clock.uptime_ns(host_ns) for host_ns in sorted(times)]
    assert shown == sorted(shown)


@pytest.mark.parametrize("seed", range(40))
def test_the_ground_truth_tells_what_the_phone_showed_at_every_time(seed: int) -> None:
    clock, told, times = troubled(seed)
    rebuilt = PhoneClock.from_truth([{"kind": "gaze", "x": 1.0}, *told])
    assert rebuilt.pieces == clock.pieces
    for host_ns in times:
        assert rebuilt.device_ns(host_ns) == clock.device_ns(host_ns)
        assert rebuilt.uptime_ns(host_ns) == clock.uptime_ns(host_ns)


def test_a_ground_truth_without_a_clock_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        PhoneClock.from_truth([{"kind": "gaze"}])


def test_changes_come_in_order_and_within_limits() -> None:
    clock = PhoneClock(start=START)
    clock.step(1, BEGIN + 10)
    before = clock.pieces
    for act in (
        lambda: clock.step(1, BEGIN + 9),
        lambda: clock.set_drift(10_001),
        lambda: clock.set_drift(float("nan")),
        lambda: clock.slew(1, 0),
        lambda: clock.slew(1, float("inf")),
        lambda: PhoneClock(drift_ppm=-10_001),
    ):
        with pytest.raises(ConfigurationError):
            act()
    assert clock.pieces == before


def test_readers_never_see_half_a_change() -> None:
    """The wall clock is 3 s ahead of the monotonic one before and after each change of both rates."""
    clock = PhoneClock(start=START)
    clock.step(3 * S, BEGIN)
    stop = threading.Event()

    def change() -> None:
        at_ns = BEGIN
        while not stop.is_set():
            at_ns += 1000
            clock.set_drift(10_000 if at_ns % 2000 else -10_000, at_ns)
            if len(clock.pieces) > 500:
                break

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for number in range(2000):
            uptime_ns = number * 250
            assert clock.device_ns_of_uptime(uptime_ns) - uptime_ns == WALL + 3 * S
    finally:
        stop.set()
        changer.join(20)


@given(st.integers(0, 10**12))
def test_ticks_there_and_back(ticks: int) -> None:
    assert ticks_of_uptime(uptime_of_ticks(ticks)) == ticks

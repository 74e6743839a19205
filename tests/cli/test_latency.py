"""``psychopy-neon latency`` against a simulator that knows when it sent what."""

from __future__ import annotations

import bisect
import json
import time

import pytest
from click.testing import CliRunner

from psychopy_neon import Neon
from psychopy_neon.cli import latency, main
from psychopy_neon.cli.latency_legs import Leg, PacedDisplay, arrivals, use_gaze, wire
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

pytestmark = pytest.mark.once

MS = 1_000_000
LIMIT_S = 20.0
LEGS = {"gaze_wire", "gaze_age_at_use", "call", "wait_for_flip", "stamp_to_flip", "scene_wire", "scene_decode"}
ON_SCREEN = {"scene_locate", "locate_alone", "pose_age_at_use"}


@pytest.fixture(scope="module")
def sim():
    with SimulatedNeon(SimulatorSettings(offset_ns=-3_600_000 * MS, drift_ppm=20, echo_jitter_ms=2.0)) as simulated:
        with Neon(simulated.address) as neon:
            neon.scene.wait(LIMIT_S)  # the first one makes the simulator ready, which may take seconds
        yield simulated


def run(*arguments: str):
    return CliRunner().invoke(main, ["latency", *arguments])


@pytest.mark.long
def test_the_wire_is_what_the_simulator_knows(sim):
    with Neon(sim.address) as neon:
        neon.gaze.wait(LIMIT_S)
        samples = arrivals(neon, 1.5)
    leg = wire(samples)
    truth = sorted(sim.truth.records("gaze"), key=lambda record: record["device_ns"])
    stamps = [record["device_ns"] for record in truth]
    assert len(leg.values_ms) == len(samples) > 5
    for sample, value_ms in zip(samples, leg.values_ms, strict=True):
        place = bisect.bisect(stamps, sample.device_ns + MS) - 1  # its ticks are 11 microseconds long
        sent = truth[place]
        assert abs(sent["device_ns"] - sample.device_ns) < MS
        bound_ms = sample.bound_ns / MS
        known_ms = (sent["sent_ns"] - sent["host_ns"]) / MS
        whole_ms = (sample.received_ns - sent["host_ns"]) / MS
        assert known_ms - bound_ms <= value_ms <= whole_ms + bound_ms


@pytest.mark.long
def test_the_legs_of_a_use_add_up(sim):
    with Neon(sim.address) as neon:
        neon.gaze.wait(LIMIT_S)
        uses = use_gaze(neon, None, PacedDisplay(100, neon.host_clock.now_ns), 1.0)
    assert len(uses.sum.values_ms) > 2
    for age, call, wait, total in zip(
        uses.age.values_ms, uses.call.values_ms, uses.wait.values_ms, uses.sum.values_ms, strict=True
    ):
        assert age + call + wait == pytest.approx(total, abs=1e-6)


def test_json_has_every_leg(sim):
    done = run(sim.address, "--seconds", "4", "--screen", "1920x1080", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told["legs"]) == LEGS | ON_SCREEN
    for leg in told["legs"].values():
        assert leg["median_ms"] <= leg["95_percent_ms"] <= leg["max_ms"]
        assert leg["count"] > 0
        assert leg["how"]
    assert told["flips"] == "simulated"
    assert told["bound_ms"] > 0
    assert told["mapped_share"] > 0
    assert len(told["not_included"]) == 2


@pytest.mark.long
def test_the_table_says_how_and_what_is_missing(sim):
    done = run(sim.address, "--seconds", "2")
    assert done.exit_code == 0, done.output
    for text in (
        "stamp to packet read ±",
        "sum: stamp to flip",
        "How each",
        "the monitor",
        "no --screen",
        "eye_to_pixel",
    ):
        assert text in done.output


@pytest.mark.long
def test_without_time_echo_no_leg_from_the_phone_is_told():
    with SimulatedNeon(SimulatorSettings(has_echo=False)) as sim:
        done = run(sim.address, "--seconds", "2", "--json")
    told = json.loads(done.stdout)
    assert set(told["legs"]) == {"call", "wait_for_flip", "scene_decode"}
    assert told["bound_ms"] is None
    assert told["clock_trouble"]


def test_without_gaze_it_says_so(sim, monkeypatch):
    monkeypatch.setattr(latency, "STREAMS_LIMIT_S", 1.0)
    sim.mute("gaze")
    try:
        done = run(sim.address, "--seconds", "1")
    finally:
        sim.mute("gaze", False)
    assert done.exit_code == 1
    assert "no gaze came" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0.5"),
        ("--hz", "0"),
        ("--screen", "big"),
        ("--window", "--screen", "1920x1080"),
        ("--monitor-ms", "10"),
        ("--measured", "no/such/file.csv"),
    ],
)
def test_bad_options_are_told_before_anything_is_connected(arguments):
    done = run("127.0.0.1:9", *arguments)
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr


def test_paced_flips_are_never_early():
    begin_ns = time.perf_counter_ns()
    display = PacedDisplay(200, time.perf_counter_ns)
    for number in range(1, 21):
        assert display.flip() - begin_ns >= number * 5 * MS


def test_a_leg_in_numbers():
    leg = Leg("by hand")
    for value in range(1, 101):
        leg.add_ns(value * MS)
    assert leg.as_json() == {"median_ms": 50, "95_percent_ms": 95, "max_ms": 100, "count": 100, "how": "by hand"}

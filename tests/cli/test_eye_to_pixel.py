"""From LED to screen: what is made of traces and times, and the demo on a simulated Neon."""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from psychopy_neon.cli import main
from psychopy_neon.cli.eye_to_pixel import Onsets, analyse, delays_s, onsets_s, read_measured, read_trials
from psychopy_neon.errors import ConfigurationError

NEEDS_DISPLAY = pytest.mark.skipif(
    sys.platform == "linux" and not os.environ.get("DISPLAY"), reason="no display: run by nox, which brings one"
)
SAME_NS = 1_000_000


def write(path: Path, names: list[str], rows: list[tuple]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def traces(path: Path, rate_hz: float, delays: list[float], noise: float) -> Path:
    """A film of a LED that goes on every second, and of a screen that answers."""
    chance = np.random.default_rng(5)
    time_s = np.arange(0, len(delays) + 1, 1 / rate_hz)
    led, screen = np.full(len(time_s), 20.0), np.full(len(time_s), 35.0)
    for trial, delay in enumerate(delays):
        on_s = trial + 0.3 + chance.uniform(0, 0.02)
        led[(time_s >= on_s) & (time_s < on_s + 0.4)] = 220
        screen[(time_s >= on_s + delay) & (time_s < on_s + delay + 0.3)] = 180
    rows = zip(time_s, led + chance.normal(0, noise, len(led)), screen + chance.normal(0, noise, len(led)), strict=True)
    return write(path, ["time_s", "led", "screen"], list(rows))


@pytest.mark.parametrize("rate_hz", [240, 1000])
def test_delays_of_a_film_are_right_within_one_frame(tmp_path, rate_hz):
    delays = np.random.default_rng(2).uniform(0.04, 0.09, 30).tolist()
    measured = read_measured(traces(tmp_path / "film.csv", rate_hz, delays, noise=5))
    found = delays_s(measured.led_s, measured.screen_s)
    assert len(found) == len(delays)
    assert np.abs(np.array(found) - delays).max() <= 1.01 / rate_hz
    told = analyse(measured)
    assert told["camera_step_ms"] == pytest.approx(1e3 / rate_hz, abs=0.01)
    assert told["median_ms"] == pytest.approx(1e3 * statistics.median(delays), abs=1e3 / rate_hz)
    assert told["rest_ms"] is told["known_ms"] is None


def test_two_columns_in_other_units(tmp_path):
    path = write(tmp_path / "a.csv", ["led_on_ms", "screen_on_ms"], [(100, 150), (1100, ""), (2100, 2170)])
    told = analyse(read_measured(path))
    assert (told["trials"], told["answered"]) == (3, 2)
    assert (told["min_ms"], told["max_ms"]) == (50, 70)


def test_an_answer_belongs_to_the_led_before_it():
    assert delays_s([0.0, 1.0, 2.0], [-0.1, 0.05, 2.06]) == pytest.approx([0.05, 0.06])
    assert delays_s([0.0], [5.0]) == []


def test_flicker_about_the_middle_is_one_onset():
    time_s = np.arange(8.0)
    level = np.array([0, 0, 55, 48, 52, 100, 100, 0.0])
    assert len(onsets_s(time_s, level)) == 1


def test_what_is_known_is_taken_off(tmp_path):
    begin = 49_374_266_917_789_123  # more digits than a float has
    rows = [(begin + trial * 10**9, begin + trial * 10**9 + 20_000_001, 5) for trial in range(3)]
    trials = write(tmp_path / "trials.csv", ["first_sample_host_ns", "flip_host_ns", "error_px"], rows)
    assert read_trials(trials) == pytest.approx([0.020000001] * 3, abs=1e-8)
    told = analyse(Onsets([0.0, 1.0], [0.06, 1.06], 0.001), read_trials(trials), monitor_s=0.01)
    assert told["rest_ms"] == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["a", "b"], [(1, 2)]),
        (["time_s", "led", "screen"], [(0, 1, 1), (0, 2, 1)]),
        (["time_s", "led", "screen"], [(each, 50, 50) for each in range(9)]),
        (["led_on_s", "screen_on_s"], [(5, 1)]),
        (["led_on_s", "screen_on_s"], []),
    ],
)
def test_files_that_tell_nothing_are_refused(tmp_path, names, rows):
    path = write(tmp_path / "a.csv", names, rows)
    with pytest.raises(ConfigurationError):
        analyse(read_measured(path))
    with pytest.raises(ConfigurationError):
        read_trials(path)


def test_noise_alone_is_no_light(tmp_path):
    noise = np.random.default_rng(1).normal(0, 3, 5000)
    with pytest.raises(ConfigurationError, match="on and off"):
        onsets_s(np.arange(5000.0), noise)


def test_the_command_tells_and_draws(tmp_path):
    film, picture = traces(tmp_path / "film.csv", 240, [0.05, 0.06, 0.07, 0.08], 3), tmp_path / "delays.png"
    trials = write(tmp_path / "t.csv", ["first_sample_host_ns", "flip_host_ns"], [(0, 25_000_000)])
    options = ["--measured", str(film), "--trials", str(trials), "--monitor-ms", "10", "--plot", str(picture)]
    done = CliRunner().invoke(main, ["latency", *options, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rest_ms"] == pytest.approx(65 - 25 - 10, abs=5)
    with Image.open(picture) as drawn:
        assert drawn.size == (840, 420)
    said = CliRunner().invoke(main, ["latency", *options])
    assert "From time stamp to flip" in said.output
    assert "4 of 4 trials" in said.output


@NEEDS_DISPLAY
@pytest.mark.long
@pytest.mark.timeout(200)
def test_the_demo_finds_the_delay_that_the_simulator_knows(tmp_path):
    line = [sys.executable, "-m", "psychopy_neon", "demo", "eye_to_pixel", "--simulate", "--out", str(tmp_path)]
    env = {**os.environ, "HOME": str(tmp_path)}  # PsychoPy keeps its preferences in the home folder
    done = subprocess.run([*line, "--trials", "5"], capture_output=True, text=True, env=env, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sent = [json.loads(text) for text in (tmp_path / "truth.jsonl").read_text().splitlines()]
    gaze = [each for each in sent if each["kind"] == "gaze"]
    known_ms = []
    for row in rows:
        stamp = int(row["first_sample_device_ns"])
        first = min(gaze, key=lambda each: abs(each["device_ns"] - stamp))
        assert abs(first["device_ns"] - stamp) < SAME_NS
        assert first["screen_x"] > gaze[0]["screen_x"], "gaze has jumped"
        before = [each for each in gaze if int(row["led_on_host_ns"]) < each["host_ns"] < first["host_ns"]]
        assert all(each["screen_x"] < 960 for each in before), "and in no earlier sample"
        known_ms.append((first["host_ns"] - int(row["led_on_host_ns"])) / 1e6)
        assert row["cause"] == "JUMP"
    told = analyse(read_measured(tmp_path / "trials.csv"), read_trials(tmp_path / "trials.csv"))
    assert told["answered"] == told["trials"] == len(rows) == 5
    whole_ms = [(int(row["flip_host_ns"]) - int(row["led_on_host_ns"])) / 1e6 for row in rows]
    assert told["median_ms"] == pytest.approx(statistics.median(whole_ms), abs=0.01)
    each_ms = [
        whole - (int(row["flip_host_ns"]) - int(row["first_sample_host_ns"])) / 1e6
        for whole, row in zip(whole_ms, rows, strict=True)
    ]
    assert statistics.median(each_ms) == pytest.approx(statistics.median(known_ms), abs=1000 / 60)

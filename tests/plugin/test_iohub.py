"""The Neon as ioHub's eye tracker, in ioHub's own process, judged by what the simulated phone sent and received."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from psychopy_neon.samples import GazeReason

pytestmark = [pytest.mark.timeout(150), pytest.mark.once]
RUN = Path(__file__).parent / "run_iohub.py"
LIMIT_S = 20.0
SLACK_NS = 300_000
"""Reading two clocks of the computer one after the other, in Python."""
PHONE = ("--offset-ms", "-700", "--drift-ppm", "30", "--seed", "3")


@contextmanager
def simulator(truth: Path) -> Iterator[str]:
    line = [sys.executable, "-m", "psychopy_neon", "simulate", "--port", "0", "--no-mdns", "--truth", str(truth)]
    with subprocess.Popen([*line, *PHONE, "--seconds", "120"], stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"ready at (\S+) ", process.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            process.terminate()
            process.wait(LIMIT_S)


@contextmanager
def experiment(address: str, folder: Path, *more: str) -> Iterator[subprocess.Popen]:
    home = {"HOME": str(folder), "APPDATA": str(folder)}  # where PsychoPy keeps its preferences
    with subprocess.Popen(
        [sys.executable, str(RUN), address, str(folder), *more],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **home},
    ) as process:
        try:
            yield process
        finally:
            for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
                child.kill()
            process.kill()


def records(truth: Path, kind: str) -> list[dict]:
    lines = map(json.loads, truth.read_text(encoding="utf-8").splitlines())
    return [record for record in lines if record["kind"] == kind]


@pytest.fixture(scope="module")
def run(psychopy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    tables = pytest.importorskip("tables")
    folder = tmp_path_factory.mktemp("iohub")
    truth = folder / "truth.jsonl"
    with simulator(truth) as address, experiment(address, folder) as process:
        output, _ = process.communicate(timeout=100)
        assert process.returncode == 0
    told, found = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    with tables.open_file(str(folder / "study.hdf5")) as file:
        stored = {each.name: each[:] for each in file.walk_nodes("/data_collection/events/eyetracker", "Table")}
    return SimpleNamespace(told=told, found=found, stored=stored, truth=truth)


def test_it_answers_as_an_eye_tracker_does(run):
    assert run.told["before"] is None
    assert "error" in run.told["missing"]
    assert run.told["registered"] == {}
    assert run.told["begun"] == [True, True, True]
    assert run.told["setup"] == [200, 202]
    assert run.found["stopped"] is False
    assert len(run.found["pos"]) == 2
    assert run.found["last"][4] == 51
    assert run.found["events"] > 500
    assert 51 in run.found["kinds"]
    assert 52 not in run.found["kinds"]  # samples of both eyes come when they are asked for
    assert run.found["eyes"] > 200
    assert abs(run.found["time"] - run.found["now"]) < 2.0  # the phone is 0.7 s behind


def test_every_sample_is_stored_whatever_became_of_it(run):
    """From the first to the last one in the file none is missing, in any of the three tables."""
    sent = [each["device_ns"] for each in records(run.truth, "gaze")]
    stored = run.stored["NeonGazeEvent"]["device_ns"].tolist()
    assert stored == [each for each in sent if stored[0] <= each <= stored[-1]]
    assert len(stored) == run.found["report"]["stored"] > 500
    assert len(run.stored["MonocularEyeSampleEvent"]) == len(run.stored["BinocularEyeSampleEvent"]) == len(stored)
    assert run.found["report"]["gaze_lost"] == len(run.stored["NeonGapEvent"]) == 0


def test_places_are_those_that_were_looked_at(run):
    looked_at = {each["device_ns"]: (each["screen_x"], each["screen_y"]) for each in records(run.truth, "gaze")}
    gaze, screen = run.stored["NeonGazeEvent"], run.stored["MonocularEyeSampleEvent"]
    is_mapped = gaze["reason"] == b""
    assert is_mapped.mean() > 0.8  # the simulated wearer looks beside the screen, too, but not out of view
    assert np.array_equal(is_mapped, screen["status"] == 0)
    names = {101 + place: reason.name.encode() for place, reason in enumerate(GazeReason)}
    assert [names[each] for each in screen["status"][~is_mapped]] == gaze["reason"][~is_mapped].tolist()
    truth = np.array([looked_at[each] for each in gaze["device_ns"].tolist()])
    places = np.stack([gaze["screen_x"], gaze["screen_y"]], axis=1)
    assert np.median(np.abs(places - truth)[is_mapped]) < 0.5
    in_window = np.stack([2 * gaze["screen_x"] / 1920 - 1, 1 - 2 * gaze["screen_y"] / 1080], axis=1)
    assert np.allclose(
        in_window[is_mapped], np.stack([screen["gaze_x"], screen["gaze_y"]], axis=1)[is_mapped], atol=1e-4
    )
    assert np.isnan(screen["gaze_x"][~is_mapped]).all()


def test_times_are_true_within_their_bound(run):
    (clock,) = records(run.truth, "clock")
    gaze = run.stored["NeonGazeEvent"]
    on_phone = clock["device_ns"] + (gaze["host_ns"] - clock["host_ns"]) * (1 + clock["drift_ppm"] * 1e-6)
    bound_ns = gaze["confidence_interval"].astype(float) * 1e9
    assert (np.abs(gaze["device_ns"] - on_phone) <= bound_ns + SLACK_NS).all()
    assert np.allclose(gaze["device_ns"] / 1e9, gaze["device_time"], rtol=0, atol=1e-6)
    # ioHub's clock was set in between: before and after, all times of a row are of the same clock.
    zeros_s = gaze["time"] - gaze["host_ns"] / 1e9
    jumps = np.abs(np.diff(zeros_s)) > 0.1
    assert jumps.sum() == 1
    assert np.abs(np.diff(zeros_s)[~jumps]).max() < SLACK_NS / 1e9
    assert np.allclose(gaze["delay"], gaze["logged_time"] - gaze["time"], atol=1e-5)


def test_the_sensor_and_the_clock_are_in_the_file(run):
    assert len(run.stored["NeonImuEvent"]) > 200
    assert np.allclose(
        np.linalg.norm(run.stored["NeonImuEvent"][["accel_x", "accel_y", "accel_z"]].tolist(), axis=1), 1
    )
    assert abs(run.stored["NeonClockEvent"]["offset_ns"][0] / 1e9) > 1e6  # the phone counts from 1970
    pupils = run.stored["BinocularEyeSampleEvent"]
    assert (pupils["left_pupil_measure1_type"] == 77).all()
    assert np.nanmin(pupils["left_pupil_measure1"]) > 1.0


def test_events_and_messages_reach_the_recording_with_their_times(run):
    (clock,) = records(run.truth, "clock")
    received = {each["name"]: each for each in records(run.truth, "event")}
    assert set(received) == {"by message", "by event", "now"}
    ok, error, _ = run.found["answers"]
    assert ok == {}
    assert "name" in error["error"]
    for name, host_ns in run.found["marks_ns"].items():
        passed_ns = host_ns - clock["host_ns"]
        on_phone_ns = clock["device_ns"] + passed_ns + passed_ns * clock["drift_ppm"] * 1e-6
        assert abs(received[name]["device_ns"] - on_phone_ns) < 2_000_000, name
        assert received[name]["recording_id"] == run.found["report"]["recording_id"]


@pytest.mark.long
def test_an_experiment_that_dies_leaves_a_saved_recording_and_no_process(psychopy, tmp_path: Path):
    truth = tmp_path / "truth.jsonl"
    with simulator(truth) as address, experiment(address, tmp_path, "die") as process:
        told = json.loads(next(line for line in process.stdout if line.startswith("{")))
        assert process.wait(LIMIT_S) == 9
        end = time.monotonic() + 2 * LIMIT_S
        while psutil.pid_exists(told["hub_pid"]):
            assert time.monotonic() < end, "ioHub's process stays"
            time.sleep(0.1)  # somebody else's process cannot be waited for
        assert [each["action"] for each in records(truth, "recording")] == ["START", "STOP", "SAVE"]

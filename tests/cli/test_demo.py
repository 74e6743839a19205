"""The demo from the command line: a whole run, and a Neon that dies in the middle of one."""

import contextlib
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(
        sys.platform == "linux" and not os.environ.get("DISPLAY"), reason="no display: run by nox, which brings one"
    ),
    pytest.mark.timeout(150),
    pytest.mark.long,
]
START_LIMIT_S = 60.0


@contextlib.contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo in a process that is ended, whatever happens; what it said is shown when it had to be."""
    line = [sys.executable, "-m", "psychopy_neon", "demo", "gaze_contingent", "--simulate", "--out", str(folder)]
    # PsychoPy keeps its preferences in the home folder.
    env = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(
        [*line, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # it ends its simulator
                print(*process.communicate(timeout=30))


def test_a_whole_run_maps_gaze_and_leaves_its_data(tmp_path):
    with demo(tmp_path, "--frames", "240") as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Mapped gaze against the simulator's truth" in output
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["frames"] == 240
    assert summary["gaze_lost"] == 0
    sent = summary["events_confirmed"].split(" of ")
    assert sent[0] == sent[1] != "0"
    assert summary["mapping_error_px_median"] <= 0.5
    assert summary["mapping_error_px_95_percent"] <= 1.5
    with (tmp_path / "frames.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 240
    assert (tmp_path / "last_frame.png").stat().st_size > 5000


@pytest.mark.skipif(sys.platform != "linux", reason="finds the simulator's process by Linux's /proc")
def test_a_neon_that_dies_is_told_and_nothing_is_left(tmp_path):
    with demo(tmp_path) as process:
        simulator = _child(process.pid)
        _wait_for_streams(process, tmp_path / "truth.jsonl")
        os.kill(simulator, 9)
        killed = time.monotonic()
        assert process.stderr is not None
        errors = ""
        while "the Neon went away" not in errors and (line := process.stderr.readline()):
            errors += line
        told_s = time.monotonic() - killed
        output, rest = process.communicate(timeout=30)
    assert "the Neon went away" in errors
    assert told_s < 2.0
    assert process.returncode == 1
    assert "Traceback" not in output + errors + rest
    assert "worker failed" not in rest
    assert (tmp_path / "frames.csv").exists(), "the data so far are saved"


def _child(pid: int) -> int:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text().split()):
                if "simulate" in Path(f"/proc/{child}/cmdline").read_text():
                    return child
        time.sleep(0.05)  # /proc has to be asked again
    raise AssertionError("the demo started no simulator")


def _wait_for_streams(process: subprocess.Popen[str], truth: Path) -> None:
    """Until gaze has been sent for two seconds and an event has come: the first trial runs."""
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        text = truth.read_text() if truth.exists() else ""
        if text.count('"kind":"gaze"') > 400 and '"kind":"event"' in text:
            return
        time.sleep(0.1)  # the file has to be read again
    output, errors = process.communicate() if process.poll() is not None else ("", "")
    raise AssertionError(f"the demo did not get to its first trial: {output} {errors}")

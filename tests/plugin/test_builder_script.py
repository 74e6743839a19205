"""A script that the Builder writes, run with ioHub, a pause and a mirror."""

from __future__ import annotations

import csv
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = [pytest.mark.timeout(150), pytest.mark.long]
RUN = Path(__file__).parent / "run_builder_script.py"
TOLERANCE_NS = 1_000_000
PARTS = ("cue", "cue_text", "target", "target_text")


@pytest.fixture(scope="module")
def folder(psychopy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("builder")


@pytest.fixture(scope="module")
def run(folder: Path) -> dict:
    home = {"HOME": str(folder), "APPDATA": str(folder)}  # where PsychoPy keeps its preferences
    with subprocess.Popen(
        [sys.executable, str(RUN), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **home},
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                end = getattr(os, "killpg", lambda pid, _: process.kill())  # ioHub's process with it, where it can be
                end(process.pid, 9)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def test_every_stamp_is_an_event_with_its_own_time(run: dict) -> None:
    readings = dict(map(tuple, run["readings"]))
    for column in [f"{part}.{what}" for part in PARTS for what in ("started", "stopped")]:
        times_ns = [at_ns for name, at_ns in run["sent"] if name == column]
        for at_ns, row in zip(times_ns, run["rows"], strict=True):
            before_ns, after_ns = readings[row[column]]
            assert before_ns - TOLERANCE_NS <= at_ns <= after_ns + TOLERANCE_NS, column
    assert (run["restamped"], run["failed"], run["waiting"]) == (0, 0, 0)


def test_trials_start_with_their_first_flip(run: dict) -> None:
    readings = dict(map(tuple, run["readings"]))
    trials = [(name, at_ns) for name, at_ns in run["sent"] if name.startswith("trials.")]
    words = ['trials.started 0 {"word": "rot"}', "trials.stopped 0", 'trials.started 1 {"word": "blau"}']
    assert [name for name, _ in trials] == [*words, "trials.stopped 1"]
    for (_, at_ns), row in zip(trials[::2], run["rows"], strict=True):
        before_ns, after_ns = readings[row["thisRow.t"]]
        assert before_ns - TOLERANCE_NS <= at_ns <= after_ns + TOLERANCE_NS


def test_the_clocks_were_set_in_between(run: dict) -> None:
    assert len(run["pauses"]) == 1
    assert run["pauses"][0] >= 0.1
    assert run["jump_s"] > 1.0  # ioHub took seconds to start; syncClock set core's clock to the run's start
    assert abs(run["off_ns"]) < 20_000_000


def test_the_data_files_are_those_of_psychopy(run: dict, folder: Path) -> None:
    (table,) = folder.glob("data/*.csv")
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["word"] for row in rows] == ["rot", "blau"]
    assert all(row["cue_text.started"] for row in rows)
    (saved,) = folder.glob("data/*.psydat")
    assert b"psychopy_neon" not in saved.read_bytes()
    assert [row["word"] for row in pickle.loads(saved.read_bytes()).entries] == ["rot", "blau"]

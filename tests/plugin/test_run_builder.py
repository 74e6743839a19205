"""A script of the Builder with stock parts only, run as a user does: with a simulated Neon, without one, and with ends
that nobody wants."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from whole_runs import rows_of

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]
COMPILE = Path(__file__).parent / "run_neon_script.py"
LIMIT_S = 120.0
NOBODY = "127.0.0.1:9"


class Study:
    """A script that runs, and what it leaves."""

    def __init__(self, folder: Path, seconds: float, settings: dict, *options: str) -> None:
        self.folder = folder
        self.env = {**os.environ, "HOME": str(folder), "APPDATA": str(folder)}  # of PsychoPy's preferences
        line = [sys.executable, str(COMPILE), str(folder), str(seconds), json.dumps(settings)]
        subprocess.run(line, env=self.env, check=True, timeout=LIMIT_S, capture_output=True)
        self.log = (folder / "output.txt").open("w")
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "study.py"), *options], stdout=self.log, stderr=self.log, env=self.env
        )
        self.children: list[psutil.Process] = []

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text(errors="replace")

    def child(self, word: str) -> psutil.Process:
        """The process that the script started with this word in its command line."""

        def found() -> psutil.Process | None:
            with contextlib.suppress(psutil.Error):
                self.children = psutil.Process(self.process.pid).children(recursive=True)
            for child in self.children:
                with contextlib.suppress(psutil.Error):
                    if word in " ".join(child.cmdline()):
                        return child
            return None

        return self.until(found)

    def until(self, condition: Callable[[], object]) -> object:
        end_s = time.monotonic() + LIMIT_S
        while not (found := condition()):
            assert time.monotonic() < end_s, self.output
            assert self.process.poll() is None, self.output
            time.sleep(0.1)
        return found

    def is_running(self) -> bool:
        """Whether the routine is under way."""
        return (self.folder / "running").exists()

    def end(self) -> int:
        return self.process.wait(LIMIT_S)

    def rows(self) -> list[dict[str, str]]:
        return rows_of(self.folder)

    def close(self) -> None:
        with contextlib.suppress(psutil.Error):
            self.children = psutil.Process(self.process.pid).children(recursive=True) or self.children
        self.process.kill()
        self.process.wait(LIMIT_S)
        for child in self.children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        self.log.close()


@pytest.fixture
def run(psychopy: SimpleNamespace, tmp_path: Path) -> Iterator[Callable[..., Study]]:
    studies = []

    def run(seconds: float, settings: dict, *options: str) -> Study:
        studies.append(Study(tmp_path, seconds, settings, *options))
        return studies[-1]

    yield run
    for study in studies:
        study.close()


@pytest.mark.long
def test_a_run_with_a_simulated_neon(run: Callable[..., Study]) -> None:
    study = run(3.0, {"neonEvents": "routines", "neonTemplate": {}}, "--pilot")
    simulator = study.child("simulate")
    assert study.end() == 0, study.output
    assert not simulator.is_running() or simulator.status() == psutil.STATUS_ZOMBIE
    (row,) = study.rows()
    assert row["trial.started"]
    assert (row["neon.recording"], row["neon.pilot"], row["neon.problems"]) == ("saved", "simulated", "")
    assert row["neon.recording_id"]
    assert int(row["neon.gaze_received"]) > 100
    assert (row["neon.gaze_lost"], row["neon.events_unconfirmed"], row["neon.events_refused"]) == ("0", "0", "0")


def test_without_a_neon_the_run_does_not_start(run: Callable[..., Study]) -> None:
    study = run(3.0, {"neonAddress": NOBODY})
    assert study.end() == 3, study.output
    (row,) = study.rows()
    assert row["neon.problems"].startswith(f"no Neon found at {NOBODY}")
    assert (row["neon.recording_id"], row["neon.gaze_received"]) == ("", "")
    assert "trial.started" not in row
    assert "Companion app" in study.output


@pytest.mark.long
def test_without_a_neon_the_run_goes_on_if_it_shall(run: Callable[..., Study]) -> None:
    study = run(1.0, {"neonAddress": NOBODY, "neonWhenMissing": "go on"})
    assert study.end() == 5, study.output
    (row,) = study.rows()
    assert row["trial.started"]
    assert row["neon.problems"]


@pytest.mark.long
def test_the_mouse_in_pilot_mode(run: Callable[..., Study]) -> None:
    study = run(1.0, {"neonAddress": NOBODY, "neonPilot": "mouse"}, "--pilot")
    assert study.end() == 0, study.output
    assert study.rows()[0]["neon.pilot"] == "mouse"


@pytest.mark.long
def test_a_neon_that_dies_ends_the_run(run: Callable[..., Study]) -> None:
    study = run(600.0, {"neonWhenLost": "stop"}, "--pilot")
    simulator = study.child("simulate")
    study.until(study.is_running)
    simulator.kill()
    assert study.end() == 4, study.output
    (row,) = study.rows()
    assert row["trial.started"]
    assert row["neon.trouble"]


@pytest.mark.long
def test_an_iohub_that_is_killed_ends_the_run(run: Callable[..., Study]) -> None:
    study = run(600.0, {"neonWhenLost": "go on"}, "--pilot")
    hub = study.child("start_iohub_process")
    study.until(study.is_running)
    hub.kill()
    assert study.end() == 4, study.output
    (row,) = study.rows()
    assert row["trial.started"]
    assert "ioHub's process ended" in row["neon.problems"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be stopped there without ending it")
def test_an_iohub_that_hangs_ends_the_run(run: Callable[..., Study]) -> None:
    study = run(600.0, {"neonWhenLost": "stop"}, "--pilot")
    hub = study.child("start_iohub_process")
    study.until(study.is_running)
    hub.suspend()
    assert study.end() == 4, study.output
    assert "silent" in study.rows()[0]["neon.problems"]
    assert not hub.is_running() or hub.status() == psutil.STATUS_ZOMBIE

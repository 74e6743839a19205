"""One demo per gaze-contingent tool, each on its own simulated Neon: it does what it is for."""

from __future__ import annotations

import ast
import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from psychopy_neon.cli import main

NEEDS_DISPLAY = pytest.mark.skipif(
    sys.platform == "linux" and not os.environ.get("DISPLAY"), reason="no display: run by nox, which brings one"
)
NAMES = [
    "dwell_choice",
    "eeg_events",
    "eye_to_pixel",
    "fixation_gate",
    "free_viewing",
    "gaze_contingent",
    "gaze_cursor",
    "look_away",
    "moving_window",
    "pupil_response",
    "roi_viewing",
]


def run_demo(folder: Path, name: str, frames: int, *options: str) -> tuple[dict, list[dict]]:
    """Its summary and the rows of what was used.

    A computer that is so busy that the tags are found too seldom proves nothing about the demo: then it is run again,
    for longer.
    """
    if name != "look_away":  # which makes its window smaller by itself
        options = (*options, "--window", "1280", "720")  # a computer that draws in software has less to do
    for longer in (1, 2, 4):
        summary, rows = run_once(folder / str(longer), name, longer * frames, *options)
        if summary["used_with_gaze_percent"] >= 80:
            break
    assert summary["mapping_error_px_median"] <= 1.0
    return summary, rows


def run_once(folder: Path, name: str, frames: int, *options: str) -> tuple[dict, list[dict]]:
    line = [sys.executable, "-m", "psychopy_neon", "demo", name, "--simulate", "--out", str(folder)]
    env = {**os.environ, "HOME": str(folder.parent)}  # PsychoPy keeps its preferences in the home folder
    done = subprocess.run(
        [*line, "--frames", str(frames), *options], capture_output=True, text=True, env=env, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((folder / "summary.json").read_text())
    with (folder / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert summary["frames"] == frames
    assert (folder / "last_frame.png").stat().st_size > 5000
    return summary, rows


def distance_px(row: dict) -> float:
    """Of what was drawn from the gaze."""
    return math.dist((float(row["x_px"]), float(row["y_px"])), (float(row["drawn_x_px"]), float(row["drawn_y_px"])))


def test_without_a_name_they_are_listed_with_a_line_each() -> None:
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0
    lines = [line.split(maxsplit=1) for line in result.output.splitlines()]
    assert [name for name, _ in lines] == NAMES
    assert all(len(text) > 20 and text.endswith(".") for _, text in lines)


@pytest.mark.parametrize("name", ["nothing", "_common"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    result = CliRunner().invoke(main, ["demo", name, "--simulate"])
    assert result.exit_code == 1
    assert "dwell_choice" in result.output


def test_an_address_and_a_simulation_are_too_much() -> None:
    result = CliRunner().invoke(main, ["demo", "gaze_cursor", "192.0.2.1:8080", "--simulate"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "demos" / "coder").glob("*.py")), ids=lambda p: p.stem
)
def test_a_demo_is_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= (250 if path.stem.startswith("_") else 120)
    assert ast.get_docstring(ast.parse(source))


@NEEDS_DISPLAY
@pytest.mark.long
@pytest.mark.timeout(300)
class TestOnASimulatedNeon:
    """Some ten seconds each, so only a few of them are fast tests."""

    @pytest.mark.long
    def test_gaze_cursor(self, tmp_path: Path) -> None:
        summary, rows = run_demo(tmp_path, "gaze_cursor", 120, "--smooth")
        with_gaze = [row for row in rows if row["tool"] == "GazeCursor" and row["is_on_screen"] == "1"]
        assert summary["frames_with_the_ring"] == len(with_gaze) > 60
        drawn = {
            name: [distance_px(row) for row in rows if row["tool"] == name and row["is_drawn"] == "1" and row["x_px"]]
            for name in ("GazeCursor", "Smooth")
        }
        assert max(drawn["GazeCursor"]) == 0.0
        assert max(drawn["Smooth"]) > 1.0, "the calm ring is late"

    @pytest.mark.parametrize("options", [pytest.param((), marks=pytest.mark.long), ("--scotoma",)])
    def test_moving_window(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        _, rows = run_demo(tmp_path, "moving_window", 100, *options)
        followed = [row for row in rows if row["is_drawn"] == "1" and row["is_held"] == "0"]
        assert len(followed) >= 50
        assert {row["tool"] for row in rows} == {"GazeScotoma" if options else "GazeWindow"}
        assert max(map(distance_px, followed)) < 1.0

    def test_dwell_choice(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "dwell_choice", 150)
        assert summary["choices_made"] >= 1
        for choice in summary["choices"]:
            assert choice["chosen"] == choice["wanted"]
            assert choice["selected_s"] - choice["entered_s"] >= 0.8

    @pytest.mark.long
    def test_fixation_gate(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "fixation_gate", 120)
        assert summary["opened"] >= 1
        assert summary["trials"][0] == {"state": "OPEN", "waited_for": ""}

    @pytest.mark.long
    def test_look_away(self, tmp_path: Path) -> None:
        summary, rows = run_demo(tmp_path, "look_away", 130)
        assert summary["pauses"] >= 1
        assert "away" in summary["causes"]
        assert 20 <= summary["frames_moved"] < summary["frames"]
        assert summary["off_s"] > 0.6
        assert any(row["is_on_screen"] == "0" and row["x_px"] for row in rows), "off the screen is a place"

    def test_roi_viewing(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "roi_viewing", 170)
        for name in ("picture", "text", "disc"):
            assert summary[name]["looks"] >= 1
            assert summary[name]["on_s"] > 0.3

    @pytest.mark.long
    def test_free_viewing(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "free_viewing", 170)
        for part in ("house", "tree", "sun"):
            assert sum(scene[part]["looks"] for scene in summary["scenes"]) >= 1
            assert sum(scene[part]["on_s"] for scene in summary["scenes"]) > 0.2

    @pytest.mark.long
    def test_pupil_response(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "pupil_response", 260)
        table = sorted(tmp_path.glob("*/pupil.csv"))[-1]  # of the longest run
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert summary["pupil_samples"] == len(rows) > 300
        assert all(1 < float(row[eye]) < 10 for row in rows for eye in ("left_mm", "right_mm") if row[eye])
        seconds = [float(row["seconds"]) for row in rows if row["trial"] == "0" and row["seconds"]]
        assert seconds == sorted(seconds)
        assert min(seconds) < -1.5, "two seconds before the step"

    @pytest.mark.long
    def test_eeg_events(self, tmp_path: Path) -> None:
        summary, _ = run_demo(tmp_path, "eeg_events", 120)
        confirmed, sent = summary["events_confirmed"].split(" of ")
        assert confirmed == sent != "0"
        assert summary["middle_looked_at_s"] > 1

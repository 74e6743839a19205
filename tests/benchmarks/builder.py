"""This plugin beside the official one: the same experiment, screen and simulated Neon, in turn.

Each run has a simulator of its own, which sees the screen and looks round a circle, so that no two samples near each
other in time have the same place.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from builder_truth import Judged
from processes import OURS, Failed, run_process, run_script, simulator
from result import Row, medians, percentile_95, row
from rich.console import Console

TABLE = Path("includes/builder_benchmark.md")
PLUGINS = {"ours": "psychopy-neon", "peer": "psychopy-eyetracker-pupil-labs"}
CENTRE_PX, RADIUS_PX, GAZE_HZ = (640.0, 400.0), 300.0, 200
ROUND_S = math.sqrt(0.65)
"""No whole number of samples, so that no place comes twice."""
PREPARING_S = 180.0
"""The longest that a run may take besides what it measures."""
WITH_EYES, WITHOUT_EYES = 65, 9
"""Bytes of a gaze datum with the state of the eyes, as the phone's settings are by default, and with nothing else."""
TRIES = 3
ACTIVATIONS = 10
RESULTS: dict[tuple[str, str], Callable[[Judged], float]] = {
    ("age of gaze at the flip, median", "ms"): lambda run: statistics.median(run.ages_ms),
    ("age of gaze at the flip, 95 %", "ms"): lambda run: percentile_95(run.ages_ms),
    ("age of gaze when it is read, median", "ms"): lambda run: statistics.median(run.read_ages_ms),
    ("age of gaze when it is read, 95 %", "ms"): lambda run: percentile_95(run.read_ages_ms),
    ("flips with gaze", "%"): lambda run: run.flips_with_gaze_percent,
    ("call that reads gaze, median", "us"): lambda run: statistics.median(run["calls_us"]),
    ("call that reads gaze, 95 %", "us"): lambda run: percentile_95(run["calls_us"]),
    ("gaze on the screen, error, median", "px"): lambda run: statistics.median(run.errors_px),
    ("gaze on the screen, error, 95 %", "px"): lambda run: percentile_95(run.errors_px),
    ("stored gaze on the screen, error, 95 %", "px"): lambda run: percentile_95(run.stored_errors_px),
    ("samples stored of those sent", "%"): lambda run: run.stored_percent,
    ("samples stored with their place on the screen", "%"): lambda run: run.placed_percent,
    ("events in the recording", "%"): lambda run: run.events_percent,
    ("event against its flip, median", "ms"): lambda run: median_or_nan(run.events_ms),
    ("event against its flip, largest", "ms"): lambda run: max(run.events_ms, default=math.nan),
    ("frames over 25 ms in the experiment", "%"): lambda run: run.long_percent,
    ("start of ioHub", "s"): lambda run: run["launch_s"],
    ("end of ioHub", "s"): lambda run: run["end_s"],
}


def measure(peer_python: str, runs: int, seconds: float, console: Console) -> list[Row]:
    """Everything that is compared; medians over the runs."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        raise Failed("builder: there is no screen; nox -s bench brings a virtual one")
    pythons = {"ours": OURS, "peer": peer_python}
    judged: dict[str, list[Judged]] = {"ours": [], "peer": []}
    mouse_s: dict[str, list[float]] = {"ours": [], "peer": []}
    silent = {"ours": 0, "peer": 0}
    for number in range(runs):
        for side, python in pythons.items():
            console.print(f"builder, run {number + 1} of {runs}, {PLUGINS[side]}")
            mouse_s[side].append(experiment(python, "mouse", 0)["launch_s"])
            run, failed = tried(python, side, seconds)
            judged[side].append(run)
            silent[side] += failed
    activation = [activation_s(python, PLUGINS[side]) for side, python in pythons.items()]
    floors = [statistics.median(mouse_s[side]) for side in pythons]
    waits = medians(list(judged.values()), lambda run: run["gaze_s"])
    return [
        *(row(*name, *medians(list(judged.values()), of)) for name, of in RESULTS.items()),
        row("start of ioHub with MouseGaze", "s", *floors),
        row(
            "gaze on the screen, above ioHub with MouseGaze", "s", *(a - b for a, b in zip(waits, floors, strict=True))
        ),
        row("activatePlugins() above a stub", "s", *activation),
        row("runs without any gaze, repeated", "", silent["ours"], silent["peer"]),
    ]


def tried(python: str, side: str, seconds: float) -> tuple[Judged, int]:
    """A run with gaze, and how many had none.

    The official plugin asks for its clock as soon as it has the state of an eye, and if there is no clock yet, it goes
    on without gaze; so what follows a run without gaze has no state of the eyes.
    """
    for silent in range(TRIES):
        run = experiment(python, side, seconds, WITHOUT_EYES if silent else WITH_EYES)
        if run is not None:
            return run, silent
    raise Failed(f"builder: {TRIES} times {PLUGINS[side]} gave no gaze")


def experiment(python: str, side: str, seconds: float, gaze_bytes: int = WITH_EYES) -> Any:
    """One run: judged, or of MouseGaze as it is; None when no gaze came."""
    limit_s = seconds + PREPARING_S
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_circle(folder / "gaze.jsonl", limit_s)
        options = ("--scene", "screen", "--gaze", str(folder / "gaze.jsonl"), "--gaze-bytes", str(gaze_bytes))
        with simulator(*options) as (address, truth):
            done = run_process(python, "builder_experiment", side, address, seconds, folder, limit_s=limit_s)
            if done.returncode != 0:
                raise Failed(f"builder, {side}, ended with {done.returncode}:\n{done.stderr[-4000:]}")
            result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            return result if side == "mouse" or result is None else Judged(result, truth)


def write_circle(path: Path, seconds: float) -> None:
    """Where the simulated eyes look."""
    lines = []
    for number in range(round(seconds * GAZE_HZ)):
        angle = 2 * math.pi * number / GAZE_HZ / ROUND_S
        x, y = CENTRE_PX[0] + RADIUS_PX * math.cos(angle), CENTRE_PX[1] + RADIUS_PX * math.sin(angle)
        lines.append(json.dumps({"t_s": number / GAZE_HZ, "x": x, "y": y}))
    path.write_text("\n".join(lines), encoding="utf-8")


def activation_s(python: str, plugin: str) -> float:
    """How much longer PsychoPy takes to activate a plugin than a stub with the same entry points, in turn."""
    more_s = []
    for number in range(ACTIVATIONS + 1):
        with tempfile.TemporaryDirectory() as folder:
            stub = run_script(python, "builder_activation", plugin, folder, limit_s=PREPARING_S)
        real = run_script(python, "builder_activation", plugin, limit_s=PREPARING_S)
        if not stub["stub"] or stub["loaded"] or real["stub"] or not real["loaded"]:
            raise Failed(f"builder: the wrong plugin was activated: {stub}, {real}")
        if number:  # the first pair reads its files from the disk
            more_s.append(real["taken_s"] - stub["taken_s"])
    return statistics.median(more_s)


def median_or_nan(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan

"""This plugin and the official one, installed in one environment. NEON_BOTH_PYTHON names a Python that has both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
PROBE = Path(__file__).parent / "probe_both.py"
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
KEYS = ("psychopy_neon.EyeTracker", "eyetracker.hw.pupil_labs.neon.EyeTracker")
OFFICIAL = "psychopy-eyetracker-pupil-labs"
LIMIT_S = 300.0


@pytest.fixture(scope="module")
def python() -> str:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("DISPLAY is not set; a virtual one (Xvfb) will do")
    path = os.environ.get("NEON_BOTH_PYTHON")
    if not path:
        pytest.skip(f"NEON_BOTH_PYTHON is not set: it names a Python that has this package and {OFFICIAL}")
    return path


@pytest.fixture(scope="module")
def listed(python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("both")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"HOME": str(folder), "APPDATA": str(folder)}
    command = [python, "-W", "ignore", str(PROBE), str(folder / "found.json")]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The benchmark's experiment with a simulated Neon; its result, judged."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))  # its files are no package
    return import_module("builder").tried


def test_both_are_loaded(listed: dict[str, Any]) -> None:
    assert {"psychopy-neon", OFFICIAL} <= set(listed["loaded"])
    assert listed["failed"] == []
    assert listed["hub"] == "psychopy_neon.plugin.iohub"


def test_each_tracker_is_listed_once(listed: dict[str, Any]) -> None:
    assert [listed["keys"].count(key) for key in KEYS] == [1, 1]
    assert len(listed["labels"]) == len(set(listed["labels"])) == len(listed["keys"])


def test_no_component_takes_the_place_of_another(listed: dict[str, Any]) -> None:
    names = [each["name"] for each in listed["components"]]
    assert len(names) == len(set(names))
    assert {each["dist"] for each in listed["components"]} == {"psychopy-neon", OFFICIAL}
    assert [each["name"] for each in listed["components"] if not each["is_listed"]] == []


@pytest.mark.parametrize("side", ["ours", "peer"])
def test_each_tracker_gives_gaze(python: str, experiment: Callable[..., Any], side: str) -> None:
    judged, _ = experiment(python, side, 3)
    assert judged.ages_ms
    assert sorted(judged.errors_px)[len(judged.errors_px) // 2] < 12.0  # a sample's way round the circle

"""What PsychoPy finds of ours when its plugins are activated; ``nox -s environments`` asks in fresh environments."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest.importorskip("psychopy")
pytestmark = [pytest.mark.timeout(180), pytest.mark.once]
PROBE = Path(__file__).parent / "probe_plugins.py"
TRACKER = "psychopy_neon.EyeTracker"
STUDIO_CONDITION = re.compile(r"(== ?('[^']*'|True|False)|in \[.*\]|)")
STUDIO_INPUTS = {"single", "multi", "code", "name", "choice", "multiChoice", "bool", "color", "dict"}
EXPERIMENT = """
from psychopy import plugins
plugins.activatePlugins()
from psychopy import experiment
from psychopy.scripts.psyexpCompile import compileScript
exp = experiment.Experiment()
exp.settings.params["eyetracker"].val = "psychopy_neon.EyeTracker"
routine = exp.addRoutine("trial")
exp.flow.addRoutine(routine, 0)
for name, component in experiment.getAllComponents(fetchIcons=False).items():
    if component.plugin == "psychopy-neon":
        routine.append(component(exp, "trial", name=name.lower()))
compileScript(exp, outfile="made.py")
"""


def run(*command: str, is_with_display: bool, folder: Path) -> None:
    """A Python process whose home is an empty folder."""
    env = {**os.environ, "HOME": str(folder), "APPDATA": str(folder)}
    if not is_with_display:
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            env.pop(name, None)
    elif sys.platform.startswith("linux") and not env.get("DISPLAY"):
        pytest.skip("DISPLAY is not set; a virtual one (Xvfb) will do")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=folder, env=env, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=[True, False], ids=["display", "no display"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("home")
    run(str(PROBE), "found.json", is_with_display=request.param, folder=folder)
    return json.loads((folder / "found.json").read_text("utf-8"))


def test_the_plugin_is_loaded_once(found: dict) -> None:
    assert found["plugins"]["loaded"].count("psychopy-neon") == 1
    assert "psychopy-neon" not in found["plugins"]["failed"]
    assert found["hub"] == "psychopy_neon.plugin.iohub"


def test_every_component_is_there_once(found: dict) -> None:
    names = [each.name for each in entry_points(group="psychopy.experiment.components") if is_ours(each.value)]
    assert len(names) == 8
    assert sorted(found["components"]) == sorted(names)


def is_ours(value: str) -> bool:
    return value.startswith("psychopy_neon.")


def test_the_tracker_is_in_the_list_once(found: dict) -> None:
    assert found["trackers"]["keys"].count(TRACKER) == 1
    labels = found["trackers"]["labels"]
    assert len(labels) == len(set(labels)) == len(found["trackers"]["keys"])


def test_nothing_heavy_is_imported(found: dict) -> None:
    assert found["heavy"] == []


def test_studio_can_show_every_param(found: dict) -> None:
    if found["profiles"] is None:
        pytest.skip("this PsychoPy is older than Studio")
    shown = found["profiles"]
    settings = {name: param for name, param in shown["settings"].items() if name.startswith("neon")}
    assert len(settings) >= 10
    for params in (settings, *(shown[name] for name in found["components"])):
        for name, param in params.items():
            assert param["inputType"] in STUDIO_INPUTS, name
            assert param["label"], name
            assert "lambda" not in json.dumps(param), name
            for condition in [each["condition"] for kind in param["depends"].values() for each in kind]:
                assert STUDIO_CONDITION.fullmatch(condition), (name, condition)
    for name, param in settings.items():
        assert param["depends"]["shown"] == [{"param": "eyetracker", "condition": f"== '{TRACKER}'"}], name


def test_an_experiment_with_all_of_it_compiles_without_a_display(tmp_path: Path) -> None:
    run("-c", EXPERIMENT, is_with_display=False, folder=tmp_path)
    script = (tmp_path / "made.py").read_text("utf-8-sig")
    ast.parse(script)
    assert "NeonRun.begin(" in script
    assert script.count("= neonParts.") == 8

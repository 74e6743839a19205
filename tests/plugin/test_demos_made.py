"""The Builder demos are what their makers make, open without an alert, and a person can read them."""

from __future__ import annotations

import csv
import importlib
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import pytest

# Of PsychoPy, whose components are read when they are used for the first time.
pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]
DEMOS = Path(__file__).parents[2] / "demos" / "builder"
NAMES = sorted(path.name for path in DEMOS.glob("[!_]*"))


class AnyAlert(list[str]):
    """Collects all alerts, PsychoPy's own too."""

    def receiveAlert(self, alert: object) -> None:  # noqa: N802 (PsychoPy's name)
        self.append(f"{alert.code}: {alert.msg}")


@pytest.fixture(scope="module")
def opened(psychopy: SimpleNamespace) -> dict[str, object]:
    """The saved experiments, as the Builder opens them."""
    from psychopy import experiment

    from psychopy_neon.plugin.builder import (
        backend,  # noqa: F401 (as an entry point it is loaded by activatePlugins)
        components,
    )

    for name in components.__all__:
        experiment.components.addComponent(getattr(components, name))
    found = {}
    for name in NAMES:
        found[name] = experiment.Experiment()
        found[name].loadFromXML(str(DEMOS / name / f"{name}.psyexp"))
    return found


def content(exp: object) -> str:
    """All that is saved but the version of PsychoPy."""
    root = exp._xml
    root.attrib.pop("version")
    return ElementTree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_its_maker_makes(opened: dict, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run ``python -m demos.builder._make`` after a change of a component, a setting or a maker."""
    from psychopy import experiment

    monkeypatch.setattr(sys, "path", [str(DEMOS.parents[1]), *sys.path])
    demo = importlib.import_module(f"demos.builder._make.{name}").make()
    demo.exp.saveToXML(str(tmp_path / f"{name}.psyexp"))
    made = experiment.Experiment()
    made.loadFromXML(str(tmp_path / f"{name}.psyexp"))
    assert content(opened[name]) == content(made)


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_without_an_alert(opened: dict, name: str) -> None:
    from psychopy.alerts import addAlertHandler, removeAlertHandler

    alerts = AnyAlert()
    addAlertHandler(alerts)
    try:
        opened[name].integrityCheck()
        script = opened[name].writeScript()
    finally:
        removeAlertHandler(alerts)
    assert alerts == []
    compile(script.lstrip("\ufeff"), name, "exec")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_complete(opened: dict, name: str) -> None:
    """Instructions, a check of gaze, trials with conditions, thanks; and each routine says what it is for."""
    exp = opened[name]
    routines = list(exp.routines)
    assert routines[:2] + routines[-1:] == ["instructions", "gaze_check", "thanks"]
    assert all(str(routine.settings.params["desc"].val).endswith(".") for routine in exp.routines.values())
    settings = exp.settings.params
    assert settings["eyetracker"].val == "psychopy_neon.EyeTracker"
    assert settings["Save hdf5 file"].val in (True, "True")
    with (DEMOS / name / "conditions.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    mirrored = {each.strip() for each in settings["neonConditions"].val.split(",")}
    assert mirrored <= set(columns)
    script = exp.writeScript()
    assert all(column in script for column in columns)

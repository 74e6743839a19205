"""What the dialogs of Builder and Studio get, and how the components are found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest.importorskip("psychopy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from builder_kit import ALL, Alerts, alerts, made, script_of
    from PIL import Image
    from psychopy import experiment

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]

each_component = pytest.mark.parametrize("component", ALL, ids=lambda component: component.__name__)
STUDIO_CONDITION = re.compile(r"(== ?('[^']*'|True|False)|in \[.*\]|)")
SVG_VARIABLES = {"outline", "blue", "red", "green", "mantle"}


def test_the_components_are_entry_points() -> None:
    found = {each.name: each.value for each in entry_points(group="psychopy.experiment.components")}
    for component in ALL:
        assert found[component.__name__] == f"psychopy_neon.plugin.builder.components:{component.__name__}"


@each_component
def test_what_studio_reads_is_whole(component: type) -> None:
    profile = component.getTemplateJSON()
    json.dumps(profile, default=str)
    assert (profile["categories"], profile["targets"]) == (["Eyetracking"], ["PsychoPy"])
    assert profile["plugin"] == "psychopy-neon"
    assert re.fullmatch(r"\d+\.\d+\.\d+", profile["version"])
    assert profile["tooltip"]
    assert profile["helpLink"].startswith("https://")
    assert profile["iconSVG"].startswith("<svg")
    for name, param in profile["params"].items():
        json.dumps(param)
        assert param["label"], name
        assert param["hint"], name
        assert param["inputType"] in {"single", "bool", "choice", "color", "name", "multi"}, name


@each_component
def test_dependencies_are_of_the_kinds_that_studio_knows(component: type) -> None:
    made_one = component(experiment.Experiment(), "")
    for depends in made_one.depends:
        assert STUDIO_CONDITION.fullmatch(depends["condition"])
        assert depends["false"] in ("hide", "disable")
        assert {depends["param"], depends["dependsOn"]} <= made_one.params.keys()


@each_component
def test_icons_have_their_sizes(component: type) -> None:
    icon = Path(component.iconFile)
    for theme in ("light", "dark", "classic"):
        for suffix, size in (("", 48), ("@2x", 96)):
            with Image.open(icon.parent / theme / f"{icon.stem}{suffix}.png") as picture:
                assert picture.size == (size, size)
                assert picture.getextrema()[3] == (0, 255), "neither empty nor without a transparent ground"
    svg = component.iconSVG.read_text("utf-8")
    assert set(re.findall(r"var\(--(\w+)", svg)) <= SVG_VARIABLES


@each_component
def test_every_setting_that_changes_has_a_setter(psychopy: object, component: type) -> None:
    from psychopy_neon.plugin.run import parts

    part = getattr(parts, component.part)
    assert part.SETTINGS is component.SETTINGS
    for setting in component.SETTINGS:
        assert hasattr(part, f"set{setting.name[0].upper()}{setting.name[1:]}") is bool(setting.updates)


@each_component
def test_a_component_survives_its_file(component: type, tmp_path: Path) -> None:
    text = "ü \"quoted\" 'too' \\ 50 % <&>"
    exp = made([(component, {"name": "thing"})])
    where = "text" if "text" in exp.routines["trial0"][-1].params else "startEstim"
    exp.routines["trial0"][-1].params[where].val = text
    script = script_of(exp)
    exp.saveToXML(str(tmp_path / "made.psyexp"))
    loaded = experiment.Experiment()
    experiment.components.addComponent(component)  # as activatePlugins does
    loaded.loadFromXML(str(tmp_path / "made.psyexp"))
    thing = loaded.routines["trial0"][-1]
    assert type(thing) is component
    assert thing.params[where].val == text
    copied = thing.copy(name="other")
    assert {name: param.val for name, param in copied.params.items() if name != "name"} == {
        name: param.val for name, param in thing.params.items() if name != "name"
    }
    ours = [line for line in script.splitlines() if "thing" in line]
    assert ours == [line for line in script_of(loaded).splitlines() if "thing" in line]


def test_values_that_no_param_takes_are_refused() -> None:
    with pytest.raises(TypeError, match="GazeCursorComponent has no params sise"):
        made([(next(each for each in ALL if each.part == "CursorPart"), {"sise": 3})])


def test_default_values_raise_no_alert_but_for_what_must_be_given() -> None:
    for component in ALL:
        stop = {"stopVal": 1.0} if component.isBackground else {}
        with alerts() as said:
            script_of(made([(component, {"name": "thing", **stop})]))
        expected = ["thing: Target: is blank; give the name of a component with an area"]
        assert said == Alerts(expected if component.part == "RoiPart" else [])


def test_importing_them_touches_no_device_video_or_network_library() -> None:
    heavy = ["av", "cv2", "requests", "zeroconf", "websocket", "aiohttp", "psychopy_neon.device", "psychopy.visual"]
    code = (
        "import sys, psychopy.experiment; before = set(sys.modules); import psychopy_neon.plugin.builder.components;"
        f"print([each for each in {heavy} if each in sys.modules and each not in before])"
    )
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=50)
    assert run.stdout.splitlines()[-1:] == ["[]"], run.stderr

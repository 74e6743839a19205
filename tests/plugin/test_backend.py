"""The settings backend: its params, and the code that it writes, whatever was typed in."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psychopy_neon.plugin.run.settings import CHOICES, RunSettings

pytest.importorskip("psychopy")


@pytest.fixture(scope="module")
def backend() -> type:
    from psychopy_neon.plugin.builder.backend import NeonEyetrackerBackend

    return NeonEyetrackerBackend


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, backend: type) -> Iterator[list[str]]:
    """Alerts."""
    from psychopy_neon.plugin.builder import backend as module

    told: list[str] = []
    monkeypatch.setattr(module, "tell", lambda component, problem: told.append(problem))
    return told


class Buffer(StringIO):
    def writeIndentedLines(self, text: str) -> None:  # noqa: N802
        self.write(text)


def written(backend: type, **values: object) -> str:
    params, _ = backend.getParams()
    for name, value in values.items():
        params[name].val = value
    buffer = Buffer()
    backend.writeDeviceCode(params, buffer)
    return buffer.getvalue()


def unparsed(node: ast.expr) -> str:
    """As every Python writes it: 3.10 has a blank behind "lambda"."""
    return ast.unparse(node).replace("lambda :", "lambda:")


def settings_of(code: str) -> dict[str, ast.expr]:
    """What the script begins the run with."""
    (call,) = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "NeonRun.begin"
    ]
    assert [ast.unparse(each) for each in call.args[:3]] == ["win", "thisExp", "expInfo"]
    return {ast.literal_eval(key): value for key, value in zip(call.args[3].keys, call.args[3].values, strict=True)}


def test_a_beginner_may_keep_everything(backend: type, told: list[str]) -> None:
    code = written(backend)
    assert settings_of(code) == {}
    assert len(code.splitlines()) <= 8
    assert told == []


def test_params_are_ours_and_complete(backend: type) -> None:
    params, order = backend.getParams()
    assert order == list(params)
    assert {name[4].lower() + name[5:] for name in params} == set(RunSettings._fields)
    for name, param in params.items():
        assert name.startswith("neon")
        assert param.hint
        assert param.label
        assert param.allowedVals is None or len(param.allowedVals) == len(param.allowedLabels)
    assert not backend.needsFullscreen
    assert not backend.needsCalibration


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "checks"])
def test_choices(backend: type, told: list[str], name: str) -> None:
    param = f"neon{name[0].upper()}{name[1:]}"
    for value in CHOICES[name]:
        code = written(backend, **{param: value, "neonSaveIf": "True"})
        shown = settings_of(code).get(name)
        assert (getattr(RunSettings(), name) if shown is None else ast.literal_eval(shown)) == value
    assert told == []
    assert name not in settings_of(written(backend, **{param: "$what"}))
    assert len(told) == 1


@pytest.mark.parametrize(
    "text",
    ["'); import os; os.abort()  #", '"""', "\\", "%(x)s %d", "{x}", "ü√ 日本", "a\nb", "price: 5 $ or less", "'"],
)
def test_texts_stay_texts(backend: type, told: list[str], text: str) -> None:
    code = written(backend, neonPhoneName=text)
    assert ast.literal_eval(settings_of(code)["phoneName"]) == text
    assert told == []


def test_code_is_code_where_it_was_asked_for(backend: type, told: list[str]) -> None:
    code = written(backend, neonAddress="$expInfo['neon']", neonSaveIf="len(thisExp.entries) > 3  # enough")
    assert ast.unparse(settings_of(code)["address"]) == "expInfo['neon']"
    assert unparsed(settings_of(code)["saveIf"]) == "lambda: len(thisExp.entries) > 3"
    assert told == []


@pytest.mark.parametrize("bad", ["1 +", "x = 1", "import os", ")", "$", "lambda"])
def test_code_that_is_none_is_told_and_left_out(backend: type, told: list[str], bad: str) -> None:
    code = written(backend, neonAddress=f"${bad}", neonSaveIf=bad, neonAtEnd="expression")
    assert settings_of(code) == {}
    assert told


def test_template(backend: type, told: list[str]) -> None:
    answers = {"Age?": "age", "It's": "$expInfo['a'] * 2", "Broken": "$1 +", "Number": 3}
    for value in (answers, repr(answers)):
        table = settings_of(written(backend, neonTemplate=value))["template"]
        found = {ast.literal_eval(key): unparsed(each) for key, each in zip(table.keys, table.values, strict=True)}
        assert found == {"Age?": "'age'", "It's": "lambda: expInfo['a'] * 2", "Number": "'3'"}
    assert len(told) == 2


@pytest.mark.parametrize("value", ["nonsense", "[1]", "{", 5, ["a"]])
def test_a_template_that_is_no_table(backend: type, told: list[str], value: object) -> None:
    assert settings_of(written(backend, neonTemplate=value)) == {}
    assert len(told) == 1


def test_checks_and_conditions(backend: type, told: list[str]) -> None:
    for value in (["worn", "gaze"], "['worn', 'gaze']", "worn, gaze"):
        assert ast.literal_eval(settings_of(written(backend, neonChecks=value))["checks"]) == ("gaze", "worn")
    assert ast.literal_eval(settings_of(written(backend, neonChecks=[]))["checks"]) == ()
    assert ast.literal_eval(settings_of(written(backend, neonConditions="a, b,"))["conditions"]) == ("a", "b")
    assert told == []
    written(backend, neonChecks=["gaze", "weather"])
    assert len(told) == 1


def test_an_address_and_a_serial_number(backend: type, told: list[str]) -> None:
    assert list(settings_of(written(backend, neonAddress="10.0.0.1", neonSerial="123"))) == ["address"]
    assert len(told) == 1


VALUES = st.one_of(st.text(max_size=30), st.integers(), st.none(), st.booleans(), st.lists(st.text(max_size=5)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # of a busy computer
@given(values=st.dictionaries(st.sampled_from(RunSettings._fields), VALUES))
def test_whatever_was_typed_in_the_code_can_be_read(values: dict[str, object]) -> None:
    from psychopy_neon.plugin.builder import backend as module

    params, _ = module.NeonEyetrackerBackend.getParams()
    for name, value in values.items():
        params[f"neon{name[0].upper()}{name[1:]}"].val = value
    buffer, told = Buffer(), SimpleNamespace(tell=module.tell)
    module.tell = lambda component, problem: None
    try:
        module.NeonEyetrackerBackend.writeDeviceCode(params, buffer)
    finally:
        module.tell = told.tell
    settings_of(buffer.getvalue())


LIGHT = """
import sys
from psychopy import experiment
before = set(sys.modules)
import psychopy_neon.plugin.builder.backend
loaded = set(sys.modules) - before
heavy = {"av", "requests", "websocket", "zeroconf", "psychopy_neon.device", "psychopy_neon.plugin.run.neon_run"}
print(sorted(heavy & loaded))
"""


def test_loading_it_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

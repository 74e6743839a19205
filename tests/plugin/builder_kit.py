"""Experiments made in code, their scripts, and the alerts of compiling them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from psychopy import experiment
from psychopy.alerts import addAlertHandler, removeAlertHandler
from psychopy.experiment.loops import TrialHandler

from psychopy_neon.plugin.builder import components as all_components
from psychopy_neon.plugin.builder.components.neon_component import NeonComponent

ALL: list[type[NeonComponent]] = [getattr(all_components, name) for name in all_components.__all__]


def made(*routines: list[NeonComponent | tuple[type[NeonComponent], dict]]) -> object:
    """An experiment: routines ``trial0``, ``trial1`` ... in one loop, each of components (class, values of params)."""
    exp = experiment.Experiment()
    exp.name = "made"
    for number, parts in enumerate(routines):
        routine = exp.addRoutine(f"trial{number}")
        exp.flow.addRoutine(routine, number)
        for component, values in parts:
            routine.append(component(exp, routine.name, **values))
    exp.flow.addLoop(TrialHandler(exp, name="trials"), 0, len(routines))
    return exp


def script_of(exp: object) -> str:
    """The script; it can be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PsychoPy's own code and a user's expression warn of is not ours
        script = exp.writeScript().lstrip("\ufeff")
        ast.parse(script)
    return script


def calls_of(script: str, name: str) -> list[ast.Call]:
    """Calls of a function or method of that name."""
    return [
        node
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) == name
    ]


def settings_of(script: str, part: str) -> dict[str, object]:
    """Literal keyword arguments with which the script makes a part."""
    (call,) = calls_of(script, part)
    found = {}
    for keyword in call.keywords:
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            found[keyword.arg] = ast.unparse(keyword.value)
    return found


class Alerts(list[str]):
    """Collects messages of alerts."""

    def receiveAlert(self, alert: object) -> None:  # noqa: N802 (PsychoPy's name)
        if alert.code == 4599:
            self.append(alert.msg)


@contextmanager
def alerts() -> Iterator[Alerts]:
    """Our alerts that are raised meanwhile."""
    handler = Alerts()
    addAlertHandler(handler)
    try:
        yield handler
    finally:
        removeAlertHandler(handler)

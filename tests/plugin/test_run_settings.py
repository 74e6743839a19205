"""Settings of a run, and the answers for the phone's template."""

from __future__ import annotations

import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.run.settings import CHOICES, RunSettings


def test_defaults_are_allowed() -> None:
    assert RunSettings.of({}) == RunSettings()


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "checks"])
def test_every_choice_is_taken_and_no_other(name: str) -> None:
    for value in CHOICES[name]:
        extra = {"saveIf": bool} if value == "expression" else {}
        assert getattr(RunSettings.of({name: value, **extra}), name) == value
    with pytest.raises(ConfigurationError, match=name):
        RunSettings.of({name: "nonsense"})


@pytest.mark.parametrize(
    "values",
    [
        {"adress": "typing error"},
        {"checks": ("gaze", "weather")},
        {"atEnd": "expression"},
        {"address": "10.0.0.1", "serial": "123"},
    ],
)
def test_what_cannot_be_is_refused(values: dict) -> None:
    with pytest.raises(ConfigurationError):
        RunSettings.of(values)


def test_numbers_of_a_dialog_become_text() -> None:
    assert RunSettings.of({"serial": 123456}).serial == "123456"


def test_answers_come_from_the_dialog_from_code_or_are_meant_so() -> None:
    template = {"Age": "age", "Group": "control", "Sum": lambda: 1 + 1, "Boxes": ["a", 2]}
    answers = RunSettings(template=template).answers({"age": 31})
    assert answers == {"Age": "31", "Group": "control", "Sum": "2", "Boxes": ["a", "2"]}


def test_an_answer_whose_code_fails_names_the_question() -> None:
    with pytest.raises(ConfigurationError, match=r"'Age'.*KeyError"):
        RunSettings(template={"Age": lambda: {}["age"]}).answers({})

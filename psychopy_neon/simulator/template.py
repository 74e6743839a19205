"""The questionnaire that the phone attaches to recordings. Written apart from ``wire/template.py`` on purpose."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.phone_state import Refusal
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog

__all__ = ["Template"]

_ID = "5e0c1f5a-3d3a-4a53-9a52-{:012d}"
_ITEMS: tuple[dict[str, Any], ...] = (
    {"title": "Participant", "widget_type": "SECTION_HEADER", "help_text": "Before the recording"},
    {"title": "Participant code", "widget_type": "TEXT", "required": True, "help_text": "For example P07"},
    {"title": "Age", "widget_type": "TEXT", "input_type": "integer"},
    {"title": "Visual acuity", "widget_type": "TEXT", "input_type": "float", "help_text": "Decimal, both eyes"},
    {"title": "Dominant eye", "widget_type": "RADIO_LIST", "choices": ["left", "right", "not known"], "required": True},
    {"title": "Correction", "widget_type": "CHECKBOX_LIST", "choices": ["none", "glasses", "contact lenses"]},
    {"title": "Consent", "widget_type": "CHECKBOX_LIST", "choices": ["The form is signed"]},
    {"title": "", "widget_type": "PAGE_BREAK"},
    {"title": "Session", "widget_type": "SECTION_HEADER"},
    {"title": "Session number", "widget_type": "RADIO_LIST", "choices": ["1", "2", "3"]},
    {"title": "Mood", "widget_type": "RADIO_LIST", "choices": ["good", "bad"]},
    {"title": "Notes", "widget_type": "PARAGRAPH"},
)
_NUMBERS: dict[str, Callable[[str], object]] = {"integer": int, "float": float}
_MOMENTS = ("never", "stop", "start")


class Template:
    """A questionnaire and its answers, which are lists of texts; they are kept until a client replaces them.

    It looks closer at answers than the app is known to: what must not be sent is not stored.

    Raises
    ------
    ConfigurationError
        The file of the settings cannot be read or is no definition.
    """

    def __init__(self, settings: SimulatorSettings, truth: TruthLog) -> None:
        self.definition = _definition(settings.template)
        """As it is sent; None: none is chosen."""
        self.answers: dict[str, list[str]] = {}
        self.is_offered = settings.model == "neon"
        """Whether the app has anything to say about templates."""
        self._need_answers = settings.need_answers if self.is_offered else "never"
        self._truth = truth

    def set_answers(self, answers: dict[str, Any]) -> str | None:
        """Take answers; gives the first id that is no question, then nothing has changed. Raises Refusal."""
        questions = {item["id"]: item for item in self._questions()}
        unknown = next((each for each in answers if each not in questions), None)
        problems = [_problem(questions[each], answer) for each, answer in answers.items() if each in questions]
        problem = next((each for each in problems if each), None)
        refusal = f"No such question: {unknown}" if unknown is not None else problem
        self._truth.add("template", {"answers": answers, "refusal": refusal, "host_ns": time.perf_counter_ns()})
        if unknown is not None:
            return unknown
        if problem is not None:
            raise Refusal(problem)
        self.answers.update(answers)
        return None

    def check_required(self, moment: str) -> None:
        """Refuse to ``start`` or ``stop`` a recording while a required question is empty; raises Refusal."""
        if _MOMENTS.index(moment) > _MOMENTS.index(self._need_answers):
            return
        if any(item.get("required") and not any(self.answers.get(item["id"], ())) for item in self._questions()):
            raise Refusal("Template has required fields")

    def _questions(self) -> list[dict[str, Any]]:
        items = self.definition["items"] if self.definition is not None else []
        return [item for item in items if item["widget_type"] not in ("SECTION_HEADER", "PAGE_BREAK")]


def _problem(item: dict[str, Any], answer: object) -> str | None:
    """Why an answer cannot be stored."""
    title, widget, kind = item.get("title"), item["widget_type"], item.get("input_type")
    if not isinstance(answer, list) or not answer or not all(isinstance(text, str) for text in answer):
        return f'The answer to "{title}" is no list of texts'
    if answer == [""]:
        return None
    if len(answer) > 1 and widget != "CHECKBOX_LIST":
        return f'"{title}" takes one answer'
    if widget in ("RADIO_LIST", "CHECKBOX_LIST") and not set(answer) <= set(item.get("choices") or answer):
        return f'"{title}" has no such choice'
    try:
        for text in answer:
            _NUMBERS.get(str(kind), str)(text)
    except ValueError:
        return f'"{title}" takes a number'
    return None


def _definition(template: str) -> dict[str, Any] | None:
    if template == "none":
        return None
    if template == "full":
        return _built_in()
    try:
        definition = json.loads(Path(template).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError("template", template, f"full, none or a JSON file ({error})") from error
    items = definition.get("items") if isinstance(definition, dict) else None
    needed = {"id", "widget_type"}
    if not isinstance(items, list) or not all(isinstance(item, dict) and needed <= set(item) for item in items):
        raise ConfigurationError("template", template, 'a file with {"items": [{"id": , "widget_type": , ...}, ...]}')
    return dict(definition)


def _built_in() -> dict[str, Any]:
    blank = {"choices": None, "help_text": None, "input_type": "any", "required": False}
    return {
        "archived_at": None,
        "created_at": "2024-01-01T12:00:00.000000Z",
        "description": "Every kind of item",
        "id": _ID.format(0),
        "is_default_template": True,
        "items": [{**blank, **item, "id": _ID.format(number)} for number, item in enumerate(_ITEMS, 1)],
        "label_ids": [],
        "name": "Simulated template",
        "published_at": "2024-01-02T12:00:00.000000Z",
        "recording_ids": None,
        "recording_name_format": ["{date}", "_", "{time}"],
        "updated_at": "2024-01-01T12:00:00.000000Z",
    }

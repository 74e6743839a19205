"""The questionnaire that the phone attaches to recordings."""

from __future__ import annotations

from typing import Any

from psychopy_neon.simulator.phone_state import Refusal

__all__ = ["Template"]

_NOTES, _MOOD, _AGE = (f"5e0c1f5a-3d3a-4a53-9a52-00000000000{digit}" for digit in (1, 2, 3))


class Template:
    """A template with a free text, a choice and a number; answers are lists of texts."""

    def __init__(self) -> None:
        self.definition: dict[str, Any] = {
            "archived_at": None,
            "created_at": "2024-01-01T12:00:00.000000Z",
            "description": None,
            "id": "5e0c1f5a-3d3a-4a53-9a52-000000000000",
            "is_default_template": True,
            "items": [
                _item(_NOTES, "Notes", "PARAGRAPH", "any", None),
                _item(_MOOD, "Mood", "RADIO_LIST", "any", ["good", "bad"]),
                _item(_AGE, "Age", "TEXT", "integer", None),
            ],
            "label_ids": [],
            "name": "Simulated template",
            "published_at": None,
            "recording_ids": None,
            "recording_name_format": ["{date}", "_", "{time}"],
            "updated_at": "2024-01-01T12:00:00.000000Z",
        }
        self.answers: dict[str, list[str]] = {}

    def set_answers(self, answers: dict[str, Any]) -> str | None:
        """Take answers; gives the first id that is no question, then nothing has changed. Raises Refusal."""
        known = {item["id"] for item in self.definition["items"]}
        for question, answer in answers.items():
            if question not in known:
                return question
            if not isinstance(answer, list) or not answer or not all(isinstance(text, str) for text in answer):
                raise Refusal(f"The answer to {question} is no list of texts")
        self.answers.update(answers)
        return None


def _item(item_id: str, title: str, widget: str, kind: str, choices: list[str] | None) -> dict[str, Any]:
    return {
        "choices": choices,
        "help_text": None,
        "id": item_id,
        "input_type": kind,
        "required": False,
        "title": title,
        "widget_type": widget,
    }

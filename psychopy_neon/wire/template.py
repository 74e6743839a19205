"""The questionnaire that the phone attaches to recordings: ``template_def`` and ``template_data``.

==================  ==============================================================================================
``template_def``    one object, as the app sends it, or a list with one object, as Neon Realtime API 2.1.0 says
``template_data``   ``{question id: [text, ...]}``: always texts, numbers too; a question without answer has ``[""]``
==================  ==============================================================================================

Reading is lenient where it can be: kinds of items that nobody knows are kept, what is missing is None or empty. What
makes it impossible to know which question an answer belongs to is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psychopy_neon.errors import RemoteProtocolError

__all__ = ["TemplateDefinition", "TemplateItem", "parse_answers", "parse_definition"]

_WITHOUT_ANSWER = ("SECTION_HEADER", "PAGE_BREAK")
_DEFINITION = "GET /api/template_def"
_ANSWERS = "/api/template_data"


@dataclass(frozen=True, slots=True)
class TemplateItem:
    """A question, the heading of a section or the end of a page."""

    id: str
    title: str
    widget_type: str
    """``TEXT``, ``PARAGRAPH``, ``RADIO_LIST``, ``CHECKBOX_LIST``, ``SECTION_HEADER`` or ``PAGE_BREAK``; whatever else a
    newer app knows stands here as it sent it."""
    input_type: str = "any"
    """``any``, ``integer`` or ``float``: what a text must look like."""
    choices: tuple[str, ...] = ()
    required: bool = False
    """Whether the app wants an answer before a recording can be saved."""
    help_text: str | None = None

    @property
    def is_question(self) -> bool:
        """Whether it can be answered; kinds that are not known can."""
        return self.widget_type not in _WITHOUT_ANSWER

    @property
    def label(self) -> str:
        """What to call it in a message: its title, or its id where it has none."""
        return self.title or self.id


@dataclass(frozen=True, slots=True)
class TemplateDefinition:
    """The template that is chosen on the phone."""

    id: str
    name: str
    items: tuple[TemplateItem, ...]
    """In the order of the form."""
    is_default: bool = False
    """Whether the workspace has it as its default."""
    description: str | None = None
    recording_name_format: tuple[str, ...] = ()
    """Pieces of a recording's name, for example ``("{date}", "_", "{time}")``."""
    label_ids: tuple[str, ...] = ()
    recording_ids: tuple[str, ...] = ()
    created_at: str | None = None
    """ISO 8601, as the other times."""
    updated_at: str | None = None
    published_at: str | None = None
    archived_at: str | None = None
    """None: it is in use."""

    @property
    def questions(self) -> tuple[TemplateItem, ...]:
        """The items that can be answered, in the order of the form."""
        return tuple(item for item in self.items if item.is_question)

    def missing(self, answers: Mapping[str, Sequence[str]]) -> list[str]:
        """Titles of the required questions that have no answer among these, which are by id."""
        return [item.label for item in self.questions if item.required and not any(answers.get(item.id, ()))]


def parse_definition(result: object) -> TemplateDefinition | None:
    """Read what ``GET /api/template_def`` answers with; None: no template is chosen.

    Raises
    ------
    RemoteProtocolError
        It is no template, there are several, or an answer could not be assigned to its question: an item is no
        object, says not what it is, or a question has no id, that of another one, or choices that are no texts.
    """
    if isinstance(result, list):
        if len(result) > 1:
            raise RemoteProtocolError(_DEFINITION, f"{len(result)} templates instead of the one that is chosen")
        result = result[0] if result else None
    if result is None or result == {}:
        return None
    if not isinstance(result, Mapping):
        raise RemoteProtocolError(_DEFINITION, f"{type(result).__name__} instead of a template")
    return TemplateDefinition(
        id=_text(result, "id") or "",
        name=_text(result, "name") or "",
        items=_items(result.get("items")),
        is_default=result.get("is_default_template") is True,
        description=_text(result, "description"),
        recording_name_format=_texts(result, "recording_name_format") or (),
        label_ids=_texts(result, "label_ids") or (),
        recording_ids=_texts(result, "recording_ids") or (),
        created_at=_text(result, "created_at"),
        updated_at=_text(result, "updated_at"),
        published_at=_text(result, "published_at"),
        archived_at=_text(result, "archived_at"),
    )


def parse_answers(result: object) -> dict[str, tuple[str, ...]]:
    """Read ``template_data``: answers by the id of their question; questions without one are left out.

    Raises
    ------
    RemoteProtocolError
        It is no object, or an answer is no list of texts: sending it back with others would change it.
    """
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        raise RemoteProtocolError(_ANSWERS, f"{type(result).__name__} instead of answers by question")
    answers = {}
    for question, value in result.items():
        texts = _texts(result, question)
        if texts is None and value is not None:
            raise RemoteProtocolError(_ANSWERS, f"the answer to {question} is {value!r:.80}, no list of texts")
        if given := tuple(text for text in texts or () if text):
            answers[question] = given
    return answers


def _items(objects: object) -> tuple[TemplateItem, ...]:
    if objects is None:
        return ()
    if not isinstance(objects, list):
        raise RemoteProtocolError(_DEFINITION, f"items are {type(objects).__name__} instead of a list")
    items = tuple(_item(number, obj) for number, obj in enumerate(objects, 1))
    seen: set[str] = set()
    for item in items:
        if item.is_question and item.id in seen:
            raise RemoteProtocolError(_DEFINITION, f"two questions have the id {item.id!r:.80}")
        seen.add(item.id)
    return items


def _item(number: int, obj: object) -> TemplateItem:
    if not isinstance(obj, Mapping):
        raise RemoteProtocolError(_DEFINITION, f"item {number} is {type(obj).__name__} instead of an object")
    widget_type, choices = _text(obj, "widget_type"), _texts(obj, "choices")
    if not widget_type:
        raise RemoteProtocolError(_DEFINITION, f"item {number} has no widget_type")
    if choices is None and obj.get("choices") is not None:
        raise RemoteProtocolError(_DEFINITION, f"the choices of item {number} are no list of texts")
    item = TemplateItem(
        id=_text(obj, "id") or "",
        title=_text(obj, "title") or "",
        widget_type=widget_type,
        input_type=_text(obj, "input_type") or "any",
        choices=choices or (),
        required=obj.get("required") is True,
        help_text=_text(obj, "help_text"),
    )
    if item.is_question and not item.id:
        raise RemoteProtocolError(_DEFINITION, f"item {number} is a question without id")
    return item


def _text(obj: Mapping[str, Any], name: str) -> str | None:
    value = obj.get(name)
    return value if isinstance(value, str) and _is_writable(value) else None


def _texts(obj: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """None: it is missing or something else."""
    value = obj.get(name)
    if isinstance(value, list) and all(isinstance(text, str) and _is_writable(text) for text in value):
        return tuple(value)
    return None


def _is_writable(text: str) -> bool:
    """Whether it can be sent back: JSON may name half of a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

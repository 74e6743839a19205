"""Answers to the phone's template: values of Python to the lists of texts that the phone keeps.

==================  =============================================================================================
value               becomes
==================  =============================================================================================
text                itself; of a choice, the choice that is the same but for case and blanks
whole number        its digits; 3.0 is whole, too
number              its shortest text
True, False         the choice "yes" or "true", "no" or "false"; the only box of a list, ticked or not; else "yes"/"no"
list                several texts, where several boxes can be ticked
None, "", []        no answer: what the phone had is deleted
==================  =============================================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from psychopy_neon.errors import TemplateError
from psychopy_neon.wire.template import TemplateDefinition, TemplateItem

__all__ = ["differences", "encode_answers"]

_MAX_TEXT = 10_000
"""Characters of an answer: more than anybody types into a phone; a slip of a program is told before it is sent."""
_MAX_DIGITS = 1000
_MAX_LISTED = 20
_MAX_SHOWN = 80
_FREE_TEXT = ("TEXT", "PARAGRAPH")
_ONE_ANSWER = (*_FREE_TEXT, "RADIO_LIST")
_NUMBERS = {
    "integer": (re.compile(r"[+-]?[0-9]+"), "a whole number"),
    "float": (re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"), "a number such as 1.5"),
}


class _UnfitError(Exception):
    """Why one answer cannot be used; told with the others."""


def encode_answers(
    definition: TemplateDefinition, present: Mapping[str, Sequence[str]], answers: object
) -> dict[str, list[str]]:
    """The whole of the answers to send: those that are present, and the new ones in place of theirs.

    Present answers to questions that the template does not have are left out, since the phone refuses them.

    Parameters
    ----------
    present
        Texts by the id of their question.
    answers
        Values by id or title of their question.

    Raises
    ------
    TemplateError
        With every problem there is.
    """
    if not isinstance(answers, Mapping):
        raise TemplateError(answers, (f"{type(answers).__name__} instead of a dict: question -> answer",))
    given: dict[str, list[str]] = {}
    problems = []
    for name, value in answers.items():
        try:
            item = _question(definition, name)
            if item.id in given:
                raise _UnfitError("is answered twice, by its title and its id")
            given[item.id] = _texts(item, value)
        except _UnfitError as unfit:
            problems.append(f"{_quoted(name)} {unfit}")
    if problems:
        raise TemplateError(answers, tuple(problems))
    kept = {item.id: list(present[item.id]) for item in definition.questions if item.id in present}
    return {**kept, **given}


def differences(
    definition: TemplateDefinition, sent: Mapping[str, Sequence[str]], stored: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """One sentence for each question whose stored answer means something else than what was sent."""
    found = []
    for item in definition.questions:
        wanted = [text for text in sent.get(item.id, ()) if text]
        kept = list(stored.get(item.id, ()))
        if _meaning(item, wanted) != _meaning(item, kept):
            found.append(f"{_quoted(item.label)} was stored as {_told(kept)} instead of {_told(wanted)}")
    return tuple(found)


def _question(definition: TemplateDefinition, name: object) -> TemplateItem:
    """By id, by title, or by a title that differs in case and blanks only."""
    by_id = [item for item in definition.items if item.id and item.id == name]
    found = by_id or [item for item in definition.items if item.title and item.title == name]
    if not found and isinstance(name, str) and name.strip():
        found = [item for item in definition.items if _key(item.title) == _key(name)]
    questions = [item for item in found if item.is_question]
    if len(questions) > 1:
        ids = ", ".join(item.id for item in questions)
        raise _UnfitError(f"is the title of {len(questions)} questions: name the one that is meant by its id ({ids})")
    if not questions and found:
        raise _UnfitError("is a heading or a page break, which takes no answer")
    if not questions:
        labels = [item.label for item in definition.questions]
        raise _UnfitError(f"is no question of the template, which has: {_listed(labels)}")
    return questions[0]


def _texts(item: TemplateItem, value: object) -> list[str]:
    if hasattr(value, "tolist"):  # numbers and arrays of numpy
        value = value.tolist()
    values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    # A blank is no answer; a choice that is named twice is chosen once.
    texts = list(dict.fromkeys(text for each in values if (text := _text(item, each)).strip()))
    if len(texts) > 1 and item.widget_type in _ONE_ANSWER:
        raise _UnfitError(f"takes one answer, not {len(texts)}: {_told(texts)}")
    return texts or [""]


def _text(item: TemplateItem, value: object) -> str:
    has_choices = bool(item.choices) and item.widget_type not in _FREE_TEXT
    if isinstance(value, bool):
        if item.widget_type == "CHECKBOX_LIST" and len(item.choices) == 1:
            return item.choices[0] if value else ""
        words = ("yes", "true") if value else ("no", "false")
        text = next((each for each in item.choices if _key(each) in words), words[0]) if has_choices else words[0]
    elif isinstance(value, int | float):
        text = _digits(value)
    elif isinstance(value, str):
        text = value
    else:
        raise _UnfitError(f"takes a text, a number, True or False, or a list of them, no {type(value).__name__}")
    _check_text(text)
    if not text.strip():
        return ""
    if has_choices:
        return _choice(item, text)
    return _number(item, text.strip()) if item.input_type in _NUMBERS else text


def _digits(value: int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise _UnfitError(f"takes no {value}")
    try:
        return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(float(value))
    except ValueError:  # Python writes no number of more than some thousand digits
        raise _UnfitError("is answered by a number that is too long") from None


def _check_text(text: str) -> None:
    if len(text) > _MAX_TEXT:
        raise _UnfitError(f"takes no more than {_MAX_TEXT} characters, not {len(text)}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _UnfitError(f"has characters that UTF-8 cannot write ({error.reason})") from None


def _choice(item: TemplateItem, text: str) -> str:
    if text in item.choices:
        return text
    found = [each for each in item.choices if _key(each) == _key(text)]
    if len(found) != 1:
        raise _UnfitError(f"takes one of {_listed(item.choices)}, not {text!r:.80}")
    return found[0]


def _number(item: TemplateItem, text: str) -> str:
    pattern, kind = _NUMBERS[item.input_type]
    if not pattern.fullmatch(text) or not math.isfinite(float(text)):
        raise _UnfitError(f"takes {kind}, not {text!r:.80}")
    return text.removeprefix("+")


def _meaning(item: TemplateItem, texts: Sequence[str]) -> object:
    """What is compared: numbers by value, ticked boxes in any order, texts without blanks around them."""
    stripped = [text.strip() for text in texts]
    if item.input_type in _NUMBERS and all(_NUMBERS["float"][0].fullmatch(text) for text in stripped):
        return [_value(text) for text in stripped]
    return stripped if item.widget_type in _ONE_ANSWER else sorted(stripped)


def _value(text: str) -> int | float:
    # Whole ones as such: a code of many digits is another one as soon as its last digit differs.
    is_whole = len(text) <= _MAX_DIGITS and _NUMBERS["integer"][0].fullmatch(text)
    return int(text) if is_whole else float(text)


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()


def _quoted(name: object) -> str:
    if not isinstance(name, str):
        return f"a name of type {type(name).__name__}"
    return f'"{name}"' if len(name) <= _MAX_SHOWN else f'"{name[:_MAX_SHOWN]}..."'


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(_quoted(text) for text in texts[:_MAX_LISTED]) or "none"
    return f"{shown} and {len(texts) - _MAX_LISTED} more" if len(texts) > _MAX_LISTED else shown


def _told(texts: Sequence[str]) -> str:
    return _listed(texts) if texts else "no answer"

"""The questionnaire over HTTP by requests."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

from .conftest import LIMIT_S

Start = Callable[..., SimulatedNeon]


@pytest.fixture
def start() -> Iterator[Start]:
    running = []

    def begin(**settings: Any) -> SimulatedNeon:
        running.append(SimulatedNeon(SimulatorSettings(**settings)).start())
        return running[-1]

    yield begin
    for each in running:
        each.close()


def ask(sim: SimulatedNeon, method: str, what: str, **options: Any) -> tuple[int, Any, str]:
    """Status, result and message."""
    reply = requests.request(method, f"http://{sim.address}/api/{what}", timeout=LIMIT_S, **options)
    envelope = reply.json()
    return reply.status_code, envelope["result"], envelope["message"]


def ids(sim: SimulatedNeon) -> dict[str, str]:
    return {item["title"]: item["id"] for item in ask(sim, "GET", "template_def")[1]["items"]}


def test_definition_has_every_kind_of_item(sim: SimulatedNeon) -> None:
    status, definition, _ = ask(sim, "GET", "template_def")
    assert status == 200
    items = definition["items"]
    assert all(len(item) == 7 for item in items)
    assert len({item["id"] for item in items}) == len(items)
    kinds = {"TEXT", "PARAGRAPH", "RADIO_LIST", "CHECKBOX_LIST", "SECTION_HEADER", "PAGE_BREAK"}
    assert {item["widget_type"] for item in items} == kinds
    assert {item["input_type"] for item in items} == {"any", "integer", "float"}
    assert {item["required"] for item in items} == {True, False}


def test_answers_are_merged_and_told(sim: SimulatedNeon) -> None:
    question = ids(sim)
    assert ask(sim, "GET", "template_data")[1] == {}
    age, notes = {question["Age"]: ["23"]}, {question["Notes"]: [""]}
    assert ask(sim, "POST", "template_data", json=age)[:2] == (200, age)
    assert ask(sim, "POST", "template_data", json=notes)[:2] == (200, age | notes)
    assert ask(sim, "GET", "template_data")[1] == age | notes
    told = [(each["answers"], each["refusal"]) for each in sim.truth.records("template")]
    assert told == [(age, None), (notes, None)]


@pytest.mark.parametrize(
    ("title", "answer", "status"),
    [
        ("nobody", ["x"], 404),
        ("Session", ["a heading has no answer"], 404),
        ("Notes", [], 500),
        ("Notes", "text", 500),
        ("Notes", [1], 500),
        ("Notes", ["a", "b"], 500),
        ("Age", ["old"], 500),
        ("Visual acuity", ["good"], 500),
        ("Mood", ["excellent"], 500),
        ("Mood", ["good", "bad"], 500),
        ("Correction", ["none", "hat"], 500),
    ],
)
def test_what_is_refused_changes_nothing(sim: SimulatedNeon, title: str, answer: Any, status: int) -> None:
    question = ids(sim)
    answers = {question["Participant code"]: ["P1"], question.get(title, title): answer}
    refused, _, message = ask(sim, "POST", "template_data", json=answers)
    assert refused == status
    assert ask(sim, "GET", "template_data")[1] == {}
    (record,) = sim.truth.records("template")
    assert (record["answers"], record["refusal"]) == (answers, message)


@pytest.mark.parametrize("need", ["never", "stop", "start"])
def test_required_questions(start: Start, need: str) -> None:
    sim = start(need_answers=need)
    refused = 500, None, "Template has required fields"
    if need == "start":
        assert ask(sim, "POST", "recording:start") == refused
        question = ids(sim)
        required = {question["Participant code"]: ["P1"], question["Dominant eye"]: ["left"]}
        assert ask(sim, "POST", "template_data", json=required)[0] == 200
    assert ask(sim, "POST", "recording:start")[0] == 200
    if need == "stop":
        assert ask(sim, "POST", "recording:stop_and_save") == refused
        assert ask(sim, "POST", "recording:cancel")[0] == 200, "what is thrown away needs no answers"
    else:
        assert ask(sim, "POST", "recording:stop_and_save")[0] == 200


def test_no_template(start: Start) -> None:
    sim = start(template="none", need_answers="start")
    assert ask(sim, "GET", "template_def")[:2] == (200, None)
    assert ask(sim, "GET", "template_data")[:2] == (200, {})
    assert ask(sim, "POST", "template_data", json={"x": ["y"]})[0] == 404
    assert ask(sim, "POST", "recording:start")[0] == 200


def test_a_pupil_invisible_tells_of_none(start: Start) -> None:
    sim = start(model="invisible", need_answers="start")
    assert ask(sim, "GET", "template_def")[0] == ask(sim, "GET", "template_data")[0] == 404
    assert ask(sim, "POST", "template_data", json={})[0] == 404
    assert ask(sim, "POST", "recording:start")[0] == 200


def test_a_definition_of_ones_own(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    definition = {
        "name": "Mine",
        "items": [{"id": "q", "widget_type": "TEXT"}, {"id": "p", "widget_type": "PAGE_BREAK"}],
    }
    path.write_text(json.dumps(definition), "utf-8")
    sim = start(template=str(path))
    assert ask(sim, "GET", "template_def")[1] == definition
    assert ask(sim, "POST", "template_data", json={"q": ["x"]})[1] == {"q": ["x"]}


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"items": 3}', '{"items": [{"id": "x"}]}', b"\xff"])
def test_a_file_that_is_no_definition_is_told(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "template.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=r"template\.json"):
        SimulatedNeon(SimulatorSettings(template=str(path))).start()

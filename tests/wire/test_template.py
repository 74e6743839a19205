"""Template definitions and answers as the app writes them, as the specification does, and as they might come."""

import contextlib
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.wire.template import TemplateDefinition, TemplateItem, parse_answers, parse_definition

# The app's own form: minified, keys in its order, one object.
APP = json.loads(
    r'{"archived_at":null,"created_at":"2024-04-24T12:38:23.780524Z","published_at":null,'
    r'"id":"13b14ebc-a84c-4fd6-8697-bd70d61748bd","name":"Recording with Notes","recording_ids":null,'
    r'"recording_name_format":["{date}","_","{time}"],"is_default_template":true,"description":null,'
    r'"items":[{"choices":null,"help_text":null,"id":"9a3e3a04-f610-48d1-8188-e64fc0b0f492","required":false,'
    r'"title":"Notes","widget_type":"PARAGRAPH","input_type":"any"}],"updated_at":"2024-04-24T12:38:23.780524Z"}'
)
NOTES = "9a3e3a04-f610-48d1-8188-e64fc0b0f492"
EVERYTHING = {
    "id": "t",
    "name": "Ältere Vorlage",
    "label_ids": ["l1", "l2"],
    "recording_ids": ["r1"],
    "items": [
        {"widget_type": "SECTION_HEADER", "title": "Person", "id": "s"},
        {"widget_type": "TEXT", "title": "Age", "id": "a", "input_type": "integer", "required": True},
        {"widget_type": "PAGE_BREAK"},
        {"widget_type": "PAGE_BREAK"},
        {"widget_type": "RADIO_LIST", "title": "Mood", "id": "m", "choices": ["good", "bad"], "required": True},
        {"widget_type": "SLIDER", "title": "How much?", "id": "h", "input_type": "permille", "new": 1},
    ],
}


def test_reads_the_apps_definition():
    definition = parse_definition(APP)
    assert definition == TemplateDefinition(
        id="13b14ebc-a84c-4fd6-8697-bd70d61748bd",
        name="Recording with Notes",
        items=(TemplateItem(NOTES, "Notes", "PARAGRAPH"),),
        is_default=True,
        recording_name_format=("{date}", "_", "{time}"),
        created_at="2024-04-24T12:38:23.780524Z",
        updated_at="2024-04-24T12:38:23.780524Z",
    )


def test_reads_the_list_of_the_specification():
    assert parse_definition([APP]) == parse_definition(APP)


@pytest.mark.parametrize("result", [None, [], {}, [None], [{}]])
def test_nothing_is_chosen(result):
    assert parse_definition(result) is None


def test_every_kind_of_item_is_kept_in_order():
    definition = parse_definition(EVERYTHING)
    kinds = ["SECTION_HEADER", "TEXT", "PAGE_BREAK", "PAGE_BREAK", "RADIO_LIST", "SLIDER"]
    assert [item.widget_type for item in definition.items] == kinds
    assert [item.id for item in definition.questions] == ["a", "m", "h"]
    assert definition.items[1] == TemplateItem("a", "Age", "TEXT", "integer", required=True)
    assert definition.items[4].choices == ("good", "bad")
    assert definition.items[5].input_type == "permille"
    assert (definition.label_ids, definition.recording_ids) == (("l1", "l2"), ("r1",))
    assert not definition.is_default


def test_required_questions_without_an_answer_are_missing():
    definition = parse_definition(EVERYTHING)
    assert definition.missing({}) == ["Age", "Mood"]
    assert definition.missing({"a": ("",), "m": ("bad",)}) == ["Age"]
    assert definition.missing({"a": ("5",), "m": ("bad",)}) == []


def test_fields_of_another_type_are_as_if_missing():
    odd = {"id": 5, "name": None, "recording_name_format": "x", "is_default_template": "true", "label_ids": [1]}
    assert parse_definition(odd) == TemplateDefinition("", "", ())


def test_a_question_without_title_is_called_by_its_id():
    definition = parse_definition({"items": [{"widget_type": "TEXT", "id": "q", "required": True}]})
    assert definition.missing({}) == ["q"]


@pytest.mark.parametrize(
    ("result", "rule"),
    [
        ("text", "str instead of a template"),
        (7, "int instead of a template"),
        ([APP, APP], "2 templates"),
        ([[APP]], "list instead of a template"),
        ({"items": {}}, "dict instead of a list"),
        ({"items": "abc"}, "str instead of a list"),
        ({"items": [None]}, "item 1 is NoneType"),
        ({"items": [{"id": "x", "title": "t"}]}, "item 1 has no widget_type"),
        ({"items": [{"id": "x", "widget_type": ["TEXT"]}]}, "item 1 has no widget_type"),
        ({"items": [{"widget_type": "PAGE_BREAK"}, {"widget_type": "TEXT"}]}, "item 2 is a question without id"),
        ({"items": [{"widget_type": "TEXT", "id": 4}]}, "question without id"),
        ({"items": [{"widget_type": "TEXT", "id": "\ud800"}]}, "question without id"),
        ({"items": [{"widget_type": "TEXT", "id": "x"}] * 2}, "two questions have the id 'x'"),
        ({"items": [{"widget_type": "RADIO_LIST", "id": "x", "choices": [1, 2]}]}, "choices of item 1"),
        ({"items": [{"widget_type": "RADIO_LIST", "id": "x", "choices": "ab"}]}, "choices of item 1"),
    ],
)
def test_a_definition_that_answers_cannot_rely_on_is_refused(result, rule):
    with pytest.raises(RemoteProtocolError, match=rule):
        parse_definition(result)


def test_reads_answers_and_leaves_out_empty_ones():
    example = {
        "f904ebe5": ["answer"],
        "467a7b8c": ["multiple", "choice"],
        "a": [""],
        "b": [],
        "c": None,
        "d": ["", "x"],
    }
    assert parse_answers(example) == {"f904ebe5": ("answer",), "467a7b8c": ("multiple", "choice"), "d": ("x",)}
    assert parse_answers(None) == parse_answers({}) == {}


@pytest.mark.parametrize(
    ("result", "rule"),
    [
        ([], "list instead of answers"),
        ("x", "str instead of answers"),
        ({"q": "text"}, "answer to q is 'text'"),
        ({"q": [1]}, "no list of texts"),
        ({"q": ["\udc00"]}, "no list of texts"),
        ({"q": {"a": "b"}}, "no list of texts"),
        ({"q": "x" * 10**6}, "no list of texts"),
    ],
)
def test_answers_that_would_be_changed_are_refused(result, rule):
    with pytest.raises(RemoteProtocolError, match=rule) as caught:
        parse_answers(result)
    assert len(str(caught.value)) < 400


words = st.sampled_from([*APP, *APP["items"][0], "TEXT", "PAGE_BREAK", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_json_is_read_or_refused(result):
    for parse in (parse_definition, parse_answers):
        with contextlib.suppress(RemoteProtocolError):
            parse(result)


@given(st.sampled_from(sorted(APP["items"][0])), values)
def test_any_damage_to_an_item_is_read_or_refused(name, value):
    damaged = copy.deepcopy(APP)
    damaged["items"][0][name] = value
    try:
        (item,) = parse_definition(damaged).items
    except RemoteProtocolError:
        return
    assert item.id or not item.is_question

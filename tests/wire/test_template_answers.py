"""Values as scripts and dialogs have them, to the texts that the phone keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import ConfigurationError, TemplateError
from psychopy_neon.wire.template import TemplateDefinition, TemplateItem
from psychopy_neon.wire.template_answers import differences, encode_answers

ITEMS = (
    TemplateItem("head", "Session", "SECTION_HEADER"),
    TemplateItem("code", "Participant code", "TEXT", required=True),
    TemplateItem("age", "Age", "TEXT", "integer"),
    TemplateItem("acuity", "Visual acuity", "TEXT", "float"),
    TemplateItem("eye", "Dominant eye", "RADIO_LIST", choices=("left", "right", "Not known")),
    TemplateItem("glasses", "Glasses", "RADIO_LIST", choices=("Yes", "No")),
    TemplateItem("run", "Run", "RADIO_LIST", "integer", ("1", "2")),
    TemplateItem("boxes", "Correction", "CHECKBOX_LIST", choices=("none", "lenses", "glasses")),
    TemplateItem("consent", "Consent", "CHECKBOX_LIST", choices=("signed",)),
    TemplateItem("break", "", "PAGE_BREAK"),
    TemplateItem("session", "Session", "TEXT"),
    TemplateItem("twin-1", "Comment", "TEXT"),
    TemplateItem("twin-2", "Comment", "TEXT"),
    TemplateItem("notes", "Notes", "PARAGRAPH"),
    TemplateItem("slider", "How much?", "SLIDER", "permille"),
)
DEFINITION = TemplateDefinition("t", "Test", ITEMS)


def encode(**answers):
    """By id, except where a title is a name of Python."""
    return encode_answers(DEFINITION, {}, answers)


@pytest.mark.parametrize(
    ("question", "value", "texts"),
    [
        ("code", "P07", ["P07"]),
        ("code", 7, ["7"]),
        ("code", " as typed ", [" as typed "]),
        ("code", True, ["yes"]),
        ("code", ["P07"], ["P07"]),
        ("notes", "two\nlines, ü", ["two\nlines, ü"]),
        ("age", 23, ["23"]),
        ("age", 23.0, ["23"]),
        ("age", " 23 ", ["23"]),
        ("age", "+23", ["23"]),
        ("age", -1, ["-1"]),
        ("age", np.int64(23), ["23"]),
        ("age", np.array([23]), ["23"]),
        ("acuity", 0.8, ["0.8"]),
        ("acuity", 1, ["1"]),
        ("acuity", "0.80", ["0.80"]),
        ("acuity", ".5", [".5"]),
        ("acuity", 1e-7, ["1e-07"]),
        ("acuity", np.float64(1.25), ["1.25"]),
        ("eye", "left", ["left"]),
        ("eye", " LEFT ", ["left"]),
        ("eye", "not  known", ["Not known"]),
        ("glasses", True, ["Yes"]),
        ("glasses", np.bool_(False), ["No"]),
        ("run", 2, ["2"]),
        ("run", 2.0, ["2"]),
        ("boxes", "none", ["none"]),
        ("boxes", ["glasses", "lenses"], ["glasses", "lenses"]),
        ("boxes", ("lenses", "lenses", ""), ["lenses"]),
        ("consent", True, ["signed"]),
        ("consent", False, [""]),
        ("slider", ["a", 3], ["a", "3"]),
        *((question, empty, [""]) for question in ("code", "age", "eye", "boxes") for empty in (None, "", [], "  ")),
    ],
)
def test_values_become_texts(question, value, texts):
    assert encode(**{question: value}) == {question: texts}


@pytest.mark.parametrize(
    ("question", "value", "problem"),
    [
        ("age", "old", "a whole number, not 'old'"),
        ("age", 23.5, "a whole number, not '23.5'"),
        ("age", "1_000", "a whole number"),
        ("age", "٤", "a whole number"),
        ("age", True, "a whole number, not 'yes'"),
        ("age", float("nan"), "takes no nan"),
        ("acuity", "1,5", "a number such as 1.5, not '1,5'"),
        ("acuity", "nan", "a number such as 1.5"),
        ("acuity", "1e999", "a number such as 1.5"),
        ("acuity", "9" * 5000, "a number such as 1.5"),
        ("eye", "middle", 'takes one of "left", "right", "Not known", not \'middle\''),
        ("eye", ["left", "right"], 'takes one answer, not 2: "left", "right"'),
        ("eye", True, "not 'yes'"),
        ("code", ["a", "b"], "takes one answer"),
        ("code", np.array(["a", "b"]), "takes one answer"),
        ("boxes", ["none", "all"], "not 'all'"),
        ("notes", {"a": 1}, "no dict"),
        ("notes", b"bytes", "no bytes"),
        ("notes", [["nested"]], "no list"),
        ("notes", "\ud800", "UTF-8 cannot write"),
        ("notes", "x" * 10_001, "no more than 10000 characters"),
        ("Comment", "x", r"title of 2 questions: .*\(twin-1, twin-2\)"),
        ("head", "x", "a heading or a page break"),
        ("Agee", 3, '"Agee" is no question of the template, which has: "Participant code", "Age"'),
        ("", 3, "is no question"),
        (5, 3, "a name of type int is no question"),
        (None, 3, "a name of type NoneType is no question"),
        ("x" * 5000, 3, "is no question"),
    ],
)
def test_what_does_not_fit_is_told(question, value, problem):
    with pytest.raises(TemplateError, match=problem) as caught:
        encode_answers(DEFINITION, {}, {question: value})
    assert len(caught.value.problems) == 1
    assert len(str(caught.value)) < 600


def test_questions_are_named_by_title_too():
    answers = {"Dominant eye": "right", "participant  CODE": "P1", "Session": "first", "twin-2": "x"}
    assert encode_answers(DEFINITION, {}, answers) == {
        "eye": ["right"],
        "code": ["P1"],
        "session": ["first"],
        "twin-2": ["x"],
    }


def test_an_id_wins_over_a_title():
    items = (TemplateItem("a", "b", "TEXT"), TemplateItem("b", "a", "TEXT"))
    assert encode_answers(TemplateDefinition("t", "", items), {}, {"a": "x"}) == {"a": ["x"]}


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        encode_answers(DEFINITION, {}, {"Age": "old", "age": 5, "eye": "up", "code": "P1"})
    assert isinstance(caught.value, TemplateError)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ['"Age"', '"eye"']
    with pytest.raises(TemplateError, match="answered twice"):
        encode_answers(DEFINITION, {}, {"Age": 4, "age": 5})


def test_a_number_that_cannot_be_written_is_told():
    with pytest.raises(TemplateError, match='"age" is answered by a number that is too long'):
        encode(age=10**5000)


def test_a_message_of_many_problems_is_cut_but_none_is_lost():
    with pytest.raises(TemplateError, match=r"; and 95 more$") as caught:
        encode_answers(DEFINITION, {}, {f"question {number}": 1 for number in range(100)})
    assert len(caught.value.problems) == 100
    assert len(str(caught.value)) < 4000


@pytest.mark.parametrize("answers", [None, "text", [("age", 5)], 3])
def test_answers_are_a_dict(answers):
    with pytest.raises(TemplateError, match="instead of a dict"):
        encode_answers(DEFINITION, {}, answers)


def test_present_answers_are_sent_again_unless_replaced_or_foreign():
    present = {"age": ("23",), "boxes": ("none",), "eye": ("left",), "of another template": ("x",)}
    assert encode_answers(DEFINITION, present, {"Age": 24, "Dominant eye": None}) == {
        "age": ["24"],
        "boxes": ["none"],
        "eye": [""],
    }


def test_a_long_list_of_questions_is_cut():
    items = tuple(TemplateItem(f"q{number}", f"Question {number}", "TEXT") for number in range(100))
    with pytest.raises(TemplateError, match=r'"Question 19" and 80 more'):
        encode_answers(TemplateDefinition("t", "", items), {}, {"x": 1})


def test_what_means_the_same_is_no_difference():
    sent = {"acuity": ["0.80"], "age": ["007"], "boxes": ["a", "b"], "code": ["P1 "], "eye": [""], "slider": ["b", "a"]}
    stored = {"acuity": ("0.8",), "age": ("7",), "boxes": ("b", "a"), "code": ("P1",), "slider": ("a", "b")}
    assert differences(DEFINITION, sent, stored) == ()


@pytest.mark.parametrize(
    ("sent", "stored", "problem"),
    [
        ({"code": ["P1"]}, {}, '"Participant code" was stored as no answer instead of "P1"'),
        ({"code": [""]}, {"code": ("P1",)}, '"Participant code" was stored as "P1" instead of no answer'),
        ({}, {"age": ("3",)}, '"Age" was stored as "3" instead of no answer'),
        ({"age": ["42"]}, {"age": ("4",)}, '"Age" was stored as "4" instead of "42"'),
        ({"age": ["12345678901234567"]}, {"age": ("12345678901234568",)}, '"Age" was stored as'),
        ({"age": ["1"]}, {"age": ("?",)}, '"Age" was stored as "?"'),
        ({"boxes": ["none", "lenses"]}, {"boxes": ("none",)}, 'stored as "none" instead of "none", "lenses"'),
    ],
)
def test_what_means_something_else_is_told(sent, stored, problem):
    (told,) = differences(DEFINITION, sent, stored)
    assert problem in told


simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(st.dictionaries(st.sampled_from([item.id for item in ITEMS]), simple | st.lists(simple, max_size=3)))
def test_anything_is_encoded_or_told(answers):
    try:
        texts = encode_answers(DEFINITION, {}, answers)
    except TemplateError:
        return
    assert set(texts) == set(answers)
    assert all(each and all(type(text) is str for text in each) for each in texts.values())
    stored = {name: tuple(text for text in each if text) for name, each in texts.items()}
    assert differences(DEFINITION, texts, stored) == ()

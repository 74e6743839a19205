"""Whatever stands in a param: compiling raises alerts and no errors, and text stays text."""

from __future__ import annotations

import ast
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("psychopy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from builder_kit import ALL, alerts, calls_of, made, script_of, settings_of

    from psychopy_neon.plugin.builder import expressions
    from psychopy_neon.plugin.builder.components import (
        DwellButtonComponent,
        FixationGateComponent,
        GazeCursorComponent,
        GazeROIComponent,
        GazeWindowComponent,
        NeonAprilTagComponent,
        NeonAprilTagFrameComponent,
        NeonEventComponent,
    )
    from psychopy_neon.plugin.builder.kinds import TEXT

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]

INJECTED = "1); __import__('os').system('true'"
TEXTS = [
    'say "it\'s"',
    "back\\slash \\n \\' C:\\new\\table",
    "50 % of %s %(name)s {name}",
    "straße → 日本 \N{PARTY POPPER}",
    "two\nlines\u2028three",
    "'''; import os; '''",
    "# no comment",
    "1,\\$5",
    INJECTED,
]


@pytest.mark.parametrize("text", TEXTS)
def test_names_of_events_and_labels_stay_text(text: str) -> None:
    event = {"name": "mark", "eventName": text, "stopEventName": text}
    script = script_of(made([(NeonEventComponent, event), (DwellButtonComponent, {"text": text})]))
    meant = text.replace("\\$", "$")
    (start,) = calls_of(script, "start")[:1]
    assert ast.literal_eval(start.args[0]) == meant
    assert [ast.literal_eval(call.args[0]) for call in calls_of(script, "stop") if call.args] == [meant, meant]
    assert settings_of(script, "ButtonPart")["text"] == meant
    assert not calls_of(script, "system")


@pytest.mark.parametrize("code", [INJECTED, "3 +", "]", "x = 3", "import os", "lambda", "1 2", "\x00", "(" * 300])
def test_what_is_no_expression_stays_text_and_is_told(code: str) -> None:
    with alerts() as said:
        script = script_of(made([(GazeCursorComponent, {"name": "cursor", "size": code, "stopVal": "1"})]))
    assert settings_of(script, "CursorPart")["size"] == code
    assert not calls_of(script, "system")
    assert len(said) == 1
    assert said[0].startswith("cursor: Size: ")
    assert "no Python expression" in said[0]


@pytest.mark.parametrize(
    ("component", "values", "told"),
    [
        (GazeCursorComponent, {"size": "-1"}, "Size=-1 cannot be used; allowed: a length above 0"),
        (GazeCursorComponent, {"size": "'big'"}, "Size='big' cannot be used"),
        (GazeCursorComponent, {"size": ""}, "Size=None cannot be used"),
        (GazeCursorComponent, {"size": "1e400"}, "Size=inf cannot be used"),
        (GazeCursorComponent, {"size": "500"}, "too many; check the units"),
        (GazeCursorComponent, {"size": "0.05", "units": "pix"}, "less than a pixel; check the units"),
        (GazeCursorComponent, {"color": "sky blew"}, "Color='sky blew' cannot be used"),
        (
            GazeCursorComponent,
            {"smoothing": "much"},
            "Smoothing='much' cannot be used; allowed: one of 'off', '1-euro'",
        ),
        (GazeWindowComponent, {"holdTime": "-0.1"}, "at least 0"),
        (NeonAprilTagFrameComponent, {"columns": "0"}, "Columns=0 cannot be used; allowed: a whole number at least 2"),
        (NeonAprilTagFrameComponent, {"rows": "2.5"}, "Rows=2.5 cannot be used"),
        (NeonAprilTagFrameComponent, {"firstId": "580"}, "12 tags from 580 on go beyond 586"),
        (NeonAprilTagFrameComponent, {"ids": "1, 2, 3"}, "are not 12 different ones"),
        (NeonAprilTagFrameComponent, {"ids": "1, 2, 9999"}, "Tag IDs=[1, 2, 9999] cannot be used"),
        (NeonAprilTagFrameComponent, {"matchLuminance": "perhaps()"}, None),
        (NeonAprilTagFrameComponent, {"contrast": "0"}, "Contrast=0 cannot be used"),
        (
            NeonAprilTagComponent,
            {"tagId": "587"},
            "Tag ID=587 cannot be used; allowed: a whole number at least 0 and at most",
        ),
        (NeonAprilTagComponent, {"pos": "1"}, "Position [x,y]=[1] cannot be used; allowed: a place (x, y)"),
        (NeonAprilTagComponent, {"pos": "(1, 2, 3)"}, "cannot be used; allowed: a place (x, y)"),
        (FixationGateComponent, {"limit": "0"}, "Give up after (s)=0 cannot be used"),
        (FixationGateComponent, {"whenOpen": "dance"}, "When open='dance' cannot be used"),
        (FixationGateComponent, {"startVal": "1 )"}, None),
        (DwellButtonComponent, {"dwellTime": "0"}, "Dwell time (s)=0 cannot be used"),
        (GazeROIComponent, {"target": ""}, "Target: is blank"),
        (NeonEventComponent, {"eventName": ""}, "Event name: is blank"),
        (NeonEventComponent, {"eventName": "$1 +"}, "Event name: '$1 +' is no Python expression"),
    ],
)
def test_what_cannot_be_used_is_told_when_it_can_be_known(component: type, values: dict, told: str | None) -> None:
    exp = made([(component, {"name": "thing", "stopVal": "1", "startVal": "0", **values})])
    with alerts() as said:
        if "startVal" in values:  # PsychoPy itself writes it as it stands, so the script says it, too
            with pytest.raises(SyntaxError):
                script_of(exp)
            told = "Start: '1 )' is no Python expression"
        else:
            script_of(exp)
    assert len(said) == (told is not None)
    assert all(each.startswith("thing: ") for each in said)
    assert told is None or told in said[0]


@pytest.mark.parametrize("code", ["myVariable", "$myVariable", "2 * width", "expInfo['size']", "random()"])
def test_what_depends_on_the_run_is_no_trouble_at_compile(code: str) -> None:
    with alerts() as said:
        script = script_of(made([(GazeCursorComponent, {"size": code, "stopVal": "1"})]))
    assert said == []
    assert settings_of(script, "CursorPart")["size"] == code.lstrip("$")


@pytest.mark.parametrize("name", ["two words", "it's", "50%", "neonRun", "", "a;b"])
def test_a_name_that_cannot_be_is_told(name: str) -> None:
    exp = made([(GazeCursorComponent, {"stopVal": "1"})])
    component = exp.routines["trial0"][-1]
    component.params["name"].val = name
    assert [each for each in component.problems() if "name" in each]


def test_tags_that_are_there_twice_are_told() -> None:
    frame = (NeonAprilTagFrameComponent, {"name": "frame", "stopVal": "1"})
    for tag, count in [({"tagId": "3"}, 2), ({"tagId": "3", "screen": "1"}, 0), ({"tagId": "12"}, 0)]:
        with alerts() as said:
            script_of(made([frame, (NeonAprilTagComponent, {"name": "tag", "stopVal": "1", **tag})]))
        assert len([each for each in said if "each tag of a routine needs an ID of its own" in each]) == count


odd = st.one_of(
    st.text(max_size=30),
    st.text("()[]{}'\"\\$#%,:;=\n ax1.", max_size=20),
    st.sampled_from([*TEXTS, INJECTED, "nan", "-inf", "1j", "...", "None", "{}", "$", "$$a", "\\$", "f'{1'"]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=3),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_value_of_any_param_breaks_the_script(data: st.DataObject) -> None:
    component = data.draw(st.sampled_from(ALL))
    exp = made([(component, {"name": "thing"})])
    thing = exp.routines["trial0"][-1]
    own = [each.name for each in component.SETTINGS]
    own += [name for name in ("eventName", "stopEventName") if name in thing.params]
    for name in data.draw(st.lists(st.sampled_from(own), unique=True, max_size=4)):
        param = thing.params[name]
        param.val = data.draw(odd)
        param.updates = data.draw(st.sampled_from(param.allowedUpdates or [param.updates]))
    with alerts():
        script = script_of(exp)
    assert len(calls_of(script, component.part)) == 1


class Typed:
    """A param, as far as expressions ask."""

    def __init__(self, val: str) -> None:
        self.val, self.valType = val, "code"

    def __str__(self) -> str:
        return self.val


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=st.text(max_size=30))
@example(text="1 # x")
@example(text="'a\x0cb'")
@example(text="(1,\n2)")
def test_an_expression_is_one_argument_wherever_it_stands(text: str) -> None:
    code = expressions.code_of(Typed(text))
    assert code.isprintable()
    (call,) = ast.parse(f"f(a={code}, b=2)").body
    assert [keyword.arg for keyword in call.value.keywords] == ["a", "b"]
    assert not call.value.args
    assert ast.unparse(call.value.func) == "f"


@pytest.mark.parametrize("value", [7, 1.5, np.int64(7), np.float64(1.5), "7"])
def test_numbers_of_a_conditions_file_are_texts_where_texts_are_asked(value: object) -> None:
    assert TEXT.of("text", value) == str(value)

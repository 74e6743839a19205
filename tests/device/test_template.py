"""The phone's template by the whole client: against the simulator, and against phones with habits of their own."""

import json

import pytest
from fakes import FakeHttp, answer_json, phone_components

from psychopy_neon.device.neon import Neon
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.template import Template
from psychopy_neon.device.transport import Peer
from psychopy_neon.errors import (
    NeonError,
    NeonTimeoutError,
    RecordingRefusedError,
    RemoteProtocolError,
    RequestRefusedError,
    TemplateError,
)
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

ANSWERS = {
    "Participant code": "P07",
    "Age": 23,
    "Visual acuity": 1.25,
    "Dominant eye": "LEFT",
    "Correction": ["glasses", "contact lenses"],
    "Consent": True,
    "Session number": 2,
    "Notes": "Grüße\nzweite Zeile",
}
STORED = {
    "Participant code": ("P07",),
    "Age": ("23",),
    "Visual acuity": ("1.25",),
    "Dominant eye": ("left",),
    "Correction": ("glasses", "contact lenses"),
    "Consent": ("The form is signed",),
    "Session number": ("2",),
    "Notes": ("Grüße\nzweite Zeile",),
}


@pytest.fixture
def simulate():
    running = []

    def start(**settings):
        simulated = SimulatedNeon(SimulatorSettings(**settings)).start()
        running.append(simulated)
        return simulated

    yield start
    for each in running:
        each.close()


def by_title(template):
    titles = {item.id: item.title for item in template.definition.items}
    return {titles[question]: texts for question, texts in template.answers.items()}


# Against the simulator


def test_definition(simulate):
    with Neon(simulate().address) as neon:
        definition = neon.template.definition
        assert (definition.name, definition.is_default, neon.template.trouble) == ("Simulated template", True, None)
        kinds = {item.widget_type for item in definition.items}
        assert kinds == {"TEXT", "PARAGRAPH", "RADIO_LIST", "CHECKBOX_LIST", "SECTION_HEADER", "PAGE_BREAK"}
        assert {item.input_type for item in definition.items} == {"any", "integer", "float"}
        assert neon.template.missing() == ["Participant code", "Dominant eye"]
        assert neon.template.answers == {}


def test_fill_stores_and_reads_back(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        neon.template.fill(ANSWERS)
        assert by_title(neon.template) == STORED
        assert neon.template.missing() == []
        # Others are kept, a text is replaced, an answer deleted.
        neon.template.fill({"Age": "24", "Correction": None})
        expected = {**STORED, "Age": ("24",)}
        del expected["Correction"]
        assert by_title(neon.template) == by_title(neon.template.read()) == expected
    first, second = simulated.truth.records("template")
    assert first["refusal"] is second["refusal"] is None
    assert len(first["answers"]) == len(second["answers"]) == len(STORED), "the whole is sent each time"


def test_nothing_is_sent_when_anything_does_not_fit(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        with pytest.raises(TemplateError, match=r'"Dominant eye" takes one of "left", "right", "not known"') as caught:
            neon.template.fill({"Age": 23, "Dominant eye": "both", "Ages": 1})
        assert len(caught.value.problems) == 2
        neon.template.fill({})
        assert simulated.truth.records("template") == []
        assert neon.template.answers == {}


def test_a_recording_that_wants_answers(simulate):
    simulated = simulate(need_answers="start")
    with Neon(simulated.address) as neon:
        with pytest.raises(RecordingRefusedError, match="Template has required fields"):
            neon.start_recording()
        neon.template.fill({title: ANSWERS[title] for title in neon.template.missing()})
        neon.start_recording()
        neon.template.fill({"Dominant eye": ""})
        with pytest.raises(RecordingRefusedError, match="Template has required fields"):
            neon.stop_recording()
        neon.template.fill({"Dominant eye": "right"})
        neon.stop_recording()


def test_no_template_is_chosen(simulate):
    with Neon(simulate(template="none").address) as neon:
        assert neon.template.definition is None
        assert "choose one in the Companion app" in neon.template.trouble
        assert (neon.template.answers, neon.template.missing()) == ({}, [])
        with pytest.raises(TemplateError, match="no template is chosen"):
            neon.template.fill({"Age": 3})


def test_a_pupil_invisible_tells_of_no_template(simulate):
    with Neon(simulate(model="invisible").address) as neon:
        assert neon.template.definition is None
        assert "Companion 2.8.25" in neon.template.trouble
        with pytest.raises(TemplateError, match="a Pupil Invisible has none over the network"):
            neon.template.fill({"Age": 3})


def test_use_after_close(simulate):
    neon = Neon(simulate().address)
    template = neon.template
    assert template.definition is not None
    neon.close()
    for act in (template.read, template.missing, lambda: template.definition, lambda: template.fill({"Age": 1})):
        with pytest.raises(NeonError, match="this Neon is closed"):
            act()


def test_a_lost_answer_is_an_error_and_the_next_look_tells_what_was_stored(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        assert neon.template.answers == {}
        simulated.lose_answers(1)
        with pytest.raises(NeonError, match="connection failed"):
            neon.template.fill({"Age": 23})
        simulated.truth.wait("template", timeout_s=20)
        assert by_title(neon.template) == {"Age": ("23",)}


# Against phones written by hand


DEFINITION = {
    "name": "By hand",
    "items": [
        {"id": "age", "title": "Age", "widget_type": "TEXT", "input_type": "integer", "required": True},
        {"id": "mood", "title": "Mood", "widget_type": "RADIO_LIST", "choices": ["good", "bad"]},
    ],
}


class ForgetfulPhone(FakeHttp):
    """Keeps only what was posted last: what was not sent again is gone."""

    def __init__(self):
        self.stored = {"mood": ["good"], "deleted question": ["x"]}
        routes = {"/api/template_def": answer_json([DEFINITION]), "/api/template_data": self.data}
        super().__init__(phone_components(), routes=routes)

    def data(self, body):
        if body:
            posted = json.loads(body)
            if not set(posted) <= {"age", "mood"}:
                return answer_json(None, 404, "Field ID not found")
            self.stored = posted
        return answer_json(self.stored)

    def posted(self):
        return [json.loads(body) for method, path, body in self.requests if path == "/api/template_data" and body]


@pytest.fixture
def phone():
    with ForgetfulPhone() as http:
        yield http


@pytest.fixture
def template(phone):
    rest = RestClient(Peer("phone", phone.port, "127.0.0.1"), 20.0)
    yield Template(rest, lambda: None)
    rest.close()


def asked(phone):
    return [(method, path.rpartition("/")[2]) for method, path, _ in phone.requests]


def test_old_answers_stay_also_where_the_phone_keeps_only_what_is_sent(phone, template):
    template.fill({"Age": 5})
    assert template.answers == {"age": ("5",), "mood": ("good",)}
    assert phone.posted() == [{"mood": ["good"], "age": ["5"]}]
    reading = [("GET", "template_def"), ("GET", "template_data")]
    assert asked(phone) == [*reading, ("POST", "template_data"), ("GET", "template_data")]


def test_it_is_read_once_until_it_is_asked_again(phone, template):
    assert template.definition.name == "By hand"
    phone.routes["/api/template_def"] = answer_json({"name": "Another", "items": []})
    phone.stored = {}
    assert (template.definition.name, template.missing()) == ("By hand", ["Age"])
    assert template.answers == {"mood": ("good",), "deleted question": ("x",)}
    assert len(phone.requests) == 2
    assert template.read() is template
    assert (template.definition.name, template.answers) == ("Another", {})


def test_fill_looks_at_the_template_of_now(phone, template):
    assert template.definition is not None
    items = [{"id": "new", "title": "New", "widget_type": "TEXT"}]
    phone.routes["/api/template_def"] = answer_json({"name": "Another", "items": items})
    with pytest.raises(TemplateError, match='"Age" is no question of the template, which has: "New"'):
        template.fill({"Age": 5})
    assert phone.posted() == []


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ({"age": ["4"], "mood": ["good"]}, '"Age" was stored as "4" instead of "42"'),
        ({"age": ["42"]}, '"Mood" was stored as no answer instead of "good"'),
    ],
)
def test_a_phone_that_stores_something_else(phone, template, stored, problem):
    def keep_something_else(body):
        phone.stored = stored if body else phone.stored
        return answer_json(phone.stored)

    phone.routes["/api/template_data"] = keep_something_else
    with pytest.raises(TemplateError, match=problem):
        template.fill({"Age": 42})
    assert template.answers == {question: tuple(texts) for question, texts in stored.items()}, "what it has is known"


@pytest.mark.parametrize(
    ("path", "answer", "error", "text"),
    [
        ("/api/template_def", answer_json(None, 500, "Not now"), RequestRefusedError, "Not now"),
        ("/api/template_data", answer_json(None, 404, "Not found"), RequestRefusedError, "Not found"),
        ("/api/template_data", answer_json(None, 500, "Not now"), RequestRefusedError, "Not now"),
        ("/api/template_def", answer_json("x"), RemoteProtocolError, "instead of a template"),
        ("/api/template_data", answer_json([]), RemoteProtocolError, "instead of answers"),
    ],
)
def test_errors_of_the_phone(phone, template, path, answer, error, text):
    phone.routes[path] = answer
    for act in (lambda: template.definition, template.read, lambda: template.fill({"Age": 1})):
        with pytest.raises(error, match=text):
            act()


def test_the_reason_of_a_refused_post_is_told(phone, template):
    phone.routes["/api/template_data"] = lambda body: answer_json(*(None, 404, "Unknown field") if body else ({},))
    with pytest.raises(RequestRefusedError, match="Unknown field") as caught:
        template.fill({"Age": 1})
    assert (caught.value.method, caught.value.status) == ("POST", 404)


def test_a_silent_phone_is_waited_for_within_the_limit(phone):
    phone.routes["/api/template_def"] = lambda _body: phone.is_closed.wait(20) and None
    rest = RestClient(Peer("phone", phone.port, "127.0.0.1"), 0.2)
    with pytest.raises(NeonTimeoutError):
        Template(rest, lambda: None).read()
    rest.close()

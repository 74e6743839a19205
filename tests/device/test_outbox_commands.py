"""Recording commands on their way: they are no events, since twice is not the same as once."""

import json
import threading

import pytest
from fakes import FakeHttp, answer_json, component, free_port, late, wait_until
from outboxes import LIMIT_S, OFFSET_NS, hurry, start_outbox

from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import LinkError, NeonTimeoutError, RecordingRefusedError, RemoteProtocolError


class Phone(FakeHttp):
    """Starts and stops recordings; the first answers to commands are lost if told so."""

    def __init__(self, port=0):
        super().__init__(port=port)
        self.running = None
        self.started = 0
        self.lost_answers = 0
        self.is_carrying_out = True
        self.routes = {
            "/api/event": lambda body: answer_json({"timestamp": json.loads(body)["timestamp"]}),
            "/api/recording:start": lambda _body: self.command("start"),
            "/api/recording:stop_and_save": lambda _body: self.command("stop"),
            "/api/recording:cancel": lambda _body: self.command("stop"),
        }

    def command(self, action):
        if (action == "start") == (self.running is not None):
            return answer_json(None, 500, f"cannot {action} now")
        is_lost, self.lost_answers = self.lost_answers > 0, self.lost_answers - 1
        if self.is_carrying_out or not is_lost:
            self.started += action == "start"
            self.running = f"r{self.started}" if action == "start" else None
        running = [component("Recording", id=self.running, action="START")] if self.running else []
        self.components = [component("Phone", device_name="Fake"), *running]
        return None if is_lost else answer_json({"id": self.running} if action == "start" else None)

    @property
    def commands(self):
        return [path.rpartition(":")[2] for _, path, _ in self.requests if "recording" in path]


@pytest.fixture
def phone():
    with Phone() as phone:
        yield phone


@pytest.fixture
def make_outbox(crew, monkeypatch):
    hurry(monkeypatch)
    return lambda port, **fields: start_outbox(crew, port, recording_id=None, **fields)


@pytest.fixture
def outbox(make_outbox, phone):
    return make_outbox(phone.port)


def test_recording(outbox, phone):
    assert outbox.command("start").result(LIMIT_S) == "r1"
    assert outbox.board.recording_id == "r1"
    assert outbox.command("stop_and_save").result(LIMIT_S) is None
    assert outbox.board.status.recording.action == "SAVE"
    assert outbox.command("start").result(LIMIT_S) == "r2"
    assert outbox.command("cancel").result(LIMIT_S) is None
    assert outbox.board.status.recording.action == "DISCARD"
    assert phone.commands == ["start", "stop_and_save", "start", "cancel"]


def test_order_is_that_of_the_calls(outbox, phone):
    start = phone.routes["/api/recording:start"]
    phone.routes["/api/recording:start"] = late(start, 0.1)
    outbox.command("start")
    for number in range(5):
        outbox.send_event(f"e{number}", number)
    outbox.command("stop_and_save").result(LIMIT_S)
    assert [path.rpartition("/")[2] for _, path, _ in phone.requests] == [
        "recording:start",
        *["event"] * 5,
        "recording:stop_and_save",
    ]


def test_refusal_has_the_devices_reason(outbox, phone):
    phone.routes["/api/recording:start"] = answer_json(None, 500, "No template selected")
    with pytest.raises(RecordingRefusedError, match="No template selected") as caught:
        outbox.command("start").result(LIMIT_S)
    assert (caught.value.status, caught.value.method) == (500, "POST")
    assert phone.commands == ["start"]


@pytest.mark.parametrize("result", [None, {}, {"id": 5}])
def test_answer_without_an_id(outbox, phone, result):
    phone.routes["/api/recording:start"] = answer_json(result)
    with pytest.raises(RemoteProtocolError, match="no id"):
        outbox.command("start").result(LIMIT_S)


def test_lost_answer_is_found_in_the_status(outbox, phone):
    phone.lost_answers = 1
    assert outbox.command("start").result(LIMIT_S) == "r1"
    assert outbox.board.recording_id == "r1"
    phone.lost_answers = 1
    assert outbox.command("stop_and_save").result(LIMIT_S) is None
    assert phone.commands == ["start", "stop_and_save"], "neither was sent twice"


def test_command_that_was_lost_before_it_was_carried_out_is_sent_again(outbox, phone):
    phone.lost_answers, phone.is_carrying_out = 1, False
    assert outbox.command("start").result(LIMIT_S) == "r1"
    phone.lost_answers = 1
    assert outbox.command("stop_and_save").result(LIMIT_S) is None
    assert phone.commands == ["start"] * 2 + ["stop_and_save"] * 2
    assert phone.started == 1


def test_device_that_does_it_after_it_was_asked_what_it_did(outbox, phone):
    """The status says that nothing runs, the repeat is refused since it runs by now: the first one has worked."""

    def start(_body):
        if not phone.started:
            phone.started = 1
            return None
        phone.components = [component("Recording", id="slow", action="START")]
        return answer_json(None, 500, "A recording is already running")

    phone.routes["/api/recording:start"] = start
    assert outbox.command("start").result(LIMIT_S) == "slow"


def test_recording_of_somebody_else_is_not_ours(make_outbox, phone):
    phone.command("start")
    outbox = make_outbox(phone.port)
    outbox.board.note_recording("r1", "START")
    with pytest.raises(RecordingRefusedError, match="cannot start now"):
        outbox.command("start").result(LIMIT_S)


def test_status_that_cannot_be_read_leaves_it_unknown(outbox, phone):
    phone.routes["/api/status"] = answer_json(None, 503)
    phone.lost_answers = 1
    with pytest.raises(NeonTimeoutError, match="whether it was carried out is not known"):
        outbox.command("start").result(0.5)
    wait_until(lambda: outbox.health.waiting == 0)
    assert phone.commands == ["start"], "not sent again"


def test_command_does_not_come_long_after_its_caller_gave_up(make_outbox):
    port = free_port()
    outbox = make_outbox(port)
    with pytest.raises(NeonTimeoutError, match="could not be reached; the command was withdrawn"):
        outbox.command("start").result(0.1)
    after = outbox.send_event("go", 0)
    with Phone(port) as phone:
        assert after.wait(LIMIT_S).device_ns == OFFSET_NS
        assert phone.commands == []


def test_stop_that_waits_for_events_says_how_many(make_outbox):
    outbox = make_outbox(free_port())
    pending = [outbox.send_event(f"e{number}", 0) for number in range(7)]
    with pytest.raises(NeonTimeoutError, match=r"7 event\(s\) still wait to be confirmed before it"):
        outbox.command("stop_and_save").result(0.1)
    assert all(each.state is EventState.WAITING and not each.is_done for each in pending)


def test_interrupted_caller_withdraws(make_outbox, phone, monkeypatch):
    outbox = make_outbox(phone.port)
    is_held = threading.Event()
    phone.routes["/api/event"] = lambda body: is_held.wait(LIMIT_S) and answer_json({"timestamp": 1})
    outbox.send_event("go", 0)
    command = outbox.command("start")

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox._changed, "wait_for", interrupt)
    with pytest.raises(KeyboardInterrupt):
        command.result(LIMIT_S)
    monkeypatch.undo()
    is_held.set()
    wait_until(lambda: outbox.health.waiting == 0)
    assert phone.commands == []


def test_command_is_tried_again_after_503(outbox, phone):
    answers = [answer_json(None, 503)] * 3
    start = phone.routes["/api/recording:start"]
    phone.routes["/api/recording:start"] = lambda body: answers.pop() if answers else start(body)
    assert outbox.command("start").result(LIMIT_S) == "r1"
    assert phone.commands == ["start"] * 4


def test_command_at_close_does_not_wait(crew, make_outbox):
    outbox = make_outbox(free_port(), limit_s=0.3)
    command = outbox.command("start")
    assert crew.close() == ()
    with pytest.raises(LinkError):
        command.result(0)

"""Events on their way, against a server written by hand."""

import json
import threading
import time

import pytest
from fakes import FakeHttp, TcpFake, answer, answer_json, free_port, late, read_head, wait_until
from outboxes import BOUND_NS, LIMIT_S, OFFSET_NS, hurry, offset_at, start_outbox

from psychopy_neon.device import outbox as outbox_module
from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import (
    ClockNotReadyError,
    LinkError,
    NeonError,
    NeonTimeoutError,
    RecordingRefusedError,
    RemoteProtocolError,
    RequestRefusedError,
)
from psychopy_neon.samples import Event
from psychopy_neon.wire.status import DeviceEvent


def event_answer(body):
    event = json.loads(body)
    return answer_json({"timestamp": event.get("timestamp", 77_000_000), "name": event["name"], "recording_id": "r1"})


def in_turn(*routes):
    """A route that behaves differently each time; the last one stays."""
    left = list(routes)

    def route(body):
        each = left.pop(0) if len(left) > 1 else left[0]
        return each(body) if callable(each) else each

    return route


@pytest.fixture
def http():
    with FakeHttp() as fake:
        fake.routes["/api/event"] = event_answer
        yield fake


@pytest.fixture
def make_outbox(crew, monkeypatch):
    hurry(monkeypatch)
    return lambda port, *args, **fields: start_outbox(crew, port, *args, **fields)


@pytest.fixture
def outbox(make_outbox, http):
    return make_outbox(http.port)


def bodies(http):
    return [json.loads(body) for _, path, body in http.requests if path == "/api/event"]


def raw_bodies(http):
    return [body for _, path, body in http.requests if path == "/api/event"]


def test_event_with_its_time(outbox, http):
    pending = outbox.send_event("go", 5)
    assert pending.wait(LIMIT_S) == Event("go", 5 + OFFSET_NS, "r1", 5, BOUND_NS)
    assert (pending.is_done, pending.error, pending.name, pending.host_ns) == (True, None, "go", 5)
    assert (pending.device_ns, pending.bound_ns, pending.state) == (5 + OFFSET_NS, BOUND_NS, EventState.CONFIRMED)
    assert bodies(http) == [{"name": "go", "timestamp": 5 + OFFSET_NS}]


def test_event_that_the_device_stamps(outbox, http):
    pending = outbox.send_event("go", None)
    assert pending.wait(LIMIT_S) == Event("go", 77_000_000, "r1")
    assert (pending.host_ns, pending.device_ns) == (None, None)
    assert bodies(http) == [{"name": "go"}]


def test_name_goes_as_utf8(outbox, http):
    name = 'Zwölf "Boxkämpfer"\n☃\U0001f600'
    assert outbox.send_event(name, None).wait(LIMIT_S).name == name
    assert bodies(http) == [{"name": name}]
    assert "Zwölf".encode() in raw_bodies(http)[0]


def test_long_name_is_cut_and_said_once(outbox, http, caplog):
    pending = [outbox.send_event("n" * 1001, 0), outbox.send_event("m" * 5000, 0)]
    assert [len(each.wait(LIMIT_S).name) for each in pending] == [1000, 1000]
    assert caplog.text.count("cut to 1000 characters") == 1


def test_burst_of_a_thousand_in_order(outbox, http):
    pending = [outbox.send_event(f"e{number}", number) for number in range(1000)]
    assert pending[-1].wait(60).host_ns == 999
    assert [event["timestamp"] - OFFSET_NS for event in bodies(http)] == list(range(1000))
    assert all(each.is_done and each.error is None for each in pending)
    assert (outbox.health.confirmed, outbox.health.waiting) == (1000, 0)


def test_time_is_frozen_at_the_first_attempt(make_outbox, http):
    """Whatever becomes of the clock: a repeat is the same to the byte."""
    offsets = iter(range(100))

    def drifting(host_ns):
        offset = offset_at(host_ns)
        return type(offset)(device_ns=lambda host_ns: host_ns + next(offsets), bound_at_ns=offset.bound_at_ns)

    http.routes["/api/event"] = in_turn(answer_json(None, 503), None, answer_json(None, 503), event_answer)
    pending = make_outbox(http.port, offsets=drifting).send_event("go", 1000)
    assert pending.wait(LIMIT_S).device_ns == 1000
    assert len(raw_bodies(http)) == 4
    assert len(set(raw_bodies(http))) == 1


def test_order_is_kept_while_the_first_is_tried_again(outbox, http):
    http.routes["/api/event"] = in_turn(*[answer_json(None, 503)] * 4, event_answer)
    pending = [outbox.send_event(name, 0) for name in "abc"]
    pending[-1].wait(LIMIT_S)
    assert "".join(event["name"] for event in bodies(http)) == "aaaaabc"
    assert outbox.health.repeated == 0, "503 has not looked at it"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_errors_that_pass(outbox, http, status):
    page = answer(b"<html>later</html>", status, "text/html")
    http.routes["/api/event"] = in_turn(answer_json(None, status, "later"), page, event_answer)
    assert outbox.send_event("go", 0).wait(LIMIT_S)
    assert len(bodies(http)) == 3


@pytest.mark.parametrize("status", [400, 404, 500])
def test_refusal_is_final_and_the_next_goes_on(outbox, http, caplog, status):
    http.routes["/api/event"] = in_turn(answer_json(None, status, "Not like this"), event_answer)
    pending, after = outbox.send_event("go", 0), outbox.send_event("on", 0)
    with pytest.raises(RequestRefusedError, match="Not like this") as caught:
        pending.wait(LIMIT_S)
    assert not isinstance(caught.value, RecordingRefusedError)
    assert (pending.error, pending.state) == (caught.value, EventState.REFUSED)
    assert after.wait(LIMIT_S)
    assert [event["name"] for event in bodies(http)] == ["go", "on"]
    assert "'go' was not delivered" in caplog.text
    assert outbox.health.refused == 1


def test_page_of_a_router_is_tried_again(outbox, http):
    http.routes["/api/event"] = in_turn(answer(b"<html>", content_type="text/html"), event_answer)
    assert outbox.send_event("go", 0).wait(LIMIT_S)
    assert len(set(raw_bodies(http))) == 1


@pytest.mark.parametrize("result", [None, [], "x", {"timestamp": "1"}, {"timestamp": True}, {"timestamp": 1.5}])
def test_answer_without_a_time_is_not_asked_again(outbox, http, result):
    http.routes["/api/event"] = answer_json(result)
    pending = outbox.send_event("go", 0)
    with pytest.raises(RemoteProtocolError, match="no timestamp"):
        pending.wait(LIMIT_S)
    assert pending.state is EventState.UNSURE
    assert len(bodies(http)) == 1


def test_device_that_comes_back(make_outbox):
    port = free_port()
    outbox = make_outbox(port)
    pending = outbox.send_event("go", 0)
    wait_until(lambda: outbox._trouble)
    assert pending.state is EventState.WAITING
    # The port is the one that refused until now.
    with FakeHttp(port=port, routes={"/api/event": event_answer}) as http:
        assert pending.wait(LIMIT_S).device_ns == OFFSET_NS
        assert bodies(http) == [{"name": "go", "timestamp": OFFSET_NS}]


def test_clock_that_is_not_ready_yet(make_outbox, http):
    is_ready = threading.Event()

    def offsets(host_ns):
        if not is_ready.is_set():
            raise ClockNotReadyError("no echo yet")
        return offset_at(host_ns)

    outbox = make_outbox(http.port, offsets=offsets)
    pending = outbox.send_event("go", 0)
    wait_until(lambda: isinstance(outbox._trouble, ClockNotReadyError))
    assert not bodies(http)
    is_ready.set()
    assert pending.wait(LIMIT_S)


# Without an answer


def test_lost_answer_is_repeated_the_same(outbox, http):
    http.routes["/api/event"] = in_turn(None, event_answer)
    pending = outbox.send_event("go", 0)
    assert pending.wait(LIMIT_S).device_ns == OFFSET_NS
    assert len(raw_bodies(http)) == 2
    assert len(set(raw_bodies(http))) == 1
    assert outbox.health.repeated == 1


def test_late_answer_is_repeated_the_same(make_outbox, http):
    http.routes["/api/event"] = in_turn(late(event_answer, 0.6), event_answer)
    outbox = make_outbox(http.port, 0.2)
    pending = outbox.send_event("go", 0)
    wait_until(lambda: pending.state is EventState.UNSURE)
    assert pending.wait(LIMIT_S)
    assert len(set(raw_bodies(http))) == 1


def test_word_of_the_websocket_settles_it(outbox, http):
    def lose(body):
        outbox.hear(DeviceEvent("go", 999, "other"))
        outbox.hear(DeviceEvent("other", OFFSET_NS, "other"))
        outbox.hear(DeviceEvent("go", OFFSET_NS, "r7"))

    http.routes["/api/event"] = lose
    assert outbox.send_event("go", 0).wait(LIMIT_S) == Event("go", OFFSET_NS, "r7", 0, BOUND_NS)
    assert len(bodies(http)) == 1
    assert outbox.health.repeated == 0


def test_word_about_another_event_settles_nothing(outbox, http):
    def lose(body):
        outbox.hear(DeviceEvent("other", OFFSET_NS, "r7"))

    http.routes["/api/event"] = in_turn(lose, event_answer)
    assert outbox.send_event("go", 0).wait(LIMIT_S).recording_id == "r1"
    assert len(bodies(http)) == 2


def test_event_that_the_device_stamps_is_not_repeated_when_unsure(outbox, http):
    http.routes["/api/event"] = in_turn(answer_json(None, 503), None, event_answer)
    pending = outbox.send_event("go", None)
    with pytest.raises(LinkError):
        pending.wait(LIMIT_S)
    assert pending.state is EventState.UNSURE
    assert len(bodies(http)) == 2, "503 certainly did not take it, the lost answer may have"


def test_event_that_never_gets_an_answer_does_not_block_the_others(outbox, http):
    """As one whose name makes the app stumble; the device itself is there."""
    http.routes["/api/event"] = lambda body: None if b"poison" in body else event_answer(body)
    pending, after = outbox.send_event("poison", 0), outbox.send_event("on", 0)
    assert after.wait(LIMIT_S)
    assert (pending.is_done, pending.state) == (True, EventState.UNSURE)
    assert len(bodies(http)) == 6
    assert outbox.health.unsure == 1


def test_device_that_answers_nothing_at_all_is_waited_for(outbox, http):
    http.routes["/api/status"] = answer_json(None, 503)
    http.routes["/api/event"] = in_turn(*[None] * 12, event_answer)
    assert outbox.send_event("go", 0).wait(LIMIT_S)
    assert len(bodies(http)) == 13


def test_result_does_not_wait_longer_than_told(outbox, http):
    http.routes["/api/event"] = late(event_answer, 0.3)
    pending = outbox.send_event("go", 0)
    assert not pending.is_done
    with pytest.raises(NeonTimeoutError, match=r"event 'go'.*still being delivered"):
        pending.wait(0.05)
    assert pending.wait(LIMIT_S).name == "go"


# Warnings


def test_no_recording_is_said_once_a_stretch(make_outbox, http, caplog):
    outbox = make_outbox(http.port, recording_id=None)
    outbox.send_event("a", 0)
    outbox.send_event("b", 0).wait(LIMIT_S)
    assert caplog.text.count("no recording runs") == 1
    outbox.board.note_recording("r1", "START")
    outbox.send_event("c", 0).wait(LIMIT_S)
    outbox.board.note_recording(None, "SAVE")
    http.routes["/api/event"] = answer_json({"timestamp": 3})
    assert outbox.send_event("d", 0).wait(LIMIT_S).recording_id is None
    assert caplog.text.count("no recording runs") == 2


def test_event_in_every_frame_is_said_once(outbox, caplog):
    frame_ns = 16_666_667
    for number in range(250):
        last = outbox.send_event("same", number * frame_ns)
    last.wait(LIMIT_S)
    assert caplog.text.count("is it sent in every frame?") == 1


def test_event_of_every_trial_is_not(outbox, caplog):
    for number in range(150):
        last = outbox.send_event("trial", number * 1_000_000_000)
    last.wait(LIMIT_S)
    assert "every frame" not in caplog.text


# The end


def test_close_sends_what_was_queued(crew, outbox, http):
    pending = [outbox.send_event(f"e{number}", 0) for number in range(100)]
    assert crew.close() == ()
    assert all(each.is_done and each.error is None for each in pending)
    assert len(bodies(http)) == 100


def test_close_gives_up_in_time_and_says_so_once(crew, make_outbox, caplog):
    outbox = make_outbox(free_port(), 0.5)
    pending = [outbox.send_event(f"e{number}", 0) for number in range(50)]
    assert crew.close() == (), "within its deadline"
    for each in pending:
        with pytest.raises(LinkError, match=r"before this Neon was closed .*refused"):
            each.wait(0)
        assert each.state is EventState.WAITING
    (farewell,) = [each.message for each in caplog.records if "could not be delivered" in each.message]
    assert farewell.startswith("50 event(s) could not be delivered to phone")
    assert "'e0' to 'e49'" in farewell
    assert "no journal was kept" in farewell


def test_close_in_the_middle_of_a_long_pause(crew, make_outbox, monkeypatch):
    monkeypatch.setattr("psychopy_neon.device.delivery.FIRST_PAUSE_S", 60.0)
    monkeypatch.setattr("psychopy_neon.device.delivery.MAX_PAUSE_S", 60.0)
    outbox = make_outbox(free_port(), 0.3)
    pending = outbox.send_event("go", 0)
    wait_until(lambda: outbox._trouble)
    assert crew.close() == ()
    assert isinstance(pending.error, LinkError)


def test_after_the_end_nothing_waits(crew, outbox):
    crew.close()
    with pytest.raises(LinkError, match="closed"):
        outbox.send_event("late", 0).wait(LIMIT_S)


def test_full_queue_refuses(make_outbox, http, monkeypatch, caplog):
    monkeypatch.setattr(outbox_module, "MAX_WAITING", 3)
    http.routes["/api/event"] = late(event_answer, 0.2)
    outbox = make_outbox(http.port)
    pending = [outbox.send_event(f"e{number}", 0) for number in range(8)]
    with pytest.raises(LinkError, match="3 requests wait already"):
        pending[-1].wait(0)
    assert pending[0].wait(LIMIT_S)
    assert outbox.health.dropped == 5
    assert caplog.text.count("3 events wait already") == 1


def test_callers_do_not_wait_for_a_worker_that_died(crew, make_outbox, http, monkeypatch):
    outbox = make_outbox(http.port)
    http.routes["/api/event"] = late(event_answer, 0.2)
    monkeypatch.setattr(outbox._events, "_read", lambda *_args: 1 / 0)
    pending = [outbox.send_event(f"e{number}", 0) for number in range(3)]
    for each in pending:
        with pytest.raises(NeonError, match="outbox worker failed: ZeroDivisionError"):
            each.wait(LIMIT_S)
    with pytest.raises(NeonError, match="outbox worker failed"):
        outbox.send_event("after", 0).wait(LIMIT_S)
    with pytest.raises(NeonError, match="outbox worker failed"):
        wait_until(lambda: crew.check() or False)


def test_garbage_instead_of_http_is_tried_again(make_outbox):
    def serve(connection, _number):
        read_head(connection, bytearray())
        connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

    with TcpFake(serve) as server:
        outbox = make_outbox(server.port)
        pending = outbox.send_event("go", 0)
        wait_until(lambda: server.count >= 3, LIMIT_S)
        assert (pending.is_done, pending.state) == (False, EventState.UNSURE)


def test_calls_return_at_once_whatever_the_device_does(make_outbox):
    with TcpFake(lambda connection, _number: connection.recv(1) and time.sleep(0.5)) as server:
        outbox = make_outbox(server.port, 0.5)
        outbox.send_event("first", 0)
        wait_until(lambda: server.count)
        thread = threading.Thread(target=lambda: [outbox.send_event("x", 0) for _ in range(1000)])
        thread.start()
        thread.join(LIMIT_S)
        assert not thread.is_alive()
        assert outbox.health.waiting == 1001

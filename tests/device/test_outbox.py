"""Events and recording commands, against a server written by hand."""

import json
import time

import pytest
from fakes import FakeHttp, TcpFake, answer, answer_json, free_port, late, read_head, wait_until

from psychopy_neon.device import outbox as outbox_module
from psychopy_neon.device.outbox import Outbox
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.transport import Peer
from psychopy_neon.errors import (
    LinkError,
    NeonError,
    NeonTimeoutError,
    RecordingRefusedError,
    RemoteProtocolError,
    RequestRefusedError,
)
from psychopy_neon.samples import Event


def event_answer(body):
    event = json.loads(body)
    return answer_json({"timestamp": event.get("timestamp", 77_000_000), "name": event["name"], "recording_id": "r1"})


@pytest.fixture
def http():
    with FakeHttp() as fake:
        fake.routes["/api/event"] = event_answer
        fake.routes["/api/recording:start"] = answer_json({"id": "r1"})
        fake.routes["/api/recording:stop_and_save"] = answer_json(None)
        fake.routes["/api/recording:cancel"] = answer_json(None)
        yield fake


@pytest.fixture
def make_outbox(crew, monkeypatch):
    monkeypatch.setattr(outbox_module, "RETRY_S", 0.01)

    def make(port, limit_s=2.0):
        outbox = Outbox(RestClient(Peer("phone", port, "127.0.0.1"), limit_s))
        crew.start("outbox", outbox.run)
        return outbox

    return make


@pytest.fixture
def outbox(make_outbox, http):
    return make_outbox(http.port)


def bodies(http):
    return [json.loads(body) for _, path, body in http.requests if path == "/api/event"]


def test_event_with_its_time(outbox, http):
    pending = outbox.send_event("go", 5, 123_456_789)
    assert pending.wait(5) == Event("go", 123_456_789, "r1")
    assert (pending.is_done, pending.error, pending.name, pending.host_ns) == (True, None, "go", 5)
    assert bodies(http) == [{"name": "go", "timestamp": 123_456_789}]


def test_event_that_the_device_stamps(outbox, http):
    pending = outbox.send_event("go", None, None)
    assert pending.wait(5) == Event("go", 77_000_000, "r1")
    assert pending.host_ns is None
    assert bodies(http) == [{"name": "go"}]


def test_name_of_any_characters(outbox, http):
    name = 'Zwölf "Boxkämpfer"\n☃\ud800'
    assert outbox.send_event(name, None, None).wait(5).name == name
    assert bodies(http) == [{"name": name}]


def test_recording(outbox, http):
    assert outbox.command("start").result(5) == "r1"
    assert outbox.command("stop_and_save").result(5) is None
    assert outbox.command("cancel").result(5) is None
    assert [path for _, path, _ in http.requests] == [
        "/api/recording:start",
        "/api/recording:stop_and_save",
        "/api/recording:cancel",
    ]


def test_order_is_that_of_the_calls(outbox, http):
    http.routes["/api/recording:start"] = late(lambda _body: answer_json({"id": "r1"}), 0.1)
    outbox.command("start")
    for number in range(5):
        outbox.send_event(f"e{number}", 0, number)
    outbox.command("stop_and_save").result(5)
    assert [path.rpartition("/")[2] for _, path, _ in http.requests] == [
        "recording:start",
        *["event"] * 5,
        "recording:stop_and_save",
    ]
    assert [event["name"] for event in bodies(http)] == [f"e{number}" for number in range(5)]


def test_burst_of_a_thousand(outbox, http):
    begin = time.monotonic()
    pending = [outbox.send_event(f"e{number}", 0, number) for number in range(1000)]
    assert time.monotonic() - begin < 1.0, "the calls do not wait"
    assert pending[-1].wait(30).device_ns == 999
    assert [event["timestamp"] for event in bodies(http)] == list(range(1000))
    assert all(each.is_done and each.error is None for each in pending)


def test_refusal_has_the_devices_reason(outbox, http):
    http.routes["/api/recording:start"] = answer_json(None, 500, "No template selected")
    with pytest.raises(RecordingRefusedError, match="No template selected") as caught:
        outbox.command("start").result(5)
    assert (caught.value.status, caught.value.method) == (500, "POST")
    assert outbox.failed == 1


def test_refused_event_is_no_refused_recording(outbox, http, caplog):
    http.routes["/api/event"] = answer_json(None, 400, "No")
    pending = outbox.send_event("go", 0, 1)
    with pytest.raises(RequestRefusedError) as caught:
        pending.wait(5)
    assert not isinstance(caught.value, RecordingRefusedError)
    assert pending.error is caught.value
    assert "go was not delivered" in caplog.text


@pytest.mark.parametrize("result", [None, [], "x", {"timestamp": "1"}, {"timestamp": True}, {"timestamp": 1.5}])
def test_answer_without_a_time(outbox, http, result):
    http.routes["/api/event"] = answer_json(result)
    with pytest.raises(RemoteProtocolError, match="no timestamp"):
        outbox.send_event("go", 0, 1).wait(5)


@pytest.mark.parametrize("result", [None, {}, {"id": 5}])
def test_answer_without_an_id(outbox, http, result):
    http.routes["/api/recording:start"] = answer_json(result)
    with pytest.raises(RemoteProtocolError, match="no id"):
        outbox.command("start").result(5)


def test_html_is_an_error_and_the_next_event_goes_on(outbox, http):
    http.routes["/api/event"] = answer(b"<html>", content_type="text/html")
    with pytest.raises(RemoteProtocolError):
        outbox.send_event("a", 0, 1).wait(5)
    http.routes["/api/event"] = event_answer
    assert outbox.send_event("b", 0, 2).wait(5).device_ns == 2


def test_event_without_a_recording(outbox, http):
    http.routes["/api/event"] = answer_json({"timestamp": 3})
    assert outbox.send_event("go", 0, 3).wait(5).recording_id is None


def test_device_that_is_gone_is_an_error(make_outbox):
    outbox = make_outbox(free_port())
    pending = [outbox.send_event(f"e{number}", 0, number) for number in range(3)]
    for each in pending:
        with pytest.raises(LinkError, match="refused"):
            each.wait(10)
    assert outbox.failed == 3


def test_sent_again_when_it_certainly_did_not_arrive(make_outbox):
    port = free_port()
    outbox = make_outbox(port)
    pending = outbox.send_event("go", 0, 1)
    # The device comes back; the port is the one that refused until now.
    with FakeHttp(port=port, routes={"/api/event": event_answer}) as http:
        assert pending.wait(5).device_ns == 1
        assert bodies(http) == [{"name": "go", "timestamp": 1}]


def test_not_repeated_when_the_answer_was_lost(make_outbox):
    def serve(connection, _number):
        read_head(connection, bytearray())

    with TcpFake(serve) as server:
        outbox = make_outbox(server.port)
        with pytest.raises(LinkError):
            outbox.send_event("go", 0, 1).wait(5)
        with pytest.raises(LinkError):
            outbox.send_event("on", 0, 1).wait(5)
        assert server.count == 2


def test_not_repeated_when_the_answer_is_late(make_outbox):
    def serve(connection, _number):
        while connection.recv(9999):
            pass

    with TcpFake(serve) as server:
        outbox = make_outbox(server.port, 0.2)
        with pytest.raises(NeonTimeoutError, match=r"nothing within 0\.2 s"):
            outbox.send_event("go", 0, 1).wait(5)
        assert server.count == 1


def test_result_does_not_wait_longer_than_told(outbox, http):
    http.routes["/api/event"] = late(event_answer, 0.3)
    pending = outbox.send_event("go", 0, 1)
    assert not pending.is_done
    with pytest.raises(NeonTimeoutError, match="event 'go'"):
        pending.wait(0.05)
    assert pending.wait(5).name == "go"


def test_close_sends_what_was_queued(crew, outbox, http):
    pending = [outbox.send_event(f"e{number}", 0, number) for number in range(200)]
    assert crew.close() == ()
    assert all(each.is_done and each.error is None for each in pending)
    assert len(bodies(http)) == 200


def test_close_gives_up_after_the_first_failure(crew, make_outbox, http):
    outbox = make_outbox(http.port, 0.3)
    http.routes["/api/event"] = late(event_answer, 0.6)
    pending = [outbox.send_event(f"e{number}", 0, number) for number in range(50)]
    begin = time.monotonic()
    assert crew.close() == ()
    assert time.monotonic() - begin < 3.0
    for each in pending:
        with pytest.raises(NeonError):
            each.wait(0)


def test_close_while_it_tries_again(crew, make_outbox, monkeypatch):
    monkeypatch.setattr(outbox_module, "RETRY_S", 30.0)
    outbox = make_outbox(free_port())
    pending = outbox.send_event("go", 0, 1)
    wait_until(lambda: outbox._last_failure is not None)
    begin = time.monotonic()
    assert crew.close() == ()
    assert time.monotonic() - begin < 3.0
    with pytest.raises(LinkError):
        pending.wait(0)


def test_full_queue_refuses(make_outbox, http, monkeypatch):
    monkeypatch.setattr(outbox_module, "MAX_WAITING", 3)
    http.routes["/api/event"] = late(event_answer, 0.2)
    outbox = make_outbox(http.port)
    pending = [outbox.send_event(f"e{number}", 0, number) for number in range(8)]
    with pytest.raises(LinkError, match="3 requests wait already"):
        pending[-1].wait(0)
    assert pending[0].wait(5).device_ns == 0

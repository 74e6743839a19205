"""The status kept fresh, against a REST and WebSocket server written by hand."""

import pytest
from fakes import LIMIT_S, FakeHttp, answer, component, frame, phone_components, sensor, wait_until

from psychopy_neon.device import status_feed
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.status_feed import StatusBoard, StatusFeed
from psychopy_neon.device.transport import Peer
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.wire.status import DeviceEvent, DeviceStatus, Recording, parse_status


@pytest.fixture
def http():
    with FakeHttp(phone_components(rtsp_port=8086)) as fake:
        yield fake


@pytest.fixture
def board():
    return StatusBoard(DeviceStatus(), 0)


@pytest.fixture
def feed(crew, http, board):
    heard = []
    rest = RestClient(Peer("127.0.0.1", http.port, "127.0.0.1"), 2.0)
    feed = StatusFeed(rest, board, HostClock(), heard.append)
    feed.heard = heard
    feed.worker = crew.start("status", feed.run)
    wait_until(lambda: http.websocket_count)
    return feed


def recording(action, recording_id="r1"):
    return component("Recording", id=recording_id, action=action, message="", rec_duration_ns=0)


@pytest.mark.usefixtures("feed")
def test_initial_burst(board):
    wait_until(lambda: board.status.sensor("world"))
    assert board.status.phone.device_name == "Fake phone"
    assert board.status.sensor("gaze").port == 8086
    assert board.trouble is None
    assert board.heard_ns > 0


@pytest.mark.usefixtures("feed")
def test_changes_are_taken(http, board):
    http.push(component("Phone", device_name="Fake phone", battery_level=7))
    wait_until(lambda: board.status.phone.battery_level == 7)
    http.push(sensor("gaze", 9999, connected=False))
    wait_until(lambda: board.status.sensor("gaze").port == 9999)
    assert not board.status.sensor("gaze").connected
    http.push(recording("START"))
    wait_until(lambda: board.status.is_recording)
    http.push(recording("SAVE"))
    wait_until(lambda: not board.status.is_recording)


@pytest.mark.usefixtures("feed")
@pytest.mark.parametrize(
    "data",
    [
        b'{"model": "Toaster", "data": {}}',
        b"garbage",
        b"",
        b"[]",
        b"null",
        b"[" * 60_000,
        b'{"model": "Sensor", "data": {"sensor": 5}}',
    ],
    ids=["model", "garbage", "empty", "list", "null", "deep", "fields"],
)
def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(http, board, data):
    wait_until(lambda: board.status.sensor("world"))
    http.push(data)
    http.push(component("Phone", device_name="still there"))
    wait_until(lambda: board.status.phone.device_name == "still there")
    assert board.status.unknown_count == 1


@pytest.mark.usefixtures("feed")
def test_text_that_is_no_utf8_ends_the_connection(http, board):
    """RFC 6455 section 8.1; then the status is read again."""
    http.push(b"\xff\xfe")
    wait_until(lambda: http.websocket_count == 2)
    assert board.status.unknown_count == 0


def test_events_are_handed_on_and_not_kept(http, board, feed):
    http.push(component("Event", name="x", timestamp=1))
    http.push(component("Event", name="x", timestamp=2**63 - 1, recording_id="r"))
    http.push(component("Phone", device_name="after"))
    wait_until(lambda: board.status.phone.device_name == "after")
    assert board.status.unknown_count == 0
    assert feed.heard == [DeviceEvent("x", 1), DeviceEvent("x", 2**63 - 1, "r")]


@pytest.mark.usefixtures("feed")
def test_other_frames_do_no_harm(http, board):
    socket = wait_until(lambda: http.sockets)[-1]
    socket.sendall(frame(b"ping", opcode=9) + frame(b"pong", opcode=10) + frame(b"\0\1", opcode=2))
    http.push(component("Phone", device_name="after"))
    wait_until(lambda: board.status.phone.device_name == "after")
    assert http.websocket_count == 1


@pytest.mark.usefixtures("feed")
def test_message_in_fragments(http, board):
    socket = wait_until(lambda: http.sockets)[-1]
    text = b'{"model": "Phone", "data": {"device_name": "pieces"}}'
    first, rest = frame(text[:20]), frame(text[20:], opcode=0)
    socket.sendall(bytes((first[0] & 0x7F,)) + first[1:])
    socket.sendall(rest[:3])
    socket.sendall(rest[3:])
    wait_until(lambda: board.status.phone.device_name == "pieces")


@pytest.mark.usefixtures("feed")
def test_broken_connection_is_made_again_and_the_whole_status_read(http, board):
    wait_until(lambda: board.status.sensor("world"))
    http.components = phone_components(rtsp_port=4711, name="Other")
    http.drop()
    wait_until(lambda: http.websocket_count == 2)
    assert [path for _, path, _ in http.requests] == ["/api/status"]
    wait_until(lambda: board.status.sensor("gaze").port == 4711)
    assert board.status.phone.device_name == "Other"
    assert board.trouble is None


@pytest.mark.usefixtures("feed")
def test_close_frame_is_answered_by_another_connection(http, board):
    wait_until(lambda: http.sockets)[-1].sendall(frame(b"\x03\xe8", opcode=8))
    wait_until(lambda: http.websocket_count == 2)


@pytest.mark.usefixtures("feed")
def test_trouble_is_told_and_ends(http, board):
    http.has_websocket = False
    http.routes["/api/status"] = answer(b"<html>", content_type="text/html")
    http.drop()
    wait_until(lambda: board.trouble)
    assert "HTML instead of JSON" in wait_until(lambda: "HTML" in (board.trouble or "") and board.trouble)
    del http.routes["/api/status"]
    http.has_websocket = True
    wait_until(lambda: board.trouble is None and http.websocket_count == 2)


@pytest.mark.usefixtures("feed")
def test_server_that_refuses_the_websocket(http, board):
    http.has_websocket = False
    http.drop()
    wait_until(lambda: http.count >= 4)
    wait_until(lambda: board.trouble)
    assert [path for _, path, _ in http.requests][:1] == ["/api/status"]


def test_pings_keep_a_silent_server_alive(crew, http, board, monkeypatch):
    monkeypatch.setattr(status_feed, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(status_feed, "SILENCE_LIMIT_NS", 200_000_000)
    crew.start("status", StatusFeed(RestClient(Peer("x", http.port, "127.0.0.1"), 2.0), board, HostClock()).run)
    wait_until(lambda: board.status.sensor("world"))
    for _ in range(3):
        seen = board.heard_ns
        wait_until(lambda seen=seen: board.heard_ns > seen)
    assert http.websocket_count == 1
    http.is_answering_pings = False
    wait_until(lambda: http.websocket_count >= 2)


def test_ends_at_once(feed):
    feed.worker.stop.set()
    assert feed.worker.join(LIMIT_S / 2)


def test_ends_while_the_handshake_waits(crew, http, board, monkeypatch):
    monkeypatch.setattr(status_feed, "CONNECT_LIMIT_S", 0.3)
    http._websocket = lambda connection, _key: connection.recv(10)
    worker = crew.start(
        "status", StatusFeed(RestClient(Peer("x", http.port, "127.0.0.1"), 2.0), board, HostClock()).run
    )
    wait_until(lambda: http.count)
    worker.stop.set()
    assert worker.join(LIMIT_S)


# The board alone


def test_recording_that_only_the_websocket_told_is_kept():
    board = StatusBoard(DeviceStatus(recording=Recording("r1", "SAVE")), 0)
    board.replace(parse_status(phone_components()))
    assert board.status.recording == Recording("r1", "SAVE")
    assert board.status.phone.device_name == "Fake phone"


def test_recording_that_rest_told():
    board = StatusBoard(DeviceStatus(), 0)
    assert board.recording_id is None
    board.note_recording("r1", "START")
    assert (board.recording_id, board.status.is_recording) == ("r1", True)
    board.note_recording(None, "SAVE")
    assert (board.recording_id, board.status.recording) == (None, Recording("r1", "SAVE"))


def test_apply():
    board = StatusBoard(DeviceStatus(), 0)
    board.apply(lambda status: status.updated(Recording("r", "START")))
    assert board.status.is_recording


@pytest.mark.usefixtures("feed")
def test_recording_that_ended_while_nobody_listened(http, board):
    http.push(recording("START"))
    wait_until(lambda: board.status.is_recording)
    http.drop()
    wait_until(lambda: http.websocket_count == 2)
    wait_until(lambda: not board.status.is_recording)

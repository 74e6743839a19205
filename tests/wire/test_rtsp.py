"""RTSP messages: written from RFC 2326's text, whole, byte by byte, cut at every length, and between garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.wire.rtsp import Headers, InterleavedFrame, RtspParser, RtspRequest, RtspResponse

OPTIONS = (
    b"OPTIONS rtsp://192.168.1.23:8086/?camera=gaze&audioenable=on RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: other/1.4\r\n\r\n"
)
REPLY = b"RTSP/1.0 200 OK\r\nServer: Pupil Invisible RTSP Server\r\nCseq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
FRAME = bytes.fromhex("24000015 80e3001000015f90aabbccdd 4448000044160000ff")


def feed_bytewise(data: bytes) -> tuple[list[object], RtspParser]:
    parser = RtspParser()
    return [message for byte in data for message in parser.feed(bytes([byte]))], parser


@pytest.mark.parametrize("bytewise", [False, True])
def test_reads_requests_responses_and_frames_in_one_flow(bytewise):
    data = OPTIONS + FRAME + REPLY + FRAME
    parser = RtspParser()
    messages, parser = feed_bytewise(data) if bytewise else (parser.feed(data), parser)
    request, first, response, second = messages
    assert (request.method, request.url) == ("OPTIONS", "rtsp://192.168.1.23:8086/?camera=gaze&audioenable=on")
    assert request.headers["cseq"] == "1"
    assert first == second == InterleavedFrame(0, FRAME[4:])
    assert (response.status, response.reason, response.body) == (200, "OK", b"v=0\r\n")
    assert response.headers["CSeq"] == "2"
    assert parser.skipped_bytes == 0


@pytest.mark.parametrize("message", [OPTIONS, REPLY, FRAME])
def test_a_cut_message_waits_for_its_rest(message):
    for cut in range(len(message)):
        parser = RtspParser()
        assert parser.feed(message[:cut]) == []
        assert len(parser.feed(message[cut:])) == 1
        assert parser.skipped_bytes == 0


def test_line_feeds_alone_folded_fields_and_repeated_fields():
    (reply,) = RtspParser().feed(b"RTSP/1.0 200 \nPublic: SETUP,\n PLAY\nX: a\nX: b\nnonsense\n\n")
    assert reply.headers["public"] == "SETUP, PLAY"
    assert reply.headers["x"] == "a, b"
    assert reply.reason == ""


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01\xff", b"\r\n\r\n", b"hello RTS", b"$\xff\x00\x00", b"<html>\n\n", b"ABCD\x80"]
)
def test_finds_the_way_back_after_garbage(garbage):
    for data in (garbage + REPLY + FRAME,):
        messages, parser = feed_bytewise(data)
        assert [type(message) for message in messages] == [RtspResponse, InterleavedFrame]
        assert parser.skipped_bytes == len(garbage)
        assert [type(message) for message in RtspParser().feed(data)] == [RtspResponse, InterleavedFrame]


def test_too_long_heads_and_bodies_are_refused():
    with pytest.raises(RemoteProtocolError, match="head"):
        RtspParser().feed(b"OPTIONS " + b"x" * 70_000)
    with pytest.raises(RemoteProtocolError, match="body"):
        RtspParser().feed(b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n")


def test_writes_what_it_reads():
    request = RtspRequest("SETUP", "rtsp://h/", Headers({"CSeq": "3", "Transport": "RTP/AVP;unicast"}))
    assert bytes(request) == b"SETUP rtsp://h/ RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP;unicast\r\n\r\n"
    response = RtspResponse(200, "OK", Headers({"Cseq": "2"}), b"v=0")
    assert bytes(response) == b"RTSP/1.0 200 OK\r\nCseq: 2\r\nContent-Length: 3\r\n\r\nv=0"
    assert RtspParser().feed(bytes(response))[0].body == b"v=0"
    assert bytes(InterleavedFrame(0, FRAME[4:])) == FRAME


def test_a_line_break_cannot_be_smuggled_into_a_header():
    with pytest.raises(LocalProtocolError):
        bytes(RtspRequest("PLAY", "rtsp://h/", Headers({"Session": "a\r\nX: y"})))


def test_headers_are_a_case_insensitive_mapping():
    headers = Headers({"Cseq": "1"})
    headers["CSEQ"] = "2"
    assert dict(headers) == {"CSEQ": "2"}
    del headers["cseq"]
    assert len(headers) == 0


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_in_any_pieces_are_survived(data, size):
    parser = RtspParser()
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
    assert parser.skipped_bytes <= len(data)

"""The dialogue, against answers like the phone's and against answers that are legal but unlike the phone's."""

import pytest

from psychopy_neon.errors import RemoteProtocolError, RequestRefusedError
from psychopy_neon.wire.rtsp import Headers, RtspResponse
from psychopy_neon.wire.rtsp_session import ClientDialogue

URL = "rtsp://10.9.8.7:8086/?camera=gaze&audioenable=on"
GAZE_SDP = (
    b"v=0\r\no=- 0 0 IN IP4 192.168.1.23\r\ns=Unnamed\r\nm=application 5006 RTP/AVP 99\r\n"
    b"a=rtpmap:99 com.pupillabs.gaze1/90000\r\na=control:trackID=1\r\n"
)
WORLD_SDP = (
    b"v=0\nm=audio 5004 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/8000\na=control:trackID=0\n"
    b"m=video 5006 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:trackID=1\n"
)


def reply(request, body=b"", status=200, reason="OK", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return RtspResponse(status, reason, Headers({"Cseq": request.headers["CSeq"], **fields}), body)


def play(dialogue, sdp, base="rtsp://192.168.1.23:8086/", public="DESCRIBE,SETUP,TEARDOWN,PLAY,PAUSE", **setup):
    requests = [dialogue.start()]
    requests.append(dialogue.receive(reply(requests[-1], Public=public)))
    requests.append(dialogue.receive(reply(requests[-1], sdp, **({"Content_Base": base} if base else {}))))
    setup = {"Transport": "RTP/AVP/UDP;unicast;server_port=40000-40001", "Session": "1185d20035702ca", **setup}
    requests.append(dialogue.receive(reply(requests[-1], **setup)))
    assert dialogue.receive(reply(requests[-1])) is None
    assert dialogue.is_playing
    return requests


def test_the_phones_session():
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    options, describe, setup, play_request = play(dialogue, GAZE_SDP)
    assert (options.method, options.url) == ("OPTIONS", URL)
    assert (describe.method, describe.url, describe.headers["Accept"]) == ("DESCRIBE", URL, "application/sdp")
    # The description names the address that the phone believes to have; requests keep the user's.
    assert (setup.method, setup.url) == ("SETUP", "rtsp://10.9.8.7:8086/trackID=1")
    assert setup.headers["Transport"] == "RTP/AVP;unicast;client_port=5000-5001"
    assert (play_request.method, play_request.url) == ("PLAY", "rtsp://10.9.8.7:8086/")
    assert play_request.headers["Session"] == "1185d20035702ca"
    assert [request.headers["CSeq"] for request in (options, describe, setup, play_request)] == ["1", "2", "3", "4"]
    assert dialogue.server_ports == (40000, 40001)
    assert dialogue.clock_hz == 90000
    assert dialogue.keep_alive() is None  # the phone offers nothing that could keep it
    assert dialogue.teardown().headers["Session"] == "1185d20035702ca"


def test_the_first_video_is_set_up_for_scene():
    dialogue = ClientDialogue(URL, (5000, 5001), "video", "test")
    requests = play(dialogue, WORLD_SDP)
    assert requests[2].url == "rtsp://10.9.8.7:8086/trackID=1"
    assert dialogue.media.payload_types == (96,)


@pytest.mark.parametrize(
    ("base", "control", "setup_url"),
    [
        ("192.168.1.23:8086/", b"trackID=1", "rtsp://10.9.8.7:8086/trackID=1"),
        (None, b"trackID=1", URL + "/trackID=1"),
        ("rtsp://other/live", b"*", "rtsp://10.9.8.7:8086/live"),
        ("rtsp://other/live", b"rtsp://third:99/live/gaze", "rtsp://10.9.8.7:8086/live/gaze"),
        ("rtsp://other/live/", b"/gaze", "rtsp://10.9.8.7:8086/live/gaze"),
    ],
)
def test_control_urls(base, control, setup_url):
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    assert play(dialogue, GAZE_SDP.replace(b"trackID=1", control), base)[2].url == setup_url


def test_session_timeout_and_keep_alive():
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    play(
        dialogue,
        GAZE_SDP,
        public="OPTIONS, GET_PARAMETER",
        Session="abc; timeout=20",
        Transport="RTP/AVP;server_port=7000",
    )
    assert dialogue.timeout_s == 20
    assert dialogue.server_ports == (7000, 7001)
    request = dialogue.keep_alive()
    assert request.method == "GET_PARAMETER"
    assert dialogue.receive(reply(request, status=454, reason="Session Not Found")) is None


def test_a_server_without_options_is_still_asked():
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    describe = dialogue.receive(reply(dialogue.start(), status=501, reason="Not Implemented"))
    assert describe.method == "DESCRIBE"


def test_a_refusal_is_raised_with_the_servers_words_even_without_cseq():
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    dialogue.receive(reply(dialogue.start()))
    with pytest.raises(RequestRefusedError, match="Bad Request") as caught:
        dialogue.receive(RtspResponse(400, "Bad Request", Headers()))
    assert (caught.value.method, caught.value.status) == ("DESCRIBE", 400)


def test_an_answer_to_nothing_is_ignored():
    dialogue = ClientDialogue(URL, (5000, 5001), "application", "test")
    request = dialogue.start()
    assert dialogue.receive(RtspResponse(200, "OK", Headers({"CSeq": "77"}))) is None
    assert dialogue.receive(reply(request)).method == "DESCRIBE"
    assert dialogue.receive(reply(request)) is None


@pytest.mark.parametrize(
    ("kind", "sdp", "rule"),
    [
        ("video", GAZE_SDP, "no video"),
        ("application", GAZE_SDP.replace(b"a=rtpmap", b"a=other"), "no rtpmap"),
        ("application", b"<html>", "no m= line"),
    ],
)
def test_descriptions_that_lack_what_is_needed(kind, sdp, rule):
    dialogue = ClientDialogue(URL, (5000, 5001), kind, "test")
    describe = dialogue.receive(reply(dialogue.start()))
    with pytest.raises(RemoteProtocolError, match=rule):
        dialogue.receive(reply(describe, sdp))

"""Session descriptions as phones and other servers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.wire.sdp import Media, RtpMap, SessionDescription

GAZE = """v=0
o=- 0 0 IN IP4 192.168.1.23
s=Unnamed
i=N/A
c=IN IP4 192.168.1.50
t=0 0
a=recvonly
m=application 5006 RTP/AVP 99
a=rtpmap:99 com.pupillabs.gaze1/90000
a=control:trackID=1
"""
WORLD = """v=0
o=- 0 0 IN IP4 192.168.1.23
s=Unnamed
t=0 0
a=control:*
m=audio 5004 RTP/AVP 97
a=rtpmap:97 mpeg4-generic/8000/1
a=fmtp:97 streamtype=5; profile-level-id=15; mode=AAC-hbr; config=1588; SizeLength=13;
a=control:trackID=0
m=video 5006/2 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42c028;sprop-parameter-sets=Z0LAKNoBkAl6EAAAAwAQAAADA8jxgyo=,aM4PyA==;
a=control:trackID=1
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_gaze_description_of_a_phone(line_end):
    session = SessionDescription.parse(GAZE.replace("\n", line_end).encode())

    assert session.media == (
        Media("application", 5006, (99,), {99: RtpMap("com.pupillabs.gaze1", 90000)}, {}, "trackID=1"),
    )
    assert (session.origin_host, session.connection_host, session.skipped) == ("192.168.1.23", "192.168.1.50", 0)


def test_video_beside_audio():
    audio, video = SessionDescription.parse(WORLD).media

    assert audio.rtpmaps[97] == RtpMap("mpeg4-generic", 8000, 1)
    assert audio.fmtp[97]["config"] == "1588"
    assert audio.fmtp[97]["sizelength"] == "13"
    assert (video.kind, video.port, video.control) == ("video", 5006, "trackID=1")
    assert video.fmtp[96]["sprop-parameter-sets"] == "Z0LAKNoBkAl6EAAAAwAQAAADA8jxgyo=,aM4PyA=="


def test_unknown_media_keep_their_own_attributes():
    session = SessionDescription.parse(GAZE + "m=data 1 RTP/AVP 120\na=rtpmap:120 x/1000\n")

    assert [media.kind for media in session.media] == ["application", "data"]
    assert session.media[0].rtpmaps[99].clock_hz == 90000
    assert session.media[1].rtpmaps[120].clock_hz == 1000


@pytest.mark.parametrize(
    "line", ["a=rtpmap:99", "a=rtpmap:x y/z", "a=rtpmap:99 gaze/0", "a=fmtp:99", "nonsense", "m=video"]
)
def test_a_broken_line_is_counted_and_left_out(line):
    session = SessionDescription.parse(GAZE + line + "\n")

    assert session.skipped == 1
    assert session.media == SessionDescription.parse(GAZE).media


@pytest.mark.parametrize("text", ["", "v=0\r\n", "<html></html>", "m=video 1 RTP/AVP 96\n" * 4000])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(RemoteProtocolError):
        SessionDescription.parse(text)


@pytest.mark.parametrize("text", [GAZE, WORLD])
def test_what_is_written_reads_as_the_same(text):
    session = SessionDescription.parse(text)

    assert SessionDescription.parse(str(session)) == session


@given(st.text(max_size=300))
def test_hostile_text_raises_nothing_but_the_one_error(text):
    try:
        SessionDescription.parse("m=video 0 RTP/AVP 96\n" + text)
        SessionDescription.parse(text)
    except RemoteProtocolError:
        return

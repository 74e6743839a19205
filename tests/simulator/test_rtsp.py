"""RTSP by hand-written requests."""

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

from .conftest import LIMIT_S, RawRtsp, UdpPair, rtsp_port, server_ports


@pytest.fixture
def client(sim: SimulatedNeon) -> Iterator[RawRtsp]:
    raw = RawRtsp(sim, "gaze")
    yield raw
    raw.close()


@pytest.fixture
def sockets() -> Iterator[UdpPair]:
    pair = UdpPair()
    yield pair
    pair.close()


def test_the_whole_dialogue_over_udp(sim: SimulatedNeon, client: RawRtsp, sockets: UdpPair) -> None:
    status, headers, _ = client.ask("OPTIONS")
    assert (status, headers["public"]) == (200, "DESCRIBE,SETUP,TEARDOWN,PLAY,PAUSE")
    status, headers, sdp = client.ask("DESCRIBE", Accept="application/sdp")
    assert (status, headers["content-type"], headers["content-base"]) == (200, "application/sdp", client.base)
    assert "m=application 5006 RTP/AVP 99\r\na=rtpmap:99 com.pupillabs.gaze1/90000\r\na=control:trackID=1\r\n" in sdp
    status, headers, _ = client.ask("SETUP", client.base, Transport=sockets.transport)
    assert status == 200
    assert f"client_port={sockets.port}-{sockets.port + 1}" in headers["transport"]
    rtp_port, rtcp_port = server_ports(headers["transport"])
    assert (rtp_port % 2, rtcp_port) == (0, rtp_port + 1)
    session = headers["session"]
    # What clients send to open their firewalls is noise to the phone.
    for _ in range(5):
        sockets.rtp.sendto(b"\xff" * 200, ("127.0.0.1", rtp_port))
        sockets.rtcp.sendto(b"\x00" * 200, ("127.0.0.1", rtcp_port))
    status, headers, _ = client.ask("PLAY", client.base, Session=session, Range="npt=now-")
    assert status == 200
    assert headers["session"] == session
    assert sockets.rtcp.recv(2048)[1] == 200, "the sender report"
    assert sockets.rtp.recv(2048)[1] & 0x7F == 99
    assert client.ask("GET_PARAMETER", client.base, Session=session)[0] == 200
    assert client.ask("TEARDOWN", client.base, Session=session)[0] == 200
    sim.truth.wait("session", 2)
    assert is_silent(sockets.rtp)


def test_the_reply_names_the_same_source_as_the_packets(client: RawRtsp, sockets: UdpPair) -> None:
    client.ask("DESCRIBE")
    transport = client.ask("SETUP", client.base, Transport=sockets.transport)[1]["transport"]
    assert f"ssrc={sockets.rtp.recv(2048)[8:12].hex()}" in transport


def test_interleaved_frames_begin_after_the_reply(client: RawRtsp) -> None:
    client.ask("DESCRIBE")
    status, headers, _ = client.ask("SETUP", client.base, Transport="RTP/AVP/TCP;unicast;interleaved=2-3")
    assert status == 200
    assert "interleaved=2-3" in headers["transport"]
    frames = [client.frame() for _ in range(6)]
    assert [channel for channel, _ in frames] == [3, 2, 2, 2, 2, 2], "a report, then gaze"
    client.socket.sendall(b"$\x03\x00\x04\x81\xc9\x00\x00")
    assert client.ask("GET_PARAMETER", client.base)[0] == 200


def test_a_reply_may_leave_the_channels_out() -> None:
    with SimulatedNeon(SimulatorSettings(echo_interleaved=False)) as sim:
        client = RawRtsp(sim, "gaze")
        client.ask("DESCRIBE")
        _, headers, _ = client.ask("SETUP", client.base, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        assert "interleaved" not in headers["transport"]
        assert client.frame()[0] == 1
        client.close()


def test_media_may_wait_for_play_and_pause(sockets: UdpPair) -> None:
    with SimulatedNeon(SimulatorSettings(media_start="play")) as sim:
        client = RawRtsp(sim, "gaze")
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport=sockets.transport)
        assert is_silent(sockets.rtp)
        client.ask("PLAY", client.base)
        assert sockets.rtp.recv(2048)
        assert client.ask("PAUSE", client.base)[0] == 200
        assert is_silent(sockets.rtp)
        client.ask("PLAY", client.base)
        assert sockets.rtp.recv(2048)
        client.close()


def test_closing_the_connection_ends_the_media(sim: SimulatedNeon, client: RawRtsp, sockets: UdpPair) -> None:
    client.ask("DESCRIBE")
    client.ask("SETUP", client.base, Transport=sockets.transport)
    assert sockets.rtp.recv(2048)
    client.close()
    sim.truth.wait("session", 2)
    assert is_silent(sockets.rtp)


def test_requests_out_of_turn(client: RawRtsp) -> None:
    assert client.ask("SETUP", client.base, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")[0] == 455
    assert client.ask("PLAY", client.base)[0] == 455
    assert client.ask("PAUSE", client.base)[0] == 455
    assert client.ask("DESCRIBE", client.url.replace("gaze", "ears"))[0] == 404
    assert client.ask("DESCRIBE", client.base)[0] == 404
    assert client.ask("RECORD", client.base)[0] == 400
    client.ask("DESCRIBE")
    for transport in ("RTP/AVP;multicast", "RTP/AVP;unicast;client_port=0-1", "RTP/AVP/TCP;interleaved=300-301"):
        assert client.ask("SETUP", client.base, Transport=transport)[0] == 461
    assert client.ask("SETUP", client.base)[0] == 461


def test_a_request_in_pieces(sim: SimulatedNeon) -> None:
    with socket.create_connection(("127.0.0.1", rtsp_port(sim)), LIMIT_S) as raw:
        for byte in b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\n\r\n":
            raw.sendall(bytes((byte,)))
        assert b"Cseq: 9\r\n" in raw.recv(4096)


def test_what_is_no_rtsp_ends_the_connection(sim: SimulatedNeon) -> None:
    with socket.create_connection(("127.0.0.1", rtsp_port(sim)), LIMIT_S) as raw:
        raw.sendall(b"OPTIONS " + b"x" * 70_000)
        assert raw.recv(4096) == b""


def test_sessions_differ_and_dropping_ends_them_all(sim: SimulatedNeon) -> None:
    clients = [RawRtsp(sim, "gaze") for _ in range(2)]
    sources = set()
    for client in clients:
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        sources.add(client.frame()[1][4:8])
    assert len(sources) == 2
    sim.drop_streams()
    for client in clients:
        while client.socket.recv(65536):
            pass
        client.close()
    sim.truth.wait("session", 4)


def test_a_muted_stream_is_silent_and_speaks_again(sim: SimulatedNeon, client: RawRtsp, sockets: UdpPair) -> None:
    client.ask("DESCRIBE")
    client.ask("SETUP", client.base, Transport=sockets.transport)
    assert sockets.rtp.recv(2048)
    sim.mute("gaze", True)
    assert is_silent(sockets.rtp)
    sim.mute("gaze", False)
    assert sockets.rtp.recv(2048)


def test_an_unplugged_sensor_cannot_be_described(sim: SimulatedNeon, client: RawRtsp) -> None:
    assert client.ask("DESCRIBE")[0] == 200
    sim.set_sensor("gaze", connected=False)
    assert client.socket.recv(4096) == b"", "its connections are cut"
    again = RawRtsp(sim, "gaze")
    assert again.ask("DESCRIBE")[0] == 404
    again.close()


def test_reports_keep_coming(sockets: UdpPair) -> None:
    with SimulatedNeon(SimulatorSettings(report_interval_s=0.05)) as sim:
        client = RawRtsp(sim, "gaze")
        client.ask("DESCRIBE")
        client.ask("SETUP", client.base, Transport=sockets.transport)
        reports = [sockets.rtcp.recv(2048) for _ in range(4)]
        client.close()
    counts = [struct.unpack_from("!I", report, 20)[0] for report in reports]
    assert counts[0] == 0
    assert counts == sorted(set(counts))


def is_silent(receiver: socket.socket) -> bool:
    """Whether nothing comes for 60 ms, once what is on its way has been read."""
    time.sleep(0.03)
    receiver.setblocking(False)
    try:
        while True:
            receiver.recv(4096)
    except BlockingIOError:
        pass
    receiver.settimeout(0.06)
    try:
        receiver.recv(4096)
    except TimeoutError:
        return True
    finally:
        receiver.settimeout(LIMIT_S)
    return False

"""One session, against a server written by hand in the habits of the phone's library."""

import re
import threading

import pytest
from datagrams import Offsets, gaze, rtp, sender_report
from fakes import LIMIT_S, FakeRtsp, TcpFake, free_port, wait_until

from psychopy_neon.device import rtsp_link
from psychopy_neon.device.pipeline import GazeLine
from psychopy_neon.device.rtsp_link import RtspLink
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import NeonError
from psychopy_neon.timing.host_clock import HostClock

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


class Running:
    """A link in a thread: the samples, and how it ended."""

    def __init__(self, port, is_pumped=False):
        self.samples = []
        self.stop = StopSignal()
        self.ended = None
        url = f"rtsp://127.0.0.1:{port}/?camera=gaze&audioenable=on"
        self.link = RtspLink("127.0.0.1", port, url, "application", self.make_line, HostClock().now_ns, is_pumped)
        self.thread = threading.Thread(target=self.run, name="psychopy-neon:test")
        self.thread.start()

    def make_line(self, media, clock_hz):
        return GazeLine(media, clock_hz, Offsets(), self.samples.append)

    def run(self):
        try:
            self.ended = self.link.run(self.stop)
        except NeonError as error:
            self.ended = f"{type(error).__name__}: {error}"

    def cause(self, limit_s=LIMIT_S):
        self.thread.join(limit_s)
        assert not self.thread.is_alive(), "the session did not end"
        return self.ended

    def close(self):
        self.stop.set()
        self.thread.join(LIMIT_S)
        self.stop.close()


@pytest.fixture
def server():
    with FakeRtsp() as fake:
        yield fake


@pytest.fixture
def run():
    running = []

    def start(port, is_pumped=False):
        running.append(Running(port, is_pumped))
        return running[-1]

    yield start
    for each in running:
        each.close()


def play(session, count=20, begin=0):
    session.send_rtcp(sender_report(T0, 0))
    for n in range(begin, begin + count):
        session.send_rtp(rtp(n, n * 450, gaze(n)))


@pytest.mark.parametrize("is_pumped", [False, True])
def test_session_like_the_phones(server, run, is_pumped):
    running = run(server.port, is_pumped)
    session = server.session(0)
    play(session)
    wait_until(lambda: len(running.samples) == 20)
    assert [sample.x for sample in running.samples] == list(range(20))
    # The report may overtake or be overtaken; the times are the same.
    assert [sample.device_ns for sample in running.samples] == [T0 + n * 5 * MS for n in range(20)]
    running.stop.set()
    assert running.cause() == "closed by this program"
    methods = [method for method, _, _ in wait_until(lambda: len(server.requests) == 5 and server.requests)]
    assert methods == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    ports = [int(port) for port in re.search(r"client_port=(\d+)-(\d+)", server.requests[2][2]).groups()]
    assert ports[0] % 2 == 0
    assert ports[1] == ports[0] + 1
    # Every URL names the server that is connected to, whatever Content-Base says.
    assert all(f"//127.0.0.1:{server.port}/" in url for _, url, _ in server.requests)


def test_way_back_is_opened_and_reports_are_sent(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "REPORT_EVERY_NS", 20 * MS)
    run(server.port)
    session = server.session(0)
    assert len(session.sender.recv(2000)) == 200
    play(session)
    for _ in range(10):
        report = session.reporter.recv(2000)
        if len(report) != 200:  # what opens the way back is noise of that length
            break
    assert report[:2] == b"\x81\xc9"


def test_keep_alive_when_the_server_offers_it(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "REPORT_EVERY_NS", 10 * MS)
    server.answers["OPTIONS"] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, GET_PARAMETER\r\n\r\n"
    run(server.port)
    play(server.session(0))
    wait_until(lambda: server.requests[-1][0] == "GET_PARAMETER")
    assert "Session: abc" in server.requests[-1][2]


@pytest.mark.parametrize(
    ("method", "answer", "words"),
    [
        ("DESCRIBE", b"RTSP/1.0 404 Not Found\r\n\r\n", "RequestRefusedError.*DESCRIBE.*404.*Not Found"),
        ("SETUP", b"RTSP/1.0 461 Unsupported Transport\r\n\r\n", "RequestRefusedError.*SETUP.*461"),
        ("PLAY", b"RTSP/1.0 454 Session Not Found\r\n\r\n", "RequestRefusedError.*PLAY.*454.*Session Not Found"),
        ("DESCRIBE", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n", "RemoteProtocolError.*SDP"),
        ("DESCRIBE", b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nv=0", "RemoteProtocolError.*SDP.*m= line"),
        ("OPTIONS", b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", "RemoteProtocolError.*longer than"),
        ("OPTIONS", b"\xffgarbage\n" * 2000, "garbage instead of RTSP"),
        ("OPTIONS", b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n" * 200, "garbage instead of RTSP"),
        ("OPTIONS", b"RTSP/1.0 " + b"x" * 70_000, "RemoteProtocolError.*longer than|garbage"),
    ],
)
def test_refusals_and_garbage_end_with_their_cause(server, run, method, answer, words):
    server.answers[method] = answer
    cause = run(server.port).cause()
    assert re.search(words, cause), cause


def test_options_may_be_refused(server, run):
    server.answers["OPTIONS"] = b"RTSP/1.0 400 Bad Request\r\n\r\n"
    running = run(server.port)
    play(server.session(0))
    wait_until(lambda: running.samples)


def test_garbage_between_the_answers_is_skipped(server, run):
    server.greeting = b"hello?\r\n"
    server.answers["OPTIONS"] = (
        b"$\x00\x00\x04abcdsome text\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"
    )
    running = run(server.port)
    play(server.session(0))
    wait_until(lambda: running.samples)
    # The server's own request is answered with its number.
    assert server.replies[0].startswith("RTSP/1.0 551 ")
    assert "CSeq: 7" in server.replies[0]
    assert running.link.line.malformed == 0


@pytest.mark.parametrize("method", ["OPTIONS", "PLAY"])
def test_no_answer(server, run, monkeypatch, method):
    monkeypatch.setattr(rtsp_link, "HANDSHAKE_LIMIT_NS", 100 * MS)
    server.answers[method] = None
    assert run(server.port).cause() == "the device did not answer the RTSP requests in time"


def test_no_packet_after_play(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "FIRST_PACKET_LIMIT_NS", 100 * MS)
    cause = run(server.port).cause()
    assert "no packet came after PLAY" in cause
    assert "firewall" in cause


def test_silence(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "SILENCE_LIMIT_NS", 200 * MS)
    running = run(server.port)
    play(server.session(0))
    assert re.fullmatch(r"silent for 0\.\d s", running.cause())
    assert len(running.samples) == 20


def test_packets_without_a_report(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "FIRST_REPORT_LIMIT_NS", 100 * MS)
    running = run(server.port)
    session = server.session(0)
    session.send_rtp(*(rtp(n, n * 450, gaze(n)) for n in range(5)))
    assert "no sender report" in running.cause()
    assert running.samples == []


def test_connection_closed_by_the_server(server, run):
    running = run(server.port)
    session = server.session(0)
    play(session)
    wait_until(lambda: len(running.samples) == 20)
    session.cut()
    assert running.cause() == "the device closed the RTSP connection"


def test_connection_closed_at_once(run):
    with TcpFake(lambda connection, _number: connection.recv(1)) as server:
        assert re.search("closed|lost", run(server.port).cause())


def test_closed_port(run):
    assert "LinkError" in run(free_port()).cause()


@pytest.mark.parametrize("is_pumped", [False, True])
def test_garbage_datagrams_are_counted(server, run, is_pumped):
    running = run(server.port, is_pumped)
    session = server.session(0)
    session.send_rtp(b"", b"nonsense", rtp(1, 1, gaze(1), payload_type=5), bytes(4000))
    session.send_rtcp(b"nonsense")
    play(session)
    wait_until(lambda: len(running.samples) == 20)
    wait_until(lambda: running.link.line.malformed == 5)
    assert running.link.line.counts.received == 20


@pytest.mark.parametrize("is_pumped", [False, True])
def test_lost_packet_is_given_up_without_another_one_coming(server, run, is_pumped):
    running = run(server.port, is_pumped)
    session = server.session(0)
    play(session, 5)
    session.send_rtp(rtp(7, 7 * 450, gaze(7)))
    wait_until(lambda: [sample.x for sample in running.samples] == [0, 1, 2, 3, 4, 7])
    assert running.link.line.counts.lost == 2


def test_stop_at_any_moment(server, run):
    server.answers["DESCRIBE"] = None
    running = run(server.port)
    wait_until(lambda: len(server.requests) == 2)
    running.stop.set()
    assert running.cause(1.0) == "closed by this program"


def test_whoever_pumps_reads_at_once_and_may_wait_for_a_packet(server, run, monkeypatch):
    monkeypatch.setattr(rtsp_link, "ATTEND_OFTEN_S", 60.0)  # nobody else reads
    running = run(server.port, is_pumped=True)
    session = server.session(0)
    wait_until(lambda: running.link.pump_one(0.01))
    session.send_rtp(rtp(0, 0, gaze(0)))
    session.send_rtp(rtp(1, 450, gaze(1)))
    assert running.link.pump_one(1.0)
    assert running.link.line.counts.received == 1
    running.link.pump()
    assert running.link.line.counts.received == 2
    session.send_rtcp(sender_report(T0, 0))
    wait_until(lambda: [sample.device_ns for sample in running.samples] == [T0, T0 + 5 * MS])
    running.stop.set()
    running.cause()
    assert running.link.pump_one(10.0) is False
    running.link.pump()  # after the end there is nothing to read, and no error

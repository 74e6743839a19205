"""Sessions one after the other: gaps with their causes, and no time of an old session in a new one."""

import pytest
from datagrams import Offsets, gaze, rtp, sender_report
from fakes import FakeRtsp, free_port, wait_until

from psychopy_neon.device import rtsp_link, stream_worker
from psychopy_neon.device.pipeline import GazeLine
from psychopy_neon.device.stream_worker import StreamWorker
from psychopy_neon.device.transport import Peer
from psychopy_neon.errors import LinkError, NeonError
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.wire.status import Sensor

MS = 1_000_000
S = 1000 * MS
T0 = 1_700_000_000 * S


class Setup:
    def __init__(self, crew, port):
        self.samples = []
        self.sessions = []
        self.fresh = []
        self.sensor = Sensor("gaze", "DIRECT", True, "192.0.2.77", port, params="camera=gaze")
        self.worker = StreamWorker(
            "gaze", "application", Peer("127.0.0.1", 1, "127.0.0.1"), crew, HostClock(), self.read, self.make_line
        )

    def read(self, fresh):
        self.fresh.append(fresh)
        if isinstance(self.sensor, Exception):
            raise self.sensor
        return self.sensor

    def make_line(self, session, media, clock_hz):
        self.sessions.append(session)
        return GazeLine(media, clock_hz, Offsets(), self.samples.append)


@pytest.fixture
def server():
    with FakeRtsp() as fake:
        yield fake


@pytest.fixture
def setup(crew, server):
    return Setup(crew, server.port)


def play(session, base_ticks, device_ns, count=10, ssrc=1):
    session.send_rtcp(sender_report(device_ns, base_ticks, ssrc))
    session.send_rtp(*(rtp(n, base_ticks + n * 450, gaze(n), ssrc) for n in range(count)))


def test_opens_once(setup, server):
    setup.worker.open()
    setup.worker.open()
    play(server.session(0), 0, T0)
    wait_until(lambda: len(setup.samples) == 10)
    assert setup.fresh == [False]
    assert setup.worker.counts.received == 10
    assert setup.worker.gaps == ()
    assert setup.worker.last_packet_ns == setup.samples[-1].received_ns


def test_reopens_after_the_server_closed(setup, server):
    setup.worker.open()
    session = server.session(0)
    play(session, 2**32 - 1000, T0)
    wait_until(lambda: len(setup.samples) == 10)
    session.cut()
    (gap,) = wait_until(lambda: setup.worker.gaps)
    assert gap.cause == "the device closed the RTSP connection"
    assert gap.start_ns == setup.samples[-1].received_ns
    assert gap.end_ns is None
    assert setup.worker.last_packet_ns == gap.start_ns
    play(server.session(1), 5_000, T0 + 60 * S, ssrc=2)
    wait_until(lambda: len(setup.samples) == 20)
    (gap,) = setup.worker.gaps
    assert gap.start_ns < gap.end_ns == setup.samples[10].received_ns
    # Other tick origin, other clock: nothing of the old session times the new one.
    assert [sample.device_ns for sample in setup.samples[10:]] == [T0 + 60 * S + n * 5 * MS for n in range(10)]
    assert setup.worker.counts.received == 20
    assert setup.sessions == [1, 2]
    assert setup.fresh == [False, True]


@pytest.mark.parametrize("ssrc", [1, 2])
def test_new_session_waits_for_its_own_report(setup, server, ssrc):
    """Also where the sender keeps its SSRC."""
    setup.worker.open()
    session = server.session(0)
    play(session, 7_000_000, T0, ssrc=1)
    wait_until(lambda: len(setup.samples) == 10)
    session.cut()
    session = server.session(1)
    session.send_rtp(*(rtp(n, 99 + n * 450, gaze(n), ssrc) for n in range(10)))
    wait_until(lambda: setup.worker.counts.received == 20)
    assert len(setup.samples) == 10
    session.send_rtcp(sender_report(T0 + S, 99, ssrc))
    wait_until(lambda: len(setup.samples) == 20)
    assert setup.samples[10].device_ns == T0 + S


def test_silence_is_a_gap(setup, server, monkeypatch):
    monkeypatch.setattr(rtsp_link, "SILENCE_LIMIT_NS", 150 * MS)
    setup.worker.open()
    play(server.session(0), 0, T0)
    (gap,) = wait_until(lambda: setup.worker.gaps)
    assert gap.cause.startswith("silent for 0.")
    play(server.session(1), 0, T0)
    wait_until(lambda: setup.worker.gaps[0].end_ns)


def test_port_that_changed_meanwhile_is_found(setup, server):
    setup.worker.open()
    session = server.session(0)
    play(session, 0, T0)
    wait_until(lambda: setup.samples)
    with FakeRtsp() as other:
        setup.sensor = Sensor("gaze", "DIRECT", True, "192.0.2.77", other.port, params="camera=gaze")
        session.cut()
        play(other.session(0), 0, T0)
        wait_until(lambda: len(setup.samples) == 20)
        assert server.count == 1


@pytest.mark.parametrize(
    "sensor",
    [None, Sensor("gaze", "DIRECT", False, None, 8086), Sensor("gaze", "DIRECT", True, None, None)],
    ids=["none", "unplugged", "no-port"],
)
def test_no_sensor(setup, server, sensor):
    good, setup.sensor = setup.sensor, sensor
    setup.worker.open()
    (gap,) = wait_until(lambda: setup.worker.gaps)
    assert "the device has no gaze stream now" in gap.cause
    setup.sensor = good
    play(server.session(0), 0, T0)
    wait_until(lambda: setup.worker.gaps[0].end_ns)
    assert len(setup.worker.gaps) == 1


def test_status_that_cannot_be_read_is_a_cause(setup):
    setup.sensor = LinkError("phone", "gone")
    setup.worker.open()
    (gap,) = wait_until(lambda: setup.worker.gaps)
    assert gap.cause == "phone: gone"
    wait_until(lambda: len(setup.fresh) >= 2)


def test_one_gap_for_many_attempts(setup, server, monkeypatch):
    monkeypatch.setattr(stream_worker, "FIRST_PAUSE_S", 0.001)
    server.answers["DESCRIBE"] = b"RTSP/1.0 404 Not Found\r\n\r\n"
    setup.worker.open()
    wait_until(lambda: server.count >= 4)
    (gap,) = setup.worker.gaps
    assert "404" in gap.cause
    assert gap.end_ns is None


class Pauses:
    """In the place of a stop signal: counts the pauses and ends after a number of them."""

    def __init__(self, count):
        self.seconds = []
        self._count = count

    @property
    def is_set(self):
        return len(self.seconds) >= self._count

    def wait(self, seconds):
        self.seconds.append(seconds)


def test_pauses_grow_up_to_two_seconds(setup, monkeypatch):
    setup.sensor = None
    stop = Pauses(9)
    setup.worker.run(stop)
    assert stop.seconds == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0, 2.0]


def test_pause_is_short_again_after_packets(setup, monkeypatch):
    had_packets = iter([False, False, True, False])
    monkeypatch.setattr(setup.worker, "_one_session", lambda _stop, fresh: "x")
    monkeypatch.setattr(setup.worker, "_end_session", lambda _cause, _ns: next(had_packets))
    stop = Pauses(4)
    setup.worker.run(stop)
    assert stop.seconds == [0.2, 0.4, 0.1, 0.2]


def test_refused_connection(setup):
    setup.sensor = Sensor("gaze", "DIRECT", True, "192.0.2.77", free_port(), params="")
    setup.worker.open()
    (gap,) = wait_until(lambda: setup.worker.gaps)
    assert "refused" in gap.cause


def test_open_after_the_crew_closed(setup, crew):
    crew.close()
    with pytest.raises(NeonError, match="closed"):
        setup.worker.open()

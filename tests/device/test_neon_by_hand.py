"""The whole client against a phone written by hand."""

import json
import socket
import threading
import time
import zlib

import numpy as np
import pytest
from datagrams import gaze, rtp, sender_report
from fakes import HTML, FakeEcho, FakeHttp, FakeRtsp, answer, phone_components, wait_until

from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import (
    ClockNotReadyError,
    ConfigurationError,
    NeonError,
    NeonTimeoutError,
    RemoteProtocolError,
)

MS = 1_000_000
S = 1000 * MS
WRAP = 2**24


@pytest.fixture
def phone():
    """A phone in one piece: REST and WebSocket, time echo, RTSP."""
    with FakeRtsp() as rtsp_server, FakeEcho(10**17) as echo, FakeHttp() as http:
        http.components = phone_components(rtsp_server.port, echo.port)
        http.rtsp, http.echo = rtsp_server, echo
        yield http


def test_handmade_phone(phone):
    with Neon(phone.address) as neon:
        assert neon.status.phone.device_name == "Fake phone"
        assert neon.clock.newest is not None
        assert neon.gaze.latest() is None
        session = phone.rtsp.session(0)
        now_ns = time.perf_counter_ns()
        session.send_rtcp(sender_report(now_ns + 10**17, 2**32 - 100))
        session.send_rtp(*(rtp(n, 2**32 - 100 + n * 450, gaze(n)) for n in range(5)))
        samples = [neon.gaze.wait(20) for _ in range(5)]
        assert [sample.x for sample in samples] == [0, 1, 2, 3, 4]
        for n, sample in enumerate(samples):
            assert sample.device_ns == now_ns + 10**17 + n * 5 * MS
            assert abs(sample.host_ns - now_ns - n * 5 * MS) <= sample.bound_ns
        assert repr(neon) == f"<Neon Fake phone at {phone.address}>"


def test_restarted_app_with_another_rtsp_port(phone):
    with Neon(phone.address) as neon:
        neon.gaze.latest()
        session = phone.rtsp.session(0)
        session.send_rtcp(sender_report(10**18, 0))
        session.send_rtp(rtp(0, 0, gaze(0)))
        neon.gaze.wait(20)
        with FakeRtsp() as restarted:
            # Told by REST only: the status connection stays as it is.
            phone.components = phone_components(restarted.port, phone.echo.port)
            session.cut()
            session = restarted.session(0)
            session.send_rtcp(sender_report(10**18 + S, 5))
            session.send_rtp(rtp(0, 5, gaze(1)))
            assert neon.gaze.wait(20).device_ns == 10**18 + S


def test_without_time_echo(phone):
    phone.components = phone_components(phone.rtsp.port)
    begin = time.monotonic()
    with Neon(phone.address) as neon:
        assert time.monotonic() - begin < 0.8, "there is nothing to wait for"
        wait_until(lambda: "up to date" in (neon.clock.trouble or ""))
        with pytest.raises(ClockNotReadyError, match="offers no time echo"):
            neon.send_event("x")
        with pytest.raises(ClockNotReadyError, match='at_ns="arrival"'):
            neon.clock.device_ns(1)
        neon.gaze.latest()
        session = phone.rtsp.session(0)
        session.send_rtcp(sender_report(10**18, 0))
        session.send_rtp(rtp(0, 0, gaze(0)))
        sample = neon.gaze.wait(20)
        assert (sample.bound_ns, sample.host_ns) == (None, sample.received_ns)


def test_frame_without_gaze_ends_matched(phone):
    with Neon(phone.address) as neon, pytest.raises(NeonTimeoutError):
        next(neon.matched(0.1))


def with_crc(body):
    return body + zlib.crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (answer(with_crc(bytes(799))[:-1] + b"\xff", content_type="application/octet-stream"), "calibration.bin.*CRC"),
        (answer(b"", content_type="application/octet-stream"), "calibration.bin"),
        (answer(bytes(100), content_type="application/octet-stream"), "calibration.bin"),
        (answer(HTML, content_type="text/html"), "text/html instead of bytes"),
    ],
)
def test_damaged_calibration(phone, data, words):
    phone.routes["/calibration.bin"] = data
    with Neon(phone.address) as neon:
        for _ in range(2):
            with pytest.raises(RemoteProtocolError, match=words):
                neon.calibration  # noqa: B018


def timed(body):
    return answer(json.dumps({"message": "", "result": {"timestamp": json.loads(body)["timestamp"]}}).encode())


@pytest.mark.parametrize("journal", [None, False, "kept"])
def test_journals(phone, tmp_path, state_folder, journal):
    phone.routes["/api/event"] = timed
    given = tmp_path / "run.jsonl" if journal == "kept" else journal
    with Neon(phone.address, journal=given) as neon:
        assert neon.outbox.health.journal in (None, str(given)), "nothing is made before it is needed"
        assert not list(state_folder.rglob("*"))
        neon.send_event("x").wait(20)
        assert len(list(state_folder.rglob("*.jsonl"))) == (journal is None)
    assert not list(state_folder.rglob("*.jsonl")), "all was confirmed"
    assert (tmp_path / "run.jsonl").exists() == (journal == "kept")


@pytest.mark.parametrize("name", ["", None, 5, b"x", "half a pair \ud800"])
def test_names_that_are_no_event(phone, name):
    with Neon(phone.address) as neon, pytest.raises(ConfigurationError, match="name"):
        neon.send_event(name)


@pytest.mark.parametrize(
    "at_ns", [1.5, "now", "5", float("nan"), True, object()], ids=lambda value: type(value).__name__
)
def test_times_that_are_no_time(phone, at_ns):
    with Neon(phone.address) as neon:
        with pytest.raises(ConfigurationError, match="at_ns"):
            neon.send_event("x", at_ns=at_ns)
        neon.check_link()


def test_time_as_a_number_of_numpy(phone):
    phone.routes["/api/event"] = answer(b'{"message": "Success", "result": {"timestamp": 5}}')
    with Neon(phone.address) as neon:
        host_ns = neon.host_clock.now_ns()
        pending = neon.send_event("x", at_ns=np.int64(host_ns))
        assert pending.wait(20).device_ns == 5
        assert pending.host_ns == host_ns


def test_many_opened_and_closed(phone):
    for _ in range(10):
        with Neon(phone.address) as neon:
            neon.gaze.latest()
            ours = [each for each in threading.enumerate() if each.name.startswith("psychopy-neon:")]
        assert ours
        assert not any(each.is_alive() for each in ours)


def test_error_of_a_worker_reaches_the_user(phone, monkeypatch):
    with Neon(phone.address) as neon:
        monkeypatch.setattr(neon.gaze._source, "_one_session", lambda *_args, **_fields: 1 / 0)
        neon.gaze.latest()
        wait_until(lambda: neon.crew._failure)
        for act in (neon.gaze.latest, neon.check_link, neon.gaze.take, lambda: neon.status):
            with pytest.raises(NeonError, match="the gaze worker failed: ZeroDivisionError"):
                act()


def test_ipv6(monkeypatch):
    """Only as far as a computer without IPv6 lets it be tested: the error names the address in brackets."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    with pytest.raises(NeonError, match=r"\[::1\]:9"):
        Neon("[::1]:9", timeout_s=0.5)

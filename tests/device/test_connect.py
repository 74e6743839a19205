"""From an address, a name or nothing to a device that answers."""

import pytest
from fakes import HTML, FakeHttp, TcpFake, answer, answer_json, component, free_port, phone_components

from psychopy_neon.device import connect as connect_module
from psychopy_neon.device.connect import connect
from psychopy_neon.device.discovery import FoundDevice
from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import (
    ConfigurationError,
    DeviceNotFoundError,
    LinkError,
    RemoteProtocolError,
    RequestRefusedError,
)


@pytest.fixture
def http():
    with FakeHttp(phone_components()) as fake:
        yield fake


@pytest.fixture
def find(monkeypatch):
    """Let the search find these fakes."""

    def put(**fakes):
        found = [FoundDevice(name, "0" * 16, "neon.local", fake.port, ("127.0.0.1",)) for name, fake in fakes.items()]
        monkeypatch.setattr(connect_module, "find_devices", lambda *_args, **_options: found)

    return put


def test_address(http, crew):
    peer, status = connect(http.address, None, None, crew, 2.0)
    assert (peer.host, peer.port, peer.ip) == ("127.0.0.1", http.port, "127.0.0.1")
    assert status.phone.device_name == "Fake phone"


def test_name_of_this_computer(http, crew):
    peer, _ = connect(f"localhost:{http.port}", None, None, crew, 2.0)
    assert (peer.host, peer.ip) == ("localhost", "127.0.0.1")


@pytest.mark.parametrize("choice", [{"serial": "1"}, {"name": "x"}])
def test_address_and_a_choice(crew, choice):
    with pytest.raises(ConfigurationError):
        connect("10.0.0.1", choice.get("serial"), choice.get("name"), crew, 1.0)


def test_nobody_at_the_address(crew):
    port = free_port()
    with pytest.raises(DeviceNotFoundError) as caught:
        connect(f"127.0.0.1:{port}", None, None, crew, 1.0)
    text = str(caught.value)
    assert text.startswith(f"no Neon found at 127.0.0.1:{port}; tried: 127.0.0.1")
    assert "connection refused" in text
    assert "Bring the Companion app to the front" in text
    assert len(caught.value.tried) == 1


def test_unknown_name(crew, monkeypatch):
    def resolve(_peer):
        raise LinkError("phone:8080", "the name 'phone' is not known")

    monkeypatch.setattr(connect_module, "resolve", resolve)
    with pytest.raises(DeviceNotFoundError, match=r"the name 'phone' is not known.*Companion app"):
        connect("phone", None, None, crew, 1.0)


def test_name_that_nobody_resolves_in_time(crew, monkeypatch):
    import threading

    release = threading.Event()
    monkeypatch.setattr(connect_module, "RESOLVE_LIMIT_S", 0.1)
    monkeypatch.setattr(connect_module, "resolve", lambda _peer: release.wait(20))
    with pytest.raises(DeviceNotFoundError, match=r"looking up phone: nothing within 0\.1 s"):
        connect("phone", None, None, crew, 1.0)
    release.set()


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (answer(HTML, content_type="text/html"), RemoteProtocolError, "HTML instead of JSON.*is this a Neon"),
        (answer(HTML, 404, "text/html"), RemoteProtocolError, "HTML instead of JSON"),
        (answer(HTML, 302, "text/html", "Location: /login\r\n"), RemoteProtocolError, "HTML instead of JSON"),
        (answer_json(None, 404, "Not found"), RequestRefusedError, "404.*Not found"),
        (answer_json([]), RemoteProtocolError, "neither a phone nor glasses; is this a Neon"),
        (answer_json([component("Printer", ink=3)]), RemoteProtocolError, "is this a Neon"),
        (answer_json({"status": "fine"}), RemoteProtocolError, "instead of a list"),
        (answer(b"SSH"), RemoteProtocolError, "is this a Neon"),
    ],
)
def test_something_else_answers(http, data, error, words):
    http.routes["/api/status"] = data
    with pytest.raises(error, match=words):
        Neon(http.address)


def test_something_that_is_not_even_http():
    with (
        TcpFake(
            lambda connection, _number: connection.sendall(b"220 mail.example ESMTP\r\n") or connection.recv(1)
        ) as server,
        pytest.raises(RemoteProtocolError, match="is this a Neon"),
    ):
        Neon(server.address)


def test_search_finds_the_only_one(http, crew, find):
    find(phone=http)
    peer, status = connect(None, None, None, crew, 1.0)
    assert peer.port == http.port
    assert status.hardware.module_serial == "314159"


def test_search_finds_several(http, crew, find):
    with FakeHttp(phone_components(name="Second", serial="271828")) as second:
        find(first=http, second=second)
        with pytest.raises(ConfigurationError) as caught:
            connect(None, None, None, crew, 1.0)
        text = str(caught.value)
        for part in ("'first'", "314159", http.address, "'second'", "271828", second.address, "serial=..."):
            assert part in text
        assert connect(None, "271828", None, crew, 1.0)[0].port == second.port
        assert connect(None, None, "first", crew, 1.0)[0].port == http.port
        with pytest.raises(DeviceNotFoundError, match="serial 5"):
            connect(None, "5", None, crew, 1.0)
        with pytest.raises(DeviceNotFoundError, match=r"name 'third'.*'first' at.*'second' at"):
            connect(None, None, "third", crew, 1.0)


def test_search_passes_over_a_device_that_does_not_answer(http, crew, find):
    with FakeHttp() as silent:
        silent.routes["/api/status"] = answer(HTML, content_type="text/html")
        find(first=silent, second=http)
        assert connect(None, None, None, crew, 1.0)[0].port == http.port


def test_search_finds_nothing(crew, find):
    find()
    with pytest.raises(DeviceNotFoundError) as caught:
        connect(None, None, None, crew, 1.0)
    text = str(caught.value)
    assert text.startswith("no Neon found on the network; tried: mDNS for up to 5 s found nothing.")
    assert "Companion app" in text


def test_announced_but_not_there(crew, monkeypatch):
    found = [FoundDevice("phone", "0" * 16, "neon.local", free_port(), ("127.0.0.1",))]
    monkeypatch.setattr(connect_module, "find_devices", lambda *_args, **_options: found)
    with pytest.raises(DeviceNotFoundError, match=r"found 'phone' at .*connection refused"):
        connect(None, None, None, crew, 1.0)


def test_failed_neon_leaves_nothing(http):
    http.routes["/api/status"] = answer(HTML)
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            Neon(http.address)

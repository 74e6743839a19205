"""Addresses, connecting within a limit, the UDP pair."""

import socket
import threading
import time

import pytest
from fakes import BlackHole, free_port

from psychopy_neon.device.transport import DEFAULT_PORT, Peer, connect_tcp, open_udp_pair, parse_address, resolve
from psychopy_neon.errors import ConfigurationError, LinkError, NeonTimeoutError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("neon.local", "neon.local", DEFAULT_PORT),
        ("  10.0.0.2 ", "10.0.0.2", DEFAULT_PORT),
        ("10.0.0.2:9000", "10.0.0.2", 9000),
        ("phone:65535", "phone", 65535),
        ("[2001:db8::1]:9000", "2001:db8::1", 9000),
        ("[2001:db8::1]", "2001:db8::1", DEFAULT_PORT),
        ("2001:db8::1", "2001:db8::1", DEFAULT_PORT),
        ("::1", "::1", DEFAULT_PORT),
        ("fe80::1%eth0", "fe80::1%eth0", DEFAULT_PORT),
        ("[fe80::1%3]:81", "fe80::1%3", 81),
    ],
)
def test_addresses(text, host, port):
    assert parse_address(text) == Peer(host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":8080",
        "host:",
        "host:0",
        "host:65536",
        "host:-1",
        "host:80a",
        "host:٣",
        "a:b:80",
        "http://host",
        "host/path",
        "user@host",
        "two words",
        "[::1",
        "[::1]:",
        "[::1]x",
        "[host]:80",
        "[]:80",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(ConfigurationError, match="address") as caught:
        parse_address(text)
    assert caught.value.value == text


def test_host_in_a_url():
    assert str(Peer("fe80::1%eth0", 80)) == "[fe80::1]:80"
    assert str(Peer("phone", 80)) == "phone:80"


def test_resolve_gives_numbers_and_ipv4_first(monkeypatch):
    def getaddrinfo(host, port, **_kind):
        return [
            (socket.AF_INET6, 1, 6, "", ("fe80::1", port, 0, 4)),
            (socket.AF_INET, 1, 6, "", ("10.0.0.2", port)),
            (socket.AF_INET, 1, 6, "", ("10.0.0.2", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert [peer.ip for peer in resolve(Peer("phone", 80))] == ["10.0.0.2", "fe80::1%4"]


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_resolve_an_unknown_name(monkeypatch, error):
    def getaddrinfo(*_args, **_kind):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(LinkError, match="'phone' is not known"):
        resolve(Peer("phone", 80))


def test_connect():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with connect_tcp("127.0.0.1", port, 2.0) as sock:
            assert sock.getblocking() is False
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            server.accept()[0].close()


def test_connect_to_a_closed_port():
    with pytest.raises(LinkError, match="refused"):
        connect_tcp("127.0.0.1", free_port(), 2.0)


def test_connect_to_what_is_no_address():
    with pytest.raises(LinkError):
        connect_tcp("no number", 80, 2.0)


def test_connect_to_a_black_hole_ends_in_time():
    with BlackHole() as hole:
        begin = time.monotonic()
        with pytest.raises(NeonTimeoutError, match="no answer at all"):
            connect_tcp("127.0.0.1", hole.port, 0.2)
        assert 0.15 < time.monotonic() - begin < 2.0


def test_stop_ends_connecting(stop):
    with BlackHole() as hole:
        begin = time.monotonic()
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        with pytest.raises(LinkError, match="closed by this program"):
            connect_tcp("127.0.0.1", hole.port, 30.0, stop)
        assert time.monotonic() - begin < 5.0
        timer.join()


def test_udp_pair_is_even_and_odd():
    pairs = [open_udp_pair("127.0.0.1") for _ in range(20)]
    try:
        for first, second in pairs:
            ports = first.getsockname()[1], second.getsockname()[1]
            assert ports[0] % 2 == 0
            assert ports[1] == ports[0] + 1
            assert first.getsockname()[0] == "127.0.0.1"
            assert not first.getblocking()
    finally:
        for pair in pairs:
            for sock in pair:
                sock.close()


def test_udp_pair_goes_on_when_a_neighbour_is_taken(monkeypatch):
    taken = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
        from psychopy_neon.device import transport

        bound = transport._bound_udp

        def bind(family, ip, port):
            if port and not taken:
                neighbour.bind((ip, port))
                taken.append(port)
            return bound(family, ip, port)

        monkeypatch.setattr(transport, "_bound_udp", bind)
        first, second = open_udp_pair("127.0.0.1")
        assert taken
        assert second.getsockname()[1] == first.getsockname()[1] + 1
        first.close()
        second.close()


def test_no_udp_pair_on_an_address_of_somebody_else():
    with pytest.raises(LinkError, match="no free pair"):
        open_udp_pair("192.0.2.1")

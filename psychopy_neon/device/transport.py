"""Sockets: addresses, connections with a limit, the UDP pair of a stream.

Every error of the operating system becomes a ``LinkError`` or ``NeonTimeoutError`` here and nowhere else. Nothing
binds to more than the local address that already talks to the device.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import selectors
import socket
import time
from dataclasses import dataclass

from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import ConfigurationError, LinkError, NeonError, NeonTimeoutError

__all__ = ["DEFAULT_PORT", "Peer", "connect_tcp", "open_udp_pair", "parse_address", "resolve", "udp_address"]

DEFAULT_PORT = 8080
_RECEIVE_BUFFER = 4 << 20  # a key frame of the scene comes as one burst of a hundred packets
_PAIR_ATTEMPTS = 50
_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK))
_ALLOWED = '"host", "host:port" or "[IPv6]:port" with a port from 1 to 65535'


@dataclass(frozen=True, slots=True)
class Peer:
    """The device as the user named it and where that name led."""

    host: str
    """As given, without brackets."""
    port: int
    ip: str = ""
    """Numeric address that is connected to; empty before :func:`resolve`."""

    @property
    def url_host(self) -> str:
        """The host for a URL: an IPv6 address stands in brackets, its zone is left out."""
        host = self.host.partition("%")[0]
        return f"[{host}]" if ":" in host else host

    def __str__(self) -> str:
        return f"{self.url_host}:{self.port}"


def parse_address(address: str) -> Peer:
    """Read ``"host"``, ``"host:port"``, ``"[v6]"``, ``"[v6]:port"`` or a bare IPv6 address.

    Raises
    ------
    ConfigurationError
        When it is none of these.
    """
    text = address.strip()
    host, port = _split(text)
    if not host or any(c.isspace() or c in "/@?#\\" for c in host):
        raise ConfigurationError("address", address, _ALLOWED)
    if not port:
        return Peer(host, DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigurationError("address", address, _ALLOWED)
    return Peer(host, int(port))


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (rest and not rest.startswith(":")) or rest == ":":
            return "", ""
        return host, rest[1:]
    if _is_ipv6(text):
        return text, ""
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, ""
    return ("", "") if ":" in host or not port else (host, port)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).version == 6
    except ValueError:
        return False


def resolve(peer: Peer) -> tuple[Peer, ...]:
    """Every address that the name leads to, IPv4 first (the device's streams are IPv4 in practice).

    Notes
    -----
    May take as long as the system's resolver likes: call it through ``Crew.call``.
    """
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LinkError(str(peer), f"the name {peer.host!r} is not known ({error})") from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    ips = dict.fromkeys(_numeric(entry[4]) for entry in found if entry[0] in (socket.AF_INET, socket.AF_INET6))
    return tuple(Peer(peer.host, peer.port, ip) for ip in ips)


def _numeric(sockaddr: tuple[object, ...]) -> str:
    host = str(sockaddr[0])
    zone = sockaddr[3] if len(sockaddr) > 3 else 0
    return f"{host}%{zone}" if zone and "%" not in host else host


def udp_address(ip: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address form that ``sendto`` wants, with the zone of a link-local IPv6 address."""
    host, _, zone = ip.partition("%")
    return (host, port, 0, int(zone) if zone.isdigit() else 0) if ":" in ip else (host, port)


def connect_tcp(ip: str, port: int, limit_s: float, stop: StopSignal | None = None) -> socket.socket:
    """Connect within a limit; a set ``stop`` ends the wait at once.

    Returns
    -------
    socket.socket
        Non-blocking, small packets go out at once.

    Raises
    ------
    LinkError, NeonTimeoutError
    """
    where = f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(udp_address(ip, port))
        if code not in _IN_PROGRESS:
            raise OSError(code, os.strerror(code))
        if code:
            _wait_connected(sock, where, limit_s, stop)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError) and not isinstance(error, NeonError):  # NeonTimeoutError is an OSError too
            raise LinkError(where, _connect_text(error)) from error
        raise
    return sock


def _wait_connected(sock: socket.socket, where: str, limit_s: float, stop: StopSignal | None) -> None:
    end = time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        if stop is not None:
            selector.register(stop.socket, selectors.EVENT_READ)
        ready = selector.select(max(end - time.monotonic(), 0.0))
    if stop is not None and stop.is_set:
        raise LinkError(where, "closed by this program while connecting")
    if not ready:
        raise NeonTimeoutError(f"connecting to {where}", limit_s, "no answer at all: wrong address or another network?")
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _connect_text(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return "connection refused: the computer or phone answers but nothing listens on this port"
    return f"connection failed ({error.strerror or error})"


def open_udp_pair(local_ip: str) -> tuple[socket.socket, socket.socket]:
    """Two neighbouring ports, the first even: RTP and RTCP (RFC 3550 section 11), bound to one local address.

    Raises
    ------
    LinkError
        When no pair is free.
    """
    family = socket.AF_INET6 if ":" in local_ip else socket.AF_INET
    last: OSError | None = None
    for _ in range(_PAIR_ATTEMPTS):
        pair: list[socket.socket] = []
        try:
            first = _bound_udp(family, local_ip, 0)
            pair.append(first)
            port = int(first.getsockname()[1])
            # The system gave an odd or an even port: its neighbour makes the pair whole.
            pair.append(_bound_udp(family, local_ip, port ^ 1))
        except OSError as error:
            last = error
            for sock in pair:
                sock.close()
            continue
        pair.sort(key=lambda sock: int(sock.getsockname()[1]))
        return pair[0], pair[1]
    raise LinkError(local_ip, "no free pair of UDP ports") from last


def _bound_udp(family: socket.AddressFamily, local_ip: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # the system may cap it; then it stays as large as allowed
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind(udp_address(local_ip, port))
    except BaseException:  # whatever it is, it goes on; the socket does not stay open
        sock.close()
        raise
    return sock

"""The official client finds the simulator on the local network."""

from __future__ import annotations

import socket
import uuid
from typing import Any

import pytest

SEARCH_S = 5.0


def test_discovery(make_sim: Any, peer: Any, host_port: Any) -> None:
    """On loopback, first with the official client's own choice of interfaces."""
    if not _has_multicast():
        pytest.skip("this computer's loopback interface does not carry multicast, without which there is no mDNS")
    name = f"Conformance {uuid.uuid4().hex[:8]}"
    sim = make_sim(mdns=True, name=name)
    found = peer("discover", name, SEARCH_S).result()
    if found is None:  # loopback may be none of the interfaces that the client chooses
        found = peer("discover", name, SEARCH_S, "127.0.0.1").result()
    assert found is not None
    host, port = host_port(sim)
    assert found["name"] == f"PI monitor:{name}:{sim.settings.device_id}._http._tcp.local."
    assert (found["addresses"], found["port"]) == ([host], port)


def _has_multicast() -> bool:
    """Whether a datagram to a multicast group comes back on loopback."""
    loopback = socket.inet_aton("127.0.0.1")
    group = "239.255.90.1"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        try:
            receiver.settimeout(1.0)
            receiver.bind(("", 0))
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + loopback)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            sender.sendto(b"probe", (group, receiver.getsockname()[1]))
            return receiver.recv(16) == b"probe"
        except OSError:
            return False

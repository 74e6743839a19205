"""mDNS on loopback only, with services registered by the mDNS library itself."""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from zeroconf import IPVersion, ServiceInfo, Zeroconf

from psychopy_neon.device import connect as connect_module
from psychopy_neon.device import discovery
from psychopy_neon.device.discovery import SERVICE, find_devices, parse_instance
from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

pytestmark = pytest.mark.once

LOOPBACK = ["127.0.0.1"]


@pytest.mark.parametrize(
    ("instance", "parsed"),
    [
        ("PI monitor:Neon Companion:d55a336264ad93b5", ("Neon Companion", "d55a336264ad93b5")),
        (f"PI monitor:Neon:d55a.{SERVICE}", ("Neon", "d55a")),
        ("PI monitor:My: phone:d55a", ("My: phone", "d55a")),
        ("PI monitor:Neon", ("Neon", "")),
        ("PI monitor:", ("", "")),
        ("pi monitor:Neon:d55a", None),
        ("Printer", None),
        ("", None),
    ],
)
def test_instance_names(instance, parsed):
    assert parse_instance(instance) == parsed


def info(name, port, addresses=("127.0.0.1",)):
    packed = [socket.inet_aton(address) for address in addresses]
    server = f"host-{port}.local."
    return ServiceInfo(SERVICE, f"{name}.{SERVICE}", addresses=packed, port=port, server=server)


@pytest.fixture
def announce():
    zeroconf = Zeroconf(interfaces=LOOPBACK, ip_version=IPVersion.V4Only)

    def put(*services):
        for service in services:
            zeroconf.register_service(service, cooperating_responders=True)

    yield put
    zeroconf.close()


def test_finds_neons_and_nothing_else(announce):
    announce(
        info("PI monitor:Bravo:0000000000000002", 8082, ("127.0.0.1", "10.1.2.3")),
        info("PI monitor:Alpha:0000000000000001", 8081),
        info("Office printer", 631),
    )
    found = find_devices(5.0, settle_s=0.7, interfaces=LOOPBACK)
    assert [(each.name, each.device_id, each.port) for each in found] == [
        ("Alpha", "0000000000000001", 8081),
        ("Bravo", "0000000000000002", 8082),
    ]
    assert found[0].address == "127.0.0.1:8081"
    assert found[0].host == "host-8081.local"
    assert str(found[0]) == "'Alpha' at 127.0.0.1:8081"
    assert set(found[1].addresses) == {"127.0.0.1", "10.1.2.3"}


def test_finds_nothing_within_its_limit():
    begin = time.monotonic()
    assert find_devices(0.3, interfaces=LOOPBACK) == []
    assert time.monotonic() - begin < 3.0


def test_no_network(monkeypatch):
    def fail(**_options):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(discovery, "Zeroconf", fail)
    with pytest.raises(LinkError, match="cannot be used on this computer"):
        find_devices(0.1)


def test_two_simulators_and_which_is_meant(monkeypatch):
    def on_loopback(timeout_s, *, settle_s=None):
        return find_devices(timeout_s, settle_s=0.5, interfaces=LOOPBACK)

    monkeypatch.setattr(connect_module, "find_devices", on_loopback)
    first = SimulatorSettings(name="First", serial="111111", mdns=True)
    second = SimulatorSettings(name="Second", serial="222222", mdns=True)
    # Announcing takes a second or two: both at once.
    with ThreadPoolExecutor() as pool:
        one, two = pool.map(lambda settings: SimulatedNeon(settings).start(), (first, second))
    with contextlib.closing(one), contextlib.closing(two):
        with pytest.raises(ConfigurationError) as caught:
            Neon()
        for part in ("'First', serial 111111", "'Second', serial 222222", one.address, two.address):
            assert part in str(caught.value)

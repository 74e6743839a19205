import threading

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings


def test_it_is_found_and_says_goodbye() -> None:
    found: dict[str, ServiceInfo | None] = {}
    is_there, is_gone = threading.Event(), threading.Event()
    settings = SimulatorSettings(name="Sim. of a test", serial="mdns", mdns=True)

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if settings.device_id not in name:
            return
        if state_change is ServiceStateChange.Removed:
            is_gone.set()
        else:
            found[name] = zeroconf.get_service_info(service_type, name, 3000)
            is_there.set()

    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        browser = ServiceBrowser(zeroconf, "_http._tcp.local.", handlers=[changed])
        with SimulatedNeon(settings) as sim:
            assert is_there.wait(20)
            ((name, info),) = found.items()
            assert name == f"PI monitor:Sim  of a test:{settings.device_id}._http._tcp.local."
            assert info is not None
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert f"127.0.0.1:{info.port}" == sim.address
            assert info.server == f"neon-sim-{settings.device_id}.local."
        assert is_gone.wait(20)
        browser.cancel()
    finally:
        zeroconf.close()

import socket
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.screens import StillScreen

from .test_scene import open_scene


def threads() -> set[str]:
    return {each.name for each in threading.enumerate() if "neon" in each.name}


def test_it_leaves_nothing_behind() -> None:
    with SimulatedNeon() as sim:
        assert "psychopy-neon-sim" in threads()
        host, port = sim.address.split(":")
    sim.close()
    assert not threads()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 1)


def test_closing_before_starting_is_fine() -> None:
    SimulatedNeon().close()


def test_it_starts_once() -> None:
    with SimulatedNeon() as sim, pytest.raises(ConfigurationError):
        sim.start()


@pytest.mark.parametrize("setting", ["port", "rtsp_port", "echo_port"])
def test_a_port_in_use_is_told(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError, match=str(port)):
            SimulatedNeon(SimulatorSettings(**{setting: port})).start()
    assert not threads()


def test_a_setting_that_fails_at_the_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gaze"):
        SimulatedNeon(SimulatorSettings(gaze=str(tmp_path / "missing"))).start()


def test_a_screen_that_goes_ends_it_with_its_reason() -> None:
    class Fading(StillScreen):
        def read(self) -> np.ndarray:
            raise av.error.EOFError(1, "gone")

    sim = SimulatedNeon(screen=Fading(np.zeros((100, 100), np.uint8))).start()
    client, _ = open_scene(sim)
    assert client.socket.recv(4096) == b""
    client.close()
    with pytest.raises(LinkError, match="screen"):
        sim.close()
    sim.close()


def test_unknown_streams_are_refused(sim: SimulatedNeon) -> None:
    with pytest.raises(ConfigurationError, match="world"):
        sim.mute("scene")
    with pytest.raises(ConfigurationError, match="world"):
        sim.set_sensor("ears", connected=False)


def test_after_the_end_nothing_can_be_done_to_it() -> None:
    with SimulatedNeon() as sim:
        sim.set_battery(5)
    with pytest.raises(LinkError):
        sim.drop_streams()


def test_two_at_once_do_not_disturb_each_other() -> None:
    with SimulatedNeon(SimulatorSettings(name="A")) as first, SimulatedNeon(SimulatorSettings(name="B")) as second:
        assert first.address != second.address

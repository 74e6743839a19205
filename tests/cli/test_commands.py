"""The commands as a user types them: what they print, on which stream, and their exit codes."""

import json
import socket

import pytest
from click.testing import CliRunner

from psychopy_neon import FoundDevice
from psychopy_neon.cli import discover, main
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def sim():
    with SimulatedNeon(SimulatorSettings(name="Lab [1]", offset_ns=500_000_000)) as sim:
        yield sim


def test_help_lists_the_commands_and_imports_none():
    result = run("--help")
    assert result.exit_code == 0
    for name in ("simulate", "discover", "status", "clock", "events", "demo"):
        assert name in result.output
        assert run(name, "--help").exit_code == 0


def test_status_for_people(sim):
    result = run("status", sim.address)
    assert result.exit_code == 0
    for text in ("Lab [1]", "97 %", "123456", "not running", "ms ahead of this computer's"):
        assert text in result.output


def test_status_for_scripts(sim):
    status = json.loads(run("status", sim.address, "--json").output)
    assert status["phone"]["device_name"] == "Lab [1]"
    assert status["hardware"]["module_serial"] == "123456"
    assert status["is_recording"] is False
    assert status["clock"]["device_minus_wall_ns"] == pytest.approx(5e8, abs=status["clock"]["bound_ns"] + 1e6)


def test_nobody_there_is_one_red_line_with_a_remedy():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = run("status", f"127.0.0.1:{port}")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.startswith(f"Error: no Neon found at 127.0.0.1:{port}; tried: ")
    assert "connection refused" in result.stderr
    assert "Companion app" in result.stderr


def test_discover_lists_what_it_finds(monkeypatch):
    found = [FoundDevice("Lab", "0123456789abcdef", "neon.local", 8080, ("10.0.0.7",))]
    monkeypatch.setattr(discover, "find_devices", lambda *_, **__: found)
    assert "10.0.0.7:8080" in run("discover").output
    assert json.loads(run("discover", "--json").output)[0]["address"] == "10.0.0.7:8080"
    monkeypatch.setattr(discover, "find_devices", lambda *_, **__: [])
    nothing = run("discover", "--seconds", "0.1")
    assert nothing.exit_code == 1
    assert "Stream page" in nothing.stderr


def test_demo_says_what_there_is(sim):
    unknown = run("demo", "nosuchdemo")
    assert unknown.exit_code == 1
    assert "gaze_contingent" in unknown.stderr
    assert run("demo", "gaze_contingent", sim.address, "--simulate").exit_code == 2

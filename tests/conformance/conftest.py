"""The official client in a process of its own, against a simulated Neon in the process of the test.

``NEON_PEER_PYTHON`` names a Python that has the official client and nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

SCRIPTS = Path(__file__).parent / "peer"
LIMIT_S = 45.0


class Script:
    """A script of ``peer/`` that runs; its output is JSON."""

    def __init__(self, python: str, name: str, arguments: tuple[object, ...]) -> None:
        command = [python, str(SCRIPTS / f"{name}.py"), *map(str, arguments)]
        # Nothing of ours may be found by the other side.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self.name = name
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
        )

    def result(self, limit_s: float = LIMIT_S) -> Any:
        """Wait for its end; what it printed."""
        output, errors = self._process.communicate(timeout=limit_s)
        assert self._process.returncode == 0, f"{self.name} ended with {self._process.returncode}:\n{errors[-4000:]}"
        return json.loads(output)

    def is_done(self) -> bool:
        """Whether it has ended, so that :meth:`result` does not wait."""
        return self._process.poll() is not None

    def end(self) -> None:
        """Whatever happened, it does not outlive its test."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=5)


RunScript = Callable[..., Script]
MakeSim = Callable[..., SimulatedNeon]


@pytest.fixture
def make_sim() -> Iterator[MakeSim]:
    """Makes running simulators; arguments are settings."""
    with contextlib.ExitStack() as stack:

        def make(**settings: Any) -> SimulatedNeon:
            return stack.enter_context(SimulatedNeon(SimulatorSettings(**settings)))

        yield make


@pytest.fixture
def player() -> Iterator[RunScript]:
    """Starts a script with the Python of the tests; for those that need nothing but PyAV."""
    yield from _runner(sys.executable)


@pytest.fixture
def peer() -> Iterator[RunScript]:
    """Starts a script with the official client's Python."""
    python = os.environ.get("NEON_PEER_PYTHON")
    if not python:
        pytest.skip("NEON_PEER_PYTHON is not set: it names a Python that has pupil-labs-realtime-api 1.9")
    yield from _runner(python)


def _runner(python: str) -> Iterator[RunScript]:
    with contextlib.ExitStack() as stack:

        def start(name: str, *arguments: object) -> Script:
            script = Script(python, name, arguments)
            stack.callback(script.end)
            return script

        yield start


@pytest.fixture
def host_port() -> Callable[[SimulatedNeon], tuple[str, int]]:
    """Splits a simulator's address."""

    def split(sim: SimulatedNeon) -> tuple[str, int]:
        host, _, port = sim.address.rpartition(":")
        return host, int(port)

    return split

"""The processes of the benchmarks: scripts of this folder, by either side's Python, and the simulated Neon."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

HERE = Path(__file__).parent
OURS = sys.executable
END_S = 20.0
BUSY_LOAD = 0.7
"""Processes that wanted a core over the last minute."""


class Failed(Exception):  # noqa: N818 - its text is all that is shown
    """A run did not give a result."""


def alternate(
    name: str, peer_python: str, runs: int, address: str, seconds: float, console: Console
) -> tuple[list[Any], list[Any]]:
    """Results of ours and of theirs, taken in turn."""
    ours, peer = [], []
    for number in range(runs):
        console.print(f"{name}, run {number + 1} of {runs}")
        ours.append(run_script(OURS, f"ours_{name}", address, seconds, limit_s=3 * seconds + 30))
        peer.append(run_script(peer_python, f"peer_{name}", address, seconds, limit_s=seconds + 30))
    return ours, peer


def run_script(python: str, name: str, *arguments: object, limit_s: float) -> Any:
    """Run a script of this folder to its end; what its last line says."""
    done = run_process(python, name, *arguments, limit_s=limit_s)
    if done.returncode != 0:
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_process(python: str, name: str, *arguments: object, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder to its end; if it takes longer, whatever it started ends with it."""
    command = [python, str(HERE / f"{name}.py"), *map(str, arguments)]
    environment = dict(os.environ)
    if python != OURS:  # the other side finds nothing of ours
        environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, start_new_session=True, **pipes) as process:
        try:
            output, errors = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{name} did not end within {limit_s:g} s") from error
        finally:
            if process.poll() is None:
                end = getattr(os, "killpg", lambda *_: process.kill())  # its children with it, where that can be
                end(process.pid, 9)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@contextlib.contextmanager
def simulator(*options: str) -> Iterator[tuple[str, Path]]:
    """A simulated Neon in a process of its own: its address and its ground truth."""
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.jsonl"
        command = [OURS, str(HERE / "simulator.py"), str(truth), *options]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise Failed(f"the simulator did not start (it ended with {process.wait(END_S)})")
            yield address, truth
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=END_S)  # closes its standard input
            if process.poll() is None:
                process.kill()
                process.wait()


def warn_of_others(console: Console) -> None:
    """Say so when other programs keep this computer busy."""
    if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > BUSY_LOAD:
        console.print(
            f"[yellow]Other programs keep this computer busy (load {load:.1f}): the results are not worth much"
        )

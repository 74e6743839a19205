"""Scripts of the Builder that hear no other run's ioHub."""

from __future__ import annotations

import socket
from pathlib import Path

from psychopy.experiment import Experiment
from psychopy.scripts.psyexpCompile import compileScript

CONFIG = "ioConfig = {}\n"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def compile_script(exp: Experiment, path: Path) -> None:
    """Write the script of an experiment, with a port of ioHub that is free now."""
    compileScript(exp, outfile=str(path))
    code = path.read_text("utf-8-sig")
    assert code.count(CONFIG) == 1
    path.write_text(code.replace(CONFIG, f"ioConfig = {{'udp_port': {free_port()}}}\n"), "utf-8")

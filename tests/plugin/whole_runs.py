"""Runs of whole experiments in processes of their own, and what they leave."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil


def run_whole(script: Path, *arguments: object, folder: Path, limit_s: float) -> str:
    """Run it to its end, which has to be a good one; it is ended, with all that it started, whatever happens.

    Returns what was printed. PsychoPy keeps its preferences in the folder.
    """
    log = folder / "output.txt"
    env = {**os.environ, "HOME": str(folder), "APPDATA": str(folder)}
    line = [sys.executable, str(script), *map(str, arguments)]
    with log.open("w") as output, subprocess.Popen(line, stdout=output, stderr=output, env=env) as process:
        try:
            code = process.wait(limit_s)
        finally:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
    printed = log.read_text(errors="replace")
    assert code == 0, printed
    return printed


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Of the only data file."""
    (table,) = folder.glob("data/*.csv")
    with table.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def events_of(folder: Path) -> dict[str, np.ndarray]:
    """Tables of the only file of ioHub."""
    import tables

    (path,) = folder.glob("data/*.hdf5")
    with tables.open_file(str(path)) as file:
        return {each.name: each[:] for each in file.walk_nodes("/data_collection/events", "Table")}


def truth_of(folder: Path) -> list[dict]:
    """What the simulated phone knows; nothing without one."""
    path = folder / "truth.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

"""``psychopy-neon demo NAME [ADDRESS]``."""

from __future__ import annotations

import ast
import bisect
import csv
import importlib.util
import json
import math
import runpy
import signal
import statistics
import sys
from pathlib import Path
from typing import Any

import click

from psychopy_neon.cli.demos import demo_folder
from psychopy_neon.device.simulator_process import SimulatorProcess
from psychopy_neon.errors import ConfigurationError, NeonError

__all__ = ["command"]

SAME_NS = 1_000_000
TRUTH_FILE = "truth.jsonl"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[ADDRESS] [OPTIONS OF THE DEMO]")
@click.option("--simulate", is_flag=True, help="Bring a simulated Neon that looks where the mouse points.")
@click.option("--frames", type=click.IntRange(1), help="Stop after so many frames.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the data.  [default: NAME]")
def command(name: str | None, rest: tuple[str, ...], simulate: bool, frames: int | None, out: Path | None) -> None:
    """Run a demo on a Neon; without NAME list them.

    ADDRESS is what the Companion app shows on its Stream page; without it the one Neon of the network is taken. The
    demo's own options come last, as in: psychopy-neon demo moving_window --simulate --scotoma
    """
    if name is None:
        _list_demos()
        return
    script = _script(name)
    address, own = (rest[0], rest[1:]) if rest and not rest[0].startswith("-") else (None, rest)
    if simulate and address:
        raise click.UsageError("Either an address or --simulate.")
    if importlib.util.find_spec("psychopy") is None:
        raise NeonError('demos need PsychoPy; install it with: pip install "psychopy-neon[psychopy]"')
    folder = (out or Path(name)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--out", str(folder), *(["--frames", str(frames)] if frames else []), *own]
    _end_cleanly_when_terminated()
    if not simulate:
        sys.exit(_run(script, [*([address] if address else []), *arguments]))
    with SimulatorProcess(folder / TRUTH_FILE) as simulated:
        code = _run(script, [simulated.address, "--pointer", *arguments])
    if code == 0:
        _print_mapping(folder)
    sys.exit(code)


def _scripts() -> dict[str, Path]:
    """The demos' files; what they share begins with _."""
    return {path.stem: path for path in (demo_folder() / "coder").glob("[!_]*.py")}


def _list_demos() -> None:
    for name, path in sorted(_scripts().items()):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        click.echo(f"{name:<18}{text.partition(chr(10))[0]}")


def _script(name: str) -> Path:
    scripts = _scripts()
    if name not in scripts:
        raise ConfigurationError("NAME", name, f"one of {', '.join(sorted(scripts))}")
    return scripts[name]


def _run(script: Path, arguments: list[str]) -> int:
    """Run the script as if it had been started by hand; its exit code."""
    old_argv, sys.argv = sys.argv, [str(script), *arguments]
    sys.path.insert(0, str(script.parent))  # where Python looks for what a script shares with its neighbours
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = old_argv
        sys.path.remove(str(script.parent))
    return 0


def _end_cleanly_when_terminated() -> None:
    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


# What the simulator knows better


def _print_mapping(folder: Path) -> None:
    errors = _mapping_errors(folder)
    if not errors:
        click.secho("No frame of the demo had gaze: there is no mapping error to tell.", fg="yellow")
        return
    errors.sort()
    median, most = statistics.median(errors), errors[int(len(errors) * 0.95)]
    summary_file = folder / "summary.json"
    summary = json.loads(summary_file.read_text())
    summary |= {"mapping_error_px_median": round(median, 3), "mapping_error_px_95_percent": round(most, 3)}
    summary_file.write_text(json.dumps(summary, indent=2))
    click.echo(f"Mapped gaze against the simulator's truth: median {median:.2f} px, 95 % below {most:.2f} px")


def _mapping_errors(folder: Path) -> list[float]:
    """Distance of mapped gaze from where the simulated wearer looked, screen px, of every frame with gaze."""
    truth = _looked_at(folder / TRUTH_FILE)
    times = [device_ns for device_ns, _, _ in truth]
    errors = []
    with (folder / "frames.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if not row["x_px"]:
                continue
            device_ns = int(row["sample_device_ns"])
            place = bisect.bisect(times, device_ns)
            near = min(truth[max(place - 1, 0) : place + 1], key=lambda each: abs(each[0] - device_ns), default=None)
            if near is not None and abs(near[0] - device_ns) < SAME_NS:
                errors.append(math.dist((float(row["x_px"]), float(row["y_px"])), near[1:]))
    return errors


def _looked_at(truth: Path) -> list[tuple[int, float, float]]:
    """Device time and screen px of every gaze datum that was sent."""
    looked_at = []
    with truth.open() as file:
        for line in file:
            record: dict[str, Any] = json.loads(line)
            if record["kind"] == "gaze":
                looked_at.append((record["device_ns"], record["screen_x"], record["screen_y"]))
    return sorted(looked_at)

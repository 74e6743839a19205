"""Benchmarks beside the official client; ``nox -s bench`` runs this.

Every run is a process of its own against one simulated Neon, which is another; ours and theirs alternate. What is
printed are medians over the runs. The official client's Python is named by NEON_PEER_PYTHON.
"""

from __future__ import annotations

import argparse
import bisect
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mapping
import mapping_job
import requests
from rich.console import Console
from rich.table import Table
from unread import unread

from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.wire.status import parse_status

HERE = Path(__file__).parent
OURS = sys.executable
LONG_FRAME_MS = 25.0
FRAMES_LEFT_OUT = 60
END_S = 20.0
KINDS = ("gaze", "clock", "events", "scene", "window", "calm", "mapping")
WITHOUT_PEER = {"window", "calm", "mapping"}
BUSY_LOAD = 0.7
"""Processes that wanted a core over the last minute."""


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    name: str
    unit: str
    ours: float
    peer: float
    ratio: float | None


@dataclass(frozen=True)
class Target:
    """What a line is to reach."""

    text: str
    is_met: Callable[[Row], bool]


TARGETS = {
    "gaze latency, median": Target("no worse", lambda row: row.ours <= row.peer),
    "CPU per gaze sample": Target("at most 0.5 of the peer", lambda row: row.ours <= 0.5 * row.peer),
    "clock error, median": Target("at most 0.2 of the peer", lambda row: row.ours <= 0.2 * row.peer),
    "event, time of the call, median": Target("at most 20 us", lambda row: row.ours <= 20),
    "event, time of the call, 99.9 %": Target("at most 200 us", lambda row: row.ours <= 200),
    "scene latency, median": Target("25 ms earlier", lambda row: row.peer - row.ours >= 25),
    "gaze with scene and tags (peer: alone), median": Target(
        "at most 0.05 more", lambda row: row.ours <= row.peer + 0.05
    ),
    "gaze with scene and tags (peer: alone), 99 %": Target("at most 1 more", lambda row: row.ours <= row.peer + 1),
    "latest() and to_window(), nothing new to read": Target("at most 30 us", lambda row: row.ours <= 30),
    "frames over 25 ms (peer: bare window)": Target("at most 0.1 points more", lambda row: row.ours - row.peer <= 0.1),
}


class Failed(Exception):  # noqa: N818 - its text is all that is shown
    """A run did not give a result."""


def main() -> int:
    args = read_arguments()
    console = Console()
    runs = 1 if args.quick else args.runs
    benchmarks = {
        "gaze": lambda: measure_gaze(args.peer_python, runs, 3 if args.quick else 12, console),
        "clock": lambda: measure_clock(args.peer_python, runs, 3 if args.quick else 12, console),
        "events": lambda: measure_events(args.peer_python, runs, 4 if args.quick else 20, console),
        "scene": lambda: measure_scene(args.peer_python, runs, 3 if args.quick else 12, console),
        "window": lambda: measure_window(runs, 5 if args.quick else 60, console),
        "calm": lambda: measure_calm(1 if args.quick else 5, 3 if args.quick else 30, console),
        "mapping": lambda: measure_mapping(args.quick, console),
    }
    warn_of_others(console)
    rows: list[Row] = []
    try:
        for name in args.only or benchmarks:
            rows += benchmarks[name]()
    except (Failed, mapping_job.Failed) as error:
        console.print(f"[red]{error}")
        return 1
    console.print(as_table(rows))
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare with the official client.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the result")
    parser.add_argument("--quick", action="store_true", help="one short run of each: whether it works, not how well")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="|".join(KINDS))
    parser.add_argument("--runs", type=int, default=3, help="of each side (default: 3)")
    parser.add_argument("--peer-python", default=os.environ.get("NEON_PEER_PYTHON"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs is at least 1")
    if args.peer_python is None and set(args.only or KINDS) - WITHOUT_PEER:
        parser.error("NEON_PEER_PYTHON is not set: it names a Python that has pupil-labs-realtime-api 1.9")
    return args


# What is measured


def measure_gaze(peer_python: str, runs: int, seconds: float, console: Console) -> list[Row]:
    """Latency and CPU time of gaze."""
    with simulator("--numbered") as (address, truth):
        ours, peer = alternate("gaze", peer_python, runs, address, seconds, console)
        sent_ns = sent_times(truth, "gaze")
    by_frame = [run["by_frame"] for run in ours]
    lateness = [[late_ms(run, sent_ns) for run in side] for side in (ours, peer)]
    return [
        row("gaze latency, median", "ms", *medians(lateness, statistics.median)),
        row("gaze latency, 95 %", "ms", *medians(lateness, percentile_95)),
        # The official client can only hand over sample by sample without losing any.
        row("CPU per gaze sample", "us", *medians((by_frame, peer), lambda run: cpu_per_item(run) * 1e6)),
        row("CPU per gaze sample, each waited for", "us", *medians((ours, peer), lambda run: cpu_per_item(run) * 1e6)),
        row("gaze samples missed", "%", *medians((ours + by_frame, peer), missed_percent)),
    ]


def measure_clock(peer_python: str, runs: int, seconds: float, console: Console) -> list[Row]:
    """Error of the phone's clock, on a network whose one way is worse than the other."""
    with simulator("--uneven") as (address, truth):
        ours, peer = alternate("clock", peer_python, runs, address, seconds, console)
        records = (json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines())
        phone = PhoneClock.from_truth(records)

    def errors_ms(run: Any) -> list[float]:
        return [abs(device_ns - phone.device_ns(host_ns)) / 1e6 for host_ns, device_ns, *_ in run["looked"]]

    holds = all(
        abs(device_ns - phone.device_ns(host_ns)) <= bound_ns
        for run in ours
        for host_ns, device_ns, bound_ns in run["looked"]
    )
    if not holds:
        raise Failed("clock: an error was larger than its bound")
    return [
        row("clock error, median", "ms", *medians((ours, peer), lambda run: statistics.median(errors_ms(run)))),
        row("clock error, largest", "ms", *medians((ours, peer), lambda run: max(errors_ms(run)))),
    ]


def measure_events(peer_python: str, runs: int, seconds: float, console: Console) -> list[Row]:
    """What an event costs the frame that sends it."""
    with simulator() as (address, _):
        ours, peer = alternate("events", peer_python, runs, address, seconds, console)
    if any(run["confirmed"] != len(run["calls_us"]) for run in ours):
        raise Failed("events: some were not confirmed")
    calls = [[run["calls_us"] for run in side] for side in (ours, peer)]
    work = [run["work_ms"] for run in ours], [run["bare_work_ms"] for run in ours]
    return [
        row("event, time of the call, median", "us", *medians(calls, statistics.median)),
        row("event, time of the call, 99.9 %", "us", *medians(calls, lambda run: quantile(run, 0.999))),
        row("frame with an event, work, median (peer: without)", "ms", *medians(work, statistics.median)),
        row("frame with an event, work, 99 % (peer: without)", "ms", *medians(work, lambda run: quantile(run, 0.99))),
    ]


def measure_scene(peer_python: str, runs: int, seconds: float, console: Console) -> list[Row]:
    """Latency and CPU time of scene video."""
    with simulator("--numbered") as (address, truth):
        ours, peer = alternate("scene", peer_python, runs, address, seconds, console)
        sent_ns = sent_times(truth, "frame")
    lateness = [[late_ms(run, sent_ns) for run in side] for side in (ours, peer)]
    return [
        row("scene latency, median", "ms", *medians(lateness, statistics.median)),
        row("scene latency, 95 %", "ms", *medians(lateness, percentile_95)),
        row("CPU per scene frame", "ms", *medians((ours, peer), lambda run: cpu_per_item(run) * 1e3)),
        row("scene frames missed", "%", *medians((ours, peer), missed_percent)),
    ]


def measure_window(runs: int, seconds: float, console: Console) -> list[Row]:
    """Long frames of a window, alone and with everything that streams."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        raise Failed("window: there is no screen; nox -s bench brings a virtual one")
    streaming, bare = [], []
    with simulator() as (address, _):
        for number in range(runs):
            console.print(f"window, run {number + 1} of {runs}")
            streaming.append(run_script(OURS, "window", seconds, address, limit_s=seconds + 60))
            # The simulator, which is a phone in real life, works as hard beside the bare window.
            status = parse_status(requests.get(f"http://{address}/api/status", timeout=5).json()["result"])
            gaze, world = status.sensor("gaze"), status.sensor("world")
            assert gaze is not None
            assert world is not None
            with unread(gaze, "application"), unread(world, "video"):
                bare.append(run_script(OURS, "window", seconds, limit_s=seconds + 60))
    with_gaze = min(run["frames_with_gaze"] for run in streaming)
    if with_gaze < 0.9:
        raise Failed(f"window: only {with_gaze:.0%} of the frames had gaze ({streaming[-1]['reason']})")
    return [
        row("frames over 25 ms (peer: bare window)", "%", *medians((streaming, bare), long_percent)),
        row("longest frame (peer: bare window)", "ms", *medians((streaming, bare), lambda run: max(kept(run)))),
        row("latest() and to_window(), with what has come", "us", median_call(streaming, "call_us"), 0),
        row("latest() and to_window(), nothing new to read", "us", median_call(streaming, "again_us"), 0),
        row("processor time lost to the host", "%", *medians((streaming, bare), lambda run: run["taken_percent"])),
    ]


def measure_calm(runs: int, seconds: float, console: Console) -> list[Row]:
    """What scene, tags and mapping do to the latency of gaze, taken in turn with gaze alone."""
    mapped, alone = [], []
    with simulator() as (address, truth):
        status = parse_status(requests.get(f"http://{address}/api/status", timeout=5).json()["result"])
        world, imu = status.sensor("world"), status.sensor("imu")
        assert world is not None
        assert imu is not None
        for number in range(runs):
            console.print(f"calm, run {number + 1} of {runs}")
            mapped.append(run_script(OURS, "ours_calm", address, seconds, "mapped", limit_s=3 * seconds + 30))
            with unread(world, "video"), unread(imu, "application"):  # the phone works as hard
                alone.append(run_script(OURS, "ours_calm", address, seconds, limit_s=3 * seconds + 30))
        records = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    sent = sorted(
        (each["device_ns"], each["sent_ns"]) for each in records if each["kind"] == "gaze" and each["sent_ns"]
    )
    lateness = [[late_by_time_ms(run, sent) for run in side] for side in (mapped, alone)]
    shares = [run["reasons"].get("mapped", 0) / sum(run["reasons"].values()) for run in mapped]
    return [
        row("gaze beside mapping (peer: alone), median", "ms", *medians(lateness, statistics.median)),
        row("gaze beside mapping (peer: alone), 99 %", "ms", *medians(lateness, lambda run: quantile(run, 0.99))),
        row("frames mapped meanwhile", "%", 100 * statistics.median(shares), 100),
    ]


def measure_mapping(is_quick: bool, console: Console) -> list[Row]:
    """Error on the screen and CPU time of mapping, on rendered scenes."""
    outcomes = mapping.judge(mapping.read_arguments(["--quick"] if is_quick else []), console)
    return [row(*each) for each in mapping.compared(outcomes)]


def row(name: str, unit: str, ours: float, peer: float) -> Row:
    return Row(name, unit, round(ours, 4), round(peer, 4), round(ours / peer, 4) if peer else None)


def medians(sides: Sequence[Sequence[Any]], of: Callable[[Any], float]) -> tuple[float, float]:
    """Of each side the median over its runs."""
    ours, peer = (statistics.median(of(run) for run in side) for side in sides)
    return ours, peer


def sent_times(truth: Path, kind: str) -> dict[int, int]:
    """When each datum was sent, by its number."""
    records = (json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines())
    return {each["number"]: each["sent_ns"] for each in records if each["kind"] == kind and each["sent_ns"]}


def late_ms(run: Any, sent_ns: dict[int, int]) -> list[float]:
    """From being sent to being in the user's hands."""
    return [(at_ns - sent_ns[number]) / 1e6 for number, at_ns in run["received"]]


def late_by_time_ms(run: Any, sent: list[tuple[int, int]]) -> list[float]:
    """The same where data are known by their device times, which stream clocks round a little."""
    times = [device_ns for device_ns, _ in sent]
    late = []
    for device_ns, at_ns in run["received"]:
        place = bisect.bisect(times, device_ns)
        _, sent_ns = min(sent[max(place - 1, 0) : place + 1], key=lambda each: abs(each[0] - device_ns))
        late.append((at_ns - sent_ns) / 1e6)
    return late


def percentile_95(values: list[float]) -> float:
    return quantile(values, 0.95)


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all does not exceed."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def cpu_per_item(run: Any) -> float:
    return run["cpu_s_per_item"]


def missed_percent(run: Any) -> float:
    numbers = {number for number, _ in run["received"]}
    return 100 * (1 - len(numbers) / (max(numbers) - min(numbers) + 1))


def median_call(runs: list[Any], name: str) -> float:
    return statistics.median(statistics.median(run[name]) for run in runs)


def long_percent(run: Any) -> float:
    frames = kept(run)
    return 100 * sum(each > LONG_FRAME_MS for each in frames) / len(frames)


def kept(run: Any) -> list[float]:
    """Frames after the first second."""
    return run["frames_ms"][FRAMES_LEFT_OUT:]


# Processes


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
    command = [python, str(HERE / f"{name}.py"), *map(str, arguments)]
    environment = dict(os.environ)
    if python != OURS:  # the other side finds nothing of ours
        environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, env=environment)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{name} did not end within {limit_s:g} s") from error
    if done.returncode != 0:
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


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


def as_table(rows: list[Row]) -> Table:
    table = Table()
    for title, side in (("", "left"), ("unit", "left"), ("ours", "right"), ("peer", "right"), ("ratio", "right")):
        table.add_column(title, justify=side)  # type: ignore[arg-type]
    table.add_column("target")
    for each in rows:
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        target = TARGETS.get(each.name)
        verdict = "" if target is None else f"{'[green]pass' if target.is_met(each) else '[red]FAIL'}[/]: {target.text}"
        table.add_row(each.name, each.unit, f"{each.ours:.3f}", f"{each.peer:.3f}", ratio, verdict)
    return table


if __name__ == "__main__":
    sys.exit(main())

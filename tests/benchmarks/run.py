"""Benchmarks beside the official client; ``nox -s bench`` runs this.

Every run is a process of its own against one simulated Neon, which is another; ours and theirs alternate. What is
printed are medians over the runs. The official client's Python is named by NEON_PEER_PYTHON, the one of the official
plugin by NEON_PLUGIN_PYTHON.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import builder
import mapping
import mapping_job
import requests
from processes import OURS, Failed, alternate, run_script, simulator, warn_of_others
from result import Row, as_markdown, as_table, medians, percentile_95, quantile, row
from rich.console import Console
from unread import unread

from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.wire.status import parse_status

LONG_FRAME_MS = 25.0
FRAMES_LEFT_OUT = 60
KINDS = ("gaze", "clock", "events", "scene", "window", "calm", "mapping", "builder")
WITHOUT_PEER = {"window", "calm", "mapping", "builder"}


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
        "builder": lambda: builder.measure(args.plugin_python, runs, 4 if args.quick else 20, console),
    }
    warn_of_others(console)
    parts: dict[str, list[Row]] = {}
    try:
        for name in args.only or benchmarks:
            parts[name] = benchmarks[name]()
    except (Failed, mapping_job.Failed) as error:
        console.print(f"[red]{error}")
        return 1
    rows = [each for part in parts.values() for each in part]
    console.print(as_table(rows))
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    if args.docs is not None and "builder" in parts:
        (args.docs / builder.TABLE).write_text(as_markdown(parts["builder"]), encoding="utf-8")
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare with the official client.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the result")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="write the manual's table of the kind builder")
    parser.add_argument("--quick", action="store_true", help="one short run of each: whether it works, not how well")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="|".join(KINDS))
    parser.add_argument("--runs", type=int, default=3, help="of each side (default: 3)")
    parser.add_argument("--peer-python", default=os.environ.get("NEON_PEER_PYTHON"), help=argparse.SUPPRESS)
    parser.add_argument("--plugin-python", default=os.environ.get("NEON_PLUGIN_PYTHON"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs is at least 1")
    if args.peer_python is None and set(args.only or KINDS) - WITHOUT_PEER:
        parser.error("NEON_PEER_PYTHON is not set: it names a Python that has pupil-labs-realtime-api 1.9")
    if args.plugin_python is None and "builder" in (args.only or KINDS):
        parser.error("NEON_PLUGIN_PYTHON is not set: it names a Python that has the packages of the group builder-peer")
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


if __name__ == "__main__":
    sys.exit(main())

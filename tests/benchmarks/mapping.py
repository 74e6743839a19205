"""Our mapper, real-time-screen-gaze and pupil-apriltags on the same rendered scenes; ``nox -s judge`` runs this.

What is printed are distances on the screen, in px, between where a mapper puts a place and where it is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mapping_job import SIDES, Failed, job_of, map_by_corners, run_side
from mapping_record import Outcome, Record, summary
from mapping_report import as_json, as_markdown, as_table, verdicts
from rich.console import Console
from scenes import SETS, SceneSet, rendered, truth_of

FRAMES = 100
QUICK = ("clean", "hard", "turning 50")


def main() -> int:
    args = read_arguments()
    console = Console()
    try:
        outcomes = judge(args, console)
    except Failed as error:
        console.print(f"[red]{error}")
        return 1
    if args.json is not None:
        args.json.write_text(json.dumps(as_json(outcomes), indent=2) + "\n", encoding="utf-8")
    if args.docs is not None:
        from mapping_plots import draw_all  # matplotlib, which only this needs

        (args.docs / "includes/mapping_benchmark.md").write_text(as_markdown(outcomes), encoding="utf-8")
        draw_all(outcomes, args.seed, args.judge_python, args.docs / "images")
    return 0


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the mapper by rendered scenes.")
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"of each sequence (default: {FRAMES})")
    parser.add_argument("--repeats", type=int, default=1, help="sequences of each kind, each with its own seed")
    parser.add_argument("--quick", action="store_true", help="three short sequences: whether it works, not how well")
    parser.add_argument("--only", action="append", choices=SETS, metavar="SET", help="one kind; again for more")
    parser.add_argument("--side", action="append", choices=SIDES, help="one mapper; again for more")
    parser.add_argument("--seed", type=int, default=1, help="of the first sequence of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the result")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="write the manual's table and pictures")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep rendered frames there (2 MB each)")
    parser.add_argument("--judge-python", default=os.environ.get("NEON_JUDGE_PYTHON"), help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    if min(args.frames, args.repeats) < 1:
        parser.error("--frames and --repeats are at least 1")
    args.side = args.side or list(SIDES)
    if args.quick:
        args.frames, args.only = min(args.frames, 20), args.only or list(QUICK)
    if args.judge_python is None and (args.side != ["ours"] or args.docs):
        parser.error("NEON_JUDGE_PYTHON is not set: it names a Python that has the packages of the group judge")
    return args


def judge(args: argparse.Namespace, console: Console) -> list[Outcome]:
    """Let the mappers work on all sequences; what they did, which is also printed."""
    outcomes = []
    for name in args.only or SETS:
        console.print(f"{name}: {SETS[name].says}")
        outcomes.append(measure(SETS[name], args))
    console.print(as_table(outcomes))
    for text, is_met in verdicts(outcomes):
        console.print(f"{'[green]pass' if is_met else '[red]FAIL'}[/]: {text}")
    return outcomes


def compared(outcomes: list[Outcome]) -> list[tuple[str, str, float, float]]:
    """The lines in which ours and the peer can be compared: name, unit, ours, peer."""
    found = []
    for outcome in outcomes:
        ours, peer = outcome.sides["ours"], outcome.sides["peer"]
        if ours.median_px is not None and peer.median_px is not None:
            found.append((f"mapping, {outcome.name}: error, median", "px", ours.median_px, peer.median_px))
        found.append((f"mapping, {outcome.name}: CPU per frame", "ms", ours.cpu_ms, peer.cpu_ms))
    return found


def measure(scene: SceneSet, args: argparse.Namespace) -> Outcome:
    """Let every mapper work on the sequences of one kind, one mapper after the other."""
    records = {side: Record() for side in args.side}
    for seed in range(args.seed, args.seed + args.repeats):
        truth = truth_of(scene, args.frames, seed)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            job, places = job_of(truth, rendered(scene, truth, seed, args.cache or folder))
            np.savez(folder / "job.npz", **job)
            for side, record in records.items():
                result = run_side(side, args.judge_python, folder / "job.npz", folder / f"{side}.npz")
                if "corners" in result:
                    result["places"], result["live"] = map_by_corners(result["corners"], job, truth)
                record.add(result, places, truth)
    sides = {side: summary(record) for side, record in records.items()}
    return Outcome(scene.name, scene.says, args.frames * args.repeats, records, sides)


if __name__ == "__main__":
    sys.exit(main())

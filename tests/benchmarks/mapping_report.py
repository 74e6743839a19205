"""What the benchmark of mapping prints and writes, and what is asked of the mapper."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mapping_record import Outcome, Side
from rich.table import Table

COLUMNS = {
    "median": ("median_px", "{:.2f}"),
    "95 %": ("p95_px", "{:.2f}"),
    "largest": ("max_px", "{:.1f}"),
    "live": ("live_px", "{:.1f}"),
    "live 95 %": ("live_p95_px", "{:.1f}"),
    "live %": ("live_percent", "{:.0f}"),
    "later": ("interpolated_px", "{:.2f}"),
    "later 95 %": ("interpolated_p95_px", "{:.2f}"),
    "mapped %": ("mapped_percent", "{:.1f}"),
    "CPU ms": ("cpu_ms", "{:.1f}"),
    "CPU 95 %": ("cpu_p95_ms", "{:.1f}"),
    "wall ms": ("wall_ms", "{:.1f}"),
    "searched %": ("searched_percent", "{:.0f}"),
    "of expected": ("ratio", "{:.2f}"),
    "over 4 %": ("over_4_percent", "{:.2f}"),
}
BY = {"ours": "psychopy-neon", "peer": "real-time-screen-gaze", "judge": "pupil-apriltags"}
TABLES = {
    "Error of each frame's pose, px: median / 95 % / largest": [
        (heading, by, ("median_px", "p95_px", "max_px"), "{:.2f}") for by, heading in BY.items()
    ],
    "Error of gaze, px: median / 95 %": [
        *((f"{heading}, live", by, ("live_px", "live_p95_px"), "{:.1f}") for by, heading in BY.items()),
        ("psychopy-neon, one frame later", "ours", ("interpolated_px", "interpolated_p95_px"), "{:.2f}"),
    ],
    "Gaze samples that were mapped live, %, and what psychopy-neon expected": [
        *((heading, by, ("live_percent",), "{:.1f}") for by, heading in BY.items()),
        ("error / expected", "ours", ("live_ratio",), "{:.2f}"),
        ("samples over 4 times, %", "ours", ("live_over_4_percent",), "{:.2f}"),
    ],
    "Frames that gave a pose, %, and what psychopy-neon expected": [
        *((heading, by, ("mapped_percent",), "{:.1f}") for by, heading in BY.items()),
        ("error / expected", "ours", ("ratio",), "{:.2f}"),
        ("frames over 4 times, %", "ours", ("over_4_percent",), "{:.2f}"),
    ],
    "Processor time of a frame, ms: median / 95 %": [
        *((heading, by, ("cpu_ms", "cpu_p95_ms"), "{:.1f}") for by, heading in BY.items()),
        ("psychopy-neon searched, %", "ours", ("searched_percent",), "{:.0f}"),
    ],
}
"""Of the manual: title, and for each column its heading, the mapper, the values and how they are written."""
LIMITS_PX = {"clean": (0.12, 0.3), "clean, H.264": (0.12, 0.3), "hard": (0.2, 0.6), "hard, H.264": (0.2, 0.6)}
"""Median and 95th percentile."""
CPU_MS, CPU_P95_MS, SEARCHED_PERCENT = 2.0, 4.0, 10.0
OF_JUDGE_PX, OF_JUDGE_CPU = 1.2, 0.1
LIVE_OF_PEER, LATER_OF_PEER = 0.5, 0.25
OVER_4_PERCENT = 0.1


def as_table(outcomes: list[Outcome]) -> Table:
    table = Table()
    table.add_column("scene")
    table.add_column("by")
    for title in COLUMNS:
        table.add_column(title, justify="right")
    for outcome in outcomes:
        for name, by, cells in lines(outcome):
            table.add_row(name, by, *cells)
        table.add_section()
    return table


def as_markdown(outcomes: list[Outcome]) -> str:
    """The manual's tables and, below them, what was asked."""
    tables = []
    for title, columns in TABLES.items():
        head = ["scene", *(heading for heading, *_ in columns)]
        rows = [[outcome.name, *(cell(outcome, *column[1:]) for column in columns)] for outcome in outcomes]
        rule = ["---", *["---:"] * len(columns)]
        body = "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))
        tables.append(f"**{title}**\n\n{body}\n")
    asked = "".join(f"- {'yes' if is_met else '**no**'}: {text}\n" for text, is_met in verdicts(outcomes))
    lost = "".join(f"- {text}\n" for text in lost_to_peer(outcomes)) or "None.\n"
    return f"{''.join(tables)}**Asked, and whether it is so**\n\n{asked}\n**Lost to real-time-screen-gaze**\n\n{lost}"


def lost_to_peer(outcomes: list[Outcome]) -> list[str]:
    """Every number in which the peer is better."""
    found = []
    for outcome in outcomes:
        ours, peer = outcome.sides.get("ours"), outcome.sides.get("peer")
        if ours is None or peer is None or outcome.name == "no tags":
            continue
        for title, (name, form) in COLUMNS.items():
            mine, other = getattr(ours, name), getattr(peer, name)
            if other is not None and (mine is None or (mine < other if name.endswith("_percent") else mine > other)):
                told = "none" if mine is None else form.format(mine)
                found.append(f"{outcome.name}, {title}: {told}, and {form.format(other)} there")
    return found


def cell(outcome: Outcome, by: str, names: tuple[str, ...], form: str) -> str:
    """Values of one mapper, with a stroke between; empty where it has none."""
    side = outcome.sides.get(by)
    values = [None if side is None else getattr(side, name) for name in names]
    return "" if None in values else " / ".join(form.format(value) for value in values)


def as_json(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "name": outcome.name,
            "says": outcome.says,
            "frames": outcome.frames,
            "sides": {by: asdict(side) for by, side in outcome.sides.items()},
        }
        for outcome in outcomes
    ]


def lines(outcome: Outcome) -> list[tuple[str, str, list[str]]]:
    """Scene (at its first line only), mapper, and the cells."""
    found = []
    for number, (by, side) in enumerate(outcome.sides.items()):
        values = ((getattr(side, name), form) for name, form in COLUMNS.values())
        cells = ["" if value is None else form.format(value) for value, form in values]
        found.append(("" if number else outcome.name, by, cells))
    return found


def verdicts(outcomes: list[Outcome]) -> list[tuple[str, bool]]:
    """What was asked of those sequences that were run, with the numbers, and whether it is so."""
    found: list[tuple[str, bool]] = []
    for outcome in outcomes:
        ours, peer, judge = (outcome.sides.get(by) for by in ("ours", "peer", "judge"))
        if ours is not None and outcome.name == "no tags":
            found.append(at_most("no tags: frames that gave a pose, %", ours.mapped_percent, 0))
        if ours is None or ours.median_px is None or ours.p95_px is None:
            continue
        if outcome.name in LIMITS_PX:
            found += still_verdicts(outcome.name, ours, judge)
        if outcome.name == "hard" and peer is not None:
            text = f"hard: {ours.mapped_percent:.1f} % of the frames mapped, no fewer than the peer's"
            found.append((f"{text} {peer.mapped_percent:.1f} %", ours.mapped_percent >= peer.mapped_percent))
        if outcome.name == "turning 50" and peer is not None:
            found += turning_verdicts(outcome.name, ours, peer)
    return found + honesty_verdicts(outcomes)


def still_verdicts(name: str, ours: Side, judge: Side | None) -> list[tuple[str, bool]]:
    assert ours.median_px is not None
    assert ours.p95_px is not None
    assert ours.searched_percent is not None
    median_px, p95_px = LIMITS_PX[name]
    found = [
        at_most(f"{name}: error, median, px", ours.median_px, median_px),
        at_most(f"{name}: error, 95 %, px", ours.p95_px, p95_px),
        at_most(f"{name}: CPU per frame, median, ms", ours.cpu_ms, CPU_MS),
        at_most(f"{name}: CPU per frame, 95 %, ms", ours.cpu_p95_ms, CPU_P95_MS),
        at_most(f"{name}: whole image searched, % of frames", ours.searched_percent, SEARCHED_PERCENT),
    ]
    if judge is not None and judge.median_px is not None:
        found += [
            at_most(f"{name}: error, median, of the judge's", ours.median_px / judge.median_px, OF_JUDGE_PX),
            at_most(f"{name}: CPU per frame, median, of the judge's", ours.cpu_ms / judge.cpu_ms, OF_JUDGE_CPU),
        ]
    return found


def turning_verdicts(name: str, ours: Side, peer: Side) -> list[tuple[str, bool]]:
    found = []
    if ours.live_px is not None and peer.live_px is not None:
        found.append(at_most(f"{name}: live error, median, of the peer's", ours.live_px / peer.live_px, LIVE_OF_PEER))
        if ours.interpolated_px is not None:
            share = ours.interpolated_px / peer.live_px
            found.append(at_most(f"{name}: error one frame later, median, of the peer's", share, LATER_OF_PEER))
    return found


def honesty_verdicts(outcomes: list[Outcome]) -> list[tuple[str, bool]]:
    """Over the frames of all sequences."""
    ours = [(outcome.frames, outcome.sides["ours"]) for outcome in outcomes if "ours" in outcome.sides]
    counted = [
        (frames * side.mapped_percent / 100, side.over_4_percent)
        for frames, side in ours
        if side.over_4_percent is not None
    ]
    total = sum(frames for frames, _ in counted)
    if not total:
        return []
    percent = sum(frames * share for frames, share in counted) / total
    return [at_most(f"all: over four times the expected error, % of {total:.0f} frames", percent, OVER_4_PERCENT)]


def at_most(text: str, value: float, limit: float) -> tuple[str, bool]:
    return f"{text}: {value:.3g} (at most {limit:g})", value <= limit

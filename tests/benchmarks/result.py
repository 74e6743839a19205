"""Lines of the benchmarks' result, what they are to reach, and how runs become one number."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table


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
    "gaze beside mapping (peer: alone), median": Target("at most 0.05 more", lambda row: row.ours <= row.peer + 0.05),
    "gaze beside mapping (peer: alone), 99 %": Target("at most 1 more", lambda row: row.ours <= row.peer + 1),
    "latest() and to_window(), nothing new to read": Target("at most 30 us", lambda row: row.ours <= 30),
    "age of gaze at the flip, median": Target("at most 4", lambda row: row.ours <= 4),
    "age of gaze at the flip, 95 %": Target("at most 7", lambda row: row.ours <= 7),
    "samples stored of those sent": Target("at least 99.9", lambda row: row.ours >= 99.9),
    "event against its flip, largest": Target("at most 1.5", lambda row: row.ours <= 1.5),
    "gaze on the screen, above ioHub with MouseGaze": Target("at most 1.5", lambda row: row.ours <= 1.5),
    "activatePlugins() above a stub": Target("at most 0.1", lambda row: row.ours <= 0.1),
    "frames over 25 ms (peer: bare window)": Target("at most 0.1 points more", lambda row: row.ours - row.peer <= 0.1),
}


def row(name: str, unit: str, ours: float, peer: float) -> Row:
    return Row(name, unit, round(ours, 4), round(peer, 4), round(ours / peer, 4) if peer else None)


def medians(sides: Sequence[Sequence[Any]], of: Callable[[Any], float]) -> tuple[float, float]:
    """Of each side the median over its runs."""
    ours, peer = (statistics.median(of(run) for run in side) for side in sides)
    return ours, peer


def percentile_95(values: list[float]) -> float:
    return quantile(values, 0.95)


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all does not exceed."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


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


def as_markdown(rows: list[Row]) -> str:
    """The same for the manual."""
    lines = ["| | unit | psychopy-neon | official plugin | asked for |", "| --- | --- | ---: | ---: | --- |"]
    for each in rows:
        target = TARGETS.get(each.name)
        verdict = "" if target is None else f"{target.text}{'' if target.is_met(each) else ' (missed)'}"
        lines.append(f"| {each.name} | {each.unit} | {each.ours:.4g} | {each.peer:.4g} | {verdict} |")
    return "\n".join(lines) + "\n"

"""A thousand networks and phones against the clock estimator, without a socket: ``nox -s study`` runs this.

Every path is a minute of echoes at the pace of the client, over a network of the simulator's kind and with a phone
whose true clock is known. Once a second the estimate is compared with the truth, and with what the official client's
formula makes of the last hundred echoes. All of it comes from the seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from psychopy_neon.simulator.echo_paths import PATHS, EchoPath, EchoPathSpec
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.timing.offset import Exchange, OffsetEstimator
from psychopy_neon.timing.pace import pause_s

MS, S = 1_000_000, 1_000_000_000
SECONDS = 60
PEER_ECHOES = 100
"""What the official client takes for one estimate."""
WAKE_UP_NS = 100_000
"""A thread that sleeps comes back this much late, on average."""
UNEVEN = PATHS["uneven"]
Change = Callable[[PhoneClock, random.Random, int], object]


def drift_to(ppm: float) -> Change:
    return lambda clock, rng, at_ns: clock.set_drift(ppm, at_ns)


def slew(rate_ppm: float) -> Change:
    return lambda clock, rng, at_ns: clock.slew(round(rate_ppm * 1e-6 * rng.uniform(1, 15) * S), 500.0, at_ns)


def step(step_ns: int) -> Change:
    return lambda clock, rng, at_ns: clock.step(step_ns, at_ns)


@dataclass(frozen=True)
class Case:
    """One kind of network and phone; the change comes at a random time."""

    name: str
    paths: int
    spec: EchoPathSpec
    change: Change | None = None
    limits_ms: tuple[float, float, float] | None = None
    """Asked of the median and the 99th percentile of the error, and of the median of the bound."""


UNEVEN_8 = replace(UNEVEN, out_jitter_ms=8.0, back_jitter_ms=2.6)
EVEN_8 = replace(UNEVEN, out_jitter_ms=8.0, back_jitter_ms=8.0)
CASES = (
    Case("4 ms out, 1.3 ms back", 250, UNEVEN, limits_ms=(0.15, 0.4, 0.6)),
    Case("8 ms out, 2.6 ms back", 100, UNEVEN_8, limits_ms=(0.3, 0.8, 1.2)),
    Case("8 ms out, 8 ms back", 100, EVEN_8, limits_ms=(0.3, 0.8, 1.2)),
    Case("drift turns to 20 ppm", 70, UNEVEN, drift_to(20)),
    Case("drift turns to -40 ppm", 70, UNEVEN, drift_to(-40)),
    Case("slewed forward, 500 ppm", 70, UNEVEN, slew(500)),
    Case("slewed back, 500 ppm", 70, UNEVEN, slew(-500)),
    Case("one echo in 50 is 150 to 300 ms late", 70, replace(UNEVEN, outlier_part=0.02)),
    Case("set forward by 1.7 s", 50, UNEVEN, step(1700 * MS)),
    Case("set back by 1.7 s", 50, UNEVEN, step(-1700 * MS)),
    Case("bursts of congestion", 50, PATHS["wifi-busy"]),
    Case("phone that dozes between beacons", 50, PATHS["power-save"]),
)


@dataclass(frozen=True)
class Outcome:
    """Of one path: what was found each second, ms, and how far off the step was dated."""

    second: npt.NDArray[np.float64]
    error_ms: npt.NDArray[np.float64]
    bound_ms: npt.NDArray[np.float64]
    peer_error_ms: npt.NDArray[np.float64]
    echoes: int
    dated_within_ms: float | None
    blind: int
    """Seconds between a step and the first echo after it, of which nobody can know; they are left out of the rest."""


def run_path(task: tuple[int, int]) -> Outcome:
    """One minute."""
    index, number = task
    case = CASES[index]
    rng = random.Random(f"clock study/{index}/{number}")
    start_ns = rng.randrange(10**15)
    clock = PhoneClock(rng.randrange(-(10**12), 10**12), 40.0, (start_ns, 1_700_000_000 * S))
    change_ns = start_ns + round(rng.uniform(15, 45) * S)
    if case.change is not None:
        case.change(clock, rng, change_ns)
    path = EchoPath(case.spec, number, start_ns)
    estimator, recent = OffsetEstimator(), deque[Exchange](maxlen=PEER_ECHOES)
    rows: list[tuple[float, ...]] = []
    now_ns, echoes, began_ns = start_ns, 0, (0, 0)
    while now_ns < start_ns + SECONDS * S:
        exchange = ask(clock, path, now_ns)
        # What was known at the full seconds until this echo came back.
        while (asked_ns := start_ns + (len(rows) + 1) * S) < min(exchange.received_ns, start_ns + SECONDS * S):
            rows.append(look(estimator, recent, clock, asked_ns))
        estimator.add(exchange)
        recent.append(exchange)
        echoes += 1
        if estimator.segment == 1 and began_ns == (0, 0):
            began_ns = estimator.began_ns
        pause_ns = round(pause_s(estimator.current, estimator.is_doubtful) * S + rng.expovariate(1 / WAKE_UP_NS))
        now_ns = max(exchange.received_ns, now_ns + pause_ns)
    table, second = np.array(rows), np.arange(1, len(rows) + 1)
    dated = None
    if began_ns != (0, 0):
        is_inside = began_ns[0] <= change_ns <= began_ns[1]
        dated = (began_ns[1] - began_ns[0]) / MS if is_inside else float("inf")
    is_blind = (start_ns + second * S >= change_ns) & (start_ns + second * S < began_ns[1])
    return Outcome(second[~is_blind], *table[~is_blind].T, echoes, dated, int(is_blind.sum()))


def ask(clock: PhoneClock, path: EchoPath, sent_ns: int) -> Exchange:
    """One echo; the phone cuts its time to whole milliseconds."""
    read_ns = sent_ns + path.out_ns(sent_ns)
    return Exchange(sent_ns, read_ns + path.back_ns(read_ns), clock.device_ns(read_ns) // MS)


def look(
    estimator: OffsetEstimator, recent: deque[Exchange], clock: PhoneClock, host_ns: int
) -> tuple[float, float, float]:
    """Error, bound and the official formula's error at a time, ms."""
    true_ns = clock.device_ns(host_ns) - host_ns
    offset = estimator.current
    assert offset is not None
    # The official client's sign is the other way round; its times are whole milliseconds.
    each = [round((echo.sent_ns // MS + echo.received_ns // MS) / 2) - echo.device_ms for echo in recent]
    peer_ns = -sum(each) / len(each) * MS
    return (offset.offset_ns - true_ns) / MS, offset.bound_at_ns(host_ns) / MS, (peer_ns - true_ns) / MS


def main() -> int:
    parser = argparse.ArgumentParser(description="Study the clock estimator.")
    parser.add_argument("--part", type=float, default=1.0, help="of the paths, to be quick (default: 1)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="save the table as Markdown")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="save the plot as PNG")
    args = parser.parse_args()
    tasks = [
        (index, number) for index, case in enumerate(CASES) for number in range(max(1, round(case.paths * args.part)))
    ]
    with multiprocessing.Pool() as pool:
        done = pool.map(run_path, tasks, chunksize=5)
    outcomes = [[each for (index, _), each in zip(tasks, done, strict=True) if index == i] for i in range(len(CASES))]
    rows = [summary(case, own) for case, own in zip(CASES, outcomes, strict=True)]
    Console(width=170).print(as_table(rows))
    if args.table is not None:
        args.table.write_text(as_markdown(rows), encoding="utf-8")
    if args.plot is not None:
        draw(outcomes, args.plot)
    return 0 if all(row[-1] != "FAIL" for row in rows) else 1


HEADER = (
    "case",
    "paths",
    "error, median / 99 %",
    "bound, median / 95 %",
    "truth inside",
    "official mean, median / 99 %",
    "echoes a second",
    "asked",
)


def summary(case: Case, outcomes: list[Outcome]) -> tuple[str, ...]:
    """One line of the table; ms."""
    error = np.abs(np.concatenate([each.error_ms for each in outcomes]))
    bound = np.concatenate([each.bound_ms for each in outcomes])
    peer = np.abs(np.concatenate([each.peer_error_ms for each in outcomes]))
    holds = int(np.sum(error <= bound))
    verdict = "pass" if holds == len(error) else "FAIL"
    found = np.median(error), np.percentile(error, 99), np.median(bound)
    if case.limits_ms is not None and any(a > b for a, b in zip(found, case.limits_ms, strict=True)):
        verdict = "FAIL"
    name, inside = case.name, f"all {len(error)}" if holds == len(error) else f"{holds} of {len(error)}"
    if any(each.dated_within_ms is not None for each in outcomes):
        worst = max(each.dated_within_ms or float("inf") for each in outcomes)
        verdict = "FAIL" if worst == float("inf") else verdict
        name += f", dated to {worst:.0f} ms"
        inside += f", {sum(each.blind for each in outcomes)} too early"
    return (
        name,
        str(len(outcomes)),
        f"{found[0]:.2f} / {found[1]:.2f}",
        f"{found[2]:.2f} / {np.percentile(bound, 95):.2f}",
        inside,
        f"{np.median(peer):.2f} / {np.percentile(peer, 99):.2f}",
        f"{np.mean([each.echoes for each in outcomes]) / SECONDS:.0f}",
        verdict,
    )


def as_table(rows: list[tuple[str, ...]]) -> Table:
    table = Table()
    for index, title in enumerate(HEADER):
        table.add_column(title, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def as_markdown(rows: list[tuple[str, ...]]) -> str:
    """The same for the manual, without the verdicts."""
    lines = [HEADER[:-1], ("---", *["---:"] * (len(HEADER) - 2)), *(row[:-1] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def draw(outcomes: list[list[Outcome]], path: Path) -> None:
    """Error and bound in the course of a minute, beside the official formula."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    shown = (0, 1, 4, 5)
    figure, axes = pyplot.subplots(2, 2, figsize=(10, 6.4), sharex=True, sharey=True, layout="constrained")
    for axis, index in zip(axes.flat, shown, strict=True):
        own = outcomes[index]
        for each in own[:40]:
            axis.plot(each.second, each.peer_error_ms, color="tab:red", alpha=0.12, linewidth=0.8)
        for each in own[:40]:
            axis.plot(each.second, each.error_ms, color="tab:blue", alpha=0.2, linewidth=0.8)
        bound = np.median([each.bound_ms for each in own], axis=0)  # no step in these: all have every second
        axis.fill_between(own[0].second, -bound, bound, color="tab:blue", alpha=0.15, linewidth=0)
        axis.set_title(CASES[index].name, fontsize=10)
        axis.set_ylim(-1.5, 4)
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("error of the offset, ms")
    for axis in axes[-1]:
        axis.set_xlabel("seconds since the connection")
    handles = [
        pyplot.Line2D([], [], color="tab:blue", label="psychopy-neon, 40 paths"),
        pyplot.Rectangle((0, 0), 1, 1, color="tab:blue", alpha=0.15, label="its bound, median"),
        pyplot.Line2D([], [], color="tab:red", label="official formula, same echoes"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())

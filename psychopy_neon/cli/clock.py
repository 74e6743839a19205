"""``psychopy-neon clock [ADDRESS]``."""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.timing.offset import Exchange
from psychopy_neon.timing.track import ClockSegment

__all__ = ["command"]

REFRESH_S = 0.25


@click.command()
@click.argument("address", required=False)
@click.option("--serial", help="Find the Neon with this serial number.")
@click.option("--name", help="Find the Neon whose phone has this name.")
@click.option("--seconds", type=float, help="How long; default: until Ctrl+C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON at the end, the whole history in it.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Save a plot (PNG) at the end."
)
@click.option("--echo-rounding", type=click.Choice(["floor", "any"]), default="floor", show_default=True)
def command(
    address: str | None,
    serial: str | None,
    name: str | None,
    seconds: float | None,
    as_json: bool,
    plot: Path | None,
    echo_rounding: Any,
) -> None:
    """Watch the clock of a Neon against this computer's: offset, bound, drift, round trips, steps.

    ADDRESS is what the Companion app shows on its Stream page; without it the one Neon of the network is taken.
    """
    if seconds is not None and not 0 < seconds < float("inf"):
        raise ConfigurationError("seconds", seconds, "above 0")
    if plot is not None:
        from psychopy_neon.cli.clock_plot import draw  # fails here, not after an hour, where matplotlib is missing
    with Neon(address, serial=serial, name=name, echo_rounding=echo_rounding) as neon:
        begin_ns = neon.host_clock.now_ns()
        exchanges: list[Exchange] = []
        with Live(console=Console(stderr=as_json), auto_refresh=False, transient=as_json) as live:
            for _ in _ticks(seconds):
                known = exchanges[-1].sent_ns if exchanges else 0
                exchanges += [each for each in neon.clock.exchanges if each.sent_ns > known]
                live.update(_table(neon, exchanges, begin_ns), refresh=True)
                neon.check_link()
        if neon.clock.newest is None:
            raise LinkError(neon.address, f"no clock offset: {neon.clock.trouble}")
        history = neon.clock.history
        if as_json:
            click.echo(json.dumps(_as_json(neon, exchanges)))
    if plot is not None:
        draw(history, exchanges, plot)
        click.echo(f"plot saved as {plot}", err=as_json)


def _ticks(seconds: float | None) -> Iterator[None]:
    """At every refresh, until the time is over or Ctrl+C."""
    end_s = None if seconds is None else time.monotonic() + seconds
    with contextlib.suppress(KeyboardInterrupt):
        while end_s is None or time.monotonic() < end_s:
            left_s = REFRESH_S if end_s is None else end_s - time.monotonic()
            time.sleep(max(min(REFRESH_S, left_s), 0.0))  # people are shown what is known, some times a second
            yield


def _table(neon: Neon, exchanges: list[Exchange], begin_ns: int) -> Table:
    clock, offset = neon.clock, neon.clock.newest
    now_ns = neon.host_clock.now_ns()
    title = f"{neon.status.phone.device_name or 'Unnamed'} at {neon.address}, {(now_ns - begin_ns) / 1e9:.0f} s"
    table = Table(show_header=False, title=title, title_justify="left")
    table.add_column(min_width=12)
    table.add_column(min_width=58)
    if offset is None:
        table.add_row("offset", f"unknown: {clock.trouble or 'first echoes'}")
        return table
    host_ns, wall_ns = neon.host_clock.wall_bracket_ns()
    ahead_ms = (offset.device_ns(host_ns) - wall_ns) / 1e6
    direction = "ahead of" if ahead_ms >= 0 else "behind"
    table.add_row("offset", f"{abs(ahead_ms):,.2f} ms {direction} this computer's wall clock")
    table.add_row("bound", f"± {offset.bound_at_ns(now_ns) / 1e6:.2f} ms")
    table.add_row("drift", f"{offset.drift_ppm:+.1f} ppm (± {offset.drift_bound_ppm:.1f})")
    trips = sorted(each.round_trip_ns / 1e6 for each in exchanges[-500:])
    shown = f"{trips[0]:.2f} ms at best, {statistics.median(trips):.2f} median, {trips[-1]:.2f} at worst"
    table.add_row("round trips", shown)
    table.add_row("echoes", f"{len(exchanges)}, {clock.outliers} of them false; rate changes: {clock.rate_changes}")
    if clock.trouble is not None:
        table.add_row("trouble", f"[red]{clock.trouble}")
    for segment in clock.history[1:]:
        table.add_row("step", _step(segment, begin_ns))
    return table


def _step(segment: ClockSegment, begin_ns: int) -> str:
    at_s = (segment.began_before_ns - begin_ns) / 1e9
    within_ms = (segment.began_before_ns - segment.began_after_ns) / 1e6
    direction = "forward" if segment.step_ns >= 0 else "back"
    return f"set {direction} by {abs(segment.step_ns) / 1e6:,.1f} ms after {at_s:.2f} s (known to {within_ms:.0f} ms)"


def _as_json(neon: Neon, exchanges: list[Exchange]) -> dict[str, Any]:
    offset, clock = neon.clock.offset, neon.clock
    host_ns, wall_ns = neon.host_clock.wall_bracket_ns()
    return {
        "address": neon.address,
        "host_ns": host_ns,
        "wall_ns": wall_ns,
        "device_minus_wall_ns": offset.device_ns(host_ns) - wall_ns,
        "bound_ns": offset.bound_at_ns(host_ns),
        "drift_ppm": offset.drift_ppm,
        "drift_bound_ppm": offset.drift_bound_ppm,
        "echoes": len(exchanges),
        "outliers": clock.outliers,
        "rate_changes": clock.rate_changes,
        "round_trip_ns": [each.round_trip_ns for each in exchanges],
        "segments": [asdict(segment) for segment in clock.history],
    }

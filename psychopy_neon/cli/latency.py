"""``psychopy-neon latency [ADDRESS]``: from the eye tracker's time stamp to the flip, leg by leg."""

from __future__ import annotations

import contextlib
import json
import runpy
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

import psychopy_neon
from psychopy_neon.cli.eye_to_pixel import analyse, delays_s, plot, read_measured, read_trials
from psychopy_neon.cli.latency_legs import (
    Display,
    PacedDisplay,
    SceneWatch,
    Uses,
    arrivals,
    locating_alone,
    use_gaze,
    wait_for_streams,
    wire,
)
from psychopy_neon.cli.layout_options import border_options, border_screen
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.screen_gaze import ScreenGazeTracker
from psychopy_neon.errors import ConfigurationError, NeonError
from psychopy_neon.screen.layout import ScreenLayout

__all__ = ["command"]

ARRIVAL_SHARE = 0.3
"""Of the time: then packets are read as they come. In the rest the loop reads them, as in an experiment."""
STREAMS_LIMIT_S = 15.0
TITLES = {
    "gaze_wire": "gaze: stamp to packet read",
    "gaze_age_at_use": "gaze: stamp to use",
    "call": "gaze: latest()",
    "wait_for_flip": "wait for the flip",
    "stamp_to_flip": "sum: stamp to flip",
    "scene_wire": "scene: stamp to last packet",
    "scene_decode": "scene: decode",
    "scene_locate": "scene: locate",
    "locate_alone": "locating alone",
    "pose_age_at_use": "pose: age at use",
}
BOUNDED = frozenset({"gaze_wire", "gaze_age_at_use", "stamp_to_flip", "scene_wire", "pose_age_at_use"})
"""Legs that begin on the phone's clock and end on this computer's."""
NOT_INCLUDED = (
    "before the stamp: the exposure of the eye cameras, as far as the phone stamps its end",
    "after the flip: the monitor, from the flip to light (its lag, and the way of the beam down the screen)",
)
WITHIN_WIRE = "What the phone computes after its stamp is part of the first leg"

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("address", required=False)
@click.option("--serial", help="Find the Neon with this serial number.")
@click.option("--name", help="Find the Neon whose phone has this name.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="How long to measure.")
@click.option("--hz", type=float, default=60.0, show_default=True, help="Rate of the flips that are simulated.")
@click.option("--window", is_flag=True, help="Measure real flips of a window of PsychoPy, with tags around its border.")
@border_options
@click.option("--measured", type=_FILE, metavar="CSV", help="Instead: what a camera or photodiode saw, see the manual.")
@click.option("--trials", type=_FILE, metavar="CSV", help="With it: trials.csv of the demo eye_to_pixel.")
@click.option("--monitor-ms", type=float, help="With it: from flip to light.")
@click.option("--plot", "plot_file", type=_FILE, metavar="PNG", help="With it: save how the delays are distributed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    address: str | None,
    serial: str | None,
    name: str | None,
    seconds: float,
    hz: float,
    window: bool,
    as_json: bool,
    measured: Path | None,
    trials: Path | None,
    monitor_ms: float | None,
    plot_file: Path | None,
    **border: Any,
) -> None:
    """Measure how late gaze is when it is shown, leg by leg, without any hardware.

    ADDRESS is what the Companion app shows on its Stream page; without it the one Neon of the network is taken. Without
    --screen (or --window) gaze is not mapped. What the eye tracker does before its stamp and the monitor after the flip
    takes a LED and a camera: psychopy-neon demo eye_to_pixel.
    """
    if measured is not None:
        _tell_measured(measured, trials, monitor_ms, plot_file, as_json)
        return
    for option, value in (("trials", trials), ("monitor_ms", monitor_ms), ("plot", plot_file)):
        if value is not None:
            raise ConfigurationError(option, str(value), "with --measured only")
    if not 1 <= seconds < float("inf"):
        raise ConfigurationError("seconds", seconds, "1 or more")
    if not 1 <= hz <= 1000:
        raise ConfigurationError("hz", hz, "1 to 1000")
    layout = border_screen(**border)
    if window and layout is not None:
        raise ConfigurationError("screen", border["screen"], "nothing: --window brings its own tags")
    with contextlib.ExitStack() as stack:
        inner = stack.enter_context(_window()) if window else None
        neon = stack.enter_context(Neon(address, serial=serial, name=name))
        display = inner if inner is not None and inner.waits else PacedDisplay(hz, neon.host_clock.now_ns, inner)
        told = _measure(neon, layout if inner is None else inner.layout, display, seconds)
    told["flips"] = "simulated" if inner is None else "window" if inner.waits else "window, paced by the clock"
    if as_json:
        click.echo(json.dumps(told))
    else:
        _print(told)


def _measure(neon: Neon, layout: ScreenLayout | None, display: Display, seconds: float) -> dict[str, Any]:
    tracker = ScreenGazeTracker(neon, layout) if layout is not None else None
    missing = wait_for_streams(neon, tracker, display, STREAMS_LIMIT_S)
    scene = SceneWatch(neon, tracker)
    came = arrivals(neon, ARRIVAL_SHARE * seconds)
    uses = use_gaze(neon, tracker, display, (1 - ARRIVAL_SHARE) * seconds)
    legs = {"gaze_wire": wire(came), "gaze_age_at_use": uses.age, "call": uses.call}
    legs |= {"wait_for_flip": uses.wait, "stamp_to_flip": uses.sum}
    legs |= {"scene_wire": scene.wire, "scene_decode": scene.decode, "scene_locate": scene.locate}
    if layout is not None and missing is None:
        legs["locate_alone"] = locating_alone(neon, layout, list(scene.frames))
        legs["pose_age_at_use"] = uses.pose_age
    return {
        "address": neon.address,
        "legs": {leg: each.as_json() for leg, each in legs.items() if each.values_ms},
        **_facts(neon, uses, tracker),
    }


def _facts(neon: Neon, uses: Uses, tracker: ScreenGazeTracker | None) -> dict[str, Any]:
    bound_ns = statistics.median(uses.bounds_ns) if uses.bounds_ns else None
    unmapped = sum(uses.reasons.values())
    return {
        "bound_ms": None if bound_ns is None else round(bound_ns / 1e6, 3),
        "clock_trouble": neon.clock.trouble,
        "gaze_rate_hz": round(neon.gaze.health.rate_hz, 1),
        "scene_rate_hz": round(neon.scene.health.rate_hz, 1),
        "uses": uses.flips,
        "mapped_share": round(1 - unmapped / uses.flips, 4) if tracker is not None and uses.flips else None,
        "no_gaze_because": {reason.name: count for reason, count in uses.reasons.items()},
        "not_included": list(NOT_INCLUDED),
    }


@contextlib.contextmanager
def _window() -> Iterator[Any]:
    """A window of PsychoPy's with tags; what it can do stands in its script."""
    package = Path(psychopy_neon.__file__).parent
    scripts = [folder / "demos" / "latency" / "window_display.py" for folder in (package, package.parent)]
    script = next((each for each in scripts if each.is_file()), None)
    if script is None:
        raise NeonError("the script of the window is not installed")
    try:
        display = runpy.run_path(str(script))["WindowDisplay"]()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "psychopy":
            raise
        raise NeonError('--window needs PsychoPy; install it with: pip install "psychopy-neon[psychopy]"') from error
    try:
        yield display
    finally:
        display.close()


def _print(told: dict[str, Any]) -> None:
    console = Console()
    bound = "" if told["bound_ms"] is None else f" (± {told['bound_ms']:.2f} where the clocks differ)"
    table = Table(title=f"{told['address']}, ms{bound}", title_justify="left")
    for heading in ("leg", "median", "95 %", "max", "n"):
        table.add_column(heading, justify="left" if heading == "leg" else "right", no_wrap=True)
    for name, leg in told["legs"].items():
        numbers = [_ms(leg[key]) for key in ("median_ms", "95_percent_ms", "max_ms")]
        style = "bold" if name == "stamp_to_flip" else None
        table.add_row(TITLES[name] + (" ±" if name in BOUNDED else ""), *numbers, str(leg["count"]), style=style)
    console.print(table)
    console.print("How each was measured, the later time first:")
    for name, leg in told["legs"].items():
        console.print(Padding(f"{TITLES[name]}: {leg['how']}", (0, 0, 0, 2)), highlight=False)
    if told["bound_ms"] is None:
        console.print(f"[yellow]No leg from the phone's stamp: {told['clock_trouble'] or 'its clock is not known'}")
    if told["mapped_share"] is not None:
        reasons = ", ".join(f"{name} {count}" for name, count in told["no_gaze_because"].items())
        console.print(
            f"{100 * told['mapped_share']:.1f} % of {told['uses']} uses mapped{': ' + reasons if reasons else ''}"
        )
    else:
        console.print("Gaze was not mapped: there is no --screen.")
    console.print(f"Flips: {told['flips']}. {WITHIN_WIRE}. Not in it:")
    for each in NOT_INCLUDED:
        console.print(Padding(each, (0, 0, 0, 2)))
    console.print("From eye to light: psychopy-neon demo eye_to_pixel, with a LED and a camera or photodiode.")


def _tell_measured(
    measured: Path, trials: Path | None, monitor_ms: float | None, plot_file: Path | None, as_json: bool
) -> None:
    """What a LED and a camera have measured from eye to pixel."""
    onsets = read_measured(measured)
    known_s = [] if trials is None else read_trials(trials)
    told = analyse(onsets, known_s, None if monitor_ms is None else monitor_ms / 1e3)
    if plot_file is not None:
        plot(delays_s(onsets.led_s, onsets.screen_s), plot_file)
        click.echo(f"plot saved as {plot_file}", err=as_json)
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"From LED to screen: {told['median_ms']:.1f} ms median, 95 % below {told['95_percent_ms']:.1f}")
    click.echo(f"({told['answered']} of {told['trials']} trials answered; a row every {told['camera_step_ms']:.1f} ms)")
    if told["rest_ms"] is not None:
        monitor = "and the monitor" if monitor_ms is None else f"without the monitor's {monitor_ms:g} ms"
        click.echo(f"From time stamp to flip, as logged: {told['known_ms']:.1f} ms")
        click.echo(f"Left for the eye tracker before its stamp {monitor}: {told['rest_ms']:.1f} ms")


def _ms(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"

"""``psychopy-neon simulate``: a simulated Neon as a process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.echo_paths import PATHS, EchoPathSpec
from psychopy_neon.simulator.faults import Fault, play_faults, read_faults
from psychopy_neon.simulator.head_motion import HEAD_MOTIONS, HeadMotionSpec
from psychopy_neon.simulator.settings import GAZE_PAYLOAD_BYTES

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("simulate")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0: all.")
@click.option("--port", default=8080, show_default=True, help="Of HTTP; 0: any free one.")
@click.option("--name", default="Neon Simulator", show_default=True, help="Name of the phone.")
@click.option("--serial", default="123456", show_default=True, help="Serial number of the module.")
@click.option("--model", type=click.Choice(["neon", "invisible"]), default="neon", show_default=True)
@click.option("--gaze", default="script", show_default=True, metavar="script|mouse|FILE", help="Where the eyes look.")
@click.option(
    "--scene",
    default="synthetic",
    show_default=True,
    metavar="synthetic|screen|FILE",
    help="What the scene camera sees.",
)
@click.option("--frame-code", is_flag=True, help="Draw each scene frame's number into it.")
@click.option(
    "--gaze-bytes",
    default=65,
    show_default=True,
    metavar="|".join(map(str, GAZE_PAYLOAD_BYTES)),
    help="Form of gaze data.",
)
@click.option("--blinks-per-minute", default=0.0, show_default=True, help="How often the eyes blink.")
@click.option("--no-eye-events", is_flag=True, help="The app does not compute fixations: no stream of eye events.")
@click.option(
    "--head-motion",
    default="still",
    show_default=True,
    metavar="NAME[,FIELD=VALUE,...]",
    help=f"How the head turns: {', '.join(HEAD_MOTIONS)}; or fields, as yaw_deg=10,yaw_s=4 or natural,peak_dps=60.",
)
@click.option("--gyro-noise-dps", default=0.05, show_default=True, help="Noise of the gyroscope, rms of each axis.")
@click.option(
    "--gyro-bias-dps",
    type=(float, float, float),
    default=(0.3, -0.2, 0.1),
    show_default=True,
    metavar="X Y Z",
    help="What the gyroscope shows at rest.",
)
@click.option(
    "--imu-misalignment-deg",
    type=(float, float, float),
    default=(0.0, 0.0, 0.0),
    show_default=True,
    metavar="X Y Z",
    help="How the inertial sensor sits otherwise than it should: a turn about this axis by its length.",
)
@click.option(
    "--imu-delay-ms", default=0.0, show_default=True, help="How much too late the sensor's samples are stamped."
)
@click.option("--offset-ms", default=0.0, show_default=True, help="Phone clock minus this computer's.")
@click.option("--drift-ppm", default=0.0, show_default=True, help="How much faster the phone's clock runs.")
@click.option("--loss", default=0.0, show_default=True, help="Part of the RTP packets that is lost, 0 to 1.")
@click.option("--reorder", default=0.0, show_default=True, help="Part of the RTP packets that is overtaken, 0 to 1.")
@click.option(
    "--echo-path",
    default="direct",
    show_default=True,
    metavar="NAME[,FIELD=VALUE,...]",
    help=f"Network of the time echo: {', '.join(PATHS)}; or fields, as out_jitter_ms=4,back_jitter_ms=1.3.",
)
@click.option("--echo-jitter-ms", default=0.0, show_default=True, help="Longest delay of a time echo, each way.")
@click.option(
    "--echo-rounding",
    type=click.Choice(["floor", "nearest"]),
    default="floor",
    show_default=True,
    help="How a time echo comes to whole milliseconds.",
)
@click.option("--no-echo", is_flag=True, help="An old app, without time echo.")
@click.option("--refuse-start", metavar="REASON", help="Refuse to start recordings.")
@click.option(
    "--template",
    default="full",
    show_default=True,
    metavar="full|none|FILE",
    help="Questionnaire that is chosen on the phone.",
)
@click.option(
    "--need-answers",
    type=click.Choice(["never", "stop", "start"]),
    default="never",
    show_default=True,
    help="From when on recordings are refused while a required question is empty.",
)
@click.option("--faults", type=_FILE, metavar="SCRIPT", help='JSON lines {"t_s": , "do": , ...}.')
@click.option("--truth", type=_FILE, metavar="FILE", help="Write what really happened, JSON lines.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--seconds", type=float, help="End after this time.")
@click.option("--end-with-input", is_flag=True, help="End when the standard input does: with whoever started it.")
@click.option("--no-mdns", is_flag=True, help="Do not announce it on the network.")
def command(
    faults: Path | None,
    seconds: float | None,
    end_with_input: bool,
    no_mdns: bool,
    no_echo: bool,
    no_eye_events: bool,
    echo_path: str,
    head_motion: str,
    offset_ms: float,
    **options: Any,
) -> None:
    """Run a simulated Neon until Ctrl+C."""
    if seconds is not None and not 0 < seconds < float("inf"):
        raise ConfigurationError("seconds", seconds, "above 0")
    script = read_faults(faults) if faults is not None else ()
    settings = SimulatorSettings(
        offset_ns=round(offset_ms * 1e6),
        mdns=not no_mdns,
        has_echo=not no_echo,
        has_eye_events=not no_eye_events,
        head_motion=HeadMotionSpec.parse(head_motion),
        echo_path=EchoPathSpec.parse(echo_path),
        keep_truth=False,
        **options,
    )
    neon = SimulatedNeon(settings)
    if end_with_input:
        threading.Thread(target=_stop_after_input, args=(neon,), name="psychopy-neon:input", daemon=True).start()
    asyncio.run(_serve(neon, script, seconds))


def _stop_after_input(neon: SimulatedNeon) -> None:
    sys.stdin.read()
    neon.stop()


async def _serve(neon: SimulatedNeon, faults: tuple[Fault, ...], seconds: float | None) -> None:
    loop = asyncio.get_running_loop()
    helpers: list[asyncio.Task[None]] = []

    def ready() -> None:
        # What has been imported stays: without it the garbage collector stops gaze for 30 ms now and then.
        gc.collect()
        gc.freeze()
        click.echo(f'Simulated Neon "{neon.settings.name}" ready at {neon.address} (Ctrl+C ends it)')
        sys.stdout.flush()
        if seconds is not None:
            loop.call_later(seconds, neon.stop)
        helpers.append(asyncio.create_task(play_faults(faults, neon)))
        helpers[0].add_done_callback(lambda task: neon.stop() if _has_failed(task) else None)

    with _ended_by_signals(neon.stop):
        try:
            await neon.run(ready)
        finally:
            for helper in helpers:
                helper.cancel()
    for outcome in await asyncio.gather(*helpers, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


def _has_failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


@contextlib.contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """End in good order on Ctrl+C and on SIGTERM."""
    ours = (signal.SIGINT, signal.SIGTERM)
    # A handler runs as soon as the event loop's waiting is interrupted, which the signal does on every system.
    before = [signal.signal(each, lambda _number, _frame: stop()) for each in ours]
    try:
        yield
    finally:
        for each, handler in zip(ours, before, strict=True):
            signal.signal(each, handler)

"""From a LED that blinds the eye tracker to the screen's answer: what a camera or photodiode has measured.

The method is that of Saunders and Woods (2014), doi 10.3758/s13428-013-0375-5. See the manual's page on latency.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from psychopy_neon.cli.preview_numbers import quantile, rounded
from psychopy_neon.errors import ConfigurationError

__all__ = ["Onsets", "analyse", "delays_s", "onsets_s", "plot", "read_measured", "read_trials"]

Floats = npt.NDArray[np.float64]

LONGEST_S = 1.0
"""An answer of the screen that comes later belongs to nothing."""
LEAST_SWING = 12.0
"""Bright minus dark, in standard deviations of the noise, which alone is some eight of them wide."""
LOW, HIGH = 0.3, 0.5
"""Shares of the swing: a light counts as on from HIGH, and as off again below LOW."""
SCALES = {"_s": 1.0, "_ms": 1e-3, "_ns": 1e-9}


class Onsets(NamedTuple):
    """When the LED and the screen went on, seconds of one clock, and how coarse that is."""

    led_s: list[float]
    screen_s: list[float]
    step_s: float
    """From one row of the traces to the next; 0 where times were given."""


def read_measured(path: Path) -> Onsets:
    """Read what was measured.

    Parameters
    ----------
    path
        A csv file with a line of names: ``led_on_s`` and ``screen_on_s``, a row for each trial; or ``time_s``, ``led``
        and ``screen``, the brightness of both in each frame of a film or sample of two photodiodes; or the demo's
        ``trials.csv`` with a LED that the script drove, which ends at the flip. Times may be in ``_ms`` or ``_ns``.

    Raises
    ------
    ConfigurationError
        The file cannot be read or has other columns, or nothing goes on and off in it.
    """
    columns = _read_columns(path)
    for led, screen in (("led_on", "screen_on"), ("led_on_host", "flip_host")):
        if {led, screen} <= set(columns):
            return Onsets(_finite(columns[led]), _finite(columns[screen]), 0.0)
    if {"time", "led", "screen"} <= set(columns):
        time_s = columns["time"]
        step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
        if not (len(time_s) > 1 and (np.diff(time_s) > 0).all()):
            raise ConfigurationError("measured", str(path), "times that grow")
        return Onsets(onsets_s(time_s, columns["led"], "led"), onsets_s(time_s, columns["screen"], "screen"), step_s)
    allowed = "a csv file with columns led_on_s, screen_on_s, or time_s, led, screen"
    raise ConfigurationError("measured", f"{path}: {', '.join(columns)}", allowed)


def onsets_s(time_s: Floats, level: Floats, name: str = "trace") -> list[float]:
    """When a brightness rises from dark to bright; between two rows the straight line tells.

    Parameters
    ----------
    time_s, level
        Shape (n,); any unit of brightness.
    name
        For the error.

    Raises
    ------
    ConfigurationError
        It does not go on and off.
    """
    dark, bright = float(level.min()), float(level.max())
    noise = 1.4826 * float(np.median(np.abs(np.diff(level)))) / math.sqrt(2)
    if not bright - dark > LEAST_SWING * noise:
        raise ConfigurationError(name, f"{dark:g} to {bright:g}", "a brightness that goes on and off")
    share = (level - dark) / (bright - dark)
    found, is_on = [], bool(share[0] >= HIGH)
    for row in range(1, len(share)):
        if is_on and share[row] < LOW:
            is_on = False
        elif not is_on and share[row] >= HIGH:
            is_on = True
            part = (HIGH - share[row - 1]) / (share[row] - share[row - 1])
            found.append(float(time_s[row - 1] + part * (time_s[row] - time_s[row - 1])))
    return found


def delays_s(led_s: Sequence[float], screen_s: Sequence[float]) -> list[float]:
    """From each onset of the LED to the first one of the screen after it, before the next of the LED."""
    delays = []
    ordered = sorted(screen_s)
    starts = sorted(led_s)
    for start, next_start in zip(starts, [*starts[1:], math.inf], strict=True):
        answer = next((each for each in ordered if each >= start), math.inf)
        if answer < min(next_start, start + LONGEST_S):
            delays.append(answer - start)
    return delays


def read_trials(path: Path) -> list[float]:
    """From time stamp of the first gaze that shows the LED to flip, seconds, of every trial in ``trials.csv``.

    Raises
    ------
    ConfigurationError
        It is no such file.
    """
    columns = _read_columns(path)
    if not {"first_sample_host", "flip_host"} <= set(columns):
        raise ConfigurationError("trials", f"{path}: {', '.join(columns)}", "trials.csv of the demo eye_to_pixel")
    return _finite(columns["flip_host"] - columns["first_sample_host"])


def analyse(measured: Onsets, known_s: Sequence[float] = (), monitor_s: float | None = None) -> dict[str, Any]:
    """How long the whole way takes, and what is left for what nobody but this has measured.

    Parameters
    ----------
    measured
        Of LED and screen.
    known_s
        From time stamp of the gaze to flip: of the trials, or of ``psychopy-neon latency``.
    monitor_s
        From flip to light, if it is known.

    Returns
    -------
    dict
        ``trials``, ``answered``, ``median_ms``, ``95_percent_ms``, ``min_ms``, ``max_ms``, ``camera_step_ms``,
        ``known_ms`` (median from stamp to flip), ``monitor_ms``, and ``rest_ms``: what eye cameras and phone take
        before the time stamp, and the monitor unless it is known; None where there is nothing to tell.

    Raises
    ------
    ConfigurationError
        The screen never answered.
    """
    delays = delays_s(measured.led_s, measured.screen_s)
    if not delays:
        counts = f"{len(measured.led_s)} of the LED, {len(measured.screen_s)} of the screen"
        raise ConfigurationError("measured", counts, f"onsets of the screen within {LONGEST_S:g} s of those of the LED")
    median = statistics.median(delays)
    known = statistics.median(known_s) if known_s else None
    rest = None if known is None else median - known - (monitor_s or 0.0)
    return {
        "trials": len(measured.led_s),
        "answered": len(delays),
        "median_ms": rounded(median, 2, 1e3),
        "95_percent_ms": rounded(quantile(delays, 0.95), 2, 1e3),
        "min_ms": rounded(min(delays), 2, 1e3),
        "max_ms": rounded(max(delays), 2, 1e3),
        "camera_step_ms": rounded(measured.step_s, 2, 1e3),
        "known_ms": rounded(known, 2, 1e3),
        "monitor_ms": rounded(monitor_s, 2, 1e3),
        "rest_ms": rounded(rest, 2, 1e3),
    }


def plot(delays: Sequence[float], path: Path) -> None:
    """Draw how the delays are distributed.

    Raises
    ------
    ConfigurationError
        There is no matplotlib, or the file cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot, ticker
    except ImportError as error:
        remedy = "pip install psychopy-neon[analysis]"
        raise ConfigurationError("plot", "matplotlib is not installed", remedy) from error
    delays_ms = [1e3 * each for each in delays]
    figure, axis = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    axis.hist(delays_ms, bins=min(max(len(delays_ms) // 4, 8), 40), color="tab:blue", alpha=0.6)
    axis.plot(delays_ms, np.full(len(delays_ms), 0.03), "|", color="black", transform=axis.get_xaxis_transform())
    for value, name, style in (
        (statistics.median(delays_ms), "median", "-"),
        (quantile(delays_ms, 0.95), "95 %", "--"),
    ):
        if value is not None:
            axis.axvline(value, color="tab:red", linestyle=style, label=f"{name}: {value:.1f} ms")
    axis.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axis.set_xlabel("from LED to screen, ms")
    axis.set_ylabel("trials")
    axis.legend(frameon=False)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise ConfigurationError("plot", str(path), f"a file that can be written ({error})") from error
    finally:
        pyplot.close(figure)


def _read_columns(path: Path) -> dict[str, Floats]:
    """Columns of a csv file without the units in their names, times in seconds; what is no number is NaN.

    Nanoseconds of a host clock have more digits than a float keeps: all times count from the earliest.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError("file", str(path), f"a csv file that can be read ({error})") from error
    names = [name for name in (rows[0] if rows else {}) if name]
    whole = [_whole(row.get(name)) for row in rows for name in names if name.endswith("host_ns")]
    begin = min((each for each in whole if each is not None), default=0)
    columns = {}
    for name in names:
        stem, unit = next(((name[: -len(unit)], unit) for unit in SCALES if name.endswith(unit)), (name, ""))
        origin = begin if name.endswith("host_ns") else 0
        columns[stem] = np.array([_number(row.get(name), origin) for row in rows]) * SCALES.get(unit, 1.0)
    return columns


def _finite(values: Floats) -> list[float]:
    return [float(each) for each in values if math.isfinite(each)]


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _number(text: str | None, origin: int) -> float:
    whole = _whole(text)
    if whole is not None:
        return float(whole - origin)
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan

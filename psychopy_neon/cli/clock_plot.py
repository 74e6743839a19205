"""The clock's history as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.timing.offset import Exchange
from psychopy_neon.timing.track import ClockSegment

try:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot, ticker
except ImportError as error:
    raise ConfigurationError("plot", "matplotlib is not installed", "pip install psychopy-neon[analysis]") from error

__all__ = ["draw"]

MS = 1e6


def draw(segments: Sequence[ClockSegment], exchanges: Sequence[Exchange], path: Path) -> None:
    """Offset with its bound, and the round trips, over time.

    The offset is drawn from the first one of its segment, so that a step of an hour does not flatten all the rest.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """
    begin_ns = exchanges[0].sent_ns
    figure, (upper, lower) = pyplot.subplots(
        2, 1, figsize=(9, 6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for number, segment in enumerate(segments):
        _draw_segment(upper, segment, begin_ns, is_first=number == 0)
    upper.set_ylabel("phone minus this computer, ms\nfrom the first of its segment")
    upper.legend(loc="lower left", frameon=False, ncols=2)
    sent_s = [(each.sent_ns - begin_ns) / 1e9 for each in exchanges]
    round_trips = [each.round_trip_ns / MS for each in exchanges]
    lower.plot(sent_s, round_trips, linestyle="", marker=".", markersize=2, color="tab:gray")
    lower.set_ylabel("round trip, ms")
    lower.set_yscale("log")
    lower.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    lower.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    lower.yaxis.set_minor_formatter(ticker.NullFormatter())
    lower.set_xlabel("seconds")
    for axis in (upper, lower):
        axis.grid(alpha=0.3)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise ConfigurationError("plot", str(path), f"a file that can be written ({error})") from error
    finally:
        pyplot.close(figure)


def _draw_segment(axis: Any, segment: ClockSegment, begin_ns: int, is_first: bool) -> None:
    base_ns = segment.offsets[0].offset_ns
    at_s = [(each.measured_at_ns - begin_ns) / 1e9 for each in segment.offsets]
    middle = [(each.offset_ns - base_ns) / MS for each in segment.offsets]
    bounds = [each.bound_ns / MS for each in segment.offsets]
    low = [a - b for a, b in zip(middle, bounds, strict=True)]
    high = [a + b for a, b in zip(middle, bounds, strict=True)]
    labels = ("bound", "offset") if is_first else (None, None)
    axis.fill_between(at_s, low, high, alpha=0.2, linewidth=0, color="tab:blue", label=labels[0])
    axis.plot(at_s, middle, color="tab:blue", marker=".", label=labels[1])
    if not is_first:
        step_s = (segment.began_before_ns - begin_ns) / 1e9
        axis.axvline(step_s, color="tab:red", linewidth=1)
        text = f" set by {segment.step_ns / MS:+,.1f} ms"
        axis.annotate(text, (step_s, 0.98), xycoords=("data", "axes fraction"), va="top", color="tab:red")

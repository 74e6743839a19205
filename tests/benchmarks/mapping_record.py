"""What mappers did with a sequence of scene frames, and the few numbers that tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from head import Floats
from scenes import Truth

START_S = 0.1
"""Gaze counts from here on: before, no frame has come."""


@dataclass
class Record:
    """What one mapper did with every frame of a sequence; one row for each frame, or for each gaze sample."""

    error_px: list[Floats] = field(default_factory=list)
    """Of each frame, at the places that it shows; NaN where there is no answer."""
    ratio: list[Floats] = field(default_factory=list)
    """The same divided by the error that the mapper expected; nothing from those that expect none."""
    live_ratio: list[Floats] = field(default_factory=list)
    live_px: list[Floats] = field(default_factory=list)
    interpolated_px: list[Floats] = field(default_factory=list)
    speed_dps: list[Floats] = field(default_factory=list)
    """Of the head at the time of each gaze sample."""
    wall_ms: list[Floats] = field(default_factory=list)
    cpu_ms: list[Floats] = field(default_factory=list)
    has_searched: list[Floats] = field(default_factory=list)

    def add(self, result: dict[str, Any], places: Floats, truth: Truth) -> None:
        error = np.linalg.norm(result["places"] - places, axis=-1)
        is_place = np.isfinite(places[..., 0])
        self.error_px += [row[is_shown] for row, is_shown in zip(error, is_place, strict=True)]
        if "expected" in result:
            self.ratio += list(error / result["expected"])
        has_come = truth.gaze.at_s > truth.frame_s[0] + START_S
        live = np.linalg.norm(result["live"] - truth.gaze.screen_px, axis=-1)[has_come]
        self.live_px.append(live)
        if "live_expected" in result:
            self.live_ratio.append(live / result["live_expected"][has_come])
        if "interpolated" in result:
            later = np.linalg.norm(result["interpolated"] - truth.gaze.screen_px, axis=-1)
            self.interpolated_px.append(later[has_come])
        self.speed_dps.append(np.linalg.norm(truth.head.speed_dps(truth.gaze.at_s[has_come]), axis=-1))
        self.wall_ms.append(result["wall_s"] * 1e3)
        self.cpu_ms.append(result["cpu_s"] * 1e3)
        if "has_searched" in result:
            self.has_searched.append(result["has_searched"].astype(np.float64))


@dataclass(frozen=True)
class Side:
    """One mapper's line of the table; distances in px of the screen, None where it does not apply."""

    median_px: float | None
    p95_px: float | None
    max_px: float | None
    mapped_percent: float
    """Frames that gave a pose."""
    wall_ms: float
    wall_p95_ms: float
    cpu_ms: float
    """Of the whole process with all its threads, for each frame."""
    cpu_p95_ms: float
    live_px: float | None
    live_p95_px: float | None
    live_percent: float | None
    """Gaze samples that were mapped when they came."""
    interpolated_px: float | None
    interpolated_p95_px: float | None
    searched_percent: float | None
    """Frames in which the whole image was searched."""
    ratio: float | None
    """Root mean square of the error divided by the error that was expected."""
    over_4_percent: float | None
    """Frames in which some place was off by more than four times what was expected of it."""
    live_ratio: float | None
    live_over_4_percent: float | None
    """Gaze samples that, live, were off by more than four times what was expected."""


@dataclass(frozen=True)
class Outcome:
    """One sequence, and what each mapper did with it."""

    name: str
    says: str
    frames: int
    records: dict[str, Record]
    sides: dict[str, Side]


def summary(record: Record) -> Side:
    is_over = [bool((each > 4).any()) for each in record.ratio if np.isfinite(each).any()]
    live = np.concatenate(record.live_px)
    live_ratio = joined(record.live_ratio)
    return Side(
        *quantiles(record.error_px, (0.5, 0.95, 1.0)),
        100 * float(np.mean([np.isfinite(each).any() for each in record.error_px])),
        *quantiles(record.wall_ms, (0.5, 0.95)),
        *quantiles(record.cpu_ms, (0.5, 0.95)),
        *quantiles(record.live_px, (0.5, 0.95)),
        100 * float(np.isfinite(live).mean()) if len(live) else None,
        *quantiles(record.interpolated_px, (0.5, 0.95)),
        100 * float(joined(record.has_searched).mean()) if record.has_searched else None,
        root_mean_square(joined(record.ratio)),
        100 * float(np.mean(is_over)) if is_over else None,
        root_mean_square(live_ratio),
        100 * float(np.mean(live_ratio > 4)) if len(live_ratio) else None,
    )


def root_mean_square(values: Floats) -> float | None:
    return float(np.sqrt(np.mean(values**2))) if len(values) else None


def quantiles(rows: list[Floats], parts: Sequence[float]) -> list[Any]:
    """Of the finite values; None if there is none."""
    values = joined(rows)
    return [float(np.quantile(values, part)) if len(values) else None for part in parts]


def joined(rows: list[Floats]) -> Floats:
    """All finite values, shape (n,)."""
    values = np.concatenate([row.ravel() for row in rows]) if rows else np.zeros(0)
    return values[np.isfinite(values)]

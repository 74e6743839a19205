"""Where the sides of tags are, to a fraction of a pixel: luma along profiles from a tag's black border outward.

Two steps. Where a profile passes the middle between black and white is found first: it is unique, or the profile is no
edge. Then the area under the profile near that place tells it again with the noise of many samples instead of two. As
much blur as a camera has rounds an edge off evenly and moves neither.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["edge_distances", "median"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

HALF_STEPS = 8
"""Steps of a profile to each side of the edge."""
REACH_MODULES = 0.8
"""Profiles reach so far to both sides of an edge: one module is plain black and one plain white."""
SMALLEST_REACH, LARGEST_REACH = 1.5, 4.0
"""The same in scene px. Steps of the longest are half a pixel: then the area is exact also for edges as sharp as pixels
can be."""
MIN_CONTRAST = 8.0
"""Between black and white, grey levels."""
LEAST_OF_TYPICAL = 0.5
"""A side with less than this share of the frame's typical contrast is no tag's: something covers it."""
LARGEST_DEVIATION = 0.25
"""Of what a profile's black is too light and its white too dark from the same on most of its side, as a share of the
contrast: something covers it."""
MOST_BLURRED = 0.9
"""Of that share on most of a side; so much of it may be blur."""
AREA_SHARE = 0.55
"""Half the width over which the area is taken, as a share of the reach."""
_FAR = 1e3
"""More than any such share."""
_STEPS = np.arange(-HALF_STEPS, HALF_STEPS + 1) / HALF_STEPS


def edge_distances(
    luma: npt.NDArray[np.uint8], bases: Floats, outward: Floats, module_px: Floats, levels: Floats
) -> tuple[Floats, Floats]:
    """Distances of edges from places near them.

    Parameters
    ----------
    luma
        Shape (height, width).
    bases
        Shape (sides, n, 2): places near each side, scene px.
    outward
        Shape (sides, 2): unit vectors from black to white.
    module_px
        Shape (sides,): width of a module across the side, scene px; edges farther away are not seen.
    levels
        Shape (sides, 2): black and white of each side's tag, grey levels; NaN where they are not known. Then they are
        taken from the profiles, where blur mixes them with what is next to the border.

    Returns
    -------
    Distance from each base along ``outward``, scene px, NaN where there is no edge, shape (sides, n); and the contrast
    of each side, grey levels, shape (sides,).
    """
    sides, count = bases.shape[:2]
    reach = np.clip(module_px * REACH_MODULES, SMALLEST_REACH, LARGEST_REACH)
    offsets = ((outward * reach[:, None])[:, :, None] * _STEPS).astype(np.float32)
    along = bases.astype(np.float32)
    # Each coordinate by itself: arrays whose last axis is a pair take three times as long.
    x, y = ((along[..., axis, None] + offsets[:, axis, None]).reshape(sides * count, -1) for axis in (0, 1))
    sampled = cv2.remap(luma, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)
    profiles = sampled.reshape(sides, count, -1)
    levels = _known_levels(profiles, levels)
    contrast = levels[:, 1] - levels[:, 0]
    middle = np.ceil((levels[:, 0] + levels[:, 1]) / 2).astype(np.uint8)
    is_above = profiles >= middle[:, None, None]
    changes = is_above[..., 1:] != is_above[..., :-1]
    is_edge = _is_typical(contrast)[:, None] & (np.count_nonzero(changes, axis=-1) == 1)
    margin = reach[:, None, None]
    is_edge &= np.all((bases >= margin) & (bases <= np.array(luma.shape[::-1]) - 1 - margin), axis=-1)
    rows = np.flatnonzero(is_edge)
    distance = np.full(sides * count, np.nan)
    if len(rows):
        first = changes.reshape(len(distance), -1)[rows].argmax(axis=1)
        half_module = np.rint(module_px / 2 / reach * HALF_STEPS).astype(np.int64)
        places = _places(sampled[rows], first, rows // count, levels, half_module)
        distance[rows] = (places / HALF_STEPS - 1) * reach[rows // count]
    return distance.reshape(sides, count), contrast


def _known_levels(profiles: npt.NDArray[np.uint8], levels: Floats) -> Floats:
    """Black and white of every side; where nobody told them, those at the ends of the profiles."""
    unknown = np.flatnonzero(np.isnan(levels[:, 0]))
    if len(unknown):
        some = profiles[unknown].astype(np.float64)
        ends = np.stack([some[..., 0] + some[..., 1], some[..., -1] + some[..., -2]], axis=-1) / 2
        levels = levels.copy()
        # Medians over a side: what covers less than half of it does not change them.
        levels[unknown] = np.median(ends, axis=1)
    return levels.clip(0, 255)


def _is_typical(contrast: Floats) -> npt.NDArray[np.bool_]:
    is_typical: npt.NDArray[np.bool_] = contrast > MIN_CONTRAST
    if is_typical.any():
        is_typical &= contrast > LEAST_OF_TYPICAL * median(contrast[is_typical])
    return is_typical


def _places(profiles: npt.NDArray[np.uint8], first: Integers, side: Integers, levels: Floats, half: Integers) -> Floats:
    """Where profiles, shape (n, steps), that pass the middle after sample ``first`` have their edge, in steps.

    NaN where half a module from there, in the middle of the plain modules, black and white are not those of the side:
    something covers the edge.
    """
    each = np.arange(len(profiles))
    black, white = levels[side].T
    middle, span = (black + white) / 2, white - black
    low, high = profiles[each, first] - middle, profiles[each, first + 1] - middle
    # Whole grey levels: the middle itself may lie beyond the step that passes it.
    crossing = first + np.clip(low / np.minimum(low - high, -0.5), 0, 1)
    nearest = np.rint(crossing).astype(np.int64)
    inner = (profiles[each, np.maximum(nearest - half[side], 0)] - black) / span
    outer = (white - profiles[each, np.minimum(nearest + half[side], profiles.shape[1] - 1)]) / span
    return np.where(_is_like_most(inner + outer, side), _by_area(profiles, crossing, middle, span), np.nan)


def _is_like_most(values: Floats, side: Integers) -> npt.NDArray[np.bool_]:
    """Whether each value is near the median of its side, and that is not too large."""
    if values.max() - values.min() < LARGEST_DEVIATION and values.max() < MOST_BLURRED:
        return np.ones(len(values), np.bool_)
    order = np.argsort(side * _FAR + values)  # by side, and within each by value
    first = np.searchsorted(side, np.arange(side[-1] + 2))  # sides come one after the other
    middle = values[order][np.minimum((first[:-1] + first[1:]) // 2, len(values) - 1)][side]
    is_near: npt.NDArray[np.bool_] = (np.abs(values - middle) < LARGEST_DEVIATION) & (middle < MOST_BLURRED)
    return is_near


def _by_area(profiles: npt.NDArray[np.uint8], crossing: Floats, middle: Floats, span: Floats) -> Floats:
    """The crossing of ``middle`` by the area around a rough ``crossing``.

    Within equal widths around ``crossing``, luma minus the middle of a step of height ``span`` at ``e`` has the area
    ``-span * (e - crossing)``. Near the ends of a profile the width is what is left.
    """
    half = np.minimum(AREA_SHARE * HALF_STEPS, np.minimum(crossing, profiles.shape[1] - 1 - crossing))
    ends = np.stack([crossing - half, crossing + half])
    whole = np.minimum(ends.astype(np.int64), profiles.shape[1] - 2)
    part = ends - whole
    each = np.arange(len(profiles))
    below, above = profiles[each, whole].astype(np.float64), profiles[each, whole + 1]
    sums = np.cumsum(profiles, axis=1, dtype=np.int32)
    # Luma is linear between samples: half of the first and of the last whole one count, and a trapezoid beyond.
    upto = sums[each, whole] - below / 2 + part * below + part * part * (above - below) / 2
    refined: Floats = crossing - (upto[1] - upto[0] - 2 * half * middle) / span
    return refined


def median(values: npt.NDArray[np.floating[Any]]) -> float:
    """The upper median; numpy's own takes five times as long for a few hundred values."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])

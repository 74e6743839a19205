"""What the offset and the rate of a clock may be: a convex region of the plane (offset, rate).

A clock that runs evenly, ``offset(t) = offset + rate * (t - now)``, is a point of that plane. Whatever limits the
offset at some time is a half plane, so all limits together leave a convex polygon, kept as its corners. Nothing here is
an estimate: a region only ever leaves out what cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Region", "bent", "cut", "hull", "moved", "rate_widened"]

Corner: TypeAlias = tuple[float, float]
Region: TypeAlias = tuple[Corner, ...]
"""Corners (offset in ns, rate without unit), counter-clockwise; empty: nothing is possible."""


def moved(region: Region, elapsed_ns: float) -> Region:
    """The same clocks, with their offsets as they are ``elapsed_ns`` later."""
    return tuple([(offset + rate * elapsed_ns, rate) for offset, rate in region])


def cut(region: Region, ago_ns: float, limit_ns: float, sign: int) -> Region:
    """The part whose offset ``ago_ns`` earlier is at most (``sign`` 1) or at least (``sign`` -1) ``limit_ns``."""
    over = [sign * (offset - rate * ago_ns - limit_ns) for offset, rate in region]
    if not over or max(over) <= 0:
        return region
    kept: list[Corner] = []
    before, over_before = region[-1], over[-1]
    for corner, over_here in zip(region, over, strict=True):
        if (over_here <= 0) != (over_before <= 0):
            part = over_before / (over_before - over_here)
            kept.append((before[0] + part * (corner[0] - before[0]), before[1] + part * (corner[1] - before[1])))
        if over_here <= 0:
            kept.append(corner)
        before, over_before = corner, over_here
    return tuple(kept)


def bent(region: Region, elapsed_ns: float, change: float) -> list[Corner]:
    """Corners around where the clocks are with one change of rate, of up to ``change``, up to ``elapsed_ns`` ago."""
    return [
        (offset + turn * since_ns, rate + turn)
        for offset, rate in region
        for turn in (-change, change)
        for since_ns in (0.0, elapsed_ns)
    ]


def rate_widened(region: Region, by: float) -> Region:
    """The region with every rate up to ``by`` larger or smaller."""
    return hull([(offset, rate + turn) for offset, rate in region for turn in (-by, by)])


def hull(corners: Iterable[Corner]) -> Region:
    """The smallest convex region around some points (Andrew's monotone chain)."""
    in_order = sorted(corners)
    return (*_half(in_order), *_half(in_order[::-1]))


def _half(corners: list[Corner]) -> list[Corner]:
    """One side of the hull, without its last corner, with which the other side begins."""
    chain: list[Corner] = []
    for corner in corners:
        while len(chain) > 1 and not _turns_left(chain[-2], chain[-1], corner):
            chain.pop()
        chain.append(corner)
    return chain[:-1]


def _turns_left(a: Corner, b: Corner, c: Corner) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])

"""Areas of the screen, screen px; the signed distance to the edge is all that the tools need of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from psychopy_neon.errors import ConfigurationError

__all__ = ["Circle", "Polygon", "Shape", "rectangle"]

Point = tuple[float, float]


class Shape(Protocol):
    """An area of the screen."""

    def distance_px(self, pos: Point) -> float:
        """Distance from the edge, screen px; negative inside."""


class Circle(NamedTuple):
    """A disc."""

    center: Point
    radius: float

    def distance_px(self, pos: Point) -> float:
        """Distance from the edge, screen px; negative inside."""
        return math.dist(pos, self.center) - self.radius


class Polygon:
    """An area with straight edges; it may have bays, and crossing edges make holes (even-odd rule).

    Parameters
    ----------
    corners : sequence of (float, float)
        At least three, screen px, in either direction.

    Raises
    ------
    ConfigurationError
        Fewer corners, or places that are no numbers.
    """

    __slots__ = ("corners",)

    def __init__(self, corners: Sequence[Point]) -> None:
        self.corners = tuple((float(x), float(y)) for x, y in corners)
        if len(self.corners) < 3 or not all(math.isfinite(each) for corner in self.corners for each in corner):
            raise ConfigurationError("corners", corners, "three or more places (x, y)")

    def distance_px(self, pos: Point) -> float:
        """Distance from the edge, screen px; negative inside."""
        x, y = pos
        is_inside = False
        nearest = math.inf
        from_x, from_y = self.corners[-1]
        for to_x, to_y in self.corners:
            along_x, along_y = to_x - from_x, to_y - from_y
            length_2 = along_x * along_x + along_y * along_y
            part = ((x - from_x) * along_x + (y - from_y) * along_y) / length_2 if length_2 else 0.0
            part = min(max(part, 0.0), 1.0)
            off_x, off_y = x - from_x - part * along_x, y - from_y - part * along_y
            nearest = min(nearest, off_x * off_x + off_y * off_y)
            if (from_y > y) != (to_y > y) and x < from_x + (y - from_y) * along_x / along_y:
                is_inside = not is_inside
            from_x, from_y = to_x, to_y
        return -math.sqrt(nearest) if is_inside else math.sqrt(nearest)


def rectangle(center: Point, size: tuple[float, float], ori_deg: float = 0.0) -> Polygon:
    """A rectangle, turned clockwise on the screen by ``ori_deg``."""
    cos, sin = math.cos(math.radians(ori_deg)), math.sin(math.radians(ori_deg))
    half_x, half_y = size[0] / 2, size[1] / 2
    corners = [(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)]
    return Polygon([(center[0] + x * cos - y * sin, center[1] + x * sin + y * cos) for x, y in corners])

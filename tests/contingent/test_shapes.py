from __future__ import annotations

import math
import random

import pytest

from psychopy_neon.contingent.shapes import Circle, Polygon, rectangle
from psychopy_neon.errors import ConfigurationError

BAY = Polygon([(0, 0), (100, 0), (100, 100), (50, 20), (0, 100)])


def test_distance_from_a_circle() -> None:
    assert Circle((10, 20), 5).distance_px((10, 32)) == 7
    assert Circle((10, 20), 5).distance_px((10, 20)) == -5


@pytest.mark.parametrize(
    ("pos", "distance"),
    [
        ((50, 50), -30),
        ((0, 50), 10),
        ((90 + 3, 80 + 4), 5),  # beside a corner
        ((50, 20), 0),
    ],
)
def test_distance_from_a_rectangle(pos: tuple[float, float], distance: float) -> None:
    assert rectangle((50, 50), (80, 60)).distance_px(pos) == pytest.approx(distance)


def test_a_turned_rectangle_turns_clockwise_on_the_screen() -> None:
    turned = rectangle((0, 0), (100, 20), ori_deg=30)
    along = (40 * math.cos(math.radians(30)), 40 * math.sin(math.radians(30)))
    assert turned.distance_px(along) == pytest.approx(-10)
    assert turned.distance_px((along[0], -along[1])) > 20


@pytest.mark.parametrize("corners", [BAY.corners, BAY.corners[::-1]])
def test_a_bay_is_outside_in_either_direction(corners: list[tuple[float, float]]) -> None:
    shape = Polygon(corners)
    assert shape.distance_px((50, 60)) > 0
    assert shape.distance_px((50, 10)) == pytest.approx(-10)


def test_distance_against_many_points_of_the_edge() -> None:
    pairs = list(zip(BAY.corners, BAY.corners[1:] + BAY.corners[:1], strict=True))
    edge = [(a[0] + (b[0] - a[0]) * t / 500, a[1] + (b[1] - a[1]) * t / 500) for a, b in pairs for t in range(501)]
    places = random.Random(1)
    for _ in range(100):
        pos = (places.uniform(-50, 150), places.uniform(-50, 150))
        assert abs(BAY.distance_px(pos)) == pytest.approx(min(math.dist(pos, each) for each in edge), abs=0.2)


@pytest.mark.parametrize("corners", [[], [(0, 0), (1, 1)], [(0, 0), (1, 1), (math.nan, 2)]])
def test_what_is_no_area_is_refused(corners: list[tuple[float, float]]) -> None:
    with pytest.raises(ConfigurationError):
        Polygon(corners)

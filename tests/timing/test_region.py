"""Regions of offset and rate."""

import itertools
import random

import pytest

from psychopy_neon.timing.region import bent, cut, hull, moved, rate_widened

SQUARE = hull(itertools.product((-1.0, 1.0), (-1.0, 1.0)))


def contains(region, point, slack=1e-9):
    """Whether a point lies left of, or on, every side."""
    return all(
        (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax) >= -slack
        for (ax, ay), (bx, by) in zip(region, (*region[1:], region[0]), strict=True)
    )


def test_hull_leaves_out_what_is_inside_and_on_its_sides():
    points = [(0, 0), (2, 0), (2, 2), (0, 2), (1, 1), (1, 0), (2, 1), (0, 0)]
    assert sorted(hull(points)) == [(0, 0), (0, 2), (2, 0), (2, 2)]


@pytest.mark.parametrize("seed", range(20))
def test_hull_contains_all_its_points(seed):
    rng = random.Random(seed)
    points = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(rng.randrange(3, 40))]
    region = hull(points)
    assert set(region) <= set(points)
    assert all(contains(region, point) for point in points)


def test_moved_follows_the_rate():
    assert moved(((1.0, 0.5), (2.0, -0.5)), 10) == ((6.0, 0.5), (-3.0, -0.5))


def test_cut_keeps_what_the_limit_allows():
    assert cut(SQUARE, 0, 2, 1) is SQUARE
    assert cut(SQUARE, 0, -2, 1) == ()
    assert sorted(cut(SQUARE, 0, 0.25, 1)) == [(-1, -1), (-1, 1), (0.25, -1), (0.25, 1)]
    assert sorted(cut(SQUARE, 0, 0.25, -1)) == [(0.25, -1), (0.25, 1), (1, -1), (1, 1)]
    assert cut((), 0, 0, 1) == ()


@pytest.mark.parametrize("seed", range(20))
def test_cut_is_exact_for_every_point(seed):
    rng = random.Random(seed)
    region = hull([(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(12)])
    ago, limit, sign = rng.uniform(0, 2), rng.gauss(0, 0.5), rng.choice((1, -1))
    part = cut(region, ago, limit, sign)
    for _ in range(200):
        point = (rng.gauss(0, 1), rng.gauss(0, 1))
        if contains(region, point, 0):
            is_allowed = sign * (point[0] - ago * point[1] - limit) <= 0
            assert is_allowed == (bool(part) and contains(part, point))


def test_bent_covers_every_clock_that_changed_its_rate_once():
    rng = random.Random(1)
    region = hull(bent(moved(SQUARE, 3.0), 3.0, 0.5))
    for _ in range(500):
        offset, rate = rng.uniform(-1, 1), rng.uniform(-1, 1)
        changed_s, change = rng.uniform(0, 3), rng.uniform(-0.5, 0.5)
        offset += rate * 3.0 + change * (3.0 - changed_s)
        assert contains(region, (offset, rate + change))


def test_rate_widened():
    assert sorted(rate_widened(SQUARE, 0.5)) == [(-1, -1.5), (-1, 1.5), (1, -1.5), (1, 1.5)]

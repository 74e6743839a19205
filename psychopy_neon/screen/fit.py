"""The pose of a screen from the sides of its tags: the guess is moved until the edges lie where the frame has them.

Every side of every tag gives distances of its edge from where the guess puts it. One homography, changed a little,
explains them all; least squares say how, with weights that leave out what does not follow (a hand over a tag, a
layout that is wrong in one place). So tags count that are half covered or half out of the frame, and the residuals
tell how far the result can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.edges import edge_distances, median
from psychopy_neon.screen.layout import BLACK_MODULES, ScreenLayout
from psychopy_neon.screen.modules import TagModules

__all__ = ["Fit", "TagSides", "fit_screen"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FEWEST_ALONG, MOST_ALONG, IN_ALL = 8, 24, 320
"""Edge points along each side, and of all sides together: the fewer tags are seen, the more each has to tell."""
FROM_CORNER = 0.1
"""Share of the side next to each corner that is left out: blur rounds it off."""
ROUNDS = 5
SETTLED_PX = 0.7
"""Edges are measured again while the last change moved them by more, root mean square."""
FEWEST_POINTS = 20
"""A pose has 8 numbers; with fewer edge points than this it is not one."""
WEIGHTINGS = 3
LEAST_ERROR_PX = 0.04
"""Edges are no more exact than this, whatever the residuals say."""
SIDE_ERROR_PX = 0.03
"""By so much a side may be off as a whole; where few sides are seen the pose follows, and no residual tells."""
TUKEY = 4.7
"""Residuals larger than so many times their spread count nothing."""
MOST_ALIKE = 0.8
"""Weights above this share everywhere would not change the result any more."""
LEAST_SPREAD_PX = 0.1
"""For that: half a pixel always counts, or one half of the tags would outvote the other over nothing."""
BIAS_PRIOR_PX = 0.15
"""Edges may all lie a little outward or inward (bright pixels spill over): expected size of that."""
FITTING_PX = 1.0
FITTING_SHARE = 0.6
"""A tag belongs to the screen if so many of its measured edge points lie that near."""

_TO_THE_LEFT = np.array([1.0, -1.0])
"""Turns (y, x) of a direction into the one to its left, y down: out of a tag whose corners go clockwise."""
_NODES_OF_SIDE = np.array([[0, 4, 1], [1, 5, 2], [2, 6, 3], [3, 7, 0]])


class TagSides:
    """The tags of a layout as what is measured: the places of their sides, and their pictures."""

    def __init__(self, layout: ScreenLayout) -> None:
        self.ids = np.array(list(layout.tags))
        corners = np.stack([layout.tags[int(tag_id)] for tag_id in self.ids])
        middles = (corners + np.roll(corners, -1, axis=1)) / 2
        self.nodes: Floats = np.concatenate([corners, middles], axis=1)
        """Shape (tags, 8, 2), screen px: corners, then the middles of top, right, bottom and left."""
        self.modules = TagModules(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A pose and what it rests on."""

    ray_from_screen: Floats
    """Shape (3, 3); the third coordinate of its result is positive in front of the camera."""
    covariance: Floats
    """Shape (8, 8), of the change ``a`` of :func:`_design`."""
    residual_px: float
    """Root mean square distance of the edges that count from the fitted ones, scene px."""
    verified: frozenset[int]
    """Tags whose picture is seen where the pose has them, and whose edges fit."""
    supporting: frozenset[int]
    """Tags whose edges fit, also where something covers a part of them."""


def fit_screen(
    luma: npt.NDArray[np.uint8], lens: SceneLens, tags: TagSides, guess: Floats, left_out: frozenset[int] = frozenset()
) -> Fit | None:
    """Move a guess of the pose onto the edges of a frame.

    Parameters
    ----------
    luma
        Shape (height, width).
    guess
        Shape (3, 3), rays from screen px; off by less than a module.
    left_out
        Ids of tags not to use.

    Returns
    -------
    The pose; None where too few edges are found, or no single pose explains most of them.
    """
    pose = guess
    is_allowed = ~np.isin(tags.ids, list(left_out)) if left_out else np.ones(len(tags.ids), np.bool_)
    for _ in range(ROUNDS):
        sides = _place(luma, lens, tags, pose, is_allowed)
        measured = _measure(luma, sides) if sides is not None else None
        solution = _solve(measured) if measured is not None else None
        if sides is None or measured is None or solution is None:
            return None
        step = np.append(solution.change[:8], 0.0).reshape(3, 3)
        pose = pose + step @ pose
        pose /= np.sqrt((pose * pose).sum())
        if lens.fx * _moved(step, sides.corners) < SETTLED_PX:
            return _judged(tags, pose, sides, measured, solution)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Where a pose has the sides of the tags that are looked at."""

    tag: npt.NDArray[np.int64]
    """Shape (tags,): index into the layout's tags."""
    places: Floats
    """Shape (tags, 4, 3, 2), scene px: begin, middle and end of each side."""
    rays: Floats
    """The same as rays."""
    slope: Floats
    """Shape (tags, 4, 3, 2, 2): scene px per ray."""
    levels: Floats
    """Shape (tags, 2): black and white, grey levels."""
    seen: npt.NDArray[np.int64]
    """Tags, as indices, whose whole picture is where the pose has it."""
    corners: Floats
    """Shape (m, 2): rays to the corners of all tags that should be in the frame, looked at or not."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Edge points that were found."""

    design: Floats
    """Shape (n, 9): derivative of each distance by the change of the pose, and by the bias."""
    distance: Floats
    """Shape (n,), scene px."""
    weight: Floats
    """Shape (n,): of contrast and size."""
    tag: npt.NDArray[np.int64]
    """Shape (n,): index into the layout's tags."""
    side: npt.NDArray[np.int64]
    """Shape (n,): number of the side."""


def _place(
    luma: npt.NDArray[np.uint8], lens: SceneLens, tags: TagSides, pose: Floats, is_allowed: Bools
) -> _Sides | None:
    """The sides that a pose puts into the frame; None if there are none."""
    lifted = tags.nodes @ pose[:, :2].T + pose[:, 2]
    chosen = np.flatnonzero((lifted[..., 2] > 0).all(axis=1) & is_allowed)
    rays = lifted[chosen, :, :2] / lifted[chosen, :, 2:]
    places, slope = lens.scene_and_slope(rays)
    is_near = np.all((places > 0) & (places < luma.shape[::-1]), axis=-1).any(axis=1)
    if not is_near.all():
        chosen, rays, places, slope = (each[is_near] for each in (chosen, rays, places, slope))
    if not len(chosen):
        return None
    read = tags.modules.read(luma, places[:, :4], chosen)
    # Edges of what does not look like the tag are those of something else. If nothing does, the guess is off.
    used = np.flatnonzero(read.part) if read.part.any() else np.arange(len(chosen))
    # The lens bends a side to a parabola as far as anybody can tell: three places are enough to know all of them.
    nodes = used[:, None, None], _NODES_OF_SIDE[None]
    corners = rays[:, :4].reshape(-1, 2)
    return _Sides(
        chosen[used], places[nodes], rays[nodes], slope[nodes], read.levels[used], chosen[read.whole], corners
    )


@lru_cache(maxsize=MOST_ALONG + 1)
def _between(points: int) -> Floats:
    """Shares of begin, middle and end of a side in places along it, shape (points, 3): Lagrange's polynomials."""
    along = np.linspace(FROM_CORNER, 1 - FROM_CORNER, points)
    return np.stack([(1 - along) * (1 - 2 * along), 4 * along * (1 - along), along * (2 * along - 1)], axis=1)


def _measure(luma: npt.NDArray[np.uint8], sides: _Sides) -> _Measured | None:
    """Distances of edges from where sides should be; None if the tags are seen from behind."""
    along = sides.places[:, :, 2] - sides.places[:, :, 0]
    length = np.sqrt((along * along).sum(axis=-1, keepdims=True))
    outward = along[..., ::-1] * _TO_THE_LEFT / np.maximum(length, 1e-6)
    middle = sides.places[:, :, 1]
    depth = ((middle - middle[:, [2, 3, 0, 1]]) * outward).sum(axis=-1)
    if (depth <= 0).any():
        return None
    push = (outward[:, :, None, None, :] @ sides.slope)[..., 0, :]
    count = 4 * len(sides.tag)
    points = min(max(IN_ALL // count, FEWEST_ALONG), MOST_ALONG)
    between = _between(points)
    distance, contrast = edge_distances(
        luma,
        (between @ sides.places).reshape(count, points, 2),
        outward.reshape(count, 2),
        depth.reshape(count) / BLACK_MODULES,
        np.repeat(sides.levels, 4, axis=0),
    )
    rows = np.flatnonzero(np.isfinite(distance))
    side = rows // points
    # Long sides have their points farther apart: each stands for more picture.
    weight = contrast * contrast * length.reshape(count)
    weight = weight[side] / max(float(weight.max(initial=0.0)), 1e-9)
    rays, push = ((between @ each).reshape(-1, 2)[rows] for each in (sides.rays, push))
    return _Measured(_design(rays, push), distance.ravel()[rows], weight, sides.tag[side // 4], side)


def _design(rays: Floats, push: Floats) -> Floats:
    """Derivative of distances, shape (n, 9), by the change ``a`` of the pose, and by a bias that all have.

    The pose ``h`` becomes ``(1 + A) h`` with ``A = [[a0, a1, a2], [a3, a4, a5], [a6, a7, 0]]``; ``push`` is the
    derivative of the distance by the ray, shape (n, 2).
    """
    design = np.empty((len(rays), 9))
    design[:, 0:2] = rays * push[:, :1]
    design[:, 2] = push[:, 0]
    design[:, 3:5] = rays * push[:, 1:]
    design[:, 5] = push[:, 1]
    design[:, 6:8] = rays * -(rays * push).sum(axis=1, keepdims=True)
    design[:, 8] = 1.0
    return design


def _moved(step: Floats, rays: Floats) -> float:
    """How far a small change of the pose moves rays (root mean square)."""
    lifted = rays @ step[:, :2].T + step[:, 2]
    moved = lifted[:, :2] - rays * lifted[:, 2:]
    return float(np.sqrt((moved * moved).sum() / len(rays)))


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """What explains the measured distances."""

    change: Floats
    """Shape (9,), see :func:`_design`."""
    covariance: Floats
    """Shape (8, 8)."""
    residuals: Floats
    """Shape (n,), scene px."""
    weights: Floats
    """Shape (n,)."""


def _solve(measured: _Measured) -> _Solution | None:
    """Least squares with weights that leave out what does not follow; None when that is most."""
    design, distance = measured.design, measured.distance
    if len(distance) < FEWEST_POINTS:
        return None
    weights, spread = measured.weight, 1.0
    for _ in range(WEIGHTINGS):
        weighted = design * weights[:, None]
        normal = weighted.T @ design
        normal[8, 8] += (spread / BIAS_PRIOR_PX) ** 2
        try:
            change = np.linalg.solve(normal, weighted.T @ distance)
        except np.linalg.LinAlgError:
            return None
        residuals = distance - design @ change
        spread = max(1.4826 * median(np.abs(residuals)), LEAST_SPREAD_PX)
        kept = np.maximum(1 - (residuals / (TUKEY * spread)) ** 2, 0)
        weights = measured.weight * kept * kept
        if kept.min() > MOST_ALIKE:
            break
    if 2 * np.count_nonzero(weights) <= len(weights) or not np.isfinite(change).all():
        return None
    return _Solution(change, _covariance(measured, normal, residuals, weights), residuals, weights)


def _covariance(measured: _Measured, normal: Floats, residuals: Floats, weights: Floats) -> Floats:
    """Covariance of the change.

    Errors of neighbouring points are not independent: the blocks of the video's compression, light and blur move whole
    sides and whole tags. Where their means are farther off than their points' spread explains, all is widened.
    """
    variance = max(float((weights * residuals**2).sum() / weights.sum()), LEAST_ERROR_PX**2)
    sides = 4 * (int(measured.side[-1]) // 4 + 1)
    sums: Floats = np.bincount(measured.side, weights, sides).astype(np.float64)
    totals: Floats = np.bincount(measured.side, weights * residuals, sides).astype(np.float64)
    # A tag that is moved has its edges moved outward on one side and inward on the opposite one.
    pairs = totals.reshape(-1, 2, 2)
    moved, counted = pairs[:, 0] - pairs[:, 1], sums.reshape(-1, 2, 2).sum(axis=1)
    common = max(_mean_square(totals, sums, 9), _mean_square(moved.ravel(), counted.ravel(), 8))
    unseen = SIDE_ERROR_PX**2 * float(sums.sum()) / np.count_nonzero(sums)
    return np.asarray(np.linalg.inv(normal)[:8, :8] * max(variance, common, unseen), np.float64)


def _mean_square(totals: Floats, sums: Floats, numbers: int) -> float:
    """Variance of a point that explains the weighted means of groups, of which ``numbers`` were fitted away."""
    is_used = sums > 1
    freedom = max(int(is_used.sum()) - numbers, 2)
    return float((totals[is_used] ** 2 / sums[is_used]).sum()) / freedom


def _judged(tags: TagSides, pose: Floats, sides: _Sides, measured: _Measured, solution: _Solution) -> Fit:
    """The fit with the tags that it rests on."""
    count = len(tags.ids)
    found = np.bincount(measured.tag, minlength=count)
    near = np.bincount(measured.tag, np.abs(solution.residuals) < FITTING_PX, minlength=count)
    fitting = np.flatnonzero((near >= FITTING_SHARE * found) & (near >= FEWEST_ALONG))
    supporting = frozenset(tags.ids[fitting].tolist())
    verified = supporting.intersection(tags.ids[sides.seen].tolist())
    weights, residuals = solution.weights, solution.residuals
    residual_px = float(np.sqrt((weights * residuals * residuals).sum() / weights.sum()))
    return Fit(pose, solution.covariance, residual_px, verified, supporting)

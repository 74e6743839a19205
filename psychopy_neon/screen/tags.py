"""Finds AprilTags of the family 36h11 in a scene frame.

OpenCV finds and reads the tags; their edges are then measured here. Corners as OpenCV refines them are further from
rendered truth than that allows (root mean square, scene px): 0.9 without refinement, 0.8 with ``CORNER_REFINE_SUBPIX``,
made for the crossing of a chessboard and not for the corner of a square, 0.8 with ``CORNER_REFINE_CONTOUR``, and 0.7
with ``CORNER_REFINE_APRILTAG``, which counts from pixel corners so that everything is half a pixel off (0.26 without
that) and takes more than a second. A side of the black border is some fifty pixels long, so the place where luma passes
half way to white is known for many points of it; lines through them meet in the corners. All places are scene px:
pixel centres at integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import BLACK_MODULES, FAMILY_SIZE, TAG_MODULES, Corners

__all__ = ["Edges", "FoundTags", "find_tags", "follow_tags", "meeting_points", "module_blocks", "tag_picture"]

Floats = npt.NDArray[np.float64]
Edges = npt.NDArray[np.float64]
"""Shape (4, n, 2): points on the top, right, bottom and left side of a tag as printed; NaN where no edge was found."""

EDGE_POINTS = 14
"""Along each side."""
FEWEST_POINTS = 4
"""That make a side."""
FROM_CORNER = 0.12
"""Share of the side next to each corner that is left out: blur rounds it off."""
HALF_STEPS = 8
"""Steps of a profile to each side of the edge."""
SMALLEST_REACH, LARGEST_REACH = 1.5, 5.0
"""Profiles reach so far to both sides of the edge, px."""
REACH_MODULES = 0.8
"""The same in modules, of which one is plain black and one plain white; the rest is for the rough corners' error."""
MIN_CONTRAST = 20.0
MIN_LIKENESS = 0.8
"""Correlation of the modules with the picture of the tag. Two tags of the family differ in 11 of 64 modules at least,
so they correlate by 0.6 at most."""
MAX_RESIDUAL = 0.5
NEAR_ENOUGH = 1.0
"""Profiles are taken once more from better corners if the first were off by more, px."""
THRESHOLD_WINDOW = 23
"""Of the adaptive threshold, px. One is enough: on rendered truth windows from 13 to 65 px find the same tags, whose
modules are 2 to 30 px wide, and each further window costs as much time as the first."""


_ALONG = (np.arange(BLACK_MODULES) + 0.5) / BLACK_MODULES
_RIGHT, _DOWN = (each.ravel() for each in np.meshgrid(_ALONG, _ALONG))
_MODULE_CENTRES = np.stack([(1 - _RIGHT) * (1 - _DOWN), _RIGHT * (1 - _DOWN), _RIGHT * _DOWN, (1 - _RIGHT) * _DOWN], -1)
"""Shape (64, 4): shares of the four corners in the middle of each module; so small a thing needs no perspective."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundTags:
    """The tags of one frame.

    ``corners`` are where the fitted sides meet, taken as straight in the frame, which the lens bends a little: use
    ``edges`` for measuring.
    """

    corners: dict[int, Corners]
    edges: dict[int, Edges]
    duplicates: tuple[int, ...]
    """Ids that were seen more than once; none of them is in ``corners``, since nobody knows which is the right one."""


def find_tags(luma: npt.NDArray[np.uint8]) -> FoundTags:
    """Find the tags of a scene frame.

    Parameters
    ----------
    luma
        Shape (height, width); its rows need not follow each other in memory.

    Raises
    ------
    ConfigurationError
        ``luma`` is no plane of bytes.
    """
    if luma.ndim != 2 or luma.dtype != np.uint8:
        raise ConfigurationError("luma", f"{luma.dtype}{luma.shape}", "uint8 of shape (height, width)")
    rough, duplicates = _detect(luma)
    if not rough:
        return FoundTags({}, {}, duplicates)
    ids = list(rough)
    edges, _ = _measured(luma, np.stack(list(rough.values())))
    corners = meeting_points(edges)
    whole = np.flatnonzero(np.isfinite(corners).all(axis=(1, 2)))
    return FoundTags({ids[i]: corners[i] for i in whole}, {ids[i]: edges[i] for i in whole}, duplicates)


def follow_tags(luma: npt.NDArray[np.uint8], expected: Mapping[int, Corners]) -> dict[int, Edges]:
    """Measure tags where they must be, which costs far less than finding them.

    Parameters
    ----------
    luma
        Shape (height, width).
    expected
        Tag id to corners, scene px, off by less than a module.

    Returns
    -------
    The sides of those that are there: a tag counts only if its picture is seen where it must be. A second copy
    elsewhere is not noticed.
    """
    ids, rough = np.array(list(expected)), np.stack(list(expected.values()))
    is_inside = ((rough >= 0) & (rough <= np.array(luma.shape[::-1]) - 1)).all(axis=(1, 2))  # NaN is not
    if not is_inside.any():
        return {}
    ids = ids[is_inside]
    edges, corners = _measured(luma, rough[is_inside])
    is_seen = _are_seen(luma, ids, corners)
    return {int(ids[i]): edges[i] for i in np.flatnonzero(is_seen)}


def _measured(luma: npt.NDArray[np.uint8], corners: Floats) -> tuple[Floats, Floats]:
    """Points on the sides of tags near rough corners, and better corners; shapes as of :func:`meeting_points`."""
    edges, distance = _measure_edges(luma, corners)
    if not distance < NEAR_ENOUGH:
        better = meeting_points(edges)
        # A side without an edge (covered, cut by the frame) leaves its corners where they were found.
        corners = np.where(np.isfinite(better), better, corners)
        edges, _ = _measure_edges(luma, corners)
    return edges, corners


def _are_seen(luma: npt.NDArray[np.uint8], ids: npt.NDArray[np.int64], corners: Floats) -> npt.NDArray[np.bool_]:
    """Whether the modules between the corners of each tag, shape (tags, 4, 2), have its pattern."""
    places = np.einsum("mc,tcd->tmd", _MODULE_CENTRES, corners).astype(np.float32)
    values = cv2.remap(luma, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    pattern = np.stack([_pattern(int(tag_id)) for tag_id in ids])
    likeness: Floats = (values * pattern).sum(axis=1) / np.maximum(np.linalg.norm(values, axis=1), 1e-9)
    return likeness > MIN_LIKENESS


@lru_cache(maxsize=FAMILY_SIZE)
def _pattern(tag_id: int) -> Floats:
    """Modules of a tag within its black border's outline, row by row, with mean 0 and norm 1."""
    modules = tag_picture(tag_id, 1)[1:-1, 1:-1].astype(np.float64).ravel()
    modules -= modules.mean()
    pattern: Floats = modules / np.linalg.norm(modules)
    return pattern


def meeting_points(edges: Floats) -> Floats:
    """Corners of tags, shape (tags, 4, 2), from points on their sides, shape (tags, 4, n, 2); NaN where none is."""
    is_used = np.isfinite(edges[..., 0])
    for _ in range(2):
        middle, normal = _fit_lines(edges, is_used)
        with np.errstate(invalid="ignore"):
            distance = np.abs(np.sum((edges - middle[..., None, :]) * normal[..., None, :], axis=-1))
            is_used = is_used & (distance < MAX_RESIDUAL)
    middle, normal = _fit_lines(edges, is_used)
    # Corner i lies on side i, which begins there, and on the side before it.
    before_middle, before_normal = np.roll(middle, 1, axis=1), np.roll(normal, 1, axis=1)
    system = np.stack([before_normal, normal], axis=-2)
    right = np.stack([np.sum(before_normal * before_middle, axis=-1), np.sum(normal * middle, axis=-1)], axis=-1)
    determinant = np.linalg.det(system)
    is_solvable = np.abs(determinant) > 0.1  # sides of one tag never get near to parallel
    system[~is_solvable] = np.eye(2)
    points: Floats = np.linalg.solve(system, right[..., None])[..., 0]
    points[~is_solvable] = np.nan
    return points


def tag_picture(tag_id: int, module_px: int) -> npt.NDArray[np.uint8]:
    """The picture of a tag with its white module around, 0 and 255, shape (10 * module_px, 10 * module_px)."""
    picture = np.full((TAG_MODULES, TAG_MODULES), 255, np.uint8)
    picture[1:-1, 1:-1] = cv2.aruco.generateImageMarker(_family(), tag_id, BLACK_MODULES)
    return np.kron(picture, np.ones((module_px, module_px), np.uint8))


def module_blocks(tag_id: int, is_white: bool) -> npt.NDArray[np.int64]:
    """Rectangles that together are the white or the black modules of a tag, the white module around included.

    Returns
    -------
    numpy.ndarray
        Shape (n, 4, 2): corners clockwise, in modules from the top left corner of the black border, y down. Each is as
        many modules of one row as touch each other, and the same of the rows below; no two overlap.
    """
    is_member = (tag_picture(tag_id, 1) == 255) == is_white
    steps = np.diff(is_member.astype(np.int64), axis=1, prepend=0, append=0)
    blocks, running = [], dict[tuple[int, int], int]()  # left and right of those that may go on, and their first row
    for row, step in enumerate([*steps, np.zeros_like(steps[0])]):
        sides = set(zip(np.flatnonzero(step == 1).tolist(), np.flatnonzero(step == -1).tolist(), strict=True))
        for left, right in sorted(running.keys() - sides):
            top = running.pop((left, right))
            blocks.append([(left, top), (right, top), (right, row), (left, row)])
        for side in sides - running.keys():
            running[side] = row
    return np.array(blocks) - 1


def _family() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)


@lru_cache(maxsize=1)
def _detector() -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_NONE
    parameters.adaptiveThreshWinSizeMin = parameters.adaptiveThreshWinSizeMax = THRESHOLD_WINDOW
    # OpenCV before 5 takes a tag's white rim for the tag at the default of 0.05, and then loses the tag.
    parameters.minMarkerDistanceRate = 0.02
    return cv2.aruco.ArucoDetector(_family(), parameters)


def _detect(luma: npt.NDArray[np.uint8]) -> tuple[dict[int, Corners], tuple[int, ...]]:
    """Rough corners (a pixel or so) of every tag, and the ids that came more than once."""
    corners, ids, _ = _detector().detectMarkers(luma)
    if ids is None:
        return {}, ()
    found: dict[int, Corners] = {}
    duplicates: set[int] = set()
    for number, quadrilateral in zip(map(int, np.ravel(ids)), corners, strict=True):
        place = np.asarray(quadrilateral, np.float64).reshape(4, 2)
        known = found.setdefault(number, place)
        side = np.linalg.norm(place[1] - place[0])
        # The same tag may come twice, by its outline and by a contour next to it.
        if np.linalg.norm(place.mean(axis=0) - known.mean(axis=0)) > side / 2:
            duplicates.add(number)
    return {number: place for number, place in found.items() if number not in duplicates}, tuple(sorted(duplicates))


def _measure_edges(luma: npt.NDArray[np.uint8], corners: Floats) -> tuple[Floats, float]:
    """Points on the sides of tags, shape (tags, 4, EDGE_POINTS, 2), near corners, shape (tags, 4, 2).

    With them their largest distance from the lines between the corners, px; infinite if a side was not found.
    """
    along = np.roll(corners, -1, axis=1) - corners
    length = np.maximum(np.linalg.norm(along, axis=-1), 1.0)
    outward = np.stack([along[..., 1], -along[..., 0]], axis=-1) / length[..., None]
    shares = np.linspace(FROM_CORNER, 1 - FROM_CORNER, EDGE_POINTS)
    bases = corners[:, :, None, :] + along[:, :, None, :] * shares[None, None, :, None]
    # Each side has its own: a tag seen from the side is narrow, and one far away smaller than its neighbours.
    depth = -np.sum((np.roll(corners, 2, axis=1) + np.roll(corners, 1, axis=1)) * outward, axis=-1) / 2
    depth += np.sum((corners + np.roll(corners, -1, axis=1)) * outward, axis=-1) / 2
    reach = np.clip(depth * (REACH_MODULES / BLACK_MODULES), SMALLEST_REACH, LARGEST_REACH)
    steps = np.arange(-HALF_STEPS, HALF_STEPS + 1) / HALF_STEPS
    places = bases[..., None, :] + (outward * reach[..., None])[:, :, None, None, :] * steps[:, None]
    maps = places.reshape(-1, len(steps), 2).astype(np.float32)
    profiles = cv2.remap(luma, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crossing = _half_way(profiles.astype(np.float64), steps).reshape(bases.shape[:-1])
    margin = reach[..., None, None]
    inside = np.all((bases >= margin) & (bases <= np.array(luma.shape[::-1]) - 1 - margin), axis=-1)
    crossing[~inside] = np.nan
    distance = crossing * reach[..., None]
    points: Floats = bases + outward[:, :, None, :] * distance[..., None]
    is_found = np.isfinite(distance)
    if (is_found.sum(axis=2) < FEWEST_POINTS).any():
        return points, np.inf
    return points, float(np.abs(distance[is_found]).max())


def _half_way(profiles: Floats, steps: Floats) -> Floats:
    """Where each profile, shape (n, steps) from black to white, passes the middle; NaN where not exactly once."""
    black, white = profiles[:, :2].mean(axis=1), profiles[:, -2:].mean(axis=1)
    above = profiles - ((black + white) / 2)[:, None]
    is_above = above >= 0
    changes = is_above[:, 1:] != is_above[:, :-1]
    first = changes.argmax(axis=1)
    rows = np.arange(len(profiles))
    low, high = above[rows, first], above[rows, first + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = steps[first] + (steps[1] - steps[0]) * low / (low - high)
    is_edge = (white - black > MIN_CONTRAST) & (changes.sum(axis=1) == 1)
    result: Floats = np.where(is_edge, crossing, np.nan)
    return result


def _fit_lines(edges: Floats, is_used: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Middle and normal, each of shape (tags, 4, 2), of the line nearest to the used points of every side."""
    weight = is_used[..., None].astype(np.float64)
    count = weight.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(is_used[..., None], edges, 0).sum(axis=2) / count
        offsets = np.where(is_used[..., None], edges - middle[..., None, :], 0)
    xx, yy = (offsets[..., 0] ** 2).sum(axis=2), (offsets[..., 1] ** 2).sum(axis=2)
    xy = (offsets[..., 0] * offsets[..., 1]).sum(axis=2)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # of the direction in which the points are spread
    normal = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
    has_line = count[..., 0] >= FEWEST_POINTS
    normal[~has_line] = 0.0
    middle[~has_line] = 0.0
    return middle, normal

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

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.edges import edge_distances
from psychopy_neon.screen.layout import BLACK_MODULES, Corners
from psychopy_neon.screen.modules import TagModules, family

__all__ = ["FoundTags", "find_tags", "search_tags"]

Floats = npt.NDArray[np.float64]

EDGE_POINTS = 14
"""Along each side."""
FEWEST_POINTS = 4
"""That make a side."""
FROM_CORNER = 0.12
"""Share of the side next to each corner that is left out: blur rounds it off."""
MAX_RESIDUAL = 0.5
"""Of an edge point from its side's line, px."""
NEAR_ENOUGH = 1.0
"""Edges are measured once more from better corners if the first were off by more, px."""
THRESHOLD_WINDOW = 23
"""Of the adaptive threshold, px. One is enough: on rendered truth windows from 13 to 65 px find the same tags, whose
modules are 2 to 30 px wide, and each further window costs as much time as the first."""
DARK = 100
"""Grey level that nothing in a dark frame reaches."""
SMOOTHED_PX = 3
"""Width of the blur before the search: without it noise makes so many contours that the search takes three times as
long, and finds no tag more."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundTags:
    """The tags of one frame."""

    corners: dict[int, Corners]
    """Where the sides meet, taken as straight in the frame, which the lens bends a little, scene px."""
    duplicates: tuple[int, ...]
    """Ids that were seen more than once; none of them is in ``corners``, since nobody knows which is the right one."""


def find_tags(luma: npt.NDArray[np.uint8]) -> FoundTags:
    """Find the tags of a scene frame, or of a part of one, and their corners to a few hundredths of a pixel.

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
    rough = search_tags(luma)
    if not rough.corners:
        return rough
    corners = _refined(luma, TagModules(rough.corners), np.stack(list(rough.corners.values())))
    whole = {tag_id: place for tag_id, place in zip(rough.corners, corners, strict=True) if np.isfinite(place).all()}
    return FoundTags(whole, rough.duplicates)


def _refined(luma: npt.NDArray[np.uint8], modules: TagModules, corners: Floats) -> Floats:
    """Corners, shape (tags, 4, 2), by the edges between them; NaN where a side was not found."""
    better = _meeting_points(_edges(luma, modules, corners))
    if np.abs(better - corners).max() < NEAR_ENOUGH:  # NaN is not
        return better
    # A side without an edge (covered, cut by the frame) leaves its corners where they were found.
    return _meeting_points(_edges(luma, modules, np.where(np.isfinite(better), better, corners)))


def _edges(luma: npt.NDArray[np.uint8], modules: TagModules, corners: Floats) -> Floats:
    """Points on the sides of tags near corners, shape (tags, 4, EDGE_POINTS, 2); NaN where there is no edge."""
    along = np.roll(corners, -1, axis=1) - corners
    length = np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1.0)
    outward = np.stack([along[..., 1], -along[..., 0]], axis=-1) / length
    shares = np.linspace(FROM_CORNER, 1 - FROM_CORNER, EDGE_POINTS)[:, None]
    bases = corners[:, :, None] + along[:, :, None] * shares
    # Each side has its own module: a tag seen from the side is narrow, and one far away smaller than its neighbours.
    middle = bases.mean(axis=2)
    depth = np.sum((middle - np.roll(middle, 2, axis=1)) * outward, axis=-1)
    levels = modules.read(luma, corners).levels
    sides = 4 * len(corners)
    module_px = depth.reshape(sides) / BLACK_MODULES
    distance, _ = edge_distances(
        luma, bases.reshape(sides, -1, 2), outward.reshape(sides, 2), module_px, np.repeat(levels, 4, axis=0)
    )
    edges: Floats = bases + outward[:, :, None] * distance.reshape(*bases.shape[:3], 1)
    return edges


def _meeting_points(edges: Floats) -> Floats:
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


@lru_cache(maxsize=1)
def _detector() -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_NONE
    parameters.adaptiveThreshWinSizeMin = parameters.adaptiveThreshWinSizeMax = THRESHOLD_WINDOW
    # OpenCV before 5 takes a tag's white rim for the tag at the default of 0.05, and then loses the tag.
    parameters.minMarkerDistanceRate = 0.02
    return cv2.aruco.ArucoDetector(family(), parameters)


def search_tags(luma: npt.NDArray[np.uint8]) -> FoundTags:
    """The same with corners that may be off by a pixel or two, also of tags whose edges are too blurred to measure."""
    if not luma.size:  # a band of a frame of a few rows
        return FoundTags({}, ())
    smoothed = cv2.GaussianBlur(luma, (SMOOTHED_PX, SMOOTHED_PX), 0)
    brightest = int(smoothed[::4, ::4].max(initial=0))
    if 0 < brightest < DARK:  # OpenCV's threshold counts in grey levels, of which a dark frame has few
        smoothed = cv2.convertScaleAbs(smoothed, alpha=255 / brightest)
    corners, ids, _ = _detector().detectMarkers(smoothed)
    if ids is None:
        return FoundTags({}, ())
    found: dict[int, Corners] = {}
    duplicates: set[int] = set()
    for number, quadrilateral in zip(map(int, np.ravel(ids)), corners, strict=True):
        place = np.asarray(quadrilateral, np.float64).reshape(4, 2)
        known = found.setdefault(number, place)
        side = np.linalg.norm(place[1] - place[0])
        # The same tag may come twice, by its outline and by a contour next to it.
        if np.linalg.norm(place.mean(axis=0) - known.mean(axis=0)) > side / 2:
            duplicates.add(number)
    once = {number: place for number, place in found.items() if number not in duplicates}
    return FoundTags(once, tuple(sorted(duplicates)))


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

"""Finds AprilTags of the family 36h11 in a scene frame.

OpenCV finds and reads the tags; their edges are then measured here. Corners as OpenCV refines them are off by 0.4 px
and more (root mean square, rendered truth): ``CORNER_REFINE_SUBPIX`` is made for the crossing of a chessboard, not for
the corner of a square, and ``CORNER_REFINE_APRILTAG`` counts from pixel corners, so that everything is half a pixel
off. A side of the black border is some fifty pixels long, so the place where luma passes half way to white is
known for many points of it; lines through them meet in the corners. All places are scene px, pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.layout import BLACK_MODULES, FAMILY_SIZE, TAG_MODULES, Corners

__all__ = ["Edges", "FoundTags", "find_tags", "meeting_points", "tag_picture"]

Floats = npt.NDArray[np.float64]
Edges = npt.NDArray[np.float64]
"""Shape (4, n, 2): points on the top, right, bottom and left side of a tag as printed; NaN where no edge was found."""

EDGE_POINTS = 14
"""Along each side."""
FROM_CORNER = 0.12
"""Share of the side next to each corner that is left out: blur rounds it off."""
PROFILE_STEP = 0.5
SMALLEST_REACH, LARGEST_REACH = 2.0, 5.0
"""Profiles reach so far to both sides of the edge, px, within the one module that is plain black or white."""
MIN_CONTRAST = 20.0
MAX_RESIDUAL = 0.5
THRESHOLD_WINDOWS = ((23, 23, 10), (5, 65, 20))
"""Smallest and largest window and step of the adaptive threshold: what usually does, at a third of the time, and what
does for very small or large tags, if the first finds none."""


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
    """Find the tags in a luma plane, shape (height, width)."""
    rough, duplicates = _detect(luma)
    if not rough:
        return FoundTags({}, {}, duplicates)
    ids, corners = list(rough), np.stack(list(rough.values()))
    for _ in range(2):  # the second time from a better place
        edges = _measure_edges(luma, corners)
        better = meeting_points(edges)
        # A side without an edge (covered, cut by the frame) leaves its corners where they were found.
        corners = np.where(np.isfinite(better), better, corners)
    whole = np.flatnonzero(np.isfinite(better).all(axis=(1, 2)))
    return FoundTags({ids[i]: corners[i] for i in whole}, {ids[i]: edges[i] for i in whole}, duplicates)


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


def _family() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)


@lru_cache(maxsize=len(THRESHOLD_WINDOWS))
def _detector(windows: tuple[int, int, int]) -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_NONE
    (
        parameters.adaptiveThreshWinSizeMin,
        parameters.adaptiveThreshWinSizeMax,
        parameters.adaptiveThreshWinSizeStep,
    ) = windows
    return cv2.aruco.ArucoDetector(_family(), parameters)


def _detect(luma: npt.NDArray[np.uint8]) -> tuple[dict[int, Corners], tuple[int, ...]]:
    """Rough corners (a pixel or so) of every tag, and the ids that came more than once."""
    for windows in THRESHOLD_WINDOWS:
        corners, ids, _ = _detector(windows).detectMarkers(luma)
        if ids is not None and len(ids):
            break
    else:
        return {}, ()
    numbers = [int(number) for number in np.ravel(ids)]
    duplicates = tuple(sorted({number for number in numbers if numbers.count(number) > 1}))
    found = {
        number: np.asarray(each, np.float64).reshape(4, 2)
        for number, each in zip(numbers, corners, strict=True)
        if number not in duplicates and 0 <= number < FAMILY_SIZE
    }
    return found, duplicates


def _measure_edges(luma: npt.NDArray[np.uint8], corners: Floats) -> Floats:
    """Points on the sides of tags, shape (tags, 4, EDGE_POINTS, 2), near corners, shape (tags, 4, 2)."""
    along = np.roll(corners, -1, axis=1) - corners
    length = np.maximum(np.linalg.norm(along, axis=-1), 1.0)
    outward = np.stack([along[..., 1], -along[..., 0]], axis=-1) / length[..., None]
    shares = np.linspace(FROM_CORNER, 1 - FROM_CORNER, EDGE_POINTS)
    bases = corners[:, :, None, :] + along[:, :, None, :] * shares[None, None, :, None]
    reach = float(np.clip(0.9 * np.median(length) / BLACK_MODULES, SMALLEST_REACH, LARGEST_REACH))
    steps: Floats = np.arange(-reach, reach + PROFILE_STEP / 2, PROFILE_STEP, np.float64)
    places = bases[..., None, :] + outward[:, :, None, None, :] * steps[:, None]
    maps = places.reshape(-1, len(steps), 2).astype(np.float32)
    profiles = cv2.remap(luma, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crossing = _half_way(profiles.astype(np.float64), steps).reshape(bases.shape[:-1])
    inside = np.all((bases >= reach) & (bases <= np.array(luma.shape[::-1]) - 1 - reach), axis=-1)
    crossing[~inside] = np.nan
    points: Floats = bases + outward[:, :, None, :] * crossing[..., None]
    return points


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
    has_line = count[..., 0] >= EDGE_POINTS // 3
    normal[~has_line] = 0.0
    middle[~has_line] = 0.0
    return middle, normal

"""Finds tags again in small windows around where they were.

For a head that turned in an unforeseen way: the picture of each tag, as the last pose would show it, is laid over every
place of a window at half the resolution. That needs no clear edges, so blur, noise and a hand over a part of the tag
matter little, and it costs a tenth of what a search of the frame does.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.layout import BLACK_MODULES, TAG_MODULES, Corners
from psychopy_neon.screen.modules import tag_picture

__all__ = ["match_tags"]

REACH_PX = 64
"""From where a tag is expected, scene px: a head at 100 degrees a second moves the picture so far within a frame."""
MOST_TAGS = 5
LEAST_SCORE = 0.6
"""Correlation of a window with the tag's picture."""
HALF = 0.5
SMALLEST_PX = 10
"""Of a tag at half the resolution; smaller ones look like anything."""
_MARGIN = (TAG_MODULES - BLACK_MODULES) / 2
_PICTURE = np.array(
    [
        [_MARGIN, _MARGIN],
        [TAG_MODULES - _MARGIN, _MARGIN],
        [TAG_MODULES - _MARGIN] * 2,
        [_MARGIN, TAG_MODULES - _MARGIN],
    ]
)
"""Corners of the black border in the picture, modules."""


def match_tags(luma: npt.NDArray[np.uint8], expected: Mapping[int, Corners]) -> dict[int, Corners]:
    """Find tags near where they are expected.

    Parameters
    ----------
    luma
        Shape (height, width).
    expected
        Tag id to corners, scene px; the size and shape must be right, the place may be off by ``REACH_PX``.

    Returns
    -------
    Of the first few that lie in the frame those that were found: corners, off by a pixel or so.
    """
    found = {}
    size = np.array(luma.shape[::-1])
    inside = [
        (tag_id, corners)
        for tag_id, corners in expected.items()
        if np.isfinite(corners).all() and (corners > -REACH_PX).all() and (corners < size + REACH_PX).all()
    ]
    for tag_id, corners in _spread(inside):
        offset = _match(luma, tag_id, corners)
        if offset is not None:
            found[tag_id] = corners + offset
    return found


def _spread(tags: list[tuple[int, Corners]]) -> list[tuple[int, Corners]]:
    """Some of the tags, evenly chosen from those in reading order."""
    places = np.linspace(0, len(tags) - 1, min(MOST_TAGS, len(tags))).round().astype(int)
    return [tags[each] for each in places]


def _match(luma: npt.NDArray[np.uint8], tag_id: int, corners: Corners) -> npt.NDArray[np.float64] | None:
    """How far the tag is from where it is expected, scene px, shape (2,)."""
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    template = _template(tag_id, corners - low, (high - low + 1).astype(int))
    if min(template.shape) < SMALLEST_PX:
        return None
    left, top = (low - REACH_PX).astype(int) // 2 * 2
    right, bottom = (high + 1 + REACH_PX).astype(int)
    x, y = max(left, 0), max(top, 0)
    window = luma[y : max(bottom, 0), x : max(right, 0)]
    if min(window.shape) < 2:
        return None
    small = cv2.resize(window, None, fx=HALF, fy=HALF, interpolation=cv2.INTER_AREA)
    if small.shape[0] < template.shape[0] or small.shape[1] < template.shape[1]:
        return None
    _, best, _, place = cv2.minMaxLoc(cv2.matchTemplate(small, template, cv2.TM_CCOEFF_NORMED))
    if not best >= LEAST_SCORE:
        return None
    offset: npt.NDArray[np.float64] = np.array(place) / HALF + (x, y) - low
    return offset


def _template(tag_id: int, corners: Corners, size: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The tag at half the resolution as a camera sees it with corners, scene px, in a picture of ``size``."""
    scale = 8
    picture = tag_picture(tag_id, scale)
    small = ((size * HALF).round()).astype(int)
    source = (_PICTURE * scale - 0.5).astype(np.float32)
    target = ((corners + 0.5) * HALF - 0.5).astype(np.float32)
    homography = cv2.getPerspectiveTransform(source, target)
    smoothed = cv2.blur(picture, (5, 5))  # about a pixel of the small picture, so that its modules do not alias
    drawn = cv2.warpPerspective(smoothed, homography, small.tolist(), borderMode=cv2.BORDER_CONSTANT, borderValue=255)
    return drawn.astype(np.uint8, copy=False)

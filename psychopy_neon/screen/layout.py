"""Where the tags are on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError

__all__ = ["BLACK_MODULES", "FAMILY_SIZE", "TAG_MODULES", "Corners", "ScreenLayout", "border_layout"]

Corners = npt.NDArray[np.float64]
"""Shape (4, 2): top left, top right, bottom right, bottom left of the tag as printed."""

BLACK_MODULES = 8
"""Width of a tag36h11 from outer edge to outer edge of its black border."""
TAG_MODULES = 10
"""The same with the white module around, without which a black border on a dark picture has no edge."""
FAMILY_SIZE = 587
"""Number of tags in the family 36h11."""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenLayout:
    """Size of a screen and the tags that belong to it.

    Parameters
    ----------
    size_px : tuple of int
        Framebuffer width and height.
    tags : mapping
        Tag id to the outer corners of the tag's black border, screen px, shape (4, 2): top left, top right, bottom
        right, bottom left of the tag as printed. Tags may lie beside the screen (on the bezel).

    Raises
    ------
    ConfigurationError
        No tag, an id that the family does not have, corners that are no clockwise quadrilateral, or tags that overlap.
    """

    size_px: tuple[int, int]
    tags: Mapping[int, Corners]

    def __post_init__(self) -> None:
        if min(self.size_px) <= 0:
            raise ConfigurationError("size_px", self.size_px, "a width and a height above 0")
        if not self.tags:
            raise ConfigurationError("tags", self.tags, "at least one tag")
        tags = {tag_id: np.array(corners, np.float64) for tag_id, corners in self.tags.items()}
        for tag_id, corners in tags.items():
            if not 0 <= tag_id < FAMILY_SIZE:
                raise ConfigurationError("tags", tag_id, f"ids from 0 to {FAMILY_SIZE - 1}")
            if corners.shape != (4, 2) or not np.isfinite(corners).all() or _area(corners) <= 0:
                raise ConfigurationError(f"tags[{tag_id}]", corners.tolist(), "four corners (x, y), clockwise")
            corners.flags.writeable = False
        _refuse_overlap(tags)
        object.__setattr__(self, "tags", tags)


def border_layout(
    size_px: tuple[int, int],
    *,
    tag_px: int = 120,
    columns: int = 5,
    rows: int = 3,
    margin_px: int = 0,
    first_id: int = 0,
) -> ScreenLayout:
    """Tags around the border of a screen.

    Parameters
    ----------
    size_px
        Framebuffer width and height.
    tag_px
        Largest width of a tag with its white module; rounded down so that a module is a whole number of pixels.
    columns, rows
        Tags along the horizontal and the vertical edges, the corners included in both.
    margin_px
        Distance of the outermost tags from the edges.
    first_id
        Ids count up from here, row by row.

    Raises
    ------
    ConfigurationError
        Tags, with their white modules, that do not fit.
    """
    width, height = size_px
    module = tag_px // TAG_MODULES
    side = module * TAG_MODULES
    if module < 1:
        raise ConfigurationError("tag_px", tag_px, f"at least {TAG_MODULES}")
    if columns < 2 or rows < 2:
        raise ConfigurationError("columns, rows", (columns, rows), "at least 2 each")
    lefts = np.linspace(margin_px, width - margin_px - side, columns).round().astype(int)
    tops = np.linspace(margin_px, height - margin_px - side, rows).round().astype(int)
    if min(*np.diff(lefts), *np.diff(tops)) < side:
        limits = f"tags of {side} px that fit beside each other into {width} x {height} px"
        raise ConfigurationError("columns, rows", (columns, rows), limits)
    places = [(x, y) for y in tops for x in lefts if y in (tops[0], tops[-1]) or x in (lefts[0], lefts[-1])]
    black = module * BLACK_MODULES
    square = np.array([[0, 0], [black, 0], [black, black], [0, black]], np.float64)
    tags = {first_id + number: square + np.array([x + module, y + module]) for number, (x, y) in enumerate(places)}
    return ScreenLayout((width, height), tags)


def _area(corners: Corners) -> float:
    """Twice the signed area, positive for a clockwise order (y down)."""
    x, y = corners.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _refuse_overlap(tags: Mapping[int, Corners]) -> None:
    """Bounding boxes are enough: whoever turns a tag leaves it room."""
    boxes = [(tag_id, *corners.min(axis=0), *corners.max(axis=0)) for tag_id, corners in tags.items()]
    for place, (tag_id, left, top, right, bottom) in enumerate(boxes):
        for other_id, other_left, other_top, other_right, other_bottom in boxes[place + 1 :]:
            if left < other_right and other_left < right and top < other_bottom and other_top < bottom:
                raise ConfigurationError("tags", (tag_id, other_id), "tags that do not overlap")

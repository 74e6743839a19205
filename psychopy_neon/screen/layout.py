"""Where the tags are on the screen, and around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError

__all__ = [
    "BLACK_MODULES",
    "FAMILY_SIZE",
    "TAG_MODULES",
    "Corners",
    "PrintedTag",
    "ScreenLayout",
    "border_layout",
    "printed_layout",
    "refuse_shared_ids",
    "single_tag_layout",
]

Corners = npt.NDArray[np.float64]
"""Shape (4, 2): top left, top right, bottom right, bottom left of the tag as printed."""

BLACK_MODULES = 8
"""Width of a tag36h11 from outer edge to outer edge of its black border."""
TAG_MODULES = 10
"""The same with the white module around, without which a black border on a dark picture has no edge."""
FAMILY_SIZE = 587
"""Number of tags in the family 36h11."""
ROUNDING_PX = 1e-6
"""By how much computing may miss a length: tags that touch do not overlap, and 119.9999999 px are 120."""


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
    outlines : mapping, optional
        Tag id to the corners of the tag with the white around it, where no other tag may be. Of tags that it does not
        name, one module around.

    Raises
    ------
    ConfigurationError
        No tag, an id that the family does not have, corners that are no clockwise convex quadrilateral, or tags that
        overlap, the white around them included.
    """

    size_px: tuple[int, int]
    tags: Mapping[int, Corners]
    outlines: Mapping[int, Corners] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.size_px) <= 0:
            raise ConfigurationError("size_px", self.size_px, "a width and a height above 0")
        if not self.tags:
            raise ConfigurationError("tags", self.tags, "at least one tag")
        tags = {tag_id: _checked(tag_id, corners) for tag_id, corners in self.tags.items()}
        outlines = {
            tag_id: _checked(tag_id, self.outlines.get(tag_id, _grown(corners, 1))) for tag_id, corners in tags.items()
        }
        _refuse_overlap(outlines)
        object.__setattr__(self, "tags", tags)
        object.__setattr__(self, "outlines", outlines)

    def joined(self, *others: ScreenLayout) -> ScreenLayout:
        """The tags of this and of other layouts of the same screen, as one layout.

        Raises
        ------
        ConfigurationError
            Sizes that differ, an id that several have, or tags that overlap.
        """
        for other in others:
            if other.size_px != self.size_px:
                raise ConfigurationError("size_px", other.size_px, f"that of the same screen, {self.size_px}")
        layouts = [self, *others]
        counts = Counter(tag_id for layout in layouts for tag_id in layout.tags)
        clashes = [tag_id for tag_id, count in counts.items() if count > 1]
        if clashes:
            raise ConfigurationError("tags", clashes, "ids that occur once among the tags of a screen")
        return ScreenLayout(
            self.size_px,
            {tag_id: corners for layout in layouts for tag_id, corners in layout.tags.items()},
            {tag_id: outline for layout in layouts for tag_id, outline in layout.outlines.items()},
        )


class PrintedTag(NamedTuple):
    """A paper tag, measured with a ruler; lengths in cm."""

    x_cm: float
    """Middle of the tag, to the right of the left edge of the screen's picture; negative beside it."""
    y_cm: float
    """Middle of the tag, below the upper edge of the screen's picture; negative above it."""
    width_cm: float
    """From outer edge to outer edge of the black border."""
    turn_deg: float = 0.0
    """Clockwise."""


def border_layout(
    size_px: tuple[int, int],
    *,
    tag_px: int = 120,
    columns: int = 5,
    rows: int = 3,
    margin_px: int = 0,
    first_id: int = 0,
    ids: Sequence[int] | None = None,
    quiet_modules: int = 1,
) -> ScreenLayout:
    """Tags around the border of a screen.

    Parameters
    ----------
    size_px
        Framebuffer width and height.
    tag_px
        Largest width of a tag with the white around it; rounded down so that a module is a whole number of pixels.
    columns, rows
        Tags along the horizontal and the vertical edges, the corners included in both.
    margin_px
        Distance of the outermost tags from the edges.
    first_id
        Ids count up from here, row by row.
    ids
        One for each tag instead of counting, row by row.
    quiet_modules
        Width of the white around each tag.

    Raises
    ------
    ConfigurationError
        Tags, with the white around them, that do not fit, or ids that are not one for each tag.
    """
    width, height = size_px
    module = _module_px(tag_px, quiet_modules)
    side = module * (BLACK_MODULES + 2 * quiet_modules)
    if columns < 2 or rows < 2:
        raise ConfigurationError("columns, rows", (columns, rows), "at least 2 each")
    if margin_px < 0:
        raise ConfigurationError("margin_px", margin_px, "0 or more")
    lefts = np.linspace(margin_px, width - margin_px - side, columns).round().astype(int)
    tops = np.linspace(margin_px, height - margin_px - side, rows).round().astype(int)
    if min(*np.diff(lefts), *np.diff(tops)) < side:
        limits = f"tags of {side} px that fit beside each other into {width} x {height} px"
        raise ConfigurationError("columns, rows", (columns, rows), limits)
    places = [(x, y) for y in tops for x in lefts if y in (tops[0], tops[-1]) or x in (lefts[0], lefts[-1])]
    if ids is None:
        ids = range(first_id, first_id + len(places))
    if len(set(ids)) != len(places) or len(ids) != len(places):
        raise ConfigurationError("ids", list(ids), f"{len(places)} different ids, one for each tag")
    square = _square(module * BLACK_MODULES) + module * quiet_modules
    tags = {int(tag_id): square + np.array(place) for tag_id, place in zip(ids, places, strict=True)}
    return _drawn(size_px, tags, quiet_modules)


def single_tag_layout(
    size_px: tuple[int, int],
    tag_id: int,
    *,
    centre_px: tuple[float, float],
    tag_px: int,
    turn_deg: float = 0.0,
    quiet_modules: int = 1,
) -> ScreenLayout:
    """One tag anywhere on a screen.

    Parameters
    ----------
    size_px
        Framebuffer width and height.
    tag_id
        In the family 36h11.
    centre_px
        Middle of the tag, screen px. A tag that stands straight is moved by up to half a pixel, so that its modules
        fill whole pixels.
    tag_px
        Largest width of the tag with the white around it; rounded down so that a module is a whole number of pixels.
    turn_deg
        Clockwise.
    quiet_modules
        Width of the white around the tag.

    Raises
    ------
    ConfigurationError
        A tag that does not lie on the screen as a whole, or another setting that cannot be used.
    """
    side = _module_px(tag_px, quiet_modules) * BLACK_MODULES
    quarters, rest = divmod(turn_deg, 90)
    if rest:
        corners = np.array(centre_px) + _turned(_square(side) - side / 2, turn_deg)
    else:
        left_top = np.floor(np.array(centre_px) - side / 2 + 0.5)
        corners = np.roll(_square(side) + left_top, -int(quarters), axis=0)
    layout = _drawn(size_px, {tag_id: corners}, quiet_modules)
    outline = layout.outlines[tag_id]
    if (outline < -ROUNDING_PX).any() or (outline > np.array(size_px) + ROUNDING_PX).any():
        limits = f"a middle from which {tag_px} px fit into {size_px[0]} x {size_px[1]} px"
        raise ConfigurationError("centre_px", tuple(centre_px), limits)
    return layout


def printed_layout(
    size_px: tuple[int, int], screen_cm: tuple[float, float], tags: Mapping[int, PrintedTag]
) -> ScreenLayout:
    """Paper tags around a screen, in one plane with it.

    Parameters
    ----------
    size_px
        Framebuffer width and height.
    screen_cm
        Width and height of the picture that these pixels make: of the whole screen, if the window fills it.
    tags
        Tag id to what was measured.

    Raises
    ------
    ConfigurationError
        Lengths that are not above 0, and what :class:`ScreenLayout` refuses.
    """
    if not min(screen_cm) > 0:
        raise ConfigurationError("screen_cm", screen_cm, "a width and a height above 0")
    px_per_cm = np.array(size_px) / np.array(screen_cm)
    places = {}
    for tag_id, tag in tags.items():
        if not tag.width_cm > 0:
            raise ConfigurationError(f"tags[{tag_id}].width_cm", tag.width_cm, "above 0")
        corners_cm = _turned(_square(tag.width_cm) - tag.width_cm / 2, tag.turn_deg) + np.array([tag.x_cm, tag.y_cm])
        places[tag_id] = corners_cm * px_per_cm
    return ScreenLayout(size_px, places)


def refuse_shared_ids(layouts: Sequence[ScreenLayout]) -> None:
    """Check that screens which may be seen together have tags of their own.

    Raises
    ------
    ConfigurationError
        An id that two of them have; it names ids that are free.
    """
    for (place, first), (other_place, second) in combinations(enumerate(layouts), 2):
        shared = sorted(first.tags.keys() & second.tags.keys())
        if shared:
            free = max(tag_id for layout in layouts for tag_id in layout.tags) + 1
            remedy = f"screens {place} and {other_place} with different ids: give one of them firstId={free}"
            if free + len(second.tags) > FAMILY_SIZE:
                remedy = f"screens {place} and {other_place} with different ids: choose them by ids=[...]"
            raise ConfigurationError("ids", shared, remedy)


def _module_px(tag_px: float, quiet_modules: int) -> int:
    if quiet_modules != int(quiet_modules) or quiet_modules < 1:
        raise ConfigurationError("quiet_modules", quiet_modules, "a whole number from 1")
    modules = BLACK_MODULES + 2 * int(quiet_modules)
    if not modules <= tag_px < np.inf:
        raise ConfigurationError("tag_px", tag_px, f"at least {modules}, a pixel for each module")
    return int(tag_px + ROUNDING_PX) // modules


def _square(width: float) -> Corners:
    return np.array([[0, 0], [width, 0], [width, width], [0, width]], np.float64)


def _turned(points: Corners, turn_deg: float) -> Corners:
    """Clockwise about the origin, y down."""
    turn = np.radians(turn_deg)
    turned: Corners = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return turned


def _grown(corners: Corners, modules: float) -> Corners:
    """With so much around; exact for a parallelogram, and what else tags look like differs little from one."""
    middle = corners.mean(axis=0)
    grown: Corners = middle + (corners - middle) * (1 + 2 * modules / BLACK_MODULES)
    return grown


def _drawn(size_px: tuple[int, int], tags: Mapping[int, Corners], quiet_modules: int) -> ScreenLayout:
    outlines = {tag_id: _grown(corners, quiet_modules) for tag_id, corners in tags.items()}
    return ScreenLayout((int(size_px[0]), int(size_px[1])), tags, outlines)


def _checked(tag_id: int, corners: Corners) -> Corners:
    """A copy that nobody can change."""
    if not 0 <= tag_id < FAMILY_SIZE:
        raise ConfigurationError("tags", tag_id, f"ids from 0 to {FAMILY_SIZE - 1}")
    corners = np.array(corners, np.float64)
    if corners.shape != (4, 2) or not np.isfinite(corners).all() or not _is_clockwise_and_convex(corners):
        raise ConfigurationError(f"tags[{tag_id}]", corners.tolist(), "four corners (x, y), clockwise")
    corners.flags.writeable = False
    return corners


def _is_clockwise_and_convex(corners: Corners) -> bool:
    """With y down: every side turns right from the one before."""
    sides = np.roll(corners, -1, axis=0) - corners
    before = np.roll(sides, 1, axis=0)
    return bool((before[:, 0] * sides[:, 1] - before[:, 1] * sides[:, 0] > 0).all())


def _refuse_overlap(outlines: Mapping[int, Corners]) -> None:
    """Convex shapes do not overlap if a line along a side of one of them has them on different sides."""
    ids, corners = list(outlines), np.stack(list(outlines.values()))
    sides = np.roll(corners, -1, axis=1) - corners
    outward = np.stack([sides[..., 1], -sides[..., 0]], axis=-1) / np.linalg.norm(sides, axis=-1, keepdims=True)
    begin = np.sum(outward * corners, axis=-1)
    nearest = np.einsum("isk,jck->ijsc", outward, corners).min(axis=-1)  # of tag j to side s of tag i
    is_apart = (nearest >= begin[:, None, :] - ROUNDING_PX).any(axis=-1)
    overlaps = np.argwhere(np.triu(~(is_apart | is_apart.T), k=1))
    if len(overlaps):
        first, second = overlaps[0]
        limits = "tags that do not overlap, the white around them included"
        raise ConfigurationError("tags", (ids[first], ids[second]), limits)

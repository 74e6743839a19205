"""Which tags a scene frame shows, which it should show, and what would help."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from psychopy_neon.samples import SceneFrame
from psychopy_neon.screen.coordinates import Points
from psychopy_neon.screen.layout import BLACK_MODULES, Corners, ScreenLayout
from psychopy_neon.screen.modules import TagModules
from psychopy_neon.screen.pose import ScreenPose
from psychopy_neon.screen.tag_size import LEAST_PX
from psychopy_neon.screen.tags import search_tags
from psychopy_neon.screen.timeline import LocatedFrame

__all__ = ["SeenTags", "TagWatch"]

REMEMBERED_NS = 3_000_000_000
"""A tag that is not seen any more is missed for so long, where no pose tells its place."""
SATURATED = 250.0
"""Grey level above which white has run into what is around it."""
DARK = 70.0
"""White below it, or a contrast below half of it, is lost in the noise."""
OUTLINE_STEPS = 16
"""Of each edge of a screen, which the lens bends."""


class SeenTags(NamedTuple):
    """The tags of one frame; all places are scene px."""

    found: dict[int, Corners]
    missed: dict[int, Corners]
    """Covered, blurred, or seen a moment ago."""
    outlines: tuple[Points, ...] = ()
    """Of each located screen, shape (n, 2); NaN behind the camera."""
    white: float | None = None
    """Median grey level of the found tags' white."""
    black: float | None = None
    module_px: float | None = None
    """Width of a module of the smallest."""

    @property
    def advice(self) -> str | None:
        """What would let the camera see more tags; None when those that it sees look well."""
        if self.white is None or self.black is None or self.module_px is None:
            return None
        if self.white >= SATURATED:
            return f"tags over-exposed (white {self.white:.0f} of 255): lower the exposure or dim the screen"
        if self.white < DARK or self.white - self.black < DARK / 2:
            return f"tags too dark ({self.black:.0f} and {self.white:.0f} of 255): brighten screen or exposure"
        if self.module_px < LEAST_PX:
            return f"tags too small ({self.module_px:.1f} px a module, {LEAST_PX:g} needed): enlarge or come nearer"
        return None


class TagWatch:
    """Looks for the tags of frames that come in their order.

    Parameters
    ----------
    layouts
        Of the screens; none: every tag that is there is shown, and no screen.
    """

    def __init__(self, layouts: tuple[ScreenLayout, ...]) -> None:
        self._layouts = layouts
        self._last: dict[int, tuple[int, Corners]] = {}  # when each tag was seen last, device ns, and where

    def look(self, frame: SceneFrame, located: LocatedFrame | None) -> SeenTags:
        """The tags of a frame; where no screen was located in it, it is searched as a whole."""
        found: dict[int, Corners] = {}
        missed: dict[int, Corners] = {}
        outlines = []
        for layout, pose in zip(self._layouts, located.poses if located is not None else (), strict=False):
            if isinstance(pose, ScreenPose):
                outlines.append(pose.scene_from_screen(_border(layout.size_px)))
                for tag_id, corners in _in_scene(layout, pose, frame).items():
                    (found if tag_id in pose.verified else missed)[tag_id] = corners
        if not outlines:
            found = search_tags(frame.luma).corners
        self._remember(found, frame.device_ns)
        missed |= {tag_id: at for tag_id, (_, at) in self._last.items() if tag_id not in {*found, *missed}}
        return SeenTags(found, missed, tuple(outlines), *_looks(frame, found))

    def _remember(self, found: dict[int, Corners], device_ns: int) -> None:
        # A clock that was set back must not keep tags for ever: any distance counts.
        recent = {tag_id: last for tag_id, last in self._last.items() if abs(device_ns - last[0]) <= REMEMBERED_NS}
        self._last = {**recent, **{tag_id: (device_ns, corners) for tag_id, corners in found.items()}}


def _in_scene(layout: ScreenLayout, pose: ScreenPose, frame: SceneFrame) -> dict[int, Corners]:
    """Where the pose has the tags that lie within the frame as a whole."""
    places = pose.scene_from_screen(np.concatenate(list(layout.tags.values()))).reshape(-1, 4, 2)
    limits = np.array(frame.luma.shape[::-1]) - 1
    with np.errstate(invalid="ignore"):
        is_inside = (places >= 0) & (places <= limits)  # NaN is not
    seen = zip(layout.tags, places, is_inside, strict=True)
    return {tag_id: place for tag_id, place, inside in seen if inside.all()}


def _looks(frame: SceneFrame, found: dict[int, Corners]) -> tuple[float | None, float | None, float | None]:
    """White, black, and width of the smallest module."""
    if not found:
        return None, None, None
    corners = np.stack(list(found.values()))
    levels = TagModules(found).read(frame.luma, corners).levels
    levels = levels[np.isfinite(levels).all(axis=1)]
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    module_px = float(sides.min()) / BLACK_MODULES
    if not len(levels):
        return None, None, module_px
    black, white = np.median(levels, axis=0).tolist()
    return white, black, module_px


def _border(size_px: tuple[int, int]) -> Points:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * np.array(size_px, np.float64)
    along = np.linspace(0, 1, OUTLINE_STEPS, endpoint=False)[:, None]
    sides = [a + (b - a) * along for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    border: Points = np.concatenate(sides)
    return border

"""Draws what the scene camera sees: a screen through a lens, only where something has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.simulator.lens import NODE_PX, SCENE_SIZE_PX, SceneCamera

__all__ = ["SceneMaps", "SceneRenderer", "make_maps"]

Image: TypeAlias = npt.NDArray[np.uint8]
Rectangle: TypeAlias = tuple[int, int, int, int]

Places: TypeAlias = npt.NDArray[np.float32]

_WALL_LUMA, _GREY_CHROMA = 70, 128
_BLUR_FROM, _HALVE_FROM = 1.6, 2.4
"""Screen px per scene px from which the screen is smoothed, or halved first, so that thin lines do not alias. Below,
bilinear sampling does: its two pixel wide tent is about as wide as the scene pixel."""
_SHARP = (0, False)
_FAR = -1e4
"""Outside of every screen: where no ray leads, or none that meets the screen's plane."""


@dataclass(frozen=True, slots=True)
class SceneMaps:
    """What one head pose needs: the region of the scene and, for luma and chroma, the source px of each pixel."""

    camera: SceneCamera
    region: Rectangle
    smoothing: tuple[int, bool]
    luma: Places
    chroma: Places


class SceneRenderer:
    """Turns screens (BGRA) into scene frames (planar YUV 4:2:0). Used by one thread."""

    def __init__(self) -> None:
        width, height = SCENE_SIZE_PX
        self.frame: Image = np.full((height * 3 // 2, width), _GREY_CHROMA, np.uint8)
        """The scene as I420: luma rows, then the rows of both chroma planes. Overwritten by the next draw."""
        self.luma: Image = self.frame[:height]
        quarter = height // 4
        self._chroma = (
            self.frame[height : height + quarter].reshape(height // 2, width // 2),
            self.frame[height + quarter :].reshape(height // 2, width // 2),
        )
        self._maps: SceneMaps | None = None
        self._screen: Image | None = None
        self._planes: tuple[Image, Image, Image] | None = None

    def draw(self, screen: Image, camera: SceneCamera) -> None:
        """Bring ``frame`` up to date.

        Parameters
        ----------
        screen
            BGRA, shape (height, width, 4), both even; not changed by the caller afterwards.
        camera
            Where it is seen from; when this is another object than before, everything is drawn anew.
        """
        maps = self._maps
        if maps is None or maps.camera is not camera:
            maps = make_maps(camera)
        is_moved = maps is not self._maps
        if self._maps is None or self._maps.smoothing != maps.smoothing:
            self._screen = None
        self._maps = maps
        changed = _changed_rectangle(self._screen, screen)
        self._screen = screen
        if changed is not None:
            if maps.smoothing != _SHARP:
                changed = (0, 0, screen.shape[1], screen.shape[0])  # a smoothed pixel depends on its neighbours
            self._update_planes(screen, changed, maps)
        if is_moved:
            self.luma[:] = _WALL_LUMA
            for plane in self._chroma:
                plane[:] = _GREY_CHROMA
            self._sample(maps.region, maps)
        elif changed is not None:
            self._sample(_seen_rectangle(changed, maps), maps)

    def _update_planes(self, screen: Image, changed: Rectangle, maps: SceneMaps) -> None:
        left, top, right, bottom = changed
        height, width = screen.shape[:2]
        piece = cv2.cvtColor(screen[top:bottom, left:right], cv2.COLOR_BGRA2YUV_I420)
        luma, blue, red = _split_i420(piece.astype(np.uint8, copy=False))
        if (right - left, bottom - top) == (width, height) or self._planes is None:
            self._planes = (_smooth(luma, maps), _smooth(blue, maps), _smooth(red, maps))
            return
        self._planes[0][top:bottom, left:right] = luma
        for plane, new in ((self._planes[1], blue), (self._planes[2], red)):
            plane[top // 2 : bottom // 2, left // 2 : right // 2] = new

    def _sample(self, seen: Rectangle, maps: SceneMaps) -> None:
        """Draw a part of the scene."""
        left, top, right, bottom = seen
        planes = self._planes
        if planes is None or right <= left or bottom <= top:
            return
        x, y = left - maps.region[0], top - maps.region[1]
        width, height = right - left, bottom - top
        _remap(planes[0], maps.luma[y : y + height, x : x + width], self.luma[top:bottom, left:right], _WALL_LUMA)
        half = maps.chroma[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
        for source, plane in zip(planes[1:], self._chroma, strict=True):
            _remap(source, half, plane[top // 2 : bottom // 2, left // 2 : right // 2], _GREY_CHROMA)


def _remap(source: Image, places: Places, target: Image, outside: int) -> None:
    drawn = cv2.remap(
        source,
        places,
        cast(Any, None),  # no second map: the first has both coordinates
        cv2.INTER_LINEAR,
        dst=target,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside,),
    )
    if not np.shares_memory(drawn, target):
        target[:] = drawn


def make_maps(camera: SceneCamera) -> SceneMaps:
    """Exact at the lens's nodes and interpolated in between: a moving head needs new maps for every frame."""
    region = camera.seen_region()
    # The nodes around the region: those just outside of it on every side.
    x0, y0 = (side // NODE_PX for side in region[:2])
    x1, y1 = ((side - 1) // NODE_PX + 3 for side in region[2:])
    rays = np.ascontiguousarray(camera.lens.node_rays()[y0:y1, x0:x1])
    # The exact inverse keeps its scale: this is 1 / depth of the point met, so negative behind the camera.
    from_ray = camera.screen_from_ray
    is_ahead = rays @ from_ray[2, :2] + from_ray[2, 2] > 1e-9  # nan, where no ray leads, is not ahead either
    screen = cv2.perspectiveTransform(rays, from_ray).astype(np.float32, copy=False)
    smoothing = _smoothing(camera)
    # Screen px have their origin at the outer corner of the first pixel, array indices at its centre. A chroma sample
    # stands for 2 x 2 luma pixels.
    shrink = 1 << smoothing[0]
    corner = (region[0] - (x0 - 1) * NODE_PX, region[1] - (y0 - 1) * NODE_PX)
    size = (region[2] - region[0], region[3] - region[1])
    luma = _between_nodes(screen / shrink - 0.5, is_ahead, 1, corner, size)
    chroma = _between_nodes(screen / (2 * shrink) - 0.5, is_ahead, 2, corner, size)
    return SceneMaps(camera, region, smoothing, luma, chroma)


def _between_nodes(
    nodes: npt.NDArray[np.floating[Any]],
    is_ahead: npt.NDArray[np.bool_],
    step: int,
    corner: tuple[int, int],
    size: tuple[int, int],
) -> Places:
    """Values at every pixel, or every second one, of a part of what the nodes cover."""
    whole = (nodes.shape[1] * NODE_PX // step, nodes.shape[0] * NODE_PX // step)
    values = cv2.resize(nodes, whole, interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    if not is_ahead.all():
        beside = cv2.dilate((~is_ahead).astype(np.uint8), np.ones((3, 3), np.uint8))
        values[cv2.resize(beside, whole, interpolation=cv2.INTER_NEAREST) > 0] = _FAR
    x, y = (each // step for each in corner)
    return values[y : y + size[1] // step, x : x + size[0] // step]


def _smoothing(camera: SceneCamera) -> tuple[int, bool]:
    """How often the screen is halved before it is sampled, and whether it is blurred."""
    scale = camera.screen_px_per_scene_px()
    halvings = 0
    while scale > _HALVE_FROM and halvings < 4:
        scale, halvings = scale / 2, halvings + 1
    return halvings, scale > _BLUR_FROM


def _changed_rectangle(old: Image | None, new: Image) -> Rectangle | None:
    """Left, top, right, bottom of what differs, on even pixels; None: nothing."""
    height, width = new.shape[:2]
    if old is None or old.shape != new.shape:
        return 0, 0, width, height
    if old is new:
        return None
    differs = old.view(np.uint32)[:, :, 0] != new.view(np.uint32)[:, :, 0]
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]) // 2 * 2, int(rows[-1]) // 2 * 2 + 2
    columns = np.flatnonzero(differs[top:bottom].any(axis=0))
    return int(columns[0]) // 2 * 2, top, int(columns[-1]) // 2 * 2 + 2, bottom


def _seen_rectangle(changed: Rectangle, maps: SceneMaps) -> Rectangle:
    """The part of the maps' region that a changed part of the screen can reach."""
    camera = maps.camera
    left, top, right, bottom = changed
    if (left, top, right, bottom) == (0, 0, *camera.screen_px):
        return maps.region
    ramp = np.linspace(0, 1, 9)
    edge = [(left + u * (right - left), y) for u in ramp for y in (top, bottom)]
    edge += [(x, top + u * (bottom - top)) for u in ramp for x in (left, right)]
    points = np.array(edge)
    if not camera.sees_all(points):
        return maps.region
    scene = camera.scene_from_screen(points)
    # Bilinear sampling and the chroma's half size reach two screen px further, the curved edges less than that.
    margin = 2 + 4 / max(camera.screen_px_per_scene_px(), 0.1)
    low, high = scene.min(axis=0) - margin, scene.max(axis=0) + margin
    region = maps.region
    x0, y0 = (max(int(low[axis]) // 2 * 2, region[axis]) for axis in (0, 1))
    x1, y1 = (min(int(high[axis]) // 2 * 2 + 2, region[axis + 2]) for axis in (0, 1))
    return x0, y0, x1, y1


def _split_i420(image: Image) -> tuple[Image, Image, Image]:
    height, width = image.shape[0] * 2 // 3, image.shape[1]
    flat = image.reshape(-1)
    pixels = height * width
    return (
        image[:height],
        flat[pixels : pixels * 5 // 4].reshape(height // 2, width // 2),
        flat[pixels * 5 // 4 :].reshape(height // 2, width // 2),
    )


def _smooth(plane: Image, maps: SceneMaps) -> Image:
    halvings, is_blurred = maps.smoothing
    for _ in range(halvings):
        # Whole pairs only; INTER_AREA of exactly 2 x 2 px.
        even = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
        plane = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    if is_blurred:
        plane = cv2.blur(plane, (3, 3)).astype(np.uint8, copy=False)
    return np.ascontiguousarray(plane)

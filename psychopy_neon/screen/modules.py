"""What tags look like: their pictures, and whether a frame shows them where they should be."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.layout import BLACK_MODULES, FAMILY_SIZE, TAG_MODULES

__all__ = ["TagModules", "TagsRead", "family", "module_blocks", "tag_picture"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MIN_LIKENESS = 0.8
"""Correlation of the modules with the picture of the tag. Two tags of the family differ in 11 of 64 modules at least,
so they correlate by 0.6 at most."""
MIN_HALF_LIKENESS = 0.85
"""The same of a left, right, upper or lower half, whose 32 modules tell less."""

_ALONG = (np.arange(BLACK_MODULES) + 0.5) / BLACK_MODULES
_RIGHT, _DOWN = (each.ravel() for each in np.meshgrid(_ALONG, _ALONG))
_MODULE_CENTRES = np.stack([(1 - _RIGHT) * (1 - _DOWN), _RIGHT * (1 - _DOWN), _RIGHT * _DOWN, (1 - _RIGHT) * _DOWN], -1)
"""Shape (64, 4): shares of the four corners in the middle of each module; so small a thing needs no perspective."""


_HALVES = np.stack([np.flatnonzero(each) for each in (_RIGHT < 0.5, _RIGHT > 0.5, _DOWN < 0.5, _DOWN > 0.5)])
"""Shape (4, 32): the modules of the left, right, upper and lower half."""


class TagsRead(NamedTuple):
    """What a frame shows of tags."""

    whole: Bools
    """Shape (n,): the whole picture."""
    part: Bools
    """Shape (n,): at least a half of it."""
    levels: Floats
    """Shape (n, 2): black and white, grey levels. Of tags that are not seen as a whole it is what most others have, NaN
    if there are none."""


class TagModules:
    """The modules of some tags."""

    def __init__(self, ids: Collection[int]) -> None:
        modules = np.stack([_modules(int(tag_id)) for tag_id in ids])
        self._patterns = _normed(modules)
        self._halves = _normed(modules[:, _HALVES])
        self._weights: Floats = np.stack([_level_weights(int(tag_id)) for tag_id in ids])

    def read(
        self, luma: npt.NDArray[np.uint8], corners: Floats, chosen: npt.NDArray[np.int64] | slice = slice(None)
    ) -> TagsRead:
        """Look whether a frame shows tags as they are.

        Parameters
        ----------
        luma
            Shape (height, width).
        corners
            Shape (n, 4, 2): where the tags must be, scene px.
        chosen
            Which of the tags these are; default all.
        """
        places = _MODULE_CENTRES @ corners
        is_inside: Bools = np.all((places >= 0) & (places <= np.array(luma.shape[::-1]) - 1), axis=-1)
        maps = places.astype(np.float32)
        sampled = cv2.remap(luma, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        values = sampled.astype(np.float64)
        levels = (self._weights[chosen] @ values[..., None])[..., 0]
        whole = is_inside.all(axis=1) & ((_normed(values) * self._patterns[chosen]).sum(axis=-1) > MIN_LIKENESS)
        part = whole.copy()
        others = np.flatnonzero(~whole)
        if len(others):
            likeness = (_normed(values[others][:, _HALVES]) * self._halves[chosen][others]).sum(axis=-1)
            is_half = (likeness > MIN_HALF_LIKENESS) & is_inside[others][:, _HALVES].all(axis=-1)
            part[others] = is_half.any(axis=1)
            levels[others] = np.median(levels[whole], axis=0) if whole.any() else np.nan
        return TagsRead(whole, part, levels)


def tag_picture(tag_id: int, module_px: int) -> npt.NDArray[np.uint8]:
    """The picture of a tag with its white module around, 0 and 255, shape (10 * module_px, 10 * module_px)."""
    picture = np.full((TAG_MODULES, TAG_MODULES), 255, np.uint8)
    picture[1:-1, 1:-1] = cv2.aruco.generateImageMarker(family(), tag_id, BLACK_MODULES)
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


def family() -> cv2.aruco.Dictionary:
    """OpenCV's knowledge of tag36h11."""
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)


@lru_cache(maxsize=FAMILY_SIZE)
def _modules(tag_id: int) -> Floats:
    """Modules of a tag within its black border's outline, row by row, shape (64,): 1 is white."""
    modules: Floats = (tag_picture(tag_id, 1)[1:-1, 1:-1] == 255).astype(np.float64).ravel()
    return modules


def _normed(values: Floats) -> Floats:
    """With mean 0 and norm 1 along the last axis, or all 0 where they are all the same."""
    away = values - values.sum(axis=-1, keepdims=True) / values.shape[-1]
    normed: Floats = away / np.maximum(np.sqrt((away * away).sum(axis=-1, keepdims=True)), 1e-9)
    return normed


@lru_cache(maxsize=FAMILY_SIZE)
def _level_weights(tag_id: int) -> Floats:
    """Weights, shape (2, 64), of the modules' middles in black and white.

    Blur mixes neighbours in, and the more, the more of them have the other colour: what a module shows is black, plus
    the contrast if it is white, plus a share of the contrast for each such neighbour; three numbers by least squares.
    """
    picture = (tag_picture(tag_id, 1) == 255).astype(np.float64)
    modules = picture[1:-1, 1:-1]
    mixed = picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:] - 4 * modules
    solver = np.linalg.pinv(np.stack([np.ones(modules.size), modules.ravel(), mixed.ravel()], axis=1))
    weights: Floats = np.stack([solver[0], solver[0] + solver[1]])
    return weights

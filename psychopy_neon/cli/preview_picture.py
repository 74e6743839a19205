"""One picture of the preview: scene, tags, screens, gaze, and lines of text below."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.cli.preview_tags import SeenTags
from psychopy_neon.samples import SceneFrame
from psychopy_neon.screen.coordinates import Points
from psychopy_neon.screen.layout import Corners

__all__ = ["PreviewView", "StatusLine", "draw"]

Picture: TypeAlias = npt.NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""

GREEN, RED, AMBER, WHITE, GAZE = (80, 220, 80), (60, 60, 255), (40, 180, 255), (235, 235, 235), (255, 90, 255)
SCREEN = (255, 200, 60)
BAND = 32
"""Grey level behind the text."""
LINES = 3
LEAST_WIDTH = 320
TEXT_WIDTH = 800
"""A picture so wide has text of its natural size."""
EMPTY_SIZE = (1600, 1200)
SHIFT = 4
"""OpenCV draws at sixteenths of a pixel."""


class StatusLine(NamedTuple):
    """A line of text below the picture."""

    text: str
    color: tuple[int, int, int] = WHITE


class PreviewView(NamedTuple):
    """What a picture shows; all places are scene px."""

    frame: SceneFrame | None
    """None: there is no video yet."""
    tags: SeenTags
    gaze: tuple[float, float] | None
    trace: Points
    """Where gaze was before, oldest first, shape (n, 2)."""
    lines: tuple[StatusLine, ...]
    """Up to three."""


def draw(view: PreviewView, width: int) -> Picture:
    """Draw a view, width and height even.

    Parameters
    ----------
    view
    width
        Of the picture, px; at least 320 are taken.
    """
    scene_width, scene_height = EMPTY_SIZE if view.frame is None else view.frame.luma.shape[::-1]
    width = max(width, LEAST_WIDTH) // 4 * 4  # halves of both sides are even, as chroma planes have them
    zoom = width / scene_width
    height = round(scene_height * zoom / 4) * 4
    text_scale = width / TEXT_WIDTH
    line_px = round(22 * text_scale)
    picture = np.full((height + (LINES * line_px + 12) // 2 * 2, width, 3), BAND, np.uint8)
    if view.frame is not None:
        picture[:height] = _scene(view.frame, (width, height))
        _draw_marks(picture[:height], view, zoom)
    for number, line in enumerate(view.lines[:LINES]):
        place = (round(8 * text_scale), height + round((number + 0.8) * line_px))
        _write(
            picture, line.text, place, line.color, _fitting_scale(line.text, 0.48 * text_scale, width - 2 * place[0])
        )
    return picture


def _scene(frame: SceneFrame, size: tuple[int, int]) -> Picture:
    """The frame in colour, if it has any, made smaller before it is converted."""
    width, height = size
    luma = cv2.resize(frame.luma, size, interpolation=cv2.INTER_AREA)
    if frame.u is None or frame.v is None:
        return np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), np.uint8)
    half = (width // 2, height // 2)
    chroma = [cv2.resize(plane, half, interpolation=cv2.INTER_AREA).ravel() for plane in (frame.u, frame.v)]
    planes = np.concatenate([luma.ravel(), *chroma]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)


def _draw_marks(picture: Picture, view: PreviewView, scale: float) -> None:
    def places(points: Points) -> npt.NDArray[np.int32]:
        # Pixel centres are at integers in both pictures.
        return np.rint(((points + 0.5) * scale - 0.5) * (1 << SHIFT)).astype(np.int32)

    size = max(1, round(picture.shape[1] / TEXT_WIDTH))
    for outline in view.tags.outlines:
        if np.isfinite(outline).all():
            cv2.polylines(picture, [places(outline)], True, SCREEN, size, cv2.LINE_AA, SHIFT)
    for tags, color in ((view.tags.missed, RED), (view.tags.found, GREEN)):
        for tag_id, corners in tags.items():
            cv2.polylines(picture, [places(corners)], True, color, 2 * size, cv2.LINE_AA, SHIFT)
            _label(picture, str(tag_id), corners * scale, color)
    trace = view.trace[np.isfinite(view.trace).all(axis=1)]
    if len(trace) > 1:
        cv2.polylines(picture, [places(trace)], False, GAZE, size, cv2.LINE_AA, SHIFT)
    if view.gaze is not None and np.isfinite(view.gaze).all():
        centre = places(np.array(view.gaze)).tolist()
        radius = round(picture.shape[1] / 50) << SHIFT
        cv2.circle(picture, centre, radius, (0, 0, 0), 4 * size, cv2.LINE_AA, SHIFT)
        cv2.circle(picture, centre, radius, GAZE, 2 * size, cv2.LINE_AA, SHIFT)


def _label(picture: Picture, text: str, corners: Corners, color: tuple[int, int, int]) -> None:
    """The id above its tag and the white around, or below where there is no room."""
    left, top = corners.min(axis=0).tolist()
    bottom = float(corners[:, 1].max())
    scale = 0.5 * picture.shape[1] / TEXT_WIDTH
    letters, margin = 24 * scale, (bottom - top) / 5
    place = (round(left), round(top - margin if top - margin > letters else bottom + margin + letters))
    _write(picture, text, place, color, scale)


def _fitting_scale(text: str, scale: float, width: int) -> float:
    """Of letters, so that a line is not cut: those of OpenCV 4 are wider than those of OpenCV 5."""
    (taken, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    return min(scale, scale * width / max(taken, 1))


def _write(picture: Picture, text: str, place: tuple[int, int], color: tuple[int, int, int], scale: float) -> None:
    # OpenCV's own letters are ASCII.
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, scale, color, max(1, round(scale)), cv2.LINE_AA)

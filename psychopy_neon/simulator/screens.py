"""The screen that the simulated scene camera looks at: rendered, from a file, or the real one.

A screen is read as BGRA, shape (height, width, 4). Reading a screen that has not changed since may return the very
same array, which tells the renderer that there is nothing to do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol, TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator.x11 import X11Display

__all__ = ["GrabbedScreen", "Screen", "StillScreen", "open_screen", "synthetic_screen"]

Image: TypeAlias = npt.NDArray[np.uint8]

_TAG_CELLS = 10
"""Width of a tag36h11 in cells, with its black border and one white cell around."""


class Screen(Protocol):
    """What the scene camera looks at."""

    size_px: tuple[int, int]

    def read(self) -> Image:
        """What the screen shows now."""

    def close(self) -> None:
        """Let go of the screen; twice is fine."""


class StillScreen:
    """A screen that shows one picture until it is given another."""

    def __init__(self, image: Image) -> None:
        self._image = _as_bgra(image)
        self.size_px = (self._image.shape[1], self._image.shape[0])

    def show(self, image: Image) -> None:
        """Show another picture of the same size."""
        shown = _as_bgra(image)
        if shown.shape != self._image.shape:
            raise ConfigurationError("image", shown.shape, f"the shape of the screen, {self._image.shape}")
        self._image = shown

    def read(self) -> Image:
        return self._image

    def close(self) -> None:
        pass


class GrabbedScreen:
    """The real screen, grabbed by FFmpeg's own device (through PyAV).

    Raises
    ------
    ConfigurationError
        There is no screen, or FFmpeg may not read it.
    """

    def __init__(self, fps: float) -> None:
        self._display = _open_display()
        self._container: InputContainer | None = None
        try:
            self._container = _open_grabber(fps)
            self._frames = self._container.decode(video=0)
            image = self.read()
        except Exception:  # whatever it is, it goes on; the display does not stay open
            self.close()
            raise
        self.size_px = (image.shape[1], image.shape[0])

    def read(self) -> Image:
        """Raises ``av.error.FFmpegError``, ``StopIteration`` or ``LinkError`` when the screen has gone."""
        # FFmpeg goes on giving the last picture when the X display has gone.
        if self._display is not None and not self._display.is_alive():
            raise LinkError("X display", "does not answer any more")
        return _even(np.asarray(next(self._frames).to_ndarray(format="bgra"), np.uint8))

    def close(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.close()
        if self._display is not None:
            self._display.close()


def open_screen(scene: str, fps: float) -> Screen:
    """Open ``synthetic``, ``screen`` or an image file."""
    if scene == "synthetic":
        return StillScreen(synthetic_screen()[0])
    if scene == "screen":
        return GrabbedScreen(fps)
    if not Path(scene).is_file():
        raise ConfigurationError("scene", scene, "synthetic, screen, or an existing image file")
    image = cv2.imread(scene, cv2.IMREAD_COLOR)
    if image is None:
        raise ConfigurationError("scene", scene, "an image that OpenCV can read")
    return StillScreen(image.astype(np.uint8))


def synthetic_screen(
    size_px: tuple[int, int] = (1920, 1080), tag_px: int = 120, columns: int = 5, rows: int = 3
) -> tuple[Image, dict[int, npt.NDArray[np.float64]]]:
    """Draw a screen with tag36h11 tags around its border.

    Parameters
    ----------
    size_px
        Width and height.
    tag_px
        About the side of a tag with its white border.
    columns, rows
        How many tags lie along each edge, the corners included.

    Returns
    -------
    image
        BGR, shape (height, width, 3).
    tags
        For each tag id the corners of its black border, screen px, shape (4, 2): top left, top right, bottom right,
        bottom left.
    """
    width, height = size_px
    cell = max(tag_px // _TAG_CELLS, 1)
    side = cell * _TAG_CELLS
    image = np.full((height, width, 3), 128, np.uint8)
    for radius, level in ((height // 5, 200), (height // 8, 60), (height // 40, 230)):
        cv2.circle(image, (width // 2, height // 2), radius, (level, level // 2, 255 - level), -1, cv2.LINE_AA)
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    lefts = np.linspace(0, width - side, columns).astype(int)
    tops = np.linspace(0, height - side, rows).astype(int)
    places = [(x, y) for y in tops for x in lefts if y in (tops[0], tops[-1]) or x in (lefts[0], lefts[-1])]
    tags: dict[int, npt.NDArray[np.float64]] = {}
    for tag_id, (left, top) in enumerate(places):
        image[top : top + side, left : left + side] = 255
        black = side - 2 * cell
        marker = cv2.aruco.generateImageMarker(family, tag_id, black)
        x, y = int(left) + cell, int(top) + cell
        image[y : y + black, x : x + black] = marker[:, :, np.newaxis]
        tags[tag_id] = np.array([[x, y], [x + black, y], [x + black, y + black], [x, y + black]], np.float64)
    return image, tags


def _open_display() -> X11Display | None:
    """The X display where there is one to be watched."""
    if sys.platform in ("win32", "darwin"):
        return None
    try:
        return X11Display()
    except LinkError as error:
        raise ConfigurationError("scene", "screen", f"a computer with a display ({error})") from error


def _open_grabber(fps: float) -> InputContainer:
    # x11grab and gdigrab wait for their own next tick before they grab; at 1000 Hz they grab when asked.
    if sys.platform == "win32":
        source, grabber, options = "desktop", "gdigrab", {"framerate": "1000", "draw_mouse": "0"}
    elif sys.platform == "darwin":
        source, grabber = "Capture screen 0:none", "avfoundation"
        options = {"framerate": f"{fps:g}", "pixel_format": "bgr0", "capture_cursor": "0"}
    else:
        source, grabber = os.environ.get("DISPLAY", ""), "x11grab"
        options = {"framerate": "1000", "draw_mouse": "0"}
    try:
        container = av.open(source, format=grabber, options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise ConfigurationError("scene", "screen", f"a screen that FFmpeg can grab ({grabber}: {error})") from error
    assert isinstance(container, InputContainer)
    return container


def _as_bgra(image: Image) -> Image:
    if image.ndim == 2:
        shown = cv2.cvtColor(image, cv2.COLOR_GRAY2BGRA)
    elif image.ndim == 3 and image.shape[2] == 3:
        shown = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    elif image.ndim == 3 and image.shape[2] == 4:
        shown = image.copy()
    else:
        raise ConfigurationError("image", image.shape, "a picture of shape (height, width[, 3 or 4])")
    return _even(np.ascontiguousarray(shown, np.uint8))


def _even(image: Image) -> Image:
    """Without the last row or column where their number is odd: chroma planes have half the size."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])

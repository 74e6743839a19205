"""What a window with tags must look like, from its layout and OpenCV's picture of each tag."""

from __future__ import annotations

import numpy as np

from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.modules import tag_picture

COLOR = (0.2, -0.4, 0.6)


def expected_pixels(layout: ScreenLayout, background: np.ndarray, black: int = 0, white: int = 255) -> np.ndarray:
    """The window as the layout says it is; tags that stand straight only."""
    width, height = layout.size_px
    image = np.broadcast_to(background, (height, width, 3)).copy()
    for tag_id, corners in layout.tags.items():
        module = round((corners[1, 0] - corners[0, 0]) / 8)
        (left, top), (right, bottom) = layout.outlines[tag_id][[0, 2]].round().astype(int)
        image[top:bottom, left:right] = white
        left, top = corners[0].astype(int) - module
        side = 10 * module
        picture = np.where(tag_picture(tag_id, module) > 0, white, black)
        image[top : top + side, left : left + side] = picture[:, :, np.newaxis]
    return image


def background_of(image: np.ndarray) -> np.ndarray:
    return image[image.shape[0] // 2, image.shape[1] // 2]

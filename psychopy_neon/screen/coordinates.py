"""The places a point can be in, and the steps between them.

===========  ===================================================================  ==============================
name         origin and axes                                                      who uses it
===========  ===================================================================  ==============================
scene px     centre of the scene frame's first pixel, y down; pixel centres are   gaze as received, tag corners
             at integers (OpenCV's habit); distorted by the lens
ideal px     like scene px, in a camera without distortion but the same matrix    homographies
screen px    outer corner of the framebuffer's first pixel, y down; the centre    tag layout, gaze on the screen
             of that pixel is (0.5, 0.5)
centred px   centre of the framebuffer, y up                                      PsychoPy's "pix" times its
                                                                                  content scale
===========  ===================================================================  ==============================

The two origins differ on purpose: a tag's corner lies *between* screen pixels, where whole numbers are exact,
and scene px are what the device sends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Points", "centred_from_screen", "full_from_reduced", "is_on_screen", "screen_from_centred", "transform"]

Points = npt.NDArray[np.float64]
"""Shape (n, 2): x, y."""


def centred_from_screen(x: float, y: float, size_px: tuple[int, int]) -> tuple[float, float]:
    """Screen px to centred px (y up)."""
    return x - size_px[0] / 2, size_px[1] / 2 - y


def screen_from_centred(x: float, y: float, size_px: tuple[int, int]) -> tuple[float, float]:
    """Centred px (y up) to screen px."""
    return x + size_px[0] / 2, size_px[1] / 2 - y


def is_on_screen(x: float, y: float, size_px: tuple[int, int]) -> bool:
    """Whether a point in screen px lies on the screen; its right and lower edge are outside."""
    return 0 <= x < size_px[0] and 0 <= y < size_px[1]


def full_from_reduced(points: Points, factor: int) -> Points:
    """Pixel coordinates in an image made smaller by averaging ``factor`` x ``factor`` blocks, to the whole image.

    Both have pixel centres at integers, so the centre of the first small pixel is at ``(factor - 1) / 2``.
    """
    return points * factor + (factor - 1) / 2


def transform(homography: npt.NDArray[np.float64], points: Points) -> Points:
    """Apply a homography, shape (3, 3), to points, shape (n, 2)."""
    lifted = points @ homography[:, :2].T + homography[:, 2]
    mapped: Points = lifted[:, :2] / lifted[:, 2:]
    return mapped

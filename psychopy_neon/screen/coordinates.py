"""The places a point can be in, and the steps between them.

===========  ===================================================================  ==============================
name         origin and axes                                                      who uses it
===========  ===================================================================  ==============================
scene px     centre of the scene frame's first pixel, y down; pixel centres are   gaze as received, tag corners
             at integers (OpenCV's habit); distorted by the lens
ray          optical axis; x to the right and y down per length along the axis    homographies
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

__all__ = ["Points", "centred_from_screen", "is_on_screen", "screen_from_centred"]

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

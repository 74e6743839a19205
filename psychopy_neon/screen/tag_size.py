"""How large a tag must be for the scene camera to read it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import BLACK_MODULES, TAG_MODULES, ScreenLayout

__all__ = ["ADVISED_PX", "LEAST_PX", "TagSize", "pixels_per_module", "tag_size_for"]

SCENE_PX_PER_DEG = 15.5
"""Of a Neon's scene camera in the middle of its picture (a focal length of 888 px)."""
FOCAL_PX = SCENE_PX_PER_DEG * 180 / math.pi
ADVISED_PX = 5.0
"""Scene px per module that leave room for blur, noise and a tag seen from the side."""
LEAST_PX = 4.0
"""Scene px per module below which tags are missed as soon as the head moves or the picture is noisy."""


class TagSize(NamedTuple):
    """Width of a tag with the white around it."""

    px: int
    """Screen px; a whole number for each module."""
    cm: float


def pixels_per_module(layout: ScreenLayout, screen_cm: tuple[float, float], distance_cm: float) -> float:
    """How wide a Neon sees a module of the smallest tag.

    A wearer in front of the screen who looks at its middle is assumed. Then all places of the screen are magnified
    alike; a head that turns to a tag at the edge sees it more from the side, so narrower.

    Parameters
    ----------
    layout
        Of the screen.
    screen_cm
        Width and height of the picture that the layout's ``size_px`` make.
    distance_cm
        Glasses to screen.

    Returns
    -------
    float
        Scene px.

    Raises
    ------
    ConfigurationError
        Lengths that are not above 0.
    """
    _refuse_lengths(screen_cm, distance_cm)
    corners = np.stack(list(layout.tags.values())) * (np.array(screen_cm) / np.array(layout.size_px))
    sides_cm = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    return float(sides_cm.min()) / BLACK_MODULES * FOCAL_PX / distance_cm


def tag_size_for(
    module_px: float,
    size_px: tuple[int, int],
    screen_cm: tuple[float, float],
    distance_cm: float,
    *,
    modules: int = TAG_MODULES,
) -> TagSize:
    """The smallest tag of which a Neon sees a module as wide as wanted.

    Parameters
    ----------
    module_px
        Scene px for each module: :data:`ADVISED_PX` or :data:`LEAST_PX`.
    size_px
        Framebuffer width and height.
    screen_cm
        Width and height of the picture that these pixels make.
    distance_cm
        Glasses to screen.
    modules
        Width of a tag with the white around it.

    Raises
    ------
    ConfigurationError
        Lengths that are not above 0.
    """
    _refuse_lengths(screen_cm, distance_cm)
    cm_per_px = min(screen_cm[0] / size_px[0], screen_cm[1] / size_px[1])
    # Rounding may make a size that is enough by definition a tiny bit too small.
    px = modules * math.ceil(module_px * distance_cm / FOCAL_PX / cm_per_px - 1e-9)
    return TagSize(px, px * cm_per_px)


def _refuse_lengths(screen_cm: tuple[float, float], distance_cm: float) -> None:
    if not min(*screen_cm, distance_cm) > 0:
        raise ConfigurationError("screen_cm, distance_cm", (screen_cm, distance_cm), "lengths above 0")

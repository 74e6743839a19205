"""How bright the black and the white of a tag are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import BLACK_MODULES, TAG_MODULES
from psychopy_neon.screen.modules import tag_picture

__all__ = ["Level", "TagLevels", "white_share"]

Level: TypeAlias = tuple[float, float, float]
"""Red, green, blue of the framebuffer, 0 to 1."""

LEAST_STEP = 0.1
"""From black to white, in luma. A side counts as an edge from 20 of 255 levels in the scene picture."""
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class TagLevels:
    """Black and white of tags, less contrast, or balanced with the background.

    Parameters
    ----------
    white, black : float
        Framebuffer levels, 0 to 1.
    contrast : float
        Above 0, at most 1: how far both stay from the grey between them.
    is_matched : bool
        Ignore ``white`` and ``black``; choose them so that the mean luminance of a tag is the background's.

    Raises
    ------
    ConfigurationError
        Levels or a contrast out of range, or black and white that a camera could not tell apart.
    """

    white: float = 1.0
    black: float = 0.0
    contrast: float = 1.0
    is_matched: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.contrast <= 1:
            raise ConfigurationError("contrast", self.contrast, "above 0 and up to 1")
        if not 0 <= self.black < self.white <= 1:
            raise ConfigurationError("black, white", (self.black, self.white), "grey levels, black below white")
        if not self.is_matched and (self.white - self.black) * self.contrast < LEAST_STEP:
            raise ConfigurationError("contrast", self.contrast, "black and white that a camera can tell apart")

    def of_tag(self, share: float, background: Sequence[float], gamma: Sequence[float]) -> tuple[Level, Level]:
        """White and black of one tag.

        Parameters
        ----------
        share
            White part of the tag's area.
        background
            Level of what is around the tags, as :data:`Level`.
        gamma
            Exponent from level to luminance for red, green, blue.

        Raises
        ------
        ConfigurationError
            A background so dark or bright that black and white of its mean luminance are nearly the same.
        """
        if not self.is_matched:
            middle = (self.white + self.black) / 2
            half = (self.white - self.black) / 2 * self.contrast
            return (middle + half,) * 3, (middle - half,) * 3
        exponents = np.asarray(gamma, np.float64)
        mean = np.clip(np.asarray(background, np.float64), 0, 1) ** exponents
        # As far apart as the screen allows: white cannot be brighter than 1, black not darker than 0.
        white = np.minimum(1.0, mean / share)
        black = np.maximum(mean - share * white, 0) / (1 - share)
        light, dark = ((mean + self.contrast * (level - mean)) ** (1 / exponents) for level in (white, black))
        if (light - dark) @ np.array(LUMA) < LEAST_STEP:
            allowed = "a background that is neither nearly black nor nearly white, and enough contrast"
            raise ConfigurationError("matchLuminance", (tuple(background), self.contrast), allowed)
        return _level(light), _level(dark)


def white_share(tag_id: int, quiet_modules: int) -> float:
    """White part of a tag's area, the white around it included."""
    black = TAG_MODULES**2 - np.count_nonzero(tag_picture(tag_id, 1))
    return 1.0 - float(black) / (BLACK_MODULES + 2 * quiet_modules) ** 2


def _level(values: npt.NDArray[np.float64]) -> Level:
    red, green, blue = values.tolist()
    return red, green, blue

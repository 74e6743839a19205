"""Places in a window, from framebuffer pixels to its units: the window as plain numbers, known in any process."""

import math
from typing import NamedTuple

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.coordinates import centred_from_screen

__all__ = ["WindowFacts", "px_per_pix"]

CM_PER_DEG = 0.017455
"""At a distance of 1 cm, as PsychoPy rounds it."""


def px_per_pix(win):
    """Framebuffer pixels per PsychoPy "pix"."""
    return 2.0 if win.useRetina else 1.0


class WindowFacts(NamedTuple):
    """What a window's units depend on, as of one moment."""

    width_px: int
    """Of the framebuffer."""
    height_px: int
    units: str
    px_per_pix: float = 1.0
    """Framebuffer px per PsychoPy "pix": 2 on a Mac's high resolution display."""
    monitor_name: str = ""
    monitor_width_cm: float | None = None
    monitor_width_pix: int | None = None
    """As the Monitor Center has it."""
    distance_cm: float | None = None

    @classmethod
    def of(cls, win):
        """Those of a ``psychopy.visual.Window``."""
        width_px, height_px = win.size.tolist()
        monitor = win.monitor
        size_pix = monitor.getSizePix()
        width_pix = size_pix[0] if size_pix else None
        scale = px_per_pix(win)
        facts = monitor.name, monitor.getWidth(), width_pix, monitor.getDistance()
        return cls(int(width_px), int(height_px), win.units, scale, *facts)

    def from_screen(self, x, y):
        """Screen px (origin top left, y down) to the window's units; see :meth:`from_centred`."""
        return self.from_centred(*centred_from_screen(x, y, (self.width_px, self.height_px)))

    def from_centred(self, x, y):
        """Framebuffer px from the middle of the window, y up, to the window's units.

        Raises
        ------
        ConfigurationError
            Units that somebody has added to PsychoPy, or a monitor that does not know its width or distance.
        """
        convert = _FROM_CENTRED.get(self.units)
        if convert is None:
            raise ConfigurationError("win.units", self.units, f"one of {', '.join(_FROM_CENTRED)}")
        return convert(self, x, y)


def _pix(facts, x, y):
    return x / facts.px_per_pix, y / facts.px_per_pix


def _norm(facts, x, y):
    return 2 * x / facts.width_px, 2 * y / facts.height_px


def _height(facts, x, y):
    return x / facts.height_px, y / facts.height_px


def _cm(facts, x, y):
    if not facts.monitor_width_cm or not facts.monitor_width_pix:
        raise _unknown(facts, "width in cm and a size in pixels")
    scale = facts.monitor_width_cm / (facts.monitor_width_pix * facts.px_per_pix)
    return x * scale, y * scale


def _deg(facts, x, y):
    x, y = _cm(facts, x, y)
    scale = 1 / (_distance(facts) * CM_PER_DEG)
    return x * scale, y * scale


def _flat_degrees(facts, x, y):
    """Degrees of a point of a flat screen.

    PsychoPy draws degrees (h, v) at ``x = tan(h) / cos(v)``, ``y = tan(v) / cos(h)``, lengths in viewing distances
    (``deg2cm`` with ``correctFlat``); its ``cm2deg`` is not the inverse of that but ``atan(x)``, 3.7 degrees beside it
    where both are 30 degrees. With ``t = tan(v) ** 2`` the two equations are ``t ** 2 + (1 + x ** 2 - y ** 2) * t = y
    ** 2``.
    """
    x, y = _cm(facts, x, y)
    distance = _distance(facts)
    x, y = x / distance, y / distance
    half = (1 + x * x - y * y) / 2
    root = math.sqrt(half * half + y * y)
    # Of the two ways to write the solution the one that does not subtract nearly equal numbers.
    t = y * y / (half + root) if half > 0 else root - half
    vertical = math.atan(math.copysign(math.sqrt(t), y))
    return math.degrees(math.atan(x * math.cos(vertical))), math.degrees(vertical)


def _distance(facts):
    if not facts.distance_cm:
        raise _unknown(facts, "distance in cm")
    return facts.distance_cm


def _unknown(facts, what):
    allowed = f"a monitor with a {what}: set them in the Monitor Center"
    return ConfigurationError("win.monitor", facts.monitor_name, allowed)


_FROM_CENTRED = {
    "pix": _pix,
    "pixels": _pix,
    "norm": _norm,
    "height": _height,
    "cm": _cm,
    "deg": _deg,
    "degs": _deg,
    "degFlat": _flat_degrees,
    "degFlatPos": _flat_degrees,
}

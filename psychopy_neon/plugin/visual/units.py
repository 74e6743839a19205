"""From framebuffer pixels to PsychoPy's units.

PsychoPy's "pix" are framebuffer pixels, except where ``win.useRetina`` is true (a Mac's high resolution display): there
one "pix" is two framebuffer pixels in each direction, and with it "cm" and "deg". ``win.size`` is the framebuffer's
size everywhere.
"""

import math

import numpy as np
from psychopy.tools import monitorunittools

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.coordinates import centred_from_screen

__all__ = ["framebuffer_size", "px_per_pix", "window_from_screen"]


def framebuffer_size(win):
    """Width and height of the window's framebuffer."""
    return int(win.size[0]), int(win.size[1])


def px_per_pix(win):
    """Framebuffer pixels per PsychoPy "pix"."""
    return 2.0 if win.useRetina else 1.0


def window_from_screen(win, size_px, pos):
    """Screen px (origin top left, y down) to the window's units.

    Parameters
    ----------
    win : psychopy.visual.Window
        ``win.units`` is read now; "cm" and the degrees need a monitor with width and distance.
    size_px : tuple of int
        Framebuffer size that ``pos`` belongs to.
    pos : tuple of float

    Returns
    -------
    tuple of float
        x, y; y up.

    Raises
    ------
    ConfigurationError
        Units that somebody has added to PsychoPy.
    """
    x, y = centred_from_screen(*pos, size_px)
    units = win.units
    if units == "norm":
        return 2 * x / size_px[0], 2 * y / size_px[1]
    if units == "height":
        return x / size_px[1], y / size_px[1]
    pix = np.array([x, y]) / px_per_pix(win)
    if units in ("pix", "pixels"):
        return _pair(pix)
    if units == "cm":
        return _pair(monitorunittools.pix2cm(pix, win.monitor))
    if units in ("deg", "degs"):
        return _pair(monitorunittools.pix2deg(pix, win.monitor))
    if units in ("degFlat", "degFlatPos"):
        return _flat_degrees(*_pair(monitorunittools.pix2cm(pix, win.monitor) / win.monitor.getDistance()))
    raise ConfigurationError("win.units", units, "pix, norm, height, cm, deg, degFlat or degFlatPos")


def _flat_degrees(x, y):
    """Degrees of a point of a flat screen, lengths in viewing distances.

    PsychoPy draws degrees (h, v) at ``x = tan(h) / cos(v)``, ``y = tan(v) / cos(h)`` (``deg2cm`` with ``correctFlat``);
    its ``cm2deg`` is not the inverse of that but ``atan(x)``, 3.7 degrees beside it where both are 30 degrees.
    With ``t = tan(v) ** 2`` the two equations are ``t ** 2 + (1 + x ** 2 - y ** 2) * t = y ** 2``.
    """
    half = (1 + x * x - y * y) / 2
    root = math.sqrt(half * half + y * y)
    # Of the two ways to write the solution the one that does not subtract nearly equal numbers.
    t = y * y / (half + root) if half > 0 else root - half
    vertical = math.atan(math.copysign(math.sqrt(t), y))
    return math.degrees(math.atan(x * math.cos(vertical))), math.degrees(vertical)


def _pair(values):
    return float(values[0]), float(values[1])

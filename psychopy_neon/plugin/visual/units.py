"""Between framebuffer pixels and PsychoPy's units.

PsychoPy's "pix" are framebuffer pixels, except where ``win.useRetina`` is true (a Mac's high resolution display): there
one "pix" is two framebuffer pixels in each direction, and with it "cm" and "deg". ``win.size`` is the framebuffer's
size everywhere. All units count from the middle of the window, y up.
"""

import math

import numpy as np
from psychopy.tools import monitorunittools

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.coordinates import screen_from_centred

__all__ = ["framebuffer_px", "framebuffer_size", "px_per_pix", "screen_px", "window_from_centred"]

CM_PER_DEG = 0.017455
"""At a distance of 1 cm, as PsychoPy rounds it."""


def framebuffer_size(win):
    """Width and height of the window's framebuffer."""
    return int(win.size[0]), int(win.size[1])


def px_per_pix(win):
    """Framebuffer pixels per PsychoPy "pix"."""
    return 2.0 if win.useRetina else 1.0


def framebuffer_px(win, pos, units):
    """A position in any of PsychoPy's units to centred px.

    Parameters
    ----------
    win : psychopy.visual.Window
    pos : sequence of float
        x, y.
    units : str

    Returns
    -------
    tuple of float
        Framebuffer px from the middle of the window, y up.

    Raises
    ------
    ConfigurationError
        Units that PsychoPy does not know, or numbers that the window's monitor does not have.
    """
    try:
        pix = monitorunittools.convertToPix(np.zeros(2), np.array(pos, float), units, win)
    except ValueError as error:
        raise ConfigurationError("units", units, f"units that PsychoPy can convert ({error})") from error
    return float(pix[0]) * px_per_pix(win), float(pix[1]) * px_per_pix(win)


def screen_px(win, pos, units, size_px):
    """The same in screen px (origin top left, y down) of a framebuffer of ``size_px``."""
    return screen_from_centred(*framebuffer_px(win, pos, units), size_px)


def window_from_centred(win, x, y):
    """Centred px to the window's units.

    Called at every frame, so in plain numbers; the window's units and size and the monitor's width and distance are
    read anew each time, since all of them can change.

    Parameters
    ----------
    win : psychopy.visual.Window
        "cm" and the degrees need a monitor with width and distance.
    x, y : float
        Framebuffer px from the middle of the window, y up.

    Returns
    -------
    tuple of float
        x, y; y up.

    Raises
    ------
    ConfigurationError
        Units that somebody has added to PsychoPy, or a monitor that does not know its width or distance.
    """
    convert = _FROM_CENTRED.get(win.units)
    if convert is None:
        raise ConfigurationError("win.units", win.units, f"one of {', '.join(_FROM_CENTRED)}")
    return convert(win, x, y)


def _pix(win, x, y):
    return (x / 2, y / 2) if win.useRetina else (x, y)


def _norm(win, x, y):
    width, height = win.size.tolist()
    return 2 * x / width, 2 * y / height


def _height(win, x, y):
    _, height = win.size.tolist()
    return x / height, y / height


def _cm(win, x, y):
    monitor = win.monitor
    width_cm, size_pix = monitor.getWidth(), monitor.getSizePix()
    if not width_cm or not size_pix:
        raise _unknown(monitor, "width in cm and a size in pixels")
    scale = width_cm / (size_pix[0] * (2 if win.useRetina else 1))
    return x * scale, y * scale


def _deg(win, x, y):
    x, y = _cm(win, x, y)
    scale = 1 / (_distance(win.monitor) * CM_PER_DEG)
    return x * scale, y * scale


def _flat_degrees(win, x, y):
    """Degrees of a point of a flat screen.

    PsychoPy draws degrees (h, v) at ``x = tan(h) / cos(v)``, ``y = tan(v) / cos(h)``, lengths in viewing distances
    (``deg2cm`` with ``correctFlat``); its ``cm2deg`` is not the inverse of that but ``atan(x)``, 3.7 degrees beside it
    where both are 30 degrees. With ``t = tan(v) ** 2`` the two equations are ``t ** 2 + (1 + x ** 2 - y ** 2) * t = y
    ** 2``.
    """
    x, y = _cm(win, x, y)
    distance = _distance(win.monitor)
    x, y = x / distance, y / distance
    half = (1 + x * x - y * y) / 2
    root = math.sqrt(half * half + y * y)
    # Of the two ways to write the solution the one that does not subtract nearly equal numbers.
    t = y * y / (half + root) if half > 0 else root - half
    vertical = math.atan(math.copysign(math.sqrt(t), y))
    return math.degrees(math.atan(x * math.cos(vertical))), math.degrees(vertical)


def _distance(monitor):
    distance = monitor.getDistance()
    if not distance:
        raise _unknown(monitor, "distance in cm")
    return distance


def _unknown(monitor, what):
    return ConfigurationError("win.monitor", monitor.name, f"a monitor with a {what}: set them in the Monitor Center")


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

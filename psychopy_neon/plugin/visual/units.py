"""Between framebuffer pixels and PsychoPy's units.

PsychoPy's "pix" are framebuffer pixels, except where ``win.useRetina`` is true (a Mac's high resolution display): there
one "pix" is two framebuffer pixels in each direction, and with it "cm" and "deg". ``win.size`` is the framebuffer's
size everywhere. All units count from the middle of the window, y up.
"""

import numpy as np
from psychopy.tools import monitorunittools

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.window_units import WindowFacts, px_per_pix
from psychopy_neon.screen.coordinates import screen_from_centred

__all__ = ["framebuffer_px", "framebuffer_size", "px_per_pix", "screen_px", "window_from_centred"]


def framebuffer_size(win):
    """Width and height of the window's framebuffer."""
    return int(win.size[0]), int(win.size[1])


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
    """Centred px to the window's units, which with its size and its monitor can change at any time.

    See :meth:`.WindowFacts.from_centred`.
    """
    return WindowFacts.of(win).from_centred(x, y)

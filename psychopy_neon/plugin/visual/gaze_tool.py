"""What all gaze-contingent stimuli have in common: the window, its tags, the time and the record."""

import math
import time

import numpy as np
from psychopy.visual.basevisual import MinimalStim
from psychopy.visual.text import TextStim

from psychopy_neon.contingent.shapes import Circle, Polygon
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.visual.units import framebuffer_px, px_per_pix
from psychopy_neon.screen.coordinates import centred_from_screen, screen_from_centred

__all__ = ["GazeTool", "circle_vertices", "length_px", "now_ns", "px_per_degree", "screen_shape"]

ELSEWHERE_PX = (-1e6, -1e6)
"""Gaze on another of the tracker's screens: beside this one, which is something else than no data."""
EDGES = 64


class GazeTool(MinimalStim):
    """A stimulus that follows or waits for gaze.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    record : GazeRecord or None
        Keeps what was drawn.
    depth : float
        Order of drawing, as PsychoPy has it.
    name : str
    autoLog : bool
    """

    def __init__(self, win, frame, record, depth, name, autoLog):
        super().__init__(name=name, autoLog=False)  # PsychoPy asks for logging to begin only when all is set
        self.win = win
        self.frame = frame
        self.depth = depth
        self.record = record
        self.gaze = None
        self.autoLog = autoLog

    def _here(self, gaze):
        """Gaze as this window has it."""
        if gaze.pos is not None and gaze.screen != self.frame.screen:
            return gaze._replace(pos=ELSEWHERE_PX, is_on_screen=False)
        return gaze

    def _pix(self, pos):
        """Screen px to PsychoPy's "pix"."""
        x, y = centred_from_screen(*pos, self.frame.layout.size_px)
        scale = px_per_pix(self.win)
        return x / scale, y / scale

    def _keep(self, pos, isDrawn, isHeld=False):
        """Note what this frame shows, screen px."""
        if self.record is not None:
            self.record.drew(self.name, self.gaze, pos, isDrawn, isHeld)


def now_ns(atNs):
    """The time given, or now."""
    return time.perf_counter_ns() if atNs is None else atNs


def length_px(win, length, units):
    """A length along the window's width, in any of PsychoPy's units, as framebuffer px.

    Raises
    ------
    ConfigurationError
        A length that is not above 0, units that PsychoPy does not know, or numbers that the monitor does not have.
    """
    if not length > 0 or not math.isfinite(length):
        raise ConfigurationError("length", length, "above 0")
    return framebuffer_px(win, (length, 0.0), units or win.units)[0]


def px_per_degree(win):
    """Framebuffer px per degree of visual angle in the middle of the window.

    Raises
    ------
    ConfigurationError
        The monitor does not know its width or distance: set them in the Monitor Center.
    """
    return framebuffer_px(win, (1.0, 0.0), "deg")[0]


def circle_vertices(radius, first_deg=0.0, last_deg=360.0, edges=EDGES):
    """Places on a circle, clockwise from the top; shape (edges, 2), the last one before ``last_deg`` if it is whole."""
    is_whole = last_deg - first_deg == 360.0
    angles = np.radians(np.linspace(first_deg, last_deg, edges, endpoint=not is_whole))
    return np.stack([radius * np.sin(angles), radius * np.cos(angles)], axis=1)


def screen_shape(stim, frame):
    """Where a PsychoPy stimulus is on the screen now, in screen px.

    As for the stimulus's own ``contains``: its border where it has one, the box of a text, else its corners; a mask
    does not count. An even ring of many corners (a Circle) is taken as the circle it stands for.

    Raises
    ------
    ConfigurationError
        The stimulus has no such area (dots, for example).
    """
    corners = _corners_pix(stim)
    if corners is None or len(corners) < 3:
        raise ConfigurationError("stim", stim, "a stimulus with an area: its contains() has to work")
    scale, size_px = px_per_pix(stim.win), frame.layout.size_px
    places = [screen_from_centred(x * scale, y * scale, size_px) for x, y in np.asarray(corners, float).tolist()]
    return _circle_of(places) or Polygon(places)


def _corners_pix(stim):
    """Corners in "pix", from where the stimulus's ``contains`` takes them."""
    if hasattr(stim, "box"):  # a TextBox2
        return stim.box.verticesPix
    if hasattr(stim, "border"):
        return stim._borderPix
    if isinstance(stim, TextStim):
        if abs(stim.ori) > 0.1:
            raise ConfigurationError("stim.ori", stim.ori, "text that is not turned, or a TextBox2")
        width, height = stim.boundingBox
        x, y = stim.posPix
        return [(x + a * width / 2, y + b * height / 2) for a, b in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
    return getattr(stim, "verticesPix", None)


def _circle_of(places):
    """The circle through places of a regular polygon with at least 16 corners; None if it is no such polygon."""
    if len(places) < 16:
        return None
    middle = (sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places))
    radii = [math.dist(place, middle) for place in places]
    sides = [math.dist(a, b) for a, b in zip(places, places[1:] + places[:1], strict=True)]
    if max(radii) - min(radii) > 1e-3 * max(radii) or max(sides) - min(sides) > 1e-2 * max(sides):
        return None
    return Circle(middle, max(radii))

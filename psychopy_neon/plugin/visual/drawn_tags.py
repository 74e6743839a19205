"""What all tags in a window have in common: drawing, colours, warnings, and the way back from gaze."""

import dataclasses
import warnings

import numpy as np
from psychopy import logging, visual
from psychopy.visual.basevisual import MinimalStim

from psychopy_neon.plugin.visual.units import framebuffer_size, px_per_pix, window_from_centred
from psychopy_neon.screen.coordinates import centred_from_screen
from psychopy_neon.screen.layout import BLACK_MODULES
from psychopy_neon.screen.modules import module_blocks
from psychopy_neon.screen.tag_levels import white_share
from psychopy_neon.screen.tag_size import ADVISED_PX, LEAST_PX, pixels_per_module, tag_size_for

__all__ = ["DrawnTags"]

DEPTH = -1000.0
"""PsychoPy draws automatically drawn stimuli from large depths to small ones; tags are to be the last."""
DISPLAY_GAMMA = 2.2
"""Of a display that nobody has measured."""


class DrawnTags(MinimalStim):
    """Tags that stay where their layout says, for gaze is mapped by it.

    Parameters
    ----------
    win : psychopy.visual.Window
    layout : ScreenLayout
        Of the tags to draw, framebuffer px.
    quietZone : int
        Modules of white around each tag.
    levels : TagLevels
    gamma : float or sequence of float, optional
        Exponent of the display, for ``levels`` that are matched.
    screen : int
        Which of the tracker's layouts this one is.
    name : str, optional
    autoLog : bool
    """

    def __init__(self, win, layout, quietZone, levels, gamma, screen, name, autoLog):
        super().__init__(name=name, autoLog=False)  # PsychoPy asks for logging to begin only when all is set
        self.win = win
        self.depth = DEPTH
        self.layout = layout
        self.screen = screen
        self._quiet_modules = quietZone
        self._gamma = gamma
        self._is_resize_told = False
        width, height = layout.size_px
        self._half_width, self._half_height = width / 2, height / 2
        self._levels = levels
        self._shapes = self._make_shapes()
        self._set_colors()
        self._warn_if_small()
        self.autoLog = autoLog

    @property
    def contrast(self):
        """Above 0, at most 1."""
        return self._levels.contrast

    @contrast.setter
    def contrast(self, value):
        self._levels = dataclasses.replace(self._levels, contrast=float(value))
        self._set_colors()

    def draw(self, win=None):
        """Draw all tags."""
        win = win if win is not None else self.win
        if self._levels.is_matched and self._surround() != self._colored_for:
            self._set_colors()
        if not self._is_resize_told and framebuffer_size(win) != self.layout.size_px:
            self._warn_of_resize(win)
        blend_mode = win.blendMode
        if blend_mode != "avg":
            win.blendMode = "avg"  # black would add nothing to what is under it
        for _, white, black in self._shapes:
            white.draw(win)
            black.draw(win)
        if blend_mode != "avg":
            win.blendMode = blend_mode

    def to_window(self, gaze):
        """Position of a :class:`~psychopy_neon.ScreenGaze` in the window's units; None when it has none here.

        A position beside the screen is given, too: ``gaze.is_on_screen`` tells. Gaze on another screen of the tracker
        (``gaze.screen``) has no position in this window.
        """
        if gaze.pos is None or gaze.screen != self.screen:
            return None
        x, y = gaze.pos
        return window_from_centred(self.win, x - self._half_width, self._half_height - y)

    def from_screen(self, pos):
        """Framebuffer px (origin top left, y down) to the window's units, which may change at any time."""
        x, y = pos
        return window_from_centred(self.win, x - self._half_width, self._half_height - y)

    def _make_shapes(self):
        """White share, white and black shape; one of each for all tags, or if matched for all of the same share.

        A picture for each tag would mean six times as many calls of the graphics library.
        """
        groups = {}
        for tag_id in self.layout.tags:
            share = white_share(tag_id, self._quiet_modules) if self._levels.is_matched else None
            groups.setdefault(share, []).append(tag_id)
        return [(share, self._shape(ids, is_white=True), self._shape(ids, False)) for share, ids in groups.items()]

    def _shape(self, tag_ids, is_white):
        """All white or all black modules of some tags."""
        quadrilaterals = []
        for tag_id in tag_ids:
            corners = self.layout.tags[tag_id]
            right, down = (corners[1] - corners[0]) / BLACK_MODULES, (corners[3] - corners[0]) / BLACK_MODULES
            blocks = module_blocks(tag_id, is_white)
            if is_white:
                blocks = np.concatenate([blocks, _wider_rim(self._quiet_modules)])
            places = corners[0] + blocks[..., :1] * right + blocks[..., 1:] * down
            quadrilaterals += [[centred_from_screen(*place, self.layout.size_px) for place in each] for each in places]
        return visual.ShapeStim(
            self.win,
            units="pix",
            vertices=list(np.array(quadrilaterals) / px_per_pix(self.win)),
            colorSpace="rgb",
            lineColor=None,
            interpolate=False,
            autoLog=False,
        )

    def _set_colors(self):
        background, gamma = self._surround()
        for share, white, black in self._shapes:
            levels = self._levels.of_tag(share, background, gamma)
            white.fillColor, black.fillColor = ([2 * each - 1 for each in level] for level in levels)
        self._colored_for = (background, gamma)

    def _surround(self):
        """Level of the window's background, and its exponents."""
        background = tuple((1 + each) / 2 for each in self.win.rgb.tolist())
        gamma = self._gamma
        if gamma is None:
            # A window that knows the display's gamma sends it such values that light is in proportion to its colours.
            gamma = DISPLAY_GAMMA if self.win.gamma is None else 1.0
        return background, tuple(np.broadcast_to(gamma, 3).tolist())

    def _warn_if_small(self):
        """Silent when the monitor does not know its width and distance."""
        monitor = self.win.monitor
        width_cm, distance_cm, size_pix = monitor.getWidth(), monitor.getDistance(), monitor.getSizePix()
        if not width_cm or not distance_cm or not size_pix or not size_pix[0]:
            return
        cm_per_px = width_cm / size_pix[0] / px_per_pix(self.win)
        size_px = self.layout.size_px
        screen_cm = (size_px[0] * cm_per_px, size_px[1] * cm_per_px)
        seen_px = pixels_per_module(self.layout, screen_cm, distance_cm)
        if seen_px < LEAST_PX:
            modules = BLACK_MODULES + 2 * self._quiet_modules
            advised = tag_size_for(ADVISED_PX, size_px, screen_cm, distance_cm, modules=modules)
            message = (
                f"{self.name}: a Neon at {distance_cm:g} cm sees a module of the smallest tag {seen_px:.1f} px wide "
                f"and misses tags below {LEAST_PX:g}; tags of {advised.px} px ({advised.cm:.1f} cm) with their white "
                f"margin would have {ADVISED_PX:g}"
            )
            _warn(message, stacklevel=5)

    def _warn_of_resize(self, win):
        self._is_resize_told = True
        message = (
            f"{self.name}: made for a window of {self.layout.size_px} px, drawn in one of {framebuffer_size(win)} px. "
            "The tags stay where they were, counted from the middle, so gaze still fits; make new tags and a new "
            "tracker for tags at the window's edges"
        )
        _warn(message, stacklevel=4)


def _warn(message, stacklevel):
    """Where Python's warnings go, with the user's line, and where PsychoPy's go."""
    warnings.warn(message, stacklevel=stacklevel)
    logging.warning(message)


def _wider_rim(quiet_modules):
    """Rectangles around the first white module, in modules as :func:`module_blocks` has them; shape (n, 4, 2)."""
    if quiet_modules == 1:
        return np.zeros((0, 4, 2), int)
    low, high = -quiet_modules, BLACK_MODULES + quiet_modules
    bounds = [(low, low, high, -1), (low, high - quiet_modules + 1, high, high)]
    bounds += [(low, -1, -1, BLACK_MODULES + 1), (BLACK_MODULES + 1, -1, high, BLACK_MODULES + 1)]
    return np.array([[(x, y), (right, y), (right, below), (x, below)] for x, y, right, below in bounds])

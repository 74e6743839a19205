"""Tags around the border of a window, by which the scene camera finds it."""

import numpy as np
from psychopy import visual
from psychopy.visual.basevisual import MinimalStim

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.visual.units import framebuffer_size, px_per_pix, window_from_screen
from psychopy_neon.screen.coordinates import centred_from_screen
from psychopy_neon.screen.layout import BLACK_MODULES, border_layout
from psychopy_neon.screen.tags import module_blocks

__all__ = ["AprilTagFrame"]

TAG_SHARE = 1 / 9
"""Of the window's height: 120 px at 1080, where a Neon at 60 cm from a 24 inch screen sees a module as six pixels."""
DEPTH = -1000.0
"""PsychoPy draws automatically drawn stimuli from large depths to small ones; this one is to be the last."""


class AprilTagFrame(MinimalStim):
    """AprilTags (family 36h11) around the border of a window, drawn pixel by pixel.

    Draw it last, so that no stimulus covers a tag, or set ``autoDraw``, which sees to that. Nothing is drawn between
    the tags. The window's ``viewScale``, ``viewPos`` and ``viewOri`` move the tags together with everything else, so
    gaze still fits the other stimuli.

    Parameters
    ----------
    win : psychopy.visual.Window
        Its size must not change afterwards.
    tagSize : int, optional
        Width of a tag with its white module, framebuffer px; rounded down to a multiple of ten. Default: a ninth of the
        window's height.
    columns, rows : int
        Tags along the horizontal and vertical edges, corners included in both.
    firstId : int
        Ids count up from here; two screens need different ones.
    contrast : float
        1 is black and white; less leaves more of a dark room dark, and is harder to see for the camera.
    name : str, optional
    autoLog : bool
        As for every PsychoPy stimulus.

    Attributes
    ----------
    layout : ScreenLayout
        Where the tags are, framebuffer px.

    Raises
    ------
    ConfigurationError
        Tags that do not fit into the window, or another setting that cannot be used.
    """

    def __init__(
        self, win, tagSize=None, columns=5, rows=3, firstId=0, contrast=1.0, *, name="AprilTagFrame", autoLog=False
    ):
        super().__init__(name=name, autoLog=False)  # PsychoPy asks for logging to begin only when all is set
        size_px = framebuffer_size(win)
        tag_px = int(tagSize if tagSize is not None else size_px[1] * TAG_SHARE)
        self.win = win
        self.depth = DEPTH
        self.layout = border_layout(size_px, tag_px=tag_px, columns=columns, rows=rows, first_id=firstId)
        # Two shapes for all tags: a picture for each would mean six times as many calls of the graphics library.
        self._white, self._black = self._shape(is_white=True), self._shape(is_white=False)
        self.contrast = contrast
        self.autoLog = autoLog

    @property
    def contrast(self):
        """Above 0, at most 1."""
        return self._contrast

    @contrast.setter
    def contrast(self, value):
        if not 0 < value <= 1:
            raise ConfigurationError("contrast", value, "above 0 and up to 1")
        self._contrast = float(value)
        self._white.fillColor, self._black.fillColor = [self._contrast] * 3, [-self._contrast] * 3

    def draw(self, win=None):
        """Draw all tags."""
        win = win if win is not None else self.win
        blend_mode = win.blendMode
        if blend_mode != "avg":
            win.blendMode = "avg"  # black would add nothing to what is under it
        self._white.draw(win)
        self._black.draw(win)
        if blend_mode != "avg":
            win.blendMode = blend_mode

    def to_window(self, gaze):
        """Position of a :class:`~psychopy_neon.ScreenGaze` in the window's units; None when it has none.

        A position beside the screen is given, too: ``gaze.is_on_screen`` tells.
        """
        if gaze.pos is None:
            return None
        return self.from_screen(gaze.pos)

    def from_screen(self, pos):
        """Framebuffer px (origin top left, y down) to the window's units."""
        return window_from_screen(self.win, self.layout.size_px, pos)

    def _shape(self, is_white):
        """All white or all black modules."""
        rectangles = []
        for tag_id, corners in self.layout.tags.items():
            left, top = corners[0]
            module = (corners[1][0] - left) / BLACK_MODULES
            for rectangle in module_blocks(tag_id, is_white):
                places = [(left + x * module, top + y * module) for x, y in rectangle]
                rectangles.append([centred_from_screen(*place, self.layout.size_px) for place in places])
        return visual.ShapeStim(
            self.win,
            units="pix",
            vertices=list(np.array(rectangles) / px_per_pix(self.win)),
            colorSpace="rgb",
            lineColor=None,
            interpolate=False,
            autoLog=False,
        )

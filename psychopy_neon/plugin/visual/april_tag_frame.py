"""Tags around the border of a window, by which the scene camera finds it."""

import numpy as np
from psychopy import visual
from psychopy.tools import monitorunittools

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.coordinates import centred_from_screen
from psychopy_neon.screen.layout import BLACK_MODULES, TAG_MODULES, border_layout
from psychopy_neon.screen.tags import tag_picture

__all__ = ["AprilTagFrame"]

TAG_SHARE = 1 / 9
"""Of the window's height: 120 px at 1080, where a Neon at 60 cm from a 24 inch screen sees a module as six pixels."""


class AprilTagFrame:
    """AprilTags (family 36h11) around the border of a window, drawn pixel by pixel.

    Draw it last, so that no stimulus covers a tag.

    Parameters
    ----------
    win : psychopy.visual.Window
    tagSize : int, optional
        Width of a tag with its white module, framebuffer px; rounded down to a multiple of ten. Default: a ninth of the
        window's height.
    columns, rows : int
        Tags along the horizontal and vertical edges, corners included in both.
    firstId : int
        Ids count up from here; two screens need different ones.
    contrast : float
        1 is black and white; less leaves more of a dark room dark, and is harder to see for the camera.

    Attributes
    ----------
    layout : ScreenLayout
        Where the tags are, framebuffer px.
    """

    def __init__(self, win, tagSize=None, columns=5, rows=3, firstId=0, contrast=1.0):
        if not 0 < contrast <= 1:
            raise ConfigurationError("contrast", contrast, "above 0 and up to 1")
        self.win = win
        size = (int(win.size[0]), int(win.size[1]))
        tag_px = int(tagSize if tagSize is not None else size[1] * TAG_SHARE)
        self.layout = border_layout(size, tag_px=tag_px, columns=columns, rows=rows, first_id=firstId)
        self._stimuli = [self._stimulus(tag_id, corners, contrast) for tag_id, corners in self.layout.tags.items()]

    def draw(self, win=None):
        """Draw all tags."""
        for stimulus in self._stimuli:
            stimulus.draw(win)

    def to_window(self, gaze):
        """Position of a :class:`~psychopy_neon.ScreenGaze` in the window's units; None when it has none."""
        if gaze.pos is None:
            return None
        return self.from_screen(gaze.pos)

    def from_screen(self, pos):
        """Framebuffer px (origin top left, y down) to the window's units."""
        x, y = centred_from_screen(*pos, self.layout.size_px)
        width, height = self.layout.size_px
        units = self.win.units
        if units == "pix":
            return x, y
        if units == "norm":
            return 2 * x / width, 2 * y / height
        if units == "height":
            return x / height, y / height
        if units == "cm":
            return tuple(float(each) for each in monitorunittools.pix2cm(np.array([x, y]), self.win.monitor))
        is_flat = units in ("degFlat", "degFlatPos")
        degrees = monitorunittools.pix2deg(np.array([x, y]), self.win.monitor, correctFlat=is_flat)
        return tuple(float(each) for each in degrees)

    def _stimulus(self, tag_id, corners, contrast):
        left, top = corners[0]
        module = round((corners[1][0] - left) / BLACK_MODULES)
        side = module * TAG_MODULES
        # As large as on the screen, so that no scaling of the graphics card can move an edge; PsychoPy's arrays begin at
        # the bottom and go from -1 to 1.
        picture = tag_picture(tag_id, module)[::-1] / 127.5 - 1
        return visual.ImageStim(
            self.win,
            image=picture,
            units="pix",
            size=(side, side),
            pos=centred_from_screen(left - module + side / 2, top - module + side / 2, self.layout.size_px),
            contrast=contrast,
            interpolate=False,
            autoLog=False,
        )

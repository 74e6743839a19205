"""A window through which the stimulus is seen only where one looks, and a scotoma that hides just that."""

import numpy as np
from psychopy import visual

from psychopy_neon.contingent.window import Follower, NoGaze
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.visual.gaze_tool import GazeTool, length_px, now_ns
from psychopy_neon.plugin.visual.units import px_per_pix

__all__ = ["GazeScotoma", "GazeWindow"]

DEPTH = -800.0
"""Above stimuli, below the gaze cursor and the tags."""
OVERLAP_PX = 2.0
"""The patch with the hole lies so far over the cover around it: no line shows between them."""
LARGEST_TEXTURE_PX = 512


class _GazePatch(GazeTool):
    """A disc that follows gaze, over or out of a cover of one colour."""

    _is_hole = False

    def __init__(
        self,
        win,
        frame,
        radius,
        units="",
        softEdge=0.0,
        color=None,
        noGaze=NoGaze.SHOW_NOTHING,
        holdTime=0.1,
        maxAge=None,
        *,
        smoother=None,
        record=None,
        name=None,
        autoLog=False,
    ):
        super().__init__(win, frame, record, DEPTH, name or type(self).__name__, autoLog)
        self.radius_px = length_px(win, radius, units)
        soft_px = length_px(win, softEdge, units) if softEdge else 1.0
        if soft_px > 2 * self.radius_px:
            raise ConfigurationError("softEdge", softEdge, "at most twice the radius")
        self.noGaze = NoGaze(noGaze)
        self.drawnPos = None
        self.isHeld = False
        self.reason = None
        self._follower = Follower(holdTime, maxAge, smoother)
        self._half_px = self.radius_px + soft_px / 2 + 2 * OVERLAP_PX
        colors = {
            "color": win.rgb if color is None else color,
            "colorSpace": "rgb" if color is None else win.colorSpace,
        }
        self._patch = visual.GratingStim(
            win,
            tex=None,
            mask=_disc(self._half_px, self.radius_px, soft_px, self._is_hole),
            units="pix",
            size=2 * self._half_px / px_per_pix(win),
            autoLog=False,
            **colors,
        )
        size_pix = np.array(frame.layout.size_px) / px_per_pix(win)
        # Without smoothing of edges: a large area is drawn twice as fast where graphics are computed in software.
        self._cover = visual.Rect(
            win, units="pix", size=size_pix + 2, lineColor=None, interpolate=False, autoLog=False, **colors
        )
        self._around = self._frame_around(size_pix, colors) if self._is_hole else None

    def draw(self, win=None):
        """Draw it; afterwards ``drawnPos``, ``isHeld`` and ``reason`` tell what this frame shows."""
        if self.gaze is None:
            place, self.drawnPos, self.isHeld, self.reason = None, None, False, None
        else:
            place = self._follower.update(now_ns(None), self._here(self.gaze))
            self.drawnPos, self.isHeld, self.reason = place
        if self.drawnPos is None:
            if self.noGaze is NoGaze.SHOW_NOTHING:
                self._cover.draw(win)
        elif self._reaches_screen(self.drawnPos):
            self._draw_at(self._pix(self.drawnPos), win)
        elif self._is_hole:
            self._cover.draw(win)
        if place is not None:
            self._keep(self.drawnPos, self.drawnPos is not None, self.isHeld)

    def _draw_at(self, pix, win):
        if self._around is not None:
            self._around.pos = pix
            self._around.draw(win)
        self._patch.pos = pix
        self._patch.draw(win)

    def _reaches_screen(self, pos):
        (x, y), (width, height), half = pos, self.frame.layout.size_px, self._half_px
        return -half < x < width + half and -half < y < height + half

    def _frame_around(self, size_pix, colors):
        """Covers the screen but for the patch, wherever on the screen that is."""
        half = (self._half_px - OVERLAP_PX) / px_per_pix(self.win)
        width, height = size_pix + 2 * self._half_px
        return visual.ShapeStim(
            self.win,
            units="pix",
            vertices=[_corners(width, height), _corners(half, half)],
            fillColor=colors["color"],
            colorSpace=colors["colorSpace"],
            lineColor=None,
            interpolate=False,
            autoLog=False,
        )


class GazeWindow(_GazePatch):
    """Shows what was drawn before only inside a disc around the gaze.

    The rest is covered with one colour, so it works with any stimuli: draw them first, then this, then the tags.

    Parameters
    ----------
    win : psychopy.visual.Window
    frame : AprilTagFrame
        Of the same window.
    radius : float
        To where the edge is half transparent.
    units : str
        Of ``radius`` and ``softEdge``: any of PsychoPy's. Default: the window's.
    softEdge : float
        Width of the transition. Default: one pixel.
    color : optional
        Of the cover. Default: the window's at this moment.
    noGaze : NoGaze
        What is seen when there is no gaze: nothing of the stimulus (default) or all of it.
    holdTime : float
        So many seconds the last place is held before that.
    maxAge : float or None
        Gaze that is older, s, is none.
    smoother : OneEuroFilter, optional
        Default: none, so no delay is added.
    record : GazeRecord, optional
        Keeps what was drawn.

    Attributes
    ----------
    gaze : ScreenGaze or None
        Set it before :meth:`draw`.
    drawnPos : tuple of float or None
        Centre of the disc in the last draw, screen px.
    isHeld : bool
        Whether that is the last place of gaze that is lost.
    reason : GazeReason or None
        Why there is no gaze.

    Raises
    ------
    ConfigurationError
        Settings that cannot be used, or degrees without a monitor that knows its width and distance.
    """

    _is_hole = True


class GazeScotoma(_GazePatch):
    """Hides what is looked at behind a disc; parameters and attributes are those of :class:`GazeWindow`."""


def _disc(half_px, radius_px, soft_px, is_hole):
    """Opacity of a patch, -1 to 1 as PsychoPy has masks; the edge is a raised cosine."""
    count = min(LARGEST_TEXTURE_PX, 1 << int(np.ceil(np.log2(max(2 * half_px, 32)))))
    places = (np.arange(count) + 0.5) / count * 2 * half_px - half_px
    distance = np.hypot(places[:, np.newaxis], places)
    part = np.clip((distance - radius_px) / soft_px + 0.5, 0, 1)
    inside = np.cos(np.pi * part)
    return -inside if is_hole else inside


def _corners(half_width, half_height):
    return [
        (-half_width, -half_height),
        (half_width, -half_height),
        (half_width, half_height),
        (-half_width, half_height),
    ]

"""Tags around the border of a window, by which the scene camera finds it."""

from psychopy_neon.plugin.visual.drawn_tags import DrawnTags
from psychopy_neon.plugin.visual.units import framebuffer_px, framebuffer_size
from psychopy_neon.screen.layout import border_layout
from psychopy_neon.screen.tag_levels import TagLevels

__all__ = ["AprilTagFrame"]

TAG_SHARE = 1 / 9
"""Of the window's height: 120 px at 1080, where a Neon at 60 cm from a 24 inch screen sees a module as five pixels."""


class AprilTagFrame(DrawnTags):
    """AprilTags (family 36h11) around the border of a window, drawn pixel by pixel.

    Draw it last, so that no stimulus covers a tag, or set ``autoDraw``, which sees to that; a stimulus with
    ``autoDraw`` is drawn after everything that is drawn by hand. Nothing is drawn between the tags. The window's
    ``viewScale``, ``viewPos`` and ``viewOri`` move the tags together with everything else, so gaze still fits the
    other stimuli.

    The tags belong to the window, not to the desktop: it may be moved. Resized, the window leaves the tags where they
    were from its middle, so gaze still fits, and says once that new ones are due.

    Parameters
    ----------
    win : psychopy.visual.Window
    tagSize : float, optional
        Width of a tag with the white around it, rounded down so that a module is a whole number of framebuffer px.
        Default: a ninth of the window's height.
    columns, rows : int
        Tags along the horizontal and vertical edges, corners included in both.
    firstId : int
        Ids count up from here, row by row; two screens need different ones.
    contrast : float
        1 is black and white; less leaves more of a dark room dark, and is harder to see for the camera.
    ids : sequence of int, optional
        One for each tag instead of counting, row by row.
    units : str, optional
        PsychoPy's units that ``tagSize`` and ``inset`` are in ("norm" as along the window's height). Default:
        framebuffer px.
    inset : float
        Distance of the tags from the window's edges.
    quietZone : int
        Modules of white around each tag, at least 1.
    white, black : float
        Grey levels as in PsychoPy, -1 to 1.
    matchLuminance : bool
        Black and white of every tag such that its mean luminance is that of the window's background, whose changes
        they follow. ``white`` and ``black`` are ignored.
    gamma : float or sequence of float, optional
        Exponent of the display for ``matchLuminance``. Default: 1 if the window has a gamma, since light is then in
        proportion to colours, else 2.2.
    screen : int
        Which of the tracker's layouts this one is, if it has several.
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

    Warns
    -----
    UserWarning
        The window's monitor has a width and a distance at which a Neon can hardly read the tags.
    """

    def __init__(
        self,
        win,
        tagSize=None,
        columns=5,
        rows=3,
        firstId=0,
        contrast=1.0,
        *,
        ids=None,
        units=None,
        inset=0,
        quietZone=1,
        white=1.0,
        black=-1.0,
        matchLuminance=False,
        gamma=None,
        screen=0,
        name="AprilTagFrame",
        autoLog=False,
    ):
        size_px = framebuffer_size(win)
        layout = border_layout(
            size_px,
            tag_px=int(size_px[1] * TAG_SHARE) if tagSize is None else _length_px(win, tagSize, units),
            columns=columns,
            rows=rows,
            margin_px=round(_length_px(win, inset, units)),
            first_id=firstId,
            ids=ids,
            quiet_modules=quietZone,
        )
        levels = TagLevels((1 + white) / 2, (1 + black) / 2, float(contrast), matchLuminance)
        super().__init__(win, layout, quietZone, levels, gamma, screen, name, autoLog)


def _length_px(win, length, units):
    """Framebuffer px of a length along the window's height."""
    return length if units is None else framebuffer_px(win, (0.0, length), units)[1]

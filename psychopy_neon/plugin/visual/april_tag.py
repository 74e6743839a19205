"""One tag anywhere in a window."""

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.visual.drawn_tags import DrawnTags
from psychopy_neon.plugin.visual.units import framebuffer_px, framebuffer_size, screen_px
from psychopy_neon.screen.layout import single_tag_layout
from psychopy_neon.screen.tag_levels import TagLevels

__all__ = ["AprilTag"]


def _fixed(name, what):
    """A setting that can be read only."""

    def get(self):
        return self._place[name]

    def refuse(self, value):
        allowed = f"{self._place[name]!r}, as made: gaze is mapped by the layout; make another tag and another tracker"
        raise ConfigurationError(name, value, allowed)

    return property(get, refuse, doc=what)


class AprilTag(DrawnTags):
    """One AprilTag (family 36h11) with the white around it, drawn pixel by pixel.

    It stays where it was made: a tag that moved would move gaze. Several tags, a frame and printed ones make one
    layout for the tracker by ``layout.joined()``::

        tags = [AprilTag(win, tagId, 0.2, pos) for tagId, pos in enumerate(places)]
        layout = tags[0].layout.joined(*(tag.layout for tag in tags[1:]))

    As for :class:`AprilTagFrame`, draw it last, and a moved or resized window does no harm.

    Parameters
    ----------
    win : psychopy.visual.Window
    tagId : int
    size : float
        Width of the tag with the white around it, rounded down so that a module is a whole number of framebuffer px.
        In "norm" as along the window's height.
    pos : sequence of float
        Middle of the tag, which must lie in the window as a whole. A tag that stands straight is moved by up to half a
        pixel, so that its modules fill whole framebuffer px.
    units : str, optional
        PsychoPy's units of ``size`` and ``pos``. Default: the window's.
    ori : float
        Degrees clockwise.
    contrast, quietZone, white, black, matchLuminance, gamma, screen : optional
        As for :class:`AprilTagFrame`.
    name : str, optional
    autoLog : bool
        As for every PsychoPy stimulus.

    Attributes
    ----------
    layout : ScreenLayout
        Where the tag is, framebuffer px.

    Raises
    ------
    ConfigurationError
        A tag that is not in the window as a whole, or another setting that cannot be used; later, any try to set
        ``tagId``, ``size``, ``pos``, ``units`` or ``ori``.

    Warns
    -----
    UserWarning
        The window's monitor has a width and a distance at which a Neon can hardly read the tag.
    """

    tagId = _fixed("tagId", "Number of the tag in its family.")
    size = _fixed("size", "As given.")
    pos = _fixed("pos", "As given.")
    units = _fixed("units", "Of size and pos.")
    ori = _fixed("ori", "Degrees clockwise.")

    def __init__(
        self,
        win,
        tagId,
        size,
        pos=(0.0, 0.0),
        units=None,
        ori=0.0,
        contrast=1.0,
        *,
        quietZone=1,
        white=1.0,
        black=-1.0,
        matchLuminance=False,
        gamma=None,
        screen=0,
        name="AprilTag",
        autoLog=False,
    ):
        units = win.units if units is None else units
        self._place = {"tagId": tagId, "size": size, "pos": tuple(pos), "units": units, "ori": ori}
        size_px = framebuffer_size(win)
        layout = single_tag_layout(
            size_px,
            tagId,
            centre_px=screen_px(win, pos, units, size_px),
            tag_px=framebuffer_px(win, (0.0, size), units)[1],
            turn_deg=ori,
            quiet_modules=quietZone,
        )
        levels = TagLevels((1 + white) / 2, (1 + black) / 2, float(contrast), matchLuminance)
        super().__init__(win, layout, quietZone, levels, gamma, screen, name, autoLog)

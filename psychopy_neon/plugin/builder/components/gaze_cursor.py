"""A ring where the participant looks."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.kinds import COLOR, REPEAT, UNITS, Setting, choice, length, number

__all__ = ["ONE_EURO", "SETTINGS", "GazeCursorComponent"]

OFF, ONE_EURO = "off", "1-euro"
SETTINGS = (
    Setting("color", "red", COLOR, "Color", "Of the ring.", "Appearance", REPEAT),
    Setting("lineWidth", 4, number(above=0, most=1000), "Line width (px)", "Of the ring.", "Appearance", REPEAT),
    Setting("size", 0.04, length(), "Size", "Outer diameter.", "Layout", REPEAT),
    Setting("units", "height", UNITS, "Spatial units", "Of the size.", "Layout"),
    Setting(
        "smoothing",
        OFF,
        choice(OFF, ONE_EURO),
        "Smoothing",
        "Off adds no delay. The 1-euro filter steadies the ring and makes it late: about 80 ms at rest, 35 ms at 300 "
        "pixels per second, 14 ms at 1000.",
        "Basic",
    ),
)


class GazeCursorComponent(NeonComponent):
    """A ring at the gaze, over everything but the tags; nothing is drawn while there is no gaze on the screen."""

    tooltip = _translate("Gaze Cursor: a ring where the participant looks")
    part, stem = "CursorPart", "gaze_cursor"
    isBackground = True
    SETTINGS = SETTINGS

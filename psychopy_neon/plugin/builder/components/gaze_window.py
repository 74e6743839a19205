"""A window that moves with the gaze, or a scotoma."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.kinds import COLOR_OR_BLANK, REPEAT, UNITS, Setting, choice, length, number

__all__ = ["SCOTOMA", "SETTINGS", "SHOW_ALL", "GazeWindowComponent"]

MOVING_WINDOW, SCOTOMA = "moving window", "scotoma"
SHOW_NOTHING, SHOW_ALL = "show nothing", "show everything"
SETTINGS = (
    Setting(
        "mode",
        MOVING_WINDOW,
        choice(MOVING_WINDOW, SCOTOMA),
        "Mode",
        "A moving window shows what is above it in the routine only around the gaze; a scotoma hides just that.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "noGaze",
        SHOW_NOTHING,
        choice(SHOW_NOTHING, SHOW_ALL),
        "Without gaze",
        "What is seen of the stimuli while there is no gaze, after the hold time.",
    ),
    Setting(
        "holdTime",
        0.1,
        number(least=0),
        "Hold time (s)",
        "So long the last place is kept when gaze is lost.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "color",
        "",
        COLOR_OR_BLANK,
        "Color",
        "Of what covers the stimuli. Blank: the window's own.",
        "Appearance",
        REPEAT,
    ),
    Setting("radius", 0.12, length(), "Radius", "From the gaze to where the edge is half covered.", "Layout", REPEAT),
    Setting(
        "softEdge",
        0.02,
        length(canBeZero=True),
        "Soft edge",
        "Width of the transition, at most twice the radius. 0: a sharp edge.",
        "Layout",
        REPEAT,
    ),
    Setting("units", "height", UNITS, "Spatial units", "Of radius and soft edge.", "Layout"),
)


class GazeWindowComponent(NeonComponent):
    """Shows or hides what is looked at.

    It covers the stimuli that are above it in the routine, so put it below them; what is below it is drawn over it.
    What follows gaze is late by several tens of milliseconds: no change during a saccade can be promised.
    """

    tooltip = _translate("Gaze Window: shows the stimuli only where the participant looks, or hides just that")
    part, stem = "WindowPart", "gaze_window"
    isDrawn = isBackground = True
    SETTINGS = SETTINGS

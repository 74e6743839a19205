"""A fixation cross that waits for the gaze."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.kinds import COLOR, FRAME, PLACE, REPEAT, UNITS, Setting, choice, length, number

__all__ = ["END_ROUTINE", "SETTINGS", "FixationGateComponent"]

END_ROUTINE, GO_ON = "end the routine", "go on"
SETTINGS = (
    Setting(
        "holdTime",
        0.3,
        number(above=0),
        "Hold time (s)",
        "How long gaze has to stay; a fixation lasts 0.2 to 0.6 s.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "limit",
        10.0,
        number(above=0, isOptional=True),
        "Give up after (s)",
        "Counted from its start. Blank: never, so that somebody who cannot be tracked waits for ever.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "whenOpen",
        END_ROUTINE,
        choice(END_ROUTINE, GO_ON),
        "When open",
        "End the routine, or go on without the cross: other components can start when $name.isOpen.",
    ),
    Setting(
        "whenGivenUp",
        END_ROUTINE,
        choice(END_ROUTINE, GO_ON),
        "When given up",
        "End the routine, or go on without the cross; $name.isGivenUp tells.",
    ),
    Setting(
        "radius",
        0.08,
        length(),
        "Radius",
        "How near gaze has to be. Two degrees forgive the error of a tracker that is not corrected.",
        "Layout",
        REPEAT,
    ),
    Setting("pos", (0, 0), PLACE, "Position [x,y]", "Of the cross.", "Layout", FRAME),
    Setting("size", 0.04, length(), "Size", "Of the cross.", "Layout", REPEAT),
    Setting("units", "height", UNITS, "Spatial units", "Of radius, position and size.", "Layout"),
    Setting("waitColor", "black", COLOR, "Color", "Of the cross while it waits.", "Appearance", REPEAT),
    Setting("holdColor", "white", COLOR, "Color when held", "While gaze is there.", "Appearance", REPEAT),
    Setting("openColor", "lime", COLOR, "Color when open", "For the last frame.", "Appearance", REPEAT),
)


class FixationGateComponent(NeonComponent):
    """A cross that opens when gaze has rested on it, so that a trial begins with the gaze where it should be.

    Closed eyes, lost tags and gaze that is not fresh are no data: they neither open it nor count as beside it. In a run
    without gaze from anything it gives up at once and says so in the log.
    """

    tooltip = _translate("Fixation Gate: waits until the participant looks at a cross")
    part, stem = "GatePart", "fixation_gate"
    isDrawn = isWatching = canFinish = True
    SETTINGS = SETTINGS

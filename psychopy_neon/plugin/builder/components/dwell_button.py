"""A button that is pressed by looking at it."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.kinds import (
    ANYTHING,
    COLOR,
    FRAME,
    PLACE,
    REPEAT,
    TEXT,
    UNITS,
    YES_NO,
    Setting,
    length,
    number,
)

__all__ = ["SETTINGS", "DwellButtonComponent"]

SETTINGS = (
    Setting("text", "", TEXT, "Label", "Text on the button.", "Basic", REPEAT),
    Setting(
        "dwellTime",
        0.8,
        number(above=0),
        "Dwell time (s)",
        "Looking for so long selects it. Fixations last 0.2 to 0.6 s, so looking about selects nothing.",
        "Basic",
        REPEAT,
    ),
    Setting("forceEndRoutine", True, YES_NO, "Force end of Routine", "Should its selection end the routine?", "Basic"),
    Setting("storeCorrect", False, YES_NO, "Store correct", "Save whether the answer was right?", "Data"),
    Setting(
        "correctAns",
        "",
        ANYTHING,
        "Is it the right one?",
        "Code that is true if this button is the right answer, for example: correctSide == 'left'",
        "Data",
        REPEAT,
    ),
    Setting("pos", (0, 0), PLACE, "Position [x,y]", "Centre of the button.", "Layout", FRAME),
    Setting(
        "size",
        0.2,
        length(),
        "Size",
        "Diameter. Five degrees serve a tracker that is not corrected; leave as much between two buttons.",
        "Layout",
        REPEAT,
    ),
    Setting("units", "height", UNITS, "Spatial units", "Of position, size, margin and hysteresis.", "Layout"),
    Setting(
        "margin", 0.02, length(canBeZero=True), "Margin", "Gaze so far beside the button counts.", "Tolerance", REPEAT
    ),
    Setting(
        "hysteresis",
        0.02,
        length(canBeZero=True),
        "Hysteresis",
        "Gaze on the button may go so much farther before it has left.",
        "Tolerance",
        REPEAT,
    ),
    Setting(
        "lossTime",
        0.3,
        number(least=0),
        "Longest loss bridged (s)",
        "No gaze for so long, as in a blink, holds what is filled.",
        "Tolerance",
        REPEAT,
    ),
    Setting(
        "exitTime",
        0.1,
        number(least=0),
        "Longest look away bridged (s)",
        "Gaze beside the button for so long holds what is filled.",
        "Tolerance",
        REPEAT,
    ),
    Setting("fillColor", "gold", COLOR, "Fill color", "Of the ring as it fills.", "Appearance", REPEAT),
    Setting("ringColor", "black", COLOR, "Ring color", "Of the empty ring.", "Appearance", REPEAT),
    Setting("buttonColor", "dimgrey", COLOR, "Button color", "Of the button.", "Appearance", REPEAT),
    Setting("textColor", "white", COLOR, "Text color", "Of the label.", "Appearance", REPEAT),
)


class DwellButtonComponent(NeonComponent):
    """A round button with a ring that fills while it is looked at; a response with a reaction time.

    Only fresh gaze on the button fills it. Put one component into the routine for each answer.
    """

    tooltip = _translate("Dwell Button: a response by looking")
    part, stem = "ButtonPart", "dwell_button"
    isDrawn = isWatching = canFinish = True
    SETTINGS = SETTINGS

    def __init__(self, exp, parentName, name="", **values):
        super().__init__(exp, parentName, name, **values)
        self.depends.append(
            {
                "dependsOn": "storeCorrect",
                "condition": "== True",
                "param": "correctAns",
                "true": "show",
                "false": "hide",
            }
        )

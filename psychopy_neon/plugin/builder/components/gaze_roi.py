"""How often and how long a stimulus is looked at."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.expressions import is_blank
from psychopy_neon.plugin.builder.kinds import ANYTHING, NEW_SETTING, REPEAT, UNITS, Setting, length, number

__all__ = ["SETTINGS", "GazeROIComponent"]

SETTINGS = (
    Setting(
        "target",
        "",
        ANYTHING,
        "Target",
        "Name of a component with an area (image, polygon, text, grating ...), wherever it moves; no quotes.",
        "Basic",
        NEW_SETTING,
    ),
    Setting(
        "minTime",
        0.1,
        number(least=0),
        "Minimum time (s)",
        "Shorter looks, and shorter looks away, are overlooked.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "bridgeTime",
        0.3,
        number(least=0),
        "Longest loss bridged (s)",
        "A look that goes on after no longer a loss, as in a blink, is the same look.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "margin",
        0.04,
        length(canBeZero=True),
        "Margin",
        "Gaze so far outside counts, for the error of the tracker (1 to 2 degrees).",
        "Layout",
        REPEAT,
    ),
    Setting(
        "hysteresis",
        0.02,
        length(canBeZero=True),
        "Hysteresis",
        "Gaze on it may go so much farther before it has left, so jitter at the edge is no new look.",
        "Layout",
        REPEAT,
    ),
    Setting("units", "height", UNITS, "Spatial units", "Of margin and hysteresis.", "Layout"),
)


class GazeROIComponent(NeonComponent):
    """Whether another component is looked at, with looks, time on it, beside it and without data kept apart.

    Nothing is drawn. ``$name.isLookedAt`` is True, False, or None while nobody knows.
    """

    tooltip = _translate("Gaze ROI: how often and how long a stimulus is looked at")
    part, stem = "RoiPart", "gaze_roi"
    isWatching = isBackground = True
    SETTINGS = SETTINGS

    def problems(self):
        yield from super().problems()
        if is_blank(self.params["target"]):
            yield "Target: is blank; give the name of a component with an area"

"""A region of interest of a routine."""

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.builder.components.gaze_roi import SETTINGS
from psychopy_neon.plugin.run.parts.part import Part
from psychopy_neon.plugin.visual import GazeROI

__all__ = ["RoiPart"]


class RoiPart(Part):
    """How often and how long a stimulus is looked at."""

    SETTINGS = SETTINGS
    usesGaze = True

    def reset(self):
        self._isOutdated = True  # counts begin anew
        super().reset()

    def update(self):
        """Take in the gaze of a frame."""
        self.tool.update(self.run.gaze())

    @property
    def isLookedAt(self):
        """True or False; None while nobody knows."""
        return self.tool.isLookedAt

    @property
    def numLooks(self):
        """How many looks there were in this repeat."""
        return self.tool.numLooks

    def results(self):
        """``looks``, ``on_s``, ``off_s``, ``no_data_s`` and ``first_look_s`` after its start; None: never looked at."""
        found = self.tool.results()
        found["first_look_s"] = self.sinceStart(found.pop("first_look_host_ns"))
        return found

    def _make(self, target, units, **values):
        if not callable(getattr(target, "contains", None)):
            raise ConfigurationError("target", target, "a component with an area (image, polygon, text, grating)")
        return GazeROI(target, self.run.screen, marginUnits=units, name=self.name, **values)

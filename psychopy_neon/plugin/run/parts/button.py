"""A dwell button of a routine."""

from psychopy_neon.plugin.builder.components.dwell_button import SETTINGS
from psychopy_neon.plugin.run.parts.part import DrawnPart
from psychopy_neon.plugin.visual import DwellButton

__all__ = ["ButtonPart"]


class ButtonPart(DrawnPart):
    """A response by looking.

    Attributes
    ----------
    isSelected : bool
        It has been filled.
    isDone, endsRoutine : bool
        It has been, and that ends the routine.
    """

    SETTINGS = SETTINGS
    usesGaze = True

    def reset(self):
        super().reset()
        self.tool.reset()

    def update(self):
        """Take in the gaze of a frame."""
        self.tool.update(self.run.gaze())

    @property
    def isSelected(self):
        return self.tool.isSelected

    @property
    def isDone(self):
        return self.isSelected and self._values["forceEndRoutine"]

    endsRoutine = isDone

    def results(self):
        """``selected``, ``rt`` (s), when the winning look began (``look_s``), looks ``abandoned`` before, ``corr``."""
        dwell, answer = self.tool.dwell, {}
        if self._values["storeCorrect"]:
            answer["corr"] = int(self.isSelected == bool(self._values["correctAns"]))
        return {
            "selected": self.isSelected,
            "rt": self.sinceStart(dwell.selected_ns),
            "look_s": self.sinceStart(dwell.entered_ns) if self.isSelected else None,
            "abandoned": dwell.abandoned,
            **answer,
        }

    def _make(self, buttonColor, forceEndRoutine, storeCorrect, correctAns, **values):
        return DwellButton(self.win, self.run.screen, color=buttonColor, name=self.name, **values)

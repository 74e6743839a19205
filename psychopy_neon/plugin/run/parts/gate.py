"""A fixation gate of a routine."""

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.gate import GateState
from psychopy_neon.plugin.builder.components.fixation_gate import END_ROUTINE, SETTINGS
from psychopy_neon.plugin.run.parts.part import DrawnPart
from psychopy_neon.plugin.visual import FixationGate

__all__ = ["GatePart"]


class GatePart(DrawnPart):
    """A cross that waits for the gaze.

    Attributes
    ----------
    isOpen : bool
        Gaze has rested on it.
    isGivenUp : bool
        It was waited for in vain; at once in a run without gaze from anything.
    isDone : bool
        One of both.
    endsRoutine : bool
        It is done, and the routine is to end therefore.
    """

    SETTINGS = SETTINGS
    usesGaze = True

    def reset(self):
        super().reset()
        self.tool.reset()
        self.isOpen = self.isGivenUp = False

    def update(self):
        """Take in the gaze of a frame."""
        state = self.tool.update(self.run.gaze())
        self.isOpen = state is GateState.OPEN
        self.isGivenUp = state is GateState.TIMED_OUT or self.run.isIdle

    @property
    def isDone(self):
        return self.isOpen or self.isGivenUp

    @property
    def endsRoutine(self):
        todo = "whenOpen" if self.isOpen else "whenGivenUp"
        return self.isDone and self._values[todo] == END_ROUTINE

    def results(self):
        """``opened``, ``rt`` (s), what was ``waited_for`` when it ended, and the times of gaze at the cross, beside it
        and without data, s."""
        gate = self.tool.gate
        seconds = {f"{look.name.lower()}_s": gate.times.seconds(look) for look in Look}
        return {
            "opened": self.isOpen,
            "rt": self.sinceStart(gate.opened_ns),
            "waited_for": self.tool.waitsFor,
            **seconds,
        }

    def _make(self, waitColor, whenOpen, whenGivenUp, **values):
        return FixationGate(self.win, self.run.screen, color=waitColor, name=self.name, **values)

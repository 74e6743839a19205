"""Which experiment runs: PsychoPy tells it to nobody but to the experiment itself.

A Session makes a new one for each run, after the devices; a script with stock parts only never says a word to us.
"""

from psychopy.constants import STARTED
from psychopy.data import ExperimentHandler

__all__ = ["StartTap"]


class StartTap:
    """Hears when an experiment is marked as started, which every script of the Builder does first.

    Parameters
    ----------
    onStart : callable
        Called with the ExperimentHandler, also when a pause ends.
    """

    def __init__(self, onStart):
        self._onStart = onStart
        self._original = self._ours = None

    def install(self):
        """Begin. What is replaced is the class's property: one of the instance would be saved with it."""
        self._original = original = ExperimentHandler.status
        onStart = self._onStart

        def mark(exp, value):
            original.fset(exp, value)
            if value == STARTED:
                onStart(exp)

        self._ours = ExperimentHandler.status = original.setter(mark)

    def restore(self):
        """End; leaves alone what somebody else has replaced since. Idempotent."""
        if self._ours is not None and ExperimentHandler.status is self._ours:
            ExperimentHandler.status = self._original
        self._ours = None

"""What went wrong, told as the settings want it: on the window, in the log, in the data file, by the exit code."""

from psychopy import logging
from psychopy.constants import FINISHED

from psychopy_neon.errors import NeonError
from psychopy_neon.plugin.run import ending
from psychopy_neon.plugin.run.data_file import mark_row

__all__ = ["TELL_LIMIT_S", "Teller"]

ASK_LIMIT_S = 60.0
TELL_LIMIT_S = 4.0
FIXED = {"hub": "stop", "events": "go on", "slow": "go on"}
"""Kinds of trouble that leave no choice, or need none."""
AT_START = frozenset({"missing", "template"})


class Teller:
    """Tells troubles of one experiment.

    Parameters
    ----------
    exp : psychopy.data.ExperimentHandler or None
    settings : RunSettings
    monitor : Monitor
    exitCode : ExitCode

    Attributes
    ----------
    problems : list of str
        What was told so far.
    isStopped : bool
        The experiment was told to end.
    """

    def __init__(self, exp, settings, monitor, exitCode):
        self.problems = []
        self.isStopped = False
        self._exp = exp
        self._settings = settings
        self._monitor = monitor
        self._exit = exitCode

    def tell(self, trouble, isBack):
        """Do with a trouble as the settings say.

        Parameters
        ----------
        trouble : Trouble
        isBack : callable
            Whether meanwhile the Neon is back.

        Raises
        ------
        NeonError
            The experiment shall stop, but it is a Session that runs it and none of our components told us which it is.
        """
        if trouble.kind == "back":
            logging.warning(f"Neon: {trouble.words}")
            self._mark(trouble.words)
            self._monitor.mark(trouble.words)
            return
        self.note(trouble.words)
        choice = self._choice(trouble, isBack)
        if choice == "stop":
            self._stop(trouble.words)
        elif choice == "go on":
            self._monitor.mark(trouble.words)

    def note(self, words):
        """Write down what went wrong, everywhere but on the window."""
        logging.error(f"Neon: {words}")
        self.problems.append(words)
        self._exit.raiseTo(ending.WITH_TROUBLE)
        self._mark(words)

    def _choice(self, trouble, isBack):
        """ "stop", "go on", or None when the question has answered itself."""
        later = self._settings.whenMissing if trouble.kind in AT_START else self._settings.whenLost
        choice = FIXED.get(trouble.kind, later)
        if choice != "ask":
            return choice
        choices = {"space": ("go on", "go on"), "escape": ("end the experiment and save", "stop")}
        isOver = isBack if trouble.kind in ("missing", "lost") else bool
        return self._monitor.ask(trouble.words, choices, ASK_LIMIT_S, "stop", isOver)

    def _stop(self, words):
        """End the experiment in its own way, so that it saves its data."""
        self.isStopped = True
        self._exit.raiseTo(ending.BROKEN_OFF)
        self._monitor.tell(f"{words}\n\nThe experiment ends; what was measured is saved.", TELL_LIMIT_S)
        if self._exp is None:
            raise NeonError(words)
        self._exp.status = FINISHED

    def _mark(self, words):
        if self._exp is not None:
            mark_row(self._exp, words)

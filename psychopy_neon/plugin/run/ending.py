"""The exit code of a run: PsychoPy's ``core.quit`` ends every script with 0, and an error ends it with 1."""

import sys

from psychopy import core

__all__ = ["BROKEN_OFF", "MISSING", "WITH_TROUBLE", "ExitCode"]

MISSING = 3
"""No Neon, or not as it was wanted: nothing was run."""
BROKEN_OFF = 4
"""The run was ended because of the Neon or ioHub."""
WITH_TROUBLE = 5
"""The run went to its end, but not all went well with the Neon."""


class ExitCode:
    """Makes the process end with ``value`` unless that is 0, whether by ``core.quit()`` or by an error.

    PsychoPy offers no other place: ``core.quit`` and ``sys.excepthook`` are replaced between ``install`` and
    ``restore``; both do what they did, and change the code only.

    Attributes
    ----------
    value : int
    beforeEnd : callable
        Called before either end.
    """

    def __init__(self, beforeEnd):
        self.value = 0
        self.beforeEnd = beforeEnd
        self._quit = self._hook = None

    def raiseTo(self, value):
        """Set the code; of several the one that ended the run is kept."""
        if self.value in (0, WITH_TROUBLE):
            self.value = value

    def install(self):
        """Begin; idempotent."""
        if self._quit is None:
            self._quit, core.quit = core.quit, self._quitWithCode
            self._hook, sys.excepthook = sys.excepthook, self._showWithCode

    def restore(self):
        """End; leaves alone what somebody else has replaced since. Idempotent."""
        if self._quit is not None and core.quit == self._quitWithCode:
            core.quit = self._quit
        if self._hook is not None and sys.excepthook == self._showWithCode:
            sys.excepthook = self._hook
        self._quit = self._hook = None

    def _quitWithCode(self):
        quit = self._quit
        self.beforeEnd()
        try:
            quit()
        except SystemExit as end:
            raise SystemExit(self.value or end.code) from None

    def _showWithCode(self, kind, error, trace):
        hook = self._hook
        hook(kind, error, trace)
        self.beforeEnd()
        if self.value not in (0, WITH_TROUBLE):  # else it is an error like any other
            raise SystemExit(self.value)  # Python takes the code of a hook that ends this way

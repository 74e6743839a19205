"""Brings what happened beside the frame loop to the window: texts for the experimenter, at every flip of any script."""

import time

from psychopy import event, visual

__all__ = ["Monitor"]

DEPTH = -1e6
"""Above everything: PsychoPy draws from large depths to small ones."""
PAUSE_S = 0.02
MARK_S = 6.0
MARK_POS = (0, -0.65)


class Monitor:
    """An object in the window's list of what is drawn automatically, from where nobody but :meth:`close` removes it.

    A routine, the end of an experiment and a Session all take out what they find in that list.

    Parameters
    ----------
    win : psychopy.visual.Window
    onFlip : callable
        Called before each flip.

    Notes
    -----
    Thread: the one that flips the window.
    """

    def __init__(self, win, onFlip):
        self.win = win
        self.name = "neonMonitor"
        self.depth = DEPTH
        self.status = None
        self._onFlip = onFlip
        self._isIn = False
        self._isBusy = False
        self._page = ()
        self._mark = ()
        self._markEnd_s = 0.0

    @property
    def autoDraw(self):
        """Whether it is in the window's list; setting it changes nothing."""
        return self._isIn

    @autoDraw.setter
    def autoDraw(self, value):
        pass

    def open(self):
        """Be drawn from the next flip on; idempotent."""
        if not self._isIn:
            self._isIn = True
            self.win._toDraw.append(self)
            self.win._toDrawDepths.append(self.depth)

    def close(self):
        """Be drawn no more; idempotent."""
        if self._isIn:
            self._isIn = False
            place = self.win._toDraw.index(self)
            del self.win._toDraw[place], self.win._toDrawDepths[place]

    def draw(self, win=None):
        """Called by every flip."""
        if not self._isBusy:
            self._isBusy = True
            try:
                self._onFlip()
            finally:
                self._isBusy = False
        for each in self._page or (self._mark if time.monotonic() < self._markEnd_s else ()):
            each.draw()

    def mark(self, words):
        """Show a line for some seconds, low in the window and above the tags of its lower edge."""
        text = _text(self.win, words, MARK_POS, 0.04, width=1.4)
        self._mark = (_ground(self.win, MARK_POS, (1.5, 0.16)), text)
        self._markEnd_s = time.monotonic() + MARK_S

    def tell(self, words, limit_s):
        """Show a text until a key is pressed, at most ``limit_s``."""
        self.ask(words, {"space": ("go on", None), "escape": ("go on", None)}, limit_s, None)

    def ask(self, words, choices, limit_s, default, isSettled=lambda: False):
        """Show a text and wait for a key.

        Parameters
        ----------
        words : str
        choices : dict
            Key to what it does, in words, and what it stands for.
        limit_s : float
        default : object
            What is taken when nobody has pressed a key in time.
        isSettled : callable
            The question is taken back, with None, when this says so.

        Returns
        -------
        object
            What the key stands for.
        """
        self.open()
        labels = dict.fromkeys(f"[{key}] {label}" for key, (label, _) in choices.items())
        self._page = (
            _ground(self.win, (0, 0), (2, 2)),
            _text(self.win, words, (0, 0.1), 0.07),
            _text(self.win, "     ".join(labels), (0, -0.7), 0.05),
        )
        # What waits for the next flip of the script belongs to that, not to ours.
        held, self.win._toCall = self.win._toCall, []
        wasBusy, self._isBusy = self._isBusy, True
        try:
            return self._answer(choices, limit_s, default, isSettled)
        finally:
            self._page, self._isBusy = (), wasBusy
            self.win._toCall = held + self.win._toCall

    def _answer(self, choices, limit_s, default, isSettled):
        event.clearEvents("keyboard")
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s and not self.win._closed:
            self.win.flip()
            if isSettled():
                return None
            for key in event.getKeys(keyList=list(choices)):
                return choices[key][1]
            time.sleep(PAUSE_S)  # keys are asked for; a window drawn in software does not wait in flip()
        return default


def _ground(win, pos, size):
    return visual.Rect(win, units="norm", pos=pos, size=size, fillColor="black", lineColor=None, autoLog=False)


def _text(win, words, pos, height, width=1.8):
    words = words[:1].upper() + words[1:]
    return visual.TextStim(
        win, text=words, units="norm", pos=pos, height=height, wrapWidth=width, color="white", autoLog=False
    )

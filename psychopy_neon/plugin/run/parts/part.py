"""What all parts have in common: settings that can be set anew, a start and a stop, results for the trial's row.

A script of the Builder goes through the same steps in every repeat of a routine: ``setX()`` for what is set every
repeat, ``reset()``, ``start()``, ``update()`` in each frame, ``stop()``, ``end()``.
"""

import time
from functools import partialmethod

import numpy as np
from psychopy import logging
from psychopy.constants import NOT_STARTED
from psychopy.visual.basevisual import MinimalStim

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.builder.kinds import FRAME
from psychopy_neon.plugin.clock import host_ns_of_flip

__all__ = ["DrawnPart", "Part"]


class Part:
    """A part of a routine.

    Parameters
    ----------
    win : psychopy.visual.Window
    run : NeonRun
    exp : psychopy.data.ExperimentHandler
    name : str
        Of the component; columns begin with it.
    **values
        Of the settings in the component's table; the others have their defaults.

    Attributes
    ----------
    SETTINGS : tuple of Setting
    usesGaze : bool
        The log says once if there is no gaze from anything.
    status : int
        As the script sets it.
    tool : object or None
        What does the work; made anew by :meth:`reset` when a setting has changed.
    isOn : bool
        Between start and stop.
    startedNs : int or None
        Host time of the first flip after the start, ns.

    Raises
    ------
    ConfigurationError
        A value that cannot be used; names component and setting. Here, in a ``setX``, or when the tool is made.

    Notes
    -----
    Thread: that of the window.
    """

    SETTINGS = ()
    usesGaze = False

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        for each in cls.SETTINGS:
            if each.updates:
                setattr(cls, f"set{each.name[0].upper()}{each.name[1:]}", partialmethod(cls.change, each.name))

    def __init__(self, win, run, exp, name, **values):
        self.win, self.run, self.exp, self.name = win, run, exp, name
        self.status = NOT_STARTED
        self.tool = None
        self.isOn = False
        self.startedNs = None
        self._table = {each.name: each for each in self.SETTINGS}
        defaults = {each: None if each.default == "" else each.default for each in self.SETTINGS}
        self._values = {each.name: each.kind.of(each.name, value) for each, value in defaults.items()}
        self._repeat = 0
        self._isOutdated = True
        self._isIdleTold = False
        for setting, value in values.items():
            self.change(setting, value)

    def change(self, setting, value, log=None):
        """Set one of the settings; scripts call it as ``setX(value)``.

        It counts from the next :meth:`reset` on, and at once if it may be set in every frame.
        """
        value = self._table[setting].kind.of(f"{self.name}.{setting}", value)
        if np.array_equal(self._values[setting], value):
            return
        self._values[setting] = value
        if self._table[setting].updates is FRAME and self.tool is not None:
            setattr(self.tool, setting, value)
        else:
            self._isOutdated = True

    def prepare(self):
        """Make the tool, if it is not made of the present settings."""
        if not self._isOutdated:
            return
        try:
            self.tool = self._make(**self._values)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.name}: {error.setting}", error.value, error.allowed) from error
        self._isOutdated = False

    def reset(self):
        """Begin anew, with each repeat of the routine."""
        self._repeat += 1
        self.startedNs = None
        self.prepare()

    def start(self):
        """From the next flip on it is there."""
        self.isOn = True
        self.win.callOnFlip(self._flipped, self._repeat)
        if self.usesGaze and self.run.isIdle and not self._isIdleTold:
            self._isIdleTold = True
            logging.warning(f"{self.name}: there is no gaze from anything in this run")

    def stop(self):
        """From the next flip on it is gone; does no harm twice."""
        self.isOn = False

    def end(self):
        """With the routine: stop, and write the results into the row of the data file.

        Not by the loop, as stock components do: it would write each a second time under its own name, and a staircase
        would take them for responses.
        """
        self.stop()
        for what, value in self.results().items():
            self.exp.addData(f"{self.name}.{what}", value)

    def results(self):
        """Columns of this repeat, without the component's name; None where there is nothing."""
        return {}

    def sinceStart(self, host_ns):
        """Seconds from the flip of its start to a host time; None where one of them is missing."""
        return None if host_ns is None or self.startedNs is None else (host_ns - self.startedNs) / 1e9

    def _make(self, **values):
        """The tool; None for a part without one."""

    def _flipped(self, repeat):
        calledNs = time.perf_counter_ns()
        if repeat != self._repeat:
            return  # the routine ended before its first flip
        try:
            self.startedNs = host_ns_of_flip(self.win)
        except ConfigurationError:
            self.startedNs = calledNs  # somebody set PsychoPy's clock in this flip


class DrawnPart(Part, MinimalStim):
    """A part that PsychoPy draws at each flip while it is shown.

    Parameters
    ----------
    depth : float
        Larger ones are drawn first.
    """

    def __init__(self, win, run, exp, name, depth=0.0, **values):
        MinimalStim.__init__(self, name=name, autoLog=False)
        self.depth = depth
        Part.__init__(self, win, run, exp, name, **values)

    def start(self):
        super().start()
        self.setAutoDraw(True)

    def stop(self):
        super().stop()
        self.setAutoDraw(False)

    def draw(self, win=None):
        """Called by the window at each flip."""
        self.tool.draw(win)

"""What PsychoPy stamps in its data file, as events of the Neon recording.

The scripts that the Builder writes tell everything to one object, ``thisExp``. A mirror listens to four of its methods:

===================  ==========================================  ===================================================
method               called                                      event, and its time
===================  ==========================================  ===================================================
timestampOnFlip      at a stimulus' first and last frame         ``stimulus.started``, ``.stopped``: the flip
timestampOnFlip      at the top of every loop (``thisRow.t``)    ``trials.started 0``: the first flip of the trial
addData              when a routine starts or ends, for sounds,  ``routine.started``, ``.stopped``: the value where
                     for what does not wait for a flip           it is a time of the default clock, else now
updateEntryFromLoop  when a loop turns to its next trial         ``trials.stopped 0``: now
loopEnded            after the last trial                        the same
===================  ==========================================  ===================================================
"""

import functools
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from psychopy import logging
from psychopy.clock import Timestamp
from psychopy.data import ExperimentHandler, Routine, TrialHandler2

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.clock import host_ns_from_psychopy

__all__ = ["Mirror"]

ENDINGS = (".started", ".stopped")
TRIAL_COLUMN = "thisRow.t"
NUMBERS = ("thisN", "thisTrialN", "totalTrials")
"""Where a loop counts its trials from 0: trial handlers, staircases, interleaved staircases."""
NEAR_NS = 100_000_000
"""A plain number as near as this to now, read on the default clock, is a time on it: sounds start at the next flip."""

_running = []
_taps = {}


@dataclass
class _Trial:
    loop: Any
    number: int | None
    conditions: Any
    begun_ns: int
    is_sent: bool = False


class Mirror:
    """Sends what an ExperimentHandler stamps; made by :meth:`.NeonEvents.mirror`.

    What PsychoPy does and saves is the same with and without it.

    Attributes
    ----------
    exp : psychopy.data.ExperimentHandler
    isRunning : bool
    """

    def __init__(self, events, exp, only=None, conditions=(), components=True):
        if not isinstance(exp, ExperimentHandler):
            raise ConfigurationError(
                "exp", exp, "a psychopy.data.ExperimentHandler, thisExp in a script of the Builder"
            )
        self.exp = exp
        self._events = events
        self._isWanted = _filter(only)
        self._conditions = _names("conditions", conditions)
        self._hasComponents = components
        self._routines = set()
        self._trials = {}
        for other in [each for each in _running if each.exp is exp and each._events.neon is events.neon]:
            other.stop()
            self._trials, self._routines = other._trials, other._routines
        _running.append(self)
        _install()

    @property
    def isRunning(self):
        return self in _running

    def stop(self):
        """Send no more, and leave PsychoPy as it was. Idempotent. What waits for a flip is still sent with it."""
        if self in _running:
            _running.remove(self)
        if not _running:
            _uninstall()

    def take(self, method, called_ns, *args, **kwargs):
        """One call of a method of the ExperimentHandler, which began at ``called_ns``."""
        self._events.attempt(f"what PsychoPy told by {method}", getattr(self, f"_{method}"), called_ns, *args, **kwargs)

    def noteRoutine(self, name):
        """A routine of this name is going to start."""
        self._routines.add(name)

    # What PsychoPy calls

    def _timestampOnFlip(self, called_ns, win, name, format=float):
        loop = self.exp.getCurrentLoop(isTrials=False)
        if name == TRIAL_COLUMN and loop is not self.exp:
            self._turn(loop, called_ns)
        for trial in self._trials.values():
            if not trial.is_sent:
                trial.is_sent = True
                self._sendOnFlip(win, self._started(trial))
        if self._isStamp(name):
            self._sendOnFlip(win, name)

    def _addData(self, called_ns, name, value, row=None, priority=None):
        # An older row is filled in later: what it tells does not happen now.
        if row is None and self._isStamp(name) and not _is_placeholder(value):
            self._send(name, _host_ns_of_value(name, value, called_ns))

    def _updateEntryFromLoop(self, called_ns, thisLoop):
        # Handlers of trials call it when they turn; PsychoPy itself at the end of a row, for loops of every kind.
        if isinstance(thisLoop, TrialHandler2):
            self._turn(thisLoop, called_ns)

    def _loopEnded(self, called_ns, loopHandler):
        self._leave(loopHandler, called_ns)

    def _isStamp(self, name):
        stem, dot, ending = name.rpartition(".")
        return dot + ending in ENDINGS and (self._hasComponents or stem in self._routines)

    # Trials

    def _turn(self, loop, now_ns):
        """The loop is at its next trial, unless it is a handler of trials that is at the same still."""
        known = self._trials.get(id(loop))
        conditions = getattr(loop, "thisTrial", None)
        if known is not None and isinstance(loop, TrialHandler2) and known.conditions is conditions:
            return
        self._leave(loop, now_ns)
        number = next((getattr(loop, each) for each in NUMBERS if hasattr(loop, each)), None)
        self._trials[id(loop)] = _Trial(loop, number, conditions, now_ns)

    def _leave(self, loop, now_ns):
        trial = self._trials.pop(id(loop), None)
        if trial is None or (not trial.is_sent and getattr(trial.conditions, "skipped", False)):
            return
        if not trial.is_sent:  # no flip was stamped in it
            self._send(self._started(trial), trial.begun_ns)
        self._send(f"{loop.name}.stopped {trial.number}", now_ns)

    def _started(self, trial):
        name = f"{trial.loop.name}.started {trial.number}"
        shown = {each: trial.conditions[each] for each in self._conditions if each in (trial.conditions or ())}
        return f"{name} {json.dumps(shown, ensure_ascii=False, default=_plain)}" if shown else name

    # Events

    def _send(self, name, at_ns):
        if self._isWanted(name):
            self._events.sendAt(name, at_ns)

    def _sendOnFlip(self, win, name):
        if self._isWanted(name):
            self._events.sendEventOnFlip(win, name)


def _host_ns_of_value(name, value, called_ns):
    """Host time that a value of ``addData`` tells, ns; the moment of the call if it tells none.

    A ``Timestamp`` says of which clock it is. A plain number does not, and may be a routine's own time.
    """
    try:
        host_ns = host_ns_from_psychopy(value)
    except ConfigurationError:
        host_ns = None
    if host_ns is not None and (isinstance(value, Timestamp) or abs(host_ns - called_ns) <= NEAR_NS):
        return host_ns
    logging.exp(f"Neon: event {name!r} has the time of the call: {value!r} is no time of PsychoPy's default clock now")
    return called_ns


def _is_placeholder(value):
    return value is None or (isinstance(value, str) and not value) or (isinstance(value, float) and math.isnan(value))


def _filter(only):
    if only is None:
        return lambda name: True
    if callable(only):
        return only
    patterns = _names("only", only)
    return lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)


def _names(setting, value):
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(each, str) for each in names):
        raise ConfigurationError(setting, value, "a text or several")
    return names


def _plain(value):
    """What JSON does not know: numbers of numpy as numbers, the rest as text."""
    return value.item() if hasattr(value, "item") else str(value)


# Listening in. Methods of the instance would be saved with it in the .psydat file, so those of the class are replaced.


def _install():
    if "__init__" not in _taps:
        _taps["__init__"] = _noting(Routine.__init__)
        Routine.__init__ = _taps["__init__"]
    for name in ("timestampOnFlip", "addData", "updateEntryFromLoop", "loopEnded"):
        if name not in _taps:
            _taps[name] = _tapped(name, getattr(ExperimentHandler, name))
            setattr(ExperimentHandler, name, _taps[name])


def _uninstall():
    for name, tap in list(_taps.items()):
        owner = Routine if name == "__init__" else ExperimentHandler
        # Where somebody else has replaced ours since, it stays below theirs and passes everything on.
        if getattr(owner, name) is tap:
            setattr(owner, name, tap.__wrapped__)
            del _taps[name]


def _tapped(name, original):
    @functools.wraps(original)
    def method(self, *args, **kwargs):
        called_ns = time.perf_counter_ns()
        result = original(self, *args, **kwargs)
        for mirror in tuple(_running):
            if mirror.exp is self:
                mirror.take(name, called_ns, *args, **kwargs)
        return result

    return method


def _noting(original):
    """A routine's name, which scripts of the Builder give to an object made before the first stamp."""

    @functools.wraps(original)
    def method(self, name, *args, **kwargs):
        for mirror in tuple(_running):
            mirror.noteRoutine(name)
        original(self, name, *args, **kwargs)

    return method

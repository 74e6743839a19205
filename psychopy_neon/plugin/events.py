"""Events of the Neon recording, stamped with PsychoPy's times: above all with the flip that showed the stimulus."""

import threading
import time as host
from collections import deque

from psychopy import logging

from psychopy_neon.errors import ConfigurationError, NeonTimeoutError
from psychopy_neon.plugin.clock import host_ns_from_psychopy, host_ns_of_flip
from psychopy_neon.plugin.mirror import Mirror

__all__ = ["FlipEvent", "NeonEvents"]

FAILURES_KEPT = 100


class NeonEvents:
    """Sends events to a Neon with the times of PsychoPy.

    Parameters
    ----------
    neon : Neon
        Or anything else with ``send_event(name, at_ns)``, which takes host time in ns and returns at once.

    Attributes
    ----------
    sent : int
        Events that were handed to the Neon.
    waiting : int
        Events whose flip has not come yet. They are never sent if it does not come: a closed window flips no more.
    restamped : int
        Events whose flip time could not be used, because another function that ran at the same flip before ours set
        PsychoPy's clock: they have the time right after the flip instead.
    failed : int
        Events that could not be handed over in a flip or by a mirror. No error is raised there, since a missing event
        must not end an experiment: each is written to PsychoPy's log as an error, and :meth:`check` raises it.

    Notes
    -----
    Thread: the one that flips the window.
    """

    def __init__(self, neon):
        self.neon = neon
        self.sent = self.waiting = self.restamped = self.failed = 0
        self._failures = deque(maxlen=FAILURES_KEPT)

    def sendEvent(self, name, time=None, clock=None):
        """Send an event now; never waits.

        Parameters
        ----------
        name : str
        time : float, optional
            When it happened, seconds on ``clock``: what ``win.flip()`` or ``clock.getTime()`` returned. Default: now.
        clock : psychopy.clock.MonotonicClock, optional
            Default: ``psychopy.logging.defaultClock``, on which flips and the log are timed.

        Returns
        -------
        PendingEvent
            What ``neon.send_event`` returns; its ``wait()`` gives the event as the device confirmed it.

        Raises
        ------
        ConfigurationError
            The name or the time cannot be used; a time that was read before the clock was set (by a reset, a pause or
            ioHub's ``syncClock``) is refused where PsychoPy tells it.
        NeonError
            Whatever ``neon.send_event`` raises, for example that the clock of the device is not known yet.
        """
        return self.sendAt(name, None if time is None else host_ns_from_psychopy(time, clock))

    def sendAt(self, name, host_ns):
        """:meth:`sendEvent` with a host time, ns; None: now."""
        pending = self.neon.send_event(name, host_ns)
        self.sent += 1
        return pending

    def sendEventOnFlip(self, win, name):
        """Send an event at the next flip of a window, with the time of that flip.

        Call it before ``win.flip()``, where the stimulus is drawn for the first time.

        Parameters
        ----------
        win : psychopy.visual.Window
        name : str
            At least one character.

        Returns
        -------
        FlipEvent
            Waits, if asked, for the flip and then for the device.

        Raises
        ------
        ConfigurationError
            The name is empty, or the window closed.
        """
        if not isinstance(name, str) or not name:
            raise ConfigurationError("name", name, "a text with at least one character")
        if win._closed:
            raise ConfigurationError("win", win.name, "an open window")
        event = FlipEvent(name)
        win.callOnFlip(self._flipped, win, event)
        self.waiting += 1
        return event

    def mirror(self, exp, only=None, conditions=(), components=True):
        """Make what PsychoPy stamps an event of the recording: stimuli, routines and trials, from now on.

        Parameters
        ----------
        exp : psychopy.data.ExperimentHandler
            ``thisExp`` in a script of the Builder.
        only : callable, str or list of str, optional
            Which events: a function that takes a name and says True or False, or patterns (``"trials.*"``, of which one
            has to fit). Default: all.
        conditions : list of str
            Columns of the conditions that the name of a trial's start shall show.
        components : bool
            Whether routines and trials have company: stimuli and all else that stands in a routine.

        Returns
        -------
        Mirror
            Its ``stop()`` ends it. A second call for the same experiment and Neon replaces the first.

        Raises
        ------
        ConfigurationError
            ``exp`` is no ExperimentHandler, or ``only`` and ``conditions`` cannot be used.
        """
        return Mirror(self, exp, only, conditions, components)

    def check(self):
        """Raise the oldest failure that has not been raised yet, if there is one."""
        if self._failures:
            raise self._failures.popleft()

    def attempt(self, what, act, *args, **kwargs):
        """Call ``act``; what it raises is kept, logged and counted. Returns that error, or None.

        PsychoPy calls all functions of a flip again at the next one if one of them raises, and a script of the Builder
        has nobody who would catch an error. So every kind is stopped here.
        """
        try:
            act(*args, **kwargs)
        except Exception as error:
            self.failed += 1
            self._failures.append(error)
            logging.error(f"Neon: {what} was not sent: {error}")
            return error
        return None

    def _flipped(self, win, event):
        called_ns = host.perf_counter_ns()
        self.waiting -= 1
        event.settle(self.attempt(f"event {event.name!r}", self._sendWithFlip, win, event, called_ns))

    def _sendWithFlip(self, win, event, called_ns):
        try:
            event.host_ns = host_ns_of_flip(win)
        except ConfigurationError:
            event.host_ns = called_ns
            self.restamped += 1
            logging.warning(
                f"Neon: PsychoPy's clock was set in the flip of event {event.name!r}: it has the time after"
            )
        event.pending = self.sendAt(event.name, event.host_ns)


class FlipEvent:
    """An event that is sent at a flip.

    Attributes
    ----------
    name : str
    host_ns : int or None
        Host time of the flip, ns; None until then.
    pending : PendingEvent or None
        What ``neon.send_event`` returned; None until the flip, and when it failed.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, name):
        self.name = name
        self.host_ns = None
        self.pending = None
        self._error = None
        self._hasFlipped = threading.Event()

    @property
    def is_done(self):
        """Whether the device has answered, or the event was given up."""
        return self._error is not None or (self.pending is not None and self.pending.is_done)

    @property
    def error(self):
        """Why it failed; None as long as it has not."""
        return self._error if self.pending is None else self.pending.error

    def wait(self, timeout_s=2.0):
        """The event as the device confirmed it.

        Raises
        ------
        NeonTimeoutError
            No flip yet, or no answer.
        NeonError
            It could not be sent or delivered; says why.
        """
        end = host.monotonic() + timeout_s
        if not self._hasFlipped.wait(timeout_s):
            raise NeonTimeoutError(f"flip of event {self.name!r}", timeout_s, "call win.flip() before")
        if self._error is not None:
            raise self._error
        return self.pending.wait(max(end - host.monotonic(), 0.0))

    def settle(self, error):
        """The flip has come."""
        self._error = error
        self._hasFlipped.set()

"""Host time (``time.perf_counter_ns()``) to PsychoPy's seconds and back.

PsychoPy's clocks count from their last reset on a time base that depends on the computer and on what is installed:
the same counter as host time, or another one. So no offset is kept: each conversion reads both clocks at once, which
takes some microseconds and survives a reset of the PsychoPy clock. The result belongs to the clock as it is set *now*:
a time that was read before a reset cannot be converted after it, and is refused where PsychoPy says when it was read
(the ``Timestamp`` of ``clock.getTime()`` and ``win.flip()`` does, a plain number does not).
"""

import math
import numbers
import time

from psychopy import core, logging

from psychopy_neon.errors import ConfigurationError

__all__ = ["host_ns_from_psychopy", "host_ns_of_flip", "psychopy_from_host_s"]

READINGS = 5
"""The closest bracket of so many counts: a thread can lose the processor inside one."""


def psychopy_from_host_s(host_ns, clock=None):
    """Host time to seconds on a PsychoPy clock.

    Parameters
    ----------
    host_ns : int
        ``time.perf_counter_ns()`` time, as in ``GazeSample.host_ns``.
    clock : psychopy.clock.MonotonicClock, optional
        Any clock that counts up. Default: ``psychopy.logging.defaultClock``, which is what ``core.getTime()`` and the
        log show and what ``win.flip()`` returns, unless somebody has replaced it.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ConfigurationError
        A clock that counts down.
    """
    pair_ns, pair_s = _read_both(_chosen(clock))
    return pair_s + (host_ns - pair_ns) * 1e-9


def host_ns_from_psychopy(seconds, clock=None):
    """Seconds on a PsychoPy clock to host time, ns; the inverse of :func:`psychopy_from_host_s`.

    Raises
    ------
    ConfigurationError
        A clock that counts down, what is no number of seconds, or a ``Timestamp`` of another clock or from before the
        clock was set (by a reset, a pause or ioHub's ``syncClock``).
    """
    clock = _chosen(clock)
    from_zero_s = _checked(seconds, clock)
    pair_ns, pair_s = _read_both(clock)
    return pair_ns + round((from_zero_s - pair_s) * 1e9)


def host_ns_of_flip(win):
    """Host time, ns, of the window's last flip.

    PsychoPy notes it on its default clock when the graphics driver has taken the frame (``win.flip()`` returns the same
    number, but only if ``win.waitBlanking``). Ask before that clock is set again.

    Raises
    ------
    ConfigurationError
        The window has never been flipped, or the clock was set since.
    """
    if not win._frameTimes:
        raise ConfigurationError("win", win.name, "a window that has been flipped")
    return host_ns_from_psychopy(win._frameTimes[-1], logging.defaultClock)


def _chosen(clock):
    clock = clock if clock is not None else logging.defaultClock
    if isinstance(clock, core.CountdownTimer):
        raise ConfigurationError("clock", type(clock).__name__, "a clock that counts up")
    return clock


def _checked(seconds, clock):
    """Seconds as a float, provided that they count from the zero that the clock has now."""
    if not isinstance(seconds, numbers.Real) or isinstance(seconds, bool) or not math.isfinite(seconds):
        raise ConfigurationError("time", seconds, "seconds on a PsychoPy clock")
    # A Timestamp carries the wall time of its clock's zero; every way of setting a clock changes that.
    zero_then = getattr(seconds, "lastReset", None)
    zero_now = getattr(clock, "_epochTimeAtLastReset", None)
    if None not in (zero_then, zero_now) and zero_then != zero_now:
        allowed = "a time of this clock that was read since it was last set (by a reset, a pause or ioHub's syncClock)"
        raise ConfigurationError("time", float(seconds), allowed)
    return float(seconds)


def _read_both(clock):
    """Host ns and seconds of one moment."""
    brackets = []
    for _ in range(READINGS):
        before_ns = time.perf_counter_ns()
        seconds = float(clock.getTime())
        after_ns = time.perf_counter_ns()
        brackets.append((after_ns - before_ns, (before_ns + after_ns) // 2, seconds))
    _, middle_ns, seconds = min(brackets)
    return middle_ns, seconds

"""Who receives a stream, and the even pace at which it is made."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.sender import RtpSender

__all__ = ["Audience", "Pacer", "Receivers"]

_NAP_S = 0.05
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Audience:
    """The sessions that receive a stream at one moment, and how many ever began to."""

    senders: tuple[RtpSender, ...]
    arrivals: int

    def send(self, parts: Sequence[tuple[bytes, bool]], uptime_ns: int, number: int) -> int | None:
        """Send the packets of one datum or picture to all; when, as :meth:`.RtpSender.send` tells it."""
        sent_ns = None
        for sender in self.senders:
            sent_ns = sender.send(parts, uptime_ns, number) or sent_ns
        return sent_ns


class Receivers:
    """The sessions that receive one stream; any thread may ask and change."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._senders: tuple[RtpSender, ...] = ()
        self._arrivals = 0
        self._is_muted = False
        self._is_closed = False

    def add(self, sender: RtpSender) -> None:
        """A session begins, or goes on, to receive."""
        with self._condition:
            if sender not in self._senders:
                self._senders += (sender,)
                self._arrivals += 1
                self._condition.notify_all()

    def discard(self, sender: RtpSender) -> None:
        """A session does not receive any more."""
        with self._condition:
            self._senders = tuple(each for each in self._senders if each is not sender)

    def mute(self, is_muted: bool) -> None:
        """Fall silent with all connections open, or speak again."""
        with self._condition:
            self._is_muted = is_muted
            if not is_muted:
                # Nothing has been sent in between, so a video needs a key frame.
                self._arrivals += 1
                self._condition.notify_all()

    def close(self) -> None:
        """Nobody receives any more, for good."""
        with self._condition:
            self._is_closed = True
            self._senders = ()
            self._condition.notify_all()

    @property
    def is_active(self) -> bool:
        """Whether anybody has a session, muted or not."""
        return bool(self._senders)

    def audience(self) -> Audience:
        """Who receives now; nobody while muted."""
        with self._condition:
            return Audience(() if self._is_muted else self._senders, self._arrivals)

    def wait(self) -> bool:
        """Wait until somebody receives; False: closed, nobody ever will. Ends with :meth:`close` at the latest."""
        with self._condition:
            while not self._is_closed and (self._is_muted or not self._senders):
                self._condition.wait()
            return not self._is_closed


class Pacer:
    """A thread that makes a stream, one call at every multiple of the period on the phone's monotonic clock.

    Deadlines are absolute, so a late call does not move the ones after it. Nothing is made while nobody receives.

    Parameters
    ----------
    name
        Of the thread.
    rate_hz
        Calls per second of the phone's clock.
    clock
        The phone's clock.
    receivers
        Who receives.
    produce
        Called with the time that the call was meant for (monotonic clock, ns) and the audience.
    failed
        Called with the error that ended the thread.
    max_late_s
        Calls later than this are left out instead of made up for.
    niceness
        How far the thread steps back for others, 0 to 19; Linux only, elsewhere threads have no such number.
    """

    def __init__(
        self,
        name: str,
        rate_hz: float,
        clock: PhoneClock,
        receivers: Receivers,
        produce: Callable[[int, Audience], None],
        failed: Callable[[Exception], None],
        max_late_s: float,
        niceness: int = 0,
    ) -> None:
        self._rate_hz = rate_hz
        self._clock = clock
        self._receivers = receivers
        self._produce = produce
        self._failed = failed
        self._max_late_ns = round(max_late_s * 1e9)
        self._niceness = niceness
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._is_closed = True
        self._receivers.close()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        if self._niceness and sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, 0, self._niceness)  # 0 is the calling thread
        try:
            while self._receivers.wait() and not self._is_closed:
                self._pace()
        except Exception as error:  # whatever it is, it ends the thread, and whoever runs the simulator must know
            self._failed(error)

    def _pace(self) -> None:
        number = self._number_now()
        while True:
            number = max(number + 1, self._number_now(self._max_late_ns))
            due_ns = round(number * 1e9 / self._rate_hz)
            self._sleep_until(self._clock.host_ns_of_uptime(due_ns))
            audience = self._receivers.audience()
            if not audience.senders or self._is_closed:
                return
            self._produce(due_ns, audience)

    def _number_now(self, ago_ns: int = 0) -> int:
        """Number of the last multiple of the period."""
        return int((self._clock.uptime_ns(time.perf_counter_ns()) - ago_ns) * self._rate_hz / 1e9)

    def _sleep_until(self, host_ns: int) -> None:
        # time.sleep wakes to a fraction of a millisecond, where waiting for an event may not (Windows: 16 ms).
        while not self._is_closed and (rest_ns := host_ns - time.perf_counter_ns()) > 0:
            time.sleep(min(rest_ns / 1e9, _NAP_S))  # in naps, so that close() is noticed

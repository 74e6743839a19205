"""What a caller of the outbox holds: the answer to one request, now or later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, TypeAlias

from psychopy_neon.errors import NeonError, NeonTimeoutError
from psychopy_neon.samples import Event

__all__ = ["Action", "EventState", "PendingAnswer", "PendingCommand", "PendingEvent"]

Action: TypeAlias = Literal["start", "stop_and_save", "cancel"]


class EventState(Enum):
    """What is known about an event's way to the device; the value stands in journals."""

    WAITING = "waiting"
    """It is certainly not on the device yet."""
    UNSURE = "unsure"
    """It was sent and no answer came: it may be on the device."""
    CONFIRMED = "confirmed"
    """The device has it: it answered, or told so by its websocket."""
    REFUSED = "refused"
    """The device said no."""


class PendingAnswer:
    """The device's answer to one request, now or later.

    Parameters
    ----------
    number : int
        Counts the requests of its outbox.
    changed : threading.Condition
        Told whenever an answer is settled; one for all answers, since making one for each would take longer than all
        else that a call does.
    """

    # Shared by all until they change: an event is made in the middle of a frame, so little is to be done for it then.
    _is_done = False
    _result: Any = None
    _error: NeonError | None = None

    def __init__(self, number: int, changed: threading.Condition) -> None:
        self.number = number
        self._changed = changed

    @property
    def what(self) -> str:
        """For error messages."""
        return f"request {self.number}"

    @property
    def is_done(self) -> bool:
        """Whether it is settled: the device has answered, or the request was given up."""
        return self._is_done

    @property
    def error(self) -> NeonError | None:
        """Why it failed; None as long as it has not."""
        return self._error

    def settle(self, result: Any = None, error: NeonError | None = None) -> None:
        """Give the answer to whoever waits for it."""
        with self._changed:
            self._result, self._error, self._is_done = result, error, True
            self._changed.notify_all()

    def result(self, timeout_s: float) -> Any:
        """The answer; raises what went wrong, or ``NeonTimeoutError``."""
        with self._changed:
            is_done = self._changed.wait_for(lambda: self._is_done, timeout_s)
        if not is_done:
            raise NeonTimeoutError(self.what, timeout_s, self._when_late())
        if self._error is not None:
            raise self._error
        return self._result

    def _when_late(self) -> str:
        return "is the device still there? See neon.status"


class PendingEvent(PendingAnswer):
    """An event on its way."""

    device_ns: int | None = None
    """Unix ns on the phone's clock, frozen at the first attempt; None before it, or if the device stamps."""
    bound_ns: int | None = None
    """``device_ns`` is off by at most this; None as long as that is."""
    state = EventState.WAITING
    """What is known about it."""
    is_attempted = False
    is_journalled_elsewhere = False

    def __init__(self, number: int, name: str, host_ns: int | None, changed: threading.Condition) -> None:
        self.number = number
        self._changed = changed
        self.name = name
        """As it was sent."""
        self.host_ns = host_ns
        """Host clock of the event; None: the device stamps its arrival."""

    @property
    def what(self) -> str:
        """For error messages."""
        return f"event {self.name!r}"

    def wait(self, timeout_s: float = 2.0) -> Event:
        """The event as the device confirmed it.

        Raises
        ------
        NeonTimeoutError
            No answer yet; it goes on being tried.
        NeonError
            It could not be delivered; says why.
        """
        event: Event = self.result(timeout_s)
        return event

    def _when_late(self) -> str:
        return f"the event is {self.state.value} and is still being delivered; is the device there? See neon.status"


class PendingCommand(PendingAnswer):
    """A recording command on its way; unlike an event it is not carried out after its caller gave up.

    ``count_waiting`` tells how many other requests are not settled.
    """

    def __init__(
        self, number: int, action: Action, changed: threading.Condition, count_waiting: Callable[[], int]
    ) -> None:
        super().__init__(number, changed)
        self.action: Action = action
        self._count_waiting = count_waiting
        self._was_sent = False  # guarded by _changed
        self._is_given_up = False  # guarded by _changed

    @property
    def what(self) -> str:
        """For error messages."""
        return f"recording:{self.action}"

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._is_given_up

    def may_be_sent(self) -> bool:
        """Called right before each attempt: False once the caller gave up."""
        with self._changed:
            if not self._is_given_up:
                self._was_sent = True
            return not self._is_given_up

    def was_not_sent(self) -> None:
        """The attempt certainly did not reach the device."""
        with self._changed:
            self._was_sent = False

    def result(self, timeout_s: float) -> Any:
        """As :meth:`PendingAnswer.result`; whatever ends the waiting withdraws the command if it was not sent yet."""
        try:
            return super().result(timeout_s)
        finally:
            with self._changed:
                self._is_given_up = True

    def _when_late(self) -> str:
        with self._changed:
            self._is_given_up = True
            if self._was_sent:
                return "it was sent and not answered: whether it was carried out is not known, see neon.status"
        count = self._count_waiting()
        what = f"{count} event(s) still wait to be confirmed before it" if count else "the device could not be reached"
        return f"{what}; the command was withdrawn and will not be carried out later"

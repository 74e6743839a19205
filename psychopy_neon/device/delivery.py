"""Sends one event or one recording command until it is settled; the outbox says which.

======================================  =======================  ================================================
what came of an attempt                 an event                 a recording command
======================================  =======================  ================================================
the answer                              confirmed                done
4xx, or 500: the app's own refusal      refused                  refused (unless an attempt before got no answer)
no connection, 503, 429                 tried again              tried again while its caller waits
sent and no answer, any other answer    unsure: the websocket    the device's status tells whether it was
                                        may settle it, else      carried out; tried again only if it was not
                                        tried again
======================================  =======================  ================================================

The app refuses with 500 and its reason in the JSON; the same request would be refused again. 503 comes from the web
server before the app has looked, so it says nothing about the request. An answer that is not the app's (a router's
page) says nothing either.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from psychopy_neon.device.pending import Action, EventState, PendingCommand, PendingEvent
from psychopy_neon.device.rest import NOT_CARRIED_OUT, RestClient
from psychopy_neon.device.status_feed import StatusBoard
from psychopy_neon.errors import (
    ClockNotReadyError,
    NeonError,
    RecordingRefusedError,
    RemoteProtocolError,
    RequestRefusedError,
)
from psychopy_neon.samples import Event
from psychopy_neon.wire.status import DeviceEvent, parse_status

__all__ = ["CommandDelivery", "EventDelivery", "Patience", "Settle"]

FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 2.0
GRACE_S = 0.5
"""For the websocket to tell of what got no answer, and for the device to do what it was told before it is asked."""
UNANSWERED_LIMIT = 5
"""Attempts of one event without an answer, while the device answers other questions, until the next has its turn."""
SHORTEST_LIMIT_S = 0.2
_WORDS = {"start": "START", "stop_and_save": "SAVE", "cancel": "DISCARD"}

_log = logging.getLogger("psychopy_neon")


class Settle(Protocol):
    """Has the outcome written to the journal, then settles the answer with it."""

    def __call__(
        self,
        answer: PendingEvent | PendingCommand,
        state: str,
        result: Any = None,
        error: NeonError | None = None,
        **fields: Any,
    ) -> None: ...


class Patience:
    """How long to go on trying: for ever, until :meth:`limit` is called.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._is_limited = threading.Event()
        self._end_s: float | None = None

    def limit(self) -> None:
        """From now on, no longer than one request may take; a second call changes nothing."""
        if self._end_s is None:
            self._end_s = time.monotonic() + self._rest.limit_s
        self._is_limited.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be tried."""
        return self._end_s is not None and time.monotonic() >= self._end_s

    def has_time(self) -> bool:
        """Asked before each request, which is then allowed what time is left; False: nothing more is to be tried."""
        if self._end_s is not None:
            self._rest.limit_s = max(self._end_s - time.monotonic(), SHORTEST_LIMIT_S)
        return not self.is_over

    def pause(self, seconds: float) -> bool:
        """Wait before the next try; False: there is to be none."""
        if not self._is_limited.wait(seconds) or self._end_s is None:
            return True
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            return False
        time.sleep(min(seconds, left_s, FIRST_PAUSE_S))  # a device that cannot be reached is not to be asked non-stop
        return True


def _pauses() -> Iterator[float]:
    for power in itertools.count():
        yield min(FIRST_PAUSE_S * 2**power, MAX_PAUSE_S)


class EventDelivery:
    """Delivers events, one after the other.

    Parameters
    ----------
    rest, patience, settle
        Of the outbox.
    freeze : callable
        Gives the event its device time and returns once the journal has it; called before the first attempt.
    note : callable
        Told what a failed attempt said, None for one that did not fail.
    """

    def __init__(
        self,
        rest: RestClient,
        patience: Patience,
        settle: Settle,
        freeze: Callable[[PendingEvent], None],
        note: Callable[[NeonError | None], None],
    ) -> None:
        self._rest = rest
        self._patience = patience
        self._settle = settle
        self._freeze = freeze
        self._note = note
        self._current: PendingEvent | None = None
        self._heard: DeviceEvent | None = None
        self._has_heard = threading.Event()
        self.repeated_count = 0
        """Attempts after one that may have reached the device."""

    def hear(self, heard: DeviceEvent) -> None:
        """The device says by websocket that it took an event; any thread."""
        current = self._current
        # Without a time of its own (the device stamps) an event cannot be told from another of its name.
        if current is None or current.device_ns is None:
            return
        if (heard.name, heard.timestamp) == (current.name, current.device_ns):
            self._heard = heard
            self._has_heard.set()

    def deliver(self, event: PendingEvent) -> None:
        """Try until it is settled, or until patience is over: then it stays as it is."""
        self._has_heard.clear()
        self._current = event
        pauses, unanswered = _pauses(), 0
        while self._patience.has_time():
            if event.state is EventState.UNSURE:
                self.repeated_count += 1
            error, may_be_there = self._try(event)
            self._note(error)
            if error is None:
                return
            if may_be_there:
                unanswered += 1
                event.state = EventState.UNSURE
                self._has_heard.wait(GRACE_S)
            if self._settle_as_heard(event):
                return
            if may_be_there and self._is_hopeless(event, unanswered):
                self._settle(event, EventState.UNSURE.value, error=error, reason=str(error))
                return
            if not self._patience.pause(next(pauses)):
                return
            if self._settle_as_heard(event):  # the websocket may have been slower than the grace
                return

    def _try(self, event: PendingEvent) -> tuple[NeonError | None, bool]:
        """One attempt: what went wrong, if it is to be tried again, and whether the device may have the event."""
        if not event.is_attempted:
            try:
                self._freeze(event)
            except ClockNotReadyError as error:
                return error, False
        body: dict[str, Any] = {"name": event.name}
        if event.device_ns is not None:
            body["timestamp"] = event.device_ns
        try:
            result = self._rest.post("/api/event", body)
        except RequestRefusedError as error:
            if _is_final(error):
                self._settle(event, EventState.REFUSED.value, error=error, reason=error.reason)
                return None, False
            return error, self._rest.was_sent
        except NeonError as error:
            return error, self._rest.was_sent
        self._read(event, result)
        return None, False

    def _read(self, event: PendingEvent, result: Any) -> None:
        timestamp = result.get("timestamp") if isinstance(result, dict) else None
        if type(timestamp) is int:
            recording_id = result.get("recording_id")
            self._confirm(event, timestamp, recording_id if isinstance(recording_id, str) else None, "answer")
            return
        # It says that all is well, and would say so again: nothing is gained by asking twice.
        error = RemoteProtocolError("POST /api/event", f"no timestamp in the answer: {str(result)[:100]}")
        self._settle(event, EventState.UNSURE.value, error=error, reason=str(error))

    def _settle_as_heard(self, event: PendingEvent) -> bool:
        heard = self._heard
        if heard is None or event.device_ns is None:
            return False
        # What was heard last may be of the event before, told a moment late.
        if (heard.name, heard.timestamp) != (event.name, event.device_ns):
            return False
        self._confirm(event, event.device_ns, heard.recording_id, "websocket")
        return True

    def _is_hopeless(self, event: PendingEvent, unanswered: int) -> bool:
        """Whether repeating an event without an answer is wrong, or is at the cost of all others for nothing."""
        if event.host_ns is None:
            return True  # the device would stamp it again: another event
        if unanswered % UNANSWERED_LIMIT:
            return False
        with contextlib.suppress(NeonError):
            self._rest.get("/api/status")
            return True
        return False

    def _confirm(self, event: PendingEvent, device_ns: int, recording_id: str | None, by: str) -> None:
        result = Event(event.name, device_ns, recording_id, event.host_ns, event.bound_ns)
        fields = {"device_ns": device_ns, "recording_id": recording_id, "by": by}
        self._settle(event, EventState.CONFIRMED.value, result, None, **fields)


class CommandDelivery:
    """Delivers recording commands; parameters as for :class:`EventDelivery`."""

    def __init__(
        self,
        rest: RestClient,
        patience: Patience,
        settle: Settle,
        board: StatusBoard,
        note: Callable[[NeonError | None], None],
    ) -> None:
        self._rest = rest
        self._patience = patience
        self._settle = settle
        self._board = board
        self._note = note

    def deliver(self, command: PendingCommand) -> None:
        """Try until it is settled, its caller gives up, or patience is over."""
        id_before = self._board.recording_id
        is_unsure = False
        error: NeonError = NeonError(f"recording:{command.action} was not sent any more")
        for pause_s in _pauses():
            if not self._patience.has_time() or not command.may_be_sent():
                break
            try:
                result = self._rest.post(f"/api/recording:{command.action}")
            except NeonError as caught:
                error = caught
            else:
                self._note(None)
                self._take_answer(command, result)
                return
            is_refused = isinstance(error, RequestRefusedError) and _is_final(error)
            self._note(None if is_refused else error)
            if is_unsure or (self._rest.was_sent and not is_refused):
                is_unsure = True
                was_carried_out = self._find_out(command, id_before)
                if was_carried_out is None:
                    self._settle(command, "unsure", error=error, reason=str(error))
                if was_carried_out is not False:
                    return
            if is_refused:
                self._refuse(command, error)
                return
            command.was_not_sent()
            if not self._patience.pause(pause_s):
                break
        self._settle(command, "withdrawn", error=error, reason=str(error))

    def _find_out(self, command: PendingCommand, id_before: str | None) -> bool | None:
        """Whether a command without an answer was carried out, and if so settle it; None: it cannot be known."""
        end_s = None
        for pause_s in _pauses():
            if command.is_given_up or not self._patience.has_time():
                return None
            try:
                recording = parse_status(self._rest.get("/api/status")).recording
            except NeonError as error:
                self._note(error)
                end_s = None
            else:
                # The status names a recording only while it runs.
                running_id = recording.id if recording is not None and recording.action == "START" else None
                if _was_carried_out(command.action, id_before, running_id):
                    self._done(command, running_id if command.action == "start" else None, by="status")
                    return True
                end_s = end_s or time.monotonic() + GRACE_S
                if time.monotonic() >= end_s:
                    return False
            if not self._patience.pause(pause_s):
                return None
        return None

    def _take_answer(self, command: PendingCommand, result: Any) -> None:
        recording_id = result.get("id") if isinstance(result, dict) else None
        if command.action != "start":
            self._done(command, None, by="answer")
        elif isinstance(recording_id, str):
            self._done(command, recording_id, by="answer")
        else:
            error = RemoteProtocolError("POST /api/recording:start", f"no id in the answer: {str(result)[:100]}")
            self._settle(command, "unsure", error=error, reason=str(error))

    def _done(self, command: PendingCommand, recording_id: str | None, by: str) -> None:
        self._board.note_recording(recording_id, _WORDS[command.action])
        self._settle(command, EventState.CONFIRMED.value, recording_id, None, recording_id=recording_id, by=by)

    def _refuse(self, command: PendingCommand, error: NeonError) -> None:
        if isinstance(error, RequestRefusedError):
            error = RecordingRefusedError(error.method, error.url, error.status, error.reason)
        self._settle(command, EventState.REFUSED.value, error=error, reason=str(error))


def _is_final(error: RequestRefusedError) -> bool:
    """Whether the app itself said no; see the table above."""
    return error.status == 500 or (400 <= error.status < 500 and error.status not in NOT_CARRIED_OUT)


def _was_carried_out(action: Action, id_before: str | None, running_id: str | None) -> bool:
    if action == "start":
        return running_id not in (None, id_before)
    return id_before is not None and running_id != id_before

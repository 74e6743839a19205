"""What is sent to the device: recording commands and events, one after the other, in the order of the calls.

A call hands its request to the journal, whose worker hands it on once it is on disk; the worker here sends it, and the
answer is settled once the journal has that, too::

    send_event() -> journal -> outbox -> device -> outbox -> journal -> PendingEvent.wait()

Nothing is sent before what came before it is settled; :mod:`.delivery` says what settles it.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from psychopy_neon.device.delivery import CommandDelivery, EventDelivery, Patience
from psychopy_neon.device.journal import Make, NoJournal, Record
from psychopy_neon.device.pending import Action, EventState, PendingAnswer, PendingCommand, PendingEvent
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.status_feed import StatusBoard
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import LinkError, NeonError
from psychopy_neon.samples import OutboxHealth
from psychopy_neon.timing.offset import ClockOffset
from psychopy_neon.wire.status import DeviceEvent

__all__ = ["EventState", "Outbox", "PendingAnswer", "PendingCommand", "PendingEvent"]

MAX_WAITING = 100_000
"""Half an hour of an event in every frame; some 50 MB."""
MAX_NAME = 1000
"""Characters: as many of a text as are read from the device's messages."""
SAME_COUNT = 100
SAME_WITHIN_NS = 10_000_000_000
LOOK_S = 1.0
FREEZE_LIMIT_S = 10.0

_log = logging.getLogger("psychopy_neon")


class Outbox:
    """The queue and the worker that empties it.

    Parameters
    ----------
    rest : RestClient
        For this worker alone.
    journal : Journal or NoJournal
        Ends with this.
    board : StatusBoard
        Tells whether a recording runs, and is told when one was started or ended.
    offset_at : callable
        The clock offset at a host time; raises ``ClockNotReadyError``.

    Notes
    -----
    Thread: any. The calls never wait: no disk, no network, and no lock that is held during either.
    """

    def __init__(
        self, rest: RestClient, journal: NoJournal, board: StatusBoard, offset_at: Callable[[int], ClockOffset]
    ) -> None:
        self._rest = rest
        self._journal = journal
        self._board = board
        self._offset_at = offset_at
        self._queue: queue.SimpleQueue[PendingAnswer | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        # Everything not settled, in the order of the calls. Single operations on a dict are atomic: no lock.
        self._open: dict[int, PendingAnswer] = {}
        self._numbers = itertools.count(1)
        self._counts = {EventState.CONFIRMED: 0, EventState.REFUSED: 0, EventState.UNSURE: 0}
        self._dropped = 0
        self._patience = Patience(rest)
        self._events = EventDelivery(rest, self._patience, self._finish, self._freeze, self._note)
        self._commands = CommandDelivery(rest, self._patience, self._finish, board, self._note)
        self._failure: Exception | None = None
        self._trouble: NeonError | None = None
        self._is_over = False
        self._said: set[str] = set()
        self._same: tuple[str, int, int] = ("", 0, 0)

    @property
    def health(self) -> OutboxHealth:
        """What became of the events so far."""
        journal = self._journal
        return OutboxHealth(
            waiting=len(self._open),
            confirmed=self._counts[EventState.CONFIRMED],
            refused=self._counts[EventState.REFUSED],
            unsure=self._counts[EventState.UNSURE],
            repeated=self._events.repeated_count,
            dropped=self._dropped,
            journal=None if journal.path is None else str(journal.path),
            journal_trouble=journal.trouble,
            journal_unwritten=journal.unwritten_count,
        )

    def send_event(self, name: str, host_ns: int | None) -> PendingEvent:
        """Queue an event; without ``host_ns`` the device stamps its arrival."""
        if len(name) > MAX_NAME:
            self._say("long", f"event names are cut to {MAX_NAME} characters; one had {len(name)}")
            name = name[:MAX_NAME]
        event = PendingEvent(next(self._numbers), name, host_ns, self._changed)
        self._accept(event, lambda: self._as_record(event), can_wait=True)
        return event

    def send_again(self, name: str, host_ns: int, device_ns: int, bound_ns: int) -> PendingEvent:
        """Queue an event whose device time was frozen by another run; its own journal has it already."""
        event = PendingEvent(next(self._numbers), name, host_ns, self._changed)
        event.device_ns, event.bound_ns = device_ns, bound_ns
        event.is_attempted = event.is_journalled_elsewhere = True
        self._accept(event, None)
        return event

    def command(self, action: Action) -> PendingCommand:
        """Queue a recording command; its result is the recording's id for ``start``, else None."""
        command = PendingCommand(next(self._numbers), action, self._changed, lambda: len(self._open) - 1)
        self._accept(command, lambda: {"kind": "command", "id": command.number, "action": action})
        return command

    def hear(self, event: DeviceEvent) -> None:
        """The device says by websocket that it took an event."""
        self._events.hear(event)

    def run(self, stop: StopSignal) -> None:
        """Send until told to stop; what was queued before is then still tried, for as long as one request may take."""
        stop.call_when_set(self._hurry)
        try:
            while not self._patience.is_over:
                try:
                    answer = self._queue.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                if answer is None:
                    break
                if isinstance(answer, PendingCommand):
                    self._commands.deliver(answer)
                elif isinstance(answer, PendingEvent):
                    self._warn_about(answer)
                    self._events.deliver(answer)
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._journal.end(self._conclude)
            self._rest.close()

    # From a call to the worker

    def _accept(self, answer: PendingAnswer, make: Make | None, can_wait: bool = False) -> None:
        if len(self._open) >= MAX_WAITING:
            self._dropped += 1
            self._say("full", f"{MAX_WAITING} events wait already: new ones are not taken until some are delivered")
            answer.settle(error=LinkError(str(self._rest.peer), f"{MAX_WAITING} requests wait already"))
            return
        self._open[answer.number] = answer
        self._journal.add(make, lambda: self._queue.put(answer), can_wait)
        if self._is_over:  # nobody looks into the queue any more
            self._settle_rest()

    def _as_record(self, event: PendingEvent) -> Record:
        recording_id = self._board.recording_id
        fields = {"name": event.name, "host_ns": event.host_ns, "recording_id": recording_id}
        return {"kind": "event", "id": event.number, **fields}

    def _hurry(self) -> None:
        """Called once, by whoever stops the worker; the end comes after everything that is still with the journal."""
        self._patience.limit()
        self._journal.add(None, lambda: self._queue.put(None))

    # What the deliveries call

    def _freeze(self, event: PendingEvent) -> None:
        """Decide the device's time of an event for ever."""
        if event.host_ns is not None:
            offset = self._offset_at(event.host_ns)
            event.device_ns, event.bound_ns = offset.device_ns(event.host_ns), offset.bound_at_ns(event.host_ns)
        event.is_attempted = True
        is_written = threading.Event()
        fields = {"id": event.number, "device_ns": event.device_ns, "bound_ns": event.bound_ns}
        self._journal.add(lambda: {"kind": "attempt", **fields}, is_written.set)
        # A disk that hangs must not hang the experiment's events, too.
        is_written.wait(FREEZE_LIMIT_S)

    def _finish(
        self,
        answer: PendingEvent | PendingCommand,
        state: str,
        result: Any = None,
        error: NeonError | None = None,
        **fields: Any,
    ) -> None:
        """Settle an answer once its outcome is in the journal: what a caller has seen confirmed is never sent again."""

        def settle() -> None:
            if self._open.pop(answer.number, None) is None:
                return
            if isinstance(answer, PendingEvent):
                answer.state = EventState(state)
                self._counts[answer.state] += 1
            answer.settle(result, error)

        if error is not None and isinstance(answer, PendingEvent):
            self._say(f"{state} {error}", f"the event {answer.name!r} was not delivered: {error}")
        self._journal.add(lambda: {"kind": "outcome", "id": answer.number, "state": state, **fields}, settle)

    def _note(self, error: NeonError | None) -> None:
        """Say once that the device does not take events, and once that it does again."""
        if error is not None and self._trouble is None:
            _log.warning("events wait, and are tried again: %s", error)
        if error is None and self._trouble is not None:
            _log.warning("the device takes events again; %d wait", len(self._open))
        self._trouble = error

    # The end

    def _conclude(self) -> bool:
        """Settle what is left and say so; called when all that came before is in the journal. Whether to keep that."""
        self._is_over = True
        events = [answer for answer in self._settle_rest() if isinstance(answer, PendingEvent)]
        if left := [event for event in events if not event.is_journalled_elsewhere]:
            _log.warning("%s", self._farewell(left))
        return bool(left) or self._counts[EventState.REFUSED] + self._counts[EventState.UNSURE] > 0

    def _settle_rest(self) -> list[PendingAnswer]:
        if self._failure is not None:
            error = NeonError(f"the outbox worker failed: {type(self._failure).__name__}: {self._failure}")
        else:
            cause = f" ({self._trouble})" if self._trouble is not None else ""
            error = LinkError(str(self._rest.peer), f"not delivered before this Neon was closed{cause}")
        left = [answer for key in self._open.copy() if (answer := self._open.pop(key, None)) is not None]
        for answer in left:
            answer.settle(error=error)
        return left

    def _farewell(self, left: list[PendingEvent]) -> str:
        names = f"{left[0].name!r}" if len(left) == 1 else f"{left[0].name!r} to {left[-1].name!r}"
        text = f"{len(left)} event(s) could not be delivered to {self._rest.peer}: {names}"
        if self._journal.path is None:
            return f"{text}; no journal was kept, so they are lost"
        if self._journal.trouble is not None:
            return f"{text}; the journal could not be written either ({self._journal.trouble})"
        path = self._journal.path
        return (
            f"{text}; they stay in {path}. While the recording still runs they can be sent again: "
            f'psychopy-neon events "{path}" --redeliver {self._rest.peer}'
        )

    # Warnings

    def _warn_about(self, event: PendingEvent) -> None:
        if self._board.recording_id is not None:
            self._said.discard("idle")
        else:
            self._say("idle", f"no recording runs: the device discards events, {event.name!r} and those after it")
        name, count, since_ns = self._same
        host_ns = event.host_ns or 0
        if name != event.name or host_ns - since_ns > SAME_WITHIN_NS:
            count, since_ns = 0, host_ns
        self._same = (event.name, count + 1, since_ns)
        if count + 1 == SAME_COUNT:
            self._say("same", f"the event {name!r} comes {SAME_COUNT} times in a row: is it sent in every frame?")

    def _say(self, topic: str, text: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            _log.warning("%s", text)

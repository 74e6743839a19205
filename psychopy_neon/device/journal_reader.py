"""What a journal tells of its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import ConfigurationError

__all__ = ["JournalContent", "JournalEvent", "read_journal"]

MAX_LINE_BYTES = 1 << 20
"""Far above what is ever written; a file that is no journal cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """An event as its journal has it."""

    id: str
    name: str
    host_ns: int | None
    """Host clock of the computer and boot that wrote it; None: the device was to stamp it."""
    state: EventState = EventState.WAITING
    device_ns: int | None = None
    """Frozen at the first attempt."""
    bound_ns: int | None = None
    recording_id: str | None = None
    """The recording that ran when it was sent, or that the device put it in."""
    reason: str | None = None
    """Why it is not confirmed, where that is known."""


@dataclass(frozen=True, slots=True)
class JournalRun:
    """A program that wrote, and one instant on both of its clocks."""

    host_ns: int
    wall_ns: int
    address: str
    serial: str


@dataclass(slots=True)
class JournalContent:
    """A journal as read."""

    events: dict[str, JournalEvent] = field(default_factory=dict)
    """By id, in the order of the calls."""
    runs: dict[str, JournalRun] = field(default_factory=dict)
    damaged_count: int = 0
    """Lines that could not be read."""

    @property
    def undelivered(self) -> list[JournalEvent]:
        """Events that are not, or not for certain, on the device."""
        return [event for event in self.events.values() if event.state in (EventState.WAITING, EventState.UNSURE)]

    @property
    def is_all_confirmed(self) -> bool:
        """Whether the device has every event, as far as the journal can be read."""
        return not self.damaged_count and all(each.state is EventState.CONFIRMED for each in self.events.values())

    def run_of(self, event: JournalEvent) -> JournalRun | None:
        """The program that sent the event; None when the line that tells is damaged."""
        return self.runs.get(event.id.partition("-")[0])

    def wall_ns(self, event: JournalEvent) -> int | None:
        """The event's own time by the wall clock, Unix ns, for people."""
        run = self.run_of(event)
        return None if run is None or event.host_ns is None else event.host_ns - run.host_ns + run.wall_ns


def read_journal(path: Path) -> JournalContent:
    """Read what can be read; a torn or damaged line is counted.

    Raises
    ------
    ConfigurationError
        The file cannot be opened.
    """
    content = JournalContent()
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                if line.strip() and not _take(content, line):
                    content.damaged_count += 1
    except OSError as error:
        raise ConfigurationError("journal", str(path), f"a file that can be read ({error.strerror})") from error
    return content


def _take(content: JournalContent, line: bytes) -> bool:
    """False: the line cannot be read."""
    try:
        record = json.loads(line)
        kind = record["kind"]
        read = _READERS.get(kind)
        if read is not None:
            read(content, record)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return True


def _read_run(content: JournalContent, record: Mapping[str, Any]) -> None:
    host_ns, wall_ns = _whole(record["host_ns"]), _whole(record["wall_ns"])
    run = JournalRun(host_ns, wall_ns, _text(record["address"]), str(record.get("serial") or ""))
    # The first of a run stands: a later one only tells that the file was opened again.
    content.runs.setdefault(_text(record["run"]), run)


def _read_event(content: JournalContent, record: Mapping[str, Any]) -> None:
    identity, host_ns = _text(record["id"]), record["host_ns"]
    recording_id = record.get("recording_id")
    content.events[identity] = JournalEvent(
        identity,
        _text(record["name"]),
        None if host_ns is None else _whole(host_ns),
        recording_id=None if recording_id is None else _text(recording_id),
    )


def _read_attempt(content: JournalContent, record: Mapping[str, Any]) -> None:
    device_ns, bound_ns = record["device_ns"], record["bound_ns"]
    if device_ns is not None:
        _whole(device_ns), _whole(bound_ns)
    event = content.events[_text(record["id"])]
    # Sent, and nothing known of what became of it until an outcome says more.
    content.events[event.id] = replace(event, state=EventState.UNSURE, device_ns=device_ns, bound_ns=bound_ns)


def _read_outcome(content: JournalContent, record: Mapping[str, Any]) -> None:
    event = content.events.get(_text(record["id"]))
    if event is None:
        return  # of a command
    state = EventState(record["state"])
    changes: dict[str, Any] = {"state": state, "reason": record.get("reason")}
    if state is EventState.CONFIRMED:
        changes["device_ns"] = _whole(record["device_ns"])
        changes["recording_id"] = record.get("recording_id") or event.recording_id
    content.events[event.id] = replace(event, **changes)


_READERS = {"run": _read_run, "event": _read_event, "attempt": _read_attempt, "outcome": _read_outcome}


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value

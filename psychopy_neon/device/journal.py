"""The journal: every event and recording command is on disk before it is sent.

A file of JSON objects, one a line, only ever appended to.

========  ==================================================================================================
kind      fields besides ``kind``
========  ==================================================================================================
run       ``format version run host_ns wall_ns address serial name``: a program began to write, to which device
event     ``id name host_ns recording_id`` (``host_ns`` null: the device stamps; ``recording_id``: what ran then)
command   ``id action``
attempt   ``id device_ns bound_ns``: it is now sent for the first time; the times never change again
outcome   ``id state``, of a confirmed event ``device_ns recording_id by``, of any other ``reason``
========  ==================================================================================================

An ``id`` begins with the ``run`` that it belongs to. Events and commands are on the disk (fsync) before they are handed
on; attempts and outcomes have reached the operating system, so they outlive the end of this program in any form.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import queue
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from psychopy_neon.device.worker import StopSignal
from psychopy_neon.timing.host_clock import HostClock

__all__ = ["FORMAT", "Journal", "Make", "NoJournal", "Record", "append_records", "journal_folder"]

FORMAT = 1
RETRY_NS = 5_000_000_000
"""After trouble with the file, until it is tried again."""
MAX_UNWRITTEN = 100_000
"""Lines kept for a file that cannot be written now; some 20 MB."""
LINGER_S = 0.008
"""Half a frame, which can be drawn meanwhile. Nobody is in a hurry: the host times of events are fixed already."""
BUSY_S = 0.1
"""To wake another thread takes a caller longer than all else it does. So as long as events come one after the other,
the worker looks for them by itself."""
AFTER_STOP_S = 10.0
"""The outbox says when it is over; this is only for one that cannot."""
_SYNCED = frozenset({"event", "command"})

Record: TypeAlias = Mapping[str, Any]
Make: TypeAlias = Callable[[], Record]
Then: TypeAlias = Callable[[], object]
_Entry: TypeAlias = "tuple[Make | None, Then | None, bool]"
_log = logging.getLogger("psychopy_neon")


def journal_folder() -> Path:
    """Where journals are kept of which no path was given: the user's folder for state, by the habits of the system."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        base = Path(state)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".local" / "state"
    return base / "psychopy-neon" / "journals"


class NoJournal:
    """For whoever wants no file: hands on at once."""

    path: Path | None = None
    trouble: str | None = None

    @property
    def unwritten_count(self) -> int:
        return 0

    def add(self, make: Make | None, then: Then | None = None, can_wait: bool = False) -> None:
        if then is not None:
            then()

    def end(self, conclude: Callable[[], bool]) -> None:
        conclude()


class Journal(NoJournal):
    """The journal and the worker that writes it.

    Trouble with the file (no permission, disk full) is said once and counted; everything is handed on as if it had been
    written, and the lines are kept for the next try.

    Parameters
    ----------
    path : Path, optional
        A file to append to, made with its folders when the first line comes. None: a file of its own in
        :func:`journal_folder`, deleted at the end unless something was not confirmed.
    device : Mapping
        ``address``, ``serial`` and ``name`` of the device.
    host_clock : HostClock

    Notes
    -----
    Thread: any; no call waits for the disk.
    """

    def __init__(self, path: Path | None, device: Record, host_clock: HostClock) -> None:
        self.path = path
        """The file; None before one of its own is made."""
        self.trouble = None
        """Why the file cannot be written now; None while all is well."""
        self.lost_count = 0
        """Lines that were given up, since too many waited for a file that could not be written."""
        self._is_own = path is None
        self._device = device
        self._host_clock = host_clock
        self._run_id = uuid.uuid4().hex[:8]
        self._queue: queue.SimpleQueue[_Entry] = queue.SimpleQueue()
        self._is_urgent = threading.Event()
        self._busy_until_s = 0.0
        self._unwritten: deque[bytes] = deque()
        self._needs_sync = False
        self._file: BinaryIO | None = None
        self._retry_ns: int | None = None
        self._is_over = False

    @property
    def unwritten_count(self) -> int:
        """Lines that are not in the file although they should be."""
        return self.lost_count + len(self._unwritten)

    def add(self, make: Make | None, then: Then | None = None, can_wait: bool = False) -> None:
        """Have a line written: ``make`` gives it, and ``then`` is told when it is written.

        Both are called from the worker, so that a call costs next to nothing. The record's ``id`` is a number, which
        becomes one that no other event or command of any journal has. Without ``make``, ``then`` is called in its turn.
        With ``can_wait`` the worker does not begin at once, in the middle of the caller's frame.
        """
        self._queue.put((make, then, can_wait))
        if not can_wait:
            self._is_urgent.set()
        if self._is_over:  # the worker looks no more: whatever is there now is handed on by whoever sees it
            self._hand_on_rest()

    def end(self, conclude: Callable[[], bool]) -> None:
        """Call ``conclude`` after everything before it, then end; it says whether a file of one's own is kept."""

        def finish() -> None:
            should_keep = conclude()
            self._is_over = True
            if not should_keep:
                self._delete()

        self.add(None, finish)

    def run(self, stop: StopSignal) -> None:
        """Write until the outbox says that it is over."""
        stop.call_when_set(lambda: self.add(None))
        end_s = None
        try:
            while not self._is_over:
                if stop.is_set and end_s is None:
                    end_s = time.monotonic() + AFTER_STOP_S
                batch = self._take(None if end_s is None else end_s - time.monotonic())
                if not batch:
                    break
                try:
                    self._write([make() for make, _, _ in batch if make is not None])
                finally:  # whatever happens to the journal, events go on
                    for _, then, _ in batch:
                        if then is not None:
                            then()
        finally:
            self._is_over = True
            self._hand_on_rest()
            self._close()

    def _take(self, timeout_s: float | None) -> list[_Entry]:
        """Everything that waits, at least one; empty: nothing came in time."""
        batch = self._drain()
        while not batch and time.monotonic() < self._busy_until_s:
            batch = self._linger()
        if not batch:
            with contextlib.suppress(queue.Empty):
                batch.append(self._queue.get(timeout=None if timeout_s is None else max(timeout_s, 0.0)))
                if batch[0][2]:
                    batch += self._linger()
        if batch:
            self._busy_until_s = time.monotonic() + BUSY_S
        return batch

    def _linger(self) -> list[_Entry]:
        """What has come after a moment, or when something urgent has."""
        self._is_urgent.wait(LINGER_S)
        self._is_urgent.clear()
        return self._drain()

    def _drain(self) -> list[_Entry]:
        batch = []
        with contextlib.suppress(queue.Empty):
            while True:
                batch.append(self._queue.get_nowait())
        return batch

    def _hand_on_rest(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                _, then, _ = self._queue.get_nowait()
                if then is not None:
                    then()

    # The file

    def _write(self, records: list[Record]) -> None:
        self._unwritten.extend(_line({**each, "id": f"{self._run_id}-{each['id']}"}) for each in records)
        self._needs_sync |= any(record["kind"] in _SYNCED for record in records)
        while len(self._unwritten) > MAX_UNWRITTEN:
            self._unwritten.popleft()
            self.lost_count += 1
        now_ns = self._host_clock.now_ns()
        if not self._unwritten or (self._retry_ns is not None and now_ns < self._retry_ns):
            return
        try:
            if self._file is None:
                self._file = self._open()
            _append(self._file, self._unwritten)
            if self._needs_sync:
                os.fsync(self._file.fileno())
                self._needs_sync = False
        except OSError as error:
            self._note_trouble(error, now_ns)
        else:
            if self.trouble is not None:
                _log.warning("the journal %s can be written again, %d lines are lost", self.path, self.lost_count)
            self.trouble = self._retry_ns = None

    def _open(self) -> BinaryIO:
        if self.path is None:
            folder = journal_folder()
            self.path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{self._run_id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open_for_append(self.path)
        host_ns, wall_ns = self._host_clock.wall_bracket_ns()
        head = {"kind": "run", "format": FORMAT, "version": _own_version(), "run": self._run_id}
        # Before all else, and again after trouble: the file may be another one by then.
        self._unwritten.appendleft(_line({**head, "host_ns": host_ns, "wall_ns": wall_ns, **self._device}))
        return file

    def _note_trouble(self, error: OSError, now_ns: int) -> None:
        where = self.path or journal_folder()
        if self.trouble is None:
            _log.warning(
                "the journal %s cannot be written (%s): events are still sent, but those that cannot be delivered are "
                "lost with this program; it is tried again every %d s",
                where,
                error.strerror or error,
                RETRY_NS // 10**9,
            )
        self.trouble = f"{where}: {error.strerror or error}"
        self._retry_ns = now_ns + RETRY_NS
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # unbuffered: nothing is left that closing could lose
                file.close()

    def _delete(self) -> None:
        self._close()
        if self._is_own and self.path is not None:
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                _log.warning("the journal %s is not needed any more but could not be deleted: %s", self.path, error)


def open_for_append(path: Path) -> BinaryIO:
    """The file unbuffered; a last line that was cut off is ended, so that the next one stands alone."""
    file = path.open("ab", buffering=0)
    try:
        if file.tell() and not _ends_with_newline(path):
            file.write(b"\n")
    except BaseException:  # whatever it is, it goes on; the file does not stay open
        file.close()
        raise
    return file


def append_records(path: Path, records: list[Record]) -> None:
    """Append to a journal whose program has ended; on disk when this returns.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with open_for_append(path) as file:
        _append(file, deque(map(_line, records)))
        os.fsync(file.fileno())


def _own_version() -> str:
    try:
        return version("psychopy-neon")
    except PackageNotFoundError:  # used from its source, without an installation
        return "unknown"


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _append(file: BinaryIO, lines: deque[bytes]) -> None:
    """Write the lines, and take out of the queue what has arrived whole."""
    data = b"".join(lines)
    count = total = file.write(data)
    while lines and count >= len(lines[0]):
        count -= len(lines.popleft())
    if total < len(data):
        if count:  # torn in the middle: it comes again whole, on a line of its own
            lines[0] = b"\n" + lines[0].lstrip(b"\n")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

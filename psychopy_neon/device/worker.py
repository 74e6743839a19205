"""Every thread of the client: who runs, how it is told to stop, where its error goes.

A thread is named ``psychopy-neon:<duty>``, is a daemon, watches a :class:`StopSignal` and is joined with a
deadline. An error that nobody expected is kept and raised from the user's next call.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from psychopy_neon.errors import NeonError, NeonTimeoutError

__all__ = ["Crew", "StopSignal", "Worker"]

_log = logging.getLogger("psychopy_neon")
_Result = TypeVar("_Result")
_NICENESS = 10
_BELOW_NORMAL = -1  # THREAD_PRIORITY_BELOW_NORMAL of Windows
_TURN_S = 0.0005


class StopSignal:
    """Tells one worker to end, whether it waits on an event, on sockets or in a call of its own.

    ``socket`` becomes readable when the signal is set, so a selector wakes at once on every system.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.socket, self._sender = socket.socketpair()
        self.socket.setblocking(False)
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()
        with contextlib.suppress(OSError):  # a second set() after the sockets are closed changes nothing
            self._sender.send(b"\0")
        for callback in tuple(self._callbacks):
            callback()

    def call_when_set(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` from the thread that sets the signal; it must not block."""
        self._callbacks.append(callback)
        if self.is_set:
            callback()

    def wait(self, timeout_s: float) -> bool:
        """True when the signal was set, at the latest after ``timeout_s``."""
        return self._event.wait(timeout_s)

    def close(self) -> None:
        self.socket.close()
        self._sender.close()


class Worker:
    """One running thread of a :class:`Crew`."""

    def __init__(
        self, duty: str, run: Callable[[StopSignal], None], on_error: Callable[[str, Exception], None], is_heavy: bool
    ) -> None:
        self.duty = duty
        self.stop = StopSignal()
        self._run = run
        self._on_error = on_error
        self._is_heavy = is_heavy
        self._thread = threading.Thread(target=self._guarded, name=f"psychopy-neon:{duty}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """True when the thread has ended."""
        if self._thread is threading.current_thread():
            return False
        self._thread.join(max(timeout_s, 0.0))
        return not self._thread.is_alive()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            if self._is_heavy:
                _let_others_go_first()
            self._run(self.stop)
        except Exception as error:  # the last place where it can be kept; Crew.check() raises it
            self._on_error(self.duty, error)


def _let_others_go_first() -> None:
    """Let the frame loop have the processor and the interpreter when it wants them.

    PsychoPy gives the interpreter away at every call of the graphics library, and to get it back from a thread that
    computes takes a whole turn, 5 ms by default: several frames' worth of drawing. The turn is the interpreter's; it is
    made shorter for all threads. Priorities are lowered on the systems that have them for threads.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), _TURN_S))
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    elif sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentThread.restype = ctypes.c_void_p
        kernel.SetThreadPriority(ctypes.c_void_p(kernel.GetCurrentThread()), _BELOW_NORMAL)


class _Answer(Generic[_Result]):
    def __init__(self) -> None:
        self.is_there = threading.Event()
        self.result: list[_Result] = []
        self.error: Exception | None = None


class Crew:
    """All workers of one ``Neon``.

    Notes
    -----
    Thread: any. ``close()`` is idempotent and never waits longer than its limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: list[Worker] = []  # guarded by _lock
        self.is_well = True
        """Whether :meth:`check` would return; for callers to whom a call is too dear."""
        self._failure: tuple[str, Exception] | None = None
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def check(self) -> None:
        """Raise what a worker died of, or that the object is closed.

        Raises
        ------
        NeonError
            With the worker's error as its cause.
        """
        if self._failure is not None:
            duty, error = self._failure
            raise NeonError(f"the {duty} worker failed: {type(error).__name__}: {error}") from error
        if self._is_closed:
            raise NeonError("this Neon is closed; open a new one")

    def start(self, duty: str, run: Callable[[StopSignal], None], *, is_heavy: bool = False) -> Worker:
        """Start a thread that runs ``run(stop)`` until it returns.

        A heavy one (decoding, searching pictures) gives way to the experiment's frame loop and to the gaze stream when
        there are not processors enough for all.
        """
        worker = Worker(duty, run, self._keep, is_heavy)
        with self._lock:
            if self._is_closed:
                worker.stop.close()
                raise NeonError("this Neon is closed; open a new one")
            self._workers = [w for w in self._workers if not self._is_finished(w)]
            self._workers.append(worker)
            worker.start()
        return worker

    def call(self, operation: str, act: Callable[[], _Result], limit_s: float, remedy: str = "") -> _Result:
        """Run ``act`` in a thread and wait for it at most ``limit_s``: for calls that know no limit of their own.

        Raises
        ------
        NeonTimeoutError
            When there is no result in time; the thread ends by itself later.
        """
        answer: _Answer[_Result] = _Answer()

        def run(_stop: StopSignal) -> None:
            try:
                answer.result.append(act())
            except Exception as error:  # handed to the caller, who waits for it
                answer.error = error
            answer.is_there.set()

        self.start("call", run)
        if not answer.is_there.wait(limit_s):
            raise NeonTimeoutError(operation, limit_s, remedy)
        if answer.error is not None:
            raise answer.error
        return answer.result[0]

    def close(self, deadline_s: float = 6.0) -> tuple[str, ...]:
        """Tell all workers to stop and wait for them; the duties of those that did not end in time are returned."""
        with self._lock:
            self._is_closed, self.is_well = True, False
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.stop.set()
        end = time.monotonic() + deadline_s
        left = tuple(worker.duty for worker in workers if not worker.join(end - time.monotonic()))
        for worker in workers:
            if worker.has_ended:
                worker.stop.close()
        if left:
            _log.warning("workers still busy %.1f s after close(): %s", deadline_s, ", ".join(left))
        return left

    def _keep(self, duty: str, error: Exception) -> None:
        if self._is_closed and isinstance(error, NeonError):
            return  # it was told to end while it waited for something: that is how it noticed
        _log.error("the %s worker failed", duty, exc_info=error)
        if self._failure is None:
            self._failure, self.is_well = (duty, error), False

    @staticmethod
    def _is_finished(worker: Worker) -> bool:
        if worker.has_ended:
            worker.stop.close()
            return True
        return False

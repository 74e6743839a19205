"""What is sent to the device: recording commands and events, one after the other, in the order of the calls."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.worker import StopSignal
from psychopy_neon.errors import (
    LinkError,
    NeonError,
    NeonTimeoutError,
    RecordingRefusedError,
    RemoteProtocolError,
    RequestRefusedError,
)
from psychopy_neon.samples import Event

__all__ = ["Outbox", "PendingAnswer", "PendingEvent"]

MAX_WAITING = 10_000
RETRY_S = 0.2
GIVE_UP_AFTER = 10
"""Attempts to send something that certainly did not reach the device."""

_log = logging.getLogger("psychopy_neon")


class PendingAnswer:
    """The device's answer to one request, now or later."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_there = threading.Event()
        self._result: Any = None
        self._error: NeonError | None = None

    @property
    def is_done(self) -> bool:
        """Whether the device has answered or the request was given up."""
        return self._is_there.is_set()

    @property
    def error(self) -> NeonError | None:
        """Why it failed; None as long as it has not."""
        return self._error

    def settle(self, result: Any = None, error: NeonError | None = None) -> None:
        self._result, self._error = result, error
        self._is_there.set()

    def result(self, timeout_s: float) -> Any:
        """The answer; raises what went wrong, or ``NeonTimeoutError``."""
        if not self._is_there.wait(timeout_s):
            raise NeonTimeoutError(self._what, timeout_s, "is the device still there? See neon.status")
        if self._error is not None:
            raise self._error
        return self._result


class PendingEvent(PendingAnswer):
    """An event on its way."""

    def __init__(self, name: str, host_ns: int | None) -> None:
        super().__init__(f"event {name!r}")
        self.name = name
        """As it was sent."""
        self.host_ns = host_ns
        """Host clock of the event; None: the device stamps its arrival."""

    def wait(self, timeout_s: float = 2.0) -> Event:
        """The event as the device confirmed it.

        Raises
        ------
        NeonTimeoutError
            No answer yet.
        NeonError
            It could not be delivered; says why.
        """
        event: Event = self.result(timeout_s)
        return event


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    body: dict[str, Any] | None
    read: Callable[[Any], Any]
    answer: PendingAnswer


class Outbox:
    """The queue and the worker that empties it.

    Parameters
    ----------
    rest : RestClient
        For this worker alone.

    Notes
    -----
    Thread: any, the calls never wait.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._queue: queue.Queue[_Request | None] = queue.Queue()
        self.failed = 0
        """Requests that were given up or refused."""
        self._last_failure: NeonError | None = None

    def send_event(self, name: str, host_ns: int | None, device_ns: int | None) -> PendingEvent:
        """Queue an event; without ``device_ns`` the device stamps its arrival."""
        pending = PendingEvent(name, host_ns)
        body = {"name": name} if device_ns is None else {"name": name, "timestamp": device_ns}
        self._put(_Request("/api/event", body, lambda result: _read_event(name, result), pending))
        return pending

    def command(self, action: Literal["start", "stop_and_save", "cancel"]) -> PendingAnswer:
        """Queue a recording command; its result is the recording's id for ``start``, else None."""
        pending = PendingAnswer(f"recording:{action}")
        read = _read_id if action == "start" else _read_nothing
        self._put(_Request(f"/api/recording:{action}", None, read, pending))
        return pending

    def run(self, stop: StopSignal) -> None:
        """Send until told to stop; what was queued before is still tried, until the first of it fails."""
        stop.call_when_set(lambda: self._queue.put(None))
        while (request := self._queue.get()) is not None:
            if stop.is_set and self._last_failure is not None:
                self._settle(request, self._last_failure)
            else:
                self._deliver(request, stop)
        self._rest.close()

    def _put(self, request: _Request) -> None:
        if self._queue.qsize() >= MAX_WAITING:
            self._settle(request, LinkError(str(self._rest.peer), f"{MAX_WAITING} requests wait already"))
        else:
            self._queue.put(request)

    def _deliver(self, request: _Request, stop: StopSignal) -> None:
        self._last_failure = None
        for attempt in range(1, GIVE_UP_AFTER + 1):
            try:
                result = request.read(self._rest.post(request.path, request.body))
            except (LinkError, NeonTimeoutError) as error:
                self._last_failure = error
                # Sent twice it would happen twice, so only what certainly did not arrive is sent again.
                if self._rest.was_sent or attempt == GIVE_UP_AFTER or stop.is_set:
                    self._settle(request, error)
                    return
                stop.wait(RETRY_S)
            except RequestRefusedError as error:
                self._settle(request, _refusal(request, error))
                return
            except NeonError as error:
                self._settle(request, error)
                return
            else:
                request.answer.settle(result)
                return

    def _settle(self, request: _Request, error: NeonError) -> None:
        self.failed += 1
        name = (request.body or {}).get("name", request.path)
        _log.warning("%s was not delivered: %s", name, error)
        request.answer.settle(error=error)


def _refusal(request: _Request, error: RequestRefusedError) -> RequestRefusedError:
    if request.path.startswith("/api/recording:"):
        return RecordingRefusedError(error.method, error.url, error.status, error.reason)
    return error


def _read_event(name: str, result: Any) -> Event:
    timestamp = result.get("timestamp") if isinstance(result, dict) else None
    if type(timestamp) is not int:
        raise RemoteProtocolError("POST /api/event", f"no timestamp in the answer: {str(result)[:100]}")
    recording_id = result.get("recording_id")
    return Event(name, timestamp, recording_id if isinstance(recording_id, str) else None)


def _read_id(result: Any) -> str:
    recording_id = result.get("id") if isinstance(result, dict) else None
    if not isinstance(recording_id, str):
        raise RemoteProtocolError("POST /api/recording:start", f"no id in the answer: {str(result)[:100]}")
    return recording_id


def _read_nothing(_result: Any) -> None:
    return None

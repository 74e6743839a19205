"""The device as its user sees it."""

from __future__ import annotations

import atexit
import operator
import os
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from psychopy_neon.device.clock import DeviceClock, EchoFeed
from psychopy_neon.device.connect import connect
from psychopy_neon.device.journal import Journal, NoJournal
from psychopy_neon.device.matching import matched
from psychopy_neon.device.outbox import Outbox, PendingEvent
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.status_feed import StatusBoard, StatusFeed
from psychopy_neon.device.stream import Stream
from psychopy_neon.device.streams import StreamMaker
from psychopy_neon.device.template import Template
from psychopy_neon.device.worker import Crew, Worker
from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.samples import CameraCalibration, EyeEvent, GazeSample, ImuSample, SceneFrame
from psychopy_neon.timing.host_clock import HostClock
from psychopy_neon.timing.offset import Rounding
from psychopy_neon.wire.calibration import parse_calibration
from psychopy_neon.wire.status import DeviceStatus

__all__ = ["Neon"]

CLOCK_WAIT_S = 1.0
CLOSE_SLACK_S = 1.5
LOST_AFTER_NS = 1_000_000_000
SILENT_AFTER_NS = 3_000_000_000


class Neon:
    """A Neon (or Pupil Invisible) with its Companion app.

    Connecting reads the status, starts the workers for status, clock and outbox, and waits up to a second for the first
    clock offset. Streams open at their first use.

    Parameters
    ----------
    address : str, optional
        ``"host"``, ``"host:port"``, ``"[v6]:port"``; left out: the one device that mDNS finds.
    serial : str, optional
        Find the device whose module has this serial number.
    name : str, optional
        Find the device whose phone has this name.
    host_clock : HostClock, optional
        Tests inject another.
    timeout_s : float
        Limit of each request.
    echo_rounding : {"floor", "any"}
        Whether the phone cuts its time to whole milliseconds in time echoes, as phones are known to; ``"any"`` widens
        the bounds so that they hold for one that rounds, too.
    journal : path, None or False
        Where events and recording commands are written down before they are sent. A path: a file to append to, kept.
        None: a file of this run in the user's folder for such things, made with the first event and deleted by
        ``close()`` unless something was not confirmed. False: none; then what cannot be delivered is lost at the end.

    Raises
    ------
    ConfigurationError
        The address cannot be read, address, serial and name do not go together, or several devices answer and none was
        chosen (they are listed).
    DeviceNotFoundError
        Nothing answers; says what was tried.
    RemoteProtocolError, RequestRefusedError
        Something answers, but not as a Neon does.

    Notes
    -----
    Thread: any. ``close()`` is idempotent, runs at exit and joins every thread.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        serial: str | None = None,
        name: str | None = None,
        host_clock: HostClock | None = None,
        timeout_s: float = 5.0,
        echo_rounding: Rounding = "floor",
        journal: str | os.PathLike[str] | Literal[False] | None = None,
    ) -> None:
        self.host_clock = host_clock or HostClock()
        """What says what time it is."""
        self._timeout_s = timeout_s
        self.crew = Crew()
        """Runs the workers, also those of a screen gaze tracker."""
        try:
            self._peer, status = connect(address, serial, name, self.crew, timeout_s)
        except BaseException:  # Ctrl+C while connecting must not leave threads behind either
            self.crew.close()
            raise
        self._rest = RestClient(self._peer, timeout_s)
        self.template = Template(self._rest, self.crew.check)
        """What the template chosen on the phone asks, and the answers that recordings are saved with."""
        self._board = StatusBoard(status, self.host_clock.now_ns())
        self._calibration: CameraCalibration | None = None
        self.clock = DeviceClock(echo_rounding, self.host_clock)
        self._streams = StreamMaker(self._peer, self.crew, self.host_clock, self.clock, self._board)
        self.gaze: Stream[GazeSample] = self._streams.gaze()
        """Gaze, up to 200 a second; :meth:`~.Stream.latest` gives what is no older than 0.25 s."""
        self.scene: Stream[SceneFrame] = self._streams.scene()
        """Scene video, 30 frames a second; ``latest()`` gives one no older than 0.5 s."""
        self.imu: Stream[ImuSample] = self._streams.imu()
        """Head movement, about 110 samples a second; ``latest()`` as of gaze."""
        self.eye_events: Stream[EyeEvent] = self._streams.eye_events()
        """What the device's own detector finds, where that is switched on in the app; ``latest()`` gives the newest
        however old it is, since the next may take its time."""
        self._journal = self._make_journal(journal, status)
        self.outbox = Outbox(RestClient(self._peer, timeout_s), self._journal, self._board, self.clock.offset_at)
        """Delivers events and recording commands; see its ``health``."""
        self._senders = self._start_workers()
        self._at_exit = _close_at_exit(self)
        if status.phone.time_echo_port is not None:
            self.clock.wait(CLOCK_WAIT_S)

    # What the device is

    @property
    def address(self) -> str:
        """Host and port that are used."""
        return str(self._peer)

    @property
    def status(self) -> DeviceStatus:
        """The newest status; the websocket keeps it fresh."""
        self.crew.check()
        return self._board.status

    @property
    def calibration(self) -> CameraCalibration:
        """The factory calibration of the module; read once.

        Raises
        ------
        LinkError, NeonTimeoutError, RequestRefusedError
        RemoteProtocolError
            It is damaged: its checksum does not fit.
        """
        self.crew.check()
        if self._calibration is None:
            self._calibration = parse_calibration(self._rest.get_bytes("/calibration.bin"))
        return self._calibration

    def check_link(self) -> None:
        """Raise when the device has gone away; cheap enough for every frame.

        Raises
        ------
        LinkError
            The status connection is broken and nothing else has come from the device for a second (or the connection
            looks whole and nothing at all has come for three).
        """
        self.crew.check()
        heard_ns = [self._board.heard_ns]
        heard_ns += [at_ns for worker in self._streams.workers if (at_ns := worker.last_packet_ns) is not None]
        silent_ns = self.host_clock.now_ns() - max(heard_ns)
        trouble = self._board.trouble
        if silent_ns > (LOST_AFTER_NS if trouble else SILENT_AFTER_NS):
            what = f"the Neon went away {silent_ns / 1e9:.1f} s ago: {trouble or 'it fell silent'}"
            raise LinkError(self.address, what, silent_ns / 1e9)

    # Recording and events

    def start_recording(self, timeout_s: float = 10.0) -> str:
        """Start a recording on the phone; its id, once the device has confirmed.

        Raises
        ------
        RecordingRefusedError
            With the device's reason.
        NeonTimeoutError
            Not confirmed in time. If it was not sent yet it is withdrawn: no recording starts long after.
        LinkError
            Closed meanwhile.
        """
        self.crew.check()
        recording_id: str = self.outbox.command("start").result(timeout_s)
        return recording_id

    def stop_recording(self, timeout_s: float = 10.0) -> None:
        """Stop and save the recording, after every event that was sent before.

        Raises
        ------
        RecordingRefusedError
            With the device's reason, for example that none runs.
        NeonTimeoutError
            Not confirmed in time; says how many events still wait to be confirmed before it. If it was not sent yet it
            is withdrawn: the recording goes on.
        LinkError
            Closed meanwhile.
        """
        self.crew.check()
        self.outbox.command("stop_and_save").result(timeout_s)

    def cancel_recording(self, timeout_s: float = 10.0) -> None:
        """Stop the recording and throw it away; errors as in :meth:`stop_recording`."""
        self.crew.check()
        self.outbox.command("cancel").result(timeout_s)

    def send_event(self, name: str, at_ns: int | Literal["arrival"] | None = None) -> PendingEvent:
        """Send an event; returns at once, the outbox writes it down and delivers it in order.

        Its time on the device's clock is computed once, when it is first sent, and never changes.

        Parameters
        ----------
        name
            1 to 1000 characters; a longer one is cut, with a warning.
        at_ns
            Host clock of the event; None: now; ``"arrival"``: the device stamps its arrival, in whole milliseconds.
            Such an event cannot be repeated without becoming another one: if its answer is lost it stays unsure.

        Raises
        ------
        ConfigurationError
            The name is empty or no text that can be written, or the time no whole number.
        ClockNotReadyError
            There is no clock offset at all yet, so the device's time of the event cannot be computed.
        """
        called_ns = self.host_clock.now_ns()
        # In the middle of a frame a call of Python code takes microseconds: those that hardly ever matter are left out.
        if not self.crew.is_well:
            self.crew.check()
        if type(name) is not str or not name or not name.isascii():
            _check_name(name)
        if at_ns == "arrival":
            return self.outbox.send_event(name, None)
        host_ns = called_ns if at_ns is None else _whole_ns(at_ns)
        if self.clock.newest is None:
            self.clock.offset_at(host_ns)  # raises, and says why
        return self.outbox.send_event(name, host_ns)

    # Streams together

    def matched(self, timeout_s: float = 5.0) -> Iterator[tuple[SceneFrame, GazeSample]]:
        """Scene frames from now on, each with the gaze sample nearest to it in time; ends with an error only.

        Raises
        ------
        NeonTimeoutError
            No frame or no gaze for ``timeout_s``.
        """
        return matched(self.scene.reader(), self.gaze.reader(), timeout_s)

    # Life

    def close(self) -> None:
        """End streams and threads; what waits in the outbox is sent first, within a limit. Idempotent.

        What cannot be sent within ``timeout_s`` is named in one warning and stays in the journal.
        """
        if self.crew.is_closed:
            return
        atexit.unregister(self._at_exit)
        end_s = time.monotonic() + self._timeout_s + CLOSE_SLACK_S
        for worker in self._senders:
            worker.stop.set()
        # The status connection lives on meanwhile: it tells of events whose answers are lost.
        for worker in self._senders:
            worker.join(end_s - time.monotonic())
        self.crew.close(max(end_s - time.monotonic(), CLOSE_SLACK_S))
        self._rest.close()
        self._streams.close()

    def __enter__(self) -> Neon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        phone = self._board.status.phone
        return f"<Neon {phone.device_name or '?'} at {self.address}{', closed' if self.crew.is_closed else ''}>"

    # Putting it together

    def _make_journal(self, journal: str | os.PathLike[str] | Literal[False] | None, status: DeviceStatus) -> NoJournal:
        if journal is False:
            return NoJournal()
        hardware, phone = status.hardware, status.phone
        serial = hardware.module_serial or hardware.world_camera_serial
        device = {"address": str(self._peer), "serial": serial, "name": phone.device_name}
        return Journal(None if journal is None else Path(journal), device, self.host_clock)

    def _start_workers(self) -> list[Worker]:
        """The two that send are returned."""
        echo = EchoFeed(self._peer.ip, lambda: self._board.status.phone.time_echo_port, self.clock, self.host_clock)
        rest = RestClient(self._peer, self._timeout_s)
        feed = StatusFeed(rest, self._board, self.host_clock, self.outbox.hear)
        self.crew.start("clock", echo.run)
        self.crew.start("status", feed.run)
        senders = [self.crew.start("outbox", self.outbox.run)]
        if isinstance(self._journal, Journal):
            senders.append(self.crew.start("journal", self._journal.run))
        return senders


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise ConfigurationError("name", name, "a text with at least one character")
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ConfigurationError("name", name, f"characters that UTF-8 can write ({error.reason})") from None


def _whole_ns(at_ns: Any) -> int:
    """A time as an int of Python: other whole numbers, such as numpy's, cannot be written as JSON."""
    try:
        whole_ns = operator.index(at_ns)
    except TypeError:
        whole_ns = None
    if whole_ns is None or isinstance(at_ns, bool):
        raise ConfigurationError("at_ns", at_ns, 'host clock in whole nanoseconds, None or "arrival"')
    return whole_ns


def _close_at_exit(neon: Neon) -> Callable[[], None]:
    """Close the device when the interpreter ends, without keeping it alive until then."""
    reference = weakref.ref(neon)

    def close() -> None:
        still_there = reference()
        if still_there is not None:
            still_there.close()

    atexit.register(close)
    return close

"""A Neon for PsychoPy, in whichever process hosts it: ioHub's or the experiment's own.

A device of PsychoPy has to be there at once and must not raise when it is made, so the Neon is connected in the
background and again when it is lost; meanwhile there is a state and, in words, what is the matter.
"""

import atexit
import json
import os
import socket
import threading
import time
from collections import deque
from enum import Enum
from typing import Literal, NamedTuple

from psychopy_neon.device.neon import Neon
from psychopy_neon.device.screen_gaze import ScreenGazeTracker
from psychopy_neon.device.worker import Crew
from psychopy_neon.errors import ClockNotReadyError, ConfigurationError, LinkError, NeonError, NeonTimeoutError
from psychopy_neon.plugin.recording import RecordingKeeper
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["HostSettings", "HostState", "NeonHost"]

RETRY_S = 1.0
LOOK_EVERY_S = 0.1
REPORT_EVERY_S = 0.25
SILENT_S = 2.0
"""Without gaze for so long the stream counts as lost."""
CONNECT_LIMIT_S = 8.0
HELD_LIMIT = 1000
"""Events that may wait for the device or its clock."""


class HostSettings(NamedTuple):
    """What the experiment decides; the names are those of ``runtime_settings``."""

    address: str = ""
    """Empty: found by mDNS."""
    serial: str = ""
    phone_name: str = ""
    record: Literal["phone", "stream"] = "phone"
    left_running: Literal["use", "save", "cancel"] = "use"
    """What becomes of a recording that runs already when ours is to start."""
    at_end: Literal["save", "cancel"] = "save"
    """What becomes of our recording when the device is closed while it runs."""
    report_port: int = 0
    """UDP port on loopback that is told how things are; 0: nobody is."""

    @classmethod
    def of(cls, values):
        """From a dict that may hold other things, too.

        Raises
        ------
        ConfigurationError
            A choice that there is not.
        """
        settings = cls(**{name: values[name] for name in cls._fields if values.get(name) is not None})
        for name, allowed in (
            ("record", ("phone", "stream")),
            ("left_running", ("use", "save", "cancel")),
            ("at_end", ("save", "cancel")),
        ):
            if getattr(settings, name) not in allowed:
                raise ConfigurationError(name, getattr(settings, name), " or ".join(allowed))
        return settings


class HostState(Enum):
    """How it stands with the device."""

    CONNECTING = "connecting"
    READY = "ready"
    """Connected, and gaze arrives."""
    LOST = "lost"
    """It was ready and is not now."""
    CLOSED = "closed"


class NeonHost:
    """Connects a Neon, follows it, and keeps what an eye tracker of PsychoPy is asked for.

    Parameters
    ----------
    settings : HostSettings

    Attributes
    ----------
    neon : Neon or None
        Once connected.
    state : HostState
    problem : str or None
        What is the matter and what to do.
    recording : RecordingKeeper
    facts : WindowFacts or None
        Of the window whose units :meth:`position` gives.

    Notes
    -----
    Thread: any; one for :meth:`take`. Nothing here waits but what ``recording`` does and :meth:`close`.
    """

    def __init__(self, settings):
        self.settings = settings
        self.neon = None
        self.state = HostState.CONNECTING
        self.problem = None
        self.facts = None
        self._notes = {}
        self.stored = 0
        """Samples that whoever calls :meth:`take` has written down."""
        self.refused = 0
        """Events that were not even taken: too many waited."""
        self._template = None
        self._tracker = None
        self._layouts = ()
        self._layouts_lock = threading.Lock()
        self._held = deque()
        self._held_lock = threading.Lock()
        self._connected = threading.Event()
        self._changed = threading.Event()
        self._crew = Crew()
        self.recording = RecordingKeeper(self.connected, settings.record == "phone", settings.left_running)
        self._crew.start("host", self._run)
        if settings.report_port:
            self._crew.start("report", self._send_reports)

    def connected(self, limit_s=CONNECT_LIMIT_S):
        """The Neon, waited for.

        Raises
        ------
        NeonTimeoutError
            It is not there; says why.
        """
        self._connected.wait(limit_s)
        neon = self.neon
        if neon is None:
            raise NeonTimeoutError("connecting to the Neon", limit_s, self.problem or "")
        return neon

    # Gaze

    def use_layouts(self, layouts, facts=None):
        """Look for the tags of these screens; the first is that of the window with these facts."""
        if facts is not None:
            self.facts = facts
        with self._layouts_lock:
            self._layouts = tuple(layouts)
            if self._tracker is not None:
                self._tracker.use_layouts(*self._layouts)

    def screen_gaze(self):
        """The newest gaze on the screen, or why there is none."""
        tracker = self._tracker
        if tracker is None:
            return ScreenGaze(None, GazeReason.NO_STREAM)
        try:
            return tracker.latest()
        except NeonError:  # a worker of the client died: the thread below connects anew
            return ScreenGaze(None, GazeReason.NO_STREAM)

    def position(self):
        """Gaze in the window's units, also beside it; None without gaze, or without a known window."""
        return self.in_window(self.screen_gaze())

    def in_window(self, gaze):
        """Position of a :class:`~psychopy_neon.ScreenGaze` in the window's units, or None."""
        if gaze.pos is None or gaze.screen or self.facts is None:
            return None
        try:
            return self.facts.from_screen(*gaze.pos)
        except ConfigurationError as error:
            self.note("units", str(error))
            return None

    def take(self, *, is_final=False):
        """Every sample since the last call, as :meth:`.ScreenGazeTracker.take` gives them."""
        tracker = self._tracker
        return [] if tracker is None else tracker.take(is_final=is_final)

    def on_screen(self, x, y, device_ns):
        """Another scene place on the screen, as :meth:`.ScreenGazeTracker.on_screen`."""
        tracker = self._tracker
        return ScreenGaze(None, GazeReason.NO_STREAM) if tracker is None else tracker.on_screen(x, y, device_ns)

    # Events

    def send_event(self, name, host_ns):
        """Send an event, host time; one that comes before the device and its clock are known waits for them.

        Raises
        ------
        ConfigurationError
            Of a name that cannot be sent, unless it has to wait: then it is logged.
        """
        with self._held_lock:
            if not self._held and self._sent(name, host_ns):
                return
            if len(self._held) >= HELD_LIMIT:
                self.refused += 1
                self.note("events", f"events were lost: {HELD_LIMIT} wait for the Neon already")
                return
            self._held.append((name, host_ns))

    def _sent(self, name, host_ns):
        neon = self.neon
        if neon is None:
            return False
        try:
            neon.send_event(name, host_ns)
        except ClockNotReadyError:
            return False
        return True

    # How it stands

    def note(self, about, sentence):
        """Have the report tell of what is wrong although gaze arrives; None: it is well again."""
        if sentence is None:
            self._notes.pop(about, None)
        else:
            self._notes[about] = sentence

    def report(self):
        """The state as a dict of plain values with text as keys."""
        neon, problem = self.neon, self.problem
        facts = {
            "state": self.state.value,
            "problem": problem,
            "address": None,
            "phone": None,
            "serial": None,
            "template": None,
            "gaze_received": 0,
            "gaze_lost": 0,
            "gaze_age_s": None,
            "stored": self.stored,
            "events_unconfirmed": len(self._held),
            "events_refused": self.refused,
            "clock_bound_s": None,
            "pid": os.getpid(),
            "sent_ns": time.perf_counter_ns(),
            **self.recording.report(),
        }
        if neon is None:
            return facts
        try:
            status = neon.status
        except NeonError:  # a worker of the client died, which the thread below is about to notice
            return facts
        gaze, events = neon.gaze.health, neon.outbox.health
        offset = neon.clock.newest
        return facts | {
            "address": neon.address,
            "phone": status.phone.device_name,
            "serial": status.hardware.module_serial or status.hardware.world_camera_serial,
            "template": self._template,
            "gaze_received": gaze.received,
            "gaze_lost": gaze.lost + gaze.malformed + gaze.dropped,
            "gaze_age_s": gaze.age_s,
            "events_unconfirmed": len(self._held) + events.waiting,
            "events_refused": self.refused + events.refused + events.unsure + events.dropped,
            "clock_bound_s": None if offset is None else offset.bound_at_ns(neon.host_clock.now_ns()) / 1e9,
        }

    # Life

    def close(self):
        """End the recording as the settings say and let go of the device; idempotent."""
        if self.state is HostState.CLOSED:
            return
        atexit.unregister(self.close)
        self.recording.finish_if_running(self.settings.at_end)
        self._set(HostState.CLOSED, self.recording.ended)
        self._crew.close()
        if self.neon is not None:
            self.neon.close()

    def _set(self, state, problem):
        if (state, problem) != (self.state, self.problem):
            self.state, self.problem = state, problem
            self._changed.set()

    def _run(self, stop):
        while not stop.is_set:
            if self.neon is None:
                self._connect(stop)
            else:
                self._look()
            stop.wait(LOOK_EVERY_S if self.neon else RETRY_S)

    def _connect(self, stop):
        settings = self.settings
        try:
            neon = Neon(settings.address or None, serial=settings.serial or None, name=settings.phone_name or None)
        except NeonError as error:
            self._set(self.state, str(error))
            return
        if stop.is_set:
            neon.close()
            return
        # Now, since what is registered last comes first: the recording ends while the Neon is still open.
        atexit.unregister(self.close)
        atexit.register(self.close)
        self._template = _told_template(neon)
        with self._layouts_lock:
            self._tracker = ScreenGazeTracker(neon, *self._layouts)
        self.neon = neon
        self._connected.set()

    def _look(self):
        neon = self.neon
        with self._held_lock:
            while self._held and self._try_held():
                self._held.popleft()
        try:
            self.recording.look()
            neon.check_link()
        except LinkError as error:
            self._set(HostState.LOST, f"{error}; is the phone on, its app in front, and the network the same?")
            return
        except NeonError as error:
            self._set(HostState.LOST, str(error))
            self._connected.clear()
            self.neon = self._tracker = None
            neon.close()
            return
        age_s = neon.gaze.health.age_s
        if age_s is None:
            self._set(self.state, "no gaze has arrived yet: are the glasses plugged in? A firewall may block UDP")
        elif age_s > SILENT_S:
            words = f"no gaze has arrived for {age_s:.0f} s: is the cable plugged in, and the phone still in reach?"
            self._set(HostState.LOST, words)
        else:
            self.note("mapping", self._tracker.trouble)
            self.note("recording", self.recording.ended)
            self._set(HostState.READY, "; ".join(self._notes.values()) or None)

    def _try_held(self):
        """Whether the oldest event that waited can be let go of."""
        try:
            return self._sent(*self._held[0])
        except NeonError as error:
            self.refused += 1
            self.note("events", f"event {self._held[0][0]!r} was not sent: {error}")
            return True

    def _send_reports(self, stop):
        address = ("127.0.0.1", self.settings.report_port)
        stop.call_when_set(self._changed.set)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while True:
                is_last = stop.is_set
                sender.sendto(json.dumps(self.report()).encode(), address)
                if is_last:
                    return
                self._changed.wait(REPORT_EVERY_S)
                self._changed.clear()


def _told_template(neon):
    """Id and name of the questionnaire that is chosen on the phone; None where that cannot be told."""
    try:
        definition = neon.template.definition
    except NeonError:
        return None
    return None if definition is None else {"id": definition.id, "name": definition.name}

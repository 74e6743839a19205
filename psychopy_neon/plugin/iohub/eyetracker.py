"""The eye tracker that ioHub runs in its process.

ioHub calls everything here from one thread, in which the keyboard and all remote calls are served, too. So nothing
waits but the recording's start and end, and these let the others run meanwhile.
"""

import gc
import os
import threading
import time

from psychopy.iohub.constants import EventConstants
from psychopy.iohub.devices import Computer, DeviceEvent
from psychopy.iohub.devices.eyetracker import EyeTrackerDevice
from psychopy.iohub.errors import print2err

from psychopy_neon.errors import NeonError
from psychopy_neon.plugin.words import TrackerWords

__all__ = ["EyeTracker"]

BATCH_NS = 10_000_000
"""Events are made as often as ioHub passes them on. Gaze is asked for by its own calls and does not wait for them."""
FLUSH_EVERY_ROWS = 512
"""ioHub writes its file out after every 32 rows by default, which holds it up; a Neon makes more than 700 a second, so
this is still less than a second of data."""
EACH_FRAME = ("POS_UPDATE", "EXPAND_SIZE", "CONTRACT_SIZE")
"""What PsychoPy's Validation tells of its target at every flip begins so; it is for ioHub's file alone."""
END_LIMIT_S = 10.0
"""Against a process that stays, and keeps its port, after the experiment was killed."""


class EyeTracker(TrackerWords, EyeTrackerDevice):
    """A Neon, or a Pupil Invisible, behind the Common Eye Tracker Interface.

    ``launchHubServer(window=win, **{"psychopy_neon.EyeTracker": {"name": "tracker", "runtime_settings": {"address":
    "192.168.1.21"}}})``; the settings are those of :class:`.HostSettings`. It is there at once and connects in the
    background: :meth:`isConnected` and :meth:`getReport` tell how that goes.
    """

    DEVICE_TIMEBASE_TO_SEC = 1.0
    EVENT_CLASS_NAMES = [
        "MonocularEyeSampleEvent",
        "BinocularEyeSampleEvent",
        "FixationStartEvent",
        "FixationEndEvent",
        "SaccadeStartEvent",
        "SaccadeEndEvent",
        "BlinkStartEvent",
        "BlinkEndEvent",
        "NeonGazeEvent",
        "NeonImuEvent",
        "NeonClockEvent",
        "NeonGapEvent",
    ]

    def __init__(self, *args, **kwargs):
        EyeTrackerDevice.__init__(self, *args, **kwargs)
        self._intake = None
        self._nextBatchNs = 0
        self._isSettled = False
        self._guard("the Neon cannot be used", self._open)

    # Of the Common Eye Tracker Interface

    def enableEventReporting(self, enabled=True):
        """Whether what comes is stored; the phone's recording follows :meth:`setRecordingState`."""
        if enabled and self._intake is not None:
            self._intake.restart()
        return EyeTrackerDevice.enableEventReporting(self, enabled)

    def setConnectionState(self, enable):
        """Connect, or let go of the device; whether it is connected."""
        if not enable and self._host is not None:
            self._waitFor(self._host.close)
            self._host = None
        elif enable and self._host is None:
            self._guard("the Neon cannot be used", self._open)
        return self.isConnected()

    def getLastSample(self):
        """The newest gaze as the fields of a MonocularEyeSampleEvent; None before the first."""
        gaze = self._host.screen_gaze() if self._host is not None else None
        if gaze is None or gaze.sample is None:
            return None
        from psychopy_neon.plugin.iohub.rows import Rows

        return Rows(_zeroS(), self._host.facts, self._host.on_screen).gaze(gaze)[0]

    def getEvents(self, *args, **kwargs):
        """New events, as every ioHub device gives them; BinocularEyeSampleEvents only when asked for by their type.

        PsychoPy's Validation takes all samples for events of the same kind, and these have no place on the screen.
        """
        if args[:1] not in ((), (None,)) or kwargs.get("event_type_id") or kwargs.get("event_type"):
            return EyeTrackerDevice.getEvents(self, *args, **kwargs)
        self._iohub_server.processDeviceEvents()
        eyes = self._iohub_event_buffer.pop(EventConstants.BINOCULAR_EYE_SAMPLE, None)
        events = EyeTrackerDevice.getEvents(self, *args, **kwargs)
        if eyes is not None:
            self._iohub_event_buffer[EventConstants.BINOCULAR_EYE_SAMPLE] = eyes
        return events

    # ioHub's side

    def _poll(self):
        nowNs = time.perf_counter_ns()
        if nowNs < self._nextBatchNs or self._host is None:
            return
        self._nextBatchNs = nowNs + BATCH_NS
        self._guard("samples were not stored", self._store, False)

    def _handleEvent(self, e):
        if e[DeviceEvent.EVENT_TYPE_ID_INDEX] == EventConstants.MESSAGE:
            self._guard("a message was not sent to the recording", self._forward, e)
        else:
            EyeTrackerDevice._handleEvent(self, e)

    def _close(self):
        self._storeTheRest()
        if self._host is not None:
            self._guard("the Neon was not closed", self._host.close)
        EyeTrackerDevice._close(self)
        end = threading.Timer(END_LIMIT_S, os._exit, (0,))
        end.daemon = True
        end.start()

    # Inside

    def _open(self):
        from psychopy_neon.plugin.host import HostSettings, NeonHost
        from psychopy_neon.plugin.iohub.intake import Intake

        self._host = NeonHost(HostSettings.of(self._runtime_settings or {}))
        self._intake = Intake(self._host)

    def _store(self, isFinal):
        """Hand everything new to ioHub; what comes while nothing is recorded is let go of."""
        if self._host is None:
            return
        if not self._isSettled:
            self._settle()
        rows, count = self._intake.rows(_zeroS(), is_final=isFinal)
        if self.isReportingEvents():
            for row in rows:
                self._addNativeEventToBuffer(row)
            self._host.stored += count
            if isFinal:
                self._iohub_server.processDeviceEvents()

    def _storeTheRest(self):
        self._guard("the last samples were not stored", self._store, True)

    def _settle(self):
        """What is to be done once ioHub has all its devices."""
        experiment = self._iohub_server.deviceDict.get("Experiment")
        if experiment is None:
            return
        self._isSettled = True
        experiment._addEventListener(self, [EventConstants.MESSAGE])
        file = self._iohub_server.dsfile
        if file is not None and 0 < file.flushCounter < FLUSH_EVERY_ROWS:
            file.flushCounter = FLUSH_EVERY_ROWS
        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not stop ioHub to look at it

    def _forward(self, message):
        text = message[-1]
        if str(text).startswith(EACH_FRAME):
            return
        from psychopy_neon.plugin.clock import host_ns_from_psychopy

        hostNs = host_ns_from_psychopy(float(message[DeviceEvent.EVENT_HUB_TIME_INDEX]), Computer.global_clock)
        self._send(text, hostNs)

    def _waitFor(self, act, *args):
        """Call what waits for the phone in another thread, so that ioHub goes on; what it raised, or None."""
        import gevent

        def attempt():
            try:
                act(*args)
            except NeonError as error:
                return error
            return None

        return gevent.get_hub().threadpool.apply(attempt)

    def _guard(self, trouble, act, *args):
        """ioHub takes its other devices down with one that raises: say it, once, and go on."""
        try:
            act(*args)
        except Exception as error:  # the last place where it can be told
            problem = f"{trouble}: {type(error).__name__}: {error}"
            if problem != self._problem:
                self._problem = problem
                print2err(f"Neon: {problem}")
                self._setHardwareInterfaceStatus(False, problem)
            if self._host is not None:
                self._host.note("store", problem)


def _zeroS():
    """What ioHub's clock showed when host time was 0."""
    from psychopy_neon.plugin.clock import psychopy_from_host_s

    return psychopy_from_host_s(0, Computer.global_clock)

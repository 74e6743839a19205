"""The eye tracker that ioHub runs in its process.

ioHub calls everything here from one thread, in which the keyboard and all remote calls are served, too. So nothing
waits but the recording's start and end, and these let the others run meanwhile.
"""

import os
import threading
import time

from psychopy.iohub.constants import EventConstants, EyeTrackerConstants
from psychopy.iohub.devices import Computer, DeviceEvent
from psychopy.iohub.devices.eyetracker import EyeTrackerDevice
from psychopy.iohub.errors import print2err

from psychopy_neon.errors import NeonError

__all__ = ["EyeTracker"]

BATCH_NS = 4_000_000
"""Events are made so often: they are for the file. Gaze is asked for by its own calls and does not wait for them."""
END_LIMIT_S = 10.0
"""Against a process that stays, and keeps its port, after the experiment was killed."""


class EyeTracker(EyeTrackerDevice):
    """A Neon, or a Pupil Invisible, behind the Common Eye Tracker Interface.

    ``launchHubServer(window=win, **{"psychopy_neon.EyeTracker": {"runtime_settings": {"address": "192.168.1.21"}}})``;
    the settings are those of :class:`.HostSettings`. It is there at once and connects in the background:
    :meth:`isConnected` and :meth:`getReport` tell how that goes. Nothing here raises; what went wrong is in the report.

    Positions are in the units of the window whose tags were registered (:meth:`useLayouts`), y up, also beside the
    window; None while there is no gaze on it.
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
        self._latest_sample = self._latest_gaze_position = None
        self._host = self._intake = None
        self._problem = None
        self._nextBatchNs = 0
        self._hasExperiment = False
        self._guard("the Neon cannot be used", self._open)

    # The Common Eye Tracker Interface

    def trackerTime(self):
        """Seconds since 1970 on the phone's clock; None while that is not known."""
        neon = self._neon()
        if neon is None or neon.clock.newest is None:
            return None
        return neon.clock.newest.device_ns(neon.host_clock.now_ns()) / 1e9

    def trackerSec(self):
        """The same."""
        return self.trackerTime()

    def setConnectionState(self, enable):
        """Connect, or let go of the device; whether it is connected."""
        if not enable and self._host is not None:
            self._waitFor(self._host.close)
            self._host = None
        elif enable and self._host is None:
            self._guard("the Neon cannot be used", self._open)
        return self.isConnected()

    def isConnected(self):
        """Whether gaze arrives now."""
        return self._host is not None and self._host.state.value == "ready"

    def setRecordingState(self, recording):
        """Start, or stop and save, the recording on the phone (with ``record="stream"``: only what is stored here).

        Returns
        -------
        bool
            Whether it records then, as the phone confirmed; the report tells why it does not.
        """
        if self._host is None:
            return False
        if recording:
            error = self._waitFor(self._host.recording.start)
            if error is not None:
                self._host.recording.ended = f"the recording did not start: {error}"
            EyeTrackerDevice.enableEventReporting(self, error is None)
        else:
            self.finishRecording("save")
        return self.isRecordingEnabled()

    def isRecordingEnabled(self):
        """Whether a recording that was started here runs."""
        return self._host is not None and self._host.recording.is_running

    def getLastSample(self):
        """The newest gaze as the fields of a MonocularEyeSampleEvent; None before the first."""
        gaze = self._host.screen_gaze() if self._host is not None else None
        if gaze is None or gaze.sample is None:
            return None
        from psychopy_neon.plugin.iohub.rows import Rows

        self._latest_sample = Rows(_zeroS(), self._host.facts, self._host.on_screen).gaze(gaze)[0]
        return self._latest_sample

    def getLastGazePosition(self):
        """Where the wearer looks now, in the window's units, or None; also while nothing is recorded."""
        self._latest_gaze_position = None if self._host is None else self._host.position()
        return self._latest_gaze_position

    def sendMessage(self, message_contents, time_offset=None):
        """Send an event to the recording: it happened ``time_offset`` seconds ago, or now.

        ``io.sendMessageEvent()`` and the Eyetracker Marker of the Builder arrive there, too, with their own times.

        Returns
        -------
        int
            ``EyeTrackerConstants.EYETRACKER_OK`` or ``EYETRACKER_ERROR``.
        """
        hostNs = time.perf_counter_ns() - round((time_offset or 0.0) * 1e9)
        return self._status("error" not in self._answer(self._send, message_contents, hostNs))

    def sendCommand(self, key, value=None):
        """``"event"`` (value: its name), ``"finish"`` ("save" or "cancel"), ``"report"``; anything else is not supported.

        Returns
        -------
        int or dict
            As :meth:`sendMessage`; of ``"report"`` and ``"finish"`` the report.
        """
        if key == "event":
            return self.sendMessage(value)
        if key == "finish":
            return self.finishRecording(value or "save")
        if key == "report":
            return self.getReport()
        return EyeTrackerConstants.EYETRACKER_INTERFACE_METHOD_NOT_SUPPORTED

    def runSetupProcedure(self, calibration_args=None):
        """Nothing to do: a Neon needs no calibration. ``EYETRACKER_OK`` if gaze arrives."""
        return self._status(self.isConnected(), EyeTrackerConstants.EYETRACKER_NOT_CONNECTED)

    # Beyond it

    def getScreenGaze(self):
        """The newest gaze on the screen with its quality, its age, or the reason why there is none.

        Returns
        -------
        list
            For :func:`.unpacked_gaze`.
        """
        from psychopy_neon.plugin.exchange import packed_gaze
        from psychopy_neon.samples import GazeReason, ScreenGaze

        if self._host is None:
            return packed_gaze(ScreenGaze(None, GazeReason.NO_STREAM))
        return packed_gaze(self._host.screen_gaze())

    def useLayouts(self, layouts, window=None):
        """Look for the tags of these screens from now on.

        Parameters
        ----------
        layouts : list
            Of :func:`.packed_layout`, one for each screen; the first is the window. Empty: no tags are shown.
        window : list, optional
            The values of :class:`.WindowFacts`.

        Returns
        -------
        dict
            Empty, or ``{"error": why}``.
        """
        return self._answer(self._useLayouts, layouts, window)

    def sendEvent(self, name, hostNs=None):
        """Send an event to the recording, stamped with a host time (``time.perf_counter_ns()``) or now; never waits.

        Returns
        -------
        dict
            Empty, or ``{"error": why}``.
        """
        return self._answer(self._send, name, time.perf_counter_ns() if hostNs is None else hostNs)

    def finishRecording(self, how="save"):
        """Stop the recording: "save" or "cancel" it. Returns the report."""
        if self._host is not None:
            self._guard("the last samples were not stored", self._store, True)
            error = self._waitFor(self._host.recording.finish, how)
            if error is not None:
                self._host.recording.ended = f"the recording was not ended, it may still run on the phone: {error}"
            EyeTrackerDevice.enableEventReporting(self, False)
        return self.getReport()

    def fillTemplate(self, answers):
        """Fill in the phone's template; question (title or id) to answer. Empty, or ``{"error": why}``."""
        if self._host is None:
            return {"error": self._problem}
        error = self._waitFor(lambda: self._host.connected().template.fill(answers))
        return {} if error is None else {"error": str(error)}

    def getReport(self):
        """How it stands, as :meth:`.NeonHost.report`; ``{"state": "closed", "problem": ...}`` without a host."""
        return {"state": "closed", "problem": self._problem} if self._host is None else self._host.report()

    # ioHub's side

    def _poll(self):
        nowNs = time.perf_counter_ns()
        if nowNs < self._nextBatchNs or self._host is None:
            return
        self._nextBatchNs = nowNs + BATCH_NS
        self._guard("samples were not stored", self._store, False)

    def _handleEvent(self, e):
        if e[DeviceEvent.EVENT_TYPE_ID_INDEX] == EventConstants.MESSAGE:
            self._answer(self._forward, e)
        else:
            EyeTrackerDevice._handleEvent(self, e)

    def _close(self):
        self._guard("the last samples were not stored", self._store, True)
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

    def _neon(self):
        return None if self._host is None else self._host.neon

    def _store(self, isFinal):
        """Hand everything new to ioHub; what comes while nothing is recorded is let go of."""
        if self._host is None:
            return
        if not self._hasExperiment:
            self._listenToMessages()
        rows, count = self._intake.rows(_zeroS(), is_final=isFinal)
        if self.isReportingEvents():
            for row in rows:
                self._addNativeEventToBuffer(row)
            self._host.stored += count
            if isFinal:
                self._iohub_server.processDeviceEvents()

    def _listenToMessages(self):
        experiment = self._iohub_server.deviceDict.get("Experiment")
        if experiment is not None:
            experiment._addEventListener(self, [EventConstants.MESSAGE])
            self._hasExperiment = True

    def _forward(self, message):
        from psychopy_neon.plugin.clock import host_ns_from_psychopy

        hostNs = host_ns_from_psychopy(float(message[DeviceEvent.EVENT_HUB_TIME_INDEX]), Computer.global_clock)
        self._send(message[-1], hostNs)

    def _send(self, name, hostNs):
        if isinstance(name, bytes):
            name = name.decode(errors="replace")
        if self._host is None:
            raise NeonError(self._problem or "the connection is switched off")
        self._host.send_event(name, hostNs)

    def _useLayouts(self, layouts, window):
        from psychopy_neon.plugin.exchange import unpacked_layout
        from psychopy_neon.plugin.window_units import WindowFacts

        if self._host is None:
            raise NeonError(self._problem or "the connection is switched off")
        self._store(True)  # what came before belongs to the tags before
        facts = None if window is None else WindowFacts(*window)
        self._host.use_layouts([unpacked_layout(layout) for layout in layouts], facts)

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

    def _answer(self, act, *args):
        """For a remote call: an exception would come out as a text that looks like a result."""
        try:
            act(*args)
        except Exception as error:  # of whatever was sent; the caller, in the other process, is told
            print2err(f"Neon: {error}")
            return {"error": f"{error}"}
        return {}

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

    @staticmethod
    def _status(is_well, otherwise=EyeTrackerConstants.EYETRACKER_ERROR):
        return EyeTrackerConstants.EYETRACKER_OK if is_well else otherwise


def _zeroS():
    """What ioHub's clock showed when host time was 0."""
    from psychopy_neon.plugin.clock import psychopy_from_host_s

    return psychopy_from_host_s(0, Computer.global_clock)

"""What an experiment asks an eye tracker for: the same words for the one in ioHub and for the one beside the script.

Imported wherever PsychoPy looks for eye trackers, so it loads nothing heavy.
"""

import time

from psychopy.iohub.constants import EyeTrackerConstants

from psychopy_neon.errors import NeonError

__all__ = ["TrackerWords"]


class TrackerWords:
    """The calls of the Common Eye Tracker Interface that concern a Neon, and those beyond it.

    Nothing raises here, for ioHub turns an exception into a text that looks like an answer: what went wrong is in what
    is returned, and in :meth:`getReport`. All arguments and answers can be packed by ioHub. Positions are in the units
    of the window whose tags were registered (:meth:`useLayouts`), y up, also beside the window; None while there is no
    gaze on it.
    """

    _host = None
    """The NeonHost; None where it could not be made, or was closed."""
    _problem = None
    """Why."""

    # The Common Eye Tracker Interface

    def trackerTime(self):
        """Seconds since 1970 on the phone's clock; None while that is not known."""
        neon = None if self._host is None else self._host.neon
        if neon is None or neon.clock.newest is None:
            return None
        return neon.clock.newest.device_ns(neon.host_clock.now_ns()) / 1e9

    def trackerSec(self):
        """The same."""
        return self.trackerTime()

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
            self.enableEventReporting(error is None)
        else:
            self.finishRecording("save")
        return self.isRecordingEnabled()

    def isRecordingEnabled(self):
        """Whether a recording that was started here runs."""
        return self._host is not None and self._host.recording.is_running

    def getLastGazePosition(self):
        """Where the wearer looks now, in the window's units, or None; also while nothing is recorded."""
        return None if self._host is None else self._host.position()

    def getPosition(self):
        """See :meth:`getLastGazePosition`."""
        return self.getLastGazePosition()

    def getPos(self):
        """See :meth:`getLastGazePosition`."""
        return self.getLastGazePosition()

    def sendMessage(self, message_contents, time_offset=None):
        """Send an event to the recording: it happened ``time_offset`` seconds ago, or now.

        In ioHub ``io.sendMessageEvent()`` and the Eyetracker Marker of the Builder arrive there, too, with their times.

        Returns
        -------
        int
            ``EyeTrackerConstants.EYETRACKER_OK`` or ``EYETRACKER_ERROR``.
        """
        hostNs = time.perf_counter_ns() - round((time_offset or 0.0) * 1e9)
        isSent = not self._answer(self._send, message_contents, hostNs)
        return EyeTrackerConstants.EYETRACKER_OK if isSent else EyeTrackerConstants.EYETRACKER_ERROR

    def sendCommand(self, key, value=None):
        """``"event"`` (value: its name), ``"finish"`` ("save" or "cancel") or ``"report"``; others are not supported.

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
        is_there = self.isConnected()
        return EyeTrackerConstants.EYETRACKER_OK if is_there else EyeTrackerConstants.EYETRACKER_NOT_CONNECTED

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
            self._storeTheRest()
            error = self._waitFor(self._host.recording.finish, how)
            if error is not None:
                self._host.recording.ended = f"the recording was not ended, it may still run on the phone: {error}"
            self.enableEventReporting(False)
        return self.getReport()

    def fillTemplate(self, answers):
        """Fill in the phone's template; question (title or id) to answer. Empty, or ``{"error": why}``."""
        error = self._problem
        if self._host is not None:
            error = self._waitFor(lambda: self._host.connected().template.fill(answers))
        return {} if error is None else {"error": str(error)}

    def getReport(self):
        """How it stands, as :meth:`.NeonHost.report`; ``{"state": "closed", "problem": ...}`` without a host."""
        return {"state": "closed", "problem": self._problem} if self._host is None else self._host.report()

    # What the two do in ways of their own; ioHub has a metaclass already, so these are not abstract methods

    def enableEventReporting(self, enabled=True):
        """Whether what comes is stored as events."""
        raise NotImplementedError  # each of the two has its own

    def _waitFor(self, act, *args):
        """Call what waits for the phone; the NeonError that it raised, or None."""
        raise NotImplementedError  # each of the two has its own

    def _storeTheRest(self):
        """Store every sample that has come."""
        raise NotImplementedError  # each of the two has its own

    # Inside

    def _openHost(self):
        """The host, or NeonError."""
        if self._host is None:
            raise NeonError(self._problem or "the connection is switched off")
        return self._host

    def _send(self, name, hostNs):
        if isinstance(name, bytes):
            name = name.decode(errors="replace")
        self._openHost().send_event(name, hostNs)

    def _useLayouts(self, layouts, window):
        from psychopy_neon.plugin.exchange import unpacked_layout
        from psychopy_neon.plugin.window_units import WindowFacts

        host = self._openHost()
        self._storeTheRest()  # what came before belongs to the tags before
        facts = None if window is None else WindowFacts(*window)
        host.use_layouts([unpacked_layout(layout) for layout in layouts], facts)

    def _answer(self, act, *args):
        try:
            act(*args)
        except Exception as error:  # of whatever was sent; the caller, in the other process perhaps, is told
            return {"error": f"{error}"}
        return {}

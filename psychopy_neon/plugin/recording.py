"""The phone's recording, as PsychoPy switches it on and off."""

import threading

from psychopy_neon.errors import NeonError

__all__ = ["RecordingKeeper"]

_ENDED = {
    "STOP": "stopped",
    "SAVE": "stopped and saved",
    "DISCARD": "cancelled",
    "ERROR": "ended by an error",
}


class RecordingKeeper:
    """Starts and ends recordings, and notices when one ends by itself.

    Parameters
    ----------
    connected : callable
        Gives the Neon, or raises NeonError.
    is_on_phone : bool
        Whether the phone records; else recording is a word for storing what is streamed.
    left_running : {"use", "save", "cancel"}
        What becomes of a recording that runs already.

    Attributes
    ----------
    is_running : bool
    id : str or None
        Of the newest recording of the phone.
    ended : str or None
        Why the newest one ended without us, in words.

    Notes
    -----
    Thread: any; :meth:`start` and :meth:`finish` wait for the phone, one at a time.
    """

    def __init__(self, connected, is_on_phone, left_running):
        self.is_running = False
        self.id = None
        self.ended = None
        self._connected = connected
        self._is_on_phone = is_on_phone
        self._left_running = left_running
        self._lock = threading.Lock()

    def start(self):
        """Record from now on; nothing changes if that is so already.

        Raises
        ------
        NeonError
            The device is not there, or refuses; says why.
        """
        with self._lock:
            if self.is_running:
                return
            self.ended = None
            if self._is_on_phone:
                self.id = self._begun(self._connected())
            self.is_running = True

    def _begun(self, neon):
        """Id of the recording that runs then."""
        recording = neon.status.recording
        if neon.status.is_recording:
            if self._left_running == "use":
                return recording.id
            self._end(neon, self._left_running)
        return neon.start_recording()

    def finish(self, how):
        """End the recording: "save" or "cancel" it; nothing changes if none runs.

        Raises
        ------
        NeonError
            As for :meth:`start`; the recording may go on.
        """
        with self._lock:
            if not self.is_running:
                return
            if self._is_on_phone:
                self._end(self._connected(), how)
            self.is_running = False

    def finish_if_running(self, how):
        """The same where nobody is left to be told: an error is kept in ``ended``."""
        try:
            self.finish(how)
        except NeonError as error:
            self.ended = f"the recording was not ended, it may still run on the phone: {error}"

    def look(self):
        """Notice a recording that ended on the phone."""
        if not self._is_on_phone or not self._lock.acquire(blocking=False):
            return
        try:
            if self.is_running:
                self._look()
        finally:
            self._lock.release()

    def _look(self):
        recording = self._connected(0).status.recording
        if recording is None or recording.id != self.id or recording.action == "START":
            return
        self.is_running = False
        words = f"the recording was {_ENDED.get(recording.action, 'ended')} on the phone"
        self.ended = f"{words}: {recording.message}" if recording.message else words

    def report(self):
        """Its part of the host's report."""
        return {"recording_id": self.id, "is_recording": self.is_running, "recording_ended": self.ended}

    @staticmethod
    def _end(neon, how):
        if how == "cancel":
            neon.cancel_recording()
        else:
            neon.stop_recording()

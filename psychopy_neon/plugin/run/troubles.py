"""From what ioHub's host reports to what the experimenter has to be told: no window, no thread, no clock."""

from typing import NamedTuple

__all__ = ["HubFacts", "Judge", "Trouble"]

START_LIMIT_S = 12.0
"""From the start of ioHub to the first word of the Neon in it, and from there to a Neon that is ready."""
SILENT_S = 3.0
"""Reports come at least four times a second."""


class HubFacts(NamedTuple):
    """ioHub's process, as of one moment."""

    exitCode: int | None = None
    """None: it runs."""
    timeouts: int = 0
    """Calls that it did not answer."""


class Trouble(NamedTuple):
    """Something to tell.

    ``kind`` is "missing", "lost", "back", "template", "recording", "problem", "slow", "events" or "hub" (ioHub's
    process ended: there is no way to go on). ``words`` say what happened and what to do.
    """

    kind: str
    words: str


class Judge:
    """Finds in each report what is new since the one before.

    Attributes
    ----------
    isDown : bool
        There is no gaze now, and it was told.
    """

    def __init__(self):
        self.isDown = False
        self._startedNs = None
        self._isHubDead = False
        self._ended = None
        self._problem = None
        self._refused = 0
        self._timeouts = 0

    def look(self, nowNs, report, hub=None):
        """What is new.

        Parameters
        ----------
        nowNs : int
            Host time.
        report : dict or None
            The newest one, as the host sends it; None: there was none yet.
        hub : HubFacts or None
            None: the Neon is in this process.

        Returns
        -------
        list of Trouble
        """
        if self._startedNs is None:
            self._startedNs = nowNs
        if hub is not None and hub.exitCode is not None:
            return self._hubDied(hub.exitCode)
        found = self._ofHub(hub)
        waited_s = (nowNs - self._startedNs) / 1e9
        if report is None:
            words = (
                "the Neon's part of ioHub has not said a word since ioHub started: it prints its errors where the "
                "experiment was started"
            )
            return found + (self._down("missing", words) if waited_s > START_LIMIT_S else [])
        silent_s = (nowNs - report["sent_ns"]) / 1e9
        if silent_s > SILENT_S:
            words = f"ioHub has been silent for {silent_s:.0f} s: is the computer busy with something else?"
            return found + self._down("lost", words)
        return found + self._ofState(report, waited_s) + self._ofRecording(report) + self._ofEvents(report)

    def _hubDied(self, code):
        if self._isHubDead:
            return []
        self._isHubDead = self.isDown = True
        words = (
            f"ioHub's process ended (exit code {code}), and with it the eye tracker, its keyboard and its data file; "
            "it prints the reason where the experiment was started"
        )
        return [Trouble("hub", words)]

    def _ofHub(self, hub):
        if hub is None or self.isDown or hub.timeouts <= self._timeouts:  # what is down answers nothing: it was told
            return []
        count, self._timeouts = hub.timeouts - self._timeouts, hub.timeouts
        return [Trouble("slow", f"ioHub did not answer {count} calls in time: is the computer busy?")]

    def _ofState(self, report, waited_s):
        state, problem = report["state"], report["problem"]
        if state == "lost":
            return self._down("lost", problem or "the Neon is gone")
        if state == "connecting":
            isLate = waited_s > START_LIMIT_S
            return self._down("missing", problem or "the Neon has not been found") if isLate else []
        if state != "ready":
            return []
        found = []
        if self.isDown:
            self.isDown = False
            found.append(Trouble("back", "the Neon is back, gaze arrives again"))
        if problem is not None and problem not in (self._problem, report["recording_ended"]):
            found.append(Trouble("problem", problem))
        self._problem = problem
        return found

    def _ofRecording(self, report):
        ended, before = report["recording_ended"], self._ended
        self._ended = ended
        if ended is None or ended == before:
            return []
        return [Trouble("recording", ended)]

    def _ofEvents(self, report):
        count = report["events_refused"] - self._refused
        self._refused = max(report["events_refused"], self._refused)
        if count <= 0:
            return []
        return [Trouble("events", f"{count} events did not reach the recording: does one run on the phone?")]

    def _down(self, kind, words):
        if self.isDown:
            return []
        self.isDown = True
        return [Trouble(kind, words)]

"""A Neon in one run of an experiment, as the experiment's process sees it."""

import atexit
import time
from collections import deque

from psychopy.constants import STARTED
from psychopy.hardware import DeviceManager

from psychopy_neon.errors import NeonError
from psychopy_neon.plugin.events import NeonEvents
from psychopy_neon.plugin.run import ending
from psychopy_neon.plugin.run.data_file import columns_of, fate_of, write_columns
from psychopy_neon.plugin.run.links import NoTracker, link_of
from psychopy_neon.plugin.run.monitor import Monitor
from psychopy_neon.plugin.run.opening import Opening
from psychopy_neon.plugin.run.screen_tags import ScreenTags, WindowScreen
from psychopy_neon.plugin.run.settings import RunSettings
from psychopy_neon.plugin.run.starting import StartTap
from psychopy_neon.plugin.run.telling import TELL_LIMIT_S, Teller
from psychopy_neon.plugin.run.troubles import Judge, Trouble
from psychopy_neon.plugin.run.watcher import Watcher

__all__ = ["NeonRun", "currentRun"]

LOOK_EVERY_NS = 250_000_000
FRESH_NS = 100_000_000
"""Gaze is read once per frame, and anew by a script that does not flip."""

_runs = []


def currentRun(win, exp, eyetracker=None):
    """The run that belongs to a window and an experiment; for another eye tracker, or none, one without a Neon.

    Parameters
    ----------
    win : psychopy.visual.Window
    exp : psychopy.data.ExperimentHandler
    eyetracker : object, optional
        Default: what the DeviceManager has under that name.

    Returns
    -------
    NeonRun

    Notes
    -----
    Thread: the one that flips the window.
    """
    run = _runIn(win)
    if run is None:
        run = NeonRun(win, RunSettings(whenMissing="go on", whenLost="go on"))
    run.attach(exp)
    run.start(eyetracker)
    return run


class NeonRun:
    """The Neon in one window: gaze, events, tags, and what the experimenter has to know.

    The settings backend calls :meth:`begin`; components ask :func:`currentRun`.

    Attributes
    ----------
    win : psychopy.visual.Window
    exp : psychopy.data.ExperimentHandler or None
        In a Session one after the other.
    settings : RunSettings
    events : NeonEvents
        Events of the recording; with another eye tracker they are counted and not sent.
    screen : WindowScreen
        For gaze tools, which ask for a frame of tags.
    columns : dict
        What the data file has of the Neon, once the run has ended.

    Notes
    -----
    Thread: the one that flips the window.
    """

    def __init__(self, win, settings):
        self.win = win
        self.exp = None
        self.settings = settings
        self.screen = WindowScreen(win)
        self._expInfo = {}
        self._opening = None
        self._watcher = None
        self._exit = ending.ExitCode(self._beforeEnd)
        self._tap = StartTap(self.attach)
        self._monitor = Monitor(win, self._onFlip)
        self._link = NoTracker()
        self._judge, self._nextLookNs = Judge(), 0
        self._gaze, self._gazeNs = None, 0
        self._reset()
        _runs.append(self)

    def _reset(self):
        """As before an experiment."""
        self.columns = {}
        self.events = NeonEvents(self)
        self._teller = Teller(self.exp, self.settings, self._monitor, self._exit)
        self._tags = ScreenTags(self.win, self._useLayouts)
        self._mirror = None
        self._troubles = deque()
        self._keep = None
        self._isStarted = self._isFinished = False

    # The start, as the settings backend calls it

    @classmethod
    def begin(cls, win, exp, expInfo, settings):
        """Look for the Neon, before ioHub starts; when it is missing, do as the settings say.

        Parameters
        ----------
        win : psychopy.visual.Window
        exp : psychopy.data.ExperimentHandler or None
            None in a Session.
        expInfo : dict
        settings : dict
            For :meth:`.RunSettings.of`.

        Returns
        -------
        NeonRun

        Raises
        ------
        SystemExit
            With code 3: there is no Neon, and the experiment shall stop then.
        NeonError
            The same in a Session, which goes on with other experiments.
        ConfigurationError
            A setting that cannot be used.
        """
        settings = RunSettings.of(settings)
        run = _runIn(win)
        if run is None or run._watcher is None or not run._watcher.hasHub:  # ioHub, once started, keeps its settings
            if run is not None:
                run.close()
            run = cls(win, settings)
            run.attach(exp, expInfo)
            run._open()
        else:
            run.attach(exp, expInfo)
        return run

    def _open(self):
        self._exit.install()
        self._tap.install()
        atexit.register(self.close)
        self._monitor.open()
        self._opening = Opening(self.settings, self._monitor)
        try:
            missing = self._opening.look()
        except NeonError as error:
            self._leave(error)
        if missing is not None:
            self._teller.note(missing)
        self._watcher = Watcher()

    def _leave(self, error):
        self._exit.raiseTo(ending.MISSING)
        self._teller.note(str(error))
        self._monitor.tell(f"{error}\n\nThe experiment is not started.", TELL_LIMIT_S)
        self.finish()
        if self.exp is None:
            raise error
        self.exp.nextEntry()  # a file without a row would not show it
        raise SystemExit(ending.MISSING)

    def iohubConfig(self):
        """Key and value for the devices that ioHub is started with: ours, or in pilot mode "mouse" MouseGaze's."""
        return self._opening.iohubConfig(self._watcher.port)

    # The run

    def attach(self, exp, expInfo=None):
        """Belong to this experiment from now on; None changes nothing."""
        if exp is not None and exp is not self.exp:
            earlier = []
            if self._isStarted:
                self.finish()
            else:
                earlier = self._teller.problems  # in a Session the devices are set up for another experiment
            self.exp = exp
            self._reset()
            self._teller.problems += earlier
        if expInfo is not None or exp is not None:
            self._expInfo = expInfo if expInfo is not None else exp.extraInfo

    def start(self, eyetracker=None):
        """The experiment begins: fill in the phone's template, and mirror what the settings say; idempotent.

        Called by :func:`currentRun`, or at the first flip of a started experiment.
        """
        if self._isStarted:
            return
        self._isStarted = True
        self._link = link_of(self.win, eyetracker or DeviceManager.getDevice("eyetracker"))
        if self.isNeon:
            self._monitor.open()
            self._tags.renew()
            self._fillTemplate()
            if self.settings.events != "none" and self.exp is not None:
                isAll = self.settings.events == "all"
                self._mirror = self.events.mirror(self.exp, conditions=self.settings.conditions, components=isAll)

    def _fillTemplate(self):
        try:
            answers = self.settings.answers(self._expInfo)
            if answers:
                self._link.fillTemplate(answers)
        except NeonError as error:
            self._troubles.append(Trouble("template", f"the phone's template was not filled in: {error}"))

    @property
    def isNeon(self):
        """Whether the eye tracker is a Neon."""
        return self._link.isNeon

    @property
    def isIdle(self):
        """Whether there is no eye tracker at all."""
        return self._link.isIdle

    def gaze(self):
        """The newest gaze on the screen, read once per frame.

        Returns
        -------
        ScreenGaze
            ``reason`` NO_STREAM without an eye tracker or an answer of ioHub. Of another eye tracker it has no sample,
            and NO_GAZE when it has no position.
        """
        nowNs = time.perf_counter_ns()
        if self._gaze is None or nowNs - self._gazeNs > FRESH_NS:
            if self._gaze is None:
                self.win.callOnFlip(self._forgetGaze)
            self._gaze, self._gazeNs = self._link.gaze(), nowNs
        return self._gaze

    def _forgetGaze(self):
        self._gaze = None

    def addTags(self, tags):
        """Tags that are there from the next flip on; those kept so far go.

        Parameters
        ----------
        tags : AprilTagFrame, AprilTag or ScreenLayout
            Stimuli in the window, or a layout of tags on paper.
        """
        self._tags.add(tags)

    def keepTags(self, hide):
        """Have ``hide()`` called when tags are added: some stay until then."""
        self._tags.keep(hide)

    def removeTags(self, tags):
        """Tags that are on the screen no more."""
        self._tags.remove(tags)

    def _useLayouts(self, layouts, facts):
        """Called in a flip, where nothing may be raised."""
        if not self.isNeon:
            return
        try:
            self._link.useLayouts(layouts(), facts)
        except NeonError as error:
            self._troubles.append(Trouble("problem", f"the tags on the screen cannot be used: {error}"))

    def send_event(self, name, at_ns=None):
        """What :attr:`events` asks of a Neon: whichever eye tracker there is takes it."""
        return self._link.send_event(name, at_ns)

    def keepRecording(self, keep=True):
        """Save the phone's recording at the end, or cancel it: whatever the settings say."""
        self._keep = bool(keep)

    # What goes wrong

    def _onFlip(self):
        if self._isFinished:
            return
        if not self._isStarted and self.exp is not None and self.exp.status == STARTED:
            self.start()
        if self._isStarted:
            self._tags.follow()
        if self._isStarted or self.exp is None:
            while not self._teller.isStopped and (found := self._found()):
                self._teller.tell(found.popleft(), self._isBack)

    def _found(self):
        """Troubles that nobody has told yet."""
        if self._watcher is not None:
            while self._watcher.troubles:
                self._troubles.append(self._watcher.troubles.popleft())
        elif self.isNeon and (nowNs := time.perf_counter_ns()) >= self._nextLookNs:
            self._nextLookNs = nowNs + LOOK_EVERY_NS
            try:
                self._troubles.extend(self._judge.look(nowNs, self._link.report()))
            except NeonError as error:
                self._troubles.append(Trouble("problem", str(error)))
        return self._troubles

    def _isBack(self):
        return any(each.kind in ("back", "hub") for each in self._found())

    # The end

    def finish(self):
        """The experiment ends: end the recording, and put into the data file what is known; idempotent.

        The backend has it called by ``endExperiment``, before the data are saved.
        """
        if self._isFinished:
            return
        self._isFinished = True
        if self._mirror is not None:
            self._mirror.stop()
        for trouble in self._found():  # no flip came any more to tell it
            if trouble.kind != "back":
                self._teller.note(trouble.words)
        report, fate = self._endRecording()
        pilot = None if self._opening is None else self._opening.pilot
        self.columns = columns_of(report, pilot, fate, self._teller.problems)
        if self.exp is not None:
            write_columns(self.exp, self.columns)

    def _endRecording(self):
        """The last report, and what became of the recording in words."""
        known = (self._watcher is not None and self._watcher.report) or {}
        if not self.isNeon:
            return known, "none"
        how = self._howToEnd()
        try:
            before, after = self._link.report(), self._link.finishRecording(how)
        except NeonError as error:
            self._teller.note(f"the recording could not be ended: {error}")
            return known, "unknown"
        ended = after.get("recording_ended")
        if ended and ended != before.get("recording_ended"):
            self._teller.note(ended)
        return after, fate_of(before, after, how, self.settings.record)

    def _howToEnd(self):
        """ "save" or "cancel"."""
        if self._keep is not None:
            return "save" if self._keep else "cancel"
        if self.settings.atEnd != "expression":
            return self.settings.atEnd
        try:
            return "save" if self.settings.saveIf() else "cancel"
        except Exception as error:  # the expression is the user's: any kind; a recording that is kept can be deleted
            words = f"whether to keep the recording is not known, so it is kept: {type(error).__name__}: {error}"
            self._teller.note(words)
            return "save"

    def _beforeEnd(self):
        self.finish()
        if self._watcher is not None:
            self._watcher.endStuckHub()

    def close(self):
        """Let go of everything; idempotent, also called at exit."""
        self._beforeEnd()
        self._exit.restore()
        self._tap.restore()
        self._monitor.close()
        atexit.unregister(self.close)
        if self._watcher is not None:
            self._watcher.close()
        if self._opening is not None:
            self._opening.close()
        if self in _runs:
            _runs.remove(self)


def _runIn(win):
    return next((run for run in _runs if run.win is win), None)

"""What an eye tracker of PsychoPy is asked for, whichever it is and wherever it lives."""

from psychopy import logging

from psychopy_neon.errors import ConfigurationError, NeonError
from psychopy_neon.plugin.exchange import packed_layout, unpacked_gaze
from psychopy_neon.plugin.visual.units import framebuffer_size, screen_px
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["NeonLink", "NoTracker", "OtherTracker", "link_of"]


def link_of(win, device):
    """The link that fits an eye tracker."""
    if device is None:
        return NoTracker()
    return NeonLink(device) if hasattr(device, "getScreenGaze") else OtherTracker(win, device)


class NeonLink:
    """A Neon in ioHub's process or in this one: both offer the same words.

    Parameters
    ----------
    device : ioHubDeviceView or NeonDevice

    Notes
    -----
    Thread: the one that calls ioHub. Nothing here waits longer than :mod:`.rpc` lets it.
    """

    isNeon = True
    isIdle = False

    def __init__(self, device):
        self._device = device
        self._known = None

    def gaze(self):
        """The newest ScreenGaze; without an answer from ioHub none, with NO_STREAM."""
        try:
            return unpacked_gaze(self._ask("getScreenGaze"))
        except NeonError:  # the watcher tells it
            return ScreenGaze(None, GazeReason.NO_STREAM)

    def useLayouts(self, layouts, facts):
        """Look for these screens from now on; raises NeonError.

        Those that it looks for already are not told again, since it would begin anew: the same tags in the next repeat,
        or in the next routine, leave no hole.
        """
        wanted = [packed_layout(layout) for layout in layouts], list(facts)
        if wanted != self._known:
            self._known = None
            self._ask("useLayouts", *wanted)
            self._known = wanted

    def send_event(self, name, at_ns=None):
        """Queue an event; what :class:`.NeonEvents` asks of a Neon.

        Raises
        ------
        NeonError
        """
        self._ask("sendEvent", name, at_ns)
        return QueuedEvent()

    def report(self):
        """The host's report; raises NeonError."""
        return self._ask("getReport")

    def finishRecording(self, how):
        """End the recording if one runs: "save" or "cancel" it; raises NeonError. The report after it."""
        return self._ask("finishRecording", how)

    def fillTemplate(self, answers):
        """Answer questions of the phone's template; raises NeonError."""
        self._ask("fillTemplate", answers)

    def _ask(self, word, *args):
        try:
            answer = getattr(self._device, word)(*args)
        except NeonError:
            raise
        except Exception as error:  # ioHub's client raises what comes, from AttributeError on
            raise NeonError(f"ioHub could not be asked to {word} ({type(error).__name__}: {error})") from error
        if answer is None:
            raise NeonError(f"ioHub did not answer when it was asked to {word}")
        if isinstance(answer, str) and "ERROR" in answer:  # ioHub's words for an exception in its process
            raise NeonError(f"{word} failed in ioHub: {answer}")
        if isinstance(answer, dict) and answer.get("error"):
            raise NeonError(answer["error"])
        return answer


class QueuedEvent:
    """An event that the host took; the host's report counts those that the phone has not confirmed, or refused."""

    is_done = True
    error = None

    def wait(self, timeout_s=2.0):
        """Not offered here.

        Raises
        ------
        ConfigurationError
        """
        raise ConfigurationError("wait", timeout_s, "only with psychopy_neon.Neon; ioHub counts what was confirmed")


class OtherTracker:
    """An eye tracker that is no Neon: MouseGaze, for example.

    Attributes
    ----------
    unsent : int
        Events that had nowhere to go.
    """

    isNeon = False
    isIdle = False

    def __init__(self, win, device):
        self.unsent = 0
        self._win = win
        self._device = device

    def gaze(self):
        """Its position as a ScreenGaze; NO_GAZE when it has none."""
        size_px = framebuffer_size(self._win)
        try:
            x, y = self._device.getPos()
            pos = screen_px(self._win, (x, y), self._win.units, size_px)
        except Exception:  # None, or whatever this tracker does without a position
            return ScreenGaze(None, GazeReason.NO_GAZE)
        isOnScreen = 0 <= pos[0] < size_px[0] and 0 <= pos[1] < size_px[1]
        return ScreenGaze(pos, None, isOnScreen, age_s=0.0)

    def send_event(self, name, at_ns=None):
        """Count an event that no phone records; the log has the first."""
        if not self.unsent:
            logging.warning(f"Neon: event {name!r} is not sent, nor are later ones: the eye tracker is no Neon")
        self.unsent += 1
        return UnsentEvent(name)

    def report(self):
        """There is nothing to report."""
        return {}

    def finishRecording(self, how):
        """There is none on a phone."""
        return {}

    def fillTemplate(self, answers):
        """There is none."""


class NoTracker(OtherTracker):
    """No eye tracker at all."""

    isIdle = True

    def __init__(self):
        super().__init__(None, None)

    def gaze(self):
        """None, with NO_STREAM."""
        return ScreenGaze(None, GazeReason.NO_STREAM)


class UnsentEvent:
    """An event without a phone."""

    is_done = True

    def __init__(self, name):
        self.error = NeonError(f"event {name!r} was not sent: the eye tracker is no Neon")

    def wait(self, timeout_s=2.0):
        """Raises why there is no event."""
        raise self.error

"""What parts get as the run of the experiment: gaze that a test sets, lists instead of a Neon."""

from __future__ import annotations

from doubles import FakeNeon

from psychopy_neon.plugin.events import NeonEvents
from psychopy_neon.plugin.run.screen_tags import ScreenTags, WindowScreen
from psychopy_neon.samples import GazeReason, ScreenGaze


class FakeRun:
    """Words of ``NeonRun`` that parts use."""

    isNeon = True  # noqa: N815 (PsychoPy's naming)

    def __init__(self, win: object) -> None:
        self.isIdle = False
        self.win = win
        self.screen = WindowScreen(win)
        self.neon = FakeNeon()
        self.events = NeonEvents(self.neon)
        self._screen_tags = ScreenTags(win, lambda layouts, facts: None)
        self.addTags, self.removeTags = self._screen_tags.add, self._screen_tags.remove
        self.keepTags = self._screen_tags.keep
        self.place: tuple[float, float] | None = None
        self.reason = GazeReason.TAGS_LOST

    def gaze(self) -> ScreenGaze:
        """A new record each time: new gaze; screen px."""
        if self.place is None:
            return ScreenGaze(None, self.reason)
        width, height = self.screen.size_px
        return ScreenGaze(self.place, None, 0 <= self.place[0] < width and 0 <= self.place[1] < height)

    @property
    def tags(self) -> list[object]:
        """Those that are on the screen."""
        return self._screen_tags._tags

"""The tags that are on the screen now, told to whoever maps gaze; and the window, where gaze tools ask for tags."""

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.visual.units import framebuffer_size, window_from_centred
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.screen.coordinates import centred_from_screen

__all__ = ["ScreenTags", "WindowScreen"]


class WindowScreen:
    """A window where gaze tools ask for the tags in it: sizes and conversions, with or without tags.

    Parameters
    ----------
    win : psychopy.visual.Window
    """

    screen = 0

    def __init__(self, win):
        self._win = win

    @property
    def layout(self):
        """Something with ``size_px``: itself."""
        return self

    @property
    def size_px(self):
        """Width and height of the framebuffer."""
        return framebuffer_size(self._win)

    def from_screen(self, pos):
        """Screen px (origin top left, y down) to the window's units."""
        return window_from_centred(self._win, *centred_from_screen(*pos, self.size_px))

    def to_window(self, gaze):
        """Position of a ScreenGaze in the window's units; None when it has none here."""
        return None if gaze.pos is None or gaze.screen != self.screen else self.from_screen(gaze.pos)


class ScreenTags:
    """Collects tags and registers all that are present, at most once per flip.

    Parameters
    ----------
    win : psychopy.visual.Window
    register : callable
        ``register(layouts, facts)``: one layout for each screen, that of the window first, and WindowFacts.
    """

    def __init__(self, win, register):
        self._win = win
        self._register = register
        self._tags = []
        self._kept = []
        self._facts = None
        self._isDue = False

    def add(self, tags):
        """These are on the screen from the next flip on, in place of those that were kept."""
        kept, self._kept = self._kept, []
        for hide in kept:
            hide()
        if not any(each is tags for each in self._tags):
            self._tags.append(tags)
            self.renew()

    def remove(self, tags):
        """These are not, from the next flip on."""
        left = [each for each in self._tags if each is not tags]
        if len(left) < len(self._tags):
            self._tags = left
            self.renew()

    def keep(self, hide):
        """Some stay, though nobody asks for them, until others come: ``hide()`` is called then."""
        self._kept.append(hide)

    def follow(self):
        """Register anew if the window's units, size or monitor are others than they were; called at every flip."""
        if WindowFacts.of(self._win) != self._facts:
            self.renew()

    def layouts(self):
        """One for each screen.

        Raises
        ------
        ConfigurationError
            Tags that cannot be told apart, or a screen without tags before one with.
        """
        screens = {}
        for each in self._tags:  # paper has a layout only
            screens.setdefault(getattr(each, "screen", 0), []).append(getattr(each, "layout", each))
        if sorted(screens) != list(range(len(screens))):
            raise ConfigurationError("screen", sorted(screens), "screens counted from 0, each with tags")
        return [screens[number][0].joined(*screens[number][1:]) for number in sorted(screens)]

    def renew(self):
        """Register at the next flip."""
        if not self._isDue:
            self._isDue = True
            self._win.callOnFlip(self._now)

    def _now(self):
        self._isDue = False
        self._facts = WindowFacts.of(self._win)
        self._register(self.layouts, self._facts)

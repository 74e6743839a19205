"""Tags of a routine: the run knows of them as long as they are shown."""

from psychopy_neon.plugin.builder.components.april_tag import SETTINGS as TAG
from psychopy_neon.plugin.builder.components.april_tag_frame import SETTINGS as FRAME
from psychopy_neon.plugin.run.parts.part import DrawnPart
from psychopy_neon.plugin.visual import AprilTag, AprilTagFrame
from psychopy_neon.plugin.visual.drawn_tags import DEPTH

__all__ = ["TagFramePart", "TagPart"]


class _TagsPart(DrawnPart):
    """Parameters, errors and thread are those of ``Part``; the settings are in the table of the component."""

    def __init__(self, win, run, exp, name, **values):
        super().__init__(win, run, exp, name, DEPTH, **values)
        self._known = None

    def start(self):
        super().start()
        self._known = self.tool
        self.run.addTags(self._known)

    def stop(self):
        super().stop()
        if self._known is not None:
            self.run.removeTags(self._known)
            self._known = None


class TagPart(_TagsPart):
    """One tag."""

    SETTINGS = TAG

    def _make(self, **values):
        return AprilTag(self.win, name=self.name, **values)


class TagFramePart(_TagsPart):
    """Tags around the window."""

    SETTINGS = FRAME

    def _make(self, **values):
        return AprilTagFrame(self.win, name=self.name, **values)

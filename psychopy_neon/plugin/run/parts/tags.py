"""Tags of a routine: the run knows of them as long as they are shown."""

from psychopy_neon.plugin.builder.components.april_tag import SETTINGS as TAG
from psychopy_neon.plugin.builder.components.april_tag_frame import SETTINGS as FRAME
from psychopy_neon.plugin.run.parts.part import DrawnPart
from psychopy_neon.plugin.visual import AprilTag, AprilTagFrame
from psychopy_neon.plugin.visual.drawn_tags import DEPTH

__all__ = ["TagFramePart", "TagPart"]


class _TagsPart(DrawnPart):
    """Parameters, errors and thread are those of ``Part``; the settings are in the table of the component."""

    TOOL = None

    def __init__(self, win, run, exp, name, **values):
        super().__init__(win, run, exp, name, DEPTH, **values)
        self._shown = None

    def start(self):
        self.run.addTags(self.tool)  # lets go of tags that were kept, perhaps of these
        super().start()
        self._shown = self.tool

    def stop(self):
        super().stop()
        if self._shown is not None:
            self.run.removeTags(self._shown)
            self._shown = None

    def end(self):
        if self._values["keep"] and self._shown is not None:
            self.setAutoDraw(True)  # a script of the Builder has just switched off all that its routine drew
            self.run.keepTags(self.stop)
        else:
            super().end()

    def draw(self, win=None):
        """Draw those that the run knows of; while they are kept, new ones may be made already."""
        self._shown.draw(win)

    def _make(self, keep, **values):
        return self.TOOL(self.win, name=self.name, **values)


class TagPart(_TagsPart):
    """One tag."""

    SETTINGS = TAG
    TOOL = AprilTag


class TagFramePart(_TagsPart):
    """Tags around the window."""

    SETTINGS = FRAME
    TOOL = AprilTagFrame

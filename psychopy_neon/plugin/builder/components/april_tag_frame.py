"""AprilTags around the border of the window."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.april_tag import KEEP, LAST_ID, LOOK, SCREEN, TagsComponent
from psychopy_neon.plugin.builder.expressions import UNKNOWN
from psychopy_neon.plugin.builder.kinds import REPEAT, UNITS, Setting, length, whole, wholes

__all__ = ["SETTINGS", "NeonAprilTagFrameComponent"]

MOST = 100
SETTINGS = (
    Setting(
        "columns",
        5,
        whole(2, MOST),
        "Columns",
        "Tags along the upper and the lower edge, the corners included.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "rows", 3, whole(2, MOST), "Rows", "Tags along the left and right edge, corners included.", "Basic", REPEAT
    ),
    Setting(
        "firstId",
        0,
        whole(0, LAST_ID),
        "First tag ID",
        "IDs count up from here, row by row. Two screens need different ones.",
        "Basic",
        REPEAT,
    ),
    Setting(
        "ids",
        "",
        wholes(0, LAST_ID),
        "Tag IDs",
        "A list with one ID for each tag, row by row, instead of counting up. Blank: count up.",
        "Basic",
        REPEAT,
    ),
    KEEP,
    Setting(
        "tagSize",
        0.11,
        length(),
        "Tag size",
        "Width of a tag with the white around it; the window's height counts. Small tags are not seen from far.",
        "Layout",
        REPEAT,
    ),
    Setting(
        "inset",
        0.0,
        length(canBeZero=True),
        "Inset",
        "Distance of the tags from the window's edges, for example where a bezel hides some of the screen.",
        "Layout",
        REPEAT,
    ),
    Setting("units", "height", UNITS, "Spatial units", "Of tag size and inset.", "Layout"),
    *LOOK,
    SCREEN,
)


class NeonAprilTagFrameComponent(TagsComponent):
    """Tags around the window by which the scene camera finds the screen.

    Add one to every routine in which gaze on the screen is needed. The tags are drawn after everything else. Gaze is
    mapped by the tags that are shown at that time, so routines may have different ones.
    """

    tooltip = _translate("April Tag Frame: tags around the window by which the Neon finds the screen")
    part, stem = "TagFramePart", "april_tag_frame"
    SETTINGS = SETTINGS

    def tagIds(self):
        columns, rows, first, ids = (self.valueOf(each) for each in ("columns", "rows", "firstId", "ids"))
        if UNKNOWN in (columns, rows, first, ids):
            return None
        return set(range(first, first + _count(columns, rows)) if ids is None else ids)

    def problems(self):
        yield from super().problems()
        columns, rows, ids = (self.valueOf(each) for each in ("columns", "rows", "ids"))
        if UNKNOWN in (columns, rows, ids):
            return
        count = _count(columns, rows)
        if ids is not None and (len(ids) != count or len(set(ids)) != count):
            yield f"Tag IDs: {ids} are not {count} different ones, one for each tag"
        elif ids is None and max(self.tagIds() or {0}) > LAST_ID:
            yield f"First tag ID: {count} tags from {self.valueOf('firstId')} on go beyond {LAST_ID}, the last there is"


def _count(columns, rows):
    return 2 * (columns + rows) - 4

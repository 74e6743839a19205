"""One AprilTag anywhere in the window."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.expressions import UNKNOWN
from psychopy_neon.plugin.builder.kinds import FRAME, PLACE, REPEAT, UNITS, YES_NO, Setting, length, number, whole

__all__ = ["KEEP", "LAST_ID", "LOOK", "SCREEN", "SETTINGS", "NeonAprilTagComponent", "TagsComponent"]

LAST_ID = 586
"""Of the family 36h11."""
LOOK = (
    Setting(
        "contrast",
        1.0,
        number(above=0, most=1),
        "Contrast",
        "1 is black and white. Less leaves more of a dark room dark, and is harder to see for the camera.",
        "Appearance",
        FRAME,
    ),
    Setting(
        "quietZone", 1, whole(1, 10), "Quiet zone", "Width of the white around a tag, in its modules.", "Appearance"
    ),
    Setting("white", 1.0, number(-1, most=1), "White level", "Grey level of the white, -1 to 1.", "Appearance"),
    Setting("black", -1.0, number(-1, most=1), "Black level", "Grey level of the black, -1 to 1.", "Appearance"),
    Setting(
        "matchLuminance",
        False,
        YES_NO,
        "Match luminance",
        "Give every tag the mean luminance of the window's background, for pupil size; the levels are not used then.",
        "Appearance",
    ),
)
KEEP = Setting(
    "keep",
    False,
    YES_NO,
    "Keep between routines",
    "Leave the tags on the screen when the routine ends, until a routine with tags begins: for Eyetracker Validation, "
    "and for gaze in between.",
    "Basic",
)
SCREEN = Setting(
    "screen",
    0,
    whole(0, 7),
    "Screen",
    "Number of the screen that the tags mark, if the Neon looks at several; 0 if it is the only one.",
    "Data",
)
SETTINGS = (
    Setting("tagId", 0, whole(0, LAST_ID), "Tag ID", "0 to 586, each tag another.", "Basic", REPEAT),
    KEEP,
    Setting(
        "size", 0.15, length(), "Size", "Width with the white around it; the window's height counts.", "Layout", REPEAT
    ),
    Setting(
        "pos",
        (0, 0),
        PLACE,
        "Position [x,y]",
        "Middle of the tag. It lies in the window as a whole, and stays there for a repeat: gaze is mapped by it.",
        "Layout",
        REPEAT,
    ),
    Setting("units", "height", UNITS, "Spatial units", "Of size and position.", "Layout"),
    Setting("ori", 0.0, number(), "Orientation", "Degrees clockwise.", "Layout", REPEAT),
    *LOOK,
    SCREEN,
)


class TagsComponent(NeonComponent):
    """Tags of one component; the run is told of them while they are shown."""

    isBackground = True

    def __init__(self, exp, parentName, name="", **values):
        super().__init__(exp, parentName, name, **values)
        for level in ("white", "black"):
            self.depends.append(
                {
                    "dependsOn": "matchLuminance",
                    "condition": "== False",
                    "param": level,
                    "true": "enable",
                    "false": "disable",
                }
            )

    def tagIds(self):
        """Ids of its tags, as each kind of component has them; None if only the running script knows them."""
        raise NotImplementedError  # each kind of tags has its own

    def problems(self):
        yield from super().problems()
        ids, screen = self.tagIds(), self.valueOf("screen")
        if ids is None or screen is UNKNOWN:
            return
        for other in self.exp.routines.get(self.parentName, ()):
            if other is not self and isinstance(other, TagsComponent) and other.valueOf("screen") == screen:
                shared = sorted(ids & (other.tagIds() or set()))
                if shared:
                    yield f"tags {shared} are in {other.name}, too; each tag of a routine needs an ID of its own"


class NeonAprilTagComponent(TagsComponent):
    """A tag by which the scene camera finds the screen, placed by hand.

    Use it for a layout of your own; the April Tag Frame component does what most experiments need. The tags of all
    components that are shown at a time make one layout.
    """

    tooltip = _translate("April Tag: one tag by which the Neon finds the screen, anywhere in the window")
    part, stem = "TagPart", "april_tag"
    SETTINGS = SETTINGS

    def tagIds(self):
        tagId = self.valueOf("tagId")
        return None if tagId is UNKNOWN else {tagId}

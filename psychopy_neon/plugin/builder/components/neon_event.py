"""An event of the Neon's recording, stamped with the flip."""

from psychopy.localization import _translate

from psychopy_neon.plugin.builder.components.neon_component import NeonComponent
from psychopy_neon.plugin.builder.expressions import expression, is_blank
from psychopy_neon.plugin.builder.kinds import TEXT, Setting

__all__ = ["NeonEventComponent"]

NAMES = (
    Setting(
        "eventName",
        "event",
        TEXT,
        "Event name",
        "Sent with the time of the flip at which the component starts. With $ it is code, worked out at that moment.",
    ),
    Setting(
        "stopEventName",
        "",
        TEXT,
        "Second event at stop",
        "Sent with the time of the flip at which the component stops, or of the first one after the routine. "
        "Blank: none.",
    ),
)


class NeonEventComponent(NeonComponent):
    """Sends an event to the recording on the phone, with the time of the flip and not that of the code.

    With a duration of 0, or a blank one, it is over at once and holds no routine up.
    """

    tooltip = _translate("Neon Event: marks a moment in the Neon's recording, to the flip")
    part, stem = "EventPart", "neon_event"
    isBackground = True
    TIMES = {"stopVal": 0.0, "saveStartStop": False}  # noqa: RUF012 (flip_time says it already)

    def __init__(self, exp, parentName, name="", **values):
        names = [(each, values.pop(each.name, each.default)) for each in NAMES]
        super().__init__(exp, parentName, name, **values)
        for each, val in names:
            self.add(each, val)

    def writeStart(self, buff):
        buff.writeIndentedLines(f"{self.name}.start({self.codeOf('eventName')})\n")

    def writeStop(self, buff):
        buff.writeIndentedLines(f"{self.name}.stop({self._stopName()})\n")

    def writeRoutineEndCode(self, buff):
        if self._stopName():
            buff.writeIndentedLines(f"{self.name}.stop({self._stopName()})  # if the routine ended before\n")
        super().writeRoutineEndCode(buff)

    def problems(self):
        yield from super().problems()
        if is_blank(self.params["eventName"]):
            yield "Event name: is blank; an event needs at least one character"
        for each in NAMES:
            if expression(self.params[each.name]) is None:
                yield f"{each.label}: {self.params[each.name].val!r} is no Python expression; correct it"

    def _stopName(self):
        return "" if is_blank(self.params["stopEventName"]) else self.codeOf("stopEventName")

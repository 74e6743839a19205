"""What the components have in common: params from a table, code of few lines, alerts instead of crashes."""

from pathlib import Path

from psychopy.experiment.components import BaseComponent, Param, _translate

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.builder import DOCS
from psychopy_neon.plugin.builder.alerts import tell
from psychopy_neon.plugin.builder.expressions import UNKNOWN, code_of, expression, is_blank, literal
from psychopy_neon.plugin.builder.kinds import WINDOW_UNITS

__all__ = ["NeonComponent"]

ICONS = Path(__file__).parents[1] / "icons"
TIMING = {
    "startType": "time (s)",
    "startVal": 0.0,
    "stopType": "duration (s)",
    "stopVal": "",
    "startEstim": "",
    "durationEstim": "",
    "saveStartStop": True,
    "disabled": False,
}
ABSURD = 4
"""Times the larger side of the window: no length is meant to be so long."""


class NeonComponent(BaseComponent):
    """A component whose work is done by a part of :mod:`psychopy_neon.plugin.run.parts`.

    Parameters
    ----------
    exp : psychopy.experiment.Experiment
    parentName : str
        Of the routine.
    name : str, optional
    **values
        Of any param.

    Attributes
    ----------
    SETTINGS : tuple of Setting
        Params that the part takes, too.
    TIMES : dict
        Defaults of start and stop that differ.
    part : str
        Class of the part.
    stem : str
        Default name, and that of the icons.
    isDrawn : bool
        The part has a place in the order of drawing, which is that of the routine.
    isWatching : bool
        The part looks at the gaze in every frame.
    canFinish : bool
        The part may be done before its stop time, and may then end the routine.
    isBackground : bool
        With a blank stop it goes with the routine and does not hold it up: timing stays as it was without it.
    """

    categories = ["Eyetracking"]  # noqa: RUF012 (PsychoPy has it so)
    targets = ["PsychoPy"]  # noqa: RUF012
    plugin = "psychopy-neon"
    version = "0.1.0"
    SETTINGS = ()
    TIMES = {}  # noqa: RUF012
    part = stem = ""
    isDrawn = isWatching = canFinish = isBackground = False

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        cls.iconFile = ICONS / f"{cls.stem}.png"
        cls.iconSVG = ICONS / f"{cls.stem}.svg"

    def __init__(self, exp, parentName, name="", **values):
        timing = {each: values.pop(each, self.TIMES.get(each, usual)) for each, usual in TIMING.items()}
        super().__init__(exp, parentName, name or _camel(self.stem), syncScreenRefresh=True, **timing)
        self.type = type(self).__name__.removesuffix("Component")
        self.url = f"{DOCS}#{self.stem.replace('_', '-')}"
        self.params["syncScreenRefresh"].readOnly = True
        if self.isBackground:
            self.params["stopVal"].hint = _translate(
                "When does it end? Blank: with the routine, which it does not hold up."
            )
        exp.requirePsychopyLibs(["visual"])
        exp.requireImport(importName="currentRun", importFrom="psychopy_neon.plugin.run")
        exp.requireImport(importName="parts", importFrom="psychopy_neon.plugin.run", importAs="neonParts")
        for setting in self.SETTINGS:
            self.add(setting, values.pop(setting.name, setting.default))
        if values:
            raise TypeError(f"{type(self).__name__} has no params {', '.join(values)}")

    def add(self, setting, val, **more):
        """Make a param of a setting, behind those that are there."""
        kind, offered = setting.kind, setting.updates
        self.order.append(setting.name)
        self.params[setting.name] = Param(
            val,
            valType=kind.valType,
            inputType=kind.inputType,
            allowedVals=list(kind.choices),
            updates=offered[0] if offered else "constant",
            allowedUpdates=list(offered) if offered and len(offered) > 1 else None,
            label=_translate(setting.label),
            hint=_translate(setting.hint),
            categ=setting.categ,
            canBePath=False,  # else PsychoPy turns backslashes of a text
            **more,
        )

    # --- what is written -------------------------------------------------------------------------------------------

    def writeStartCode(self, buff):
        """In run(), before all components are made; alerts here reach every way of compiling."""
        for problem in self.problems():
            tell(self, problem)
        buff.writeOnceIndentedLines(
            "# what all Neon components share: gaze, tags and events of this run\n"
            "neonRun = currentRun(win=win, exp=thisExp, eyetracker=deviceManager.getDevice('eyetracker'))\n"
        )

    def writeInitCode(self, buff):
        constants = [each.name for each in self.SETTINGS if self.params[each.name].updates == "constant"]
        depth = f"depth={-self.getPosInRoutine():.1f}"
        words = ["win=win", "run=neonRun", "exp=thisExp", f"name={self.name!r}", *([depth] if self.isDrawn else [])]
        words += [f"{each}={self.codeOf(each)}" for each in constants]
        buff.writeIndentedLines(f"{self.name} = neonParts.{self.part}(\n{_filled(words)})\n")
        if constants and len(constants) == len(self.SETTINGS):
            buff.writeIndentedLines(f"{self.name}.prepare()  # trouble shows now, not in the first trial\n")

    def writeRoutineStartCode(self, buff):
        super().writeRoutineStartCode(buff)
        buff.writeIndentedLines(f"{self.name}.reset()\n")

    def writeFrameCode(self, buff):
        buff.writeIndentedLines(f"\n# *{self.name}* updates\n")
        indented = self.writeStartTestCode(buff)
        if indented:
            self.writeStart(buff)
            if self.goesWithRoutine():
                buff.writeIndentedLines(f"{self.name}.status = FINISHED  # it holds nothing up\n")
            buff.setIndentLevel(-indented, relative=True)
        if self.isWatching or self.checkNeedToUpdate("set every frame"):
            indented = self.writeActiveTestCode(buff)
            if self.isWatching:
                buff.writeIndentedLines(f"# where is the gaze?\n{self.name}.update()\n")
            buff.setIndentLevel(-indented, relative=True)
        indented = self.writeStopTestCode(buff, extra=f"or {self.name}.isDone" if self.canFinish else "")
        if indented:
            self.writeStop(buff)
            buff.setIndentLevel(-indented, relative=True)

    def goesWithRoutine(self):
        """Whether its status is FINISHED at once, since it has no end of its own."""
        return self.isBackground and is_blank(self.params["stopVal"])

    def writeActiveTestCode(self, buff, extra=""):
        """As the stock one; its status does not tell that a part goes with the routine."""
        if not self.goesWithRoutine():
            return super().writeActiveTestCode(buff, extra)
        buff.writeIndentedLines(f"\n# if {self.name} is active this frame...\nif {self.name}.isOn{extra}:\n")
        buff.setIndentLevel(1, relative=True)
        self.writeParamUpdates(buff, "set every frame")
        return 1

    def writeStart(self, buff):
        """Under the start test."""
        buff.writeIndentedLines(f"{self.name}.start()\n")

    def writeStop(self, buff):
        """Under the stop test."""
        buff.writeIndentedLines(f"{self.name}.stop()\n")
        if self.canFinish:
            buff.writeIndentedLines(f"if {self.name}.endsRoutine:\n    continueRoutine = False\n")

    def writeRoutineEndCode(self, buff):
        buff.writeIndentedLines(f"{self.name}.end()\n")

    def writeParamUpdate(self, buff, compName, paramName, val, updateType, params=None, target="PsychoPy"):
        """As the stock one, but what is no expression stays text."""
        log = ", log=False" if updateType == "set every frame" else ""
        buff.writeIndentedLines(f"{compName}.set{self._getParamCaps(paramName)}({self.codeOf(paramName)}{log})\n")

    def codeOf(self, name):
        """What the script has for a param."""
        return "win.units" if self.params[name].val == WINDOW_UNITS else code_of(self._typed(name))

    def _typed(self, name):
        """A param with the type of its setting: PsychoPy makes a list of all that are called size when it loads."""
        param = self.params[name]
        kind = next((each.kind for each in self.SETTINGS if each.name == name), None)
        if kind is None or param.valType == kind.valType:
            return param
        typed = param.copy()
        typed.valType = kind.valType
        return typed

    # --- what is wrong ---------------------------------------------------------------------------------------------

    def problems(self):
        """Sentences about params that cannot be right, as far as it is known before the script runs."""
        if not str(self.name).isidentifier():
            yield f"{self.name!r} is no name that Python can use; use letters, digits and _"
        if self.name in ("neonRun", "neonParts"):
            yield f"{self.name!r} is taken; choose another name"
        for name in ("startVal", "stopVal", *self._tableNames()):
            if expression(self._typed(name)) is None:
                yield f"{self.params[name].label}: {str(self.params[name].val)!r} is no Python expression; correct it"
        for setting in self.SETTINGS:
            yield from self._wrongIn(setting)
        if self.goesWithRoutine() and not self._isHeldUp():
            yield "nothing holds its routine up, which is over at once; set a stop for something in it"

    def valueOf(self, name):
        """A param's value if it is known now and can be used, else ``UNKNOWN``."""
        setting = next(each for each in self.SETTINGS if each.name == name)
        param = self.params[name]
        value = literal(self._typed(name)) if param.updates == "constant" else UNKNOWN
        try:
            return value if value is UNKNOWN else setting.kind.of(name, value)
        except ConfigurationError:
            return UNKNOWN

    def _tableNames(self):
        return [setting.name for setting in self.SETTINGS]

    def _wrongIn(self, setting):
        param = self._typed(setting.name)
        value = literal(param)
        if value is UNKNOWN or expression(param) is None:
            return
        try:
            usable = setting.kind.of(setting.label, value)
        except ConfigurationError as error:
            yield str(error)
            return
        if setting.kind.isLength and usable:
            yield from self._absurdity(setting, usable)

    def _absurdity(self, setting, size):
        """Of a length in the window that the settings of the experiment ask for."""
        from psychopy.alerts.alerttools import TestWin
        from psychopy.tools.monitorunittools import convertToPix

        units = self.exp.settings.params["Units"] if self._unitsAreOfWindow() else self.params["units"]
        try:
            win = TestWin(self.exp)
            sizePix = float(convertToPix([0, 0], [0, size], str(units.val), win)[1])
            longest = max(map(float, win.size))
        except (TypeError, ValueError, SyntaxError, AttributeError):
            return  # a window or a monitor that is only known when the script runs
        if sizePix > ABSURD * longest:
            yield f"{setting.label}: {size:g} {units.val} are {sizePix:.0f} px, too many; check the units"
        elif sizePix < 1:
            yield f"{setting.label}: {size:g} {units.val} are less than a pixel; check the units"

    def _isHeldUp(self):
        """Whether anything in the routine has an end of its own, or none at all."""
        routine = self.exp.routines.get(self.parentName, ())
        timed = [each for each in routine if "startType" in each.params and not each.disabled]
        return not all(isinstance(each, NeonComponent) and each.goesWithRoutine() for each in timed)

    def _unitsAreOfWindow(self):
        return self.params["units"].val == WINDOW_UNITS


def _filled(words, width=100):
    """Arguments in as few indented lines as they need."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}," if lines[-1] else f"    {word},"
    return "".join(f"{line}\n" for line in lines)


def _camel(stem):
    first, *others = stem.split("_")
    return first + "".join(each.capitalize() for each in others)

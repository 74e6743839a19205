"""The Neon in the experiment's settings, tab Eyetracking; light, since PsychoPy imports it at every start."""

import ast
from types import SimpleNamespace

from psychopy.experiment import Param
from psychopy.experiment.components.settings.eyetracking import EyetrackerBackend

from psychopy_neon.plugin.builder.alerts import tell
from psychopy_neon.plugin.builder.expressions import expression
from psychopy_neon.plugin.run.settings import CHOICES, RunSettings

__all__ = ["NeonEyetrackerBackend"]

DEFAULTS = RunSettings()
MISSING = ("stop with a message", "ask", "go on and mark the data")
LABELS = {
    "record": ("a recording on the phone", "stream only"),
    "whenMissing": MISSING,
    "whenLost": MISSING,
    "leftRunning": ("use it", "stop and save it", "cancel it", "ask"),
    "atEnd": ("save it", "cancel it", "decide by the expression below"),
    "events": ("none", "routines and trials", "all: also each component"),
    "pilot": ("use the real Neon", "simulate a Neon that looks where the mouse points", "take the mouse for gaze"),
    "checks": ("gaze arrives", "scene video arrives", "glasses are worn", "battery", "storage", "no recording runs"),
}
TEXTS = {
    "address": (
        "Neon address",
        "As the Companion app shows it on its Stream page, for example 192.168.1.21:8080. Empty: the one Neon of the "
        "network is looked for.",
    ),
    "serial": ("Neon serial number", "Of the module; only if several Neons answer and no address is given."),
    "phoneName": ("Phone name", "As the Companion app has it; only if several Neons answer and no address is given."),
    "record": (
        "Neon records",
        "What starting a recording means: the phone records everything, or gaze is only streamed and stored here.",
    ),
    "whenMissing": (
        "When there is no Neon",
        "What happens before the experiment starts if none is found, or a check below is not met.",
    ),
    "whenLost": (
        "When the Neon is lost",
        "What happens if during the experiment gaze stops to arrive, or the phone stops recording. 'ask' shows the "
        "question for a minute and then ends the experiment.",
    ),
    "checks": ("Check before start", "What has to be well before the experiment starts."),
    "leftRunning": ("A recording runs already", "What happens to it when this experiment starts its own."),
    "atEnd": ("At the end, the recording", "What happens to the recording when the experiment ends."),
    "saveIf": (
        "Keep recording if",
        "An expression, for the choice above: the recording is saved if it is true at the end, else cancelled. It may "
        "use expInfo and thisExp.",
    ),
    "template": (
        "Template answers",
        "Question of the phone's template (its title), and what is filled in: the name of a field of the participant "
        "dialog, or $code, or else the text as it is.",
    ),
    "events": ("Events in the recording", "What PsychoPy stamps becomes an event of the phone's recording."),
    "conditions": (
        "Conditions in events",
        "Columns of the conditions that events of trials show; with commas between.",
    ),
    "pilot": ("In pilot mode", "What stands for the Neon while you try the experiment out."),
}
"""Label and hint of each setting, in the order of the dialog."""
CODE = """\
# the Neon: looked for now, before ioHub starts, and watched from then on
from psychopy_neon.plugin.run import NeonRun
global neonRun  # so that code components can say neonRun.keepRecording(False), for example
neonRun = NeonRun.begin(win, thisExp, expInfo, {settings})
runAtExit.append(neonRun.finish)
neonKey, neonConfig = neonRun.iohubConfig()
ioConfig[neonKey] = neonConfig
"""


class NeonEyetrackerBackend(EyetrackerBackend):
    """Writes what finds the Neon, before ioHub starts; its settings are those of :class:`.RunSettings`."""

    label = "Neon (psychopy-neon)"
    key = "psychopy_neon.EyeTracker"
    plugin = "psychopy-neon"
    needsFullscreen = False
    needsCalibration = False

    @classmethod
    def getParams(cls):
        """Params by name, and their order."""
        params = {_paramName(name): _param(name) for name in TEXTS}
        return params, list(params)

    @classmethod
    def writeDeviceCode(cls, inits, buff):
        """Write settings that differ from their defaults; one that cannot be used is told and left out."""
        found = {name: _code(name, inits[_paramName(name)]) for name in TEXTS}
        if found["atEnd"] == "'expression'" and found["saveIf"] is None:
            _warn("saveIf", "is needed to decide about the recording; it is saved")
            found["atEnd"] = None
        for name in ("serial", "phoneName"):
            if found["address"] is not None and found[name] is not None:
                _warn(name, "is not used, since there is an address")
                found[name] = None
        lines = [f"    {name!r}: {code},\n" for name, code in found.items() if code is not None]
        settings = "{\n" + "".join(lines) + "}" if lines else "{}"
        buff.writeIndentedLines(CODE.format(settings=settings))


def _paramName(name):
    return f"neon{name[0].upper()}{name[1:]}"


def _param(name):
    label, hint = TEXTS[name]
    shared = {"hint": hint, "label": label, "categ": "Eyetracking", "canBePath": False}
    default = getattr(DEFAULTS, name)
    if name in CHOICES:
        shared |= {"allowedVals": list(CHOICES[name]), "allowedLabels": list(LABELS[name])}
    if name == "checks":
        return Param(list(default), valType="list", inputType="multiChoice", **shared)
    if name in CHOICES:
        return Param(default, valType="str", inputType="choice", **shared)
    if name == "template":
        return Param({}, valType="dict", inputType="dict", **shared)
    return Param("", valType="code" if name == "saveIf" else "str", inputType="single", **shared)


def _code(name, param):
    """Python for a setting; None: the default will do."""
    value = param.val
    if name == "checks":
        return _checks(value)
    if name in CHOICES:
        return _choice(name, value)
    if name == "template":
        return _template(value)
    if value is None or not str(value).strip():
        return None
    if name == "saveIf":
        return _function("saveIf", str(value))
    if name == "conditions":
        columns = tuple(each.strip() for each in str(value).split(",") if each.strip())
        return repr(columns)
    return _text(name, str(value).strip())


def _text(name, value):
    if not value.startswith("$"):
        return repr(value)
    code = expression(Param(value, valType="code"))
    if code is None:
        _warn(name, f"{value!r} is no Python expression; it is left out")
    return code


def _choice(name, value):
    if value not in CHOICES[name]:
        _warn(name, f"cannot be {value!r}; it is {getattr(DEFAULTS, name)!r}")
        return None
    return None if value == getattr(DEFAULTS, name) else repr(value)


def _checks(value):
    wanted = _literal(value) if isinstance(value, str) else value
    if not isinstance(wanted, (list, tuple)):
        wanted = [each.strip() for each in str(value).split(",") if each.strip()]
    for each in wanted:
        if each not in CHOICES["checks"]:
            _warn("checks", f"there is no check {each!r}; it is left out")
    known = tuple(each for each in CHOICES["checks"] if each in wanted)
    return None if known == DEFAULTS.checks else repr(known)


def _template(value):
    answers = _literal(value) if isinstance(value, str) else value
    if not answers:
        if isinstance(value, str) and value.strip() not in ("", "{}"):
            _warn("template", "is no table of questions and answers; it is left out")
        return None
    if not isinstance(answers, dict):
        _warn("template", f"{answers!r} is no table of questions and answers; it is left out")
        return None
    pairs = [(str(question), _answer(str(question), answer)) for question, answer in answers.items()]
    shown = ", ".join(f"{question!r}: {code}" for question, code in pairs if question and code is not None)
    return f"{{{shown}}}" if shown else None


def _answer(question, value):
    if isinstance(value, str) and value.startswith("$"):
        return _function(f"template, {question}", value)
    return repr(value if isinstance(value, (str, list)) else str(value))


def _function(name, value):
    """An expression that is computed when it is needed."""
    code = expression(Param(value, valType="code"))
    if code is None:
        _warn(name, f"{value!r} is no Python expression; it is left out")
        return None
    return f"lambda: ({code})"


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None


def _warn(name, problem):
    label = TEXTS[name][0] if name in TEXTS else name
    tell(SimpleNamespace(name="Experiment settings, Eyetracking"), f"{label!r} {problem}")

"""What the demos share: settings, the routines around the trials, and a short way to add components."""

from psychopy import experiment
from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.eyetracker_record import EyetrackerRecordComponent
from psychopy.experiment.components.keyboard import KeyboardComponent
from psychopy.experiment.components.text import TextComponent
from psychopy.experiment.loops import TrialHandler

from psychopy_neon.plugin.builder.backend import NeonEyetrackerBackend
from psychopy_neon.plugin.builder.components import (
    FixationGateComponent,
    GazeCursorComponent,
    NeonAprilTagFrameComponent,
)

CONDITIONS = "conditions.csv"
SETTINGS = {
    "eyetracker": NeonEyetrackerBackend.key,
    "keyboardBackend": "ioHub",
    "Save hdf5 file": True,
    "Units": "height",
    "neonEvents": "routines",
}
REAL_NEON = """
# With a real Neon: switch pilot mode off. If several Neons are in the network, or yours is not found, give its address
# in the experiment's settings, tab Eyetracking. Without a Neon: leave pilot mode on; a simulated one looks where the
# mouse points.
"""
CHECK = "Look at the cross.\n\nThe ring shows where the eye tracker sees you look."


class Demo:
    """An experiment that grows from its first routine to its last.

    Parameters
    ----------
    name : str
        Of the experiment and its folder.
    about : str
        Comment lines, for whoever opens it.
    instructions : str
        For the participant.
    **settings
        Of the experiment, that differ from ``SETTINGS``.
    """

    def __init__(self, name, about, instructions, **settings):
        self.name = name
        self.exp = experiment.Experiment()
        for param, value in {"expName": name, **SETTINGS, **settings}.items():
            self.exp.settings.params[param].val = value
        self._loopStart = None
        routine = self.routine("instructions", "What to do, until the space key is pressed.")
        self.add(routine, CodeComponent, "about", **{"Before Experiment": about.strip() + "\n#" + REAL_NEON})
        text = f"{instructions}\n\nPress the space bar."
        self.add(routine, TextComponent, "instructions_text", text=text, letterHeight=0.04, wrapWidth=1.0, stopVal="")
        self.add(routine, KeyboardComponent, "instructions_key", allowedKeys="'space'", store="nothing")
        self._add_gaze_check()

    def _add_gaze_check(self):
        routine = self.routine(
            "gaze_check", "Shows that gaze arrives; the recording begins here and goes on until the thanks."
        )
        self.add(routine, EyetrackerRecordComponent, "start_recording", actionType="Start Only")
        self.add(
            routine,
            TextComponent,
            "check_text",
            text=CHECK,
            letterHeight=0.04,
            pos=(0, 0.22),
            wrapWidth=1.0,
            stopVal="",
        )
        self.add(routine, FixationGateComponent, "check_gate", holdTime=0.5, limit=30)
        self.add(routine, GazeCursorComponent, "check_cursor")
        self.add_tags(routine)

    def routine(self, name, desc, **settings):
        """Add a routine to the end of the flow."""
        routine = self.exp.addRoutine(name)
        self.exp.flow.addRoutine(routine, len(self.exp.flow))
        self._set(routine.settings, {"desc": desc, **settings})
        return routine

    def add(self, routine, kind, name, **values):
        """Add a component with these params; what is code is set every repeat, where that can be chosen."""
        component = kind(self.exp, routine.name, name=name)
        self._set(component, values)
        routine.append(component)
        return component

    def add_tags(self, routine, **values):
        """Add the tags by which the screen is found."""
        return self.add(routine, NeonAprilTagFrameComponent, f"{routine.name}_tags", **values)

    def begin_loop(self):
        """Trials begin with the next routine."""
        self._loopStart = len(self.exp.flow)

    def end_loop(self, **values):
        """Trials end here: each row of the conditions once, in random order."""
        loop = TrialHandler(self.exp, name="trials", **{"nReps": 1, "conditionsFile": CONDITIONS, **values})
        self.exp.flow.addLoop(loop, self._loopStart, len(self.exp.flow))

    def thank(self, text="Thank you!"):
        """Add the end."""
        routine = self.routine("thanks", "Ends the recording and says thank you.")
        self.add(routine, EyetrackerRecordComponent, "stop_recording", actionType="Stop Only", stopVal=0.0)
        self.add(routine, TextComponent, "thanks_text", text=text, wrapWidth=1.0, stopVal=2.5)

    @staticmethod
    def _set(component, values):
        for name, value in values.items():
            param = component.params[name]
            param.val = value
            is_code = isinstance(value, str) and (value.startswith("$") or param.valType in ("code", "num"))
            if is_code and "set every repeat" in (param.allowedUpdates or ()):
                param.updates = "set every repeat"

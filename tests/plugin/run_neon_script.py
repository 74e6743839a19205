"""Compiles an experiment with the Neon in its settings and stock parts only: FOLDER SECONDS SETTINGS (as JSON).

The script is then run as a user does, by the test, in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from own_port import compile_script
from psychopy import experiment
from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.eyetracker_record import EyetrackerRecordComponent
from psychopy.experiment.components.text import TextComponent
from psychopy.experiment.routines import Routine

import psychopy_neon.plugin.builder.backend  # noqa: F401 (as an entry point it is loaded by activatePlugins)

SETTINGS = {
    "eyetracker": "psychopy_neon.EyeTracker",
    "keyboardBackend": "ioHub",
    "Show info dlg": False,
    "Full-screen window": False,
    "Window size (pixels)": "[320, 240]",
    "measureFrameRate": False,
    "frameRate": "60",
}


def main() -> None:
    folder, seconds, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    exp = experiment.Experiment()
    for name, value in {**SETTINGS, **settings}.items():
        exp.settings.params[name].val = value
    routine = Routine("trial", exp)
    exp.addRoutine("trial", routine)
    record = EyetrackerRecordComponent(exp, "trial", name="record", actionType="Start Only")
    text = TextComponent(exp, "trial", name="text", text="hello", stopType="duration (s)", stopVal=seconds)
    # The log is written at the end: this tells the test, which is in another process, that all is under way.
    sign = CodeComponent(exp, "trial", name="sign", eachFrame="if frameN == 60: open('running', 'w').close()")
    for component in (record, text, sign):
        routine.addComponent(component)
    exp.flow.addRoutine(routine, 0)
    exp.saveToXML(str(folder / "study.psyexp"))
    # Through the file, as the Builder does it.
    again = experiment.Experiment.fromFile(str(folder / "study.psyexp"))
    compile_script(again, folder / "study.py")


if __name__ == "__main__":
    main()

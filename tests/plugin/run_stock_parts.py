"""PsychoPy's own eye tracking parts in one experiment: ``run_stock_parts.py FOLDER EYETRACKER [session]``.

The experiment is compiled and run in pilot mode, by itself or twice by a Session; the wearer looks at the target of the
Validation, then at the polygon. A process of its own: such a script ends the process.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path

from own_port import compile_script
from psychopy import event, experiment, plugins
from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.eyetracker_marker import EyetrackerMarkerComponent
from psychopy.experiment.components.eyetracker_record import EyetrackerRecordComponent
from psychopy.experiment.components.keyboard import KeyboardComponent
from psychopy.experiment.components.polygon import PolygonComponent
from psychopy.experiment.components.roi import RegionOfInterestComponent
from psychopy.experiment.components.text import TextComponent
from psychopy.experiment.routines.eyetracker_calibrate import EyetrackerCalibrationRoutine
from psychopy.experiment.routines.eyetracker_validate import EyetrackerValidationRoutine
from psychopy.iohub.client.eyetracker.validation import procedure
from psychopy.iohub.client.keyboard import Keyboard
from psychopy.session import Session

from psychopy_neon.device import simulator_process

SETTINGS = {
    "keyboardBackend": "ioHub",
    "Show info dlg": False,
    "Full-screen window": False,
    "Window size (pixels)": "[800, 600]",
    "Units": "height",
    "measureFrameRate": False,
    "frameRate": "60",
    "Save hdf5 file": True,
    "mgBlink": ["MIDDLE_BUTTON"],  # MouseGaze's default is a name that its script does not have
}
MOUSE = "eyetracker.hw.mouse.EyeTracker"
PLACE = (0.2, -0.1)
UNTIL_LOOKED_AT = "continueRoutine = t < 1.5 or (t < 20 and not trial_2.numLooks)"
"""A busy computer draws in software, and sees gaze seldom."""
REPORT = "thisExp.addData('validation.error', validation.results['mean_error'])"


def made(eyetracker: str) -> experiment.Experiment:
    """Record, calibrate, validate, then a routine with a ROI, a marker and keys, then another recording.

    MouseGaze is not calibrated: it would wait for a key.
    """
    exp = experiment.Experiment()
    exp.name = "stock"
    for name, value in {**SETTINGS, "eyetracker": eyetracker}.items():
        exp.settings.params[name].val = value
    frame = experiment.getAllComponents()["NeonAprilTagFrameComponent"]
    routine(
        exp,
        "begin",
        (frame, {"keep": True}),
        (EyetrackerRecordComponent, {"actionType": "Start Only"}),
        (TextComponent, {"text": "hello", "stopVal": 1.5}),
    )
    exp.addStandaloneRoutine("calibration", EyetrackerCalibrationRoutine(exp))
    times = {"targetDur": 1.2, "movementDur": 0.4, "targetDelay": 0.4}
    exp.addStandaloneRoutine("validation", EyetrackerValidationRoutine(exp, targetLayout="THREE_POINTS", **times))
    routine(
        exp,
        "trial",
        (frame, {}),
        (PolygonComponent, {"pos": PLACE, "size": (0.2, 0.2), "stopVal": ""}),
        (RegionOfInterestComponent, {"pos": PLACE, "size": (0.3, 0.3), "stopVal": ""}),
        (EyetrackerMarkerComponent, {"message": "marked", "category": "stock"}),
        (KeyboardComponent, {"stopVal": 1.5, "forceEndRoutine": False}),
        (CodeComponent, {"beginRoutine": REPORT, "eachFrame": UNTIL_LOOKED_AT}),
    )
    routine(
        exp,
        "stop",
        (EyetrackerRecordComponent, {"actionType": "Stop Only"}),
        (TextComponent, {"text": "so far", "stopVal": 1.5}),
    )
    routine(
        exp,
        "again",
        (EyetrackerRecordComponent, {"actionType": "Start and Stop", "stopVal": 1.5}),
        (TextComponent, {"text": "again", "stopVal": 2.0}),
    )
    for name in ("begin", "calibration", "validation", "trial", "stop", "again"):
        if name != "calibration" or eyetracker != MOUSE:
            exp.flow.addRoutine(exp.routines[name], len(exp.flow))
    return exp


def routine(exp: experiment.Experiment, name: str, *parts: tuple[type, dict]) -> None:
    exp.addRoutine(name)
    for number, (component, values) in enumerate(parts):
        exp.routines[name].append(component(exp, name, name=f"{name}_{number}", **values))


def lead() -> None:
    """Have the mouse, where the wearer looks, follow the targets, and go to the polygon once the results are shown."""
    draw, show = procedure.ValidationTargetRenderer._draw, procedure.ValidationProcedure.showResultsScreen

    def draw_and_look(self: object) -> None:
        event.Mouse(win=self.win).setPos(self.target.pos)
        draw(self)

    def show_and_look_away(self: object) -> float:
        at_s = show(self)
        event.Mouse(win=self.win).setPos(PLACE)
        return at_s

    procedure.ValidationTargetRenderer._draw = draw_and_look
    procedure.ValidationProcedure.showResultsScreen = show_and_look_away
    Keyboard.waitForPresses = lambda self, **_: ["space"]  # the hand that leaves the results' screen


def main(folder: Path, eyetracker: str, is_session: bool) -> None:
    simulator_process.SimulatorProcess = functools.partial(simulator_process.SimulatorProcess, folder / "truth.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugins.activatePlugins()
        exp = made(eyetracker)
        exp.saveToXML(str(folder / "stock.psyexp"))
        compile_script(experiment.Experiment.fromFile(str(folder / "stock.psyexp")), folder / "stock.py")
    lead()
    os.chdir(folder)
    if is_session:
        run_session(folder)
    else:
        run_script(folder)


def run_script(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("stock", folder / "stock.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    exp = script.setupData(script.expInfo)
    win = script.setupWindow(script.expInfo)
    script.setupDevices(script.expInfo, exp, win)
    script.run(script.expInfo, exp, win)
    script.saveData(exp)
    script.quit(exp, win)


def run_session(folder: Path) -> None:
    session = Session(root=folder, dataDir=folder / "data", experiments={"stock": "stock.py"})
    session.setupWindowFromExperiment("stock")
    script = session.experiments["stock"]
    exp = script.setupData(script.expInfo, dataDir=str(folder / "data"))  # PsychoPy's scripts ask it for a file's name
    session.setupDevicesFromExperiment("stock", thisExp=exp)
    for _ in range(2):
        session.runExperiment("stock")
    rows = [run.entries for run in session.runs]  # of its files, some are written twice
    (folder / "session.json").write_text(json.dumps(rows, default=str))
    session.close()


if __name__ == "__main__":
    sys.argv.append("--pilot")
    main(Path(sys.argv[1]).resolve(), sys.argv[2], "session" in sys.argv[3:])

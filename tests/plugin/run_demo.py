"""Runs a Builder demo in pilot mode, in short, and looks where it asks to: ``run_demo.py PSYEXP FOLDER``.

Its script is written to the folder and run from there as the Builder does; beside its data files there are then the
truth of its simulated Neon and ``told.json``. A process of its own: such a script ends the process.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from doubles import JudgeClock
from own_port import compile_script
from psychopy import event, experiment, plugins
from psychopy.constants import STARTED
from psychopy.experiment.loops import LoopInitiator
from psychopy.hardware.keyboard import Keyboard

from psychopy_neon.device import simulator_process
from psychopy_neon.plugin.run.parts import GatePart

SETTINGS = {"Show info dlg": False, "measureFrameRate": False, "frameRate": 60}
LONGEST_S = 1.0
"""Of what lasts for a time."""
PATIENCE_S = 40.0
"""Of what waits for gaze, which comes seldom where a busy computer draws in software."""
HOLD_S = 0.2
"""Of gates and buttons."""
WAITING = ("choose",)
ENDS = {
    "scene": "all(roi.numLooks for roi in (house_roi, tree_roi, sun_roi))",
    "search": "frameN > 30 and gaze_window.tool.reason is None",
}
"""Routines that are to last until gaze has been where it was led."""
FRAMES = 5
"""Of the instructions; a routine of so many seconds is over before it begins where starting took longer."""
ROWS = {"moving_window": "1:3", "eeg_events": "3:5"}
"""Of the conditions, so that both kinds of trials are run; of the others the first two."""
ANSWER_S = 0.4
FRAME_NS = 1_000_000_000 // 60


def shorten(exp: experiment.Experiment) -> None:
    """Two trials in the order of the conditions, and no waiting for keys."""
    for name, value in SETTINGS.items():
        exp.settings.params[name].val = value
    for routine in exp.routines.values():
        for part in routine:
            limit(part, routine.name)
    (loop,) = (each.loop for each in exp.flow if isinstance(each, LoopInitiator))
    loop.params["loopType"].val, loop.params["nReps"].val = "sequential", 1
    loop.params["Selected rows"].val = ROWS.get(exp.settings.params["expName"].val, "0:2")


def limit(part: object, routine: str) -> None:
    """How long a part of a routine, or all of it, may last."""
    stop = part.params.get("stopVal")
    if "limit" in part.params:
        part.params["limit"].val, part.params["holdTime"].val = PATIENCE_S, HOLD_S
    elif "dwellTime" in part.params:
        part.params["dwellTime"].val = HOLD_S
    elif part.name == routine and routine in ENDS:  # the settings of the routine
        part.params["stopType"].val, stop.val = "condition", ENDS[routine]
    elif part.name in WAITING:
        stop.val = PATIENCE_S
    elif routine == "instructions" and part.type in ("Text", "Keyboard"):
        part.params["stopType"].val, stop.val = "duration (frames)", FRAMES
    elif stop is not None and str(stop.val).strip() and part.params["stopType"].val == "duration (s)":
        stop.val = PATIENCE_S if routine in ENDS else min(float(stop.val), LONGEST_S)


def compiled(psyexp: Path, folder: Path) -> tuple[ModuleType, list[str]]:
    """The script as a module, with a port of ioHub that no other run has; and its routines."""
    exp = experiment.Experiment()
    exp.loadFromXML(str(psyexp))
    shorten(exp)
    for table in psyexp.parent.glob("*.csv"):
        shutil.copy(table, folder)
    path = folder / f"{psyexp.stem}.py"
    exp.saveToXML(str(folder / psyexp.name))
    compile_script(exp, path)
    spec = importlib.util.spec_from_file_location(psyexp.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, list(exp.routines)


class Wearer:
    """Leads the mouse, where the simulated wearer looks, before each flip, and keeps the pace of a display."""

    def __init__(self, exp: object, win: object) -> None:
        self._exp = exp
        self._mouse = event.Mouse(win=win)
        self._routine, self._began_ns = None, 0
        self.answers_ns = []
        """Host time before and after each press of a key."""
        self._next_ns = time.perf_counter_ns()
        self._flip = win.flip
        win.flip = self.flip

    def flip(self, *args: object, **settings: object) -> object:
        routine = self._exp.currentRoutine
        if routine is not self._routine:
            self._routine, self._began_ns = routine, time.perf_counter_ns()
        if routine is not None:
            passed_s = (time.perf_counter_ns() - self._began_ns) / 1e9
            self._mouse.setPos(self._place(routine, passed_s))
            self._press_key(routine, passed_s)
        self._next_ns = max(self._next_ns + FRAME_NS, time.perf_counter_ns())
        time.sleep(max(self._next_ns - time.perf_counter_ns(), 0) / 1e9)  # no virtual display makes a flip wait
        return self._flip(*args, **settings)

    def _place(self, routine: object, passed_s: float) -> tuple[float, float]:
        """In the window's units, height."""
        look = LOOKS.get(routine.name)
        if look is not None:
            return look({part.name: part for part in routine.components if hasattr(part, "name")}, passed_s)
        gates = [part for part in routine.components if isinstance(part, GatePart) and part.status == STARTED]
        return gates[0].tool.pos if gates else (0.0, 0.0)

    def _press_key(self, routine: object, passed_s: float) -> None:
        """What a stock Keyboard component has after a press: there is no hand here."""
        answer = next((part for part in routine.components if isinstance(part, Keyboard)), None)
        if answer is not None and routine.name == "trial" and passed_s > ANSWER_S and not answer.keys:
            before_ns = time.perf_counter_ns()
            answer.keys, answer.rt, answer.duration = "space", answer.clock.getTime(), None
            self.answers_ns.append((before_ns, time.perf_counter_ns()))


def at_parts(parts: dict, passed_s: float) -> tuple[float, float]:
    """At the first of house, tree and sun that was not looked at yet."""
    targets = {"house_roi": "wall", "tree_roi": "crown", "sun_roi": "sun"}
    left = [target for roi, target in targets.items() if not parts[roi].numLooks]
    return tuple(parts[(left or ["sun"])[0]].pos)


def at_answer(parts: dict, passed_s: float) -> tuple[float, float]:
    """At the left one in every trial; first at neither."""
    return (0.0, 0.0) if passed_s < 0.2 else tuple(parts["left"].tool.pos)


def in_circles(parts: dict, passed_s: float) -> tuple[float, float]:
    return 0.3 * math.cos(3 * passed_s), 0.2 * math.sin(3 * passed_s)


LOOKS: dict[str, Callable[[dict, float], tuple[float, float]]] = {
    "scene": at_parts,
    "choose": at_answer,
    "search": in_circles,
}


def main(psyexp: Path, folder: Path) -> None:
    simulator_process.SimulatorProcess = functools.partial(simulator_process.SimulatorProcess, folder / "truth.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugins.activatePlugins()
        script, routines = compiled(psyexp, folder)
    exp = script.setupData(script.expInfo)
    script.setupLogging(exp.dataFileName)
    win = script.setupWindow(script.expInfo)
    script.setupDevices(script.expInfo, exp, win)
    judge = JudgeClock()
    wearer = Wearer(exp, win)
    script.run(script.expInfo, exp, win, globalClock=judge)
    told = {
        "routines": routines,
        "readings": list(judge.readings.items()),
        "answers_ns": wearer.answers_ns,
        "window": [*map(int, win.pos), *map(int, win.size)],
    }
    (folder / "told.json").write_text(json.dumps(told, default=str))
    script.saveData(exp)
    script.quit(exp, win)


if __name__ == "__main__":
    sys.argv.append("--pilot")
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())

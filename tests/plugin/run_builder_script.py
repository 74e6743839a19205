"""Compiles an experiment of the Builder, runs it with ioHub and a mirror, and prints what happened as JSON.

A process of its own: such a script changes the folder, PsychoPy's clocks and its preferences.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

from doubles import FakeNeon, JudgeClock
from own_port import free_port
from psychopy import core, experiment
from psychopy.experiment.components.text import TextComponent
from psychopy.experiment.loops import TrialHandler
from psychopy.experiment.routines import Routine
from psychopy.iohub import launchHubServer
from psychopy.scripts.psyexpCompile import compileScript

from psychopy_neon.plugin.clock import host_ns_from_psychopy
from psychopy_neon.plugin.events import NeonEvents

PAUSE_S = 0.15
SETTINGS = {
    "Show info dlg": "False",
    "Full-screen window": "False",
    "Window size (pixels)": "[320, 240]",
    "measureFrameRate": "False",
    "frameRate": "60",
}


class Judge(JudgeClock):
    """Notes how often and by how much it was set back."""

    pauses: tuple[float, ...] = ()

    def addTime(self, t: float) -> None:  # noqa: N802 (PsychoPy's name)
        self.pauses += (-t,)
        super().addTime(t)


class PausingNeon(FakeNeon):
    """Pauses the experiment for a moment when the second trial starts."""

    def __init__(self, exp: object) -> None:
        super().__init__()
        self._exp = exp

    def send_event(self, name: str, at_ns: int | None = None) -> object:
        if name.startswith("trials.started 1"):
            self._exp.pause()
            threading.Timer(PAUSE_S, self._exp.resume).start()
        return super().send_event(name, at_ns)


def compiled(folder: Path) -> ModuleType:
    """A script with two routines, a text in each, in a loop with two conditions."""
    (folder / "conditions.csv").write_text("word,side\nrot,left\nblau,right\n", encoding="utf-8")
    exp = experiment.Experiment()
    for name, value in SETTINGS.items():
        exp.settings.params[name].val = value
    for place, name in enumerate(("cue", "target")):
        routine = Routine(name, exp)
        exp.addRoutine(name, routine)
        text = TextComponent(exp, name, name=f"{name}_text", text="$word", stopType="duration (frames)", stopVal="3")
        text.params["text"].updates = "set every repeat"
        routine.addComponent(text)
        exp.flow.addRoutine(routine, place)
    loop = TrialHandler(exp, name="trials", nReps=1, conditionsFile="conditions.csv", loopType="sequential")
    exp.flow.addLoop(loop, startPos=0, endPos=2)
    exp.saveToXML(str(folder / "study.psyexp"))
    compileScript(exp, outfile=str(folder / "study.py"))
    spec = importlib.util.spec_from_file_location("study", folder / "study.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def main() -> None:
    script = compiled(Path(sys.argv[1]))
    exp = script.setupData(script.expInfo)
    win = script.setupWindow(script.expInfo)
    script.setupDevices(script.expInfo, exp, win)
    hub = script.deviceManager.ioServer = launchHubServer(window=win, udp_port=free_port())
    judge, neon = Judge(), PausingNeon(exp)
    events = NeonEvents(neon)
    mirror = events.mirror(exp, conditions=["word"])
    jump_s = core.getTime()
    try:
        script.run(script.expInfo, exp, win, globalClock=judge)  # its syncClock sets core's clock, too
    finally:
        hub.quit()
    jump_s -= core.getTime()
    mirror.stop()
    off_ns = time.perf_counter_ns() - host_ns_from_psychopy(judge.getTime())
    script.saveData(exp)
    exp.abort()  # or it is saved again at exit
    win.close()
    found = {"sent": neon.sent, "rows": exp.entries, "pauses": judge.pauses, "jump_s": jump_s, "off_ns": off_ns}
    counts = {"restamped": events.restamped, "failed": events.failed, "waiting": events.waiting}
    print(json.dumps({**found, **counts, "readings": list(judge.readings.items())}, default=str))


if __name__ == "__main__":
    main()

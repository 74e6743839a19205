"""Each trial waits at a cross until you look at it, and says what it waits for.

``psychopy-neon demo fixation_gate --simulate`` runs it without hardware. In every fourth trial the simulated wearer
does not look at the cross, so the gate gives up and tells what was missing.
"""

import sys

from _common import run
from psychopy import visual

from psychopy_neon.contingent.gate import GateState
from psychopy_neon.plugin.visual import FixationGate, GazeCursor

TRIALS = 8
LIMIT_S = 3.0
TARGET_S = 0.4
RADIUS_DEG = 2.0


def main():
    return run(__doc__, play)


def play(stage):
    win, tags, record = stage.win, stage.tags, stage.record
    gate = FixationGate(win, tags, RADIUS_DEG, limit=LIMIT_S, record=record)
    ring = visual.Circle(win, units="deg", radius=RADIUS_DEG, lineColor="dimgrey", fillColor=None, edges=64)
    cursor = GazeCursor(win, tags, record=record)
    target = visual.GratingStim(win, tex="sin", mask="gauss", units="deg", size=4, sf=1.5)
    stage.text.pos = (0, -win.size[1] / 4)
    trials = []
    for number in range(TRIALS):
        if stage.is_over():
            break
        gate.reset()
        gate.pos = ring.pos = (-6.0 if number % 2 else 6.0, 0.0)
        trials.append(wait_at(stage, gate, ring, cursor, does_look=number % 4 != 3))
        if gate.isOpen:
            target.pos = (-gate.pos[0], 0.0)
            show(stage, target, cursor)
    return {"opened": sum(trial["state"] == "OPEN" for trial in trials), "trials": trials}


def wait_at(stage, gate, ring, cursor, does_look):
    """Until the gate is open or gives up; what became of it."""
    cross = stage.tags.from_screen(gate.posPx)
    for _ in stage.frames_for(LIMIT_S + 1):
        stage.lead(cross if does_look else (0, 0))
        cursor.gaze = gaze = stage.gaze()
        state = gate.update(gaze)
        if stage.text.text != gate.waitsFor and state is not GateState.HOLDING:
            stage.text.text = gate.waitsFor
        stage.frame(ring, gate, stage.text, cursor)
        if state in (GateState.OPEN, GateState.TIMED_OUT):
            break
    return {"state": gate.state.name, "waited_for": gate.waitsFor}


def show(stage, target, cursor):
    """What the trial is about, beside the cross."""
    for _ in stage.frames_for(TARGET_S):
        cursor.gaze = stage.gaze()
        stage.frame(target, cursor)


if __name__ == "__main__":
    sys.exit(main())

"""Trials that begin when the cross was fixated."""

from psychopy.experiment.components.grating import GratingComponent
from psychopy.experiment.components.keyboard import KeyboardComponent
from psychopy.experiment.components.text import TextComponent

from psychopy_neon.plugin.builder.components import FixationGateComponent

from .kit import Demo

ABOUT = """
# Fixation gate: a trial begins when gaze has rested on the cross, not when a timer has run off.
#
# The cross moves between trials. If nobody looks at it for eight seconds the gate gives up: the routine "target" is
# skipped then ("Skip if" in its settings), and the column gate.waited_for tells what was missing.
"""
INSTRUCTIONS = """Look at the cross until it is gone.

Then stripes appear on the other side: press the left or the right arrow key, to where their upper end leans."""


def make():
    demo = Demo("fixation_gate", ABOUT, INSTRUCTIONS, neonConditions="crossX, lean")
    demo.begin_loop()
    fixate = demo.routine("fixate", "Ends when gaze has rested on the cross for 0.4 s, or after 8 s.")
    demo.add(fixate, FixationGateComponent, "gate", pos="$(crossX, 0)", holdTime=0.4, limit=8)
    demo.add_tags(fixate)
    target = demo.routine("target", "Skipped if the cross was not fixated.", skipIf="not gate.isOpen")
    demo.add(
        target,
        GratingComponent,
        "stripes",
        mask="gauss",
        size=(0.3, 0.3),
        sf=12,
        pos="$(-crossX, 0)",
        ori="tilt",
        stopVal=0.5,
    )
    demo.add(
        target,
        KeyboardComponent,
        "answer",
        allowedKeys="'left','right'",
        storeCorrect=True,
        correctAns="$lean",
        stopVal=3.0,
    )
    demo.add(target, TextComponent, "question", text="left or right?", letterHeight=0.04, startVal=0.5, stopVal=2.5)
    demo.add_tags(target)
    demo.end_loop()
    demo.thank()
    return demo

"""Events of an oddball experiment, for a recording beside an EEG."""

from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.keyboard import KeyboardComponent
from psychopy.experiment.components.polygon import PolygonComponent

from psychopy_neon.plugin.builder.components import NeonEventComponent

from .kit import Demo

ABOUT = """
# EEG events: the same flip is marked in the recording of the Neon and in that of the EEG.
#
# The Neon Event "onset" sends "standard 1" or "target 2" with the time of the flip that showed the stimulus; kind and
# trigger come from the conditions. The mirror in the settings (tab Eyetracking, "Events in the recording") adds
# routines and trials with these columns. The code component sends the answer with the keyboard's own time.
#
# For a parallel port add a Parallel Out component to the routine "trial": start 0, duration 0.05 s, start data
# $trigger, stop data 0, sync to screen, and the address of your port. It writes the same trigger at the same flip, so
# both recordings have the same marks, by which their clocks are joined later. For a trigger box at a serial port take
# Serial Out.
"""
INSTRUCTIONS = """Blue squares and, seldom, orange diamonds will flash.

Press the space bar as fast as you can when you see a diamond. Do not press for squares."""
NAME = "$f'{kind} {trigger}'"
ANSWER = """\
if answer.keys:
    neonRun.events.sendEvent("answer 8", answer.rt, answer.clock)
"""


def make():
    demo = Demo("eeg_events", ABOUT, INSTRUCTIONS, neonConditions="kind, trigger")
    demo.begin_loop()
    trial = demo.routine("trial", "A flash of 0.3 s, then time for the answer.")
    look = {"shape": "rectangle", "size": (0.2, 0.2), "ori": "tilt", "fillColor": "$color", "lineColor": "None"}
    demo.add(trial, PolygonComponent, "flash", stopVal=0.3, **look)
    dot = {"shape": "circle", "size": (0.015, 0.015), "fillColor": "black", "lineColor": "None"}
    demo.add(trial, PolygonComponent, "dot", stopVal=1.2, **dot)
    demo.add(trial, NeonEventComponent, "onset", eventName=NAME)
    demo.add(trial, KeyboardComponent, "answer", allowedKeys="'space'", forceEndRoutine=False, stopVal=1.2)
    demo.add(trial, CodeComponent, "send_answer", **{"End Routine": ANSWER})
    demo.add_tags(trial)
    demo.end_loop(nReps=4)
    demo.thank()
    return demo

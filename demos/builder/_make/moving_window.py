"""Search through a window that follows the gaze, or around a scotoma."""

from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.keyboard import KeyboardComponent
from psychopy.experiment.components.text import TextComponent

from psychopy_neon.plugin.builder.components import FixationGateComponent, GazeWindowComponent

from .kit import Demo

ABOUT = """
# Moving window: a T among many Ls has to be found, with a part of the screen hidden depending on gaze.
#
# The conditions choose: in a "moving window" only what is looked at is seen, with a "scotoma" just that is hidden. The
# Gaze Window covers what is above it in the routine. What follows gaze is late by several tens of milliseconds: good
# for slow tasks, not for changes during a saccade. While there is no gaze nothing is shown.
"""
INSTRUCTIONS = """Among many Ls there is one T. Sometimes you see only what you look at, sometimes just that is hidden.

When you have found the T press the left or the right arrow key: on which side of the screen is it?"""
ROWS, COLUMNS = 6, 10
FILL = f"""\
letters = [["L"] * {COLUMNS} for row in range({ROWS})]
letters[targetRow][targetColumn] = "T"
search_letters = "\\n\\n".join("  ".join(row) for row in letters)
"""


def make():
    demo = Demo("moving_window", ABOUT, INSTRUCTIONS, neonConditions="mode, side")
    demo.begin_loop()
    fixate = demo.routine("fixate", "Each search begins in the middle.")
    demo.add(fixate, FixationGateComponent, "fixate_gate", limit=5)
    demo.add_tags(fixate)
    search = demo.routine("search", "The letters, and below them in the list what covers them.", stopVal=20.0)
    demo.add(search, CodeComponent, "fill", **{"Begin Routine": FILL})
    demo.add(
        search,
        TextComponent,
        "search_text",
        text="$search_letters",
        font="Courier New",
        letterHeight=0.06,
        wrapWidth=2.0,
        stopVal="",
    )
    demo.add(search, GazeWindowComponent, "gaze_window", mode="$mode", radius=0.11)
    demo.add(
        search,
        KeyboardComponent,
        "answer",
        allowedKeys="'left','right'",
        storeCorrect=True,
        correctAns="$side",
    )
    demo.add_tags(search)
    demo.end_loop()
    demo.thank()
    return demo

"""How often and how long you look at a picture, at a text and at a disc that moves.

``psychopy-neon demo roi_viewing --simulate`` runs it without hardware. The bar under each is gold while it is looked
at, black while it is not, and red while nobody knows: no data is not the same as not looked at.
"""

import math
import sys

from _common import run
from psychopy import visual

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.plugin.visual import GazeCursor, GazeROI

SECONDS = 60.0
VISIT_S = 0.8
ROUND_S = 5.0
COLORS = {Look.ON: "gold", Look.OFF: "black", Look.NO_DATA: "red"}


def main():
    return run(__doc__, play)


def play(stage):
    win, tags = stage.win, stage.tags
    width, height = win.size
    side, left, up = 0.22 * height, -width / 4, height / 8
    stimuli = {
        "picture": visual.GratingStim(win, tex="sqrXsqr", sf=0.03, size=(side, side), pos=(left, up)),
        "text": visual.TextBox2(
            win, "Read this", pos=(-left, up), size=(1.3 * side, side / 2), letterHeight=side / 6, alignment="center"
        ),
        "disc": visual.Circle(win, radius=0.4 * side, fillColor="teal", lineColor=None),
    }
    rois = {name: GazeROI(stim, tags, record=stage.record, name=name) for name, stim in stimuli.items()}
    marks = {name: visual.Rect(win, width=60, height=12, lineColor=None) for name in stimuli}
    cursor = GazeCursor(win, tags, record=stage.record)
    for passed_s in stage.frames_for(SECONDS):
        angle = 2 * math.pi * passed_s / ROUND_S
        stimuli["disc"].pos = (width / 5 * math.sin(angle), -height / 6)
        stage.lead(list(stimuli.values())[int(passed_s / VISIT_S) % len(stimuli)].pos)
        cursor.gaze = gaze = stage.gaze()
        for name, roi in rois.items():
            mark(marks[name], stimuli[name], roi.update(gaze))
        stage.frame(*stimuli.values(), *marks.values(), cursor)
    return {name: roi.results() for name, roi in rois.items()}


def mark(bar, stim, look):
    """A bar under the stimulus in the colour of its state."""
    bar.pos = (stim.pos[0], stim.pos[1] - 0.14 * stim.win.size[1])
    if bar.fillColor is None or getattr(bar, "shownLook", None) is not look:
        bar.shownLook, bar.fillColor = look, COLORS[look]


if __name__ == "__main__":
    sys.exit(main())

"""Read through a window that follows your gaze; with --scotoma a disc hides what you look at.

``psychopy-neon demo moving_window --simulate`` runs it without hardware. When there is no gaze nothing of the text is
shown: a participant who takes the glasses off shall not see more than one who looks.
"""

import sys

from _common import run
from psychopy import visual

from psychopy_neon.plugin.visual import GazeScotoma, GazeWindow

SECONDS = 60.0
TEXT = """The window moves with the eyes. What lies outside of it is covered, and the cover is drawn
over the text, so any stimulus can be used. A reader needs some fourteen letters to the right of the place
that is looked at, and four to its left. The window is late by the age of the gaze and the wait for the
next frame, far more than a saccade takes: what follows gaze here does so after the eye has landed."""
LINES = 4
LINE_S = 1.5


def main():
    return run(__doc__, play, options)


def options(parser):
    parser.add_argument("--scotoma", action="store_true", help="hide what is looked at instead")
    parser.add_argument("--radius", type=float, default=4.0, help="degrees")


def play(stage):
    win, tags = stage.win, stage.tags
    width, height = win.size
    page = visual.TextStim(win, text=" ".join(TEXT.split()), height=height / 22, wrapWidth=width * 0.6, color="black")
    kind = GazeScotoma if stage.args.scotoma else GazeWindow
    hole = kind(win, tags, stage.args.radius, "deg", softEdge=1.0, record=stage.record)
    held = hidden = 0
    for passed_s in stage.frames_for(SECONDS):
        stage.lead(reading_place(passed_s, width, height))
        hole.gaze = stage.gaze()
        stage.frame(page, hole)
        held += hole.isHeld
        hidden += hole.drawnPos is None
    return {"frames_held": held, "frames_without_place": hidden}


def reading_place(passed_s, width, height):
    """Along the lines, in steps as a reader's."""
    line, part = divmod(passed_s / LINE_S, 1)
    step = int(part * 6) / 5
    return (step - 0.5) * 0.5 * width, (1.5 - line % LINES) * height / 16


if __name__ == "__main__":
    sys.exit(main())

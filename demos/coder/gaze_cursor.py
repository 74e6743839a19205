"""A red ring where you look, and with --smooth a green one that is calmer and later.

``psychopy-neon demo gaze_cursor --simulate`` runs it without hardware. The line in the middle tells the age of the gaze
and how late the filter is.
"""

import math
import sys

from _common import run

from psychopy_neon.plugin.visual import GazeCursor
from psychopy_neon.screen.filters import OneEuroFilter

SECONDS = 60.0
ROUND_S = 6.0


def main():
    return run(__doc__, play, options)


def options(parser):
    parser.add_argument("--smooth", action="store_true", help="add a ring steadied by the 1-euro filter")


def play(stage):
    win, tags, record = stage.win, stage.tags, stage.record
    cursors = [GazeCursor(win, tags, record=record)]
    smoother = OneEuroFilter() if stage.args.smooth else None
    if smoother:
        cursors.append(GazeCursor(win, tags, size=60, color="lime", smoother=smoother, record=record, name="Smooth"))
    shown = 0
    for passed_s in stage.frames_for(SECONDS):
        stage.lead(on_a_round(passed_s, win.size))
        gaze = stage.gaze()
        for cursor in cursors:
            cursor.gaze = gaze
        stage.text.text = describe(gaze, smoother)
        stage.frame(stage.text, *cursors)
        shown += cursors[0].isShown
    return {"frames_with_the_ring": shown}


def on_a_round(passed_s, size):
    """Rest, and a figure of eight."""
    angle = 2 * math.pi * max(passed_s - 0.5, 0) / ROUND_S
    return 0.3 * size[0] * math.sin(angle), 0.25 * size[1] * math.sin(2 * angle)


def describe(gaze, smoother):
    if gaze.reason is not None:
        return f"No gaze: {gaze.reason.value}"
    late = f", the green ring is {1000 * smoother.delay_s:.0f} ms later" if smoother else ""
    # In steps: a text that changes at every frame would take longer to lay out than all the rest.
    return f"Gaze is about {round(100 * gaze.age_s) * 10} ms old{late if int(gaze.age_s * 1e3) else ''}"


if __name__ == "__main__":
    sys.exit(main())

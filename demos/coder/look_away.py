"""A count that stops while you look away from the window, or while nobody knows where you look.

``psychopy-neon demo look_away --simulate`` runs it without hardware. The window leaves a part of the screen free, so
that the simulated wearer can look beside it.
"""

import sys

from _common import run
from psychopy import visual

from psychopy_neon.contingent.evidence import Look
from psychopy_neon.contingent.look_away import Attention
from psychopy_neon.plugin.visual import GazeCursor, LookAwayPause

SECONDS = 60.0
AWAY_S = 0.6
ROUND_S = 2.4
AWAY_FROM_S = 0.8
"""In each round the simulated wearer looks away at this time, for half of the round."""


def main():
    return run(__doc__, play, window_share=0.75)


def play(stage):
    win, tags, record = stage.win, stage.tags, stage.record
    pause = LookAwayPause(win, tags, awayTime=AWAY_S, margin=1.0, record=record)
    cursor = GazeCursor(win, tags, record=record)
    bar = visual.Rect(win, width=40, height=40, pos=(0, -win.size[1] / 6), fillColor="gold", lineColor=None)
    stage.text.text = "The square moves while you watch"
    stage.text.pos = (0, win.size[1] / 5)
    moved, causes = 0, []
    for passed_s in stage.frames_for(SECONDS):
        is_away = AWAY_FROM_S <= passed_s % ROUND_S < AWAY_FROM_S + ROUND_S / 2
        stage.lead((win.size[0] * 0.6, 0) if is_away else bar.pos)
        cursor.gaze = gaze = stage.gaze()
        was_paused = pause.isPaused
        state = pause.update(gaze)
        if not pause.isPaused:
            moved += 1
            bar.pos = ((moved * 3) % (win.size[0] // 2) - win.size[0] // 4, -win.size[1] / 6)
        elif not was_paused:
            causes.append("away" if state is Attention.AWAY else pause.lookAway.reason.name)
        stage.frame(stage.text, bar, pause, cursor)
    times = {f"{look.name.lower()}_s": round(pause.lookAway.times.seconds(look), 3) for look in Look}
    return {"pauses": pause.lookAway.pauses, "causes": causes, "frames_moved": moved, **times}


if __name__ == "__main__":
    sys.exit(main())

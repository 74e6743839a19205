"""Choose by looking: the ring around a button fills while you look at it.

``psychopy-neon demo dwell_choice --simulate`` runs it without hardware. Each choice is saved with the time at which the
winning look began and the time of the selection.
"""

import sys

from _common import run

from psychopy_neon.plugin.visual import DwellButton, GazeCursor

ROUNDS = 6
ROUND_S = 6.0
SHOWN_S = 0.4
LOOK_ABOUT_S = 0.3
SIZE_DEG = 5.0
PLACES_DEG = {"left": (-8.0, 0.0), "right": (8.0, 0.0)}


def main():
    return run(__doc__, play)


def play(stage):
    win, tags, record = stage.win, stage.tags, stage.record
    buttons = {
        name: DwellButton(win, tags, pos, SIZE_DEG, "deg", name, margin=0.5, hysteresis=0.5, record=record)
        for name, pos in PLACES_DEG.items()
    }
    cursor = GazeCursor(win, tags, record=record)
    stage.text.pos = (0, win.size[1] / 4)
    choices = []
    for number in range(ROUNDS):
        if stage.is_over():
            break
        stage.text.text = f"{number + 1} of {ROUNDS}: which side do you prefer?"
        wanted = list(PLACES_DEG)[number % 2]
        choices.append(choose(stage, buttons, cursor, wanted))
    made = [choice for choice in choices if choice is not None]
    abandoned = sum(button.dwell.abandoned for button in buttons.values())
    return {"choices": made, "choices_made": len(made), "looks_abandoned": abandoned}


def choose(stage, buttons, cursor, wanted):
    """One round; what was chosen, and when. None: nothing in time."""
    for button in buttons.values():
        button.cancel()  # who still looks at one has to look away first
    began_ns = None
    for passed_s in stage.frames_for(ROUND_S):
        stage.lead((0, 0) if passed_s < LOOK_ABOUT_S else stage.tags.from_screen(buttons[wanted].posPx))
        cursor.gaze = gaze = stage.gaze()
        for button in buttons.values():
            button.update(gaze)
        stage.frame(stage.text, *buttons.values(), cursor)
        began_ns = began_ns or stage.flips_ns[-1]
        for name, button in buttons.items():
            if button.isSelected:
                show(stage, buttons, cursor)
                times_ns = {"entered_s": button.dwell.entered_ns, "selected_s": button.dwell.selected_ns}
                times_s = {each: round((time_ns - began_ns) / 1e9, 4) for each, time_ns in times_ns.items()}
                return {"chosen": name, "wanted": wanted, **times_s}
    return None


def show(stage, buttons, cursor):
    """The full ring, for a moment."""
    for _ in stage.frames_for(SHOWN_S):
        cursor.gaze = stage.gaze()
        stage.frame(stage.text, *buttons.values(), cursor)


if __name__ == "__main__":
    sys.exit(main())

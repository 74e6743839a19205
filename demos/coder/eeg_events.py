"""Blue squares and seldom an orange diamond flash: each is an event with the time of its flip.

``psychopy-neon demo eeg_events --simulate`` runs it without hardware. An EEG gets the same marks at the same flips
where ``MARK_EEG`` is a function that sets a trigger, such as ``parallel.ParallelPort(0x378).setData``: then both
recordings can be joined by them. Press the space bar when you see a diamond; the answer has the key's own time.
"""

import random
import sys

from _common import run
from psychopy import core, event, visual

from psychopy_neon.plugin.events import NeonEvents
from psychopy_neon.plugin.visual import GazeROI

MARK_EEG = None
FLASH_S = 0.3
TRIAL_S = 1.2
KINDS = {"standard": (1, 0, "dodgerblue"), "target": (2, 45, "darkorange")}
ANSWER = 8
TRIALS = random.Random(1).sample(["standard"] * 32 + ["target"] * 8, 40)


def main():
    return run(__doc__, play)


def play(stage):
    recording = stage.neon.start_recording()
    height = stage.win.size[1]
    shapes = {
        kind: visual.Rect(stage.win, size=0.2 * height, ori=tilt, fillColor=color, lineColor=None)
        for kind, (_, tilt, color) in KINDS.items()
    }
    middle = GazeROI(shapes["standard"], stage.tags, record=stage.record, name="middle")
    events, sent = NeonEvents(stage.neon), []
    for kind in TRIALS:
        if stage.is_over():
            break
        sent += trial(stage, events, kind, shapes[kind], middle)
    stage.neon.stop_recording()  # after all events were confirmed
    confirmed = [each for each in sent if each.is_done and each.error is None]
    return {
        "recording": recording,
        "events_confirmed": f"{len(confirmed)} of {len(sent)}",
        "middle_looked_at_s": round(middle.results()["on_s"], 2),
    }


def trial(stage, events, kind, shape, middle):
    """One flash and the answer to it, with a watch on the gaze; the events."""
    trigger = KINDS[kind][0]
    clock = core.Clock()
    stage.win.callOnFlip(clock.reset)
    sent = [events.sendEventOnFlip(stage.win, f"{kind} {trigger}")]
    if MARK_EEG is not None:
        stage.win.callOnFlip(MARK_EEG, trigger)
    event.clearEvents("keyboard")
    for passed_s in stage.frames_for(TRIAL_S):
        stage.lead((0, 0))
        middle.update(stage.gaze())
        stage.frame(*([shape] if passed_s < FLASH_S else []))
        for _, rt_s in event.getKeys(["space"], timeStamped=clock):
            sent.append(events.sendEvent(f"answer {ANSWER}", rt_s, clock))
    return sent


if __name__ == "__main__":
    sys.exit(main())

"""Look at the ring: it fills while your gaze rests on it, and the next one appears.

Runs on real glasses (give the address that the Companion app shows, or nothing to search the network) and, without any
hardware, by ``psychopy-neon demo gaze_contingent --simulate``. It starts and stops a recording on the phone, sends an
event for every trial, and saves one row per frame, a picture of the last frame and a summary.
"""

import random
import sys

from _common import run

from psychopy_neon.plugin.events import NeonEvents
from psychopy_neon.plugin.visual import DwellButton, GazeCursor

TRIALS = 8
RING_PX = 84
DWELL_S = 0.6
TRIAL_S = 3.0
PAUSE_S = 0.4
LOOK_AFTER_S = 0.4
"""The simulated wearer takes so long to find the ring."""


def main():
    return run(__doc__, play)


def play(stage):
    """A recording with a few trials."""
    recording = stage.neon.start_recording()
    experiment = Experiment(stage)
    experiment.run()
    stage.neon.stop_recording()
    sent = experiment.sent
    confirmed = [each for each in sent if each.is_done and each.error is None]
    return {
        "recording": recording,
        "trials_looked_at": f"{experiment.looked_at} of {experiment.trial}",
        "events_confirmed": f"{len(confirmed)} of {len(sent)}",
    }


class Experiment:
    """One run: a few trials."""

    def __init__(self, stage):
        self.stage = stage
        self.ring = DwellButton(
            stage.win, stage.tags, size=2 * RING_PX, margin=0.2 * RING_PX, hysteresis=0.1 * RING_PX, dwellTime=DWELL_S
        )
        self.cursor = GazeCursor(stage.win, stage.tags, record=stage.record)
        self.events = NeonEvents(stage.neon)
        self.sent = []
        self.looked_at = 0
        self.trial = 0

    def run(self):
        for place in ring_places(self.stage.win.size, TRIALS):
            if self.stage.is_over():
                break
            self.trial += 1
            self.run_trial(place)

    def run_trial(self, place):
        stage, ring = self.stage, self.ring
        ring.pos = place
        ring.reset()
        stage.text.text = f"{self.trial} of {TRIALS}"
        for _ in stage.frames_for(PAUSE_S):
            self.frame()
        if stage.is_over():
            return
        self.sent.append(self.events.sendEventOnFlip(stage.win, f"trial {self.trial} start"))  # the ring's first frame
        for passed_s in stage.frames_for(TRIAL_S):
            if passed_s > LOOK_AFTER_S:
                stage.lead(place)
            ring.update(self.frame(ring))
            if ring.isSelected:
                self.looked_at += 1
                self.sent.append(self.events.sendAt(f"trial {self.trial} looked at", ring.dwell.selected_ns))
                return

    def frame(self, *stimuli):
        """Draw and flip one frame; the gaze that it went by."""
        self.cursor.gaze = gaze = self.stage.gaze()
        self.stage.frame(*stimuli, self.stage.text, self.cursor)
        return gaze


def ring_places(size, count, seed=1):
    """Places well inside the tags, none twice in a row."""
    steps = [-0.3, -0.15, 0, 0.15, 0.3]
    places = [(round(x * size[0]), round(y * size[1] * 0.9)) for x in steps for y in steps if (x, y) != (0, 0)]
    return random.Random(seed).sample(places, count)


if __name__ == "__main__":
    sys.exit(main())

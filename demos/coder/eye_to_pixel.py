"""A patch turns white as soon as gaze is lost or jumps: from eye to pixel, with a LED and a camera.

``psychopy-neon demo eye_to_pixel --simulate`` runs it without hardware: there the LED is a jump of the simulated gaze.
With ``--serial PORT`` the line DTR switches the LED, otherwise a hand does. What was used at each flip is in
``trials.csv``. The manual's page on latency tells how to set it up and what to make of it.
"""

import math
import random
import sys
import time

from _common import run, save_table
from _led import NAMES, Light, first_changed, row_of
from psychopy import visual

from psychopy_neon import GazeReason
from psychopy_neon.cli.eye_to_pixel import analyse, read_measured, read_trials

REST_S, WHITE_S, SETTLE_S = (0.4, 0.8), 0.3, 20.0
LIMIT_S, HAND_LIMIT_S = 1.0, 30.0
LOST = {GazeReason.NOT_WORN, GazeReason.NO_GAZE, GazeReason.BLINK}
"""What a blinded eye tracker may say. Other reasons, as a late packet, are no answer to the LED."""


def main():
    return run(__doc__, play, options)


def options(parser):
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--serial", metavar="PORT", help="switch the LED by the line DTR of this port")
    parser.add_argument("--jump-px", type=float, default=150, help="gaze that moves so far has been blinded, too")


def play(stage):
    light = Light(stage)
    try:
        rows = Session(stage, light).run()
    finally:
        light.close()
    path = stage.args.out / "trials.csv"
    save_table(path, NAMES, rows)
    answered = sum("flip_host_ns" in row for row in rows)
    led_to_flip = analyse(read_measured(path), read_trials(path)) if answered and light.is_driven else None
    return {"trials": f"{len(rows)} of {stage.args.trials}", "answered": answered, "led_to_flip": led_to_flip}


class Session:
    """Trials, one after the other: rest, blind, answer."""

    def __init__(self, stage, light):
        self.stage, self.light = stage, light
        self.samples = stage.neon.gaze.reader()
        side = stage.win.size[1] / 5
        self.patch = visual.Rect(stage.win, width=side, height=side, lineColor=None)
        self.chance = random.Random(1)

    def run(self):
        rows = []
        while len(rows) < self.stage.args.trials and not self.stage.is_over():
            before = self.rest()
            if before is None:  # nobody looks: what there is, is kept
                break
            rows.append({"trial": len(rows) + 1, **self.blind(before)})
        return rows

    def rest(self):
        """Dark patch and no LED until gaze has rested for a while; the last of it, None if it never did."""
        rest_s, begun_s, before = self.chance.uniform(*REST_S), 0.0, None
        for passed_s in self.stage.frames_for(SETTLE_S):
            self.light.switch(False)
            gaze = self.show("black")
            if gaze.pos is None or before is None or self.moved_px(gaze, before) > self.stage.args.jump_px / 3:
                begun_s = passed_s
            elif passed_s - begun_s > rest_s:
                return gaze
            before = gaze if gaze.pos is not None else None
        return None

    def blind(self, before):
        """Switch the LED on and answer as soon as gaze tells of it; a row of the log."""
        self.samples.take()
        time.sleep(self.chance.uniform(0, 0.01))  # not always at the same moment of a frame; nothing is waited for
        led_ns = self.light.switch(True)
        for _ in self.stage.frames_for(LIMIT_S if self.light.is_driven else HAND_LIMIT_S):
            gaze = self.stage.gaze()
            cause = self.cause(gaze, before)
            self.show("white" if cause else "black", gaze)
            if cause:
                first = first_changed(self.samples.take(), before.sample, gaze.sample)
                row = row_of(gaze, first, led_ns, self.stage.flips_ns[-1], cause)
                for _ in self.stage.frames_for(WHITE_S):
                    self.show("white")
                return row
        return {"led_on_host_ns": led_ns}

    def cause(self, gaze, before):
        """Why the patch turns white, or None."""
        if gaze.reason in LOST:
            return gaze.reason.name
        return "JUMP" if gaze.pos and self.moved_px(gaze, before) > self.stage.args.jump_px else None

    def moved_px(self, gaze, before):
        return math.dist(gaze.pos, before.pos)

    def show(self, color, gaze=None):
        gaze = self.stage.gaze() if gaze is None else gaze
        self.patch.fillColor = color
        self.stage.record.drew("patch", gaze, None, color == "white")
        self.stage.frame(self.patch)
        return gaze


if __name__ == "__main__":
    sys.exit(main())

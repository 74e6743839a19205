"""Look at the ring: it fills while your gaze rests on it, and the next one appears.

Runs on real glasses (give the address that the Companion app shows, or nothing to search the network) and, without any
hardware, by ``psychopy-neon demo gaze_contingent --simulate``. It starts and stops a recording on the phone, sends an
event for every trial, and saves one row per frame, a picture of the last frame and a summary.
"""

import argparse
import contextlib
import csv
import gc
import itertools
import json
import math
import random
import statistics
import sys
import time
from pathlib import Path

from psychopy import event, visual

from psychopy_neon import LinkError, Neon, NeonError, ScreenGazeTracker
from psychopy_neon.plugin.events import NeonEvents
from psychopy_neon.plugin.visual import AprilTagFrame, GazeCursor

TRIALS = 8
RING_PX = 70
DWELL_S = 0.6
TRIAL_S = 3.0
PAUSE_S = 0.4
LONG_FRAME_S = 0.025
MESSAGE_S = 2.5


def main():
    args = read_arguments()
    win = visual.Window(
        fullscr=not args.window, size=args.window or (1920, 1080), units="pix", color="grey", pos=(0, 0)
    )
    win.mouseVisible = False
    try:
        with contextlib.ExitStack() as stack:
            try:
                neon = stack.enter_context(Neon(args.address))
                Experiment(win, neon, args).run()
            except NeonError as error:
                # Told before the Neon is closed, for that tries for some seconds to send what is left.
                print(f"Error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
                show_message(win, str(error))
                return 1
    finally:
        win.close()
    return 0


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="host or host:port of the Neon; left out: search the network")
    parser.add_argument("--frames", type=int, help="stop after so many frames")
    parser.add_argument("--out", type=Path, default=Path("gaze_contingent"), help="folder for the data")
    parser.add_argument("--window", type=int, nargs=2, metavar=("W", "H"), help="a window instead of the full screen")
    parser.add_argument("--pointer", action="store_true", help="move the mouse pointer to each ring until you move it")
    return parser.parse_args()


class Experiment:
    """One run: a few trials in a window with tags around its border."""

    def __init__(self, win, neon, args):
        self.win, self.neon, self.args = win, neon, args
        self.tags = AprilTagFrame(win)
        self.screen = ScreenGazeTracker(neon, self.tags.layout)
        self.cursor = GazeCursor(win, self.tags)
        self.rim, self.hole, self.fill = (disc(win, color) for color in ("white", "grey", "limegreen"))
        self.rim.size = 2 * RING_PX + 10
        self.text = visual.TextStim(win, height=28, pos=(0, 0), color="white")
        self.pace = Pace(win)
        self.pointer = Pointer(win) if args.pointer else None
        self.events = NeonEvents(neon)
        self.rows, self.sent = [], []
        self.looked_at = 0
        self.trial = 0

    def run(self):
        self.wait_for_gaze()
        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not stop a frame to look at it
        recording = self.neon.start_recording()
        try:
            self.run_trials()
        except LinkError:
            self.save(recording)
            raise
        self.neon.stop_recording()
        self.save(recording)

    def wait_for_gaze(self, limit_s=10.0):
        """Show the tags until they are seen, so that the first trial begins with gaze."""
        end = time.perf_counter() + limit_s
        while self.screen.latest().pos is None and time.perf_counter() < end and not self.is_over():
            self.text.text = f"Waiting for gaze: {self.screen.latest().reason.value}"
            self.frame(None)

    def run_trials(self):
        places = ring_places(self.win.size, TRIALS)
        for self.trial, place in enumerate(places, 1):
            if self.is_over():
                break
            self.run_trial(place)

    def run_trial(self, place):
        self.rim.pos = self.hole.pos = self.fill.pos = place
        self.text.text = f"{self.trial} of {TRIALS}"
        self.pause()
        if self.is_over():
            return
        self.sent.append(self.events.sendEventOnFlip(self.win, f"trial {self.trial} start"))  # the ring's first frame
        started = time.perf_counter()
        looked_since = None
        while time.perf_counter() - started < TRIAL_S and not self.is_over():
            if self.pointer and time.perf_counter() - started > PAUSE_S:
                self.pointer.move_to(place)
            gaze = self.frame(looked_since)
            is_on_ring = gaze is not None and math.dist(gaze, place) < RING_PX * 1.2
            looked_since = (looked_since or time.perf_counter()) if is_on_ring else None
            if looked_since and time.perf_counter() - looked_since > DWELL_S:
                self.looked_at += 1
                self.sent.append(self.events.sendEvent(f"trial {self.trial} looked at"))
                return

    def pause(self):
        end = time.perf_counter() + PAUSE_S
        while time.perf_counter() < end and not self.is_over():
            self.frame(None, with_ring=False)

    def frame(self, looked_since, with_ring=True):
        """Draw and flip one frame; gaze in window units, or None."""
        self.neon.check_link()
        gaze = self.screen.latest()
        self.last_drawn = (gaze, looked_since, with_ring)
        self.draw(*self.last_drawn)
        self.rows.append((self.pace.flip(), self.trial, gaze))
        return self.tags.to_window(gaze)

    def draw(self, gaze, looked_since, with_ring):
        if with_ring and self.trial:
            self.rim.draw()
            self.hole.draw()
            if looked_since:
                self.fill.size = 2 * RING_PX * min((time.perf_counter() - looked_since) / DWELL_S, 1)
                self.fill.draw()
        self.text.draw()
        self.cursor.gaze = gaze
        self.cursor.draw()
        self.tags.draw()  # last, so that nothing covers a tag

    def is_over(self):
        has_all = self.args.frames is not None and len(self.rows) >= self.args.frames
        return has_all or bool(event.getKeys(["escape"]))

    # What is left behind

    def save(self, recording):
        self.args.out.mkdir(parents=True, exist_ok=True)
        self.draw(*self.last_drawn)
        self.win.getMovieFrame(buffer="back")  # what is drawn but not shown yet; "front" is black on some drivers
        self.win.saveMovieFrames(str(self.args.out / "last_frame.png"))
        self.save_frames(self.args.out / "frames.csv")
        self.neon.clock.save(self.args.out / "clock.json")
        summary = self.summary(recording)
        (self.args.out / "summary.json").write_text(json.dumps(summary, indent=2))
        for name, value in summary.items():
            print(f"{name.replace('_', ' '):>28}  {value}")
        print(f"Picture, data and summary are in {self.args.out.resolve()}")

    def save_frames(self, path):
        fields = "flip_ns trial x_px y_px on_screen reason age_s pose_age_s tags fit_px sample_device_ns sample_host_ns"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(fields.split())
            for flip_ns, trial, gaze in self.rows:
                x, y = gaze.pos or ("", "")
                quality, sample = gaze.quality, gaze.sample
                fit = (quality.pose_age_s, quality.tag_count, quality.reprojection_px) if quality else ("", "", "")
                times = (sample.device_ns, sample.host_ns) if sample else ("", "")
                reason = gaze.reason.name if gaze.reason else ""
                writer.writerow((flip_ns, trial, x, y, int(gaze.is_on_screen), reason, gaze.age_s, *fit, *times))

    def summary(self, recording):
        flips = [flip_ns for flip_ns, _, _ in self.rows]
        gaps_s = [(after - before) / 1e9 for before, after in itertools.pairwise(flips)]
        ages_ms = sorted(gaze.age_s * 1e3 for _, _, gaze in self.rows if gaze.pos is not None)
        confirmed = [sent for sent in self.sent if sent.is_done and sent.error is None]
        health = self.neon.gaze.health
        return {
            "recording": recording,
            "frames": len(self.rows),
            "frames_longer_than_25_ms": sum(gap > LONG_FRAME_S for gap in gaps_s),
            "frame_rate_hz": round(1 / statistics.median(gaps_s), 2) if gaps_s else None,
            "gaze_rate_hz": round(health.rate_hz, 1),
            "gaze_lost": health.lost,
            "gaze_gaps": [gap.cause for gap in health.gaps],
            "gaze_age_ms_median": round(statistics.median(ages_ms), 1) if ages_ms else None,
            "gaze_age_ms_95_percent": round(ages_ms[int(len(ages_ms) * 0.95)], 1) if ages_ms else None,
            "frames_with_gaze_percent": round(100 * len(ages_ms) / max(len(self.rows), 1), 1),
            "trials_looked_at": f"{self.looked_at} of {self.trial}",
            "events_confirmed": f"{len(confirmed)} of {len(self.sent)}",
            "window_px": [int(each) for each in self.win.size],
        }


def disc(win, color):
    """A disc whose size can change at every frame (a Circle would compute its outline anew, for 3 ms)."""
    return visual.GratingStim(win, tex=None, mask="circle", texRes=256, size=2 * RING_PX, color=color, autoLog=False)


class Pace:
    """Flips at the display's rate, or at 60 Hz where graphics are drawn in software and wait for no display."""

    def __init__(self, win):
        self.win = win
        renderer = win.winHandle.context.get_info().get_renderer()
        has_refresh = not any(name in renderer.lower() for name in ("llvmpipe", "softpipe", "swr"))
        self.period_ns = None if has_refresh else 1_000_000_000 // 60
        self.next_ns = time.perf_counter_ns()

    def flip(self):
        """Flip; host time of the flip."""
        if self.period_ns:
            self.next_ns = max(self.next_ns + self.period_ns, time.perf_counter_ns())
            while (left_ns := self.next_ns - time.perf_counter_ns()) > 0:
                time.sleep(max(left_ns - 500_000, 0) / 1e9)  # wakes a little late: the rest is waited for awake
        self.win.flip()
        return time.perf_counter_ns()


class Pointer:
    """Leads a simulated wearer, who looks where the mouse points, until a hand takes the mouse."""

    def __init__(self, win):
        self.mouse = event.Mouse(win=win, visible=False)
        self.last = None
        self.is_taken = False

    def move_to(self, place):
        if self.last is not None and math.dist(self.mouse.getPos(), self.last) > 5:
            self.is_taken = True
        if not self.is_taken and place != self.last:
            self.mouse.setPos(place)
            self.last = place


def ring_places(size, count, seed=1):
    """Places well inside the tags, none twice in a row."""
    steps = [-0.3, -0.15, 0, 0.15, 0.3]
    places = [(round(x * size[0]), round(y * size[1] * 0.9)) for x in steps for y in steps if (x, y) != (0, 0)]
    return random.Random(seed).sample(places, count)


def show_message(win, text):
    """Say it on the screen for a moment, or until a key is pressed."""
    message = visual.TextStim(win, text=text, height=32, wrapWidth=win.size[0] * 0.7, color="white")
    end = time.perf_counter() + MESSAGE_S
    event.clearEvents()
    while time.perf_counter() < end and not event.getKeys():
        message.draw()
        win.flip()
        time.sleep(0.02)  # a window drawn in software does not wait in flip()


if __name__ == "__main__":
    sys.exit(main())

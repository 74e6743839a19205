"""What the demos share: arguments, window, Neon, tags, the frame, and what is left behind."""

import argparse
import contextlib
import csv
import gc
import itertools
import json
import math
import statistics
import sys
import time
from collections import deque
from pathlib import Path

import pyglet
from psychopy import event, monitors, visual

from psychopy_neon import Neon, NeonError, ScreenGazeTracker
from psychopy_neon.plugin.visual import AprilTagFrame, GazeRecord

LONG_FRAME_S = 0.025
TAG_SHARE = 1 / 9
"""Of the display's height, also in a smaller window: how large a tag has to be depends on the distance only."""
MESSAGE_S = 2.5
GAZE_LIMIT_S = 10.0


def run(doc, play, options=lambda parser: None, window_share=1.0, tag_look=None):
    """Run a demo; its exit code.

    ``play(stage)`` does what the demo is for and returns a dict of results; ``options`` adds arguments; a demo that
    needs room beside its window gives the ``window_share`` of the screen that it fills; ``tag_look`` has arguments of
    AprilTagFrame.
    """
    args = _read_arguments(doc, options)
    win = _open_window(args, window_share)
    try:
        with contextlib.ExitStack() as stack:
            try:
                stage = Stage(win, stack.enter_context(Neon(args.address)), args, tag_look or {})
                stage.wait_for_gaze()
                gc.collect()
                gc.freeze()  # what is loaded stays: the collector need not stop a frame to look at it
                try:
                    results = play(stage)
                except NeonError:
                    stage.save({})
                    raise
                stage.save(results)
            except NeonError as error:
                # Told before the Neon is closed, for that tries for some seconds to send what is left.
                print(f"Error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
                show_message(win, str(error))
                return 1
    finally:
        win.close()
    return 0


class Stage:
    """Window, Neon, tags, gaze on the screen and the record of what was used."""

    def __init__(self, win, neon, args, tag_look):
        self.win, self.neon, self.args = win, neon, args
        self.tags = AprilTagFrame(win, tagSize=win.monitor.getSizePix()[1] * TAG_SHARE, units="pix", **tag_look)
        self.screen = ScreenGazeTracker(neon, self.tags.layout)
        self.record = GazeRecord(win)
        self.text = visual.TextStim(win, height=28, color="white", wrapWidth=win.size[0] * 0.6)
        self.flips_ns = []
        self._pace = _Pace(win)
        self._pointer = _Pointer(win) if args.pointer else None
        self._drawn = ()

    def gaze(self):
        """Gaze on the screen at this moment; raises when the Neon went away."""
        self.neon.check_link()
        return self.screen.latest()

    def frame(self, *stimuli):
        """Draw stimuli, and the tags last so that nothing covers them; flip."""
        self._drawn = stimuli
        self._draw()
        self.flips_ns.append(self._pace.flip())

    def frames_for(self, seconds):
        """Seconds since now, frame by frame, until they are over or the demo is."""
        began = time.perf_counter()
        while (passed_s := time.perf_counter() - began) < seconds and not self.is_over():
            yield passed_s

    def lead(self, place):
        """Move the mouse, where a simulated wearer looks, unless a hand has taken it; "pix"."""
        if self._pointer is not None:
            self._pointer.move_to(place)

    def is_over(self):
        has_all = self.args.frames is not None and len(self.flips_ns) >= self.args.frames
        return has_all or bool(event.getKeys(["escape"]))

    def wait_for_gaze(self):
        """Show the tags until they are seen, so that the demo begins with gaze."""
        for _ in self.frames_for(GAZE_LIMIT_S):
            gaze = self.gaze()
            if gaze.reason is None:
                break
            self.text.text = f"Waiting for gaze: {gaze.reason.value}"
            self.frame(self.text)
        self.flips_ns.clear()

    def save(self, results):
        """Write the last picture, the record and a summary, and print the summary."""
        out = self.args.out
        out.mkdir(parents=True, exist_ok=True)
        self._draw()
        self.win.getMovieFrame(buffer="back")  # what is drawn but not shown yet; "front" is black on some drivers
        self.win.saveMovieFrames(str(out / "last_frame.png"))
        self.record.save(out / "frames.csv")
        self.neon.clock.save(out / "clock.json")
        summary = {**self._summary(), **results}
        (out / "summary.json").write_text(json.dumps(summary, indent=2))
        for name, value in summary.items():
            print(f"{name.replace('_', ' '):>28}  {value}")
        print(f"Picture, data and summary are in {out.resolve()}")

    def _draw(self):
        for each in self._drawn:
            each.draw()
        self.tags.draw()

    def _summary(self):
        gaps_s = [(after - before) / 1e9 for before, after in itertools.pairwise(self.flips_ns)]
        used, health = self.record.summary(), self.neon.gaze.health
        return {
            "frames": len(self.flips_ns),
            "frames_longer_than_25_ms": sum(gap_s > LONG_FRAME_S for gap_s in gaps_s),
            "frame_rate_hz": round(1 / statistics.median(gaps_s), 2) if gaps_s else None,
            "gaze_rate_hz": round(health.rate_hz, 1),
            "gaze_lost": health.lost,
            "gaze_gaps": [gap.cause for gap in health.gaps],
            "gaze_age_at_flip_ms_median": _rounded(used["age_at_flip_s_median"], 1e3),
            "gaze_age_at_flip_ms_95_percent": _rounded(used["age_at_flip_s_95_percent"], 1e3),
            "used_with_gaze_percent": _rounded(used["share_with_gaze"], 100),
            "no_gaze_because": used["reasons"],
            "window_px": [int(each) for each in self.win.size],
        }


def _read_arguments(doc, options):
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("address", nargs="?", help="host or host:port of the Neon; left out: search the network")
    parser.add_argument("--frames", type=int, help="stop after so many frames")
    parser.add_argument("--out", type=Path, default=Path(sys.argv[0]).stem, help="folder for the data")
    parser.add_argument("--window", type=int, nargs=2, metavar=("W", "H"), help="a window instead of the full screen")
    parser.add_argument("--pointer", action="store_true", help="move the mouse by itself until you move it")
    parser.add_argument("--width-cm", type=float, default=53.0, help="width of the whole display")
    parser.add_argument("--distance-cm", type=float, default=60.0, help="from the eyes to the display")
    options(parser)
    args = parser.parse_args()
    args.out = Path(args.out)
    return args


def _open_window(args, share):
    """Full screen, or a window in the corner of the display."""
    display = pyglet.canvas.get_display().get_default_screen()
    whole = (display.width, display.height)
    size = args.window or ([round(share * each) for each in whole] if share < 1 else None)
    monitor = monitors.Monitor("Neon demo", width=args.width_cm, distance=args.distance_cm)
    monitor.setSizePix(whole)
    win = visual.Window(
        fullscr=size is None, size=size or whole, units="pix", color="grey", pos=(0, 0), monitor=monitor
    )
    win.mouseVisible = False
    return win


class _Pace:
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


class _Pointer:
    """Leads a simulated wearer, who looks where the mouse points, until a hand takes the mouse."""

    NEAR_PX = 20

    def __init__(self, win):
        self.win = win
        self.mouse = event.Mouse(win=win, visible=False)
        self.recent = deque(maxlen=10)
        self.is_taken = False

    def move_to(self, place):
        place = (round(place[0]), round(place[1]))
        # The system tells of our own moves a little late, and of none beside the window.
        if len(self.recent) == self.recent.maxlen and all(map(self._is_inside, self.recent)):
            self.is_taken |= min(math.dist(self.mouse.getPos(), each) for each in self.recent) > self.NEAR_PX
        if not self.is_taken:
            if not self.recent or place != self.recent[-1]:
                self.mouse.setPos(place)
            self.recent.append(place)

    def _is_inside(self, place):
        return all(abs(each) < size / 2 for each, size in zip(place, self.win.size, strict=True))


def save_table(path, names, rows):
    """Write rows, dicts, to a csv file; what a row does not have stays empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def show_message(win, text):
    """Say it on the screen for a moment, or until a key is pressed."""
    message = visual.TextStim(win, text=text, height=32, wrapWidth=win.size[0] * 0.7, color="white")
    end = time.perf_counter() + MESSAGE_S
    event.clearEvents()
    while time.perf_counter() < end and not event.getKeys():
        message.draw()
        win.flip()
        time.sleep(0.02)  # a window drawn in software does not wait in flip()


def _rounded(value, scale):
    return None if value is None else round(value * scale, 1)

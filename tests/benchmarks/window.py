"""A window at 60 frames a second: ``window.py SECONDS [ADDRESS]``; without an address the window is all there is.

Frames are paced by this computer's clock, since a virtual screen has no vertical blank to wait for. With an address
gaze and scene are streamed, the tags drawn and found, and gaze put onto the screen at every frame.
"""

from __future__ import annotations

import gc
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pacing import wait_until_next
from psychopy import visual

from psychopy_neon import Neon, ScreenGaze, ScreenGazeTracker
from psychopy_neon.plugin.visual import AprilTagFrame, GazeCursor

SIZE_PX = (960, 540)
FIRST_GAZE_S = 10.0
STEAL = 7
"""Column of the first line of /proc/stat."""


def main(seconds: float, address: str | None) -> dict[str, object]:
    win = visual.Window(
        SIZE_PX, fullscr=False, pos=(0, 0), units="pix", color="grey", waitBlanking=False, checkTiming=False
    )
    try:
        if address is None:
            return run(win, seconds, lambda: None)
        with Neon(address) as neon:
            return run_streaming(win, seconds, neon)
    finally:
        win.close()


def run_streaming(win: visual.Window, seconds: float, neon: Neon) -> dict[str, object]:
    """What an experiment does at every frame."""
    tags = AprilTagFrame(win)
    tracker = ScreenGazeTracker(neon, tags.layout)
    cursor = GazeCursor(win, tags)
    shown = [0, 0, 0]
    calls_us: tuple[list[float], list[float]] = ([], [])

    def ask(times_us: list[float]) -> ScreenGaze:
        begin_ns = time.perf_counter_ns()
        gaze = tracker.latest()
        tags.to_window(gaze)
        times_us.append((time.perf_counter_ns() - begin_ns) / 1e3)
        return gaze

    def draw() -> None:
        neon.check_link()
        cursor.gaze = ask(calls_us[0])
        ask(calls_us[1])  # nothing has come since: what the computing costs
        shown[0] += len(tracker.take())
        cursor.draw()
        tags.draw()
        shown[1] += 1
        shown[2] += cursor.gaze.pos is not None

    end = time.monotonic() + FIRST_GAZE_S
    while tracker.latest().pos is None and time.monotonic() < end:
        draw()
        win.flip()
    shown[:] = 0, 0, 0
    result = run(win, seconds, draw)
    return {
        **result,
        "gaze_samples": shown[0],
        "frames_with_gaze": shown[2] / shown[1],
        "call_us": calls_us[0],
        "again_us": calls_us[1],
        "scene_dropped": neon.scene.health.dropped,
        "scene_skipped": tracker.skipped,
        "reason": str(tracker.latest().reason),
    }


def run(win: visual.Window, seconds: float, draw: Callable[[], None]) -> dict[str, object]:
    """Times from flip to flip, ms, and what a host took of the processors meanwhile, per cent."""
    gc.collect()
    gc.freeze()
    times_ns = []
    taken_before, all_before = processor_times()
    due_ns = start_ns = time.perf_counter_ns()
    while due_ns - start_ns < seconds * 1e9:
        draw()
        win.flip()
        due_ns = wait_until_next(due_ns)
        times_ns.append(time.perf_counter_ns())
    taken, total = processor_times()
    return {
        "frames_ms": [(after - before) / 1e6 for before, after in itertools.pairwise(times_ns)],
        "taken_percent": 100 * (taken - taken_before) / max(total - all_before, 1),
    }


def processor_times() -> tuple[int, int]:
    """Ticks in which a virtual machine's host let others run though this machine had work, and all ticks."""
    if sys.platform != "linux":
        return 0, 0
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[STEAL], sum(ticks)


if __name__ == "__main__":
    result = main(float(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    print(json.dumps(result))

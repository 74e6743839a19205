"""An event in every frame of a window: ``ours_events.py ADDRESS SECONDS``; every other second is without events."""

from __future__ import annotations

import gc
import json
import sys
import time

from pacing import wait_until_next
from psychopy import visual
from window import SIZE_PX

from psychopy_neon import Neon

FRAMES = 60
LEFT_OUT = 1


def main(address: str, seconds: float) -> dict[str, object]:
    win = visual.Window(
        SIZE_PX, fullscr=False, pos=(0, 0), units="pix", color="grey", waitBlanking=False, checkTiming=False
    )
    stimuli = [visual.Rect(win, 40, 40, pos=(x, 0), fillColor="white") for x in range(-400, 401, 100)]
    calls_us: list[float] = []
    work_ms: dict[bool, list[float]] = {True: [], False: []}
    try:
        with Neon(address) as neon:
            neon.start_recording()
            gc.collect()
            gc.freeze()
            due_ns = time.perf_counter_ns()
            for number in range(round(seconds * FRAMES)):
                second, frame = divmod(number, FRAMES)
                has_event = second % 2 == 1
                begin_ns = time.perf_counter_ns()
                for stimulus in stimuli:
                    stimulus.draw()
                if has_event:
                    called_ns = time.perf_counter_ns()
                    neon.send_event("frame")
                    calls_us.append((time.perf_counter_ns() - called_ns) / 1e3)
                win.flip()
                if frame >= LEFT_OUT:
                    work_ms[has_event].append((time.perf_counter_ns() - begin_ns) / 1e6)
                due_ns = wait_until_next(due_ns)
            neon.stop_recording(30)
            health = neon.outbox.health
    finally:
        win.close()
    return {
        "calls_us": calls_us,
        "work_ms": work_ms[True],
        "bare_work_ms": work_ms[False],
        "confirmed": health.confirmed,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))

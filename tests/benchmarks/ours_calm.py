"""Gaze beside scene video and tags: ``ours_calm.py ADDRESS SECONDS [mapped]``.

Every sample is waited for. With ``mapped`` the scene is decoded meanwhile, its tags are followed, and sixty times a
second ``latest()`` is asked for, as an experiment does.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from psychopy_neon import Neon, ScreenGazeTracker
from psychopy_neon.screen.layout import border_layout

WARM_UP_S = 3.0
FRAME_S = 1 / 60


def main(address: str, seconds: float, is_mapped: bool) -> dict[str, object]:
    received: list[tuple[int, int]] = []
    reasons: dict[str, int] = {}
    with Neon(address) as neon:
        reader = neon.gaze.reader()
        stop = threading.Event()
        asking = threading.Thread(target=ask, args=(neon, stop, reasons))
        if is_mapped:
            asking.start()
        begin_s = time.monotonic()
        while (passed_s := time.monotonic() - begin_s) < seconds + WARM_UP_S:
            sample = reader.wait(5.0)
            if passed_s > WARM_UP_S:
                received.append((sample.device_ns, time.perf_counter_ns()))
        stop.set()
        if is_mapped:
            asking.join()
    return {"received": received, "reasons": reasons}


def ask(neon: Neon, stop: threading.Event, reasons: dict[str, int]) -> None:
    """What a frame loop asks for."""
    tracker = ScreenGazeTracker(neon, border_layout((1920, 1080)))
    while not stop.wait(FRAME_S):
        gaze = tracker.latest()
        name = gaze.reason.name if gaze.reason else "mapped"
        reasons[name] = reasons.get(name, 0) + 1


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), "mapped" in sys.argv[3:])))

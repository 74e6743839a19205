"""Gaze by this package: ``ours_gaze.py ADDRESS SECONDS``.

First every sample is waited for, as the official client's reader does; then all are taken 60 times a second, as an
experiment does.
"""

from __future__ import annotations

import json
import sys
import time

from psychopy_neon import GazeSample, Neon
from psychopy_neon.device.stream import Reader

WARM_UP = 200


def main(address: str, seconds: float) -> dict[str, object]:
    count = round(seconds * 200)
    received: list[tuple[int, int]] = []
    with Neon(address) as neon:
        reader = neon.gaze.reader()
        for _ in range(WARM_UP):
            reader.wait(5.0)
        begin_s = time.process_time()
        while len(received) < count:
            sample = reader.wait(5.0)
            received.append((int(sample.x), time.perf_counter_ns()))
        waited_s = time.process_time() - begin_s
        by_frame_s, by_frame = take_by_frame(reader, count)
    return {
        "received": received,
        "cpu_s_per_item": waited_s / len(received),
        "by_frame": {"received": by_frame, "cpu_s_per_item": by_frame_s / len(by_frame)},
    }


def take_by_frame(reader: Reader[GazeSample], count: int) -> tuple[float, list[tuple[int, int]]]:
    """CPU time for ``count`` samples taken 60 times a second, and their numbers."""
    reader.take()
    taken: list[tuple[int, int]] = []
    begin_s = time.process_time()
    due_s = time.perf_counter()
    while len(taken) < count:
        due_s += 1 / 60
        time.sleep(max(due_s - time.perf_counter(), 0))  # the frame that a window would wait for
        samples = reader.take()
        now_ns = time.perf_counter_ns()
        taken += [(int(sample.x), now_ns) for sample in samples]
    return time.process_time() - begin_s, taken


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))

"""Scene video by this package: ``ours_scene.py ADDRESS SECONDS``."""

from __future__ import annotations

import json
import sys
import time

from psychopy_neon import Neon
from psychopy_neon.simulator.frame_code import CODE_HEIGHT_PX, CODE_WIDTH_PX, read_frame_code

WARM_UP = 30


def main(address: str, seconds: float) -> dict[str, object]:
    count = round(seconds * 30)
    kept = []
    with Neon(address) as neon:
        reader = neon.scene.reader()
        for _ in range(WARM_UP):
            reader.wait(5.0)
        cpu_s = time.process_time()
        while len(kept) < count:
            frame = reader.wait(5.0)
            at_ns = time.perf_counter_ns()
            kept.append((frame.luma[:CODE_HEIGHT_PX, :CODE_WIDTH_PX].copy(), at_ns))
        cpu_s = time.process_time() - cpu_s
    return {"received": [(read_frame_code(luma), at_ns) for luma, at_ns in kept], "cpu_s_per_item": cpu_s / count}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))

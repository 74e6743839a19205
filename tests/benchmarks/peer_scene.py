"""Scene video by the official client: ``peer_scene.py ADDRESS SECONDS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np
from pupil_labs.realtime_api import Device, receive_video_frames

sys.path.append(str(Path(__file__).parents[1] / "conformance" / "peer"))
import frame_code

WARM_UP = 30


async def main(address: str, seconds: float) -> dict[str, object]:
    host, _, port = address.rpartition(":")
    count = round(seconds * 30)
    kept = []
    cpu_s = 0.0
    async with Device(host, int(port)) as device:
        sensor = (await device.get_status()).direct_world_sensor()
        assert sensor is not None
        left = WARM_UP
        async for frame in receive_video_frames(sensor.url):
            if left:
                left -= 1
                cpu_s = time.process_time()
                continue
            at_ns = time.perf_counter_ns()
            luma = frame_code.luma_of(frame.av_frame)
            kept.append((np.array(luma[: frame_code.HEIGHT_PX, : frame_code.WIDTH_PX]), at_ns))
            if len(kept) == count:
                break
        cpu_s = time.process_time() - cpu_s
    return {"received": [(frame_code.read(luma), at_ns) for luma, at_ns in kept], "cpu_s_per_item": cpu_s / count}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2])))))

"""Gaze by the official client: ``peer_gaze.py ADDRESS SECONDS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from pupil_labs.realtime_api import Device, receive_gaze_data

WARM_UP = 200


async def main(address: str, seconds: float) -> dict[str, object]:
    host, _, port = address.rpartition(":")
    count = round(seconds * 200)
    received: list[tuple[int, int]] = []
    cpu_s = 0.0
    async with Device(host, int(port)) as device:
        sensor = (await device.get_status()).direct_gaze_sensor()
        assert sensor is not None
        left = WARM_UP
        async for datum in receive_gaze_data(sensor.url):
            if left:
                left -= 1
                cpu_s = time.process_time()
                continue
            received.append((int(datum.x), time.perf_counter_ns()))
            if len(received) == count:
                break
        cpu_s = time.process_time() - cpu_s
    return {"received": received, "cpu_s_per_item": cpu_s / count}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2])))))

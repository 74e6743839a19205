"""The clock offset by the official client: ``peer_clock.py ADDRESS SECONDS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from pupil_labs.realtime_api import Device
from pupil_labs.realtime_api.time_echo import TimeOffsetEstimator


async def main(address: str, seconds: float) -> dict[str, object]:
    """At some host times: what the device's clock is said to show."""
    host, _, port = address.rpartition(":")
    async with Device(host, int(port)) as device:
        phone = (await device.get_status()).phone
    assert phone.time_echo_port is not None
    estimator = TimeOffsetEstimator(phone.ip, phone.time_echo_port)
    looked: list[tuple[int, int]] = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        estimates = await estimator.estimate()
        assert estimates is not None
        host_ns, wall_ns = time.perf_counter_ns(), time.time_ns()
        looked.append((host_ns, wall_ns - round(estimates.time_offset_ms.mean * 1e6)))
    return {"looked": looked}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2])))))

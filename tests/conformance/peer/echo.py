"""Time echo, of one device after the other: ``echo.py COUNT HOST:PORT ...``; null for a device without it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pupil_labs.realtime_api import Device
from pupil_labs.realtime_api.time_echo import TimeOffsetEstimator


async def estimate(address: str, count: int) -> dict[str, Any] | None:
    """What the official estimator makes of ``count`` exchanges."""
    host, _, port = address.rpartition(":")
    async with Device(host, int(port)) as device:
        phone = (await device.get_status()).phone
    if phone.time_echo_port is None:
        return None
    estimates = await TimeOffsetEstimator(phone.ip, phone.time_echo_port).estimate(number_of_measurements=count)
    assert estimates is not None
    return {
        "offsets_ms": estimates.time_offset_ms.measurements,
        "offset_ms": estimates.time_offset_ms.mean,
        "roundtrips_ms": estimates.roundtrip_duration_ms.measurements,
    }


async def main(count: int, addresses: list[str]) -> list[dict[str, Any] | None]:
    return [await estimate(address, count) for address in addresses]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))))

"""Gaze by the asynchronous API, of one device after the other: ``gaze.py COUNT HOST:PORT ...``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pupil_labs.realtime_api import Device, receive_gaze_data


async def gaze(address: str, count: int) -> list[dict[str, Any]]:
    """The first ``count`` data of a device."""
    host, _, port = address.rpartition(":")
    async with Device(host, int(port)) as device:
        sensor = (await device.get_status()).direct_gaze_sensor()
    assert sensor is not None
    data: list[Any] = []
    async for datum in receive_gaze_data(sensor.url):
        data.append(datum)
        if len(data) == count:
            break
    return [{"form": type(datum).__name__, **datum._asdict()} for datum in data]


async def main(count: int, addresses: list[str]) -> list[list[dict[str, Any]]]:
    return [await gaze(address, count) for address in addresses]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))))

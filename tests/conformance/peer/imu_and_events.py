"""Head movement or eye events by the asynchronous API: ``imu_and_events.py imu|eye_events COUNT HOST:PORT``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pupil_labs.realtime_api import Device, receive_eye_events_data, receive_imu_data

RECEIVE = {"imu": receive_imu_data, "eye_events": receive_eye_events_data}


def plain(datum: Any) -> Any:
    """Named tuples, also inside others, as dictionaries."""
    return {name: plain(value) for name, value in datum._asdict().items()} if hasattr(datum, "_asdict") else datum


async def main(stream: str, count: int, address: str) -> list[Any]:
    host, _, port = address.rpartition(":")
    async with Device(host, int(port)) as device:
        status = await device.get_status()
    sensor = status.direct_imu_sensor() if stream == "imu" else status.direct_eye_events_sensor()
    assert sensor is not None
    data: list[Any] = []
    async for datum in RECEIVE[stream](sensor.url):
        data.append({"form": type(datum).__name__, **plain(datum)})
        if len(data) == count:
            break
    return data


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))))

"""Scene video by the asynchronous API, of one device after the other: ``scene.py COUNT HOST:PORT ...``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import frame_code
from pupil_labs.realtime_api import Device, receive_video_frames


async def scene(address: str, count: int) -> list[dict[str, Any]]:
    """The first ``count`` frames of a device."""
    host, _, port = address.rpartition(":")
    async with Device(host, int(port)) as device:
        sensor = (await device.get_status()).direct_world_sensor()
    assert sensor is not None
    frames: list[dict[str, Any]] = []
    async for frame in receive_video_frames(sensor.url):
        picture = frame.av_frame
        frames.append(
            {
                "code": frame_code.read(frame_code.luma_of(picture)),
                "size": [picture.width, picture.height],
                "timestamp_unix_seconds": frame.timestamp_unix_seconds,
            }
        )
        if len(frames) == count:
            break
    return frames


async def main(count: int, addresses: list[str]) -> list[list[dict[str, Any]]]:
    return [await scene(address, count) for address in addresses]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))))

"""Starting a recording that is refused: ``refused_start.py HOST PORT``."""

from __future__ import annotations

import asyncio
import json
import sys

from pupil_labs.realtime_api import Device
from pupil_labs.realtime_api.device import DeviceError


async def main(host: str, port: int) -> list[object]:
    async with Device(host, port) as device:
        try:
            await device.recording_start()
        except DeviceError as error:
            return list(error.args)
    return []


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))

"""Discovery: ``discover.py NAME LIMIT_S [INTERFACE]``; the interface, if any, replaces the client's choice of all."""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from typing import Any

from pupil_labs.realtime_api import discovery
from zeroconf.asyncio import AsyncZeroconf


async def main(name: str, limit_s: float) -> dict[str, Any] | None:
    async for device in discovery.discover_devices(limit_s):
        if device.name.startswith(f"PI monitor:{name}:"):
            return device._asdict()
    return None


if __name__ == "__main__":
    if len(sys.argv) > 3:
        discovery.AsyncZeroconf = functools.partial(AsyncZeroconf, interfaces=[sys.argv[3]])
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2])))))

"""Head movement and eye events by the simple API: ``simple_imu_and_events.py HOST PORT``."""

from __future__ import annotations

import json
import sys
from typing import Any

from imu_and_events import plain
from pupil_labs.realtime_api.simple import Device

LIMIT_S = 10.0


def main(host: str, port: int) -> dict[str, Any]:
    device = Device(host, port)
    try:
        imu = [device.receive_imu_datum(LIMIT_S) for _ in range(5)]
        events = [device.receive_eye_events(LIMIT_S) for _ in range(5)]
        result = {"imu": [plain(datum) for datum in imu], "eye_events": [plain(event) for event in events]}
        return {**result, "errors": device.get_errors()}
    finally:
        device.close()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))

"""Sixty events a second by the official client: ``peer_events.py ADDRESS SECONDS``."""

from __future__ import annotations

import json
import sys
import time

from pupil_labs.realtime_api.simple import Device


def main(address: str, seconds: float) -> dict[str, object]:
    host, _, port = address.rpartition(":")
    device = Device(host, int(port))
    calls_us: list[float] = []
    try:
        device.recording_start()
        due_s = time.perf_counter()
        for _ in range(round(seconds * 30)):  # as many as ours, which sends in every other second
            called_ns = time.perf_counter_ns()
            device.send_event("frame")
            calls_us.append((time.perf_counter_ns() - called_ns) / 1e3)
            due_s += 1 / 60
            time.sleep(max(due_s - time.perf_counter(), 0))  # the rest of the frame
        device.recording_stop_and_save()
    finally:
        device.close()
    return {"calls_us": calls_us, "confirmed": len(calls_us)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))

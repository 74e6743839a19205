"""A session by the simple API: ``simple_api.py HOST PORT``."""

from __future__ import annotations

import json
import sys
from typing import Any

import frame_code
from pupil_labs.realtime_api.simple import Device

LIMIT_S = 10.0


def picture(frame: Any) -> dict[str, Any]:
    # Green is near enough to luma for black and white blocks.
    pixels = frame.bgr_pixels
    return {"code": frame_code.read(pixels[:, :, 1]), "shape": list(pixels.shape), "at": frame.timestamp_unix_seconds}


def main(host: str, port: int) -> dict[str, Any]:
    device = Device(host, port)
    try:
        result: dict[str, Any] = {
            "phone_name": device.phone_name,
            "serial": device.module_serial,
            "battery": device.battery_level_percent,
            "offset_ms": device.estimate_time_offset(20).time_offset_ms.mean,
            "calibration_serial": device.get_calibration().serial,
        }
        gaze = [device.receive_gaze_datum(LIMIT_S) for _ in range(5)]
        result["gaze"] = [datum._asdict() for datum in gaze if datum is not None]
        frames = [device.receive_scene_video_frame(LIMIT_S) for _ in range(5)]
        result["frames"] = [picture(frame) for frame in frames if frame is not None]
        matched = [device.receive_matched_scene_video_frame_and_gaze(LIMIT_S) for _ in range(3)]
        result["matched"] = [
            {"frame": picture(pair.frame), "gaze": pair.gaze._asdict()} for pair in matched if pair is not None
        ]
        result["recording_id"] = device.recording_start()
        result["event"] = device.send_event("simple")._asdict()
        device.recording_stop_and_save()
        result["errors"] = device.get_errors()
        return result
    finally:
        device.close()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))

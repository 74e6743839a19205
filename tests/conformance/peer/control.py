"""Everything over HTTP but the template, by the asynchronous API: ``control.py HOST PORT``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pupil_labs.realtime_api import Device
from pupil_labs.realtime_api.device import DeviceError, StatusUpdateNotifier
from pupil_labs.realtime_api.time_echo import TimeOffsetEstimator

EVENT_NS = 1_700_000_000_123_456_789
LIMIT_S = 10.0


async def refusal(awaitable: Any) -> list[Any] | None:
    """Status code and text of a refusal; None when there was none."""
    try:
        await awaitable
    except DeviceError as error:
        return list(error.args)
    return None


async def recorded(device: Device) -> dict[str, Any]:
    """Record twice, the status pushed meanwhile, and every misuse."""
    updates: list[tuple[str, str]] = []
    ended = asyncio.Event()

    def note(component: Any) -> None:
        if type(component).__name__ == "Recording":
            updates.append((component.id, component.action))
            if component.action == "DISCARD":
                ended.set()

    notifier = StatusUpdateNotifier(device, [note])
    await notifier.receive_updates_start()
    result: dict[str, Any] = {"stop_without": await refusal(device.recording_stop_and_save())}
    result["idle_event"] = (await device.send_event("nobody records"))._asdict()
    result["first"] = await device.recording_start()
    result["start_twice"] = await refusal(device.recording_start())
    result["running"] = (await device.get_status()).recording._asdict()
    result["event_at"] = (await device.send_event("at a time", EVENT_NS))._asdict()
    result["event_now"] = (await device.send_event("jetzt \u00e4\u00f6\u00fc <=&>"))._asdict()
    await device.recording_stop_and_save()
    result["second"] = await device.recording_start()
    await device.recording_cancel()
    result["cancel_without"] = await refusal(device.recording_cancel())
    await asyncio.wait_for(ended.wait(), LIMIT_S)
    await notifier.receive_updates_stop()
    return {**result, "updates": updates}


async def main(host: str, port: int) -> dict[str, Any]:
    async with Device(host, port) as device:
        status = await device.get_status()
        calibration = await device.get_calibration()
        estimator = TimeOffsetEstimator(status.phone.ip, status.phone.time_echo_port)
        estimates = await estimator.estimate(number_of_measurements=50)
        assert estimates is not None
        names = ("camera_matrix", "distortion_coefficients", "extrinsics_affine_matrix")
        cameras = {
            camera: [getattr(calibration, f"{camera}_{name}").tolist() for name in names]
            for camera in ("scene", "right", "left")
        }
        return {
            "phone": status.phone._asdict(),
            "hardware": status.hardware._asdict(),
            "sensors": [{**sensor._asdict(), "url": sensor.url} for sensor in status.sensors],
            "recording_before": status.recording is not None,
            "calibration": {"version": int(calibration.version), "serial": calibration.serial, **cameras},
            "offset_ms": estimates.time_offset_ms.mean,
            "roundtrip_ms": estimates.roundtrip_duration_ms.mean,
            "recording": await recorded(device),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))

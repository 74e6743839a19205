"""What the phone knows about itself, and whom it tells of changes. Written apart from ``wire/status.py`` on purpose."""

from __future__ import annotations

import asyncio
import copy
import random
import time
import uuid
from typing import Any, TypeAlias

from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog

__all__ = ["Component", "PhoneState", "Refusal"]

Component: TypeAlias = dict[str, Any]
"""``{"model": , "data": }`` as on the wire."""

_SENSORS = ("imu", "world", "gaze", "eye_events", "eyes")
_FEED_LENGTH = 1000
_NOT_RUNNING = "No recording is running"


class Refusal(Exception):  # noqa: N818 - not an error of this package: it becomes a reply with its text
    """The phone refuses; the text is told to the client."""


class PhoneState:
    """Status, recording and events of the phone. Used by the event loop's thread only."""

    def __init__(self, settings: SimulatorSettings, clock: PhoneClock, truth: TruthLog) -> None:
        self._settings = settings
        self._clock = clock
        self._truth = truth
        self._random = random.Random(f"{settings.seed}/recordings")
        self._feeds: set[asyncio.Queue[Component | None]] = set()
        self._components: dict[tuple[str, ...], Component] = {}
        self._recording: tuple[str, int] | None = None
        self.refuse_start = settings.refuse_start
        """Reason with which the next start of a recording is refused."""

    def begin(self, ip: str, rtsp_port: int, echo_port: int | None) -> None:
        """Fill in what is only known once all ports are bound; no echo port: an old app, which does not name one."""
        streamed = self._settings.streams
        for name in _SENSORS:
            for conn_type, port in (("WEBSOCKET", 8686), ("DIRECT", rtsp_port)):
                is_connected = conn_type == "DIRECT" and name in streamed
                self._put("Sensor", _sensor(name, conn_type, ip, port, is_connected))
        phone = {
            "battery_level": 97,
            "battery_state": "OK",
            "device_id": self._settings.device_id,
            "device_name": self._settings.name,
            "ip": ip,
            "memory": 123_456_789_000,
            "memory_state": "OK",
        }
        if echo_port is not None:
            phone["time_echo_port"] = echo_port
        self._put("Phone", phone)
        self._put("Hardware", _hardware(self._settings))

    def components(self) -> list[Component]:
        """The whole status, in the phone's order."""
        components = copy.deepcopy(list(self._components.values()))
        if self._recording is not None:
            recording_id, start_ns = self._recording
            components.append(self._recording_component("START", recording_id, self._clock.now_ns() - start_ns))
        return components

    def is_connected(self, sensor: str) -> bool:
        """Whether a sensor is there to be streamed."""
        component = self._components.get(("Sensor", sensor, "DIRECT"))
        return component is not None and bool(component["data"]["connected"])

    # What changes

    def set_sensor(self, sensor: str, **fields: Any) -> None:
        """Change fields of a sensor's DIRECT entry; told to all feeds when anything is different."""
        self._change(("Sensor", sensor, "DIRECT"), fields)

    def set_phone(self, **fields: Any) -> None:
        """Change fields of the phone's entry."""
        self._change(("Phone",), fields)

    def start_recording(self) -> str:
        """Start a recording and give its id; raises Refusal."""
        if self.refuse_start is not None:
            raise Refusal(self.refuse_start)
        if self._recording is not None:
            raise Refusal("A recording is already running")
        recording_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        self._recording = (recording_id, self._clock.now_ns())
        self._tell_recording("START", recording_id, 0)
        return recording_id

    def end_recording(self, outcome: str) -> None:
        """End the recording, ``outcome`` being SAVE or DISCARD; raises Refusal."""
        if self._recording is None:
            raise Refusal(_NOT_RUNNING)
        (recording_id, start_ns), self._recording = self._recording, None
        duration_ns = self._clock.now_ns() - start_ns
        self._tell_recording("STOP", recording_id, duration_ns)
        self._tell_recording(outcome, recording_id, duration_ns)

    def fail_recording(self, message: str) -> None:
        """The running recording breaks, as when storage is full; nothing happens when none runs."""
        if self._recording is not None:
            (recording_id, start_ns), self._recording = self._recording, None
            self._tell_recording("ERROR", recording_id, self._clock.now_ns() - start_ns, message)

    def add_event(self, name: str, device_ns: int | None, host_ns: int, is_published: bool = True) -> Component:
        """Take an event that arrived at ``host_ns`` and give the reply's result; ``is_published``: tell the feeds."""
        if device_ns is None:
            # The phone stamps with its clock in whole milliseconds.
            device_ns = self._clock.device_ns(host_ns) // 1_000_000 * 1_000_000
        recording_id = self._recording[0] if self._recording is not None else None
        fields = {"name": name, "device_ns": device_ns, "host_ns": host_ns, "recording_id": recording_id}
        self._truth.add("event", fields)
        result: Component = {"timestamp": device_ns}
        if recording_id is not None:
            result["recording_id"] = recording_id
            if is_published:
                self._publish({"model": "Event", "data": {"name": name, **result}})
        return result

    # Feeds

    def open_feed(self) -> asyncio.Queue[Component | None]:
        """A queue with the whole status, then every change; None ends it."""
        feed: asyncio.Queue[Component | None] = asyncio.Queue(_FEED_LENGTH)
        for component in self.components():
            feed.put_nowait(component)
        self._feeds.add(feed)
        return feed

    def close_feed(self, feed: asyncio.Queue[Component | None]) -> None:
        """Nobody reads this queue any more."""
        self._feeds.discard(feed)

    def end_feeds(self) -> None:
        """Tell every reader that there is nothing more to come."""
        for feed in self._feeds:
            if feed.full():
                feed.get_nowait()
            feed.put_nowait(None)
        self._feeds.clear()

    def _put(self, model: str, data: dict[str, Any]) -> None:
        key = (model, data["sensor"], data["conn_type"]) if model == "Sensor" else (model,)
        self._components[key] = {"data": data, "model": model}

    def _change(self, key: tuple[str, ...], fields: dict[str, Any]) -> None:
        data = self._components[key]["data"]
        if any(data.get(name) != value for name, value in fields.items()):
            data.update(fields)
            self._publish(copy.deepcopy(self._components[key]))

    def _publish(self, component: Component) -> None:
        for feed in tuple(self._feeds):
            if feed.full():
                # A reader a thousand changes behind has gone; it is cut off rather than fed with gaps.
                self._feeds.discard(feed)
                feed.get_nowait()
                feed.put_nowait(None)
            else:
                feed.put_nowait(component)

    def _tell_recording(self, action: str, recording_id: str, duration_ns: int, message: str | None = None) -> None:
        host_ns = time.perf_counter_ns()
        device_ns = self._clock.device_ns(host_ns)
        fields = {"action": action, "id": recording_id, "device_ns": device_ns, "host_ns": host_ns}
        self._truth.add("recording", fields)
        self._publish(self._recording_component(action, recording_id, duration_ns, message))

    def _recording_component(
        self, action: str, recording_id: str, duration_ns: int, message: str | None = None
    ) -> Component:
        text = message if message is not None else "Started recording" if action == "START" else "Stopped recording"
        data = {"action": action, "id": recording_id, "message": text, "rec_duration_ns": duration_ns}
        return {"data": data, "model": "Recording"}


def _sensor(name: str, conn_type: str, ip: str, port: int, is_connected: bool) -> dict[str, Any]:
    return {
        "conn_type": conn_type,
        "connected": is_connected,
        "ip": ip,
        "params": f"camera={name}&audioenable={'on' if conn_type == 'DIRECT' else 'off'}",
        "port": port,
        "protocol": "rtsp",
        "sensor": name,
        "stream_error": False,
    }


def _hardware(settings: SimulatorSettings) -> dict[str, Any]:
    if settings.model == "invisible":
        return {"glasses_serial": settings.serial, "version": "1", "world_camera_serial": settings.serial}
    return {
        "frame_name": "Just act natural",
        "glasses_serial": "-1",
        "module_serial": settings.serial,
        "version": "2.0",
        "world_camera_serial": "-1",
    }

"""The status of the device: components as JSON, ``{"model": name, "data": {...}}`` (Neon Realtime API 2.1.0).

The same objects come in a list from REST and one by one from the websocket. Reading is lenient: a field that is missing
or of another type is None (or the default here), a model that nobody knows is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import UnionType
from typing import Any, ClassVar, TypeAlias, Union, get_args, get_origin, get_type_hints

from psychopy_neon.errors import RemoteProtocolError

__all__ = [
    "Component",
    "DeviceEvent",
    "DeviceStatus",
    "Hardware",
    "NetworkDevice",
    "Phone",
    "Recording",
    "Sensor",
    "parse_component",
    "parse_status",
    "to_json",
]

MAX_SENSORS = 100
"""More than any device has: a stream of invented sensors cannot fill the memory."""
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Phone:
    """The phone that runs the Companion app."""

    model: ClassVar[str] = "Phone"
    ip: str | None = None
    """The address that the phone believes to have."""
    port: int | None = None
    device_id: str | None = None
    device_name: str | None = None
    battery_level: int | None = None
    """Per cent."""
    battery_state: str | None = None
    """``OK``, ``LOW`` or ``CRITICAL``."""
    memory: int | None = None
    """Free bytes."""
    memory_state: str | None = None
    time_echo_port: int | None = None
    """None: an old app without time echo."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The glasses."""

    model: ClassVar[str] = "Hardware"
    version: str | None = None
    """``"1"`` Pupil Invisible, ``"2.0"`` Neon."""
    glasses_serial: str | None = None
    world_camera_serial: str | None = None
    module_serial: str | None = None
    frame_name: str | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """One stream as the device offers it over one kind of connection."""

    model: ClassVar[str] = "Sensor"
    sensor: str = ""
    """``world``, ``gaze``, ``imu``, ``eyes``, ``eye_events``."""
    conn_type: str = ""
    """``DIRECT`` (RTSP) or ``WEBSOCKET``."""
    connected: bool = False
    ip: str | None = None
    port: int | None = None
    protocol: str = "rtsp"
    params: str = ""
    stream_error: bool = False

    def url(self, host: str) -> str:
        """URL of the stream at the given host (which stands in brackets if it is IPv6)."""
        return f"{self.protocol}://{host}:{self.port}/?{self.params}"


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of a recording."""

    model: ClassVar[str] = "Recording"
    id: str = ""
    action: str = ""
    """``START``, ``STOP``, ``SAVE``, ``DISCARD`` or ``ERROR``."""
    message: str = ""
    rec_duration_ns: int = 0


@dataclass(frozen=True, slots=True)
class NetworkDevice:
    """Another phone that the phone sees."""

    model: ClassVar[str] = "NetworkDevice"
    ip: str | None = None
    port: int | None = None
    device_id: str | None = None
    device_name: str | None = None
    connected: bool = False


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """An event that the device took, from whichever client."""

    model: ClassVar[str] = "Event"
    name: str | None = None
    timestamp: int | None = None
    """Device clock, Unix ns."""
    recording_id: str | None = None


Component: TypeAlias = Phone | Hardware | Sensor | Recording | NetworkDevice | DeviceEvent
_KINDS: tuple[type[Component], ...] = (Sensor, Phone, Hardware, Recording, DeviceEvent, NetworkDevice)
_REQUIRED: dict[type[Component], tuple[str, ...]] = {
    Sensor: ("sensor", "conn_type"),
    Recording: ("id", "action"),
}
"""Without these a component says nothing."""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Everything the device has said about itself."""

    phone: Phone = field(default_factory=Phone)
    hardware: Hardware = field(default_factory=Hardware)
    sensors: tuple[Sensor, ...] = ()
    recording: Recording | None = None
    """The newest word about a recording; None: none has run since we look."""
    networks: tuple[NetworkDevice, ...] = ()
    unknown_count: int = 0
    """Components that could not be read."""

    @property
    def is_recording(self) -> bool:
        """Whether a recording runs."""
        return self.recording is not None and self.recording.action == "START"

    def sensor(self, name: str, conn_type: str = "DIRECT") -> Sensor | None:
        """The sensor of that name, None if the device does not have it."""
        for sensor in self.sensors:
            if (sensor.sensor, sensor.conn_type) == (name, conn_type):
                return sensor
        return None

    def updated(self, component: Component | None) -> DeviceStatus:
        """The status after one more component; None is one that could not be read."""
        if isinstance(component, Phone):
            return replace(self, phone=component)
        if isinstance(component, Hardware):
            return replace(self, hardware=component)
        if isinstance(component, Recording):
            return replace(self, recording=component)
        if isinstance(component, Sensor):
            return self._with_sensor(component)
        if isinstance(component, NetworkDevice):
            others = [each for each in self.networks if each.device_id != component.device_id]
            return replace(self, networks=(*others, component)[-MAX_SENSORS:])
        if component is None:
            return replace(self, unknown_count=self.unknown_count + 1)
        return self

    def _with_sensor(self, sensor: Sensor) -> DeviceStatus:
        known = {(each.sensor, each.conn_type): each for each in self.sensors}
        key = (sensor.sensor, sensor.conn_type)
        if key not in known and len(known) >= MAX_SENSORS:
            return replace(self, unknown_count=self.unknown_count + 1)
        known[key] = sensor
        return replace(self, sensors=tuple(known.values()))


def parse_component(obj: object) -> Component | None:
    """Read ``{"model", "data"}``; None when the model is unknown or lacks what it cannot be without."""
    if not isinstance(obj, Mapping) or not isinstance(obj.get("data"), Mapping):
        return None
    for kind in _KINDS:
        if obj.get("model") == kind.model:
            component = _read(kind, obj["data"])
            has_all = all(getattr(component, name) for name in _REQUIRED.get(kind, ()))
            return component if has_all else None
    return None


def parse_status(result: object) -> DeviceStatus:
    """Read the list that ``GET /api/status`` answers with.

    Raises
    ------
    RemoteProtocolError
        It is no list.
    """
    if not isinstance(result, Sequence) or isinstance(result, (str, bytes)):
        raise RemoteProtocolError("status", f"{type(result).__name__} instead of a list of components")
    status = DeviceStatus()
    for obj in result:
        status = status.updated(parse_component(obj))
    return status


def to_json(component: Component) -> dict[str, Any]:
    """The JSON object of a component; fields that are None are left out."""
    values = {each.name: getattr(component, each.name) for each in fields(component)}
    return {"model": component.model, "data": {name: value for name, value in values.items() if value is not None}}


def _read(kind: type[Component], data: Mapping[str, Any]) -> Component:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for each in fields(kind):
        value = data.get(each.name)
        allowed = _plain_types(hints[each.name])
        # JSON's true is no number, although Python's is.
        if type(value) in allowed and type(value) is not type(None):
            values[each.name] = value[:MAX_TEXT] if isinstance(value, str) else value
    return kind(**values)


def _plain_types(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)

"""Status components as the phone writes them, and as it might."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.wire.status import (
    DeviceEvent,
    DeviceStatus,
    Hardware,
    NetworkDevice,
    Phone,
    Recording,
    Sensor,
    parse_component,
    parse_status,
    to_json,
)

# The phone's own form: minified, keys sorted, = and & escaped.
STATUS = json.loads(r"""[
 {"data":{"conn_type":"WEBSOCKET","connected":true,"ip":"192.168.1.23","params":"camera\u003dgaze\u0026audioenable\u003doff","port":8686,"protocol":"rtsp","sensor":"gaze","stream_error":false},"model":"Sensor"},
 {"data":{"conn_type":"DIRECT","connected":true,"ip":"192.168.1.23","params":"camera\u003dgaze\u0026audioenable\u003don","port":8086,"protocol":"rtsp","sensor":"gaze","stream_error":false},"model":"Sensor"},
 {"data":{"conn_type":"DIRECT","connected":false,"sensor":"world"},"model":"Sensor"},
 {"data":{"battery_level":97,"battery_state":"OK","device_id":"1234567890abcdef","device_name":"Neon Companion","ip":"192.168.1.23","memory":123456789000,"memory_state":"OK","time_echo_port":12321},"model":"Phone"},
 {"data":{"frame_name":"Just act natural","glasses_serial":"-1","module_serial":"123456","version":"2.0","world_camera_serial":"-1"},"model":"Hardware"}]
""")  # noqa: E501


def test_reads_the_phones_status():
    status = parse_status(STATUS)
    gaze = status.sensor("gaze")
    assert gaze.url("10.0.0.9") == "rtsp://10.0.0.9:8086/?camera=gaze&audioenable=on"
    assert status.sensor("gaze", "WEBSOCKET").port == 8686
    assert status.sensor("world") == Sensor("world", "DIRECT", connected=False)
    assert status.sensor("imu") is None
    assert (status.phone.battery_level, status.phone.time_echo_port) == (97, 12321)
    assert (status.hardware.version, status.hardware.module_serial) == ("2.0", "123456")
    assert (status.recording, status.is_recording, status.unknown_count) == (None, False, 0)


def test_changes_replace_what_was_there_and_add_what_was_not():
    status = parse_status(STATUS)
    status = status.updated(Sensor("world", "DIRECT", connected=True)).updated(Sensor("imu", "DIRECT"))
    assert status.sensor("world").connected
    assert status.sensor("imu") is not None
    assert len(status.sensors) == 4
    status = status.updated(Recording("r", "START", "Started recording"))
    assert status.is_recording
    assert not status.updated(Recording("r", "ERROR", "Recording Watchdog failure")).is_recording
    assert status.updated(DeviceEvent("a", 1, "r")) == status
    status = status.updated(NetworkDevice(device_id="x", connected=True)).updated(NetworkDevice(device_id="x"))
    assert status.networks == (NetworkDevice(device_id="x"),)


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [],
        {"model": "Phone"},
        {"model": "Invented", "data": {}},
        {"model": "Sensor", "data": {"sensor": "gaze"}},
        {"model": "Recording", "data": {"id": 3, "action": "START"}},
        {"model": ["Phone"], "data": {}},
    ],
)
def test_what_cannot_be_read_is_counted(obj):
    assert parse_component(obj) is None
    status = parse_status([obj, *STATUS])
    assert status.unknown_count == 1
    assert status.sensor("gaze") is not None


def test_fields_of_another_type_or_unknown_are_as_if_missing():
    phone = parse_component(
        {"model": "Phone", "data": {"ip": 7, "battery_level": True, "memory": "x", "new": 1, "device_name": "x" * 5000}}
    )
    assert phone == Phone(device_name="x" * 1000)


def test_a_flood_of_sensors_is_bounded():
    status = DeviceStatus()
    for number in range(200):
        status = status.updated(Sensor(f"s{number}", "DIRECT"))
    assert len(status.sensors) == 100
    assert status.unknown_count == 100


@pytest.mark.parametrize("result", [None, {}, "text", 3])
def test_a_status_that_is_no_list_is_refused(result):
    with pytest.raises(RemoteProtocolError, match="list of components"):
        parse_status(result)


@pytest.mark.parametrize(
    "component",
    [
        Phone("10.0.0.1", None, "1234567890abcdef", "Neon", 50, "OK", 10, "LOW", 4),
        Hardware("2.0", "-1", "-1", "123456", "Just act natural"),
        Sensor("gaze", "DIRECT", True, "10.0.0.1", 8086, "rtsp", "camera=gaze&audioenable=on", False),
        Recording("id", "STOP", "Stopped recording", 63881000000),
        NetworkDevice("10.0.0.2", 8080, "x", "Other", True),
        DeviceEvent("stim", 1643899966134527000, "id"),
    ],
)
def test_there_and_back(component):
    assert parse_component(json.loads(json.dumps(to_json(component)))) == component


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "data", "id"]), inner),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=6))
def test_any_json_is_survived(result):
    assert parse_status(result).unknown_count == len(result)

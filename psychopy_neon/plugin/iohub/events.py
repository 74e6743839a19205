"""Kinds of events that ioHub has no table for: what a Neon tells beyond an eye tracker.

Imported in both processes, so that ioHub knows the numbers of the kinds wherever it meets them. Each becomes a table
of the HDF5 file beside ioHub's own. As in all ioHub events, ``device_time`` is Unix seconds on the phone's clock,
``time`` and ``logged_time`` (when the packet was read) are seconds on ioHub's, and ``confidence_interval`` is the bound
of the error of ``time``, s; -1: nothing is proven.
"""

from psychopy.iohub.constants import EventConstants
from psychopy.iohub.devices.eyetracker.eye_events import EyeTrackerEvent

__all__ = ["NeonClockEvent", "NeonGapEvent", "NeonGazeEvent", "NeonImuEvent"]

_IDS = {"NEON_GAZE": 75, "NEON_IMU": 76, "NEON_CLOCK": 77, "NEON_GAP": 78}
for _name, _number in _IDS.items():
    setattr(EventConstants, _name, _number)
    EventConstants._names[_name], EventConstants._names[_number] = _number, _name


class NeonGazeEvent(EyeTrackerEvent):
    """A gaze sample as the device sent it, and how it was mapped; one for each sample, mapped or not."""

    _newDataTypes = [
        ("device_ns", "i8"),  # Unix ns on the phone's clock
        ("host_ns", "i8"),  # time.perf_counter_ns() of the computer
        ("sequence", "u2"),
        ("scene_x", "f4"),  # scene px, pixel centres at whole numbers, distorted
        ("scene_y", "f4"),
        ("worn", "u1"),
        ("left_lid_top", "f4"),  # rad
        ("left_lid_bottom", "f4"),
        ("left_aperture", "f4"),  # mm
        ("right_lid_top", "f4"),
        ("right_lid_bottom", "f4"),
        ("right_aperture", "f4"),
        ("screen_x", "f4"),  # framebuffer px from the top left corner, y down; NaN without a place
        ("screen_y", "f4"),
        ("screen", "u1"),
        ("on_screen", "u1"),
        ("reason", "|S16"),  # why there is no place: a name of GazeReason; empty if there is one
        ("error_px", "f4"),  # expected error of the mapping, screen px
        ("error_deg", "f4"),
        ("tags", "u1"),
        ("reprojection_px", "f4"),  # scene px
        ("pose_age", "f4"),  # s
        ("pose_timing", "|S16"),  # carried, extrapolated, interpolated
        ("coarse", "u1"),
    ]
    EVENT_TYPE_ID = EventConstants.NEON_GAZE
    EVENT_TYPE_STRING = IOHUB_DATA_TABLE = "NEON_GAZE"
    __slots__ = [name for name, _ in _newDataTypes]


class NeonImuEvent(EyeTrackerEvent):
    """A sample of the inertial sensor; sensor axes: x right, y forward, z up."""

    _newDataTypes = [
        ("device_ns", "i8"),
        ("host_ns", "i8"),
        ("sequence", "u2"),
        ("gyro_x", "f4"),  # degrees per second
        ("gyro_y", "f4"),
        ("gyro_z", "f4"),
        ("accel_x", "f4"),  # g
        ("accel_y", "f4"),
        ("accel_z", "f4"),
        ("quaternion_w", "f4"),
        ("quaternion_x", "f4"),
        ("quaternion_y", "f4"),
        ("quaternion_z", "f4"),
    ]
    EVENT_TYPE_ID = EventConstants.NEON_IMU
    EVENT_TYPE_STRING = IOHUB_DATA_TABLE = "NEON_IMU"
    __slots__ = [name for name, _ in _newDataTypes]


class NeonClockEvent(EyeTrackerEvent):
    """The offset of the phone's clock, at every step of it and every few seconds."""

    _newDataTypes = [
        ("offset_ns", "i8"),  # device minus host
        ("bound_ns", "i8"),  # the true offset is off by at most this
        ("drift_ppm", "f4"),
        ("drift_bound_ppm", "f4"),
        ("measured_at_ns", "i8"),  # host_ns for which the offset holds
        ("exchanges", "u4"),
        ("segment", "u4"),  # counts the steps of the phone's clock
    ]
    EVENT_TYPE_ID = EventConstants.NEON_CLOCK
    EVENT_TYPE_STRING = IOHUB_DATA_TABLE = "NEON_CLOCK"
    __slots__ = [name for name, _ in _newDataTypes]


class NeonGapEvent(EyeTrackerEvent):
    """A hole in a stream that has ended, or samples that were lost since the last one of these."""

    _newDataTypes = [
        ("stream", "|S16"),  # gaze, imu
        ("start_ns", "i8"),  # host_ns
        ("end_ns", "i8"),
        ("lost", "u4"),  # packets that were sent and did not arrive or could not be used
        ("cause", "|S128"),
    ]
    EVENT_TYPE_ID = EventConstants.NEON_GAP
    EVENT_TYPE_STRING = IOHUB_DATA_TABLE = "NEON_GAP"
    __slots__ = [name for name, _ in _newDataTypes]

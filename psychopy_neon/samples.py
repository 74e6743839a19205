"""The vocabulary: frozen records, one type per stage of the flow.

======================  ==========================  ====================  =======================
stage                   type                        time                  place
======================  ==========================  ====================  =======================
as the device sent it   :class:`GazeDatum`          RTP ticks             scene px, distorted
timed                   :class:`GazeSample`         device and host ns    scene px, distorted
decoded video           :class:`SceneFrame`         device and host ns    -
head movement           :class:`ImuSample`          device and host ns    -
the phone's own events  :class:`EyeEvent`           device and host ns    scene px, distorted
on the screen           :class:`ScreenGaze`         of its sample         screen px
======================  ==========================  ====================  =======================

``device_ns`` is Unix time on the phone's clock; ``host_ns`` is ``time.perf_counter_ns()`` time of this
computer. Records never change; those that come by the hundred a second are tuples, which are made much faster than
frozen dataclasses. Scene px have pixel centres at integers; screen px are framebuffer pixels with the origin at
the outer corner of the first pixel, y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Vector3: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]
"""w, x, y, z."""


class EyeState(NamedTuple):
    """One eye; a field is None where the device's packet form does not carry it."""

    pupil_mm: float | None = None
    """Pupil diameter."""
    center_mm: Vector3 | None = None
    """Centre of the eyeball, scene camera coordinates."""
    axis: Vector3 | None = None
    """Optical axis, unit vector, scene camera coordinates."""
    lid_top_rad: float | None = None
    lid_bottom_rad: float | None = None
    aperture_mm: float | None = None
    gaze: tuple[float, float] | None = None
    """Monocular gaze, scene px."""


class GazeDatum(NamedTuple):
    """Gaze as the device sent it; its time is still in RTP ticks."""

    ticks: int
    sequence: int
    x: float
    y: float
    worn: bool
    left: EyeState | None = None
    right: EyeState | None = None


class GazeSample(NamedTuple):
    """Gaze with its time.

    ``host_ns`` is off by at most ``bound_ns``. While the clock offset is unknown (a device without time echo)
    ``host_ns`` is late by the smallest delay of arrival and ``bound_ns`` is None: nothing is proven.
    """

    device_ns: int
    host_ns: int
    bound_ns: int | None
    x: float
    y: float
    worn: bool
    left: EyeState | None
    right: EyeState | None
    sequence: int
    received_ns: int
    """Host clock, when the packet was read from the socket."""


class ImuDatum(NamedTuple):
    """What the inertial sensor felt, as the device sent it; its time is the sensor's own, no RTP ticks."""

    device_ns: int
    sequence: int
    gyro_dps: Vector3
    """Turning rate about the sensor's x, y, z, degrees per second."""
    accel_g: Vector3
    """Acceleration along the sensor's x, y, z, in multiples of gravity; a head at rest feels 1."""
    quaternion: Quaternion
    """Orientation in the world as the sensor computes it."""


class ImuSample(NamedTuple):
    """What the inertial sensor felt; its times as in :class:`GazeSample`."""

    device_ns: int
    host_ns: int
    bound_ns: int | None
    gyro_dps: Vector3
    accel_g: Vector3
    quaternion: Quaternion
    sequence: int
    received_ns: int


class EyeEventKind(Enum):
    """What the device's own event detector tells."""

    SACCADE = "saccade"
    FIXATION = "fixation"
    SACCADE_ONSET = "saccade onset"
    FIXATION_ONSET = "fixation onset"
    BLINK = "blink"


class GazeMotion(NamedTuple):
    """How gaze moved during a finished fixation or saccade; places in scene px."""

    start: tuple[float, float]
    end: tuple[float, float]
    mean: tuple[float, float]
    amplitude_px: float
    amplitude_deg: float
    mean_velocity: float
    """Scene px per second."""
    max_velocity: float


class EyeEventDatum(NamedTuple):
    """An eye event as the device sent it, with device times and no RTP ticks."""

    kind: EyeEventKind
    start_ns: int
    end_ns: int | None
    motion: GazeMotion | None
    sequence: int


class EyeEvent(NamedTuple):
    """A fixation, saccade or blink that the device found, or the onset of one.

    An onset has no end and no motion, a blink no motion. ``start_host_ns`` and ``end_host_ns`` are off by at most
    ``bound_ns``; None as in :class:`GazeSample`.
    """

    kind: EyeEventKind
    start_ns: int
    """Device clock, as ``end_ns``."""
    end_ns: int | None
    start_host_ns: int
    end_host_ns: int | None
    bound_ns: int | None
    motion: GazeMotion | None
    sequence: int
    received_ns: int

    @property
    def host_ns(self) -> int:
        """Host clock of what the device told last: the end, or the start of an onset."""
        return self.start_host_ns if self.end_host_ns is None else self.end_host_ns


@dataclass(frozen=True, slots=True, eq=False)
class SceneFrame:
    """A decoded scene video frame; its times as in :class:`GazeSample`."""

    device_ns: int
    host_ns: int
    bound_ns: int | None
    luma: npt.NDArray[np.uint8]
    """Luma plane, shape (height, width)."""
    sequence: int
    """Count of frames since the stream opened."""
    received_ns: int
    """Host clock, when the frame's last packet was read from the socket."""
    u: npt.NDArray[np.uint8] | None = None
    """Chroma planes, shape (height / 2, width / 2)."""
    v: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the device confirmed it.

    ``recording_id`` is None when the device named no recording: then none ran and it discards the event, or the
    recording had begun only a moment before.
    """

    name: str
    device_ns: int
    recording_id: str | None
    host_ns: int | None = None
    """Host clock of the event; None: the device stamped its arrival."""
    bound_ns: int | None = None
    """``device_ns`` is off from ``host_ns`` by at most this."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraModel:
    """A pinhole camera with OpenCV's rational distortion k1 k2 p1 p2 k3 k4 k5 k6."""

    matrix: npt.NDArray[np.float64]
    """Shape (3, 3)."""
    distortion: npt.NDArray[np.float64]
    """Shape (8,)."""
    extrinsics: npt.NDArray[np.float64]
    """Shape (4, 4), pose relative to the scene camera, translation in mm."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraCalibration:
    """The factory calibration of one Neon module."""

    version: int
    serial: str
    scene: CameraModel
    right: CameraModel
    left: CameraModel


class GazeReason(Enum):
    """Why there is no gaze on the screen; the value is a sentence for people."""

    NO_STREAM = "no gaze has arrived from the device yet"
    STALE = "the newest gaze is too old"
    NOT_WORN = "the glasses are not worn"
    BLINK = "the eyes are closed"
    NO_GAZE = "the device sent gaze that is no place"
    NO_CALIBRATION = "the device's camera calibration is missing or damaged"
    NO_LAYOUT = "no screen tags are shown"
    NO_SCENE = "no scene video has arrived from the device yet"
    SCENE_STALE = "the newest scene frame is too old"
    TAGS_LOST = "no screen tag is seen by the scene camera"
    TOO_FEW_TAGS = "too few screen tags are seen by the scene camera"
    IMPLAUSIBLE = "the tags that are seen contradict the layout"
    OUT_OF_VIEW = "the gaze lies outside what the scene camera can see"


class PoseTiming(Enum):
    """How the pose of the screen came to the time of the gaze."""

    CARRIED = "carried"
    """The newest frame's, moved on by the gyroscope."""
    EXTRAPOLATED = "extrapolated"
    """The newest frame's, moved on as the head turned between the frames before: there is no gyroscope."""
    INTERPOLATED = "interpolated"
    """Between the frames before and after the gaze."""


class ScreenQuality(NamedTuple):
    """How well a place on the screen is known, as far as the mapping goes; the eye tracker's own error comes on top."""

    tag_count: int
    """Tags that the pose rests on."""
    reprojection_px: float
    """Root mean square distance of the tag corners from the fitted screen, scene px."""
    error_px: float
    """Expected distance from the true place (two-dimensional root mean square), screen px."""
    error_deg: float
    """The same as an angle seen from the scene camera."""
    pose_age_s: float
    """Time of the gaze minus time of the scene frame; of the nearer one where it was interpolated."""
    is_coarse: bool
    """The pose rests on a single tag: places far from it are guesses."""
    timing: PoseTiming


class ScreenGaze(NamedTuple):
    """Gaze on the screen, or the reason why there is none.

    ``pos`` is in screen px and may lie outside the screen: then ``is_on_screen`` is False.
    """

    pos: tuple[float, float] | None
    reason: GazeReason | None
    is_on_screen: bool = False
    quality: ScreenQuality | None = None
    age_s: float | None = None
    """Time of asking minus time of the sample, host clock."""
    sample: GazeSample | None = None
    screen: int = 0
    """Which of the tracker's layouts ``pos`` belongs to."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in a stream, host clock."""

    start_ns: int
    end_ns: int | None
    """None while it lasts."""
    cause: str


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """What became of a stream's packets so far."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    malformed: int = 0
    dropped: int = 0
    """Items that a full buffer or a slow reader lost after they had arrived."""
    rate_hz: float = 0.0
    age_s: float | None = None
    """Since the newest item arrived."""
    gaps: tuple[Gap, ...] = ()
    clock_trouble: str | None = None
    """Why the items' times have no bound now, or one that grows; None while the device answers time echoes."""


@dataclass(frozen=True, slots=True)
class OutboxHealth:
    """What became of the events that were sent so far."""

    waiting: int = 0
    """Events and commands on their way."""
    confirmed: int = 0
    refused: int = 0
    unsure: int = 0
    """Events that were given up without knowing whether the device has them."""
    repeated: int = 0
    """Attempts after one that may have reached the device: that many events may be on it twice, identical."""
    dropped: int = 0
    """Events that were not even taken, since too many waited."""
    journal: str | None = None
    """Path of the journal; None before its first line, or when none is kept."""
    journal_trouble: str | None = None
    """Why the journal cannot be written now; None while all is well."""
    journal_unwritten: int = 0
    """Lines that are not in the journal although they should be."""

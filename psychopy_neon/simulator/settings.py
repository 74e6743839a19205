"""What a simulated Neon is told before it starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.echo_paths import PATHS, EchoPathSpec
from psychopy_neon.simulator.head_motion import HEAD_MOTIONS, HeadMotionSpec
from psychopy_neon.simulator.phone_clock import MAX_RATE_PPM

__all__ = ["GAZE_PAYLOAD_BYTES", "HeadPose", "SimulatorSettings"]

GAZE_PAYLOAD_BYTES = (9, 17, 25, 65, 89, 105)
"""Lengths of a gaze payload, `protocol.md` 8.1; the length alone tells the form."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where the scene camera is, seen from the screen.

    Lengths are in widths of the screen, so that nobody needs to know its size in metres. The origin is the
    centre of the screen, x to the right, y down, as a person in front of it sees it.
    """

    x: float = 0.0
    y: float = 0.0
    distance: float | None = None
    """From the plane of the screen; None: so far that the screen fills about 80 % of the scene image."""
    yaw_deg: float = 0.0
    """Positive turns the head to the right: the screen moves left in the scene image."""
    pitch_deg: float = 0.0
    """Positive lifts the head: the screen moves down in the scene image."""
    roll_deg: float = 0.0
    """Positive tilts the head to the right shoulder: the screen turns counter-clockwise in the scene image."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Everything that can be set about a :class:`~psychopy_neon.simulator.SimulatedNeon`.

    A port of 0 means any free one. The RTSP and the time echo port are told to clients by the status, as on the phone.
    """

    host: str = "127.0.0.1"
    """Address to bind to; loopback unless told otherwise."""
    port: int = 0
    rtsp_port: int = 0
    echo_port: int = 0
    reported_ip: str | None = None
    """The address that the phone believes to have; None: the one it is bound to."""
    name: str = "Neon Simulator"
    serial: str = "123456"
    """Serial number of the module, up to six ASCII characters."""
    model: Literal["neon", "invisible"] = "neon"
    """A Pupil Invisible has a smaller scene image, gaze of 9 bytes, no calibration to fetch, and streams neither its
    inertial sensor nor eye events."""
    mdns: bool = False
    """Whether the phone announces itself; its name and serial must then be its own."""

    offset_ns: int = 0
    """Phone clock minus wall clock of this computer at the start."""
    drift_ppm: float = 0.0
    """How much faster the phone's crystal, hence all its clocks, runs at the start."""

    gaze: str = "script"
    """``script`` (seeded fixations), ``mouse`` (pointer of the real screen), or a file of JSON lines
    ``{"t_s": , "x": , "y": }`` in screen px, each point looked at until the next one's time."""
    gaze_hz: float = 200.0
    gaze_bytes: int = 65
    number_gaze: bool = False
    """x of each gaze datum is its number (modulo 2**24, so exact in float32) in place of the place looked at."""

    blinks_per_minute: float = 0.0
    """How often the eyes blink by themselves, in the mean; gaze of 89 and 105 bytes tells of the lids."""
    has_eye_events: bool = True
    """Whether the app computes fixations; else there is no stream of eye events."""

    imu_hz: float = 110.0
    gyro_noise_dps: float = 0.05
    """Root mean square of each axis, degrees per second."""
    gyro_bias_dps: tuple[float, float, float] = (0.3, -0.2, 0.1)
    """What the gyroscope shows at rest, in the sensor's axes."""
    imu_misalignment_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How the sensor sits otherwise than it should, see :data:`.imu.SENSOR_FROM_CAMERA`: a turn about this axis of its
    own by as many degrees as it is long."""
    imu_delay_ms: float = 0.0
    """By how much the sensor's samples are stamped too late."""

    scene: str = "synthetic"
    """``synthetic``, ``screen`` (the real one is grabbed), or an image file shown as if it were the screen."""
    scene_fps: float = 30.0
    head: HeadPose = HeadPose()
    head_motion: HeadMotionSpec = HEAD_MOTIONS["still"]
    """How the head turns about ``head`` by itself."""
    frame_code: bool = False
    """Each scene frame carries its number as blocks in its top rows, see :mod:`.frame_code`."""
    scene_slices: int = 1
    """H.264 slices of a picture."""
    marker: Literal["every_nal", "rfc"] = "every_nal"
    """Habit of the RTP marker: the phone's library sets it on the last packet of every NAL unit, RFC 6184 section 5.1
    only on the last packet of a picture."""
    media_start: Literal["setup", "play"] = "setup"
    """The request after which media flows; the phone's library does not wait for PLAY (`protocol.md` 6.1)."""
    echo_interleaved: bool = True
    """Whether the reply to a SETUP over TCP names its channels; app 2.9.31 leaves that out."""
    report_interval_s: float = 1.0
    """Time between RTCP sender reports; the first is sent before the first packet."""

    loss: float = 0.0
    """Part of the RTP packets that is thrown away, 0 to 1; chosen by the seed, told in the ground truth."""
    reorder: float = 0.0
    """Part of the RTP packets that is sent after its successor."""
    has_echo: bool = True
    """Old apps have no time echo: no port in the status, and nobody listens."""
    echo_path: EchoPathSpec = PATHS["direct"]
    """The network that time echoes travel on."""
    echo_jitter_ms: float = 0.0
    """Longest evenly distributed delay of a time echo each way, on top of its path's."""
    echo_rounding: Literal["floor", "nearest"] = "floor"
    """What becomes of the fraction of a millisecond in a time echo."""

    refuse_start: str | None = None
    """Reason with which starting a recording is refused."""
    template: str = "full"
    """What is chosen on the phone: ``full`` (every kind of item), ``none`` (no template), or a JSON file with a
    definition as the phone sends it. A Pupil Invisible tells of none."""
    need_answers: Literal["never", "stop", "start"] = "never"
    """From when on a required question that is empty is a reason to refuse: never, at ``recording:stop_and_save``, or
    already at ``recording:start``. The maker's manual says the second, the OpenAPI file both."""
    truth: Path | None = None
    """File for the ground truth, JSON lines."""
    keep_truth: bool = True
    """Whether the ground truth is also kept in memory, see :class:`.truth.TruthLog`."""
    seed: int = 0

    def __post_init__(self) -> None:
        self._require("gaze_bytes", self.gaze_bytes in GAZE_PAYLOAD_BYTES, f"one of {GAZE_PAYLOAD_BYTES}")
        self._require("model", self.model in ("neon", "invisible"), "neon or invisible")
        self._require("loss", 0 <= self.loss < 1, "0 up to, but not, 1")
        self._require("reorder", 0 <= self.reorder < 1, "0 up to, but not, 1")
        self._require("echo_jitter_ms", 0 <= self.echo_jitter_ms <= 5000, "0 to 5000")
        self._require("frame_code", self.model == "neon" or not self.frame_code, "False for a Pupil Invisible")
        self._require("gaze_hz", 0 < self.gaze_hz <= 1000, "above 0 and up to 1000")
        self._require("imu_hz", 0 < self.imu_hz <= 1000, "above 0 and up to 1000")
        self._require("blinks_per_minute", 0 <= self.blinks_per_minute <= 120, "0 to 120")
        self._require("gyro_noise_dps", 0 <= self.gyro_noise_dps <= 100, "0 to 100")
        self._require("imu_delay_ms", abs(self.imu_delay_ms) <= 1000, "-1000 to 1000")
        for setting in ("gyro_bias_dps", "imu_misalignment_deg"):
            values = getattr(self, setting)
            self._require(
                setting, len(values) == 3 and all(abs(each) <= 180 for each in values), "three of -180 to 180"
            )
        self._require("scene_fps", 0 < self.scene_fps <= 120, "above 0 and up to 120")
        self._require("scene_slices", 1 <= self.scene_slices <= 16, "1 to 16")
        self._require("report_interval_s", 0.05 <= self.report_interval_s <= 60, "0.05 to 60")
        self._require("serial", 0 < len(self.serial) <= 6 and self.serial.isascii(), "one to six ASCII characters")
        allowed = f"between -{MAX_RATE_PPM} and {MAX_RATE_PPM}"
        self._require("drift_ppm", abs(self.drift_ppm) <= MAX_RATE_PPM, allowed)
        self._require("echo_rounding", self.echo_rounding in ("floor", "nearest"), "floor or nearest")
        self._require("need_answers", self.need_answers in ("never", "stop", "start"), "never, stop or start")
        self._require("marker", self.marker in ("every_nal", "rfc"), "every_nal or rfc")
        self._require("media_start", self.media_start in ("setup", "play"), "setup or play")
        for port in ("port", "rtsp_port", "echo_port"):
            self._require(port, 0 <= getattr(self, port) <= 65535, "0 (any free port) to 65535")

    @property
    def streams(self) -> tuple[str, ...]:
        """The sensors that are streamed."""
        if self.model == "invisible":
            return "world", "gaze"
        return "world", "gaze", "imu", *(("eye_events",) if self.has_eye_events else ())

    @property
    def device_id(self) -> str:
        """The phone's hardware id, 16 hex digits; another for every name and serial."""
        return hashlib.sha256(f"{self.name}/{self.serial}".encode()).hexdigest()[:16]

    def _require(self, setting: str, is_fine: bool, allowed: str) -> None:
        if not is_fine:
            raise ConfigurationError(setting, getattr(self, setting), allowed)

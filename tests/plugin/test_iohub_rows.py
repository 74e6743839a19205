"""ioHub's event lists: every value in the field of its name."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from psychopy_neon.contingent.screen_events import ScreenBlink, ScreenFixation, ScreenSaccade, Span
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.samples import (
    EyeState,
    GazeReason,
    GazeSample,
    ImuSample,
    PoseTiming,
    ScreenGaze,
    ScreenQuality,
)
from psychopy_neon.timing.offset import ClockOffset

ZERO_S = 100.0
FACTS = WindowFacts(
    1000, 500, "height", monitor_name="lab", monitor_width_cm=50, monitor_width_pix=1000, distance_cm=60
)
LEFT = EyeState(3.0, (-31.0, 12.0, -26.0), (0.5, -0.5, math.sqrt(0.5)), 0.3, -0.2, 9.0, (700.0, 600.0))
RIGHT = EyeState(4.0)
SAMPLE = GazeSample(5_000_000_000, 2_000_000_000, 250_000, 800.0, 590.0, True, LEFT, RIGHT, 7, 2_004_000_000)
SPAN = Span(5_000_000_000, 5_200_000_000, 2_000_000_000, 2_200_000_000, 250_000)
RECEIVED_NS = 2_210_000_000


@pytest.fixture
def iohub(psychopy: SimpleNamespace) -> SimpleNamespace:
    from psychopy.iohub.constants import EventConstants
    from psychopy.iohub.devices.eyetracker import eye_events

    from psychopy_neon.plugin.iohub import events, rows

    kinds = [getattr(eye_events, name) for name in dir(eye_events) if name.endswith("Event")]
    kinds += [getattr(events, name) for name in events.__all__]
    names = {kind.EVENT_TYPE_ID: kind.CLASS_ATTRIBUTE_NAMES for kind in kinds}

    def read(row: list) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip(names[row[4]], row, strict=True)))

    def rows_of(facts=FACTS):
        return rows.Rows(ZERO_S, facts, lambda x, y, device_ns: ScreenGaze((x, y), None, True))

    return SimpleNamespace(rows=rows_of, read=read, constants=EventConstants, status=rows.REASON_STATUS)


def assert_times(row: SimpleNamespace) -> None:
    times = (row.device_time, row.time, row.logged_time, row.confidence_interval, row.delay)
    assert times == pytest.approx((5.0, ZERO_S + 2.0, ZERO_S + 2.004, 0.00025, 0.004))


def test_a_sample_is_three_rows(iohub):
    quality = ScreenQuality(8, 0.1, 0.2, 0.01, -0.002, True, PoseTiming.CARRIED)
    gaze = ScreenGaze((750.0, 125.0), None, True, quality, None, SAMPLE)
    screen, eyes, raw = map(iohub.read, iohub.rows().gaze(gaze))
    for row in (screen, eyes, raw):
        assert_times(row)
    assert (screen.gaze_x, screen.gaze_y, screen.raw_x, screen.raw_y) == (0.5, 0.25, 800.0, 590.0)
    assert (screen.pupil_measure1, screen.pupil_measure1_type, screen.status) == (3.5, 77, 0)
    assert math.isnan(screen.velocity_x)
    assert (eyes.left_eye_cam_x, eyes.left_eye_cam_z, eyes.left_pupil_measure1) == (-31.0, -26.0, 3.0)
    assert (eyes.left_angle_x, eyes.left_angle_y) == pytest.approx((math.degrees(math.atan2(0.5, 0.5**0.5)), 30.0))
    assert (eyes.left_raw_x, eyes.left_gaze_x, eyes.left_gaze_y) == (700.0, 0.4, -0.7)
    assert (eyes.right_pupil_measure1, eyes.status) == (4.0, 0)
    assert math.isnan(eyes.right_raw_x)
    assert (raw.device_ns, raw.host_ns, raw.sequence, raw.scene_x) == (5_000_000_000, 2_000_000_000, 7, 800.0)
    assert (raw.left_lid_top, raw.left_aperture, raw.worn, raw.screen_x, raw.on_screen) == (0.3, 9.0, True, 750.0, True)
    assert (raw.reason, raw.tags, raw.pose_timing, raw.coarse, raw.error_deg) == (b"", 8, b"carried", True, 0.01)


@pytest.mark.parametrize("reason", list(GazeReason))
def test_every_reason_is_told_in_two_ways(iohub, reason: GazeReason):
    sample = SAMPLE._replace(left=None, right=None, bound_ns=None)
    screen, raw = map(iohub.read, iohub.rows().gaze(ScreenGaze(None, reason, sample=sample)))
    assert screen.status == iohub.status[reason] > 100
    assert raw.reason.decode() == reason.name
    assert len(raw.reason) <= 16
    assert math.isnan(screen.gaze_x)
    assert math.isnan(screen.pupil_measure1)
    assert screen.confidence_interval == -1


def test_the_numbers_of_reasons_never_change(iohub):
    """Files of years ago have them: a new reason comes last."""
    known = "NO_STREAM STALE NOT_WORN BLINK NO_GAZE NO_CALIBRATION NO_LAYOUT NO_SCENE SCENE_STALE TAGS_LOST "
    known += "TOO_FEW_TAGS IMPLAUSIBLE OUT_OF_VIEW"
    numbers = {reason.name: number for reason, number in iohub.status.items()}
    assert [numbers[name] for name in known.split()] == list(range(101, 114))


@pytest.mark.parametrize(
    ("left", "right", "status"), [(LEFT, None, 20), (None, RIGHT, 2), (EyeState(), EyeState(0.0), 22)]
)
def test_eyes_without_a_pupil_are_missing(iohub, left, right, status: int):
    gaze = ScreenGaze(None, GazeReason.BLINK, sample=SAMPLE._replace(left=left, right=right))
    assert iohub.read(iohub.rows().gaze(gaze)[1]).status == status


def test_places_beside_the_first_screen_or_without_a_window_are_none(iohub):
    on_other = ScreenGaze((10.0, 10.0), None, True, sample=SAMPLE, screen=1)
    assert math.isnan(iohub.read(iohub.rows().gaze(on_other)[0]).gaze_x)
    assert math.isnan(iohub.read(iohub.rows(None).gaze(on_other._replace(screen=0))[0]).gaze_x)
    no_monitor = FACTS._replace(units="deg", monitor_width_cm=None)
    assert math.isnan(iohub.read(iohub.rows(no_monitor).gaze(on_other._replace(screen=0))[0]).gaze_x)


def test_fixations(iohub):
    (end,) = map(iohub.read, iohub.rows().eye_event(ScreenFixation(SPAN, (750.0, 125.0)), RECEIVED_NS))
    assert end.type == iohub.constants.FIXATION_END
    assert (end.average_gaze_x, end.average_gaze_y, end.duration, end.status) == (0.5, 0.25, 0.2, 0)
    assert (end.time, end.logged_time) == pytest.approx((ZERO_S + 2.2, ZERO_S + 2.21))
    onset = ScreenFixation(SPAN._replace(end_ns=None, end_host_ns=None), None, GazeReason.TAGS_LOST)
    (start,) = map(iohub.read, iohub.rows().eye_event(onset, RECEIVED_NS))
    assert (start.type, start.status) == (iohub.constants.FIXATION_START, iohub.status[GazeReason.TAGS_LOST])
    assert start.time == pytest.approx(ZERO_S + 2.0)


def test_saccades(iohub):
    jump = ScreenSaccade(SPAN, (500.0, 250.0), (500.0, 130.0), None, 120.0)
    (end,) = map(iohub.read, iohub.rows().eye_event(jump, RECEIVED_NS))
    assert end.type == iohub.constants.SACCADE_END
    assert (end.start_gaze_y, end.end_gaze_y, end.duration) == pytest.approx((0.0, 0.24, 0.2))
    six_cm_deg = 6 / (60 * 0.017455)
    assert (end.amplitude_x, end.amplitude_y, end.angle) == pytest.approx((0.0, six_cm_deg, 90.0))
    lost = jump._replace(end=None, reason=GazeReason.BLINK)
    (end,) = map(iohub.read, iohub.rows().eye_event(lost, RECEIVED_NS))
    assert math.isnan(end.amplitude_x)
    onset = ScreenSaccade(SPAN._replace(end_ns=None, end_host_ns=None), None, None)
    (start,) = map(iohub.read, iohub.rows().eye_event(onset, RECEIVED_NS))
    assert start.type == iohub.constants.SACCADE_START


def test_a_blink_told_at_its_end_is_two_rows(iohub):
    start, end = map(iohub.read, iohub.rows().eye_event(ScreenBlink(SPAN), RECEIVED_NS))
    assert (start.type, end.type) == (iohub.constants.BLINK_START, iohub.constants.BLINK_END)
    assert (start.time, end.time, end.duration) == pytest.approx((ZERO_S + 2.0, ZERO_S + 2.2, 0.2))


def test_what_only_a_neon_tells(iohub):
    sample = ImuSample(5_000_000_000, 2_000_000_000, 250_000, (1, 2, 3), (4, 5, 6), (7, 8, 9, 10), 11, 2_004_000_000)
    imu = iohub.read(iohub.rows().imu(sample))
    assert_times(imu)
    assert (imu.gyro_x, imu.gyro_z, imu.accel_y, imu.quaternion_w, imu.quaternion_z) == (1, 3, 5, 7, 10)
    offset = ClockOffset(3_000_000_000, 200_000, 30.0, 5.0, 2_000_000_000, 40, 2)
    clock = iohub.read(iohub.rows().clock(offset, 2_100_000_000))
    assert (clock.offset_ns, clock.bound_ns, clock.segment, clock.device_time) == (3_000_000_000, 200_000, 2, 5.0)
    gap = iohub.read(iohub.rows().gap("gaze", 2_000_000_000, 2_500_000_000, 3, "ü" * 200))
    assert (gap.stream, gap.end_ns, gap.lost, len(gap.cause)) == (b"gaze", 2_500_000_000, 3, 128)

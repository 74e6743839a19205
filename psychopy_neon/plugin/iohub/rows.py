"""What a Neon sends as ioHub's events: lists in the order of the fields, filled by their names."""

import math

from psychopy.iohub.constants import EyeTrackerConstants
from psychopy.iohub.devices import Device
from psychopy.iohub.devices.eyetracker import eye_events

from psychopy_neon.contingent.screen_events import ScreenBlink, ScreenFixation
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.iohub.events import NeonClockEvent, NeonGapEvent, NeonGazeEvent, NeonImuEvent
from psychopy_neon.samples import GazeReason

__all__ = ["REASON_STATUS", "Rows"]

NAN = math.nan
REASON_STATUS = {reason: 101 + place for place, reason in enumerate(GazeReason)}
"""``status`` of a sample without a place on the screen; 0 with one."""
LEFT_MISSING, RIGHT_MISSING, BOTH_MISSING = 2, 20, 22
"""``status`` of a binocular sample, as ioHub's devices have it."""
UNPROVEN = -1


class _Form:
    """Makes the rows of one kind of event."""

    def __init__(self, event, **fixed):
        self.places = {name: place for place, name in enumerate(event.CLASS_ATTRIBUTE_NAMES)}
        kinds = dict(event._dataType)
        texts = {name for name, kind in kinds.items() if str(kind).startswith("|S")}
        floats = {name for name, kind in kinds.items() if kind == "f4"}
        self.blank = [b"" if name in texts else NAN if name in floats else 0 for name in event.CLASS_ATTRIBUTE_NAMES]
        self.set(self.blank, type=event.EVENT_TYPE_ID, filter_id=0, **fixed)

    def set(self, row, **values):
        for name, value in values.items():
            row[self.places[name]] = value

    def row(self, times, **values):
        row = self.blank.copy()
        row[3] = Device._getNextEventID()
        row[5:10] = times
        self.set(row, **values)
        return row


_EYES = EyeTrackerConstants.BINOCULAR_AVERAGED
_MM = EyeTrackerConstants.PUPIL_DIAMETER_MM
_MONOCULAR = _Form(eye_events.MonocularEyeSampleEvent, eye=_EYES, pupil_measure1_type=_MM)
_BINOCULAR = _Form(eye_events.BinocularEyeSampleEvent, left_pupil_measure1_type=_MM, right_pupil_measure1_type=_MM)
_GAZE, _IMU, _CLOCK, _GAP = (_Form(each) for each in (NeonGazeEvent, NeonImuEvent, NeonClockEvent, NeonGapEvent))
_FIXATION = _Form(eye_events.FixationStartEvent, eye=_EYES), _Form(eye_events.FixationEndEvent, eye=_EYES)
_SACCADE = _Form(eye_events.SaccadeStartEvent, eye=_EYES), _Form(eye_events.SaccadeEndEvent, eye=_EYES)
_BLINK = _Form(eye_events.BlinkStartEvent, eye=_EYES), _Form(eye_events.BlinkEndEvent, eye=_EYES)


class Rows:
    """Makes the events of one moment.

    Parameters
    ----------
    zero_s : float
        What ioHub's clock showed when host time was 0: it is set now and then, so it is read anew for each batch.
    facts : WindowFacts or None
        Of the window in whose units places on the screen are given; NaN without.
    on_screen : callable
        ``on_screen(x, y, device_ns)`` puts another scene place onto the screen.
    """

    def __init__(self, zero_s, facts, on_screen):
        self._zero_s = zero_s
        self._facts = facts
        self._on_screen = on_screen

    def gaze(self, gaze):
        """A sample three times: on the screen, the eyes, and as it came."""
        sample = gaze.sample
        times = self._times(sample.device_ns, sample.host_ns, sample.bound_ns, sample.received_ns)
        return [self._monocular(gaze, times), *self._binocular(sample, times), self._neon_gaze(gaze, times)]

    def _monocular(self, gaze, times):
        sample = gaze.sample
        x, y = self._in_window(gaze)
        pupils_mm = [eye.pupil_mm for eye in (sample.left, sample.right) if eye is not None and eye.pupil_mm]
        return _MONOCULAR.row(
            times,
            gaze_x=x,
            gaze_y=y,
            raw_x=sample.x,
            raw_y=sample.y,
            pupil_measure1=sum(pupils_mm) / len(pupils_mm) if pupils_mm else NAN,
            status=0 if gaze.reason is None else REASON_STATUS[gaze.reason],
        )

    def _binocular(self, sample, times):
        """Nothing where the app sends no state of the eyes."""
        if sample.left is None and sample.right is None:
            return []
        values = {}
        for side, eye in (("left", sample.left), ("right", sample.right)):
            if eye is not None:
                values |= {f"{side}_{name}": value for name, value in self._eye(eye, sample.device_ns).items()}
        has_left, has_right = (eye is not None and bool(eye.pupil_mm) for eye in (sample.left, sample.right))
        missing = (0 if has_left else LEFT_MISSING) + (0 if has_right else RIGHT_MISSING)
        return [_BINOCULAR.row(times, **values, status=missing)]

    def _eye(self, eye, device_ns):
        """Its fields without the name of the side."""
        values = {"pupil_measure1": _number(eye.pupil_mm)}
        if eye.center_mm is not None:
            values |= dict(zip(("eye_cam_x", "eye_cam_y", "eye_cam_z"), eye.center_mm, strict=True))
        if eye.axis is not None:
            right, down, forward = eye.axis
            values["angle_x"] = math.degrees(math.atan2(right, forward))
            values["angle_y"] = math.degrees(math.atan2(-down, math.hypot(right, forward)))
        if eye.gaze is not None:
            values["raw_x"], values["raw_y"] = eye.gaze
            values["gaze_x"], values["gaze_y"] = self._in_window(self._on_screen(*eye.gaze, device_ns))
        return values

    def _neon_gaze(self, gaze, times):
        sample, quality = gaze.sample, gaze.quality
        values = {"reason": gaze.reason.name.encode()} if gaze.reason is not None else {}
        if gaze.pos is not None:
            values["screen_x"], values["screen_y"] = gaze.pos
        if quality is not None:
            values |= {
                "error_px": quality.error_px,
                "error_deg": quality.error_deg,
                "tags": quality.tag_count,
                "reprojection_px": quality.reprojection_px,
                "pose_age": quality.pose_age_s,
                "pose_timing": quality.timing.value.encode(),
                "coarse": quality.is_coarse,
            }
        for side, eye in (("left", sample.left), ("right", sample.right)):
            if eye is not None:
                lids = _number(eye.lid_top_rad), _number(eye.lid_bottom_rad)
                values[f"{side}_lid_top"], values[f"{side}_lid_bottom"] = lids
                values[f"{side}_aperture"] = _number(eye.aperture_mm)
        return _GAZE.row(
            times,
            device_ns=sample.device_ns,
            host_ns=sample.host_ns,
            sequence=sample.sequence,
            scene_x=sample.x,
            scene_y=sample.y,
            worn=sample.worn,
            screen=gaze.screen,
            on_screen=gaze.is_on_screen,
            **values,
        )

    def imu(self, sample):
        """A sample of the inertial sensor."""
        times = self._times(sample.device_ns, sample.host_ns, sample.bound_ns, sample.received_ns)
        values = dict(zip(("gyro_x", "gyro_y", "gyro_z"), sample.gyro_dps, strict=True))
        values |= zip(("accel_x", "accel_y", "accel_z"), sample.accel_g, strict=True)
        values |= zip(("quaternion_w", "quaternion_x", "quaternion_y", "quaternion_z"), sample.quaternion, strict=True)
        ids = {"device_ns": sample.device_ns, "host_ns": sample.host_ns, "sequence": sample.sequence}
        return _IMU.row(times, **ids, **values)

    def clock(self, offset, now_ns):
        """The newest offset of the phone's clock."""
        at_ns = offset.measured_at_ns
        return _CLOCK.row(
            self._times(offset.device_ns(at_ns), at_ns, offset.bound_ns, now_ns),
            offset_ns=offset.offset_ns,
            bound_ns=offset.bound_ns,
            drift_ppm=offset.drift_ppm,
            drift_bound_ppm=offset.drift_bound_ppm,
            measured_at_ns=at_ns,
            exchanges=offset.exchanges,
            segment=offset.segment,
        )

    def gap(self, stream, start_ns, end_ns, lost, cause):
        """A hole in a stream, host time."""
        cause = cause.encode(errors="replace")[:128]
        values = {"stream": stream.encode(), "start_ns": start_ns, "end_ns": end_ns, "lost": lost, "cause": cause}
        return _GAP.row(self._times(0, start_ns, None, end_ns), **values)

    def eye_event(self, event, received_ns):
        """A fixation, saccade or blink, or its onset; the blink that the device tells at its end becomes both."""
        span = event.span
        is_onset = span.is_onset
        begun = self._times(span.start_ns, span.start_host_ns, span.bound_ns, received_ns)
        ended = begun if is_onset else self._times(span.end_ns, span.end_host_ns, span.bound_ns, received_ns)
        duration = {} if is_onset else {"duration": span.duration_s}
        if isinstance(event, ScreenBlink):
            start, end = _BLINK
            return [start.row(begun)] if is_onset else [start.row(begun), end.row(ended, **duration)]
        status = {"status": 0 if event.reason is None else REASON_STATUS[event.reason]}
        if isinstance(event, ScreenFixation):
            x, y = self._place(event.pos)
            if is_onset:
                return [_FIXATION[0].row(begun, gaze_x=x, gaze_y=y, **status)]
            return [_FIXATION[1].row(ended, average_gaze_x=x, average_gaze_y=y, **duration, **status)]
        if is_onset:
            return [_SACCADE[0].row(begun, **status)]
        return [_SACCADE[1].row(ended, **duration, **status, **self._jump(event))]

    def _jump(self, saccade):
        (start_x, start_y), (end_x, end_y) = self._place(saccade.start), self._place(saccade.end)
        right_deg, up_deg = self._degrees(saccade.start, saccade.end)
        return {
            "start_gaze_x": start_x,
            "start_gaze_y": start_y,
            "end_gaze_x": end_x,
            "end_gaze_y": end_y,
            "amplitude_x": right_deg,
            "amplitude_y": up_deg,
            "angle": math.degrees(math.atan2(up_deg, right_deg)),
        }

    def _degrees(self, start, end):
        """From one place on the screen to another, degrees; NaN where a place or the monitor is not known."""
        if self._facts is None or start is None or end is None:
            return NAN, NAN
        in_degrees = self._facts._replace(units="deg")
        try:
            (x, y), (end_x, end_y) = in_degrees.from_screen(*start), in_degrees.from_screen(*end)
        except ConfigurationError:
            return NAN, NAN
        return end_x - x, end_y - y

    def _in_window(self, gaze):
        return self._place(None if gaze.screen else gaze.pos)

    def _place(self, pos):
        """Screen px in the window's units; NaN where there is none."""
        if pos is None or self._facts is None:
            return NAN, NAN
        try:
            return self._facts.from_screen(*pos)
        except ConfigurationError:  # the host's state says so
            return NAN, NAN

    def _times(self, device_ns, host_ns, bound_ns, received_ns):
        """device_time, logged_time, time, confidence_interval and delay, s."""
        bound_s = UNPROVEN if bound_ns is None else bound_ns / 1e9
        delay_ns = received_ns - host_ns
        return (
            device_ns / 1e9,
            self._zero_s + received_ns / 1e9,
            self._zero_s + host_ns / 1e9,
            bound_s,
            delay_ns / 1e9,
        )


def _number(value):
    return NAN if value is None else value

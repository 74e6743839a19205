"""For ``eye_to_pixel``: what blinds the eye tracker, and the log of what that led to."""

import math
import time

NAMES = ["trial", "led_on_host_ns", "first_sample_host_ns", "sample_host_ns", "flip_host_ns", "cause", "bound_ns"]
NAMES += ["first_sample_device_ns", "sample_device_ns", "received_ns", "age_at_flip_ms", "pose_age_ms", "error_px"]
LEAST_PX = 10
"""Gaze in the scene camera that moves less has only trembled."""


class Light:
    """A LED at a serial port, a jump of simulated gaze, or a LED in somebody's hand."""

    def __init__(self, stage):
        self._stage, self._port = stage, None
        if stage.args.serial:
            import serial  # comes with PsychoPy

            self._port = serial.Serial(stage.args.serial)
        self.is_driven = bool(self._port or stage.args.pointer)

    def switch(self, is_on):
        """On or off; host time just before, None if that is left to a hand."""
        now_ns = time.perf_counter_ns()
        if self._port:
            self._port.dtr = is_on
        elif self._stage.args.pointer:
            self._stage.lead(((0.2 if is_on else -0.2) * self._stage.win.size[0], 0))
            self._stage.win.winHandle.dispatch_events()  # X11 keeps the move back until it is asked for something
        return now_ns if self.is_driven else None

    def close(self):
        """Off, for good."""
        self.switch(False)
        if self._port:
            self._port.close()


def first_changed(samples, before, used):
    """The first sample that shows the LED: it is half way from the one before to the one that was used, or lost."""
    near_px = max(math.dist((used.x, used.y), (before.x, before.y)) / 2, LEAST_PX)
    for sample in samples:
        is_near = math.dist((sample.x, sample.y), (before.x, before.y)) <= near_px  # NaN is not
        if sample.worn != before.worn or not is_near:
            return sample
    return used


def row_of(gaze, first, led_ns, flip_ns, cause):
    """A trial that was answered."""
    sample, quality = gaze.sample, gaze.quality
    row = {"led_on_host_ns": led_ns, "flip_host_ns": flip_ns, "cause": cause, "bound_ns": sample.bound_ns}
    row |= {"first_sample_host_ns": first.host_ns, "first_sample_device_ns": first.device_ns}
    row |= {"sample_host_ns": sample.host_ns, "sample_device_ns": sample.device_ns, "received_ns": sample.received_ns}
    row["age_at_flip_ms"] = round((flip_ns - sample.host_ns) / 1e6, 3)
    if quality:
        row |= {"pose_age_ms": round(1e3 * quality.pose_age_s, 3), "error_px": round(quality.error_px, 3)}
    return row

"""The gaze data of the simulated eyes."""

from __future__ import annotations

import math

import numpy as np

from psychopy_neon.samples import EyeState, GazeDatum
from psychopy_neon.simulator.eyes import Eyes
from psychopy_neon.simulator.factory import INVISIBLE_CROP
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.gaze import encode_gaze

__all__ = ["GazeMaker"]

_NUMBER_MODULO = 1 << 24
_INVISIBLE_BYTES = 9
_OPEN_LIDS = ((0.25, -0.3, 9.5), (0.26, -0.29, 9.25))
"""Left and right: upper and lower lid in rad, aperture in mm."""
_CLOSED_LIDS = ((-0.27, -0.3, 0.5), (-0.26, -0.29, 0.4))


class GazeMaker:
    """Makes gaze data for the pacer's thread."""

    def __init__(self, eyes: Eyes, head: Head, clock: PhoneClock, truth: TruthLog, settings: SimulatorSettings) -> None:
        self._eyes = eyes
        self._head = head
        self._clock = clock
        self._truth = truth
        self._settings = settings
        self._bytes = settings.gaze_bytes if settings.model == "neon" else _INVISIBLE_BYTES
        self._corner = (0, 0) if settings.model == "neon" else INVISIBLE_CROP[:2]
        self._number = 0

    def produce(self, uptime_ns: int, audience: Audience) -> None:
        """Make one datum, send it and tell the truth about it."""
        number, self._number = self._number, self._number + 1
        eyes = self._eyes.at(uptime_ns)
        camera = self._head.camera_at(uptime_ns)
        scene_x, scene_y = (camera.scene_from_screen([eyes.place])[0] - self._corner).tolist()
        x = float(number % _NUMBER_MODULO) if self._settings.number_gaze else float(np.float32(scene_x))
        datum = _datum(x, float(np.float32(scene_y)), eyes.is_worn, eyes.is_closed)
        payload = encode_gaze(datum, self._bytes)
        sent_ns = audience.send([(payload, True)], uptime_ns, number)
        fields = {
            "number": number,
            "device_ns": self._clock.device_ns_of_uptime(uptime_ns),
            "host_ns": self._clock.host_ns_of_uptime(uptime_ns),
            "sent_ns": sent_ns,
            "screen_x": eyes.place[0],
            "screen_y": eyes.place[1],
            "scene_x": scene_x,
            "scene_y": scene_y,
            "x": datum.x,
            "y": datum.y,
            "worn": eyes.is_worn,
            "closed": eyes.is_closed,
            "receivers": len(audience.senders),
        }
        self._truth.add("gaze", fields)


def _datum(x: float, y: float, is_worn: bool, is_closed: bool) -> GazeDatum:
    """Gaze with plausible eyes that look in its direction."""
    axis = np.array([(x - 800) / 890, (y - 600) / 890, 1.0]) if abs(x) < 1e4 else np.array([0.0, 0.0, 1.0])
    turned = tuple((axis / math.sqrt(axis @ axis)).tolist())
    left_lids, right_lids = _CLOSED_LIDS if is_closed else _OPEN_LIDS
    left = EyeState(3.5, (-31.0, 12.25, -26.5), turned, *left_lids, (x - 8.0, y))
    right = EyeState(3.625, (31.5, 12.0, -26.75), turned, *right_lids, (x + 8.0, y))
    return GazeDatum(0, 0, x, y, is_worn, left, right)

"""The eye events of the simulated phone."""

from __future__ import annotations

from typing import Any

import numpy as np

from psychopy_neon.samples import EyeEventDatum, GazeMotion
from psychopy_neon.simulator.event_finder import EyeEventFinder, Look
from psychopy_neon.simulator.eyes import Eyes
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.eye_events import encode_eye_event, encode_keep_alive

__all__ = ["LOOKS_HZ", "EyeEventMaker"]

LOOKS_HZ = 200.0
_KEEP_ALIVE_NS = 4_000_000_000
"""Sent when there was nothing else for so long; clients give up after ten seconds."""


class EyeEventMaker:
    """Looks at the eyes for the pacer's thread, and sends what happens as soon as it is found."""

    def __init__(self, eyes: Eyes, head: Head, clock: PhoneClock, truth: TruthLog) -> None:
        self._eyes = eyes
        self._head = head
        self._clock = clock
        self._truth = truth
        self._finder = EyeEventFinder()
        self._number = 0
        self._arrivals = 0
        self._sent_ns = 0  # uptime

    def produce(self, uptime_ns: int, audience: Audience) -> None:
        """Look once; send events, or a keep-alive when it is time or somebody is new, and tell the truth about them."""
        eyes = self._eyes.at(uptime_ns)
        if eyes.is_worn:
            camera = self._head.camera_at(uptime_ns)
            x, y, z = camera.direction_of(eyes.place).tolist()
            scene_x, scene_y = camera.scene_from_screen([eyes.place])[0].tolist()
            for event in self._finder.add(Look(uptime_ns, (x, y, z), (scene_x, scene_y), eyes.is_closed)):
                self._send(event, uptime_ns, audience)
        else:
            self._finder.reset()
        if audience.arrivals != self._arrivals or uptime_ns - self._sent_ns >= _KEEP_ALIVE_NS:
            payload = encode_keep_alive(self._clock.device_ns_of_uptime(uptime_ns))
            audience.send([(payload, True)], uptime_ns, self._number)
            self._sent_ns = uptime_ns
        self._arrivals = audience.arrivals

    def _send(self, found: EyeEventDatum, uptime_ns: int, audience: Audience) -> None:
        number, self._number = self._number, self._number + 1
        event = self._stamped(found)
        sent_ns = audience.send([(encode_eye_event(event), True)], uptime_ns, number)
        self._sent_ns = uptime_ns
        fields = {
            "number": number,
            "event": event.kind.value,
            "start_ns": event.start_ns,
            "end_ns": event.end_ns,
            "start_host_ns": self._clock.host_ns_of_uptime(found.start_ns),
            "end_host_ns": None if found.end_ns is None else self._clock.host_ns_of_uptime(found.end_ns),
            "sent_ns": sent_ns,
            "motion": None if event.motion is None else event.motion._asdict(),
            "receivers": len(audience.senders),
        }
        self._truth.add("eye_event", fields)

    def _stamped(self, found: EyeEventDatum) -> EyeEventDatum:
        """With the times that the phone's clock showed, and numbers in single precision, as they are sent."""
        motion = found.motion
        if motion is not None:
            values: list[Any] = [np.asarray(each, np.float32).tolist() for each in motion]
            start, end, mean, *numbers = values
            motion = GazeMotion(tuple(start), tuple(end), tuple(mean), *numbers)
        start_ns = self._clock.device_ns_of_uptime(found.start_ns)
        end_ns = None if found.end_ns is None else self._clock.device_ns_of_uptime(found.end_ns)
        return found._replace(start_ns=start_ns, end_ns=end_ns, motion=motion)

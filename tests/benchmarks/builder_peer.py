"""The official plugin in the benchmark's experiment: the calls that its Builder components make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tables
from psychopy import visual
from psychopy.tools.monitorunittools import convertToPix
from psychopy_eyetracker_pupil_labs.pupil_labs.stimuli import AprilTagFrameStim, EventEntity

KEY = "eyetracker.hw.pupil_labs.neon.EyeTracker"


class Side:
    def __init__(self, win: visual.Window, address: str) -> None:
        self._win = win
        self._address = address
        self._tags = AprilTagFrameStim(win=win, name="tagFrame", units="norm", size=[2, 2], marker_units="height")

    def devices(self) -> dict[str, Any]:
        host, _, port = self._address.rpartition(":")
        return {KEY: {"name": "tracker", "runtime_settings": {"companion_address": host, "companion_port": port}}}

    def begin(self, tracker: Any) -> None:
        self._tracker = tracker
        tracker.register_surface(self._tags.marker_verts, convertToPix(np.array([2, 2]), [0, 0], "norm", self._win))

    def draw(self) -> None:
        self._tags.draw()

    def read(self) -> Any:
        return self._tracker.getPos()

    def place(self, pos: Any) -> tuple[float, float] | None:
        return None if pos is None else (float(pos[0]), float(pos[1]))

    def send_event(self, name: str) -> None:
        EventEntity(name, name, 0).trigger(self._tracker)

    def end(self) -> None:
        """Its components do nothing then."""

    def with_times(self, reads: list[tuple[int, int, Any]], path: Path) -> list[list[float]]:
        """When it was read, its flip, x, y, and the time on the phone: of the stored sample with the same place.

        Nothing else tells it. Those that were read before samples were stored are left out.
        """
        with tables.open_file(str(path)) as file:
            rows = file.root.data_collection.events.eyetracker.MonocularEyeSampleEvent[:]
        times_s = {(float(x), float(y)): float(at_s) for x, y, at_s in rows[["gaze_x", "gaze_y", "device_time"]]}
        single = [(*times, tuple(np.float32(place).tolist())) for *times, place in reads]
        return [[*times, *place, times_s[place]] for *times, place in single if place in times_s]

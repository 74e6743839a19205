"""This package in the benchmark's experiment: the calls that its Builder components make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psychopy import visual

from psychopy_neon import ScreenGaze
from psychopy_neon.plugin.run import NeonRun, currentRun
from psychopy_neon.plugin.visual import AprilTagFrame


class Side:
    def __init__(self, win: visual.Window, address: str) -> None:
        self._win = win
        self._address = address
        self._tags = AprilTagFrame(win)

    def devices(self) -> dict[str, Any]:
        # Nobody is there to be asked what to do when a busy computer makes gaze seem lost.
        settings = {"address": self._address, "whenLost": "go on"}
        key, config = NeonRun.begin(self._win, None, {}, settings).iohubConfig()
        return {key: config}

    def begin(self, tracker: Any) -> None:
        self._tracker = tracker
        self._run = currentRun(self._win, None, tracker)
        self._run.addTags(self._tags)

    def draw(self) -> None:
        self._tags.draw()

    def read(self) -> ScreenGaze:
        return self._run.gaze()

    def place(self, gaze: ScreenGaze) -> tuple[float, float, float] | None:
        pos = self._run.screen.to_window(gaze)
        return None if pos is None else (float(pos[0]), float(pos[1]), gaze.sample.device_ns / 1e9)

    def send_event(self, name: str) -> None:
        self._run.events.sendEventOnFlip(self._win, name)

    def end(self) -> None:
        self._run.finish()

    def with_times(self, reads: list[tuple[int, int, Any]], _: Path) -> list[list[float]]:
        """When it was read, its flip, x, y, and the time on the phone that came with them."""
        return [[read_ns, flip_ns, *place] for read_ns, flip_ns, place in reads]

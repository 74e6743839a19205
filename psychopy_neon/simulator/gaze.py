"""Where the simulated eyes look, and the gaze data that follow."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import EyeState, GazeDatum
from psychopy_neon.simulator.factory import INVISIBLE_CROP
from psychopy_neon.simulator.lens import SceneCamera
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.pointer import open_pointer
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.gaze import encode_gaze

__all__ = ["FileGaze", "GazeMaker", "GazeScript", "LookedAt", "open_looked_at"]

_DWELL_S = (0.6, 1.0)
_SACCADE_S = 0.04
_SCREEN_PART = 0.8
"""Fixations lie within this part of the screen's width and height."""
_NUMBER_MODULO = 1 << 24
_INVISIBLE_BYTES = 9


class LookedAt(Protocol):
    """What the eyes do."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Place looked at, screen px, ``time_s`` after the start; times only grow."""


class GazeScript:
    """Fixations at seeded places, 0.6 to 1.0 s each, with saccades of 40 ms in between."""

    def __init__(self, screen_px: tuple[int, int], seed: int) -> None:
        self._random = random.Random(f"{seed}/gaze")
        self._screen_px = screen_px
        self._until_s = 0.0
        self._from = self._to = (screen_px[0] / 2, screen_px[1] / 2)
        self._since_s = 0.0

    def at(self, time_s: float) -> tuple[float, float]:
        while time_s >= self._until_s:
            width, height = self._screen_px
            margin = (1 - _SCREEN_PART) / 2
            part_x, part_y = (margin + _SCREEN_PART * self._random.random() for _ in range(2))
            self._from, self._to = self._to, (part_x * width, part_y * height)
            self._since_s = self._until_s
            self._until_s += self._random.uniform(*_DWELL_S)
        progress = min(1.0, (time_s - self._since_s) / _SACCADE_S)
        smooth = progress * progress * (3 - 2 * progress)
        x, y = (a + smooth * (b - a) for a, b in zip(self._from, self._to, strict=True))
        return x, y


class FileGaze:
    """Places from JSON lines ``{"t_s": , "x": , "y": }``, each looked at until the next one's time.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or a line is not such a place; its number is told.
    """

    def __init__(self, path: Path) -> None:
        self._places: list[tuple[float, float, float]] = []
        self._index = 0
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError("gaze", str(path), f"script, mouse, or a readable file ({error})") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                self._places.append(self._place(line, f"{path}, line {number}"))
        if not self._places:
            raise ConfigurationError("gaze", str(path), "a file with at least one place")

    def _place(self, line: str, where: str) -> tuple[float, float, float]:
        allowed = '{"t_s": , "x": , "y": } with finite numbers, times growing'
        try:
            record = json.loads(line)
            place = (float(record["t_s"]), float(record["x"]), float(record["y"]))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigurationError("gaze", f"{where}: {line.strip()[:80]}", allowed) from error
        if not all(map(math.isfinite, place)) or (self._places and place[0] < self._places[-1][0]):
            raise ConfigurationError("gaze", f"{where}: {line.strip()[:80]}", allowed)
        return place

    def at(self, time_s: float) -> tuple[float, float]:
        while self._index + 1 < len(self._places) and self._places[self._index + 1][0] <= time_s:
            self._index += 1
        return self._places[self._index][1:]


def open_looked_at(settings: SimulatorSettings, screen_px: tuple[int, int]) -> LookedAt:
    """Open ``script``, ``mouse`` or a file."""
    if settings.gaze == "script":
        return GazeScript(screen_px, settings.seed)
    if settings.gaze == "mouse":
        return open_pointer(screen_px)
    return FileGaze(Path(settings.gaze))


class GazeMaker:
    """Makes gaze data for the pacer's thread; other threads may tell it where to look."""

    def __init__(
        self,
        looked_at: LookedAt,
        camera: Callable[[], SceneCamera],
        clock: PhoneClock,
        truth: TruthLog,
        settings: SimulatorSettings,
    ) -> None:
        self._looked_at = looked_at
        self._camera = camera
        self._clock = clock
        self._truth = truth
        self._settings = settings
        self._bytes = settings.gaze_bytes if settings.model == "neon" else _INVISIBLE_BYTES
        self._corner = (0, 0) if settings.model == "neon" else INVISIBLE_CROP[:2]
        self._number = 0
        self._lock = threading.Lock()
        self._fixed: tuple[float, float] | None = None
        self._is_worn = True

    def look_at(self, place: tuple[float, float] | None) -> None:
        """Look at this place, screen px, from now on; None: at what the settings say again."""
        with self._lock:
            self._fixed = place

    def set_worn(self, is_worn: bool) -> None:
        """Put the glasses on or off."""
        with self._lock:
            self._is_worn = is_worn

    def produce(self, uptime_ns: int, audience: Audience) -> None:
        """Make one datum, send it and tell the truth about it."""
        number, self._number = self._number, self._number + 1
        with self._lock:
            fixed, is_worn = self._fixed, self._is_worn
        place = fixed if fixed is not None else self._looked_at.at(uptime_ns / 1e9)
        scene_x, scene_y = (self._camera().scene_from_screen([place])[0] - self._corner).tolist()
        x = float(number % _NUMBER_MODULO) if self._settings.number_gaze else float(np.float32(scene_x))
        datum = _datum(x, float(np.float32(scene_y)), is_worn)
        payload = encode_gaze(datum, self._bytes)
        sent_ns = None
        for sender in audience.senders:
            sent_ns = sender.send([(payload, True)], uptime_ns, number) or sent_ns
        fields = {
            "number": number,
            "device_ns": self._clock.device_ns_of_uptime(uptime_ns),
            "host_ns": self._clock.host_ns_of_uptime(uptime_ns),
            "sent_ns": sent_ns,
            "screen_x": place[0],
            "screen_y": place[1],
            "scene_x": scene_x,
            "scene_y": scene_y,
            "x": datum.x,
            "y": datum.y,
            "worn": is_worn,
            "receivers": len(audience.senders),
        }
        self._truth.add("gaze", fields)


def _datum(x: float, y: float, is_worn: bool) -> GazeDatum:
    """Gaze with plausible eyes that look in its direction."""
    axis = np.array([(x - 800) / 890, (y - 600) / 890, 1.0]) if abs(x) < 1e4 else np.array([0.0, 0.0, 1.0])
    turned = tuple((axis / math.sqrt(axis @ axis)).tolist())
    left = EyeState(3.5, (-31.0, 12.25, -26.5), turned, 0.25, -0.3, 9.5, (x - 8.0, y))
    right = EyeState(3.625, (31.5, 12.0, -26.75), turned, 0.26, -0.29, 9.25, (x + 8.0, y))
    return GazeDatum(0, 0, x, y, is_worn, left, right)

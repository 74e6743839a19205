"""What the simulated eyes do: where they look, whether they blink, whether the glasses are worn."""

from __future__ import annotations

import bisect
import json
import math
import random
import threading
from collections import deque
from pathlib import Path
from typing import NamedTuple, Protocol

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.pointer import open_pointer
from psychopy_neon.simulator.settings import SimulatorSettings

__all__ = ["BlinkScript", "Eyes", "EyesNow", "FileGaze", "GazeScript", "LookedAt"]

_DWELL_S = (0.6, 1.0)
_SACCADE_S = 0.04
_SCREEN_PART = 0.8
"""Fixations lie within this part of the screen's width and height."""
_BLINK_S = (0.1, 0.25)
_LEAST_OPEN_S = 0.3
_REMEMBERED = 16
"""Fixations and blinks that a stream which lags behind another may still ask for."""
_MAX_COMMANDED_S = 60.0


class LookedAt(Protocol):
    """What the eyes look at."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Place looked at, screen px, ``time_s`` after the start; times grow, but for some seconds."""


class GazeScript:
    """Fixations at seeded places, 0.6 to 1.0 s each, with saccades of 40 ms in between."""

    def __init__(self, screen_px: tuple[int, int], seed: int) -> None:
        self._random = random.Random(f"{seed}/gaze")
        self._screen_px = screen_px
        self._until_s = 0.0
        self._place = (screen_px[0] / 2, screen_px[1] / 2)
        # Each with its start, the place before and its own.
        self._fixations: deque[tuple[float, tuple[float, float], tuple[float, float]]] = deque(maxlen=_REMEMBERED)

    def at(self, time_s: float) -> tuple[float, float]:
        while time_s >= self._until_s:
            width, height = self._screen_px
            margin = (1 - _SCREEN_PART) / 2
            part_x, part_y = (margin + _SCREEN_PART * self._random.random() for _ in range(2))
            before, self._place = self._place, (part_x * width, part_y * height)
            self._fixations.append((self._until_s, before, self._place))
            self._until_s += self._random.uniform(*_DWELL_S)
        begun = [each for each in self._fixations if each[0] <= time_s]
        since_s, before, place = begun[-1] if begun else self._fixations[0]
        progress = min(1.0, max(0.0, time_s - since_s) / _SACCADE_S)
        smooth = progress * progress * (3 - 2 * progress)
        x, y = (a + smooth * (b - a) for a, b in zip(before, place, strict=True))
        return x, y


class FileGaze:
    """Places from JSON lines ``{"t_s": , "x": , "y": }``, each looked at until the next one's time.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or a line is not such a place; its number is told.
    """

    def __init__(self, path: Path) -> None:
        self._times: list[float] = []
        self._places: list[tuple[float, float]] = []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError("gaze", str(path), f"script, mouse, or a readable file ({error})") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                self._add(line, f"{path}, line {number}")
        if not self._places:
            raise ConfigurationError("gaze", str(path), "a file with at least one place")

    def _add(self, line: str, where: str) -> None:
        allowed = '{"t_s": , "x": , "y": } with finite numbers, times growing'
        try:
            record = json.loads(line)
            time_s, x, y = (float(record[name]) for name in ("t_s", "x", "y"))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigurationError("gaze", f"{where}: {line.strip()[:80]}", allowed) from error
        if not all(map(math.isfinite, (time_s, x, y))) or (self._times and time_s < self._times[-1]):
            raise ConfigurationError("gaze", f"{where}: {line.strip()[:80]}", allowed)
        self._times.append(time_s)
        self._places.append((x, y))

    def at(self, time_s: float) -> tuple[float, float]:
        return self._places[max(bisect.bisect_right(self._times, time_s) - 1, 0)]


class BlinkScript:
    """Blinks of 0.1 to 0.25 s, seeded; the time from one to the next is exponentially distributed."""

    def __init__(self, per_minute: float, seed: int) -> None:
        self._random = random.Random(f"{seed}/blinks")
        self._pause_s = 60.0 / per_minute if per_minute else math.inf
        self._blinks: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._next_s = self._pause(0.0)

    def is_closed(self, time_s: float) -> bool:
        """Whether the eyes are closed ``time_s`` after the start."""
        while time_s >= self._next_s:
            end_s = self._next_s + self._random.uniform(*_BLINK_S)
            self._blinks.append((self._next_s, end_s))
            self._next_s = self._pause(end_s)
        return any(start_s <= time_s < end_s for start_s, end_s in self._blinks)

    def _pause(self, since_s: float) -> float:
        if math.isinf(self._pause_s):
            return math.inf
        return since_s + _LEAST_OPEN_S + self._random.expovariate(1 / max(self._pause_s - _LEAST_OPEN_S, 1e-3))


class EyesNow(NamedTuple):
    """Both eyes at one moment."""

    place: tuple[float, float]
    """Looked at, screen px."""
    is_closed: bool
    is_worn: bool


class Eyes:
    """Both eyes in the course of time.

    Parameters
    ----------
    settings
        What they look at and how often they blink.
    screen_px
        Width and height of the screen.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, settings: SimulatorSettings, screen_px: tuple[int, int]) -> None:
        self._lock = threading.Lock()
        self._looked_at = _open_looked_at(settings, screen_px)  # guarded by _lock, as all that follows
        self._blinks = BlinkScript(settings.blinks_per_minute, settings.seed)
        self._fixed: tuple[float, float] | None = None
        self._closed_ns = (0, 0)  # a commanded blink
        self._is_worn = True

    def at(self, uptime_ns: int) -> EyesNow:
        """What they do at a time of the phone's monotonic clock."""
        with self._lock:
            place = self._fixed if self._fixed is not None else self._looked_at.at(uptime_ns / 1e9)
            start_ns, end_ns = self._closed_ns
            is_closed = start_ns <= uptime_ns < end_ns or self._blinks.is_closed(uptime_ns / 1e9)
            return EyesNow(place, is_closed, self._is_worn)

    def look_at(self, place: tuple[float, float] | None) -> None:
        """Look at this place, screen px, from now on; None: at what the settings say again."""
        with self._lock:
            self._fixed = place

    def blink(self, uptime_ns: int, seconds: float) -> None:
        """Close for so long from a time on.

        Raises
        ------
        ConfigurationError
            Not longer than nothing, or longer than a minute.
        """
        if not 0 < seconds <= _MAX_COMMANDED_S:
            raise ConfigurationError("seconds", seconds, f"above 0 and up to {_MAX_COMMANDED_S:g}")
        with self._lock:
            self._closed_ns = (uptime_ns, uptime_ns + round(seconds * 1e9))

    def set_worn(self, is_worn: bool) -> None:
        """Put the glasses on or off."""
        with self._lock:
            self._is_worn = is_worn


def _open_looked_at(settings: SimulatorSettings, screen_px: tuple[int, int]) -> LookedAt:
    """Open ``script``, ``mouse`` or a file."""
    if settings.gaze == "script":
        return GazeScript(screen_px, settings.seed)
    if settings.gaze == "mouse":
        return open_pointer(screen_px)
    return FileGaze(Path(settings.gaze))

"""Gaze by a script: what tests of gaze-contingent tools feed in."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from psychopy_neon.samples import GazeReason, GazeSample, ScreenGaze

MS = 1_000_000
HOST_MINUS_DEVICE_NS = 7 * MS
"""Apart, so that a time on the wrong clock shows."""
AGE_NS = 20 * MS


def sample_at(host_ns: int) -> GazeSample:
    device_ns = host_ns - HOST_MINUS_DEVICE_NS
    return GazeSample(device_ns, host_ns, MS, 0.0, 0.0, True, None, None, device_ns // (5 * MS), host_ns)


def gaze_at(host_ns: int, pos: tuple[float, float] | None, reason: GazeReason | None = None) -> ScreenGaze:
    """Gaze, or none, of a sample that was measured at a host time."""
    return ScreenGaze(pos, reason, pos is not None, None, AGE_NS / 1e9, sample_at(host_ns))


class Frames:
    """Updates a tool as a frame loop does; each gaze comes :data:`AGE_NS` after it was measured."""

    def __init__(self, update: object, step_ms: float = 10.0) -> None:
        self.update, self.step_ns = update, round(step_ms * MS)
        self.at_ns = 1_000 * MS
        self.last: ScreenGaze | None = None

    def show(self, seconds: float, pos: tuple[float, float] | None, reason: GazeReason | None = None) -> object:
        """Gaze that stays for so long; what the last update answered."""
        answer = None
        for _ in range(round(seconds * 1e9 / self.step_ns)):
            self.at_ns += self.step_ns
            self.last = gaze_at(self.at_ns - AGE_NS, pos, reason)
            answer = self.update(self.at_ns, self.last)
        return answer

    def repeat(self, seconds: float) -> object:
        """The newest gaze again and again: the stream stands still."""
        answer = None
        for _ in range(round(seconds * 1e9 / self.step_ns)):
            self.at_ns += self.step_ns
            answer = self.update(self.at_ns, self.last)
        return answer

    def stall(self, seconds: float) -> None:
        """The program is busy: no update."""
        self.at_ns += round(seconds * 1e9)


def saccade_s(amplitude_deg: float) -> float:
    """Duration by the main sequence: 21 ms and 2.2 ms more for each degree."""
    return 0.021 + 0.0022 * amplitude_deg


class Eye:
    """Fixations and saccades with a smooth profile, sampled at 200 Hz with jitter; degrees in, screen px out."""

    def __init__(self, px_per_deg: float, noise_deg: float, seed: int) -> None:
        self.px_per_deg, self.noise_deg = px_per_deg, noise_deg
        self.random = random.Random(seed)
        self.at_ns = 1_000 * MS
        self.place = (0.0, 0.0)

    def fixate(self, seconds: float) -> Iterator[ScreenGaze]:
        for _ in range(round(seconds * 200)):
            yield self._gaze(self.place)

    def jump(self, to: tuple[float, float]) -> Iterator[ScreenGaze]:
        start, amplitude_deg = self.place, math.dist(self.place, to)
        count = round(saccade_s(amplitude_deg) * 200)
        for number in range(1, count + 1):
            part = number / count
            part = part**3 * (10 - 15 * part + 6 * part * part)  # least jerk
            yield self._gaze((start[0] + part * (to[0] - start[0]), start[1] + part * (to[1] - start[1])))
        self.place = to

    def lose(self, seconds: float, reason: GazeReason) -> Iterator[ScreenGaze]:
        for _ in range(round(seconds * 200)):
            self.at_ns += 5 * MS
            yield gaze_at(self.at_ns, None, reason)

    def _gaze(self, place: tuple[float, float]) -> ScreenGaze:
        self.at_ns += 5 * MS
        x, y = ((each + self.random.gauss(0, self.noise_deg)) * self.px_per_deg for each in place)
        return gaze_at(self.at_ns, (x, y))

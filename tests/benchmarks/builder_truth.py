"""What a run of ``builder_experiment.py`` is worth, beside what the simulator knows."""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psychopy_neon.simulator.phone_clock import PhoneClock

LIKENESS_NS = 2_400_000
"""Samples are 5 ms apart; streams round their times a little, or a side's clock is a little off."""
LONG_FRAME_MS = 25.0


class Judged:
    """One run of one side.

    Parameters
    ----------
    run
        ``result.json`` of the experiment.
    truth
        File of the simulator.

    Attributes
    ----------
    read_ages_ms, ages_ms : list of float
        From the moment that a sample is of until it was read, and until the flip that follows; for each flip with gaze.
    errors_px, stored_errors_px : list of float
        Between the place that was read, or stored, and where that sample's gaze truly was. A sample taken for its
        neighbour would show here: gaze moves on by 12 px between two.
    events_ms : list of float
        Absolute error of the time that the recording's events have, against the flips that they mark.
    """

    def __init__(self, run: Any, truth: Path) -> None:
        records = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
        self._run = run
        self._gaze = sorted((each for each in records if each["kind"] == "gaze"), key=lambda each: each["device_ns"])
        self._times_ns = [each["device_ns"] for each in self._gaze]
        self._judge_reads()
        self._judge_file()
        self._judge_events(records)

    def __getitem__(self, name: str) -> Any:
        """What the experiment measured itself."""
        return self._run[name]

    def _sample(self, device_s: float) -> Any | None:
        """The true sample of a time on the phone."""
        device_ns = round(device_s * 1e9)
        place = bisect.bisect(self._times_ns, device_ns)
        nearest = min(self._gaze[max(place - 1, 0) : place + 1], key=lambda each: abs(each["device_ns"] - device_ns))
        return nearest if abs(nearest["device_ns"] - device_ns) < LIKENESS_NS else None

    def _error_px(self, sample: Any, x: float, y: float) -> float:
        """Of a place in the window, y up from its middle."""
        width, height = self._run["size_px"]
        return math.hypot(width / 2 + x - sample["screen_x"], height / 2 - y - sample["screen_y"])

    def _judge_reads(self) -> None:
        read = [(*times_and_place, self._sample(device_s)) for *times_and_place, device_s in self._run["reads"]]
        known = [each for each in read if each[-1] is not None]
        self.read_ages_ms = [(read_ns - sample["host_ns"]) / 1e6 for read_ns, *_, sample in known]
        self.ages_ms = [(flip_ns - sample["host_ns"]) / 1e6 for _, flip_ns, *_, sample in known]
        self.errors_px = [self._error_px(sample, x, y) for *_, x, y, sample in known]

    def _judge_file(self) -> None:
        begin_ns, end_ns = self._run["recording_ns"]
        sent = {each["number"] for each in self._gaze if begin_ns <= (each["sent_ns"] or 0) <= end_ns}
        stored = self._run["stored"]
        self.stored_percent = self._share(sent, stored["device_s"])
        self.placed_percent = self._share(sent, (device_s for device_s, _, _ in stored["on_screen"]))
        placed = [(self._sample(device_s), x, y) for device_s, x, y in stored["on_screen"]]
        self.stored_errors_px = [self._error_px(*each) for each in placed if each[0] is not None]

    def _share(self, sent: set[int], times_s: Iterable[float]) -> float:
        found = {sample["number"] for each in times_s if (sample := self._sample(each)) is not None}
        return 100 * len(sent & found) / len(sent)

    def _judge_events(self, records: list[Any]) -> None:
        phone = PhoneClock.from_truth(iter(records))
        device_ns = {each["name"]: each["device_ns"] for each in records if each["kind"] == "event"}
        flips = self._run["flip_of_event"]
        self.events_percent = 100 * sum(name in device_ns for name in flips) / len(flips)
        self.events_ms = [
            abs(device_ns[name] - phone.device_ns(flip_ns)) / 1e6
            for name, flip_ns in flips.items()
            if name in device_ns
        ]

    @property
    def flips_with_gaze_percent(self) -> float:
        return 100 * len(self.ages_ms) / len(self._run["calls_us"])

    @property
    def long_percent(self) -> float:
        frames_ms = self._run["frames_ms"]
        return 100 * sum(each > LONG_FRAME_MS for each in frames_ms) / len(frames_ms)

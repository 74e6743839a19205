"""From the flip to the phone's recording: a simulated Neon in a process of its own, judged by its log of the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from psychopy_neon import Neon

LIMIT_S = 20.0
TOLERANCE_NS = 1_000_000
PHONE = ("--offset-ms", "1234", "--drift-ppm", "40", "--echo-jitter-ms", "4", "--seed", "7")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


@pytest.fixture
def address(truth: Path) -> Iterator[str]:
    line = [sys.executable, "-m", "psychopy_neon", "simulate", "--port", "0", "--no-mdns", "--scene", "synthetic"]
    # --seconds ends it, so that the line below comes or the pipe closes
    line += [*PHONE, "--truth", str(truth), "--seconds", "60"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"ready at (\S+) ", process.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            process.terminate()
            process.wait(LIMIT_S)


def records(truth: Path, kind: str) -> list[dict]:
    lines = map(json.loads, truth.read_text(encoding="utf-8").splitlines())
    return [record for record in lines if record["kind"] == kind]


def on_phone_ns(truth: Path, host_ns: int) -> int:
    """What the phone's clock showed at a host time."""
    (start,) = records(truth, "clock")
    progress_ns = host_ns - start["host_ns"]
    return start["device_ns"] + progress_ns + round(progress_ns * start["drift_ppm"] * 1e-6)


def test_events_reach_the_recording_with_the_time_of_their_flip(
    psychopy: SimpleNamespace, open_window, judge, address: str, truth: Path
) -> None:
    win = open_window((320, 240))
    exp = psychopy.data.ExperimentHandler(savePickle=False, saveWideText=False)
    flips, bounds_ns = {}, []
    with Neon(address) as neon:
        events = psychopy.events.NeonEvents(neon)
        neon.start_recording()
        mirror = events.mirror(exp)
        for frame in range(60):
            events.sendEventOnFlip(win, f"frame {frame}")
            exp.timestampOnFlip(win, f"text{frame}.started")
            bounds_ns.append(neon.clock.offset.bound_ns)
            win.flip()
            flips[f"frame {frame}"] = flips[f"text{frame}.started"] = judge.readings[float(win._frameTime)]
            judge.reset()
            time.sleep(0.01)  # a window drawn in software does not wait in flip()
        mirror.stop()
        last = events.sendEventOnFlip(win, "last")
        win.flip()
        assert last.wait(LIMIT_S).recording_id is not None
        neon.stop_recording(LIMIT_S)
        bounds_ns.append(neon.clock.offset.bound_ns)
    assert (events.failed, events.restamped, events.waiting) == (0, 0, 0)
    arrived = {event["name"]: event["device_ns"] for event in records(truth, "event")}
    assert [name for name in arrived if name in flips] == list(flips)
    limit_ns = max(bounds_ns) + TOLERANCE_NS
    for name, (before_ns, after_ns) in flips.items():
        assert on_phone_ns(truth, before_ns) - limit_ns <= arrived[name] <= on_phone_ns(truth, after_ns) + limit_ns

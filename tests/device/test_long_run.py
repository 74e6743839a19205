"""Two minutes beside a simulated Neon on a bad network: what a short test cannot see."""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from psychopy_neon import Neon
from psychopy_neon.samples import StreamHealth

RUN_S = 120.0
FULL_S = 60.0
"""After which every buffer has been full once."""
TICK_NS = 1_000_000_000 // 90_000 + 1
LEAK_BYTES = 8 << 20
"""What the gaze samples of a minute leave behind if each leaks 700 bytes."""
Kept: TypeAlias = tuple[int, int, int, float, float]


@contextlib.contextmanager
def bad_network(truth: Path) -> Iterator[str]:
    """A simulated Neon in a process of its own; its address."""
    network = ["--loss", "0.01", "--reorder", "0.02", "--echo-jitter-ms", "5"]
    clock = ["--offset-ms", "500", "--drift-ppm", "40"]
    command = [sys.executable, "-m", "psychopy_neon", "simulate", "--port", "0", "--no-mdns", "--truth", str(truth)]
    command += network + clock
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = re.search(r"ready at (\S+) ", process.stdout.readline())
        assert address is not None
        yield address[1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_minutes_lose_nothing_unseen_and_grow_nothing(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    times, places = array("q"), array("d")  # compact: what the test itself keeps is no leak
    frames: list[tuple[int, int, int | None]] = []
    sizes: list[int] = []
    with bad_network(truth) as address, Neon(address) as neon:
        gaze, scene = neon.gaze.reader(), neon.scene.reader()
        threads = 0
        begin_s = time.monotonic()
        while (passed_s := time.monotonic() - begin_s) < RUN_S:
            neon.check_link()
            for each in gaze.take():
                assert each.bound_ns is not None
                times.extend((each.device_ns, each.host_ns, each.bound_ns))
                places.extend((each.x, each.y))
            frames += [(frame.device_ns, frame.host_ns, frame.bound_ns) for frame in scene.take()]
            if passed_s > FULL_S:
                threads = threads or threading.active_count()
                sizes.append(resident_bytes())
            time.sleep(1 / 60)  # the frame loop of an experiment
        assert threading.active_count() == threads
        gaze_health, scene_health = neon.gaze.health, neon.scene.health
    assert (gaze.dropped, scene.dropped) == (0, 0)
    assert (gaze_health.gaps, scene_health.gaps) == ((), ())
    assert max(sizes[-60:]) - max(sizes[:60]) < LEAK_BYTES
    facts = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    samples = list(zip(times[0::3], times[1::3], times[2::3], places[0::2], places[1::2], strict=True))
    check_gaze(samples, gaze_health, facts)
    check_scene(frames, scene_health, facts)


def check_gaze(samples: list[Kept], health: StreamHealth, facts: list[dict[str, Any]]) -> None:
    """Every sample that the network let through is there once, in order, as it was and at its time."""
    lost = {each["number"] for each in facts if each["kind"] == "packet" and is_lost(each, "gaze")}
    sent = {each["number"]: each for each in facts if each["kind"] == "gaze" and each["number"] not in lost}
    first = min(sent, key=lambda number: abs(sent[number]["device_ns"] - samples[0][0]))
    there = [sent[number] for number in sorted(sent) if number >= first][: len(samples)]
    assert len(samples) > 0.98 * 200 * (RUN_S - 2)
    assert health.late == health.malformed == health.duplicate == 0
    assert 0.005 < health.lost / health.received < 0.02
    for (device_ns, host_ns, bound_ns, x, y), true in zip(samples, there, strict=True):
        assert (x, y) == (true["x"], true["y"])
        check_time(device_ns, host_ns, bound_ns, true)


def check_scene(frames: list[tuple[int, int, int | None]], health: StreamHealth, facts: list[dict[str, Any]]) -> None:
    """Every frame is one that was sent, at its time; those that are missing are counted."""
    sent = [each for each in facts if each["kind"] == "frame" and each["receivers"]]
    times = [each["device_ns"] for each in sent]
    for device_ns, host_ns, bound_ns in frames:
        place = bisect.bisect_left(times, device_ns - TICK_NS)
        check_time(device_ns, host_ns, bound_ns, sent[place])
    assert [each[0] for each in frames] == sorted({each[0] for each in frames})
    assert len(frames) > 30
    assert health.lost > 0
    # A frame of which no packet came through is nowhere but in `lost`.
    assert 0.9 * len(sent) <= len(frames) + health.dropped <= len(sent)


def is_lost(fact: dict[str, Any], stream: str) -> bool:
    return bool(fact["fate"] == "lost" and fact["stream"] == stream)


def check_time(device_ns: int, host_ns: int, bound_ns: int | None, true: dict[str, Any]) -> None:
    assert bound_ns is not None
    assert abs(device_ns - true["device_ns"]) <= TICK_NS
    assert abs(host_ns - true["host_ns"]) <= bound_ns


def resident_bytes() -> int:
    """Memory that this process has now; 0 where nobody tells."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0

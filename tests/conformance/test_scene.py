"""Scene video as the official client and FFmpeg see it, and as both clients see it at once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from psychopy_neon import Neon
from psychopy_neon.simulator.frame_code import read_frame_code

TICK_NS = 1_000_000_000 / 90_000
STAMP_NS = 1_000
FEW_FRAMES = 40
FRAMES = 66
"""More than the 60 between two key frames."""


def test_official(make_sim: Any, peer: Any) -> None:
    """No frame is missing after the first, and each has its own time, with both markers and slices of a picture."""
    habits = [(marker, slices) for marker in ("every_nal", "rfc") for slices in (1, 3)]
    sims = [make_sim(frame_code=True, marker=marker, scene_slices=slices) for marker, slices in habits]
    results = peer("scene", FEW_FRAMES, *(sim.address for sim in sims)).result()
    for sim, frames in zip(sims, results, strict=True):
        codes = [frame["code"] for frame in frames]
        assert codes == list(range(codes[0], codes[0] + FEW_FRAMES))
        assert all(frame["size"] == [1600, 1200] for frame in frames)
        times = _device_ns_for_official(sim)
        for frame in frames:
            at_ns = frame["timestamp_unix_seconds"] * 1e9
            assert min(abs(at_ns - true_ns) for true_ns in times[frame["code"]]) <= TICK_NS + STAMP_NS


@pytest.mark.parametrize("marker", ["every_nal", "rfc"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ffmpeg(make_sim: Any, player: Any, transport: str, marker: str) -> None:
    """FFmpeg's RTSP client, which knows nothing of Neon, plays it by either transport."""
    sim = make_sim(frame_code=True, marker=marker)
    with Neon(sim.address) as neon:
        sensor = neon.status.sensor("world")
    assert sensor is not None
    host = sim.address.rpartition(":")[0]
    url = f"rtsp://{host}:{sensor.port}/?camera=world&audioenable=on"
    codes = player("play", url, transport, FEW_FRAMES).result()
    assert codes == list(range(codes[0], codes[0] + FEW_FRAMES))
    assert [each["transport"] for each in sim.truth.records("session") if each["action"] == "open"] == [transport]


def test_both_at_once(make_sim: Any, peer: Any) -> None:
    """Our client and the official one see the same frames at the same device times."""
    sim = make_sim(frame_code=True, offset_ns=250_000_000)
    with Neon(sim.address) as neon:
        reader = neon.scene.reader()
        ours: dict[int, int] = {}
        script = peer("scene", FRAMES, sim.address)
        theirs: dict[int, float] | None = None
        while theirs is None or max(ours) < max(theirs):
            frame = reader.wait(10.0)
            code = read_frame_code(frame.luma)
            assert code is not None
            ours[code] = frame.device_ns
            if theirs is None and script.is_done():
                theirs = {each["code"]: each["timestamp_unix_seconds"] * 1e9 for each in script.result()[0]}
        assert reader.dropped == 0
    assert sorted(ours) == list(range(min(ours), max(ours) + 1))
    assert len(theirs) == FRAMES
    assert set(theirs) <= set(ours)
    true = {each["number"]: each["device_ns"] for each in sim.truth.records("frame")}
    for code, device_ns in ours.items():
        assert abs(device_ns - true[code]) <= TICK_NS
    times = _device_ns_for_official(sim)
    for code, at_ns in theirs.items():
        assert min(abs(at_ns - true_ns) for true_ns in times[code]) <= TICK_NS + STAMP_NS


def _device_ns_for_official(sim: Any) -> dict[int, list[int]]:
    """Times that the official client may give a frame: its own, and where a key frame follows, also that one's.

    Its parser finds the end of a picture only in the second packet of a key frame, whose first are parameter sets, and
    it gives a picture the time of the packet before the one that ended it.
    """
    frames = sim.truth.records("frame")
    times = {each["number"]: [each["device_ns"]] for each in frames}
    for before, after in itertools.pairwise(frames):
        if after["key"]:
            times[before["number"]].append(after["device_ns"])
    return times

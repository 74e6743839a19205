"""The simulator's clock, echo and ground truth, judged by the official estimator.

Its signs: offset is client minus device, so a phone that is 500 ms ahead gives -500.
"""

from __future__ import annotations

from typing import Any

import pytest

from psychopy_neon.simulator.echo_paths import PATHS, EchoPathSpec

COUNT = 30
MS = 1_000_000


def test_the_official_estimator_gets_what_the_truth_tells(make_sim: Any, peer: Any) -> None:
    """One session, since each costs a start of the official client."""
    ahead = {"offset_ns": 1234 * MS}
    sims = {
        "direct": make_sim(**ahead),
        "nearest": make_sim(**ahead, echo_rounding="nearest"),
        "busy": make_sim(**ahead, echo_path=PATHS["wifi-busy"], drift_ppm=40),
        "late out": make_sim(**ahead, echo_path=EchoPathSpec(out_ms=40)),
        "late back": make_sim(**ahead, echo_path=EchoPathSpec(back_ms=40)),
        "old app": make_sim(has_echo=False),
    }
    results = peer("echo", COUNT, *(sim.address for sim in sims.values())).result()
    estimates = dict(zip(sims, results, strict=True))
    assert estimates.pop("old app") is None
    for name, estimate in estimates.items():
        _check_against_truth(sims[name], estimate)
    # The true offset lies inside every round trip, but an estimate from its middle is off by half the asymmetry.
    for name in ("direct", "nearest", "busy"):
        widest_ms = max(estimates[name]["roundtrips_ms"]) / 2 + 2
        assert estimates[name]["offset_ms"] == pytest.approx(-1234, abs=widest_ms)
    assert estimates["late out"]["offset_ms"] < -1234 - 10
    assert estimates["late back"]["offset_ms"] > -1234 + 10


def _check_against_truth(sim: Any, estimate: dict[str, Any]) -> None:
    """Request by request: the official client's numbers come back, and it got the milliseconds that the truth has."""
    echoes = sim.truth.records("echo")[1:]  # the estimator throws the first away
    assert len(echoes) == len(estimate["offsets_ms"]) == COUNT
    for echo, offset_ms, roundtrip_ms in zip(echoes, estimate["offsets_ms"], estimate["roundtrips_ms"], strict=True):
        sent_ms = echo["number"]
        assert offset_ms == round((sent_ms + sent_ms + roundtrip_ms) / 2) - echo["device_ms"]
        added_ns = MS // 2 if sim.settings.echo_rounding == "nearest" else 0
        assert echo["device_ms"] == (sim.clock.device_ns(echo["host_ns"]) + added_ns) // MS
        assert echo["sent_ns"] - echo["received_ns"] < (roundtrip_ms + 1) * MS, "the simulator's part of the round trip"

"""Frames by this computer's clock: a virtual screen has no vertical blank to wait for. Imports nothing of ours."""

from __future__ import annotations

import time

FRAME_NS = 1_000_000_000 // 60
SLEEP_LESS_NS = 1_000_000
"""Sleeping wakes late by less than this; the rest is waited for awake."""


def wait_until_next(due_ns: int) -> int:
    """Wait for the next frame as a screen does: who is late gets the one after."""
    late_frames = max((time.perf_counter_ns() - due_ns) // FRAME_NS, 0)
    due_ns += (late_frames + 1) * FRAME_NS
    while (left_ns := due_ns - time.perf_counter_ns()) > 0:
        if left_ns > SLEEP_LESS_NS:
            time.sleep((left_ns - SLEEP_LESS_NS) / 1e9)  # it stands for the vertical blank
    return due_ns

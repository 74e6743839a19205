"""What stands in for ioHub's view of the tracker, and for a NeonDevice."""

from __future__ import annotations

import time

from psychopy_neon.samples import ScreenGaze

READY = {"state": "ready", "problem": None, "recording_ended": None, "events_refused": 0}
KNOWN = {"recording_id": "r1", "phone": "Neon", "serial": "123", "template": {"id": "t", "name": "Default"}}


class FakeTracker:
    """The words of a Neon, as ioHub's view and NeonDevice have them."""

    def __init__(self) -> None:
        from psychopy_neon.plugin.exchange import packed_gaze

        self.packed = packed_gaze(ScreenGaze((160.0, 120.0), None, True))
        self.facts: dict = {**READY, **KNOWN, "is_recording": True}
        self.error: Exception | None = None
        self.calls: list[tuple] = []

    def _call(self, *call: object) -> dict:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        return {}

    def getScreenGaze(self) -> list:  # noqa: N802
        self._call("gaze")
        return self.packed

    def useLayouts(self, layouts: list, window: list) -> dict:  # noqa: N802
        return self._call("layouts", [len(tags) for _, tags in layouts], window[2])

    def sendEvent(self, name: str, host_ns: int | None = None) -> dict:  # noqa: N802
        return self._call("event", name, host_ns)

    def getReport(self) -> dict:  # noqa: N802
        if self.error is not None:
            raise self.error
        return {**self.facts, "sent_ns": time.perf_counter_ns()}

    def finishRecording(self, how: str) -> dict:  # noqa: N802
        self._call("finish", how)
        return {**self.facts, "is_recording": False}

    def fillTemplate(self, answers: dict) -> dict:  # noqa: N802
        return self._call("template", answers)

    def of(self, word: str) -> list[tuple]:
        return [call[1:] for call in self.calls if call[0] == word]

"""Runs ioHub with a Neon: ``run_iohub.py ADDRESS FOLDER [die]``; prints what it saw as JSON, one line for each step.

A process of its own, as every experiment is. With ``die`` it ends without a word to ioHub while it records.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from own_port import free_port
from psychopy import core
from psychopy.iohub import launchHubServer
from psychopy.iohub.constants import EventConstants

from psychopy_neon.plugin.exchange import packed_layout, unpacked_gaze
from psychopy_neon.plugin.run.rpc import LimitedClient
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.simulator import synthetic_screen

LIMIT_S = 20.0
RECORDED_S = 3.0
SIZE_PX = (1920, 1080)


def main(address: str, folder: Path, dies: bool) -> None:
    settings = {"name": "tracker", "runtime_settings": {"address": address}}
    store = {"experiment_code": "study", "session_code": "one", "datastore_name": str(folder / "study")}
    hub = launchHubServer(udp_port=free_port(), **store, **{"psychopy_neon.EyeTracker": settings})
    hub.udp_client = LimitedClient(hub.udp_client, hub._server_process)
    tracker = hub.devices.tracker
    told = {"hub_pid": hub._server_process.pid, "before": tracker.getPos(), "missing": tracker.useLayouts([["?"]])}
    facts = WindowFacts(*SIZE_PX, "norm")
    told["registered"] = tracker.useLayouts([packed_layout(ScreenLayout(SIZE_PX, synthetic_screen()[1]))], list(facts))
    wait_until(lambda: tracker.getPos() is not None)
    told["begun"] = tracker.setRecordingState(True), tracker.isRecordingEnabled(), tracker.isConnected()
    told["setup"] = tracker.runSetupProcedure({}), tracker.sendCommand("dance")
    print(json.dumps(told), flush=True)
    if dies:
        os._exit(9)
    print(json.dumps(recorded(hub, tracker)), flush=True)
    hub.quit()


def recorded(hub: object, tracker: object) -> dict[str, object]:
    marks_ns = {"by message": time.perf_counter_ns()}
    hub.sendMessageEvent("by message", "category")
    core.wait(0.5)
    hub.syncClock(core.Clock())  # as a script of the Builder does: ioHub's clock jumps
    marks_ns["by event"] = time.perf_counter_ns() - 1_000_000_000
    answers = [tracker.sendEvent("by event", marks_ns["by event"]), tracker.sendEvent(""), tracker.sendMessage("now")]
    tracker.clearEvents()  # an answer with all that has come would be many datagrams, of which one may be lost
    events, eyes, kinds, ages_ns = 0, 0, set(), []
    end = time.monotonic() + RECORDED_S
    while time.monotonic() < end:
        gaze = unpacked_gaze(tracker.getScreenGaze())
        ages_ns.append(time.perf_counter_ns() - gaze.sample.host_ns)
        new = tracker.getEvents() or ()
        events += len(new)
        kinds |= {each.type for each in new}
        eyes += len(tracker.getEvents(event_type_id=EventConstants.BINOCULAR_EYE_SAMPLE) or ())
        core.wait(0.016)
    found = {
        "pos": tracker.getPos(),
        "last": tracker.getLastSample(),
        "time": tracker.trackerTime(),
        "now": time.time(),
    }
    state = tracker.setRecordingState(False)
    report = tracker.getReport()
    found |= {"marks_ns": marks_ns, "answers": answers, "events": events, "eyes": eyes, "kinds": sorted(kinds)}
    found |= {"stopped": state, "report": report}
    return found | {"oldest_s": max(ages_ns) / 1e9}


def wait_until(is_it: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_it():
        if time.monotonic() > end:
            raise TimeoutError("there was no gaze on the screen")
        core.wait(0.02)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "die" in sys.argv[3:])

"""An experiment with ioHub, as the Builder writes it: ``builder_experiment.py SIDE ADDRESS SECONDS FOLDER``.

``SIDE`` is ours or peer, which need their plugin in this Python, or mouse: ioHub with MouseGaze and nothing else. The
result is ``FOLDER/result.json``: null when no gaze ever came onto the screen.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import json
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import tables
from pacing import wait_until_next
from psychopy import monitors, plugins, visual
from psychopy.iohub import launchHubServer
from pyglet import gl

FIRST_GAZE_S = 30.0
EVENT_EVERY_NS = 1_000_000_000
ANSWER_S = 10.0
END_S = 40.0
"""The official plugin's process sleeps for up to 30 s before it ends, and ioHub waits for it."""
MOUSE = {"eyetracker.hw.mouse.EyeTracker": {"name": "tracker"}}


def main(name: str, address: str, seconds: float, folder: Path) -> None:
    plugins.activatePlugins()
    win = window()
    try:
        if name == "mouse":
            hub, launch_s = launched(win, MOUSE, folder)
            result: dict[str, Any] | None = {"launch_s": launch_s, "end_s": ended(hub)}
        else:
            side = importlib.import_module(f"builder_{name}").Side(win, address)
            result = measured(win, side, seconds, folder)
    finally:
        kill_children()
        win.close()
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def window() -> visual.Window:
    """As large as the screen: the official plugin has no other place for gaze in it."""
    monitor = monitors.Monitor("benchmark", width=53.0, distance=65.0)
    monitor.setSizePix((1920, 1080))
    return visual.Window(
        fullscr=True, units="pix", color="grey", monitor=monitor, waitBlanking=False, checkTiming=False, allowGUI=False
    )


def launched(win: visual.Window, devices: dict[str, Any], folder: Path) -> tuple[Any, float]:
    """ioHub with a file, and how long its start took."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begin_s = time.perf_counter()
    names = {"experiment_code": "benchmark", "session_code": "run", "datastore_name": str(folder / "data")}
    hub = launchHubServer(window=win, udp_port=port, **names, **devices)
    launch_s = time.perf_counter() - begin_s
    hub.udp_client.sock.settimeout(ANSWER_S)
    return hub, launch_s


def measured(win: visual.Window, side: Any, seconds: float, folder: Path) -> dict[str, Any] | None:
    """What one run gives; None without gaze."""
    begin_s = time.perf_counter()
    devices = side.devices()
    hub, launch_s = launched(win, devices, folder)
    side.begin(hub.devices.tracker)
    frames = Frames(win, side)
    while frames.frame() is None:
        if time.perf_counter() > begin_s + launch_s + FIRST_GAZE_S:
            ended(hub)
            return None
    gaze_s = time.perf_counter() - begin_s
    hub.devices.tracker.setRecordingState(True)
    recording_ns = [time.perf_counter_ns()]
    frames.run(seconds)
    recording_ns.append(time.perf_counter_ns())
    hub.devices.tracker.setRecordingState(False)
    side.end()
    end_s = ended(hub)
    return {
        "launch_s": launch_s,
        "gaze_s": gaze_s,
        "end_s": end_s,
        "size_px": [int(each) for each in win.size],
        "recording_ns": recording_ns,
        "frames_ms": [(after - before) / 1e6 for before, after in itertools.pairwise(frames.flips_ns)],
        "calls_us": frames.calls_us,
        "reads": side.with_times(frames.reads, folder / "data.hdf5"),
        "flip_of_event": frames.flip_of_event,
        "stored": stored(folder / "data.hdf5"),
    }


class Frames:
    """A frame loop that draws the tags, reads gaze just before the flip, and marks a flip every second."""

    def __init__(self, win: visual.Window, side: Any) -> None:
        self._win = win
        self._side = side
        self._due_ns = time.perf_counter_ns()
        self._forget()

    def _forget(self) -> None:
        self.flips_ns: list[int] = []
        self.calls_us: list[float] = []
        self.reads: list[tuple[int, int, Any]] = []
        self.flip_of_event: dict[str, int] = {}

    def run(self, seconds: float) -> None:
        self._forget()
        gc.collect()
        gc.freeze()
        begin_ns = due_ns = time.perf_counter_ns()
        while (now_ns := time.perf_counter_ns()) < begin_ns + seconds * 1e9:
            is_due = now_ns >= due_ns
            due_ns += EVENT_EVERY_NS if is_due else 0
            self.frame(f"flip {len(self.flips_ns)}" if is_due else None)

    def frame(self, event: str | None = None) -> Any:
        """One frame; what was read in it."""
        self._win.callOnFlip(self._flipped, event)
        if event is not None:
            self._side.send_event(event)
        self._side.draw()
        gl.glFinish()  # where the processor computes graphics, it would else do so between the question and the flip
        begin_ns = time.perf_counter_ns()
        read = self._side.read()
        read_ns = time.perf_counter_ns()
        self.calls_us.append((read_ns - begin_ns) / 1e3)
        self._win.flip()
        place = self._side.place(read)
        if place is not None:
            self.reads.append((read_ns, self.flips_ns[-1], place))
        self._due_ns = wait_until_next(self._due_ns)
        return place

    def _flipped(self, event: str | None) -> None:
        self.flips_ns.append(time.perf_counter_ns())
        if event is not None:
            self.flip_of_event[event] = self.flips_ns[-1]


def stored(path: Path) -> dict[str, list[list[float]]]:
    """Of the samples in the file: time on the phone, s, and place in the window, px; both tables of ioHub."""
    with tables.open_file(str(path)) as file:
        samples = file.root.data_collection.events.eyetracker
        mapped = samples.MonocularEyeSampleEvent[:]
        eyes = samples.BinocularEyeSampleEvent[:]
    valid = mapped[mapped["status"] == 0]
    return {
        "on_screen": [[float(each["device_time"]), float(each["gaze_x"]), float(each["gaze_y"])] for each in valid],
        "device_s": sorted({*mapped["device_time"].tolist(), *eyes["device_time"].tolist()}),
    }


def ended(hub: Any) -> float:
    """How long ioHub took to end; it waits for its device without a limit, so there is one here."""
    begin_s = time.perf_counter()
    limit = threading.Timer(END_S, kill_children)
    limit.start()
    hub.quit()
    limit.cancel()
    return time.perf_counter() - begin_s


def kill_children() -> None:
    """End ioHub and what it started, as far as they are still there."""
    children = psutil.Process().children(recursive=True)
    for each in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(children, ANSWER_S)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))

"""``psychopy-neon preview [ADDRESS]``."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections import deque
from pathlib import Path
from typing import Any

import click
import numpy as np

from psychopy_neon.cli.layout_options import border_options, border_screen
from psychopy_neon.cli.preview_numbers import PreviewNumbers
from psychopy_neon.cli.preview_outputs import Film, LastPicture, Output, Window
from psychopy_neon.cli.preview_picture import AMBER, GREEN, RED, PreviewView, StatusLine
from psychopy_neon.cli.preview_tags import SeenTags, TagWatch
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.screen_gaze import ScreenGazeTracker
from psychopy_neon.errors import ConfigurationError, LinkError, NeonTimeoutError
from psychopy_neon.samples import GazeSample, SceneFrame, ScreenGaze
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.timeline import LocatedFrame

__all__ = ["Preview", "command"]

TRACE_NS = 500_000_000
NEAR_NS = 50_000_000
"""Gaze farther than this from the frame's time is not drawn into it."""
BEHIND_NS = 300_000_000
"""When screens are located so late, frames are drawn without."""
FRAME_WAIT_S = 0.03
"""Then the window is looked after."""
SILENT_S = 0.5
"""Without video the text is still made new so often."""

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("address", required=False)
@click.option("--serial", help="Find the Neon with this serial number.")
@click.option("--name", help="Find the Neon whose phone has this name.")
@click.option("--seconds", type=float, help="How long; default: until Ctrl+C, or Escape in the window.")
@border_options
@click.option("--png", type=_FILE, metavar="FILE", help="Save the last picture.")
@click.option("--mp4", type=_FILE, metavar="FILE", help="Save a film.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON at the end.")
@click.option("--window", is_flag=True, help="Open a window, also with --png, --mp4 or --json.")
def command(
    address: str | None,
    serial: str | None,
    name: str | None,
    seconds: float | None,
    png: Path | None,
    mp4: Path | None,
    as_json: bool,
    window: bool,
    **border: Any,
) -> None:
    """Watch the scene video of a Neon with gaze, tags and the screen. Exit code 1 unless gaze and video came.

    ADDRESS is what the Companion app shows on its Stream page; without it the one Neon of the network is taken. Without
    --screen all tags are shown, and no screen is looked for.
    """
    if seconds is not None and not 0 < seconds < float("inf"):
        raise ConfigurationError("seconds", seconds, "above 0")
    layout = border_screen(**border)
    with contextlib.ExitStack() as stack:
        outputs: list[Output] = []
        for kind, path in ((LastPicture, png), (Film, mp4)):
            if path is not None:
                outputs.append(stack.enter_context(contextlib.closing(kind(path))))
        neon = stack.enter_context(Neon(address, serial=serial, name=name))
        if window or not (png or mp4 or as_json):
            title = f"{neon.status.phone.device_name or 'Neon'} at {neon.address}"
            outputs.append(stack.enter_context(contextlib.closing(Window(title))))
        preview = Preview(neon, () if layout is None else (layout,))
        preview.run(seconds, outputs)
        told = preview.as_json()
    for path in (png, mp4):
        if path is not None:
            click.echo(f"saved as {path}", err=as_json)
    click.echo(json.dumps(told) if as_json else _summary(told))
    if not (preview.numbers.gaze_count and preview.numbers.scene_count):
        missing = "no gaze" if preview.numbers.scene_count else "no scene video"
        raise LinkError(neon.address, f"{missing} came; is the app in front, and is UDP let through?")


class Preview:
    """Makes views of what comes from a device.

    Parameters
    ----------
    neon : Neon
    layouts
        Of the screens that are looked for; may be none.
    """

    def __init__(self, neon: Neon, layouts: tuple[ScreenLayout, ...]) -> None:
        self.numbers = PreviewNumbers()
        self._neon = neon
        self._begin_ns = neon.host_clock.now_ns()
        self._frames, self._gaze = neon.scene.reader(), neon.gaze.reader()
        self._tracker = ScreenGazeTracker(neon, *layouts) if layouts else None
        self._watch = TagWatch(layouts)
        self._recent: deque[GazeSample] = deque(maxlen=1000)
        self._drawn: SceneFrame | None = None
        self._tags = SeenTags({}, {})

    def run(self, seconds: float | None, outputs: list[Output]) -> None:
        """Show views until the time is over, an output is, or Ctrl+C.

        Raises
        ------
        LinkError
            The device went away.
        """
        end_s = math.inf if seconds is None else time.monotonic() + seconds
        shown_s = -math.inf
        windows = [each for each in outputs if isinstance(each, Window)]
        with contextlib.suppress(KeyboardInterrupt):
            while time.monotonic() < end_s and not any(output.is_over for output in outputs):
                has_new = self._take()
                if has_new or time.monotonic() - shown_s > SILENT_S:
                    view = self._view()
                    shown_s = time.monotonic()
                    for output in outputs:
                        output.show(view)
                for each in windows:
                    each.update()
                self._neon.check_link()

    def as_json(self) -> dict[str, Any]:
        """What the whole run told."""
        neon, tracker = self._neon, self._tracker
        now_ns = neon.host_clock.now_ns()
        offset, gaze, scene = neon.clock.newest, neon.gaze.health, neon.scene.health
        return {
            "address": neon.address,
            "seconds": round((now_ns - self._begin_ns) / 1e9, 2),
            **self.numbers.as_json(now_ns),
            "whole_searches": tracker.searched if tracker is not None else None,
            "frames_not_searched": tracker.skipped if tracker is not None else None,
            "calibration_trouble": tracker.trouble if tracker is not None else None,
            "clock_bound_ms": None if offset is None else round(offset.bound_at_ns(now_ns) / 1e6, 3),
            "battery_percent": neon.status.phone.battery_level,
            "gaze_lost": gaze.lost,
            "gaze_gaps": [gap.cause for gap in gaze.gaps],
            "scene_packets_lost": scene.lost,
            "scene_dropped": scene.dropped,
            "scene_gaps": [gap.cause for gap in scene.gaps],
        }

    def _take(self) -> bool:
        """Take what has come; whether there is a new frame to draw."""
        frames = []
        with contextlib.suppress(NeonTimeoutError):  # then there is none: the text says so
            frames = [self._frames.wait(FRAME_WAIT_S), *self._frames.take()]
        samples = self._gaze.take()
        self._recent.extend(samples)
        self.numbers.add_scene(frames)
        self.numbers.add_gaze(samples)
        located = None
        if self._tracker is not None:
            self.numbers.add_mapped(self._tracker.take())
            located = self._tracker.located
        if not frames:
            return False
        frame, told = frames[-1], None
        if located is not None and abs(frame.device_ns - located[0].device_ns) < BEHIND_NS:
            frame, told = located
        if frame is self._drawn:
            return False
        self._look(frame, told)
        return True

    def _look(self, frame: SceneFrame, located: LocatedFrame | None) -> None:
        self._drawn, self._tags = frame, self._watch.look(frame, located)
        self.numbers.add_drawn(self._tags, self._tracker.latest() if self._tracker is not None else None)

    def _view(self) -> PreviewView:
        frame = self._drawn
        gaze, trace = None, []
        if frame is not None:
            trace = [each for each in self._recent if -TRACE_NS <= each.device_ns - frame.device_ns <= 0]
            near = min(self._recent, key=lambda each: abs(each.device_ns - frame.device_ns), default=None)
            if near is not None and near.worn and abs(near.device_ns - frame.device_ns) <= NEAR_NS:
                gaze = near.x, near.y
        places = np.array([(each.x, each.y) for each in trace], np.float64).reshape(-1, 2)
        return PreviewView(frame, self._tags, gaze, places, self._lines())

    # Text

    def _lines(self) -> tuple[StatusLine, ...]:
        neon = self._neon
        now_ns, offset = neon.host_clock.now_ns(), neon.clock.newest
        battery = neon.status.phone.battery_level
        clock = "unknown" if offset is None else f"+-{offset.bound_at_ns(now_ns) / 1e6:.2f} ms"
        rates = f"gaze {neon.gaze.health.rate_hz:.0f} Hz   scene {neon.scene.health.rate_hz:.0f} Hz   clock {clock}"
        charge = "" if battery is None else f"   battery {battery} %"
        skipped = self.numbers.scene_count - self.numbers.drawn
        live = self._tracker.latest() if self._tracker is not None else None
        first = StatusLine(f"{rates}{charge}   frames skipped {skipped}")
        return first, StatusLine(self._of_tags(live)), self._verdict(live)

    def _of_tags(self, live: ScreenGaze | None) -> str:
        found, missed = len(self._tags.found), len(self._tags.missed)
        text = f"tags found {found}, missed {missed}"
        if self._tracker is None:
            return text
        text += f"   whole searches {self._tracker.searched}"
        if live is None or live.quality is None or live.age_s is None:
            return text
        quality = live.quality
        error = f"error {quality.error_px:.2f} px, {quality.error_deg:.3f} deg"
        age_ms = 1e3 * (live.age_s + quality.pose_age_s)
        return f"{text}   pose age {age_ms:.0f} ms   fit {quality.reprojection_px:.2f} px   {error}"

    def _verdict(self, live: ScreenGaze | None) -> StatusLine:
        """What matters most: trouble, then advice, then where gaze is."""
        trouble = self._tracker.trouble if self._tracker is not None else None
        if self._drawn is None:
            return StatusLine("no scene video has arrived from the device yet", RED)
        if trouble is not None:
            return StatusLine(f"no gaze on the screen: {trouble}", RED)
        if live is not None and live.reason is not None:
            return StatusLine(f"no gaze on the screen: {live.reason.value}", RED)
        if self._tags.advice is not None:
            return StatusLine(self._tags.advice, AMBER)
        if live is None or live.pos is None:
            return StatusLine("no screen is looked for (--screen)")
        x, y = live.pos
        if not live.is_on_screen:
            return StatusLine(f"gaze beside the screen, at {x:.0f}, {y:.0f} px", AMBER)
        return StatusLine(f"gaze on the screen at {x:.0f}, {y:.0f} px", GREEN)


def _summary(told: dict[str, Any]) -> str:
    share = "" if told["mapped_share"] is None else f", {100 * told['mapped_share']:.1f} % of gaze on a located screen"
    rates = f"gaze {told['gaze_rate_hz']} Hz, scene {told['scene_rate_hz']} Hz"
    tags = "no frame" if told["tags_found_mean"] is None else f"{told['tags_found_mean']:.1f} tags a frame"
    return f"{rates}, {tags}{share}; losses: {told['gaze_lost']} gaze, {told['scene_packets_lost']} scene packets"

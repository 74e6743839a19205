"""The sequences of scene frames that mappers are judged by, each with its truth; all of it comes from the seed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from head import SCREEN_PX, Floats, Gaze, Gyro, Head, Turn, gaze_trace, gyro_trace, is_in_frame, scene_from_screen
from scene_camera import Image, Optics, SceneCamera, screen_picture

from psychopy_neon.samples import CameraCalibration
from psychopy_neon.screen.layout import ScreenLayout, border_layout
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.lens import SCENE_SIZE_PX, Lens

FPS = 30
TAG_PX = 130
PLACES = (17, 11)
"""Across and down the screen, at which the error of a pose is looked at."""
VERSION = 4
"""Counts up when the pictures change: rendered ones are kept."""

SWAY = Head(Turn(1.0, 1.2), Turn(0.8, 0.9, phase=1.0), Turn(0.5, 0.8, phase=2.0))
"""A head that is held still: nobody's is."""
CLEAN, HARD = Optics(), Optics(blur_px=1.5, noise=8.0, exposure=0.6)


def turning(speed_dps: float, reach_deg: float = 12.0) -> Head:
    """Looking to and fro at an even speed, nodding a little."""
    return Head(
        Turn(speed_dps, reach_deg, 0.99), Turn(0.3 * speed_dps, 4.0, phase=1.0), Turn(0.2 * speed_dps, 4.0, phase=2.0)
    )


@dataclass(frozen=True)
class SceneSet:
    """One sequence of frames."""

    name: str
    says: str
    """For the reader of the table."""
    head: Head = SWAY
    optics: Optics = field(default_factory=Optics)
    columns: int = 5
    """Tags along the upper and the lower edge; with 3 rows 5 make 12 tags, 4 make 10."""
    covered: int = 0
    """Tags of which about a half is hidden behind something that moves slowly."""
    mbit_s: float | None = None
    """Of H.264, through which the frames go; None: they do not."""
    has_tags: bool = True
    gamma: float = 1.0
    """Of the camera's tone curve."""


SETS = {
    each.name: each
    for each in (
        SceneSet("clean", "head still, 12 tags"),
        SceneSet("clean, H.264", "the same at 6 Mbit/s", mbit_s=6),
        SceneSet("hard", "blur 1.5 px, noise 8, 60 % exposure, 4 of 10 tags half covered", SWAY, HARD, 4, 4),
        SceneSet("hard, H.264", "the same at 6 Mbit/s", SWAY, HARD, 4, 4, 6),
        *(SceneSet(f"turning {speed}", f"head at {speed} deg/s", turning(speed)) for speed in (10, 25, 50, 100)),
        SceneSet("rolling", "head tilts to and fro by 35 deg at 50 deg/s", Head(roll=Turn(50, 35, 0.9))),
        SceneSet("turning 100, short", "the same, exposed for 2 ms", turning(100), Optics(exposure_s=0.002)),
        SceneSet("turning 50, hard", "head at 50 deg/s in the hard scene", turning(50), HARD, 4, 4),
        SceneSet("turning 50, rows", "50 deg/s, rows read out over 10 ms", turning(50), Optics(readout_s=0.01)),
        SceneSet("out of view", "head turns so far that half of the screen leaves", turning(30, 42.0)),
        SceneSet("dark", "8 % exposure", optics=Optics(exposure=0.08)),
        SceneSet("bright", "140 % exposure, white overflows", optics=Optics(exposure=1.4)),
        SceneSet("tone curve", "light is averaged before a tone curve of gamma 2.2", gamma=2.2),
        SceneSet("no tags", "the same screen without tags", has_tags=False),
    )
}


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known about a sequence."""

    calibration: CameraCalibration
    layout: ScreenLayout
    head: Head
    lens: Lens
    frame_s: Floats
    """Middle of each frame's exposure, shape (n,)."""
    gyro: Gyro
    gaze: Gaze

    def places(self, frame: int) -> tuple[Floats, Floats]:
        """Places all over the screen that a frame shows: screen px and scene px, shapes (n, 2)."""
        across, down = (np.linspace(8, size - 8, count) for size, count in zip(SCREEN_PX, PLACES, strict=True))
        screen = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        scene = self.scene_from_screen(float(self.frame_s[frame]), screen)
        is_seen = is_in_frame(scene)
        return screen[is_seen], scene[is_seen]

    def scene_from_screen(self, at_s: float, screen_px: Floats) -> Floats:
        """Screen px to scene px at a time, shapes (n, 2); NaN behind the camera."""
        pose = np.broadcast_to(self.head.ray_from_screen(at_s)[0], (len(screen_px), 3, 3))
        return scene_from_screen(self.lens, pose, screen_px)


@lru_cache(maxsize=1)
def scene_lens() -> tuple[CameraCalibration, Lens]:
    """The calibration of a real Neon's scene camera, and the simulator's lens with it."""
    calibration = factory_calibration("114837")
    return calibration, Lens(calibration.scene)


def truth_of(scene: SceneSet, frames: int, seed: int) -> Truth:
    calibration, lens = scene_lens()
    rng = np.random.default_rng([seed, 1])
    seconds = frames / FPS
    layout = border_layout(SCREEN_PX, tag_px=TAG_PX, columns=scene.columns)
    gyro = gyro_trace(scene.head, seconds, rng)
    gaze = gaze_trace(scene.head, lens, seconds, rng)
    return Truth(calibration, layout, scene.head, lens, (np.arange(frames) + 0.5) / FPS, gyro, gaze)


def frames_of(scene: SceneSet, truth: Truth, seed: int) -> Iterator[Image]:
    """The frames one by one, luma, shape (1200, 1600)."""
    rng = np.random.default_rng([seed, 2])
    screen = screen_picture(truth.layout, rng, scene.has_tags)
    camera = SceneCamera(truth.lens, truth.head, screen, seed, scene.gamma)
    hidden = rng.permutation(list(truth.layout.tags))[: scene.covered]
    phases = rng.uniform(0, 2 * np.pi, len(hidden))
    drawn = (
        camera.draw(float(at_s), scene.optics, rng, covers_at(float(at_s), truth.layout, hidden.tolist(), phases))
        for at_s in truth.frame_s
    )
    return drawn if scene.mbit_s is None else compressed(drawn, scene.mbit_s)


def covers_at(at_s: float, layout: ScreenLayout, hidden: list[int], phases: Floats) -> tuple[Floats, ...]:
    """Outlines of blobs that go slowly around each hidden tag and always hide about a half of it, screen px."""
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outlines = []
    for tag_id, phase in zip(hidden, phases, strict=True):
        corners = layout.tags[tag_id]
        side = float(corners[1, 0] - corners[0, 0])
        direction = phase + 0.3 * at_s
        radius = side * (0.8 + 0.06 * np.sin(3 * around + phase))
        middle = corners.mean(axis=0) + 0.8 * side * np.array([np.cos(direction), np.sin(direction)])
        outlines.append(middle + radius[:, None] * np.stack([np.cos(around), np.sin(around)], axis=-1))
    return tuple(outlines)


def compressed(frames: Iterator[Image], mbit_s: float) -> Iterator[Image]:
    """What is left of frames after H.264."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = SCENE_SIZE_PX
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = round(mbit_s * 1e6)
    encoder.options = {"preset": "veryfast", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    chroma = np.full((SCENE_SIZE_PX[1] // 2, SCENE_SIZE_PX[0]), 128, np.uint8)
    for luma in frames:
        picture = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        for packet in encoder.encode(picture):
            yield from map(_luma, decoder.decode(packet))
    for packet in encoder.encode(None):
        yield from map(_luma, decoder.decode(packet))
    yield from map(_luma, decoder.decode(None))


def _luma(frame: av.VideoFrame) -> Image:
    return frame.to_ndarray(format="yuv420p")[: SCENE_SIZE_PX[1]]


def rendered(scene: SceneSet, truth: Truth, seed: int, folder: Path) -> Path:
    """A file of all frames of a sequence, kept from one run to the next: npy, shape (n, 1200, 1600)."""
    facts = json.dumps([VERSION, asdict(replace(scene, says="")), len(truth.frame_s), seed], sort_keys=True)
    path = folder / f"{hashlib.sha256(facts.encode()).hexdigest()[:16]}.npy"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")  # somebody else may be at it
    shape = (len(truth.frame_s), *SCENE_SIZE_PX[::-1])
    kept = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
    count = 0
    for count, luma in enumerate(frames_of(scene, truth, seed), 1):
        kept[count - 1] = luma
    if count != len(kept):
        raise RuntimeError(f"{scene.name}: {count} frames came out where {len(kept)} went in")
    kept.flush()
    del kept  # Windows renames no file that is mapped
    unfinished.replace(path)
    return path

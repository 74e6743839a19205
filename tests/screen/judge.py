"""A judge: renders a screen as a Neon sees it, and knows where everything is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from psychopy_neon.simulator.lens import SceneCamera

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
NOISE = 3.0
"""Standard deviation of the sensor's noise, of 255."""


@dataclass(frozen=True)
class View:
    """One scene frame with its truth."""

    frame: Image
    camera: SceneCamera

    @property
    def luma(self) -> Image:
        return self.frame[: self.frame.shape[0] * 2 // 3]

    def noisy(self, rng: np.random.Generator) -> View:
        frame = self.frame.copy()
        grain = rng.normal(0, NOISE, self.luma.shape)
        frame[: len(self.luma)] = np.clip(self.luma + grain, 0, 255).round().astype(np.uint8)
        return View(frame, self.camera)

    def compressed(self, rng: np.random.Generator) -> View:
        """What is left of the third of three noisy frames after H.264 at 3 Mbit/s."""
        encoder = av.CodecContext.create("libx264", "w")
        encoder.height, encoder.width = self.luma.shape
        encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 30), Fraction(30)
        encoder.bit_rate = 3_000_000
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
        decoder = av.CodecContext.create("h264", "r")
        seen = []
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(self.noisy(rng).frame, format="yuv420p")
            seen += [each for packet in encoder.encode(picture) for each in decoder.decode(packet)]
        seen += [each for packet in encoder.encode(None) for each in decoder.decode(packet)]
        seen += decoder.decode(None)
        return View(seen[-1].to_ndarray(format="yuv420p"), self.camera)

    def grid(self) -> tuple[Floats, Floats]:
        """Points all over the screen that the camera sees: screen px and scene px."""
        width, height = self.camera.screen_px
        xs, ys = np.meshgrid(np.linspace(1, width - 1, 25), np.linspace(1, height - 1, 15))
        screen = np.stack([xs.ravel(), ys.ravel()], axis=1)
        scene = self.camera.scene_from_screen(screen)
        is_seen = np.all((scene >= 0) & (scene <= np.array(self.luma.shape[::-1]) - 1), axis=1)
        return screen[is_seen], scene[is_seen]

"""A judge: renders a screen as a Neon sees it, and knows where everything is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.simulator.lens import SceneCamera

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
Screen = tuple[Image, ScreenLayout]
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

    def noisy(self, rng: np.random.Generator, noise: float = NOISE) -> View:
        grain = rng.standard_normal(self.luma.shape, np.float32) * np.float32(noise)
        return self.changed(np.clip(self.luma + grain, 0, 255).round().astype(np.uint8))

    def blurred(self, sigma_px: float) -> View:
        return self.changed(cv2.GaussianBlur(self.luma, (0, 0), sigma_px))

    def changed(self, luma: Image) -> View:
        """The same with another luma plane."""
        frame = self.frame.copy()
        frame[: len(luma)] = luma
        return View(frame, self.camera)

    def covered(self, outline: npt.ArrayLike, level: int = 150) -> View:
        """With something grey before a part of the screen, outline in screen px, shape (n, 2)."""
        luma = self.luma.copy()
        points = (self.camera.scene_from_screen(outline) * 16).round().astype(np.int32)
        cv2.fillPoly(luma, [points], (level,), lineType=cv2.LINE_AA, shift=4)
        return self.changed(luma)

    def pose(self) -> Floats:
        """The true homography of rays from screen px, shape (3, 3), as the mapper scales it."""
        ray_from_screen = self.camera.ray_from_screen
        return ray_from_screen / float(np.linalg.norm(ray_from_screen))

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


Look = Callable[..., View]
"""Of the fixture ``look``: a picture and a head pose."""


def half_plane(
    shape: tuple[int, int], place: tuple[float, float], normal: tuple[float, float], sigma_px: float = 0.0
) -> Floats:
    """Black and white with an edge between them, 0 to 1, shape (height, width).

    The edge goes through ``place``, scene px, and is bright on the side of ``normal``, a unit vector. Without blur each
    pixel is the share of its square that is white, which is exact for normals along an axis.
    """
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    distance = (xs - place[0]) * normal[0] + (ys - place[1]) * normal[1]
    if not sigma_px:
        return np.clip(distance + 0.5, 0, 1)
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return 0.5 * (1 + erf(distance / (sigma_px * math.sqrt(2))))


def luma_of(picture: Floats, black: float = 40.0, white: float = 200.0) -> Image:
    """A picture from 0 to 1 as a luma plane."""
    return (black + picture * (white - black)).round().astype(np.uint8)


class TurningHead:
    """A camera that only turns, smoothly about all axes, before a screen of 1920 x 1080 px.

    Parameters
    ----------
    peak_dps
        Largest turning rate about each axis.
    seconds
        For so long its path is known.
    """

    STEP_S = 0.0005

    def __init__(self, peak_dps: float, seconds: float) -> None:
        self._peak_rad_s = np.deg2rad(peak_dps) * np.array([1.0, 0.8, 0.5])
        self._path = [np.eye(3)]
        for step in range(math.ceil(seconds / self.STEP_S)):
            self._path.append(self._turned(self.rate_rad_s((step + 0.5) * self.STEP_S), self.STEP_S) @ self._path[-1])

    def rate_rad_s(self, at_s: float) -> Floats:
        """Camera axes, shape (3,)."""
        cycles = np.array([0.7, 0.43, 0.61]) * at_s + [0.0, 0.3, 0.6]
        return self._peak_rad_s * np.sin(2 * np.pi * cycles)

    def rotation(self, at_s: float) -> Floats:
        """Directions in the camera from those at time 0, shape (3, 3)."""
        step = int(at_s / self.STEP_S)
        past_s = at_s - step * self.STEP_S
        return self._turned(self.rate_rad_s(at_s - past_s / 2), past_s) @ self._path[step]

    def ray_from_screen(self, at_s: float) -> Floats:
        """Shape (3, 3)."""
        return self.rotation(at_s) @ np.array([[1 / 1920, 0, -0.5], [0, 1 / 1920, -0.28125], [0, 0, 0.9]])

    def turn(self, from_s: float, to_s: float) -> Floats:
        """Rotation vector of the camera, shape (3,)."""
        return -cv2.Rodrigues(self.rotation(to_s) @ self.rotation(from_s).T)[0].ravel()

    @staticmethod
    def _turned(rate_rad_s: Floats, seconds: float) -> Floats:
        # Directions turn the other way than the camera.
        return cv2.Rodrigues(-rate_rad_s * seconds)[0]

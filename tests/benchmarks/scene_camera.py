"""What a moving scene camera sees of a screen in a room; the truth of every pixel is known.

Each scene pixel is the mean over its area and over the exposure, taken from several samples per axis and several
instants: of video levels, as if the camera were linear, or of light, to which a tone curve is then applied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from head import SCREEN_PX, Floats, Head, scene_from_screen

from psychopy_neon.screen.layout import BLACK_MODULES, ScreenLayout
from psychopy_neon.simulator.lens import SCENE_SIZE_PX, Lens

Image = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]

BLOCK_PX = 4
"""Rays are exact in the middle of each block of the scene and linear in between: off by less than 0.003 px."""
SAMPLES = 3
"""Per axis of a scene pixel and instant. A picture of 12 x 12 exact rays per pixel lies within 0.003 px of these."""
LONGEST_STEP_PX, MOST_INSTANTS = 1.0, 24
PX_PER_DEG = 15.5
BEZEL_PX, BEZEL_LEVEL = 48, 25
WALL_DISTANCE, WALL_REACH_PX = 2.0, 6000.0
"""Of the room's wall, in distances of the screen; how far it goes, px of the screen."""
BLACKEST, WHITEST = 18, 225
"""Levels of the screen's black and white in the scene: a screen shines back some light, and white is not yet full."""
SKIN_LEVEL = 150
NOWHERE = -30_000.0


@dataclass(frozen=True)
class Optics:
    """What else happens to a picture on its way."""

    blur_px: float = 0.5
    """Standard deviation of the lens's blur."""
    noise: float = 2.0
    """Standard deviation of the sensor's noise, grey levels of 255."""
    exposure: float = 1.0
    """All levels are multiplied by it."""
    exposure_s: float = 0.008
    readout_s: float = 0.0
    """Between the first row and the last; the frame's time is that of its middle row. 0: all rows at once."""


class SceneCamera:
    """Draws scene frames. Used by one thread.

    Parameters
    ----------
    lens, head
        The camera and what carries it.
    screen
        The screen's picture, shape (1080, 1920).
    seed
        Of the room.
    gamma
        Of the tone curve: levels are this root of the light, which makes edges wider on their bright side.
    """

    def __init__(self, lens: Lens, head: Head, screen: Image, seed: int, gamma: float = 1.0) -> None:
        self._lens, self._head = lens, head
        framed = cv2.copyMakeBorder(screen, *[BEZEL_PX] * 4, cv2.BORDER_CONSTANT, value=(BEZEL_LEVEL,))
        self.levels = (BLACKEST + np.arange(256) / 255 * (WHITEST - BLACKEST)).round().astype(np.uint8)
        """In the scene, of each grey level of the screen."""
        self._gamma = gamma
        self._screen = self._light(cv2.LUT(framed, self.levels))
        self._room = self._light(room_picture(np.random.default_rng(seed)))
        width, height = SCENE_SIZE_PX
        self._x = np.arange(-BLOCK_PX, width + BLOCK_PX, BLOCK_PX) + (BLOCK_PX - 1) / 2
        self._y = np.arange(-BLOCK_PX, height + BLOCK_PX, BLOCK_PX) + (BLOCK_PX - 1) / 2
        grid = np.stack(np.meshgrid(self._x, self._y), axis=-1)
        self._rays = lens.undistort(grid.reshape(-1, 2)).reshape(grid.shape)

    def draw(
        self,
        at_s: float,
        optics: Optics,
        rng: np.random.Generator,
        covers: tuple[Floats, ...] = (),
        samples: int = SAMPLES,
    ) -> Image:
        """One scene frame, shape (1200, 1600), whose exposure has its middle at a time.

        Parameters
        ----------
        covers
            Outlines of what lies before the screen, screen px, each of shape (n, 2).
        samples
            Per axis of a pixel and instant.
        """
        speed = float(np.linalg.norm(self._head.speed_dps(at_s)))
        instants = math.ceil(speed * optics.exposure_s * PX_PER_DEG / LONGEST_STEP_PX)
        instants = min(max(instants, 1), MOST_INSTANTS)
        offsets = ((np.arange(instants) + 0.5) / instants - 0.5) * optics.exposure_s
        light = np.zeros(SCENE_SIZE_PX[::-1], np.float32)
        for offset in offsets:
            light += self._instant(at_s + float(offset), optics.readout_s, covers, samples)
        light *= optics.exposure**self._gamma / instants
        if optics.blur_px > 0:
            light = cv2.GaussianBlur(light, (0, 0), optics.blur_px).astype(np.float32, copy=False)
        if self._gamma != 1:
            light = 255 * np.clip(light / 255, 0, None) ** np.float32(1 / self._gamma)
        light += optics.noise * rng.standard_normal(light.shape, np.float32)
        return np.clip(light + 0.5, 0, 255).astype(np.uint8)

    def _light(self, levels: Image) -> Image | Floats32:
        """Bytes where levels are light: that is much faster."""
        if self._gamma == 1:
            return levels
        table = 255 * (np.arange(256) / 255) ** self._gamma
        return np.asarray(cv2.LUT(levels, table.astype(np.float32)), np.float32)

    def _instant(self, at_s: float, readout_s: float, covers: tuple[Floats, ...], samples: int) -> Image | Floats32:
        """The scene without blur and noise."""
        row_s = at_s + (self._y / (SCENE_SIZE_PX[1] - 1) - 0.5) * readout_s
        ray_from_screen = self._head.ray_from_screen(row_s if readout_s else at_s)
        places = self._screen_map(ray_from_screen)
        picture = self._wall(places)
        top, bottom, left, right = _seen_blocks(places)
        if top >= bottom or left >= right:
            return picture[BLOCK_PX:-BLOCK_PX, BLOCK_PX:-BLOCK_PX]
        size = ((right - left) * BLOCK_PX * samples, (bottom - top) * BLOCK_PX * samples)
        source = cv2.resize(places[top:bottom, left:right] + (BEZEL_PX - 0.5), size, interpolation=cv2.INTER_LINEAR)
        rows, columns = (slice(first * BLOCK_PX, last * BLOCK_PX) for first, last in ((top, bottom), (left, right)))
        fine = cv2.resize(picture[rows, columns], size, interpolation=cv2.INTER_NEAREST)
        cv2.remap(self._screen, source, None, cv2.INTER_LINEAR, dst=fine, borderMode=cv2.BORDER_TRANSPARENT)
        middle = ray_from_screen[len(ray_from_screen) // 2]
        for cover in covers:
            self._cover(fine, middle, cover, samples, (left, top))
        picture[rows, columns] = cv2.resize(fine, None, fx=1 / samples, fy=1 / samples, interpolation=cv2.INTER_AREA)
        return picture[BLOCK_PX:-BLOCK_PX, BLOCK_PX:-BLOCK_PX]

    def _screen_map(self, ray_from_screen: Floats) -> Floats32:
        """Screen px of the middle of every block, shape (rows, columns, 2); one homography, or one for each row."""
        inverse = np.linalg.inv(ray_from_screen)
        lifted = self._rays @ inverse[:, :, :2].transpose(0, 2, 1) + inverse[:, None, :, 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            places = np.where(lifted[..., 2:] > 1e-9, lifted[..., :2] / lifted[..., 2:], NOWHERE)
        return np.clip(places, NOWHERE, -NOWHERE).astype(np.float32)

    def _wall(self, places: Floats32) -> Image | Floats32:
        """The room, in half the resolution; no edge of it is judged."""
        size = (places.shape[1] * BLOCK_PX, places.shape[0] * BLOCK_PX)
        near = np.clip(places, -WALL_REACH_PX, WALL_REACH_PX) / WALL_DISTANCE  # far out it would be noise
        half = cv2.resize(near, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_LINEAR)
        room = cv2.remap(self._room, half, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return cv2.resize(room, size, interpolation=cv2.INTER_LINEAR)

    def _cover(
        self, fine: Image | Floats32, ray_from_screen: Floats, outline: Floats, samples: int, block: tuple[int, int]
    ) -> None:
        scene = scene_from_screen(self._lens, np.broadcast_to(ray_from_screen, (len(outline), 3, 3)), outline)
        if not np.isfinite(scene).all():
            return
        corner = np.array([block[0] - 1, block[1] - 1]) * BLOCK_PX  # the first block lies outside the frame
        points = ((scene - corner + 0.5) * samples - 0.5) * 16
        level = 255 * (SKIN_LEVEL / 255) ** self._gamma
        cv2.fillPoly(fine, [points.round().astype(np.int32)], (level,), shift=4)


def _seen_blocks(places: Floats32) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of the blocks in which the screen with its bezel may be seen."""
    size = np.array(SCREEN_PX)
    margin = 4 * BEZEL_PX
    is_seen = ((places > -margin) & (places < size + margin)).all(axis=-1)
    rows, columns = np.flatnonzero(is_seen.any(axis=1)), np.flatnonzero(is_seen.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def room_picture(rng: np.random.Generator) -> Image:
    """A wall with clouds of every size, shelves, frames and books, shape (2048, 2048)."""
    picture = _clouds(rng, 2048, 70, 22)
    for _ in range(260):
        x, y = rng.integers(0, 2048, 2)
        width, height = rng.integers(12, 220, 2)
        level = int(rng.integers(20, 210))
        cv2.rectangle(picture, (int(x), int(y)), (int(x + width), int(y + height)), level, int(rng.choice([-1, 6, 14])))
    for _ in range(25):
        ends = rng.integers(0, 2048, 4)
        cv2.line(picture, (int(ends[0]), int(ends[1])), (int(ends[2]), int(ends[3])), int(rng.integers(20, 210)), 5)
    return picture


def screen_picture(layout: ScreenLayout, rng: np.random.Generator, has_tags: bool = True) -> Image:
    """A stimulus of photograph, text and shapes with the tags of a layout over it, shape (1080, 1920)."""
    width, height = layout.size_px
    picture = _clouds(rng, 2048, 120, 45)[:height, :width].copy()
    for radius, level in ((230, 210), (140, 50), (30, 235)):
        cv2.circle(picture, (width // 2, height // 2), radius, level, -1, cv2.LINE_AA)
    words = ("Look at the middle", "PRESS SPACE", "trial 17 of 120", "left", "right", "the quick brown fox 0123456789")
    for _ in range(24):
        place = (int(rng.integers(0, width - 300)), int(rng.integers(40, height)))
        level = int(rng.choice([10, 245]))
        cv2.putText(picture, str(rng.choice(words)), place, 0, float(rng.uniform(0.6, 1.8)), level, 2, cv2.LINE_AA)
    if has_tags:
        for tag_id, corners in layout.tags.items():
            _draw_tag(picture, tag_id, corners)
    return picture


def _draw_tag(picture: Image, tag_id: int, corners: Floats) -> None:
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    (left, top), (right, bottom) = corners[0].astype(int), corners[2].astype(int)
    module = (right - left) // BLACK_MODULES
    picture[top - module : bottom + module, left - module : right + module] = 255
    picture[top:bottom, left:right] = cv2.aruco.generateImageMarker(family, tag_id, right - left)


def _clouds(rng: np.random.Generator, size: int, mean: float, spread: float) -> Image:
    """Noise of every size, as in photographs."""
    total = np.zeros((size, size), np.float32)
    for cells in (4, 8, 16, 32, 64, 128, 256, 512):
        noise = rng.standard_normal((cells, cells), np.float32) / math.sqrt(cells)
        total += cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    total = (total - total.mean()) / total.std()
    return np.clip(mean + spread * total, 0, 255).astype(np.uint8)

"""Where screens are in the frames of the scene video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraCalibration, GazeReason
from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.coordinates import Points
from psychopy_neon.screen.fit import Fit, TagSides, fit_screen
from psychopy_neon.screen.layout import Corners, ScreenLayout, refuse_shared_ids
from psychopy_neon.screen.pose import ScreenPose, projected
from psychopy_neon.screen.tags import FoundTags, search_tags
from psychopy_neon.screen.windows import match_tags

__all__ = ["ScreenMapper"]

Floats = npt.NDArray[np.float64]

SEARCH_EVERY = 10
"""Frames between two searches of a whole frame, at least."""
PATIENT_AFTER, PATIENT_EVERY = 30, 3
"""After so many frames without a screen only one in a few is searched: somebody looks elsewhere."""
BANDS = 8
"""Into so many bands a frame is cut when it is searched little by little."""
BAND_EVERY = 30
"""While all screens are followed, one band is searched in so many frames."""
TALLEST_TAG = 0.15
"""Bands overlap by this share of the frame's height, so that a tag on a border lies within one of them."""
REMEMBERED = 2 * BANDS * BAND_EVERY
"""Frames for which a tag that was seen twice is left out."""
OUTLIER_RAD = 0.006
"""A corner this far from where most others put it, as a ray, is not where the layout says: 5 scene px. In noise and
blur corners are found no better than that; what is nearer and yet wrong is left out by the fit."""
FOLLOWED = 5
"""Frames after which a screen is no longer looked for where it was last."""
FEWER = 0.5
"""A pose that rests on less than this share of the last one's tags is a reason to look further."""


class ScreenMapper:
    """Locates screens by their tags.

    Made for the frames of one video in their order: where tags were in one frame they are looked for in the next. What
    is found there must look like its tag, so another order costs time and changes nothing else.

    Parameters
    ----------
    calibration : CameraCalibration
        Of the device (``neon.calibration``).
    layout : ScreenLayout
        Tags that are not in it are passed over.
    *more : ScreenLayout
        Further screens, with tags of their own.

    Raises
    ------
    ConfigurationError
        The calibration is none, or a tag belongs to two layouts.

    Notes
    -----
    OpenCV is told to use one thread, in the whole program: what it does here is so little that waking others and
    waiting for them costs more processor time than the work.
    """

    def __init__(self, calibration: CameraCalibration, layout: ScreenLayout, *more: ScreenLayout) -> None:
        self.layouts = (layout, *more)
        refuse_shared_ids(self.layouts)
        cv2.setNumThreads(1)
        self.searched = 0
        """Frames that were searched as a whole; in the others tags were followed."""
        self._lens = SceneLens(calibration.scene)
        self._screens = [_Screen(self._lens, each) for each in self.layouts]
        self._frame = 0
        self._search_from = 0
        self._lost = 0  # frames since a screen was followed
        self._band = 0

    @property
    def layout(self) -> ScreenLayout:
        """The first layout."""
        return self.layouts[0]

    def locate(self, luma: npt.NDArray[np.uint8], turned: Floats | None = None) -> ScreenPose | GazeReason:
        """Find the first screen in a luma plane, or say why it is not found; see :meth:`locate_all`."""
        return self.locate_all(luma, turned)[0]

    def locate_all(
        self, luma: npt.NDArray[np.uint8], turned: Floats | None = None
    ) -> tuple[ScreenPose | GazeReason, ...]:
        """Find every screen in a luma plane, or say why it is not found.

        Parameters
        ----------
        luma
            Shape (height, width).
        turned
            Shape (3, 3): directions in the camera of this frame from those of the frame before, as far as known.
            Without it the head is expected to go on turning as it did.

        Returns
        -------
        For each layout its pose, or ``TAGS_LOST`` when none of its tags is seen, ``IMPLAUSIBLE`` when those that are
        seen do not agree or are all there twice, ``TOO_FEW_TAGS`` when they are too much covered or blurred for a pose.

        Raises
        ------
        ConfigurationError
            ``luma`` is no plane of bytes.
        """
        if luma.ndim != 2 or luma.dtype != np.uint8:
            raise ConfigurationError("luma", f"{luma.dtype}{luma.shape}", "uint8 of shape (height, width)")
        self._frame += 1
        results = [screen.follow(luma, turned, self._frame) for screen in self._screens]
        self._lost = self._lost + 1 if None in results else 0
        if None in results:
            is_due = self._lost <= PATIENT_AFTER or self._frame % PATIENT_EVERY == 0
            found = self._search(luma) if is_due else FoundTags({}, ())
        elif self._frame % BAND_EVERY == 0:
            found = self._search_band(luma)
        else:
            return tuple(each for each in results if each is not None)
        return tuple(
            screen.take(luma, found, self._frame) if result is None else screen.compare(found, result, self._frame)
            for screen, result in zip(self._screens, results, strict=True)
        )

    def _search(self, luma: npt.NDArray[np.uint8]) -> FoundTags:
        """Tags of the whole frame if that has not been searched for some time, else of the next band."""
        if self._frame < self._search_from:
            return self._search_band(luma)
        self.searched += 1
        self._search_from = self._frame + SEARCH_EVERY
        return search_tags(luma)

    def _search_band(self, luma: npt.NDArray[np.uint8]) -> FoundTags:
        height = len(luma)
        top = height * self._band // BANDS
        bottom = height * (self._band + 1) // BANDS + int(height * TALLEST_TAG)
        self._band = (self._band + 1) % BANDS
        found = search_tags(luma[top:bottom])
        return FoundTags(
            {tag_id: corners + np.array([0, top]) for tag_id, corners in found.corners.items()}, found.duplicates
        )


class _Screen:
    """One layout, and where it was."""

    def __init__(self, lens: SceneLens, layout: ScreenLayout) -> None:
        self._lens = lens
        self._layout = layout
        self._sides = TagSides(layout)
        self._last: ScreenPose | None = None
        self._last_frame = 0
        self._before: ScreenPose | None = None  # in the frame before the last one
        self._turned: Floats | None = None  # since the last pose, as far as told
        self._twice: dict[int, int] = {}  # tags that were seen elsewhere, too, and until which frame that counts

    def follow(self, luma: npt.NDArray[np.uint8], turned: Floats | None, frame: int) -> ScreenPose | None:
        """The pose from the tags where the last pose has them; None when they must be searched."""
        last = self._last
        if last is None or frame > self._last_frame + FOLLOWED:
            return None
        if turned is None or frame == self._last_frame + 1:
            self._turned = turned
        elif self._turned is not None:
            self._turned = turned @ self._turned
        left_out = self._left_out(frame)
        best: Fit | None = None
        for guess in self._guesses(luma, last, left_out):
            fit = fit_screen(luma, self._lens, self._sides, guess, left_out)
            if fit is not None and (best is None or len(fit.verified) > len(best.verified)):
                best = fit
            if best is not None and len(best.verified) >= FEWER * len(last.verified):
                break
        if best is None or not best.verified:
            return None
        return self._keep(best, left_out, frame)

    def _guesses(self, luma: npt.NDArray[np.uint8], last: ScreenPose, left_out: frozenset[int]) -> Iterator[Floats]:
        """Where the screen may be now, the likeliest first."""
        moved = (self._last_motion() if self._turned is None else self._turned) @ last.ray_from_screen
        yield moved
        tags = {tag_id: corners for tag_id, corners in self._layout.tags.items() if tag_id not in left_out}
        if not tags:
            return
        places = self._lens.scene(projected(moved, np.concatenate(list(tags.values())))).reshape(-1, 4, 2)
        found = match_tags(luma, dict(zip(tags, places, strict=True)))
        guess = self._guess(found) if found else None
        if guess is not None:
            yield guess

    def take(self, luma: npt.NDArray[np.uint8], found: FoundTags, frame: int) -> ScreenPose | GazeReason:
        """The pose from tags that were searched."""
        self._remember(found.duplicates, frame)
        left_out = self._left_out(frame)
        ours = {tag_id: place for tag_id, place in found.corners.items() if tag_id in self._layout.tags}
        corners = {tag_id: place for tag_id, place in ours.items() if tag_id not in left_out}
        if not corners:
            return GazeReason.IMPLAUSIBLE if ours or left_out.intersection(found.duplicates) else GazeReason.TAGS_LOST
        guess = self._guess(corners)
        if guess is None:
            return GazeReason.IMPLAUSIBLE
        fit = fit_screen(luma, self._lens, self._sides, guess, left_out)
        if fit is None or not fit.verified:
            return GazeReason.TOO_FEW_TAGS
        return self._keep(fit, left_out, frame)

    def compare(self, found: FoundTags, pose: ScreenPose, frame: int) -> ScreenPose:
        """Note tags that are seen elsewhere than the pose has them."""
        self._remember(found.duplicates, frame)
        for tag_id, corners in found.corners.items():
            if tag_id in self._layout.tags:
                expected = pose.scene_from_screen(self._layout.tags[tag_id])
                side = np.linalg.norm(corners[1] - corners[0])
                if not np.linalg.norm(corners.mean(axis=0) - expected.mean(axis=0)) < side / 2:
                    self._remember([tag_id], frame)
        return pose

    def _remember(self, twice: Iterable[int], frame: int) -> None:
        """Leave out tags that were seen twice, for some time."""
        self._twice |= {tag_id: frame + REMEMBERED for tag_id in twice if tag_id in self._layout.tags}

    def _keep(self, fit: Fit, left_out: frozenset[int], frame: int) -> ScreenPose:
        pose = ScreenPose(self._lens, fit, tuple(sorted(left_out)))
        self._before = self._last if frame == self._last_frame + 1 else None
        self._last, self._last_frame, self._turned = pose, frame, None
        return pose

    def _last_motion(self) -> Floats:
        """How the screen moved between the last two frames, as a homography of rays."""
        if self._last is None or self._before is None:
            return np.eye(3)
        motion = self._last.ray_from_screen @ self._before.screen_from_ray
        evened: Floats = motion / np.cbrt(np.linalg.det(motion))
        return evened

    def _left_out(self, frame: int) -> frozenset[int]:
        self._twice = {tag_id: until for tag_id, until in self._twice.items() if until >= frame}
        return frozenset(self._twice)

    def _guess(self, corners: Mapping[int, Corners]) -> Floats | None:
        """The homography that explains most corners, rays from screen px; None if that is no more than half of them."""
        screen = np.concatenate([self._layout.tags[tag_id] for tag_id in corners])
        rays = self._lens.rays(np.concatenate(list(corners.values())))
        is_seen = np.isfinite(rays).all(axis=1)
        screen, rays = screen[is_seen], rays[is_seen]
        if len(screen) < 4:
            return None
        first, mask = cv2.findHomography(screen, rays, cv2.RANSAC, OUTLIER_RAD)
        is_inlier = np.ravel(mask).astype(np.bool_) if first is not None else np.zeros(len(screen), np.bool_)
        for _ in range(2):  # RANSAC's own is from four corners and may have missed some that belong to it
            if 2 * is_inlier.sum() <= len(screen):
                return None
            homography = _least_squares(screen[is_inlier], rays[is_inlier])
            if homography is None:
                return None
            is_inlier = np.linalg.norm(projected(homography, screen) - rays, axis=1) < OUTLIER_RAD  # NaN is not
        return homography


def _least_squares(screen: Points, rays: Points) -> Floats | None:
    """The homography of corners; its scale makes the third coordinate positive where the tags are."""
    # Without a method the fit is least squares alone: no corner is left to chance.
    fitted, _ = cv2.findHomography(screen, rays, 0)
    if fitted is None or not np.isfinite(fitted).all() or abs(np.linalg.det(fitted)) < 1e-30:
        return None
    homography = np.asarray(fitted, np.float64) / np.linalg.norm(fitted)
    signed: Floats = homography * np.sign(np.median(screen @ homography[2, :2] + homography[2, 2]))
    return signed

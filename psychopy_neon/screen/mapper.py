"""Where the screen is in a scene frame, and with it every point of the frame on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from psychopy_neon.samples import CameraCalibration, CameraModel, GazeReason
from psychopy_neon.screen.camera import distort_points, undistort_points
from psychopy_neon.screen.coordinates import Points
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.tags import Edges, find_tags, follow_tags, meeting_points

__all__ = ["ScreenMapper", "ScreenPose"]

FOLLOWED_FRAMES = 14
"""After so many frames in which the tags were followed they are searched again: twice a second at 30 Hz."""
OUTLIER_PX = 1.5
"""A corner this far from the fitted screen, ideal px, is not where the layout says: a bent or another screen's tag."""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenPose:
    """The screen as one frame shows it."""

    tag_count: int
    """Tags that the pose rests on."""
    reprojection_px: float
    """Root mean square distance of their corners from the fitted screen, scene px."""
    duplicates: tuple[int, ...]
    """Ids that were seen more than once and left out."""
    _camera: CameraModel
    _ideal_from_screen: npt.NDArray[np.float64]
    _screen_from_ideal: npt.NDArray[np.float64]

    def screen_from_scene(self, points: Points) -> Points:
        """Scene px to screen px, shapes (n, 2); NaN where the line of sight does not meet the screen's plane."""
        ideal = undistort_points(np.asarray(points, np.float64).reshape(-1, 2), self._camera)
        return _projected(self._screen_from_ideal, ideal)

    def scene_from_screen(self, points: Points) -> Points:
        """Screen px to scene px, shapes (n, 2); NaN behind the camera."""
        ideal = _projected(self._ideal_from_screen, np.asarray(points, np.float64).reshape(-1, 2))
        return distort_points(ideal, self._camera)


class ScreenMapper:
    """Locates a screen by its tags.

    Made for the frames of one video in their order: where tags were in one frame they are looked for in the next. What
    is found there must look like its tag, so another order costs time and changes nothing else.

    Parameters
    ----------
    calibration : CameraCalibration
        Of the device (``neon.calibration``).
    layout : ScreenLayout
        Tags that are not in it are passed over.
    """

    def __init__(self, calibration: CameraCalibration, layout: ScreenLayout) -> None:
        self.layout = layout
        self.searched = 0
        """Frames that were searched as a whole; in the others tags were followed."""
        self._camera = calibration.scene
        self._last: ScreenPose | None = None
        self._followed = 0

    def locate(self, luma: npt.NDArray[np.uint8]) -> ScreenPose | GazeReason:
        """Find the screen in a luma plane, or say why it is not found.

        Parameters
        ----------
        luma
            Shape (height, width).

        Returns
        -------
        The pose; ``TAGS_LOST`` when no tag of the layout is seen, ``TOO_FEW_TAGS`` when those that are seen do not
        agree. One tag is enough, but then places far from it are coarse.

        Raises
        ------
        ConfigurationError
            ``luma`` is no plane of bytes.
        """
        pose: ScreenPose | GazeReason | None = self._follow(luma)
        if pose is None:
            pose = self._search(luma)
            self.searched += 1
            self._followed = 0
            self._last = pose if isinstance(pose, ScreenPose) else None
        return pose

    def _follow(self, luma: npt.NDArray[np.uint8]) -> ScreenPose | None:
        """The pose from the tags where the last pose has them; None when they must be searched.

        That is every few frames in any case, since only a search sees a tag that is there twice.
        """
        last = self._last
        if last is None or last.duplicates or self._followed >= FOLLOWED_FRAMES:
            return None
        ids = list(self.layout.tags)
        places = last.scene_from_screen(np.concatenate([self.layout.tags[tag_id] for tag_id in ids]))
        found = follow_tags(luma, dict(zip(ids, places.reshape(-1, 4, 2), strict=True)))
        pose = self._fit(found, ()) if found else None
        if not isinstance(pose, ScreenPose) or pose.tag_count < last.tag_count:
            return None
        self._followed += 1
        self._last = pose
        return pose

    def _search(self, luma: npt.NDArray[np.uint8]) -> ScreenPose | GazeReason:
        found = find_tags(luma)
        edges = {tag_id: edges for tag_id, edges in found.edges.items() if tag_id in self.layout.tags}
        return self._fit(edges, found.duplicates) if edges else GazeReason.TAGS_LOST

    def _fit(self, found: Mapping[int, Edges], duplicates: tuple[int, ...]) -> ScreenPose | GazeReason:
        edges = np.stack(list(found.values()))
        ideal = meeting_points(undistort_points(edges.reshape(-1, 2), self._camera).reshape(edges.shape))
        is_whole = np.isfinite(ideal).all(axis=(1, 2))
        screen = np.stack([self.layout.tags[tag_id] for tag_id in found])[is_whole].reshape(-1, 2)
        ideal = ideal[is_whole].reshape(-1, 2)
        if not len(ideal):
            return GazeReason.TOO_FEW_TAGS
        homography, is_inlier = _homography(screen, ideal)
        tag_count = int(is_inlier.reshape(-1, 4).all(axis=1).sum())
        if homography is None or not tag_count:
            return GazeReason.TOO_FEW_TAGS
        fitted = _projected(homography, screen)
        fitted, measured = distort_points(np.concatenate([fitted, ideal]), self._camera).reshape(2, -1, 2)
        away = (fitted - measured)[is_inlier]
        reprojection_px = float(np.sqrt(np.mean(np.sum(away**2, axis=1))))
        inverse = np.linalg.inv(homography).astype(np.float64)
        return ScreenPose(tag_count, reprojection_px, duplicates, self._camera, homography, inverse)


def _homography(screen: Points, ideal: Points) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.bool_]]:
    """The homography that explains most corners, by least squares over those, and which they are.

    None if it explains no more than half of them: then nobody knows which half is right.
    """
    homography, is_inlier = _least_squares(screen, ideal, np.ones(len(screen), np.bool_))
    if is_inlier.all():
        return homography, is_inlier
    first, mask = cv2.findHomography(screen, ideal, cv2.RANSAC, OUTLIER_PX)
    is_inlier = np.ravel(mask).astype(np.bool_) if first is not None else np.zeros(len(screen), np.bool_)
    for _ in range(2):  # RANSAC's own is from four corners and may have missed some that belong to it
        if 2 * is_inlier.sum() <= len(screen):
            return None, is_inlier
        homography, is_inlier = _least_squares(screen, ideal, is_inlier)
    return homography, is_inlier


def _least_squares(
    screen: Points, ideal: Points, is_used: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.bool_]]:
    """The homography of some corners, and which of all corners it explains.

    Its scale makes the third coordinate positive where the tags are, so a negative one is behind the camera.
    """
    # Without a method the fit is least squares alone: no corner is left to chance.
    fitted, _ = cv2.findHomography(screen[is_used], ideal[is_used], 0)
    if fitted is None:
        return None, np.zeros(len(screen), np.bool_)
    homography = np.asarray(fitted, np.float64)
    homography *= np.sign(np.median(screen[is_used] @ homography[2, :2] + homography[2, 2]))
    distance = np.linalg.norm(_projected(homography, screen) - ideal, axis=1)
    return homography, distance < OUTLIER_PX  # NaN, behind the camera, is not


def _projected(homography: npt.NDArray[np.float64], points: Points) -> Points:
    lifted = points @ homography[:, :2].T + homography[:, 2]
    depth = lifted[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        projected: Points = np.where(depth > 0, lifted[:, :2] / depth, np.nan)
    return projected

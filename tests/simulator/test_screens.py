import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.screens import StillScreen, open_screen, synthetic_screen


def test_the_tags_are_where_they_are_said_to_be() -> None:
    image, tags = synthetic_screen()
    assert len(tags) == 12
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, ids, _ = cv2.aruco.ArucoDetector(family).detectMarkers(image)
    found = {int(each): place[0] for each, place in zip(ids.ravel(), corners, strict=True)}
    assert set(found) == set(tags)
    for tag_id, place in tags.items():
        # The detector's corners are at pixel centres, screen px have theirs at pixel corners.
        np.testing.assert_allclose(found[tag_id] + 0.5, place, atol=1.0)


def test_a_file_is_shown(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (101, 203, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "screen.png"), image)
    screen = open_screen(str(tmp_path / "screen.png"), 30.0)
    assert screen.size_px == (202, 100), "chroma needs even sizes"
    np.testing.assert_array_equal(screen.read()[:, :, :3], image[:100, :202])
    screen.close()


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    for scene in (str(tmp_path / "text.png"), str(tmp_path / "missing.png")):
        with pytest.raises(ConfigurationError, match="scene"):
            open_screen(scene, 30.0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no DISPLAY")
def test_a_display_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(ConfigurationError, match="DISPLAY"):
        open_screen("screen", 30.0)


def test_a_still_screen_keeps_its_picture_until_another_is_shown() -> None:
    screen = StillScreen(np.zeros((10, 20), np.uint8))
    first = screen.read()
    assert screen.read() is first, "the same array tells that nothing has changed"
    screen.show(np.full((10, 20, 3), 9, np.uint8))
    assert screen.read()[0, 0, 0] == 9
    assert first[0, 0, 0] == 0
    with pytest.raises(ConfigurationError):
        screen.show(np.zeros((10, 10), np.uint8))
    with pytest.raises(ConfigurationError):
        StillScreen(np.zeros((4, 4, 2), np.uint8))

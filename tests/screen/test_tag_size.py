from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import PrintedTag, ScreenLayout, border_layout, printed_layout
from psychopy_neon.screen.tag_size import ADVISED_PX, LEAST_PX, pixels_per_module, tag_size_for
from psychopy_neon.simulator.settings import HeadPose

SIZE_PX, SCREEN_CM = (1920, 1080), (53.0, 29.8)
TABLE_ROW = re.compile(r"^\| (\d+) cm \| ([\d.]+) cm, (\d+) px \| ([\d.]+) cm, (\d+) px \| ([\d.]+) \|$", re.MULTILINE)


@pytest.mark.parametrize("distance_cm", [40.0, 60.0, 100.0])
def test_what_the_rendered_camera_sees(look, distance_cm: float) -> None:
    """The rule against the simulator's lens, which is that of a real Neon."""
    layout = ScreenLayout(SIZE_PX, {0: np.array([[910, 490], [1010, 490], [1010, 590], [910, 590]], float)})
    camera = look(np.zeros((1080, 1920, 3), np.uint8), HeadPose(distance=distance_cm / SCREEN_CM[0])).camera
    seen = camera.scene_from_screen(layout.tags[0])
    module_px = np.linalg.norm(np.roll(seen, -1, axis=0) - seen, axis=1).mean() / 8
    assert pixels_per_module(layout, SCREEN_CM, distance_cm) == pytest.approx(module_px, rel=0.03)


def test_the_smallest_tag_counts() -> None:
    layout = border_layout(SIZE_PX, tag_px=120, columns=3, rows=2)
    alone = pixels_per_module(layout, SCREEN_CM, 60)
    assert alone == pytest.approx(888 * 12 * 53 / 1920 / 60, rel=1e-3)
    assert pixels_per_module(layout, SCREEN_CM, 120) == pytest.approx(alone / 2)
    with_small = layout.joined(printed_layout(SIZE_PX, SCREEN_CM, {90: PrintedTag(-5, 10, 0.8)}))
    assert pixels_per_module(with_small, SCREEN_CM, 60) == pytest.approx(888 * 0.1 / 60, rel=1e-2)


@pytest.mark.parametrize("module_px", [LEAST_PX, ADVISED_PX])
@pytest.mark.parametrize("distance_cm", [30.0, 62.5, 150.0])
@pytest.mark.parametrize("quiet", [1, 2])
def test_the_size_is_enough_and_a_pixel_less_is_not(module_px: float, distance_cm: float, quiet: int) -> None:
    size = tag_size_for(module_px, SIZE_PX, SCREEN_CM, distance_cm, modules=8 + 2 * quiet)
    seen = [
        pixels_per_module(
            border_layout(SIZE_PX, tag_px=px, columns=2, rows=2, quiet_modules=quiet), SCREEN_CM, distance_cm
        )
        for px in (size.px, size.px - 1)
    ]
    assert seen[0] >= module_px > seen[1]
    assert size.cm == pytest.approx(size.px * 29.8 / 1080)


@pytest.mark.parametrize(("screen_cm", "distance_cm"), [((0, 30), 60), ((53, -1), 60), ((53, 30), 0)])
def test_lengths_must_be_lengths(screen_cm: tuple[float, float], distance_cm: float) -> None:
    with pytest.raises(ConfigurationError):
        pixels_per_module(border_layout(SIZE_PX), screen_cm, distance_cm)
    with pytest.raises(ConfigurationError):
        tag_size_for(5, SIZE_PX, screen_cm, distance_cm)


def test_the_table_in_the_docs_is_computed() -> None:
    rows = TABLE_ROW.findall((Path(__file__).parents[2] / "docs" / "tags.md").read_text(encoding="utf-8"))
    assert len(rows) >= 5
    for distance, advised_cm, advised_px, least_cm, least_px, default in rows:
        advised, least = (tag_size_for(px, SIZE_PX, SCREEN_CM, float(distance)) for px in (ADVISED_PX, LEAST_PX))
        assert (advised_cm, int(advised_px)) == (f"{advised.cm:.1f}", advised.px)
        assert (least_cm, int(least_px)) == (f"{least.cm:.1f}", least.px)
        assert default == f"{pixels_per_module(border_layout(SIZE_PX, tag_px=120), SCREEN_CM, float(distance)):.1f}"

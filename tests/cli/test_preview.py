"""``psychopy-neon preview`` against the simulator, and what its pictures show."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from psychopy_neon import Neon
from psychopy_neon.cli import main
from psychopy_neon.cli.layout_options import border_screen
from psychopy_neon.cli.preview_outputs import Film
from psychopy_neon.cli.preview_picture import GAZE, PreviewView, StatusLine, draw
from psychopy_neon.cli.preview_tags import SeenTags, TagWatch
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import SceneFrame
from psychopy_neon.screen.modules import tag_picture
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.screens import StillScreen

pytestmark = pytest.mark.once

COVERED = 3
LIMIT_S = 20.0
NS = 1_000_000_000
NO_GAZE = np.zeros((0, 2))
HAS_DISPLAY = sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


@pytest.fixture(scope="module")
def sim():
    """Looks at a screen one of whose tags is half covered."""
    image, tags = synthetic_screen()
    x, y = tags[COVERED][0].astype(int)
    image[y - 12 : y + 110, x - 12 : x + 60] = 120
    with SimulatedNeon(SimulatorSettings(name="Lab phone"), StillScreen(image)) as simulated:
        with Neon(simulated.address) as neon:
            neon.scene.wait(LIMIT_S)  # the first one makes the simulator ready, which may take seconds
        yield simulated


def run(*arguments: str):
    return CliRunner().invoke(main, ["preview", *arguments])


def frame_with(*ids: int, device_ns: int = 0, black: int = 20, white: int = 200) -> SceneFrame:
    """A frame with tags of 8 px a module side by side."""
    luma = np.full((300, 800), (black + white) // 2, np.uint8)
    for place, tag_id in enumerate(ids):
        picture = tag_picture(tag_id, 8)
        luma[60:140, 40 + 120 * place : 120 + 120 * place] = np.where(picture == 255, white, black)
    return SceneFrame(device_ns, device_ns, None, luma, 1, 0)


def test_json_picture_and_film(sim, tmp_path):
    png, mp4 = tmp_path / "last.png", tmp_path / "film.mp4"
    files = ("--png", str(png), "--mp4", str(mp4))
    done = run(sim.address, "--seconds", "4", "--screen", "1920x1080", "--json", *files)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["gaze_rate_hz"] > 0
    assert told["frames_drawn"] >= 2
    assert 8 <= told["tags_found_mean"] <= 11, "the covered one never"
    assert told["tags_missed_mean"] > 0
    assert told["mapped_share"] > 0
    assert 0 < told["error_px_median"] < 20
    assert told["clock_bound_ms"] > 0
    assert told["whole_searches"] >= 1
    picture = cv2.imread(str(png))
    assert picture.shape[1] == 1600
    left, top = (sim.camera.scene_from_screen([[1440, 10]])[0]).astype(int)
    red = (picture[..., 2] > 200) & (picture[..., 1] < 120) & (picture[..., 0] < 120)
    ys, xs = np.nonzero(red[:1200])
    assert abs(np.median(xs) - left) < 60, "the covered tag is the red one"
    assert abs(np.median(ys) - top) < 60
    with av.open(str(mp4)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == told["frames_drawn"]
    assert frames[0].format.name == "yuv420p"
    assert frames[-1].time - frames[0].time >= (len(frames) - 1) / 31, "the frames' own times"
    assert (frames[0].width, frames[0].height % 2) == (800, 0)


@pytest.mark.long
def test_without_a_screen_tags_are_shown_all_the_same(sim):
    done = run(sim.address, "--seconds", "3", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert 8 <= told["tags_found_mean"] <= 11
    assert told["mapped_share"] is told["error_px_median"] is told["whole_searches"] is None


@pytest.mark.long
def test_glasses_that_are_not_worn_are_told_of(sim, tmp_path):
    sim.set_worn(False)
    try:
        files = ("--png", str(tmp_path / "a.png"))
        done = run(sim.address, "--seconds", "3", "--screen", "1920x1080", "--json", *files)
    finally:
        sim.set_worn(True)
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["mapped_share"] == 0
    assert told["no_gaze_because"]["NOT_WORN"] == 1


def test_without_gaze_it_fails(sim, tmp_path):
    sim.mute("gaze")
    try:
        done = run(sim.address, "--seconds", "2", "--png", str(tmp_path / "a.png"))
    finally:
        sim.mute("gaze", False)
    assert done.exit_code == 1
    assert "no gaze came" in done.stderr


@pytest.mark.long
@pytest.mark.skipif(not HAS_DISPLAY, reason="no display: run by nox, which brings one")
def test_a_window_ends_in_time(sim):
    pytest.importorskip("tkinter")
    done = run(sim.address, "--seconds", "2", "--window", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["frames_drawn"] >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_it_names_what_works(sim, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    done = run(sim.address, "--seconds", "1")
    assert done.exit_code == 1
    assert "--png" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0"),
        ("--screen", "big"),
        ("--screen", "200x100", "--tag-size", "90"),
        ("--tag-size", "90"),
        ("--png", "no/such/folder/a.png"),
        ("--mp4", "no/such/folder/a.mp4"),
    ],
)
def test_bad_options_are_told_before_anything_is_connected(arguments):
    done = run("127.0.0.1:9", *arguments)
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr


def test_the_default_screen_is_that_of_the_stimulus():
    layout = border_screen("1920x1080", None, 5, 3, 0)
    assert layout is not None
    assert sorted(layout.tags) == list(range(12))
    np.testing.assert_allclose(layout.tags[0][0], [12, 12])
    assert border_screen(None, None, 5, 3, 0) is None


def test_a_tag_is_missed_for_some_seconds():
    watch = TagWatch(())
    assert set(watch.look(frame_with(4, 9), None).found) == {4, 9}
    later = watch.look(frame_with(9, device_ns=2 * NS), None)
    assert (set(later.found), set(later.missed)) == ({9}, {4})
    assert not watch.look(frame_with(9, device_ns=4 * NS), None).missed


@pytest.mark.parametrize(
    ("black", "white", "word"),
    [(120, 255, "over-exposed"), (10, 60, "too dark"), (150, 180, "too dark"), (20, 200, None)],
)
def test_advice_by_what_the_tags_look_like(black, white, word):
    advice = TagWatch(()).look(frame_with(0, 1, 2, black=black, white=white), None).advice
    assert word in advice if word else advice is None


def test_small_tags_are_told_of():
    advice = SeenTags({}, {}, (), 200.0, 20.0, 3.2).advice
    assert advice is not None
    assert "3.2 px" in advice


def test_the_ring_is_where_gaze_is():
    frame = frame_with(0)
    view = PreviewView(frame, SeenTags({}, {}), (600.0, 200.0), NO_GAZE, (StatusLine("one"), StatusLine("two")))
    picture = draw(view, 400)
    assert picture.shape[1] == 400
    ys, xs = np.nonzero((picture == np.array(GAZE)).all(axis=2))
    assert (xs.mean(), ys.mean()) == pytest.approx((600 / 2, 200 / 2), abs=2.5)


def test_a_clock_that_is_set_back_does_not_stop_the_film(tmp_path: Path):
    film = Film(tmp_path / "a.mp4")
    for device_ns in (5 * NS, 5 * NS + NS // 30, 2 * NS, 2 * NS + NS // 30):
        film.show(PreviewView(frame_with(1, device_ns=device_ns), SeenTags({}, {}), None, NO_GAZE, ()))
    film.close()
    film.close()
    with av.open(str(tmp_path / "a.mp4")) as made:
        times = [frame.pts for frame in made.decode(video=0)]
    assert len(times) == 4
    assert (np.diff(times) > 0).all()


def test_a_film_that_changes_its_size_is_refused(tmp_path: Path):
    film = Film(tmp_path / "a.mp4")
    other = SceneFrame(1, 1, None, np.zeros((600, 800), np.uint8), 2, 0)
    film.show(PreviewView(frame_with(1), SeenTags({}, {}), None, NO_GAZE, ()))
    with pytest.raises(ConfigurationError, match="one size"):
        film.show(PreviewView(other, SeenTags({}, {}), None, NO_GAZE, ()))
    film.close()

from __future__ import annotations

import csv

import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import GazeReason, GazeSample, PoseTiming, ScreenGaze, ScreenQuality

pytestmark = pytest.mark.once

MS = 1_000_000
QUALITY = ScreenQuality(10, 0.1, 0.4, 0.01, 0.02, False, PoseTiming.CARRIED)


def gaze_of(host_ns: int) -> ScreenGaze:
    sample = GazeSample(77, host_ns, MS, 0.0, 0.0, True, None, None, 0, host_ns)
    return ScreenGaze((30.5, 40.25), None, True, QUALITY, 0.02, sample)


@pytest.fixture
def win(open_window):
    return open_window((400, 300))


def test_each_flip_has_its_rows(psychopy, win, judge, tmp_path) -> None:
    record = psychopy.plugin_visual.GazeRecord(win)
    flips_s = []
    for number in range(3):
        record.drew("window", gaze_of(1000 * number), (5.0, 6.0), True)
        if number == 1:
            record.drew("cursor", ScreenGaze(None, GazeReason.STALE), (7.0, 8.0), True, True)
        assert len(record) == (0, 1, 3)[number], "a frame that was not shown is no row"
        win.flip()
        flips_s.append(win._frameTimes[-1])
    rows = list(record.rows())
    assert [row["tool"] for row in rows] == ["window", "window", "cursor", "window"]
    for row, flip_s in zip(rows, [flips_s[0], flips_s[1], flips_s[1], flips_s[2]], strict=True):
        assert judge.is_fair(row["flip_host_ns"], flip_s)
    first, lost = rows[0], rows[2]
    assert (first["x_px"], first["drawn_y_px"], first["is_drawn"], first["is_held"]) == (30.5, 6.0, 1, 0)
    assert first["age_at_flip_s"] == pytest.approx(first["flip_host_ns"] / 1e9)
    assert (first["pose_timing"], first["tag_count"], first["error_px"]) == ("carried", 10, 0.4)
    assert (first["sample_device_ns"], rows[1]["sample_host_ns"]) == (77, 1000)
    assert (lost["reason"], lost["x_px"], lost["age_at_flip_s"], lost["is_held"]) == ("STALE", None, None, 1)
    record.save(tmp_path / "used.csv")
    with (tmp_path / "used.csv").open(newline="") as file:
        saved = list(csv.DictReader(file))
    assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows] == saved


def test_the_summary(psychopy, win) -> None:
    record = psychopy.plugin_visual.GazeRecord(win)
    assert record.summary()["share_with_gaze"] is None
    for age_ms in range(1, 21):
        record.drew("cursor", gaze_of(0), (1.0, 1.0), True)
        win.flip()
        flip_ns = record._rows[-1][0]
        record._rows[-1] = (flip_ns, *record._rows[-1][1:3], (77, flip_ns - age_ms * MS), *record._rows[-1][4:])
    for reason in (GazeReason.STALE, GazeReason.TAGS_LOST, GazeReason.STALE, GazeReason.STALE, GazeReason.BLINK):
        record.drew("cursor", ScreenGaze(None, reason), None, False)
        win.flip()
    summary = record.summary()
    assert (summary["frames"], summary["rows"], summary["share_with_gaze"]) == (25, 25, 0.8)
    assert (summary["age_at_flip_s_median"], summary["age_at_flip_s_95_percent"]) == pytest.approx((0.010, 0.019))
    assert summary["reasons"] == {"STALE": 3, "TAGS_LOST": 1, "BLINK": 1}
    assert next(iter(summary["reasons"])) == "STALE"


def test_it_is_bounded_and_counts_what_it_drops(psychopy, win) -> None:
    record = psychopy.plugin_visual.GazeRecord(win, limit=3)
    for number in range(5):
        record.drew(f"tool {number}", gaze_of(0), None, False)
        win.flip()
    assert [row["tool"] for row in record.rows()] == ["tool 2", "tool 3", "tool 4"]
    assert (record.dropped, record.summary()["dropped"]) == (2, 2)
    with pytest.raises(ConfigurationError):
        psychopy.plugin_visual.GazeRecord(win, limit=0)


def test_a_clock_that_is_set_in_the_flip_loses_no_row(psychopy, win, judge) -> None:
    record = psychopy.plugin_visual.GazeRecord(win)
    win.callOnFlip(judge.reset)
    record.drew("cursor", gaze_of(0), None, False)
    win.flip()
    win.flip()
    assert (len(record), record.restamped) == (1, 1)


def test_a_file_that_cannot_be_written_is_told(psychopy, win, tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="can be written"):
        psychopy.plugin_visual.GazeRecord(win).save(tmp_path / "nowhere" / "used.csv")

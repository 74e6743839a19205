"""PsychoPy's own eye tracking parts with a Neon: Record, Calibrate, Validate, ROI, Marker, keyboard, file, Session."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from whole_runs import events_of, rows_of, run_whole, truth_of

pytestmark = [pytest.mark.timeout(400), pytest.mark.long]
RUN = Path(__file__).parent / "run_stock_parts.py"
LIMIT_S = 120.0
NEON, MOUSE = "psychopy_neon.EyeTracker", "eyetracker.hw.mouse.EyeTracker"
PLACE = (0.2, -0.1)
"""Of polygon and ROI, as in the script that runs them."""


def played(folder: Path, eyetracker: str) -> SimpleNamespace:
    """What a run left."""
    pytest.importorskip("tables")
    printed = run_whole(RUN, folder, eyetracker, folder=folder, limit_s=LIMIT_S)
    return SimpleNamespace(
        rows=rows_of(folder), stored=events_of(folder), truth=truth_of(folder), printed=printed, folder=folder
    )


def values(rows: list[dict[str, str]], column: str) -> list[str]:
    return [row[column] for row in rows if row.get(column)]


@pytest.fixture(scope="module")
def neon(psychopy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return played(tmp_path_factory.mktemp("neon"), NEON)


def test_record_starts_and_stops_recordings_on_the_phone(neon: SimpleNamespace) -> None:
    recordings = [each["action"] for each in neon.truth if each["kind"] == "recording"]
    assert recordings == 2 * ["START", "STOP", "SAVE"]


def test_validation_is_complete(neon: SimpleNamespace) -> None:
    (error,) = values(neon.rows, "validation.error")
    assert float(error) < 0.01  # of the window's height: the simulated wearer looks at the targets
    messages = [each["text"].decode() for each in neon.stored["MessageEvent"]]
    assert "passed: True" in messages
    assert "positions_failed_processing: 0" in messages
    assert "Validation Report Complete" in messages


def test_the_roi_is_looked_at(neon: SimpleNamespace) -> None:
    (looks,) = values(neon.rows, "trial_2.numLooks")
    assert int(looks) >= 1


def test_the_marker_is_in_file_and_recording(neon: SimpleNamespace) -> None:
    assert "marked" in [each["text"].decode() for each in neon.stored["MessageEvent"]]
    names = [each["name"] for each in neon.truth if each["kind"] == "event"]
    assert "marked" in names
    assert "passed: True" in names  # the report is in the recording, too, but not each step of the target
    assert not [name for name in names if name.startswith(("EXPAND_SIZE", "CONTRACT_SIZE", "POS_UPDATE"))]


def test_gaze_is_stored_where_it_was(neon: SimpleNamespace) -> None:
    samples = neon.stored["MonocularEyeSampleEvent"]
    last = samples[samples["status"] == 0][-100:]
    assert np.hypot(last["gaze_x"] - PLACE[0], last["gaze_y"] - PLACE[1]).max() < 0.01
    assert len(neon.stored["BinocularEyeSampleEvent"]) == len(samples)


def test_nothing_is_complained_of(neon: SimpleNamespace) -> None:
    assert set(values(neon.rows, "neon.recording")) == {"saved"}
    assert not values(neon.rows, "neon.problems")
    assert "Traceback" not in neon.printed, neon.printed


def test_the_same_with_the_mouse_by_one_menu(psychopy: SimpleNamespace, tmp_path: Path) -> None:
    mouse = played(tmp_path, MOUSE)
    assert values(mouse.rows, "trial_2.numLooks")
    assert not values(mouse.rows, "neon.recording_id")
    assert len(mouse.stored["MonocularEyeSampleEvent"])
    assert "Traceback" not in mouse.printed


def test_twice_in_a_session(psychopy: SimpleNamespace, tmp_path: Path) -> None:
    printed = run_whole(RUN, tmp_path, NEON, "session", folder=tmp_path, limit_s=LIMIT_S)
    runs = json.loads((tmp_path / "session.json").read_text())
    assert len(runs) == 2
    for rows in runs:
        assert float(values(rows, "validation.error")[0]) < 0.01
        assert set(values(rows, "neon.recording")) == {"saved"}
        assert not values(rows, "neon.problems")
    assert "Traceback" not in printed, printed

"""Demos copied out of the package: all that is needed, and nothing that was there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import psychopy_neon
from psychopy_neon.cli import demos, main
from psychopy_neon.errors import NeonError

BUILDER = ["dwell_choice", "eeg_events", "fixation_gate", "free_viewing", "moving_window", "pupil_response"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["demos", *map(str, arguments)])


def test_all_are_copied_and_it_says_what_comes_next(tmp_path: Path) -> None:
    result = run(tmp_path / "new" / "folder")
    assert result.exit_code == 0
    copied = tmp_path / "new" / "folder"
    assert sorted(path.name for path in (copied / "builder").iterdir()) == BUILDER
    for name in BUILDER:
        files = {path.name for path in (copied / "builder" / name).iterdir()}
        assert {f"{name}.psyexp", "conditions.csv"} <= files
        assert (copied / "coder" / f"{name}.py").is_file(), "each has a twin in plain Python"
    assert (copied / "coder" / "_common.py").read_bytes() == (demos.demo_folder() / "coder" / "_common.py").read_bytes()
    assert {path.suffix for path in copied.rglob("*.*")} == {".csv", ".psyexp", ".py"}
    for words in ("files were copied", "dwell_choice.psyexp", "pilot mode", "--simulate"):
        assert words in result.output


def test_one_of_them_with_what_it_needs(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", "pupil_response").exit_code == 0
    files = {str(path.relative_to(tmp_path).as_posix()) for path in tmp_path.rglob("*.*")}
    assert files == {
        "builder/pupil_response/conditions.csv",
        "builder/pupil_response/plot_pupil.py",
        "builder/pupil_response/pupil_response.psyexp",
        "coder/_common.py",
        "coder/_led.py",
        "coder/pupil_response.py",
    }


def test_what_is_there_stays_and_the_rest_comes(tmp_path: Path) -> None:
    mine = tmp_path / "builder" / "eeg_events" / "conditions.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = run(tmp_path, "--only", "eeg_events")
    assert result.exit_code == 0
    assert mine.read_text() == "mine"
    assert f"left as it is: {mine}" in result.output
    assert "4 of 5 files" in result.output
    assert (mine.parent / "eeg_events.psyexp").is_file()


def test_what_a_run_leaves_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an installed package has them, inside it."""
    package = tmp_path / "package"
    demo = package / "demos" / "builder" / "study"
    for name in ("study.psyexp", "study.py", "study_lastrun.py", "data/one.csv", "conditions.csv"):
        (demo / name).parent.mkdir(parents=True, exist_ok=True)
        (demo / name).write_text("")
    (package / "demos" / "coder").mkdir()
    (package / "demos" / "builder" / "_make").mkdir()
    monkeypatch.setattr(psychopy_neon, "__file__", str(package / "__init__.py"))
    assert run(tmp_path / "copy").exit_code == 0
    files = sorted(path.name for path in (tmp_path / "copy").rglob("*.*"))
    assert files == ["conditions.csv", "study.psyexp"]


def test_a_name_that_there_is_not_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, "--only", "_make")
    assert result.exit_code == 1
    assert "fixation_gate" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(tmp_path / "file")
    assert result.exit_code == 1
    assert "a folder" in result.stderr


def test_without_demos_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psychopy_neon, "__file__", str(tmp_path / "package" / "__init__.py"))
    with pytest.raises(NeonError, match="not installed"):
        demos.demo_folder()

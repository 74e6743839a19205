import json
import threading
from pathlib import Path

import pytest

from psychopy_neon.errors import ConfigurationError, NeonTimeoutError
from psychopy_neon.simulator.truth import TruthLog


def test_memory_and_file_agree(tmp_path: Path) -> None:
    with TruthLog(tmp_path / "truth.jsonl") as truth:
        truth.add("gaze", {"x": 1.5})
        truth.add("event", {"name": "ä"})
        lines = (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == truth.records()
    assert truth.records("event") == [{"kind": "event", "name": "ä"}]
    truth.add("event", {"name": "late"})
    assert truth.count("event") == 2


def test_waiting_has_a_limit_and_ends_when_it_is_there() -> None:
    truth = TruthLog(keep=False)
    with pytest.raises(NeonTimeoutError):
        truth.wait("gaze", timeout_s=0.01)
    threading.Timer(0.02, truth.add, ("gaze", {})).start()
    truth.wait("gaze", timeout_s=20)
    assert truth.records() == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="truth"):
        TruthLog(tmp_path / "no" / "such" / "folder")

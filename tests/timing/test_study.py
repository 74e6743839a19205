"""The study of the manual, a tenth of it: whoever changes the estimator learns what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[1] / "benchmarks" / "clock_study.py"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_tenth_of_the_study_reaches_what_is_asked() -> None:
    done = subprocess.run([sys.executable, str(STUDY), "--part", "0.1"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import HeadPose
from psychopy_neon.simulator.faults import play_faults, read_faults
from psychopy_neon.simulator.head_motion import HeadMotionSpec


class Recorder:
    """In place of a simulated Neon: keeps what is done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **fields: self.done.append((name, *args, *fields.items()))


def script(tmp_path: Path, *lines: Any) -> Path:
    path = tmp_path / "faults.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    return path


def test_a_script_is_played_in_the_order_of_its_times(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        {"t_s": 0.02, "do": "drop_streams"},
        {"t_s": 0, "do": "step_clock", "step_ns": -5},
        {"t_s": 0.01, "do": "set_head", "yaw_deg": 3, "distance": None},
        {"t_s": 0.03, "do": "slew_clock", "amount_ns": -5, "rate_ppm": 0.5},
        {"t_s": 0.04, "do": "set_drift", "drift_ppm": -40},
        {"t_s": 0.05, "do": "set_echo", "mode": "silent"},
        {"t_s": 0.06, "do": "set_head_motion", "motion": "sway,yaw_deg=20"},
        {"t_s": 0.07, "do": "blink", "seconds": 0.3},
    )
    neon = Recorder()
    asyncio.run(play_faults(read_faults(path), neon))  # type: ignore[arg-type]
    assert neon.done == [
        ("step_clock", ("step_ns", -5)),
        ("set_head", HeadPose(yaw_deg=3)),
        ("drop_streams",),
        ("slew_clock", ("amount_ns", -5), ("rate_ppm", 0.5)),
        ("set_drift", ("drift_ppm", -40)),
        ("set_echo", ("mode", "silent")),
        ("set_head_motion", HeadMotionSpec(yaw_deg=20, pitch_deg=4, roll_deg=3)),
        ("blink", ("seconds", 0.3)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        7,
        {},
        {"t_s": -1, "do": "drop_streams"},
        {"t_s": "x", "do": "drop_streams"},
        {"t_s": float("nan"), "do": "drop_streams"},
        {"t_s": 0, "do": "close"},
        {"t_s": 0, "do": ["mute"]},
        {"t_s": 0, "do": "drop_streams", "stream": "gaze"},
        {"t_s": 0, "do": "mute"},
        {"t_s": 0, "do": "mute", "stream": 3},
        {"t_s": 0, "do": "look_at", "x": 1, "y": True},
        {"t_s": 0, "do": "step_clock", "step_ns": 1.5},
        {"t_s": 0, "do": "slew_clock", "rate_ppm": 500},
        {"t_s": 0, "do": "slew_clock", "amount_ns": 5e6},
        {"t_s": 0, "do": "set_drift", "drift_ppm": "40"},
        {"t_s": 0, "do": "set_head_motion"},
        {"t_s": 0, "do": "set_head_motion", "motion": 3},
        {"t_s": 0, "do": "set_head_motion", "motion": "dance"},
        {"t_s": 0, "do": "set_echo"},
        {"t_s": 0, "do": "set_echo", "mode": None},
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: Any) -> None:
    path = script(tmp_path, {"t_s": 1, "do": "drop_streams"}, line)
    with pytest.raises(ConfigurationError, match="line 2"):
        read_faults(path)


def test_a_missing_script(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="faults"):
        read_faults(tmp_path / "missing")

from typing import Any

import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import SimulatorSettings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("gaze_bytes", 10),
        ("gaze_hz", 0),
        ("scene_fps", 1000),
        ("scene_slices", 0),
        ("loss", 1),
        ("reorder", -0.1),
        ("echo_jitter_ms", -1),
        ("echo_rounding", "ceil"),
        ("drift_ppm", 10_001),
        ("drift_ppm", float("nan")),
        ("report_interval_s", 0),
        ("imu_hz", 0),
        ("blinks_per_minute", -1),
        ("gyro_noise_dps", float("nan")),
        ("gyro_bias_dps", (0.0, 0.0)),
        ("gyro_bias_dps", (0.0, 0.0, float("inf"))),
        ("imu_misalignment_deg", (0.0, 0.0, 181.0)),
        ("imu_delay_ms", 1001),
        ("serial", "1234567"),
        ("serial", ""),
        ("model", "core"),
        ("marker", "none"),
        ("media_start", "options"),
        ("need_answers", "always"),
        ("port", 70000),
    ],
)
def test_a_value_that_cannot_be_used_is_named(setting: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SimulatorSettings(**{setting: value})
    assert caught.value.setting == setting


def test_device_ids_differ() -> None:
    ids = {SimulatorSettings(name=name, serial=serial).device_id for name in "ab" for serial in "12"}
    assert len(ids) == 4
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids)

"""Controls of the scene camera; they are kept and told, the simulated picture does not depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psychopy_neon.simulator.phone_state import Refusal

__all__ = ["CameraControl"]

_RANGES = {
    "man_exp": (50, 1000, 100),
    "gain": (0, 128, 64),
    "brightness": (-64, 64, 0),
    "contrast": (0, 95, 50),
    "gamma": (100, 300, 200),
}
_MODES = ("auto", "manual")


class CameraControl:
    """Exposure and picture settings."""

    def __init__(self) -> None:
        self._mode = _MODES[0]
        self._values = {name: start for name, (_, _, start) in _RANGES.items()}

    def get(self, name: str) -> dict[str, Any]:
        """One control's state; raises Refusal for an unknown one."""
        if name == "ae_mode":
            modes = {"allowed_values": list(_MODES), "value_type": "enum"}
            return {"control_name": name, "current_value": self._mode, **modes}
        if name not in _RANGES:
            raise Refusal(f"Unknown control: {name}")
        low, high, _ = _RANGES[name]
        limits = {"value_min": low, "value_max": high, "value_type": "int"}
        return {"control_name": name, "current_value": self._values[name], **limits}

    def set(self, values: Mapping[str, str]) -> None:
        """Set controls, all or none; raises Refusal."""
        mode, numbers = self._mode, dict(self._values)
        for name, text in values.items():
            if name == "ae_mode" and text in _MODES:
                mode = text
            elif name in _RANGES and _is_in_range(text, *_RANGES[name][:2]):
                numbers[name] = int(text)
            else:
                raise Refusal(f"{name} cannot be {text}")
        self._mode, self._values = mode, numbers


def _is_in_range(text: str, low: int, high: int) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 6 and low <= int(text) <= high

"""A script of things that go wrong: JSON lines ``{"t_s": , "do": , ...}``, carried out when their time has come.

===============  ======================================  ============================================
do               fields                                  what happens
===============  ======================================  ============================================
drop_streams                                             all RTSP connections are cut
mute             stream, is_muted (true)                 a stream falls silent, or speaks again
step_clock       step_ns                                 the phone's wall clock is set forward, or back
slew_clock       amount_ns, rate_ppm (500)               it runs faster, or slower, until that is made up
set_drift        drift_ppm                               the phone's crystal runs faster by this
set_echo         mode                                    the time echo is silent, late, foreign, short, dribble,
                                                         closed, or normal again
set_sensor       sensor, connected, stream_error         a sensor is unplugged, or plugged in
set_battery      level, state (OK)                       charge in percent
set_worn         is_worn                                 the glasses are put on or off
set_head         x, y, distance, yaw_deg, pitch_deg,     the head moves; what is not named is straight ahead
                 roll_deg
set_head_motion  motion                                  it moves as text says that ``--head-motion`` takes, too
look_at          x, y                                    the eyes rest at a place, screen px
look_freely                                              they go on as the settings say
blink            seconds (0.2)                           the eyes close for so long
refuse_start     reason (null: none)                     recordings cannot be started
fail_recording   message                                 the running recording breaks
fail_http        seconds, status (503)                   every HTTP request is answered with this status, unseen
lose_answers     count (1), is_published (true)          POSTs are carried out, but their answers are lost
cut_network      is_cut (true)                           all connections are cut and new ones refused, or no more
===============  ======================================  ============================================
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.settings import HeadPose

if TYPE_CHECKING:
    from psychopy_neon.simulator.neon import SimulatedNeon

__all__ = ["Fault", "play_faults", "read_faults"]

_OPTIONAL_NUMBER = (int, float, type(None))
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "drop_streams": {},
    "mute": {"stream": (str,), "is_muted": (bool,)},
    "step_clock": {"step_ns": (int,)},
    "slew_clock": {"amount_ns": (int,), "rate_ppm": (int, float)},
    "set_drift": {"drift_ppm": (int, float)},
    "set_echo": {"mode": (str,)},
    "set_sensor": {"sensor": (str,), "connected": (bool,), "stream_error": (bool,)},
    "set_battery": {"level": (int,), "state": (str,)},
    "set_worn": {"is_worn": (bool,)},
    "set_head": {
        name: _OPTIONAL_NUMBER if name == "distance" else (int, float)
        for name in ("x", "y", "distance", "yaw_deg", "pitch_deg", "roll_deg")
    },
    "set_head_motion": {"motion": (str,)},
    "look_at": {"x": (int, float), "y": (int, float)},
    "look_freely": {},
    "blink": {"seconds": (int, float)},
    "refuse_start": {"reason": (str, type(None))},
    "fail_recording": {"message": (str,)},
    "fail_http": {"seconds": (int, float), "status": (int,)},
    "lose_answers": {"count": (int,), "is_published": (bool,)},
    "cut_network": {"is_cut": (bool,)},
}
_NEEDED = {
    "mute": {"stream"},
    "step_clock": {"step_ns"},
    "slew_clock": {"amount_ns"},
    "set_drift": {"drift_ppm"},
    "set_echo": {"mode"},
    "set_sensor": {"sensor"},
    "set_battery": {"level"},
    "set_worn": {"is_worn"},
    "set_head_motion": {"motion"},
    "look_at": {"x", "y"},
    "refuse_start": {"reason"},
    "fail_http": {"seconds"},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a script."""

    time_s: float
    """After the simulator is ready."""
    act: str
    fields: Mapping[str, Any]


def read_faults(path: Path) -> tuple[Fault, ...]:
    """Read a script, in the order of its times.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or a line is not understood; its number is told.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("faults", str(path), f"a readable file ({error})") from error
    faults = [_read(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    return tuple(sorted(faults, key=lambda fault: fault.time_s))


async def play_faults(faults: tuple[Fault, ...], neon: SimulatedNeon) -> None:
    """Carry out a script; its time begins now."""
    begin_s = time.monotonic()
    for fault in faults:
        await asyncio.sleep(max(0.0, begin_s + fault.time_s - time.monotonic()))
        if fault.act == "set_head":
            neon.set_head(HeadPose(**fault.fields))
        elif fault.act == "set_head_motion":
            neon.set_head_motion(HeadMotionSpec.parse(fault.fields["motion"]))
        else:
            act: Callable[..., None] = getattr(neon, fault.act)
            act(**fault.fields)


def _read(line: str, where: str) -> Fault:
    try:
        fields = json.loads(line)
        time_s, act = float(fields.pop("t_s")), fields.pop("do")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError("faults", f"{where}: {line.strip()[:80]}", '{"t_s": , "do": , ...}') from error
    if not (math.isfinite(time_s) and time_s >= 0):
        raise ConfigurationError("faults", f"{where}: t_s {time_s}", "0 or more")
    if not isinstance(act, str) or act not in _FIELDS:
        raise ConfigurationError("faults", f"{where}: do {act!r}", f"one of {', '.join(_FIELDS)}")
    known, needed = _FIELDS[act], _NEEDED.get(act, set())
    if not needed <= set(fields) <= set(known):
        raise ConfigurationError(
            "faults", f"{where}: {sorted(fields)}", f"for {act}: {', '.join(known) or 'no fields'}"
        )
    for name, value in fields.items():
        # JSON's true is an int to Python, but no number here.
        if not isinstance(value, known[name]) or (isinstance(value, bool) and bool not in known[name]):
            raise ConfigurationError("faults", f"{where}: {name} {value!r}", _kinds(known[name]))
    if act == "set_head_motion":
        try:
            HeadMotionSpec.parse(fields["motion"])  # now, rather than in the middle of an experiment
        except ConfigurationError as error:
            raise ConfigurationError("faults", f"{where}: {fields['motion']!r}", f"another motion ({error})") from error
    return Fault(time_s, act, fields)


def _kinds(types: tuple[type, ...]) -> str:
    names = {bool: "true or false", str: "a text", int: "a whole number", float: "a number", type(None): "null"}
    return " or ".join(names[kind] for kind in types)

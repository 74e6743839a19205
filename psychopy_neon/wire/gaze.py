"""Gaze payloads (RTP payload type 99): big-endian, one datum per packet, the form told by its length alone.

======  ==============================================================================
bytes   fields
======  ==============================================================================
9       x, y, worn
17      left x, left y, worn, right x, right y (two monocular gazes, none combined)
25      9, then left x, left y, right x, right y
65      9, then seven floats for the left eye, seven for the right: pupil diameter mm,
        eyeball centre x y z mm, optical axis x y z
89      65, then lid top rad, lid bottom rad, aperture mm for left, then for right
105     89, then left x, left y, right x, right y
======  ==============================================================================

Floats are IEEE 754 single precision; ``worn`` is one byte, 255 for worn (any non-zero value is taken).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import EyeState, GazeDatum

__all__ = ["encode_gaze", "is_known_length", "parse_gaze"]

_GAZE = struct.Struct("!ffB")
_POINTS = struct.Struct("!4f")
_EYES = struct.Struct("!14f")
_LIDS = struct.Struct("!6f")
_SECOND_POINT = struct.Struct("!2f")

_MONOCULAR_ONLY = 17
_HAS_POINTS_AT = {25: 9, 105: 89}

_Values: TypeAlias = tuple[Any, ...]
_Eyes: TypeAlias = Callable[[_Values], tuple[EyeState, EyeState]]
# What a named tuple's own constructor calls, in half the time: three records are made for every packet.
_new = tuple.__new__


def _two_eyes(v: _Values) -> tuple[EyeState, EyeState]:
    return (
        _new(EyeState, (v[3], v[4:7], v[7:10], None, None, None, None)),
        _new(EyeState, (v[10], v[11:14], v[14:17], None, None, None, None)),
    )


def _two_eyes_with_lids(v: _Values) -> tuple[EyeState, EyeState]:
    return (
        _new(EyeState, (v[3], v[4:7], v[7:10], v[17], v[18], v[19], None)),
        _new(EyeState, (v[10], v[11:14], v[14:17], v[20], v[21], v[22], None)),
    )


def _two_eyes_with_all(v: _Values) -> tuple[EyeState, EyeState]:
    return (
        _new(EyeState, (v[3], v[4:7], v[7:10], v[17], v[18], v[19], v[23:25])),
        _new(EyeState, (v[10], v[11:14], v[14:17], v[20], v[21], v[22], v[25:27])),
    )


_FORMS: dict[int, tuple[struct.Struct, _Eyes | None]] = {
    9: (_GAZE, None),
    17: (struct.Struct("!ffB2f"), lambda v: (EyeState(gaze=(v[0], v[1])), EyeState(gaze=(v[3], v[4])))),
    25: (struct.Struct("!ffB4f"), lambda v: (EyeState(gaze=(v[3], v[4])), EyeState(gaze=(v[5], v[6])))),
    65: (struct.Struct("!ffB14f"), _two_eyes),
    89: (struct.Struct("!ffB14f6f"), _two_eyes_with_lids),
    105: (struct.Struct("!ffB14f6f4f"), _two_eyes_with_all),
}
"""For each length all its numbers, and the two eyes out of them: one table, since this runs for every packet."""


def is_known_length(length: int) -> bool:
    """Whether a payload of this length is one of the six known forms."""
    return length in _FORMS


def parse_gaze(payload: bytes, ticks: int, sequence: int) -> GazeDatum:
    """Read one gaze payload.

    A longer, unknown form is read as the largest known form that it begins with: newer apps append fields.
    The form of 17 bytes has no combined gaze; its ``x``, ``y`` is the midpoint of the two eyes' gaze.

    Raises
    ------
    RemoteProtocolError
        Fewer than 9 bytes.
    """
    form = _FORMS.get(len(payload))
    if form is None:
        known = max((length for length in _FORMS if length < len(payload)), default=0)
        if not known:
            raise RemoteProtocolError("gaze payload", "shorter than 9 bytes", payload)
        form, payload = _FORMS[known], payload[:known]
    numbers, eyes = form
    values = numbers.unpack(payload)
    x, y, worn = values[:3]
    left, right = eyes(values) if eyes is not None else (None, None)
    if len(payload) == _MONOCULAR_ONLY:
        x, y = (x + values[3]) / 2, (y + values[4]) / 2
    return _new(GazeDatum, (ticks, sequence, x, y, worn != 0, left, right))


def encode_gaze(datum: GazeDatum, length: int = 9) -> bytes:
    """Write one gaze payload of the given form.

    Raises
    ------
    LocalProtocolError
        An unknown length, or a datum without the eye fields that this form carries.
    """
    worn = 255 if datum.worn else 0
    if length == 9:
        return _GAZE.pack(datum.x, datum.y, worn)
    left, right = datum.left, datum.right
    if not is_known_length(length) or left is None or right is None:
        raise LocalProtocolError(f"a gaze payload of {length} bytes cannot be made of {datum}")
    try:
        if length == _MONOCULAR_ONLY:
            return _GAZE.pack(*left.gaze, worn) + _SECOND_POINT.pack(*right.gaze)  # type: ignore[misc]
        points = _POINTS.pack(*left.gaze, *right.gaze) if length in _HAS_POINTS_AT else b""  # type: ignore[misc]
        eyes = lids = b""
        if length >= 65:
            eyes = _EYES.pack(*_seven(left), *_seven(right))
        if length >= 89:
            lids = _LIDS.pack(*_three(left), *_three(right))
    except (TypeError, struct.error) as error:
        raise LocalProtocolError(f"a gaze payload of {length} bytes cannot be made of {datum}") from error
    return _GAZE.pack(datum.x, datum.y, worn) + eyes + lids + points


def _seven(eye: EyeState) -> tuple[float | None, ...]:
    return (eye.pupil_mm, *(eye.center_mm or (None,) * 3), *(eye.axis or (None,) * 3))


def _three(eye: EyeState) -> tuple[float | None, ...]:
    return (eye.lid_top_rad, eye.lid_bottom_rad, eye.aperture_mm)

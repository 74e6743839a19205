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
_LENGTHS = (105, 89, 65, 25, _MONOCULAR_ONLY, 9)


def is_known_length(length: int) -> bool:
    """Whether a payload of this length is one of the six known forms."""
    return length in _LENGTHS


def parse_gaze(payload: bytes, ticks: int, sequence: int) -> GazeDatum:
    """Read one gaze payload.

    A longer, unknown form is read as the largest known form that it begins with: newer apps append fields.
    The form of 17 bytes has no combined gaze; its ``x``, ``y`` is the midpoint of the two eyes' gaze.

    Raises
    ------
    RemoteProtocolError
        Fewer than 9 bytes.
    """
    for known in _LENGTHS:
        if len(payload) >= known:
            return _parse_known(payload, known, ticks, sequence)
    raise RemoteProtocolError("gaze payload", "shorter than 9 bytes", payload)


def _parse_known(payload: bytes, length: int, ticks: int, sequence: int) -> GazeDatum:
    x, y, worn = _GAZE.unpack_from(payload)
    if length == 9:
        return GazeDatum(ticks, sequence, x, y, worn != 0)
    if length == _MONOCULAR_ONLY:
        right_x, right_y = _SECOND_POINT.unpack_from(payload, 9)
        left, right = EyeState(gaze=(x, y)), EyeState(gaze=(right_x, right_y))
        return GazeDatum(ticks, sequence, (x + right_x) / 2, (y + right_y) / 2, worn != 0, left, right)
    points = _POINTS.unpack_from(payload, _HAS_POINTS_AT[length]) if length in _HAS_POINTS_AT else None
    left_gaze = (points[0], points[1]) if points else None
    right_gaze = (points[2], points[3]) if points else None
    if length == 25:
        return GazeDatum(ticks, sequence, x, y, worn != 0, EyeState(gaze=left_gaze), EyeState(gaze=right_gaze))
    eyes = _EYES.unpack_from(payload, 9)
    top, bottom, aperture, right_top, right_bottom, right_aperture = (
        _LIDS.unpack_from(payload, 65) if length >= 89 else (None,) * 6
    )
    left = EyeState(eyes[0], eyes[1:4], eyes[4:7], top, bottom, aperture, left_gaze)
    right = EyeState(eyes[7], eyes[8:11], eyes[11:14], right_top, right_bottom, right_aperture, right_gaze)
    return GazeDatum(ticks, sequence, x, y, worn != 0, left, right)


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

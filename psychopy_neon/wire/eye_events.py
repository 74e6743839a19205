"""Eye event payloads (RTP payload type 101): big-endian, one event per packet, told by the first number.

======  ====================  =====  =========================================================
type    event                 bytes  after the type (32 bits)
======  ====================  =====  =========================================================
0       saccade, finished     60     start ns, end ns (64 bits), ten numbers of single
                                     precision: start x y, end x y, mean x y, amplitude px,
                                     amplitude deg, mean and largest velocity in px/s
1       fixation, finished    60     the same
2       saccade onset         12     start ns
3       fixation onset        12     start ns
4       blink, finished       20     start ns, end ns
5       keep-alive            4      nothing that counts; phones add a time
======  ====================  =====  =========================================================

Times are on the device's clock, Unix ns; places are scene px. An event in which that clock was set back may end before
it starts.
"""

from __future__ import annotations

import struct

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import EyeEventDatum, EyeEventKind, GazeMotion

__all__ = ["encode_eye_event", "encode_keep_alive", "parse_eye_event"]

_WHERE = "eye event payload"
_TYPE = struct.Struct("!i")
_ONSET = struct.Struct("!iq")
_SPAN = struct.Struct("!iqq")
_MOTION = struct.Struct("!iqq10f")
_KEEP_ALIVE = 5

_FORMS: dict[int, tuple[EyeEventKind, struct.Struct]] = {
    0: (EyeEventKind.SACCADE, _MOTION),
    1: (EyeEventKind.FIXATION, _MOTION),
    2: (EyeEventKind.SACCADE_ONSET, _ONSET),
    3: (EyeEventKind.FIXATION_ONSET, _ONSET),
    4: (EyeEventKind.BLINK, _SPAN),
}
_TYPES = {kind: number for number, (kind, _) in _FORMS.items()}


def parse_eye_event(payload: bytes, sequence: int) -> EyeEventDatum | None:
    """Read one eye event payload; None for a keep-alive.

    Of a longer payload the known beginning is read: newer apps append fields.

    Raises
    ------
    RemoteProtocolError
        An unknown type, or fewer bytes than its type has.
    """
    if len(payload) < _TYPE.size:
        raise RemoteProtocolError(_WHERE, f"shorter than {_TYPE.size} bytes", payload)
    (number,) = _TYPE.unpack_from(payload)
    if number == _KEEP_ALIVE:
        return None
    if number not in _FORMS:
        raise RemoteProtocolError(_WHERE, f"there is no type {number}", payload)
    kind, form = _FORMS[number]
    if len(payload) < form.size:
        raise RemoteProtocolError(_WHERE, f"a {kind.value} has {form.size} bytes, not {len(payload)}", payload)
    _, start_ns, *rest = form.unpack_from(payload)
    end_ns = rest[0] if rest else None
    motion = None
    if form is _MOTION:
        x0, y0, x1, y1, x, y, *numbers = rest[1:]
        motion = GazeMotion((x0, y0), (x1, y1), (x, y), *numbers)
    return EyeEventDatum(kind, start_ns, end_ns, motion, sequence)


def encode_eye_event(datum: EyeEventDatum) -> bytes:
    """Write one eye event payload.

    Raises
    ------
    LocalProtocolError
        The event lacks a field that its kind has, or a number does not fit.
    """
    number = _TYPES[datum.kind]
    _, form = _FORMS[number]
    values: list[float | None] = [datum.start_ns]
    if form is not _ONSET:
        values.append(datum.end_ns)
    if form is _MOTION and datum.motion is not None:
        start, end, mean, *numbers = datum.motion
        values += [*start, *end, *mean, *numbers]
    try:
        return form.pack(number, *values)
    except (struct.error, OverflowError) as error:
        raise LocalProtocolError(f"an eye event payload cannot be made of {datum}: {error}") from error


def encode_keep_alive(device_ns: int) -> bytes:
    """Write what is sent so that the stream is not taken for dead while nothing happens."""
    return _ONSET.pack(_KEEP_ALIVE, device_ns)

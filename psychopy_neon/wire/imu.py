"""IMU payloads (RTP payload type 100): one protobuf message (proto3) per packet, read and written by hand.

======  =======================  ======================================================
field   wire type                meaning
======  =======================  ======================================================
1       varint, 64 bits          time on the device's clock, Unix ns
2       message                  acceleration: x 1, y 2, z 3, in multiples of gravity
3       message                  turning rate: x 1, y 2, z 3, degrees per second
4       message                  orientation, a quaternion: w 1, x 2, y 3, z 4
======  =======================  ======================================================

Numbers inside the messages are little-endian single precision (wire type 5). As protobuf has it: fields come in any
order, what is left out is zero, of what comes twice the last one counts (within messages, too), and fields or wire
types that are not in the table are passed over.

Nearly every packet of a phone has the same fields in the same places. Such a packet is known by its tags, all compared
at once, and unpacked in one go; this takes an eighth of the time of reading field by field, a hundred times a second.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import ImuDatum

__all__ = ["encode_imu", "parse_imu"]

_WHERE = "IMU payload"
_VARINT, _BYTES, _FIXED32 = 0, 2, 5
_FIXED_BYTES = {1: 8, _FIXED32: 4}
"""Lengths of the wire types that have one."""
_TIME, _ACCEL, _GYRO, _QUATERNION = 1, 2, 3, 4
_VARINT_BYTES = 10
"""64 bits in sevens."""
_MAX_UINT64 = (1 << 64) - 1
_MAX_FIELD = (1 << 29) - 1
_FLOAT = struct.Struct("<f")
# What a named tuple's own constructor calls, in half the time.
_new = tuple.__new__


@dataclass(frozen=True, slots=True)
class _Usual:
    """A packet with every field in its place; as one number, masked so that only tags and lengths are left."""

    tags: int
    mask: int
    numbers: struct.Struct

    @classmethod
    def of(cls, *messages: bytes) -> _Usual:
        """Made of the tags in each message, after a time of nine bytes: every one from 1972 to 2262 has so many."""
        tags, mask, layout = b"\x08" + b"\x80" * 8 + b"\0", b"\xff" + b"\x80" * 9, "<10x"
        for field, inner in zip((_ACCEL, _GYRO, _QUATERNION), messages, strict=True):
            tags += bytes((field << 3 | _BYTES, 5 * len(inner)))
            tags += b"".join(bytes((tag, 0, 0, 0, 0)) for tag in inner)
            mask += b"\xff\xff" + b"\xff\0\0\0\0" * len(inner)
            layout += "2x" + "xf" * len(inner)
        return cls(int.from_bytes(tags, "little"), int.from_bytes(mask, "little"), struct.Struct(layout))


_XYZ, _WXYZ = b"\x0d\x15\x1d", b"\x0d\x15\x1d\x25"
_USUAL = {form.numbers.size: form for form in (_Usual.of(_XYZ, _XYZ, _WXYZ), _Usual.of(_XYZ, _XYZ, _WXYZ + b"\x2d"))}
"""By length; phones write a fifth number of unknown meaning after the quaternion."""


def parse_imu(payload: bytes, sequence: int) -> ImuDatum:
    """Read one IMU payload.

    A packet without a time has the time 0, as protobuf has it.

    Raises
    ------
    RemoteProtocolError
        The bytes are cut, or are no protobuf message.
    """
    usual = _USUAL.get(len(payload))
    if usual is not None and int.from_bytes(payload, "little") & usual.mask == usual.tags:
        v = usual.numbers.unpack(payload)
        device_ns, _ = _varint(payload, 1, 10)
        return _new(ImuDatum, (device_ns, sequence, v[3:6], v[:3], v[6:10]))
    return _parse_fields(payload, sequence)


def _parse_fields(payload: bytes, sequence: int) -> ImuDatum:
    device_ns = 0
    messages: dict[int, dict[int, float]] = {_ACCEL: {}, _GYRO: {}, _QUATERNION: {}}
    place, end = 0, len(payload)
    while place < end:
        field, wire_type, start, place = _next_field(payload, place, end)
        if wire_type == _BYTES and field in messages:
            _read_floats(payload, start, place, messages[field])
        elif wire_type == _VARINT and field == _TIME:
            device_ns, _ = _varint(payload, start, end)
    accel, gyro, turn = (messages[field].get for field in (_ACCEL, _GYRO, _QUATERNION))
    return ImuDatum(
        device_ns,
        sequence,
        (gyro(1, 0.0), gyro(2, 0.0), gyro(3, 0.0)),
        (accel(1, 0.0), accel(2, 0.0), accel(3, 0.0)),
        (turn(1, 0.0), turn(2, 0.0), turn(3, 0.0), turn(4, 0.0)),
    )


def _read_floats(data: bytes, place: int, end: int, into: dict[int, float]) -> None:
    """Read a message's numbers of single precision; what else is in it is passed over."""
    while place < end:
        field, wire_type, start, place = _next_field(data, place, end)
        if wire_type == _FIXED32:
            into[field] = _FLOAT.unpack_from(data, start)[0]


def _next_field(data: bytes, place: int, end: int) -> tuple[int, int, int, int]:
    """Number and wire type of the field at ``place``, and where its value starts and ends."""
    tag, start = _varint(data, place, end)
    field, wire_type = tag >> 3, tag & 7
    if not 0 < field <= _MAX_FIELD:
        raise RemoteProtocolError(_WHERE, f"there is no field {field}", data, place)
    if wire_type == _VARINT:
        _, stop = _varint(data, start, end)
    elif wire_type == _BYTES:
        length, start = _varint(data, start, end)
        stop = start + length
    elif wire_type in _FIXED_BYTES:
        stop = start + _FIXED_BYTES[wire_type]
    else:  # 3 and 4 are the groups of old, which proto3 does not have
        raise RemoteProtocolError(_WHERE, f"there is no wire type {wire_type}", data, place)
    if stop > end:
        raise RemoteProtocolError(_WHERE, f"field {field} is cut", data, place)
    return field, wire_type, start, stop


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """The number at ``place``, seven bits a byte with the lowest first, and where it ends."""
    value = 0
    for shift, byte in enumerate(data[place : min(end, place + _VARINT_BYTES)]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & _MAX_UINT64, place + shift + 1
    raise RemoteProtocolError(_WHERE, "a number is cut or longer than 64 bits", data, place)


def encode_imu(datum: ImuDatum) -> bytes:
    """Write one IMU payload as protobuf's own writers do: fields in order, zeros left out.

    Raises
    ------
    LocalProtocolError
        A number that its field cannot hold.
    """
    if not 0 <= datum.device_ns <= _MAX_UINT64:
        raise LocalProtocolError(f"an IMU payload cannot be made of {datum}: the time is none of 64 bits")
    written = bytes((_TIME << 3 | _VARINT,)) + _encode_varint(datum.device_ns) if datum.device_ns else b""
    for field, values in ((_ACCEL, datum.accel_g), (_GYRO, datum.gyro_dps), (_QUATERNION, datum.quaternion)):
        try:
            packed = [_FLOAT.pack(value) for value in values]
        except (OverflowError, struct.error) as error:
            raise LocalProtocolError(f"an IMU payload cannot be made of {datum}: {error}") from error
        body = b"".join(bytes((n << 3 | _FIXED32,)) + each for n, each in enumerate(packed, 1) if any(each))
        written += bytes((field << 3 | _BYTES, len(body))) + body
    return written


def _encode_varint(value: int) -> bytes:
    sevens = bytearray()
    while value > 0x7F:
        sevens.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*sevens, value))

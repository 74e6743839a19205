"""IMU payloads: one captured from a phone, the others made by hand from the encoding rules of protobuf."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import ImuDatum
from psychopy_neon.wire.imu import encode_imu, parse_imu

REAL = bytes.fromhex(json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())["imu"]["hex"])
T = 1_760_676_790_103_992_534
ZERO = ImuDatum(0, 3, (0.0,) * 3, (0.0,) * 3, (0.0,) * 4)


def varint(value):
    """The text of the encoding guide: seven bits a byte, the lowest first, the top bit says that more follow."""
    done = b""
    while value > 127:
        done += bytes((value % 128 + 128,))
        value //= 128
    return done + bytes((value,))


def floats(*pairs):
    return b"".join(varint(number * 8 + 5) + struct.pack("<f", value) for number, value in pairs)


def message(number, body):
    return varint(number * 8 + 2) + varint(len(body)) + body


def timed(value):
    return varint(1 * 8) + varint(value)


ACCEL = message(2, floats((1, 0.5), (2, -0.25), (3, 1.0)))
GYRO = message(3, floats((1, 10.0), (2, -20.0), (3, 30.5)))
TURN = message(4, floats((1, 0.5), (2, 0.5), (3, -0.5), (4, 0.5)))
USUAL = ImuDatum(T, 3, (10.0, -20.0, 30.5), (0.5, -0.25, 1.0), (0.5, 0.5, -0.5, 0.5))


def test_packet_of_a_phone():
    datum = parse_imu(REAL, 9)
    assert (datum.device_ns, datum.sequence) == (T, 9)
    assert datum.accel_g == pytest.approx((-0.0444, 0.1445, 0.8379), abs=1e-4)
    assert datum.gyro_dps == pytest.approx((-7.444, -4.396, 5.369), abs=1e-3)
    assert datum.quaternion == pytest.approx((0.43254, 0.02348, 0.06530, 0.89894), abs=1e-5)
    assert sum(each**2 for each in datum.quaternion) == pytest.approx(1, abs=1e-6)


UNKNOWN = [
    varint(9 * 8) + varint(2**63),
    varint(200 * 8 + 1) + bytes(8),
    message(2000, b"\xff" * 40),
    varint(7 * 8 + 5) + b"abcd",
    varint(1 * 8 + 5) + b"abcd",  # the time's number, but not its wire type
    varint(2 * 8) + varint(5),
]


@pytest.mark.parametrize(
    "payload",
    [
        timed(T) + ACCEL + GYRO + TURN,
        TURN + GYRO + ACCEL + timed(T),
        timed(5) + timed(T) + ACCEL + GYRO + TURN,
        timed(T) + message(2, floats((3, 1.0), (1, 7.0), (1, 0.5), (2, -0.25))) + GYRO + TURN,
        # Of a message that comes twice the fields are merged.
        timed(T) + message(2, floats((1, 9.0), (2, -0.25))) + GYRO + TURN + message(2, floats((1, 0.5), (3, 1.0))),
        b"".join(each + part for each, part in zip(UNKNOWN, (timed(T), ACCEL, GYRO, TURN, b"", b""), strict=True)),
        timed(T) + ACCEL + GYRO + message(4, UNKNOWN[0] + TURN[2:] + UNKNOWN[2] + varint(1 * 8) + varint(3)),
        # A packed list where one number belongs is of another wire type, so unknown.
        timed(T) + ACCEL + GYRO + message(4, TURN[2:] + message(1, struct.pack("<3f", 7, 8, 9))),
        varint(8) + b"\xd6\xd1\xb1\xf3\xe4\xc6\xcb\xb7\x98\x00" + ACCEL + GYRO + TURN,  # the time with an empty byte
    ],
    ids=["usual", "reordered", "last-time", "inner-order", "merged", "unknown", "inner-unknown", "packed", "long-time"],
)
def test_whatever_protobuf_allows_means_the_same(payload):
    assert parse_imu(payload, 3) == USUAL


def test_what_is_left_out_is_zero():
    assert parse_imu(b"", 3) == ZERO
    assert parse_imu(message(3, b"") + timed(2**64 - 1), 3) == ZERO._replace(device_ns=2**64 - 1)
    assert parse_imu(message(4, floats((4, 1.0))), 3) == ZERO._replace(quaternion=(0.0, 0.0, 0.0, 1.0))


def test_every_cut_is_refused_or_ends_between_two_fields():
    whole = [len(timed(T)), *(len(timed(T)) + n for n in (17, 34))]
    for cut in range(len(REAL)):
        if cut in (0, *whole):
            assert parse_imu(REAL[:cut], 3).device_ns == (T if cut else 0)
        else:
            with pytest.raises(RemoteProtocolError):
                parse_imu(REAL[:cut], 3)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x08" + b"\xff" * 10 + b"\x01",
        b"\x00\x00",
        varint(2**29 * 8 + 5) + b"abcd",
        b"\x13\x14",
        b"\x0e",
        message(2, b"\x0b"),
        b"\x12" + varint(2**64 - 1) + b"abc",
        b"\x12\x05" + floats((1, 1.0))[:4],
        message(2, floats((1, 1.0))[:4]) + bytes(10),
        bytes([0xFF]) * 1500,
    ],
    ids=["11-bytes", "field-0", "field-too-high", "group", "type-6", "inner", "huge", "cut", "inner-cut", "noise"],
)
def test_no_protobuf(payload):
    with pytest.raises(RemoteProtocolError, match="IMU payload"):
        parse_imu(payload, 3)


@given(st.binary(max_size=120))
def test_noise_is_read_or_refused(payload):
    try:
        datum = parse_imu(payload, 3)
    except RemoteProtocolError:
        return
    assert (len(datum.gyro_dps), len(datum.accel_g), len(datum.quaternion)) == (3, 3, 4)


@given(st.binary(min_size=4, max_size=4), st.integers(0, len(REAL) - 4))
def test_a_damaged_packet_is_read_alike_in_one_go_and_field_by_field(noise, place):
    """A field that nobody knows keeps a packet from being read in one go, and changes nothing else."""
    payload = REAL[:place] + noise + REAL[place + 4 :]
    try:
        expected = parse_imu(payload + UNKNOWN[0], 3)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            parse_imu(payload, 3)
        return
    assert repr(parse_imu(payload, 3)) == repr(expected)  # nan is not equal to itself


def test_deep_nesting_is_not_followed():
    payload = b""
    while len(payload) < 60_000:
        payload = message(2, payload)
    assert parse_imu(payload, 3) == ZERO


single = st.floats(width=32, allow_nan=False)


@given(st.builds(ImuDatum, st.integers(0, 2**64 - 1), st.just(3), *(st.tuples(*[single] * n) for n in (3, 3, 4))))
def test_there_and_back(datum):
    assert parse_imu(encode_imu(datum), 3) == datum


def test_written_as_by_protobuf():
    assert encode_imu(USUAL) == timed(T) + ACCEL + GYRO + TURN
    assert encode_imu(ZERO) == message(2, b"") + message(3, b"") + message(4, b"")
    assert encode_imu(USUAL._replace(accel_g=(0.0, 0.0, -0.0))) == (
        timed(T) + message(2, floats((3, -0.0))) + GYRO + TURN
    )


@pytest.mark.parametrize(
    "fields", [{"device_ns": -1}, {"device_ns": 2**64}, {"gyro_dps": (1e39, 0.0, 0.0)}, {"accel_g": (None, 0.0, 0.0)}]
)
def test_what_does_not_fit_is_not_written(fields):
    with pytest.raises(LocalProtocolError):
        encode_imu(USUAL._replace(**fields))

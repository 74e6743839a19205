"""Eye events of all types."""

import json
import struct
from pathlib import Path

import pytest

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import EyeEventDatum, EyeEventKind, GazeMotion
from psychopy_neon.wire.eye_events import encode_eye_event, encode_keep_alive, parse_eye_event

VECTORS = {
    int(kind): bytes.fromhex(payload)
    for kind, payload in json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())[
        "eye_events"
    ].items()
}
START = 0x17979CFE362A0000
FIXED = GazeMotion(
    (800.0, 600.0), (805.0, 602.0), (802.5, 601.0), 5.5, struct.unpack("!f", b"\x3e\xcc\xcc\xcd")[0], 22.0, 60.0
)
MOVED = GazeMotion((800.0, 600.0), (1000.0, 650.0), (900.0, 625.0), 206.25, 14.5, 5156.25, 9000.0)
EXPECTED = {
    0: EyeEventDatum(EyeEventKind.SACCADE, START, START + 40_000_000, MOVED, 7),
    1: EyeEventDatum(EyeEventKind.FIXATION, START, START + 250_000_000, FIXED, 7),
    2: EyeEventDatum(EyeEventKind.SACCADE_ONSET, START, None, None, 7),
    3: EyeEventDatum(EyeEventKind.FIXATION_ONSET, START, None, None, 7),
    4: EyeEventDatum(EyeEventKind.BLINK, START, START + 150_000_000, None, 7),
}


@pytest.mark.parametrize("number", EXPECTED)
def test_vectors_in_both_directions(number):
    assert parse_eye_event(VECTORS[number], 7) == EXPECTED[number]
    assert encode_eye_event(EXPECTED[number]) == VECTORS[number]


def test_keep_alive():
    assert encode_keep_alive(START) == VECTORS[5]
    for length in range(4, 13):
        assert parse_eye_event(VECTORS[5][:length], 7) is None


@pytest.mark.parametrize("number", EXPECTED)
def test_every_cut_is_refused_and_more_bytes_are_passed_over(number):
    payload = VECTORS[number]
    for cut in range(len(payload)):
        with pytest.raises(RemoteProtocolError):
            parse_eye_event(payload[:cut], 7)
    for more in range(1, 20):
        assert parse_eye_event(payload + b"\xff" * more, 7) == EXPECTED[number]


@pytest.mark.parametrize("number", [6, -1, 2**31 - 1, -(2**31)])
def test_a_type_that_nobody_knows(number):
    with pytest.raises(RemoteProtocolError, match=f"no type {number}"):
        parse_eye_event(struct.pack("!i", number) + bytes(56), 7)


def test_a_clock_that_was_set_back_makes_an_end_before_the_start():
    event = parse_eye_event(struct.pack("!iqq", 4, START, START - 1), 7)
    assert (event.start_ns, event.end_ns) == (START, START - 1)


def test_numbers_that_are_none_are_taken_as_they_came():
    nan = struct.pack("!f", float("nan"))
    event = parse_eye_event(VECTORS[1][:20] + nan * 10, 7)
    assert event.start_ns == START
    assert event.motion.mean_velocity != event.motion.mean_velocity


@pytest.mark.parametrize("number", [0, 1, 4])
def test_an_event_without_what_its_kind_has_is_not_written(number):
    with pytest.raises(LocalProtocolError):
        encode_eye_event(EXPECTED[number]._replace(end_ns=None))
    with pytest.raises(LocalProtocolError):
        encode_eye_event(EXPECTED[0]._replace(motion=None))
    with pytest.raises(LocalProtocolError):
        encode_eye_event(EXPECTED[number]._replace(start_ns=2**63))

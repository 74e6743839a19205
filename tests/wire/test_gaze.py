"""Gaze payloads in their six lengths."""

import json
import struct
from pathlib import Path

import pytest

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import EyeState, GazeDatum
from psychopy_neon.wire.gaze import encode_gaze, is_known_length, parse_gaze

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())["gaze"]
LENGTHS = (9, 17, 25, 65, 89, 105)


def f32(value: float) -> float:
    return struct.unpack("!f", struct.pack("!f", value))[0]


LEFT_GAZE, RIGHT_GAZE = (780.5, 601.0), (815.25, 598.5)
LEFT_EYE = (3.5, (-31.0, 12.25, -26.5), (f32(0.05), f32(-0.1), f32(0.99)))
RIGHT_EYE = (3.625, (31.5, 12.0, -26.75), (f32(-0.05), f32(-0.1), f32(0.99)))
LEFT_LIDS, RIGHT_LIDS = (0.25, f32(-0.3), 9.5), (f32(0.26), f32(-0.29), 9.25)

EXPECTED = {
    9: GazeDatum(7, 3, 800.0, 600.0, True),
    17: GazeDatum(7, 3, 797.875, 599.75, True, EyeState(gaze=LEFT_GAZE), EyeState(gaze=RIGHT_GAZE)),
    25: GazeDatum(7, 3, 800.0, 600.0, True, EyeState(gaze=LEFT_GAZE), EyeState(gaze=RIGHT_GAZE)),
    65: GazeDatum(7, 3, 800.0, 600.0, True, EyeState(*LEFT_EYE), EyeState(*RIGHT_EYE)),
    89: GazeDatum(7, 3, 800.0, 600.0, True, EyeState(*LEFT_EYE, *LEFT_LIDS), EyeState(*RIGHT_EYE, *RIGHT_LIDS)),
    105: GazeDatum(
        7, 3, 800.0, 600.0, True,
        EyeState(*LEFT_EYE, *LEFT_LIDS, LEFT_GAZE), EyeState(*RIGHT_EYE, *RIGHT_LIDS, RIGHT_GAZE),
    ),
}  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
def test_vectors_in_both_directions(length):
    payload = bytes.fromhex(VECTORS[str(length)])

    assert parse_gaze(payload, 7, 3) == EXPECTED[length]
    assert encode_gaze(EXPECTED[length], length) == payload


def test_every_cut_is_read_as_the_largest_form_it_begins_with():
    payload = bytes.fromhex(VECTORS["105"])
    for cut in range(9):
        with pytest.raises(RemoteProtocolError):
            parse_gaze(payload[:cut], 0, 0)
    for cut in range(9, 130):
        longer = payload + bytes(25)
        largest = max(length for length in LENGTHS if length <= cut)
        assert parse_gaze(longer[:cut], 7, 3) == parse_gaze(longer[:largest], 7, 3)
        assert is_known_length(cut) is (cut in LENGTHS)


@pytest.mark.parametrize(("byte", "worn"), [(0, False), (1, True), (255, True)])
def test_any_non_zero_byte_means_worn(byte, worn):
    assert parse_gaze(struct.pack("!ffB", 1.0, 2.0, byte), 0, 0).worn is worn


def test_a_form_whose_fields_are_missing_cannot_be_written():
    for length in LENGTHS[1:]:
        with pytest.raises(LocalProtocolError):
            encode_gaze(EXPECTED[9], length)
    with pytest.raises(LocalProtocolError):
        encode_gaze(EXPECTED[25], 65)
    with pytest.raises(LocalProtocolError):
        encode_gaze(EXPECTED[105], 10)

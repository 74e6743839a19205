"""calibration.bin, assembled by hand from the layout."""

import struct
import zlib

import numpy as np
import pytest

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.wire.calibration import CALIBRATION_BYTES, encode_calibration, parse_calibration

SCENE = [888.411, 0, 805.098, 0, 888.359, 618.638, 0, 0, 1]
DISTORTION = [-0.130192, 0.108496, 7.663e-5, -1.986e-4, 3.540e-5, 0.169733, 0.0521931, 0.0249344]


def by_hand() -> bytes:
    body = b"\x01" + b"578846"
    body += struct.pack("<9d", *SCENE) + struct.pack("<8d", *DISTORTION) + struct.pack("<16d", *np.eye(4).ravel())
    body += struct.pack("<33d", *range(33))
    body += struct.pack("<33d", *range(100, 133))
    return body + struct.pack("<I", zlib.crc32(body))


def test_by_hand_in_both_directions():
    data = by_hand()
    calibration = parse_calibration(data)

    assert len(data) == CALIBRATION_BYTES == 803
    assert (calibration.version, calibration.serial) == (1, "578846")
    assert calibration.scene.matrix.tolist() == np.reshape(SCENE, (3, 3)).tolist()
    assert calibration.scene.distortion.tolist() == DISTORTION
    assert calibration.right.matrix[0, 0] == 0
    assert calibration.left.extrinsics[3, 3] == 132
    assert encode_calibration(calibration) == data


@pytest.mark.parametrize("position", [0, 10, 400, 798, 799, 802])
def test_one_flipped_bit_anywhere_is_found(position):
    data = bytearray(by_hand())
    data[position] ^= 0x10
    with pytest.raises(RemoteProtocolError, match="CRC"):
        parse_calibration(bytes(data))


@pytest.mark.parametrize("length", [0, 1, 802, 804, 1606])
def test_another_length_is_refused(length):
    with pytest.raises(RemoteProtocolError, match="803"):
        parse_calibration((by_hand() * 2)[:length])

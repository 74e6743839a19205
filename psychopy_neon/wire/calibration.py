"""``calibration.bin``: 803 bytes, little-endian, packed.

======  =====  =====================================================
offset  bytes  field
======  =====  =====================================================
0       1      version
1       6      module serial, ASCII
7       264    scene camera: matrix 3x3, distortion 8, extrinsics 4x4, float64
271     264    right eye camera, the same (right stands before left, unlike in gaze)
535     264    left eye camera, the same
799     4      CRC-32 of the 799 bytes before it
======  =====  =====================================================
"""

from __future__ import annotations

import zlib

import numpy as np

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.samples import CameraCalibration, CameraModel

__all__ = ["CALIBRATION_BYTES", "encode_calibration", "parse_calibration"]

_CAMERA = np.dtype([("matrix", "<f8", (3, 3)), ("distortion", "<f8", (8,)), ("extrinsics", "<f8", (4, 4))])
_LAYOUT = np.dtype(
    [("version", "u1"), ("serial", "S6"), ("scene", _CAMERA), ("right", _CAMERA), ("left", _CAMERA), ("crc", "<u4")]
)
CALIBRATION_BYTES = _LAYOUT.itemsize


def parse_calibration(data: bytes) -> CameraCalibration:
    """Read a calibration file.

    Raises
    ------
    RemoteProtocolError
        Another length than 803 bytes, or a CRC that does not match: mapping gaze with a damaged calibration would
        be wrong without a sign of it.
    """
    if len(data) != CALIBRATION_BYTES:
        raise RemoteProtocolError("calibration.bin", f"{len(data)} bytes instead of {CALIBRATION_BYTES}", data)
    record = np.frombuffer(data, _LAYOUT)[0]
    crc = zlib.crc32(data[:-4])
    if crc != record["crc"]:
        raise RemoteProtocolError("calibration.bin", f"CRC {record['crc']:#010x} instead of {crc:#010x}", data, 799)
    return CameraCalibration(
        version=int(record["version"]),
        serial=bytes(record["serial"]).decode("ascii", "replace"),
        scene=_camera(record["scene"]),
        right=_camera(record["right"]),
        left=_camera(record["left"]),
    )


def _camera(record: np.void) -> CameraModel:
    return CameraModel(*(np.array(record[name], float) for name in ("matrix", "distortion", "extrinsics")))


def encode_calibration(calibration: CameraCalibration) -> bytes:
    """Write a calibration file with its CRC."""
    serial = calibration.serial.encode("ascii", "strict")
    if len(serial) > 6:
        raise LocalProtocolError(f"a module serial has at most 6 characters, not {calibration.serial!r}")
    record = np.zeros((), _LAYOUT)
    record["version"] = calibration.version
    record["serial"] = serial
    for name in ("scene", "right", "left"):
        camera: CameraModel = getattr(calibration, name)
        record[name] = (camera.matrix, camera.distortion, camera.extrinsics)
    body = record.tobytes()[:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")

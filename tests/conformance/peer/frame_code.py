"""Reads the simulator's frame code from its description alone: nothing of the package is used on this side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 32
BITS = 32
CHECK_BITS = 8
BLOCKS = 2 + BITS + CHECK_BITS
HEIGHT_PX, WIDTH_PX = BLOCK, BLOCKS * BLOCK


def read(luma: npt.NDArray[np.uint8]) -> int | None:
    """Number of a frame, or None where its code cannot be read."""
    if luma.shape[0] < HEIGHT_PX or luma.shape[1] < WIDTH_PX:
        return None
    row = luma[BLOCK // 4 : BLOCK - BLOCK // 4].mean(axis=0)
    levels = [row[i * BLOCK + BLOCK // 4 : (i + 1) * BLOCK - BLOCK // 4].mean() for i in range(BLOCKS)]
    white, black = levels[:2]
    if white - black < 60:
        return None
    text = "".join("1" if level > (white + black) / 2 else "0" for level in levels[2:])
    number, check = int(text[:BITS], 2), int(text[BITS:], 2)
    total = 0xA5
    for byte in number.to_bytes(4, "big"):
        total = (total * 31 + byte) % 256
    return number if total == check else None


def luma_of(frame: object) -> npt.NDArray[np.uint8]:
    """Luma plane of a PyAV frame in a planar format."""
    plane = frame.planes[0]  # type: ignore[attr-defined]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]  # type: ignore[attr-defined]

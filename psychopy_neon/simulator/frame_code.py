"""The number of a frame, drawn into its top rows so that it survives the video encoder.

42 blocks of 32 x 32 px, from the left edge of the frame: one white and one black block (so that a frame without code
is not taken for one), 32 bits of the number and 8 bits of checksum, the most significant bit first, white for 1. A
block is read by the mean of its inner 16 x 16 px, so neither the encoder nor a shift of a few pixels hurts. Blocks
lie on the 16 px grid of H.264 macroblocks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CODE_HEIGHT_PX", "CODE_WIDTH_PX", "draw_frame_code", "read_frame_code"]

_BLOCK_PX = 32
_MARGIN_PX = 8
_START = (True, False)
_NUMBER_BITS = 32
_CHECK_BITS = 8
_BLACK, _WHITE = 16, 235
_BLOCKS = len(_START) + _NUMBER_BITS + _CHECK_BITS
_MIN_CONTRAST = 60

CODE_WIDTH_PX = _BLOCKS * _BLOCK_PX
CODE_HEIGHT_PX = _BLOCK_PX


def draw_frame_code(luma: npt.NDArray[np.uint8], number: int) -> None:
    """Draw a number (modulo 2**32) into a luma plane of at least ``CODE_HEIGHT_PX`` x ``CODE_WIDTH_PX``."""
    value = ((number % (1 << _NUMBER_BITS)) << _CHECK_BITS) | _checksum(number)
    bits = [value >> place & 1 for place in reversed(range(_NUMBER_BITS + _CHECK_BITS))]
    levels = [_WHITE if bit else _BLACK for bit in (*_START, *bits)]
    luma[:CODE_HEIGHT_PX, :CODE_WIDTH_PX] = np.repeat(np.array(levels, np.uint8), _BLOCK_PX)


def read_frame_code(luma: npt.NDArray[np.uint8]) -> int | None:
    """Read the number from a luma plane, or None where there is no readable code.

    Parameters
    ----------
    luma
        Shape (height, width).
    """
    if luma.ndim != 2 or luma.shape[0] < CODE_HEIGHT_PX or luma.shape[1] < CODE_WIDTH_PX:
        return None
    blocks = luma[:CODE_HEIGHT_PX, :CODE_WIDTH_PX].reshape(CODE_HEIGHT_PX, _BLOCKS, _BLOCK_PX)
    inner = slice(_MARGIN_PX, _BLOCK_PX - _MARGIN_PX)
    levels = blocks[inner, :, inner].mean(axis=(0, 2))
    white, black = levels[0], levels[1]
    if white - black < _MIN_CONTRAST:
        return None
    value = 0
    for level in levels[len(_START) :]:
        value = value << 1 | int(level > (white + black) / 2)
    number, checksum = value >> _CHECK_BITS, value & ((1 << _CHECK_BITS) - 1)
    return number if checksum == _checksum(number) else None


def _checksum(number: int) -> int:
    total = 0xA5
    for byte in (number % (1 << _NUMBER_BITS)).to_bytes(4, "big"):
        total = (total * 31 + byte) & 0xFF
    return total

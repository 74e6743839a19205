import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.simulator.frame_code import CODE_HEIGHT_PX, CODE_WIDTH_PX, draw_frame_code, read_frame_code
from psychopy_neon.simulator.scene import SceneEncoder


@given(st.integers(0, 2**32 - 1))
def test_there_and_back(number: int) -> None:
    luma = np.full((CODE_HEIGHT_PX, CODE_WIDTH_PX), 128, np.uint8)
    draw_frame_code(luma, number)
    assert read_frame_code(luma) == number


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_plain_picture_has_no_code(level: int) -> None:
    assert read_frame_code(np.full((1200, 1600), level, np.uint8)) is None


def test_a_damaged_code_is_not_read() -> None:
    luma = np.zeros((1200, 1600), np.uint8)
    draw_frame_code(luma, 12345)
    luma[:32, 320:352] = 235 - luma[0, 320]
    assert read_frame_code(luma) is None


def test_too_small_a_picture_has_no_code() -> None:
    assert read_frame_code(np.zeros((20, 1600), np.uint8)) is None


@pytest.mark.parametrize("slices", [1, 4])
def test_numbers_survive_the_encoder(slices: int) -> None:
    encoder = SceneEncoder((1600, 1200), 30.0, slices)
    decoder = av.CodecContext.create("h264", "r")
    picture = np.random.default_rng(0).integers(60, 190, (1800, 1600)).astype(np.uint8)
    numbers = [0, 1, 2**32 - 1, 0xAAAAAAAA, 77]
    read = []
    for index, number in enumerate(numbers):
        draw_frame_code(picture[:1200], number)
        nals = encoder.encode(picture, is_key=index == 0)
        assert len([nal for nal in nals if nal[0] & 0x1F in (1, 5)]) == slices
        sets = [encoder.sps, encoder.pps] if index == 0 else []
        data = b"".join(b"\0\0\0\1" + nal for nal in [*sets, *nals])
        read += decoder.decode(av.Packet(data))
    read += decoder.decode(None)
    assert [read_frame_code(frame.to_ndarray(format="gray")) for frame in read] == numbers

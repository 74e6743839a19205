"""The decoder, with small pictures that libx264 made; what they must look like says a second, plain decoder."""

import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from fakes import wait_until

from psychopy_neon.device.pipeline import TimedUnit
from psychopy_neon.device.video import QUEUE_LENGTH, SceneDecoder
from psychopy_neon.wire.h264 import AccessUnit

WIDTH, HEIGHT = 320, 240
KEYS_EVERY = 8
COUNT = 24


def encode(count=COUNT, width=WIDTH, height=HEIGHT, pixels="yuv420p"):
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.framerate, encoder.time_base = 30, Fraction(1, 30)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={KEYS_EVERY}:min-keyint={KEYS_EVERY}:scenecut=0",
    }
    packets = []
    rows, columns = np.mgrid[0:height, 0:width]
    for number in range(count):
        gray = ((rows + columns + 7 * number) % 256).astype(np.uint8)
        image = np.stack([gray, np.full_like(gray, 10 * number), gray[::-1]], axis=-1)
        frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixels)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    assert [packet.pts for packet in packets] == list(range(count))
    return [bytes(packet) for packet in packets]


def plain_decode(units):
    decoder = av.CodecContext.create("h264", "r")
    frames = []
    for data in units:
        frames += decoder.decode(av.Packet(data))
    frames += decoder.decode(None)
    return [frame.to_ndarray(format="yuv420p") for frame in frames]


@pytest.fixture(scope="module")
def units():
    return encode()


@pytest.fixture(scope="module")
def truth(units):
    return plain_decode(units)


def timed(number, data, session=1, is_damaged=False, is_key=None):
    is_key = number % KEYS_EVERY == 0 if is_key is None else is_key
    unit = AccessUnit(number * 3000, data, is_key, is_damaged, number)
    return TimedUnit(unit, 1000 + number, 600 + number, 35, 2000 + number, session)


class Film:
    """A decoder in its thread and the frames that came out."""

    def __init__(self, crew):
        self.frames = []
        self.has_frame = threading.Semaphore(0)
        self.decoder = SceneDecoder(self.take)
        self.worker = crew.start("decoder", self.decoder.run)

    def take(self, frame):
        self.frames.append(frame)
        self.has_frame.release()

    def put(self, unit):
        """Put a picture and wait until the decoder has done with it."""
        self.decoder.put(unit)
        wait_until(lambda: len(self.decoder._queue) == 0)

    @property
    def numbers(self):
        return [frame.device_ns - 1000 for frame in self.frames]

    def end(self):
        self.worker.stop.set()
        assert self.worker.join(20)


@pytest.fixture
def film(crew):
    return Film(crew)


def planes_equal(frame, truth):
    """``truth`` is I420: luma, then the quarter-size chroma planes, as rows of the full width."""
    height, width = frame.luma.shape
    luma, chroma = truth[:height], truth[height:].reshape(2, height // 2, width // 2)
    return (
        np.array_equal(frame.luma, luma) and np.array_equal(frame.u, chroma[0]) and np.array_equal(frame.v, chroma[1])
    )


def test_each_frame_comes_before_the_next_picture_goes_in(film, units, truth):
    for number, data in enumerate(units):
        film.decoder.put(timed(number, data))
        assert film.has_frame.acquire(timeout=20), f"frame {number} is kept back"
    assert film.numbers == list(range(COUNT))
    assert [frame.sequence for frame in film.frames] == list(range(1, COUNT + 1))
    assert [frame.received_ns for frame in film.frames] == [2000 + number for number in range(COUNT)]
    assert (film.decoder.dropped, film.decoder.malformed) == (0, 0)
    # Checked at the very end: the planes of old frames have survived all later decoding.
    for frame, expected in zip(film.frames, truth, strict=True):
        assert planes_equal(frame, expected)


def test_planes_outlive_the_decoder(crew, units, truth):
    film = Film(crew)
    film.put(timed(0, units[0]))
    film.end()
    (frame,) = film.frames
    luma = frame.luma
    del film
    encode(4)
    assert np.array_equal(luma, truth[0][:HEIGHT])
    assert luma.dtype == np.uint8


def test_size_that_is_no_multiple_of_sixteen(film):
    units = encode(3, 330, 250)
    expected = plain_decode(units)
    for number, data in enumerate(units):
        film.put(timed(number, data))
    wait_until(lambda: len(film.frames) == 3)
    for frame, each in zip(film.frames, expected, strict=True):
        assert np.array_equal(frame.luma, each[:250, :330])
        assert frame.u.shape == frame.v.shape == (125, 165)


def test_other_pixel_formats_become_yuv420p(film):
    units = encode(2, 64, 48, "yuv444p")
    for number, data in enumerate(units):
        film.put(timed(number, data))
    wait_until(lambda: len(film.frames) == 2)
    assert film.frames[1].luma.shape == (48, 64)
    assert film.frames[1].u.shape == (24, 32)


def test_host_time_and_bound(crew, units):
    film = Film(crew)
    film.put(timed(0, units[0]))
    (frame,) = wait_until(lambda: film.frames)
    assert (frame.host_ns, frame.bound_ns) == (600, 35)


def test_begins_with_a_key_picture(film, units):
    for number in range(3, 12):
        film.put(timed(number, units[number]))
    wait_until(lambda: len(film.frames) == 4)
    assert film.numbers == [8, 9, 10, 11]
    assert film.decoder.dropped == 5


def test_damaged_picture_and_what_follows_is_left_out(film, units, truth):
    for number, data in enumerate(units):
        film.put(timed(number, data, is_damaged=number == 3))
    wait_until(lambda: len(film.frames) == COUNT - 5)
    assert film.numbers == [0, 1, 2, *range(8, COUNT)]
    assert film.decoder.dropped == 5
    assert all(planes_equal(frame, truth[number]) for frame, number in zip(film.frames, film.numbers, strict=True))


def test_damaged_key_picture_is_left_out_too(film, units):
    for number, data in enumerate(units):
        film.put(timed(number, data, is_damaged=number == 8))
    wait_until(lambda: len(film.frames) == COUNT - 8)
    assert film.numbers == [*range(8), *range(16, COUNT)]


def test_new_session_begins_at_a_key_picture(film, units, truth):
    for number in range(6):
        film.put(timed(number, units[number]))
    for number in range(6, COUNT):
        film.put(timed(number, units[number], session=2))
    wait_until(lambda: len(film.frames) == COUNT - 2)
    assert film.numbers == [*range(6), *range(8, COUNT)]
    assert film.decoder.dropped == 2
    assert planes_equal(film.frames[6], truth[8])


@pytest.mark.parametrize("garbage", [b"\0\0\0\1\x65" + bytes(range(256)), b"no video at all", b"\0\0\0\1\x67\xff"])
def test_garbage_is_counted_and_the_next_key_picture_shown(film, units, garbage):
    for number in range(4):
        film.put(timed(number, units[number]))
    film.put(timed(4, garbage, is_key=False))
    for number in range(5, COUNT):
        film.put(timed(number, units[number]))
    wait_until(lambda: film.numbers[-1:] == [COUNT - 1])
    assert film.decoder.malformed + film.decoder.dropped >= 1
    assert film.numbers[:4] == [0, 1, 2, 3]
    assert film.numbers[-16:] == list(range(8, COUNT))
    assert 4 not in film.numbers


def test_garbage_only(film):
    for number in range(40):
        film.put(timed(number, bytes((number,)) * 200, is_key=True))
    film.end()
    assert film.frames == []
    assert film.decoder.malformed + film.decoder.dropped == 40


def test_decoder_that_is_too_slow_goes_on_with_the_next_key_picture(crew, units):
    """Nothing runs: the queue fills up."""
    frames = []
    decoder = SceneDecoder(frames.append)
    for number in range(QUEUE_LENGTH + 4):
        decoder.put(timed(number, units[number], is_key=number == 0))
    assert decoder.dropped == 4
    decoder.put(timed(16, units[16]))
    decoder.put(timed(17, units[17]))
    assert decoder.dropped == QUEUE_LENGTH + 4
    worker = crew.start("decoder", decoder.run)
    wait_until(lambda: len(frames) == 2)
    assert [frame.device_ns - 1000 for frame in frames] == [16, 17]
    worker.stop.set()


def test_stop_ends_the_wait_for_pictures(film):
    film.end()


def test_stop_ends_before_what_waits_is_decoded(crew, units):
    decoder = SceneDecoder(lambda frame: None)
    for number in range(QUEUE_LENGTH):
        decoder.put(timed(number, units[number]))
    worker = crew.start("decoder", decoder.run)
    worker.stop.set()
    assert worker.join(20)

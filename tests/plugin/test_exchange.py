"""Gaze and layouts over ioHub's remote calls: there and back, in one datagram."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.exchange import packed_gaze, packed_layout, unpacked_gaze, unpacked_layout
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.samples import EyeState, GazeReason, GazeSample, PoseTiming, ScreenGaze, ScreenQuality
from psychopy_neon.screen.layout import border_layout

DATAGRAM_BYTES = 8000
NOW_NS = 1_795_292_587_324_171_701
SAMPLE = GazeSample(NOW_NS, 58_468_481_537_491, 807_748, 805.5, 619.25, True, EyeState(3.5), None, 43413, NOW_NS)
QUALITY = ScreenQuality(12, 0.08, 0.09, 0.005, -0.002, False, PoseTiming.INTERPOLATED)


def over_the_wire(values):
    data = msgpack.packb(values)
    assert len(data) < DATAGRAM_BYTES
    return msgpack.unpackb(data)


@pytest.mark.parametrize(
    "gaze",
    [
        ScreenGaze((860.5, 460.25), None, True, QUALITY, 0.004, SAMPLE, 1),
        ScreenGaze(None, GazeReason.BLINK, age_s=0.1, sample=SAMPLE._replace(bound_ns=None)),
        ScreenGaze(None, GazeReason.NO_STREAM),
    ],
)
def test_gaze_comes_back_without_the_eyes(gaze: ScreenGaze):
    expected = gaze if gaze.sample is None else gaze._replace(sample=gaze.sample._replace(left=None, right=None))
    assert unpacked_gaze(over_the_wire(packed_gaze(gaze))) == expected


def test_numbers_of_numpy_are_no_trouble():
    gaze = ScreenGaze((np.float64(1.5), np.float64(2.5)), None, np.bool_(True))
    assert unpacked_gaze(over_the_wire(packed_gaze(gaze))).pos == (1.5, 2.5)


def test_a_layout_with_forty_tags_fits():
    layout = border_layout((3840, 2160), columns=14, rows=8)
    assert len(layout.tags) == 40
    back = unpacked_layout(over_the_wire(packed_layout(layout)))
    assert back.size_px == layout.size_px
    for tag_id, corners in layout.tags.items():
        assert np.array_equal(back.tags[tag_id], corners)
        assert np.array_equal(back.outlines[tag_id], layout.outlines[tag_id])


def test_a_layout_that_is_none_is_refused():
    with pytest.raises(ConfigurationError):
        unpacked_layout([[100, 100], []])


def test_window_facts_come_back():
    facts = WindowFacts(1920, 1080, "deg", 2.0, "lab", 53.0, 1920, 65.0)
    assert WindowFacts(*over_the_wire(list(facts))) == facts

"""Frames with the gaze of their own time."""

import contextlib
from types import SimpleNamespace

from psychopy_neon.device.matching import matched
from psychopy_neon.errors import NeonTimeoutError


class Fed:
    """A reader of which the test knows what comes; ``now`` is what ``take`` finds, ``later`` what ``wait`` gives."""

    def __init__(self, now=(), later=()):
        self.now = [SimpleNamespace(device_ns=ns) for ns in now]
        self.later = [SimpleNamespace(device_ns=ns) for ns in later]

    def take(self):
        items, self.now = self.now, []
        return items

    def wait(self, timeout_s):
        if not self.later:
            raise NeonTimeoutError("waiting", timeout_s)
        return self.later.pop(0)


def pairs(frames, gaze):
    got = []
    with contextlib.suppress(NeonTimeoutError):
        for frame, sample in matched(Fed(later=frames), gaze, 0.1):
            got.append((frame.device_ns, sample.device_ns))
        raise AssertionError("it ends with an error only")
    return got


def test_nearest_sample():
    assert pairs([100, 133], Fed(now=range(0, 200, 5))) == [(100, 100), (133, 135)]


def test_frame_waits_for_gaze_newer_than_itself():
    assert pairs([100], Fed(now=[90], later=[95, 99, 102, 107])) == [(100, 99)]


def test_gaze_that_is_late_or_gone_does_not_stop_frames():
    assert pairs([100, 200], Fed(now=[90])) == [(100, 90), (200, 90)]


def test_first_gaze_is_waited_for():
    assert pairs([100], Fed(later=[110])) == [(100, 110)]


def test_no_gaze_at_all():
    assert pairs([100], Fed()) == []


def test_gaze_far_ahead_of_old_frames():
    assert pairs([100, 110], Fed(now=[95, 105, 115, 500])) == [(100, 95), (110, 105)]

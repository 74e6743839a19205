"""The line from datagrams to eye events, fed by hand: no sockets, no threads."""

import struct

import pytest
from datagrams import Offsets, rtp

from psychopy_neon.device.media_line import Counts
from psychopy_neon.device.pipeline import EVENT_QUIET_NS, EyeEventLine
from psychopy_neon.samples import EyeEventKind
from psychopy_neon.wire.sdp import Media, RtpMap

MS = 1_000_000
S = 1000 * MS
HZ = 90_000
T0 = 1_700_000_000 * S
MEDIA = Media("application", 5006, (101,), {101: RtpMap("com.pupillabs.eye_events1", HZ)})
MOTION = (1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 8.0, 0.5, 20.0, 60.0)


def fixation(start_ms, end_ms):
    return struct.pack("!iqq10f", 1, T0 + start_ms * MS, T0 + end_ms * MS, *MOTION)


def onset(at_ms, kind=3):
    return struct.pack("!iq", kind, T0 + at_ms * MS)


def blink(start_ms, end_ms):
    return struct.pack("!iqq", 4, T0 + start_ms * MS, T0 + end_ms * MS)


class Events:
    def __init__(self, offset_ns=T0):
        self.events = []
        self.offsets = Offsets(offset_ns, 7 * MS)
        self.line = EyeEventLine(MEDIA, HZ, self.offsets, self.events.append)
        self.sequence = 0

    def send(self, payload, at_ms, sequence=None):
        self.sequence = self.sequence + 1 if sequence is None else sequence
        self.line.receive(rtp(self.sequence, 0, payload, 1, 101), at_ms * MS)


@pytest.fixture
def line():
    return Events()


def bound_at(at_ms):
    """That of the offset, which is measured at 10 s."""
    return 7 * MS + (10_000 - at_ms) * MS * 6 // 10_000


def test_finished_events_have_both_ends_and_the_larger_bound(line):
    line.send(fixation(200, 600), 650)
    line.send(blink(500, 700), 750)
    seen, closed = line.events
    assert (seen.kind, closed.kind) == (EyeEventKind.FIXATION, EyeEventKind.BLINK)
    assert (seen.start_ns, seen.end_ns) == (T0 + 200 * MS, T0 + 600 * MS)
    assert (seen.start_host_ns, seen.end_host_ns, seen.host_ns) == (200 * MS, 600 * MS, 600 * MS)
    assert seen.bound_ns == bound_at(200), "the start is farther from when the offset was measured"
    assert (seen.motion.start, seen.motion.end, seen.motion.mean) == ((1, 2), (3, 4), (2, 3))
    assert (seen.motion.amplitude_px, seen.motion.amplitude_deg) == (8, 0.5)
    assert (seen.motion.mean_velocity, seen.motion.max_velocity) == (20, 60)
    assert closed.motion is None
    assert (seen.sequence, seen.received_ns) == (1, 650 * MS)


def test_an_onset_has_no_end(line):
    line.send(onset(600, 2), 620)
    (event,) = line.events
    assert (event.kind, event.start_host_ns, event.host_ns) == (EyeEventKind.SACCADE_ONSET, 600 * MS, 600 * MS)
    assert (event.end_ns, event.end_host_ns, event.motion) == (None, None, None)
    assert event.bound_ns == bound_at(600)


def test_keep_alives_are_life_but_no_events(line):
    line.send(struct.pack("!i", 5), 10)
    line.send(struct.pack("!iq", 5, 0), 5000)
    assert line.events == []
    assert line.line.last_packet_ns == 5 * S
    assert line.line.counts == Counts(received=2)
    assert line.line.quiet_ns == EVENT_QUIET_NS > 10 * S


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0\0", struct.pack("!i", 6) + bytes(56), onset(1)[:11], fixation(1, 2)[:59], blink(1, 2)[:19]],
    ids=["empty", "two bytes", "type", "short onset", "short fixation", "short blink"],
)
def test_hostile_payloads_are_counted_and_the_stream_lives_on(line, payload):
    line.send(payload, 1)
    line.send(onset(600), 620)
    assert len(line.events) == 1
    assert line.line.counts == Counts(received=2, malformed=1)


def test_order_is_that_of_sending(line):
    line.send(onset(100), 110, 10)
    line.send(onset(300), 310, 12)
    line.send(onset(200), 311, 11)
    assert [event.start_host_ns for event in line.events] == [100 * MS, 300 * MS - 100 * MS, 300 * MS]
    line.send(onset(500), 510, 14)
    line.line.due(S)
    assert len(line.events) == 4
    assert line.line.counts == Counts(received=4, lost=1)


def test_the_end_of_a_blink_may_be_told_late(line):
    line.offsets.settled_ns = 0
    line.send(onset(900), 910)
    line.send(blink(300, 500), 920)
    assert len(line.events) == 2, "this is no step of the clock"


def test_without_an_offset_both_ends_by_the_smallest_delay_and_no_bound():
    line = Events(offset_ns=None)
    line.send(onset(100), 130)
    line.send(fixation(100, 400), 450)
    _, event = line.events
    assert (event.start_host_ns, event.end_host_ns, event.bound_ns) == (130 * MS, 430 * MS, None)


def test_times_of_any_size_do_no_harm(line):
    lowest, highest = -(2**63), 2**63 - 1
    line.send(struct.pack("!iqq", 4, lowest, highest), 1)
    line.send(struct.pack("!iq", 3, lowest), 2)
    line.send(onset(600), 620)
    line.line.due(S)
    assert [event.start_ns for event in line.events] == [lowest, lowest, T0 + 600 * MS]

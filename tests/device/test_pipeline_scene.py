"""The line from datagrams to coded pictures, fed by hand: no sockets, no threads, time is an argument."""

from datagrams import Offsets, rtp, sender_report

from psychopy_neon.device.pipeline import SceneLine
from psychopy_neon.wire.sdp import Media, RtpMap

MS = 1_000_000
S = 1000 * MS
HZ = 90_000
T0 = 1_700_000_000 * S
VIDEO = Media("video", 5006, (96,), {96: RtpMap("H264", HZ)})
SPS, PPS = b"\x67\x42\x00\x1e\xab", b"\x68\xce\x3c\x80"
KEY, DELTA = b"\x65\x88" + b"k" * 30, b"\x41\x9a" + b"d" * 30


class Scene:
    def __init__(self):
        self.units = []
        self.line = SceneLine(VIDEO, HZ, Offsets(), 3, self.units.append)
        self.line.control(sender_report(T0, 0), 0)
        self.sequence = 0
        self.now_ns = 0

    def send(self, ticks, *payloads, markers=None):
        markers = markers or [True] * len(payloads)
        for payload, marker in zip(payloads, markers, strict=True):
            self.now_ns += MS
            self.line.receive(rtp(self.sequence, ticks, payload, payload_type=96, marker=marker), self.now_ns)
            self.sequence += 1


def fragments(nal):
    """RFC 6184 section 5.8: FU-A in three pieces."""
    indicator, kind, body = nal[0] & 0xE0 | 28, nal[0] & 0x1F, nal[1:]
    cut = len(body) // 3
    pieces = body[:cut], body[cut : 2 * cut], body[2 * cut :]
    return [bytes((indicator, kind | flag)) + piece for piece, flag in zip(pieces, (0x80, 0, 0x40), strict=True)]


def test_scene_with_the_marker_on_every_nal():
    scene = Scene()
    scene.send(0, SPS, PPS, KEY)
    for n in range(1, 6):
        scene.send(n * 3000, DELTA)
    ticks = [unit.unit.ticks for unit in scene.units]
    assert ticks == [n * 3000 for n in range(len(ticks))]
    assert len(ticks) >= 5
    assert scene.units[0].unit.is_key
    assert not any(unit.unit.is_damaged for unit in scene.units)
    assert [unit.device_ns for unit in scene.units] == [T0 + round(n * S / 30) for n in range(len(ticks))]
    # Each picture arrived with its own last packet, also where only the next one's first packet completed it.
    assert [unit.received_ns for unit in scene.units] == [(3 + n) * MS for n in range(len(ticks))]
    assert {unit.session for unit in scene.units} == {3}


def test_scene_with_the_marker_on_the_last_packet_of_a_picture():
    scene = Scene()
    halves = [False, False, True]
    scene.send(0, SPS, PPS, *fragments(KEY), markers=[False, False, *halves])
    for n in range(1, 6):
        # Two slices; the second does not begin with macroblock 0.
        scene.send(n * 3000, *fragments(DELTA), b"\x41\x4a" + b"e" * 20, markers=[False, False, False, True])
    assert [unit.unit.ticks for unit in scene.units] == [n * 3000 for n in range(6)]
    assert [unit.received_ns for unit in scene.units] == [(5 + 4 * n) * MS for n in range(6)]
    assert scene.units[1].unit.data.count(b"\0\0\0\1") == 2


def test_lost_fragment_damages_its_picture():
    scene = Scene()
    scene.send(0, SPS, PPS, KEY)
    # A slice that arrives whole, then one whose middle is lost.
    first, _, last = fragments(b"\x41\x4a" + b"e" * 30)
    scene.send(3000, DELTA, first)
    scene.sequence += 1
    scene.send(3000, last)
    scene.line.due(10 * S)
    scene.send(6000, DELTA)
    scene.send(9000, DELTA)
    damaged = [unit.unit.ticks for unit in scene.units if unit.unit.is_damaged]
    assert damaged == [3000]
    assert scene.line.counts.lost == 1


def test_picture_without_a_whole_slice_damages_the_next_one():
    scene = Scene()
    scene.send(0, SPS, PPS, KEY)
    first, _, last = fragments(DELTA)
    scene.send(3000, first)
    scene.sequence += 1
    scene.send(3000, last)
    scene.line.due(10 * S)
    scene.send(6000, DELTA)
    scene.send(9000, DELTA)
    assert [unit.unit.ticks for unit in scene.units if unit.unit.is_damaged][:1] in ([3000], [6000])


def test_payloads_against_the_rules_are_counted():
    scene = Scene()
    scene.send(0, SPS, PPS, KEY)
    scene.send(3000, b"", b"\xff\xff", b"\x7c", b"\x78\0\xff1", b"\x1e123")
    scene.send(6000, DELTA)
    assert scene.line.counts.malformed >= 4


def test_parameter_sets_of_the_description_complete_a_key_picture():
    media = Media("video", 0, (96,), VIDEO.rtpmaps, {96: {"sprop-parameter-sets": "Z0IAHqs=,aM48gA=="}})
    units = []
    line = SceneLine(media, HZ, Offsets(), 1, units.append)
    line.control(sender_report(T0, 0), 0)
    for n in range(3):
        line.receive(rtp(n, n * 3000, KEY, payload_type=96, marker=True), n)
    assert units[0].unit.data == b"".join(b"\0\0\0\1" + nal for nal in (SPS, PPS, KEY))

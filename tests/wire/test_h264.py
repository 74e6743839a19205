"""H.264 in RTP: both habits of the marker, loss, hostile payloads; bytes written by hand from RFC 6184."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.wire.h264 import Depacketizer, packetize, parameter_sets_from_fmtp, split_annex_b
from psychopy_neon.wire.rtp import RtpPacket

SPS, PPS = b"\x67\x42\xc0\x28\xd9", b"\x68\xce\x0f\x20"
SEI = b"\x06\x05\x01\x00\x80"
IDR, IDR_2 = b"\x65\x88\x84\x11", b"\x65\x42\x11\x22"  # first_mb_in_slice 0, then another
P, P_2, P_3 = b"\x41\x9a\x01\x02", b"\x41\x52\x03\x04", b"\x41\x31\x05\x06"
STAP_A = b"\x78\x00\x05" + SPS + b"\x00\x04" + PPS
START = b"\0\0\0\1"


class Sender:
    """Gives packets their sequence numbers."""

    def __init__(self, first=65530):
        self.sequence = first

    def packet(self, payload, ticks, marker):
        packet = RtpPacket(96, self.sequence & 0xFFFF, ticks, 7, payload, marker)
        self.sequence += 1
        return packet

    def picture(self, ticks, *payloads, habit="every"):
        last = len(payloads) - 1
        return [self.packet(payload, ticks, habit == "every" or i == last) for i, payload in enumerate(payloads)]


def emitted_at(depacketizer, packets):
    """For each packet the ticks of the pictures that it completed."""
    return [[unit.ticks for unit in depacketizer.add(packet)] for packet in packets]


def units_of(packets):
    depacketizer = Depacketizer()
    return [unit for packet in packets for unit in depacketizer.add(packet)] + depacketizer.flush()


def test_single_nal_stap_a_and_fu_a_by_hand():
    sender = Sender()
    fragments = [b"\x7c\x85\x88", b"\x7c\x05\x84", b"\x7c\x45\x11"]  # FU-A of IDR: start, middle, end
    packets = [sender.packet(STAP_A, 0, False), *(sender.packet(f, 0, f is fragments[-1]) for f in fragments)]
    (unit,) = units_of(packets)
    assert unit.data == START + SPS + START + PPS + START + IDR
    assert (unit.ticks, unit.is_key, unit.is_damaged) == (0, True, False)
    assert unit.last_sequence == packets[-1].sequence


@pytest.mark.parametrize("slices", [(P,), (P, P_2), (P, P_2, P_3)])
@pytest.mark.parametrize("habit", ["every", "rfc"])
def test_a_picture_comes_out_with_its_last_slice_once_the_habit_is_known(habit, slices):
    sender, depacketizer = Sender(), Depacketizer()
    pictures = [sender.picture(0, STAP_A, IDR, *([IDR_2] * (len(slices) - 1)), habit=habit)]
    pictures += [sender.picture(ticks, *slices, habit=habit) for ticks in range(1, 12)]
    for packets in pictures[:4]:
        emitted_at(depacketizer, packets)
    for packets in pictures[4:]:
        emitted = emitted_at(depacketizer, packets)
        assert [] not in emitted[-1:], "not one frame late"
        assert emitted[:-1] == [[]] * (len(packets) - 1)
    assert depacketizer.early == 0


def test_a_marker_after_parameter_sets_sei_or_between_slices_ends_no_picture():
    sender, depacketizer = Sender(), Depacketizer()
    for ticks in range(10):
        packets = sender.picture(ticks, SPS, PPS, SEI, IDR, IDR_2, habit="every")
        units = [depacketizer.add(packet) for packet in packets]
        assert not any(units[1:-1])
        if ticks >= 3:
            (unit,) = units[-1]
            assert split_annex_b(unit.data) == [SPS, PPS, SEI, IDR, IDR_2]


def test_with_changing_slice_counts_and_markers_everywhere_the_next_timestamp_decides():
    sender, depacketizer = Sender(), Depacketizer()
    seen = []
    for ticks, slices in enumerate([(P,), (P, P_2), (P, P_2, P_3), (P,), (P, P_2), (P,)] * 3):
        for packet in sender.picture(ticks, *slices, habit="every"):
            seen += [(unit.ticks, len(split_annex_b(unit.data)), packet.timestamp) for unit in depacketizer.add(packet)]
    assert all(at == ticks + 1 for ticks, _, at in seen)
    assert [count for _, count, _ in seen] == ([1, 2, 3, 1, 2, 1] * 3)[:-1]
    assert depacketizer.early == 0


def test_a_slice_after_its_picture_went_out_is_counted_and_not_repeated():
    sender, depacketizer = Sender(), Depacketizer()
    for ticks in range(8):
        emitted_at(depacketizer, sender.picture(ticks, P))
    first, second = sender.picture(8, P, P_2)
    assert [unit.ticks for unit in depacketizer.add(first)] == [8]
    assert depacketizer.add(second) == []
    assert depacketizer.early == 1
    (after,) = [unit for ticks in (9, 10) for p in sender.picture(ticks, P, P_2) for unit in depacketizer.add(p)]
    assert (after.ticks, after.is_damaged) == (9, True), "it refers to a picture that lacks a slice"
    assert depacketizer.early == 1


def test_the_slice_count_of_the_rfc_habit_does_not_matter_after_one_unmarked_slice():
    sender, depacketizer = Sender(), Depacketizer()
    emitted_at(depacketizer, sender.picture(0, IDR, IDR_2, habit="rfc"))
    for ticks, slices in enumerate([(P,), (P, P_2, P_3), (P, P_2)], 1):
        assert emitted_at(depacketizer, sender.picture(ticks, *slices, habit="rfc"))[-1] == [ticks]


def fragments_of(nal, size=4):
    return [payload for payload, _ in packetize([nal], size)]


@pytest.mark.parametrize("lost", range(5))
def test_a_lost_fragment_damages_the_picture_after_it_when_its_own_is_gone(lost):
    sender = Sender()
    fragments = fragments_of(b"\x41\x9a" + bytes(range(1, 9)))
    assert len(fragments) == 5
    packets = sender.picture(0, STAP_A, IDR, IDR_2, habit="rfc")
    damaged = sender.picture(1, *fragments, habit="rfc")
    del damaged[lost]
    units = units_of([*packets, *damaged, *sender.picture(2, P, habit="rfc"), *sender.picture(3, IDR, habit="rfc")])
    states = {unit.ticks: unit.is_damaged for unit in units}
    # Of picture 1 nothing is left, so picture 2, which refers to it, tells.
    assert states == {0: False, 2: True, 3: False}


def test_parameter_sets_of_the_description_lead_a_key_picture_that_has_none():
    depacketizer = Depacketizer()
    depacketizer.set_parameter_sets(SPS, PPS)
    depacketizer.add(Sender().packet(IDR, 0, True))
    (unit,) = depacketizer.flush()
    assert split_annex_b(unit.data) == [SPS, PPS, IDR]


def test_two_pictures_with_one_timestamp_are_two():
    sender = Sender()
    units = units_of([*sender.picture(5, IDR, habit="rfc"), *sender.picture(5, P, habit="rfc")])
    assert [split_annex_b(unit.data) for unit in units] == [[IDR], [P]]


def test_a_recovery_point_is_a_place_to_begin():
    (unit,) = units_of(Sender().picture(0, b"\x06\x06\x01\xc4\x80", P))
    assert unit.is_key


@pytest.mark.parametrize(
    ("payload", "counter"),
    [
        (b"", "malformed"),
        (b"\xe5\x88", "malformed"),  # forbidden bit
        (b"\x78\x00\x09\x67", "malformed"),  # STAP-A that announces more than it has
        (b"\x78", "malformed"),
        (b"\x78\x00\x00", "malformed"),
        (b"\x7c\x85", "malformed"),  # FU-A without data
        (b"\x7c\xc5\x88", "malformed"),  # start and end at once
        (b"\x79\x00\x01", "skipped"),  # STAP-B
        (b"\x7e\x00\x01", "skipped"),  # type 30
        (b"\x60\x00", "skipped"),  # type 0
    ],
)
def test_payloads_that_break_the_rules_are_counted_and_the_stream_goes_on(payload, counter):
    sender, depacketizer = Sender(), Depacketizer()
    depacketizer.add(sender.packet(payload, 0, True))
    assert getattr(depacketizer, counter) == 1
    assert depacketizer.malformed + depacketizer.skipped == 1
    depacketizer.add(sender.packet(IDR, 1, True))
    assert [unit.ticks for unit in depacketizer.flush()] == [1]


@given(st.lists(st.tuples(st.binary(max_size=8), st.integers(0, 3), st.booleans(), st.integers(1, 3)), max_size=40))
def test_any_payloads_are_survived(packets):
    depacketizer, sequence = Depacketizer(), 0
    for payload, ticks, marker, step in packets:
        sequence = (sequence + step) & 0xFFFF
        depacketizer.add(RtpPacket(96, sequence, ticks, 7, payload, marker))
    depacketizer.flush()


@given(
    st.lists(st.binary(min_size=1, max_size=60).map(lambda body: body.replace(b"\0", b"\2")), min_size=1, max_size=6),
    st.integers(4, 70),
    st.booleans(),
)
def test_packetize_there_and_back(bodies, max_payload, aggregate):
    # Bodies without zeros: an encoder never lets a start code stand inside a NAL unit.
    types = itertools.cycle([0x67, 0x68, 0x06, 0x65])
    nals = [bytes((kind,)) + b"\x01" + body + b"\x80" for kind, body in zip(types, bodies, strict=False)]
    nals.append(b"\x65\x48\x80")  # a slice, but not the first of a picture, so all stay in one
    payloads = packetize(nals, max_payload, aggregate=aggregate)
    assert all(len(payload) <= max_payload for payload, _ in payloads)
    sender, got = Sender(), []
    for unit in units_of([sender.packet(payload, 9, ends) for payload, ends in payloads]):
        got += split_annex_b(unit.data)
    added = [nal for nal in got if nal in nals]
    assert added[-len(nals) :] == nals


def test_split_annex_b_accepts_both_start_codes_and_trailing_zeros():
    assert split_annex_b(b"\0\0\1\x67\x01\0\0\0\0\1\x68\x02\0\0\0") == [b"\x67\x01", b"\x68\x02"]
    assert split_annex_b(b"nothing") == []


def test_parameter_sets_from_fmtp():
    fmtp = {"sprop-parameter-sets": "Z0LAKNoBkAl6EAAAAwAQAAADA8jxgyo=,aM4PyA"}
    sps, pps = parameter_sets_from_fmtp(fmtp)
    assert (sps[0] & 0x1F, pps[0] & 0x1F) == (7, 8)
    assert parameter_sets_from_fmtp({"sprop-parameter-sets": "%%%,,aM4PyA=="}) == (pps,)
    assert parameter_sets_from_fmtp({}) == ()

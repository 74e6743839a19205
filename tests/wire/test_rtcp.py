"""RTCP packets, from bytes laid out by hand after RFC 3550 sections 6.4 to 6.6."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.wire.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    UnknownReport,
    ntp_from_unix_ns,
    parse_compound,
    unix_ns_from_ntp,
)

VECTOR = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())["rtcp_sr"]

BLOCK = ReportBlock(0xAABBCCDD, 25, -2, 0x00010010, 7, 0x6F804000, 65536)
CASES = {
    # V=2, RC=0, PT=200, 6 words; SSRC; NTP; RTP; packets; octets
    "sr": (
        "80c80006 aabbccdd e8fe6f80 40000000 00015f90 0000000a 0000005a",
        SenderReport(0xAABBCCDD, 0xE8FE6F8040000000, 90000, 10, 90),
    ),
    # RC=1: SSRC; block: SSRC, fraction 25, 24 bits of -2, highest, jitter, LSR, DLSR
    "rr": (
        "81c90007 00000001 aabbccdd 19 fffffe 00010010 00000007 6f804000 00010000",
        ReceiverReport(1, (BLOCK,)),
    ),
    # two chunks: CNAME "ab" fills its word and needs a whole word of nulls; CNAME "c" needs one null
    "sdes": (
        "82ca0005 00000001 0102 6162 00000000 00000002 0101 63 00",
        SourceDescription(((1, ((1, "ab"),)), (2, ((1, "c"),)))),
    ),
    "bye": ("82cb0004 00000001 00000002 04 656e64 21 000000", Goodbye((1, 2), "end!")),
    "bye without a reason": ("81cb0001 00000001", Goodbye((1,))),
    # RTPFB of RFC 4585 is not read here
    "unknown": ("81cd0002 00000001 00000002", UnknownReport(205, bytes.fromhex("0000000100000002"))),
}


@pytest.mark.parametrize(("text", "packet"), CASES.values(), ids=CASES)
def test_by_hand(text, packet):
    data = bytes.fromhex(text)

    assert parse_compound(data) == [packet]
    if not isinstance(packet, UnknownReport):
        assert bytes(packet) == data


def test_a_compound_is_split_by_its_lengths():
    parts = [bytes.fromhex(CASES[name][0]) for name in ("sr", "unknown", "bye")]

    assert parse_compound(b"".join(parts)) == [CASES[name][1] for name in ("sr", "unknown", "bye")]


def test_the_vector_ties_ticks_to_unix_time():
    (report,) = parse_compound(bytes.fromhex(VECTOR["hex"]))

    assert report.unix_ns == round(VECTOR["unix_s"] * 1000) * 1_000_000
    assert (report.rtp_timestamp, report.packet_count, report.octet_count) == (90000, 10, 90)


def test_padding_of_the_last_packet_is_taken_off():
    assert parse_compound(bytes.fromhex("a1cb0002 00000001 00000004")) == [Goodbye((1,))]


@pytest.mark.parametrize(
    "text",
    [
        "40c80006",  # version 1
        "80c8",  # header cut
        "80c80006 aabbccdd",  # longer than the datagram
        "80c80001 aabbccdd",  # SR without its fields
        "80c90000",  # RR without an SSRC
        "81c90001 00000001",  # RR that announces a block
        "81cb0000",  # BYE without its source
        "81ca0001 00000001 01",  # trailing byte is no packet
        "81ca0002 00000001 01ff6162",  # SDES item longer than the packet
        "a0cb0001 00000000",  # padding of 0 bytes
    ],
)
def test_lengths_that_lie_are_refused(text):
    with pytest.raises(RemoteProtocolError):
        parse_compound(bytes.fromhex(text))


@given(st.integers(0, 2**32 * 10**9 - 2_208_988_800 * 10**9 - 1))
def test_ntp_there_and_back_is_the_identity(unix_ns):
    assert unix_ns_from_ntp(ntp_from_unix_ns(unix_ns)) == unix_ns


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(1, 8), st.text(max_size=40)))), max_size=5
    )
)
def test_any_source_description_survives(chunks):
    packet = SourceDescription(tuple((ssrc, tuple(items)) for ssrc, items in chunks))

    assert parse_compound(bytes(packet)) == [packet]


@given(st.binary(max_size=80))
def test_hostile_bytes_raise_nothing_but_the_one_error(data):
    try:
        parse_compound(data)
    except RemoteProtocolError:
        return


def test_what_cannot_be_written_is_our_own_error():
    with pytest.raises(LocalProtocolError):
        bytes(Goodbye(tuple(range(32))))
    with pytest.raises(LocalProtocolError):
        bytes(SourceDescription(((1, ((1, "x" * 256),)),)))
    assert bytes(ReportBlock(1, cumulative_lost=2**24))[5:8] == b"\x7f\xff\xff"

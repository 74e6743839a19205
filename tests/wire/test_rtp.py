"""RTP packets, from bytes laid out by hand after RFC 3550 section 5.1."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.errors import LocalProtocolError, RemoteProtocolError
from psychopy_neon.wire.rtp import RtpPacket

VECTOR = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())["rtp"]

CASES = {
    # V=2, marker, PT 99, sequence 16, timestamp 90000, SSRC
    "plain": ("80e3 0010 00015f90 aabbccdd 0102", RtpPacket(99, 16, 90000, 0xAABBCCDD, b"\x01\x02", True)),
    # CC=2: two CSRCs
    "csrc": ("8260 ffff ffffffff 00000000 00000001 00000002 ff", RtpPacket(96, 65535, 2**32 - 1, 0, b"\xff", csrcs=(1, 2))),  # noqa: E501
    # X=1: profile bede, one word
    "extension": ("9063 0000 00000000 00000001 bede0001 10aa0000 42", RtpPacket(99, 0, 0, 1, b"B", extension=(0xBEDE, b"\x10\xaa\0\0"))),  # noqa: E501
    "empty payload": ("8060 0001 00000002 00000003", RtpPacket(96, 1, 2, 3, b"")),
}  # fmt: skip


@pytest.mark.parametrize(("text", "packet"), CASES.values(), ids=CASES)
def test_both_directions(text, packet):
    data = bytes.fromhex(text)

    assert RtpPacket.parse(data) == packet
    assert bytes(packet) == data


def test_the_vector():
    packet = RtpPacket.parse(bytes.fromhex(VECTOR["hex"]))
    fields = VECTOR["fields"]

    assert (packet.payload_type, packet.sequence, packet.timestamp) == (99, fields["sequence"], fields["timestamp"])
    assert packet.ssrc == int(fields["ssrc"], 16)
    assert packet.marker is True


def test_padding_is_taken_off_and_its_last_byte_counts_itself():
    padded = bytes.fromhex("a063 0000 00000000 00000001 4243 000003")

    assert RtpPacket.parse(padded).payload == b"BC"


@pytest.mark.parametrize(
    "text",
    [
        "4063 0000 00000000 00000001 00",  # version 1
        "a063 0000 00000000 00000001 4200",  # padding of 0 bytes
        "a063 0000 00000000 00000001 4203",  # more padding than payload
        "a063 0000 00000000 00000001",  # padding bit, no byte to hold its count
        "8f63 0000 00000000 00000001 00000001",  # 15 CSRCs announced, one there
        "9063 0000 00000000 00000001 bede0002 00000000",  # extension cut
    ],
)
def test_lengths_that_lie_are_refused(text):
    with pytest.raises(RemoteProtocolError):
        RtpPacket.parse(bytes.fromhex(text))


def test_cut_at_every_length_of_the_header():
    data = bytes.fromhex(CASES["extension"][0])
    for cut in range(20):
        with pytest.raises(RemoteProtocolError):
            RtpPacket.parse(data[:cut])
    assert RtpPacket.parse(data[:20]).payload == b""


@given(st.binary(max_size=64))
def test_hostile_bytes_raise_nothing_but_the_one_error(data):
    try:
        packet = RtpPacket.parse(data)
    except RemoteProtocolError:
        return
    assert len(packet.payload) <= len(data) - 12


def test_what_cannot_be_written_is_our_own_error():
    with pytest.raises(LocalProtocolError):
        bytes(RtpPacket(96, 0, 0, 0, b"", csrcs=tuple(range(16))))
    with pytest.raises(LocalProtocolError):
        bytes(RtpPacket(96, 0, 0, 0, b"", extension=(1, b"odd")))

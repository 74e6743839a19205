"""Packets in order, and what is counted when they are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychopy_neon.wire.reorder import Arrived, ReorderBuffer, serial_difference
from psychopy_neon.wire.rtp import RtpPacket


def packet(sequence: int, ssrc: int = 1) -> RtpPacket:
    return RtpPacket(96, sequence & 0xFFFF, 0, ssrc, b"")


def sequences(arrived: list[Arrived]) -> list[int]:
    return [each.sequence for each, _ in arrived]


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
def test_serial_difference_undoes_addition(start, step):
    assert serial_difference((start + step) & 0xFFFF, start) == step


def test_packets_in_order_come_out_at_once_over_the_wrap():
    buffer = ReorderBuffer(10)

    assert [sequences(buffer.add(packet(65534 + step), 0)) for step in range(4)] == [[65534], [65535], [0], [1]]
    assert buffer.next_due_ns() is None


def test_an_early_packet_waits_for_its_turn():
    buffer = ReorderBuffer(10)
    buffer.add(packet(1), 0)

    assert buffer.add(packet(3), 1) == []
    assert buffer.next_due_ns() == 11
    assert sequences(buffer.add(packet(2), 2)) == [2, 3]
    assert (buffer.lost, buffer.late, buffer.duplicate) == (0, 0, 0)


def test_a_gap_is_given_up_in_time_and_a_latecomer_is_late_not_lost():
    buffer = ReorderBuffer(10)
    buffer.add(packet(1), 0)
    buffer.add(packet(4), 5)

    assert buffer.due(14) == []
    assert sequences(buffer.due(15)) == [4]
    assert buffer.lost == 2
    assert buffer.add(packet(2), 16) == []
    assert (buffer.lost, buffer.late) == (1, 1)


def test_copies_are_dropped():
    buffer = ReorderBuffer(10)
    for sequence in (1, 1, 3, 3):
        buffer.add(packet(sequence), 0)

    assert buffer.duplicate == 2


def test_a_full_buffer_gives_up_the_oldest_gap():
    buffer = ReorderBuffer(10, max_packets=3)
    buffer.add(packet(0), 0)
    for sequence in (2, 3, 4):
        assert buffer.add(packet(sequence), 0) == []

    assert sequences(buffer.add(packet(5), 0)) == [2, 3, 4, 5]
    assert buffer.lost == 1


@pytest.mark.parametrize("restart", [packet(10, ssrc=2), packet(30000)])
def test_a_new_source_or_a_far_jump_begins_a_new_sequence(restart):
    buffer = ReorderBuffer(10)
    buffer.add(packet(1), 0)
    buffer.add(packet(3), 0)

    assert buffer.add(restart, 1) == [(packet(3), 0), (restart, 1)]
    assert buffer.restarts == 1
    assert sequences(buffer.add(packet(restart.sequence + 1, restart.ssrc), 2)) == [restart.sequence + 1]


@pytest.mark.parametrize("seed", range(30))
def test_any_order_within_the_window_comes_out_sorted_and_whole(seed):
    rng = random.Random(seed)
    sent = [packet(65000 + step) for step in range(1, 1200)]
    order = sorted(range(len(sent)), key=lambda index: index + rng.uniform(0, 20))
    buffer = ReorderBuffer(100)
    out = buffer.add(packet(65000), 0)
    for index in order:
        out += buffer.add(sent[index], 0)

    assert [each for each, _ in out] == [packet(65000), *sent]
    assert (buffer.lost, buffer.late, buffer.duplicate) == (0, 0, 0)


def test_numbers_are_counted_on_over_the_wrap_and_what_was_sent_over_sources():
    buffer = ReorderBuffer(10)
    for sequence in (65534, 65535, 1):
        buffer.add(packet(sequence), 0)
    buffer.due(10)

    assert (buffer.highest, buffer.expected) == (65537, 4)
    buffer.add(packet(7, ssrc=2), 20)
    assert (buffer.highest, buffer.expected) == (7, 5)


def test_a_packet_lets_those_go_that_have_waited_long_enough():
    buffer = ReorderBuffer(10)
    buffer.add(packet(1), 0)
    buffer.add(packet(3), 1)

    assert buffer.add(packet(5), 11) == [(packet(3), 1)]
    assert buffer.next_due_ns() == 21

"""H.264 in RTP (RFC 6184): packets to pictures and back.

A picture (access unit) can be handed on when its last slice is there, and the question is which one that is. RFC 6184
section 5.1 sets the marker on the last packet of the picture. The phone's library sets it on the last packet of *every*
NAL unit, so there a marker after a parameter set, or between two slices, ends nothing. :class:`Depacketizer` finds out
which of the two it hears:

- a whole slice without marker is only possible in the RFC's habit: from then on a marker ends the picture;
- a marker with more of the same timestamp after it is only possible in the other habit: then a picture ends with as
  many slices as all recent pictures had, and where they had different numbers, when the next timestamp begins.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psychopy_neon.wire.reorder import serial_difference
from psychopy_neon.wire.rtp import RtpPacket

__all__ = ["AccessUnit", "Depacketizer", "packetize", "parameter_sets_from_fmtp", "split_annex_b"]

START_CODE = b"\0\0\0\1"
MAX_UNIT_BYTES = 4 * 1024 * 1024

_SLICE, _PARTITION_A, _IDR, _SEI, _SPS, _PPS = 1, 2, 5, 6, 7, 8
_STAP_A, _FU_A = 24, 28
_SLICES = frozenset((_SLICE, _PARTITION_A, _IDR))
_RECOVERY_POINT = 6  # SEI payload type: decoding may begin here although it is no IDR picture
_LEARN_FROM = 3
_REMEMBERED = 16
_ANNEX_B = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture."""

    ticks: int
    data: bytes
    """Annex B; a key picture starts with its parameter sets."""
    is_key: bool
    """Decoding can begin here."""
    is_damaged: bool
    """Packets are missing in it, or just before it and it refers to what came before. Later pictures that refer to this
    one are not marked: what was lost stays lost until the next key picture."""
    last_sequence: int


class _Picture:
    """An access unit being put together."""

    def __init__(self, ticks: int, is_after_gap: bool) -> None:
        self.ticks = ticks
        self.nals: list[bytes] = []
        self.size = 0
        self.slices = 0
        self.is_key = False
        self.is_damaged = False
        self.is_after_gap = is_after_gap
        self.is_emitted = False
        self.is_early = False
        self.ends_with_marker = False
        self.last_sequence = 0

    @property
    def lacks_slices(self) -> bool:
        """Slices are missing although no damaged access unit has told so."""
        return self.is_early or (self.is_damaged and not self.slices)


class Depacketizer:
    """One stream's packets, in order, to access units.

    Lost packets show as holes in the sequence numbers. ``malformed`` counts packets that break RFC 6184, ``skipped``
    NAL units of types that packetization mode 1 does not have, ``early`` pictures that were handed on before a slice
    that still came.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.skipped = 0
        self.early = 0
        self._picture: _Picture | None = None
        self._fragment: bytearray | None = None
        self._sequence: int | None = None
        self._marks_pictures = False  # the RFC's habit was heard last
        self._slice_counts: deque[int] = deque(maxlen=_REMEMBERED)
        self._sets: dict[int, bytes] = {}

    def set_parameter_sets(self, *nals: bytes) -> None:
        """SPS and PPS from the session description, for key pictures that come without."""
        for nal in nals:
            if nal and nal[0] & 0x1F in (_SPS, _PPS):
                self._sets[nal[0] & 0x1F] = nal

    def add(self, packet: RtpPacket) -> list[AccessUnit]:
        """Take the next packet; the pictures that are complete now (usually none or one)."""
        units: list[AccessUnit] = []
        has_gap = self._sequence is None or serial_difference(packet.sequence, self._sequence) != 1
        self._sequence = packet.sequence
        if has_gap:
            self._drop_fragment()
            if self._picture is not None:
                self._picture.is_damaged = True
        if self._picture is None or self._picture.ticks != packet.timestamp:
            is_after_loss = self._picture is not None and self._picture.lacks_slices
            self._finish(units)
            self._picture = _Picture(packet.timestamp, has_gap or is_after_loss)
        elif self._picture.ends_with_marker:
            self._marks_pictures = False
        self._picture.ends_with_marker = False
        nals = self._unpack(packet.payload)
        for nal in nals:
            self._append(nal, units)
        self._picture.last_sequence = packet.sequence
        if nals:
            self._end_of_nal(nals[-1], packet.marker, units)
        return units

    def flush(self) -> list[AccessUnit]:
        """What is still being put together, at the end of the stream."""
        units: list[AccessUnit] = []
        self._drop_fragment()
        self._finish(units)
        return units

    # NAL units out of payloads

    def _unpack(self, payload: bytes) -> list[bytes]:
        if not payload or payload[0] & 0x80:
            self.malformed += 1
            return []
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            return self._defragment(payload)
        self._drop_fragment()
        if 1 <= kind <= 23:
            return [payload]
        if kind == _STAP_A:
            return self._disaggregate(payload)
        self.skipped += 1
        return []

    def _disaggregate(self, payload: bytes) -> list[bytes]:
        nals, place = [], 1
        while place + 2 < len(payload):
            size = int.from_bytes(payload[place : place + 2], "big")
            nal = payload[place + 2 : place + 2 + size]
            if not nal or len(nal) < size:
                break
            nals.append(nal)
            place += 2 + size
        if place != len(payload) or not nals:
            self.malformed += 1
        return nals

    def _defragment(self, payload: bytes) -> list[bytes]:
        is_start, is_end = len(payload) > 1 and bool(payload[1] & 0x80), len(payload) > 1 and bool(payload[1] & 0x40)
        if len(payload) < 3 or (is_start and is_end):
            self.malformed += 1
            self._drop_fragment()
            return []
        if is_start:
            self._drop_fragment()
            self._fragment = bytearray((payload[0] & 0xE0 | payload[1] & 0x1F,))
        if self._fragment is None:
            # Its beginning was lost; that was counted with the gap, and the picture is damaged.
            if self._picture is not None:
                self._picture.is_damaged = True
            return []
        self._fragment += payload[2:]
        if len(self._fragment) > MAX_UNIT_BYTES:
            self.malformed += 1
            self._drop_fragment()
            return []
        if not is_end:
            return []
        nal, self._fragment = bytes(self._fragment), None
        return [nal]

    def _drop_fragment(self) -> None:
        if self._fragment is not None:
            self._fragment = None
            if self._picture is not None:
                self._picture.is_damaged = True

    # Pictures out of NAL units

    def _append(self, nal: bytes, units: list[AccessUnit]) -> None:
        picture = self._picture
        assert picture is not None
        kind = nal[0] & 0x1F
        if kind in _SLICES:
            is_first_slice = len(nal) > 1 and nal[1] >= 0x80  # first_mb_in_slice is 0: Exp-Golomb code "1"
            if is_first_slice and picture.slices:
                # A second picture (or field) with the same timestamp.
                self._finish(units)
                picture = self._picture = _Picture(picture.ticks, picture.lacks_slices)
            elif not is_first_slice and not picture.slices and picture.is_after_gap:
                picture.is_damaged = True
            picture.slices += 1
            picture.is_key |= kind == _IDR
        elif kind in (_SPS, _PPS):
            self._sets[kind] = nal
        elif kind == _SEI and len(nal) > 1 and nal[1] == _RECOVERY_POINT:
            picture.is_key = True
        if picture.is_emitted:
            if kind in _SLICES and not picture.is_early:
                picture.is_early = True
                self.early += 1
            return
        picture.size += len(nal)
        if picture.size > MAX_UNIT_BYTES:
            self.malformed += 1
            picture.is_damaged = True
            return
        picture.nals.append(nal)

    def _end_of_nal(self, nal: bytes, has_marker: bool, units: list[AccessUnit]) -> None:
        picture = self._picture
        assert picture is not None
        if not has_marker:
            self._marks_pictures |= nal[0] & 0x1F in _SLICES
            return
        picture.ends_with_marker = True
        if not picture.is_emitted and (self._marks_pictures or self._has_usual_slices(picture)):
            self._emit(picture, units)

    def _has_usual_slices(self, picture: _Picture) -> bool:
        counts = self._slice_counts
        return len(counts) >= _LEARN_FROM and all(count == picture.slices for count in counts)

    def _finish(self, units: list[AccessUnit]) -> None:
        """Nothing more comes for the present picture."""
        picture = self._picture
        self._picture = None
        if picture is None:
            return
        if not picture.is_emitted:
            self._emit(picture, units)
        if picture.slices and not picture.is_damaged:
            self._slice_counts.append(picture.slices)

    def _emit(self, picture: _Picture, units: list[AccessUnit]) -> None:
        if not picture.slices:
            return
        picture.is_emitted = True
        nals = picture.nals
        if picture.is_key:
            there = {nal[0] & 0x1F for nal in nals}
            nals = [self._sets[kind] for kind in (_SPS, _PPS) if kind in self._sets and kind not in there] + nals
        data = b"".join(START_CODE + nal for nal in nals)
        is_damaged = picture.is_damaged or (picture.is_after_gap and not picture.is_key)
        units.append(AccessUnit(picture.ticks, data, picture.is_key, is_damaged, picture.last_sequence))


def packetize(nals: Sequence[bytes], max_payload: int = 1260, *, aggregate: bool = True) -> list[tuple[bytes, bool]]:
    """NAL units of one picture to RTP payloads.

    Parameters
    ----------
    nals
        Without start codes.
    max_payload
        Bytes; a longer NAL unit is cut into FU-A.
    aggregate
        Whether neighbouring parameter sets travel together in a STAP-A.

    Returns
    -------
    Payloads, each with whether it ends a NAL unit.
    """
    payloads: list[tuple[bytes, bool]] = []
    sets: list[bytes] = []
    for nal in nals:
        if (
            aggregate
            and nal[0] & 0x1F in (_SPS, _PPS)
            and 1 + sum(len(each) + 2 for each in [*sets, nal]) <= max_payload
        ):
            sets.append(nal)
            continue
        payloads += _aggregated(sets) + _fragmented(nal, max_payload)
        sets = []
    return payloads + _aggregated(sets)


def _aggregated(sets: list[bytes]) -> list[tuple[bytes, bool]]:
    if len(sets) < 2:
        return [(nal, True) for nal in sets]
    # The header takes the highest importance of what is inside (RFC 6184 section 5.7).
    header = max(nal[0] & 0x60 for nal in sets) | _STAP_A
    return [(bytes((header,)) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in sets), True)]


def _fragmented(nal: bytes, max_payload: int) -> list[tuple[bytes, bool]]:
    if len(nal) <= max_payload:
        return [(nal, True)]
    indicator, kind, step = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F, max_payload - 2
    payloads = []
    for start in range(1, len(nal), step):
        is_last = start + step >= len(nal)
        header = (0x80 if start == 1 else 0) | (0x40 if is_last else 0) | kind
        payloads.append((bytes((indicator, header)) + nal[start : start + step], is_last))
    return payloads


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of a byte stream, without start codes and the zeros that may stand around them (H.264 annex B)."""
    return [nal for piece in _ANNEX_B.split(data)[1:] if (nal := piece.rstrip(b"\0"))]


def parameter_sets_from_fmtp(fmtp: Mapping[str, str]) -> tuple[bytes, ...]:
    """NAL units of ``sprop-parameter-sets`` (RFC 6184 section 8.1); what is no base64 is left out."""
    nals = []
    for text in fmtp.get("sprop-parameter-sets", "").split(","):
        try:
            nal = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
        except binascii.Error:
            continue
        if nal:
            nals.append(nal)
    return tuple(nals)

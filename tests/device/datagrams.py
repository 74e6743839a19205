"""RTP and RTCP datagrams made by hand from the text of the RFC: no code is shared with either end."""

import struct

from psychopy_neon.timing.offset import ClockOffset


def rtp(sequence, ticks, payload, ssrc=0x11223344, payload_type=99, marker=False):
    """RFC 3550 section 5.1: V=2, no padding, extension or CSRC."""
    second = payload_type | (0x80 if marker else 0)
    return struct.pack("!BBHII", 0x80, second, sequence & 0xFFFF, ticks & 0xFFFFFFFF, ssrc) + payload


def sender_report(unix_ns, ticks, ssrc=0x11223344):
    """RFC 3550 section 6.4.1, without report blocks; NTP counts from 1900, 70 years with 17 leap days before 1970."""
    seconds, rest_ns = divmod(unix_ns, 10**9)
    ntp_seconds = seconds + (70 * 365 + 17) * 86400
    # Rounded up, so that a reader who cuts finds the same nanosecond.
    fraction = -(-(rest_ns << 32) // 10**9)
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, ntp_seconds, fraction, ticks & 0xFFFFFFFF, 0, 0)


class Offsets:
    """A device's clock that knows one offset, or none, since 10 s."""

    def __init__(self, offset_ns=None, bound_ns=0):
        self.newest = None
        if offset_ns is not None:
            self.newest = ClockOffset(offset_ns, bound_ns, 0.0, 0.0, 10**10, 1, 0)
        self.settled_ns = None

    def segment_of(self, device_ns, seen_ns):
        return self.newest.segment

    def last_offset(self, segment):
        return self.newest


def gaze(x, y=0.0, worn=255):
    return struct.pack("!ffB", x, y, worn)

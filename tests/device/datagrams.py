"""RTP and RTCP datagrams made by hand from the text of the RFC: no code is shared with either end."""

import struct


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


def gaze(x, y=0.0, worn=255):
    return struct.pack("!ffB", x, y, worn)

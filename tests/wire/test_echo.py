"""Time echo."""

import json
from pathlib import Path

import pytest

from psychopy_neon.errors import RemoteProtocolError
from psychopy_neon.wire.echo import EchoReply, encode_reply, encode_request, parse_reply, parse_request

VECTOR = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text())["time_echo"]
REQUEST, REPLY = bytes.fromhex(VECTOR["request"]), bytes.fromhex(VECTOR["reply"])


def test_vectors_in_both_directions():
    client_ms, device_ms = VECTOR["client_ms"], VECTOR["device_ms"]

    assert encode_request(client_ms) == REQUEST
    assert parse_request(REQUEST) == client_ms
    assert encode_reply(client_ms, device_ms) == REPLY
    assert parse_reply(REPLY) == EchoReply(client_ms, device_ms)


@pytest.mark.parametrize("cut", range(16))
def test_cut_at_every_length(cut):
    with pytest.raises(RemoteProtocolError):
        parse_reply(REPLY[:cut])
    if cut != 8:
        with pytest.raises(RemoteProtocolError):
            parse_request(REPLY[:cut])

"""An outbox without the rest of a Neon, for tests."""

from types import SimpleNamespace

from psychopy_neon.device import delivery
from psychopy_neon.device.journal import NoJournal
from psychopy_neon.device.outbox import Outbox
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.status_feed import StatusBoard
from psychopy_neon.device.transport import Peer
from psychopy_neon.wire.status import DeviceStatus, Recording

OFFSET_NS = 1_000_000
BOUND_NS = 77
LIMIT_S = 20.0
"""For what happens at once on a computer that has nothing else to do."""


def offset_at(_host_ns):
    return SimpleNamespace(device_ns=lambda host_ns: host_ns + OFFSET_NS, bound_at_ns=lambda _host_ns: BOUND_NS)


def hurry(monkeypatch):
    """What is tested is what happens after a pause, not its length."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(delivery, "MAX_PAUSE_S", 0.05)
    monkeypatch.setattr(delivery, "GRACE_S", 0.1)


def board_of(recording_id="r0"):
    recording = None if recording_id is None else Recording(recording_id, "START")
    return StatusBoard(DeviceStatus(recording=recording), 0)


def start_outbox(crew, port, limit_s=2.0, journal=None, recording_id="r0", offsets=offset_at):
    """Started, and its journal too if there is one; ``outbox.board`` is what it believes of the device."""
    board = board_of(recording_id)
    journal = journal if journal is not None else NoJournal()
    outbox = Outbox(RestClient(Peer("phone", port, "127.0.0.1"), limit_s), journal, board, offsets)
    outbox.board = board
    outbox.worker = crew.start("outbox", outbox.run)
    if hasattr(journal, "run"):
        crew.start("journal", journal.run)
    return outbox

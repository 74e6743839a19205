"""Sends again what a journal says is not, or not for certain, on the device."""

from __future__ import annotations

from pathlib import Path

from psychopy_neon.device.journal import append_records
from psychopy_neon.device.journal_reader import JournalContent, JournalEvent
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import ConfigurationError, NeonError, NeonTimeoutError, RequestRefusedError

__all__ = ["redeliver"]

WAIT_S = 20.0
SAME_BOOT_NS = 5_000_000_000
"""Between two starts of a computer its host clock loses at least the minutes that it ran, against the wall clock."""


def redeliver(path: Path, content: JournalContent, neon: Neon) -> dict[str, str]:
    """Send the undelivered events of the recording that still runs, in order, and append their outcomes to the journal.

    A time that was frozen by an attempt is sent again to the byte. One that never was is computed by the clock of now,
    if the computer has not been started anew since.

    Returns
    -------
    dict
        Why an event was not sent, by its id.

    Raises
    ------
    ConfigurationError
        The journal is of another device, or cannot be written.
    NeonTimeoutError
        The device does not answer any more; what it answered before stands in the journal.
    """
    reasons: dict[str, str] = {}
    for event in content.undelivered:
        _check_device(content, event, neon)
        reason = _why_not(content, event, neon)
        if reason is not None:
            reasons[event.id] = reason
            continue
        device_ns, bound_ns = _frozen(path, event, neon)
        assert event.host_ns is not None
        pending = neon.outbox.send_again(event.name, event.host_ns, device_ns, bound_ns)
        try:
            confirmed = pending.wait(WAIT_S)
        except NeonTimeoutError:
            raise
        except RequestRefusedError as error:
            reasons[event.id] = str(error)
            _append(path, {"id": event.id, "state": EventState.REFUSED.value, "reason": error.reason})
        except NeonError as error:
            reasons[event.id] = str(error)
        else:
            fields = {"device_ns": confirmed.device_ns, "recording_id": confirmed.recording_id, "by": "redelivery"}
            _append(path, {"id": event.id, "state": EventState.CONFIRMED.value, **fields})
    return reasons


def _check_device(content: JournalContent, event: JournalEvent, neon: Neon) -> None:
    run, hardware = content.run_of(event), neon.status.hardware
    serial = hardware.module_serial or hardware.world_camera_serial or ""
    if run is not None and run.serial and serial and run.serial != serial:
        raise ConfigurationError("redeliver", neon.address, f"the device with serial {run.serial}, not {serial}")


def _why_not(content: JournalContent, event: JournalEvent, neon: Neon) -> str | None:
    """Why an event cannot be sent again; None: it can."""
    status = neon.status
    running_id = status.recording.id if status.recording is not None and status.is_recording else None
    if event.recording_id is None:
        return "no recording was known to run when it was sent"
    if running_id != event.recording_id:
        return f"its recording {event.recording_id} has ended: the device takes events into a running recording only"
    if event.host_ns is None:
        return "the device was to stamp its arrival, and would stamp it with the time of now"
    if event.device_ns is None and not _is_same_boot(content, event, neon):
        return (
            "it was never sent, and its time cannot be computed any more: this computer was started anew since, was "
            "asleep, had its clock set, or is another one"
        )
    return None


def _is_same_boot(content: JournalContent, event: JournalEvent, neon: Neon) -> bool:
    run = content.run_of(event)
    if run is None:
        return False
    host_ns, wall_ns = neon.host_clock.wall_bracket_ns()
    return host_ns >= run.host_ns and abs((wall_ns - host_ns) - (run.wall_ns - run.host_ns)) < SAME_BOOT_NS


def _frozen(path: Path, event: JournalEvent, neon: Neon) -> tuple[int, int]:
    """The event's time on the device's clock and its bound; one computed now is in the journal before it is used."""
    if event.device_ns is not None and event.bound_ns is not None:
        return event.device_ns, event.bound_ns
    assert event.host_ns is not None
    offset = neon.clock.offset_at(event.host_ns)
    device_ns, bound_ns = offset.device_ns(event.host_ns), offset.bound_at_ns(event.host_ns)
    _append(path, {"id": event.id, "device_ns": device_ns, "bound_ns": bound_ns}, kind="attempt")
    return device_ns, bound_ns


def _append(path: Path, fields: dict[str, object], kind: str = "outcome") -> None:
    try:
        append_records(path, [{"kind": kind, **fields}])
    except OSError as error:
        raise ConfigurationError("journal", str(path), f"a file that can be written ({error.strerror})") from error

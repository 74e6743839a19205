"""Is the Neon there, and is all well with it? Asked in the experiment's process, before ioHub starts."""

from typing import NamedTuple

from psychopy_neon.device.connect import REMEDY, connect
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.worker import Crew
from psychopy_neon.errors import NeonError, NeonTimeoutError

__all__ = ["Found", "find_neon"]

LOOK_LIMIT_S = 4.5
"""For finding it; whoever waits has a message within 5 s."""
SEARCH_S = 3.0
REQUEST_S = 2.0
STREAM_S = 5.0
_CREW = Crew()
"""Stays: what hangs in a call of the system ends by itself, later."""


class Found(NamedTuple):
    """A Neon that answers."""

    address: str
    phone: str | None
    serial: str | None
    isRecording: bool


def find_neon(settings):
    """Look for the Neon that is meant, and whether it can do what is asked of it.

    Parameters
    ----------
    settings : RunSettings

    Returns
    -------
    Found

    Raises
    ------
    NeonError
        It is not there, or not as ``settings.checks`` want it; each thing is told with what to do.
    """
    choice = settings.address or None, settings.serial or None, settings.phoneName or None
    peer, status = _CREW.call(
        "looking for the Neon", lambda: connect(*choice, _CREW, REQUEST_S, SEARCH_S), LOOK_LIMIT_S, REMEDY
    )
    address, hardware = str(peer), status.hardware
    troubles = [words for check in settings.checks if check in _OF_STATUS for words in _OF_STATUS[check](status)]
    if not troubles and not _OF_STREAMS.keys().isdisjoint(settings.checks):
        troubles = _stream_troubles(address, settings.checks)
    if troubles:
        raise NeonError(f"the Neon at {address} is not ready: {'; '.join(troubles)}")
    serial = hardware.module_serial or hardware.world_camera_serial
    return Found(address, status.phone.device_name, serial, status.is_recording)


def _battery(status):
    if status.phone.battery_state in ("LOW", "CRITICAL"):
        yield f"the phone's battery is at {status.phone.battery_level} %: charge it first"


def _storage(status):
    if status.phone.memory_state in ("LOW", "CRITICAL"):
        left = "" if status.phone.memory is None else f", {status.phone.memory / 1e9:.1f} GB are left"
        yield f"the phone's storage is nearly full{left}: remove recordings that are saved elsewhere"


def _not_recording(status):
    if status.is_recording:
        yield "a recording runs already: end it in the Companion app"


def _gaze(neon):
    try:
        neon.gaze.wait(STREAM_S)
    except NeonTimeoutError:
        yield f"no gaze arrives within {STREAM_S:g} s: is the cable plugged in, and does a firewall let UDP through?"


def _scene(neon):
    try:
        neon.scene.wait(STREAM_S)
    except NeonTimeoutError:
        yield f"no scene video arrives within {STREAM_S:g} s: is the scene camera plugged in?"


def _worn(neon):
    try:
        sample = neon.gaze.wait(STREAM_S)
    except NeonTimeoutError:
        yield "whether the glasses are worn is not known: no gaze arrives"
        return
    if not sample.worn:
        yield "the glasses are not worn: put them on"


_OF_STATUS = {"battery": _battery, "storage": _storage, "not recording": _not_recording}
_OF_STREAMS = {"gaze": _gaze, "scene": _scene, "worn": _worn}


def _stream_troubles(address, checks):
    with Neon(address, timeout_s=REQUEST_S, journal=False) as neon:
        return [words for check in checks if check in _OF_STREAMS for words in _OF_STREAMS[check](neon)]

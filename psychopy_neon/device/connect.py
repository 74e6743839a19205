"""From what the user gave (an address, a serial number, a name or nothing) to a device that answers."""

from __future__ import annotations

from psychopy_neon.device.discovery import FoundDevice, find_devices
from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.transport import Peer, parse_address, resolve
from psychopy_neon.device.worker import Crew
from psychopy_neon.errors import (
    ConfigurationError,
    DeviceNotFoundError,
    LinkError,
    NeonError,
    NeonTimeoutError,
    RemoteProtocolError,
)
from psychopy_neon.wire.status import DeviceStatus, Hardware, Phone, parse_status

__all__ = ["REMEDY", "connect"]

SEARCH_S = 5.0
SETTLE_S = 1.0
RESOLVE_LIMIT_S = 5.0
REMEDY = (
    "Bring the Companion app to the front, open its Stream page and give the address that it shows; "
    "phone and computer must be on the same network, and guest networks often keep them apart (a hotspot does not)."
)


def connect(
    address: str | None, serial: str | None, name: str | None, crew: Crew, limit_s: float, search_s: float = SEARCH_S
) -> tuple[Peer, DeviceStatus]:
    """Find the device that is meant and read its status; each request may take ``limit_s``, a search ``search_s``.

    Raises
    ------
    ConfigurationError, DeviceNotFoundError, RemoteProtocolError, RequestRefusedError
    """
    if address is not None:
        if serial is not None or name is not None:
            raise ConfigurationError("address", address, "an address, or a serial number or name to search for")
        return _connect_to(address, crew, limit_s)
    return _search(serial, name, crew, limit_s, search_s)


def _connect_to(address: str, crew: Crew, limit_s: float) -> tuple[Peer, DeviceStatus]:
    peer, tried = parse_address(address), []
    try:
        resolved = crew.call(f"looking up {peer.host}", lambda: resolve(peer), RESOLVE_LIMIT_S)
    except (LinkError, NeonTimeoutError) as error:
        raise DeviceNotFoundError(address, (str(error),), REMEDY) from error
    for each in resolved:
        rest = RestClient(each, limit_s)
        try:
            return each, _read_status(rest)
        except (LinkError, NeonTimeoutError) as error:
            where = "" if each.ip == each.host else f"{each.ip}: "
            tried.append(where + str(error).partition(";")[0])
        finally:
            rest.close()
    raise DeviceNotFoundError(address, tuple(tried), REMEDY)


def _read_status(rest: RestClient) -> DeviceStatus:
    status = parse_status(rest.get("/api/status"))
    if status.phone == Phone() and status.hardware == Hardware():
        raise RemoteProtocolError(
            f"GET http://{rest.peer}/api/status", "names neither a phone nor glasses; is this a Neon?"
        )
    return status


def _search(
    serial: str | None, name: str | None, crew: Crew, limit_s: float, search_s: float
) -> tuple[Peer, DeviceStatus]:
    found = find_devices(search_s, settle_s=SETTLE_S)
    wanted = [device for device in found if name is None or device.name == name]
    tried = [f"mDNS for up to {search_s:g} s found {', '.join(map(str, found)) or 'nothing'}"]
    answers: list[tuple[FoundDevice, Peer, DeviceStatus]] = []
    for device in wanted:
        try:
            peer, status = _connect_to(device.address, crew, limit_s)
        except NeonError as error:
            tried.append(str(error))
            continue
        if serial is None or status.hardware.module_serial == serial:
            answers.append((device, peer, status))
    if len(answers) == 1:
        return answers[0][1:]
    if not answers:
        meant = [f"serial {serial}" if serial else "", f"name {name!r}" if name else ""]
        raise DeviceNotFoundError(" and ".join(filter(None, meant)), tuple(tried), REMEDY)
    choices = "; ".join(
        f"{device.name!r}, serial {status.hardware.module_serial}, at {device.address}" for device, _, status in answers
    )
    raise ConfigurationError("address", None, f"an address, serial=... or name=..., since several answer: {choices}")

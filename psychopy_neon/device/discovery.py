"""Which Neons there are on the network: mDNS, service ``_http._tcp``, instance ``PI monitor:<name>:<device id>``."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from zeroconf import InterfaceChoice, ServiceBrowser, ServiceListener, Zeroconf

from psychopy_neon.errors import LinkError

__all__ = ["FoundDevice", "find_devices", "parse_instance"]

SERVICE = "_http._tcp.local."
"""Every printer offers it too: the instance name tells a Neon."""
PREFIX = "PI monitor:"
RESOLVE_LIMIT_MS = 2000


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A Neon or Pupil Invisible that announces itself."""

    name: str
    """Name of the phone."""
    device_id: str
    """16 hex digits; stays the same when the address changes."""
    host: str
    port: int
    addresses: tuple[str, ...]
    """IPv4 addresses."""

    @property
    def address(self) -> str:
        """What :class:`~psychopy_neon.Neon` takes."""
        return f"{self.addresses[0]}:{self.port}"

    def __str__(self) -> str:
        return f"{self.name!r} at {self.address}"


def find_devices(
    timeout_s: float = 3.0, *, settle_s: float | None = None, interfaces: Sequence[str] | None = None
) -> list[FoundDevice]:
    """Look for devices by mDNS.

    Parameters
    ----------
    timeout_s
        How long to look.
    settle_s
        Stop earlier, when for this long after the first device no other has shown up; None: never.
    interfaces
        Addresses of this computer to ask from; None: all.

    Returns
    -------
    Devices by name; empty when none answers (guest networks, VPNs and firewalls often swallow mDNS).

    Raises
    ------
    LinkError
        This computer has no network to ask on.
    """
    listener = _Listener()
    try:
        zeroconf = Zeroconf(interfaces=list(interfaces) if interfaces is not None else InterfaceChoice.All)
    except OSError as error:
        raise LinkError("mDNS", f"cannot be used on this computer ({error})") from error
    try:
        browser = ServiceBrowser(zeroconf, SERVICE, listener=listener)
        listener.wait(timeout_s, settle_s)
        browser.cancel()
    finally:
        zeroconf.close()
    return listener.devices()


def parse_instance(name: str) -> tuple[str, str] | None:
    """Phone name and device id of an instance name; None when it is no Neon's. A phone's name may contain colons."""
    if not name.startswith(PREFIX):
        return None
    phone, colon, device_id = name[len(PREFIX) :].removesuffix(f".{SERVICE}").rpartition(":")
    return (phone, device_id) if colon else (device_id, "")


class _Listener(ServiceListener):
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._found: dict[str, FoundDevice] = {}  # guarded by _changed
        self._changed_at_s = time.monotonic()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        parsed = parse_instance(name)
        info = zc.get_service_info(type_, name, RESOLVE_LIMIT_MS) if parsed is not None else None
        if parsed is None or info is None or info.port is None:
            return
        addresses = tuple(address for address in info.parsed_addresses() if ":" not in address)
        if not addresses:
            return
        with self._changed:
            self._found[name] = FoundDevice(*parsed, (info.server or "").rstrip("."), info.port, addresses)
            self._changed_at_s = time.monotonic()
            self._changed.notify_all()

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        with self._changed:
            self._found.pop(name, None)

    def wait(self, timeout_s: float, settle_s: float | None) -> None:
        end_s = time.monotonic() + timeout_s
        with self._changed:
            while (left_s := end_s - time.monotonic()) > 0:
                if self._found and settle_s is not None:
                    left_s = min(left_s, self._changed_at_s + settle_s - time.monotonic())
                    if left_s <= 0:
                        return
                self._changed.wait(left_s)

    def devices(self) -> list[FoundDevice]:
        with self._changed:
            return sorted(self._found.values(), key=lambda device: (device.name, device.device_id))

"""Tells the local network about the simulated phone (DNS-SD)."""

from __future__ import annotations

import asyncio
import socket

from zeroconf import Error, InterfaceChoice, IPVersion, NonUniqueNameException, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from psychopy_neon.errors import LinkError
from psychopy_neon.simulator.settings import SimulatorSettings

__all__ = ["Announcement"]

_TYPE = "_http._tcp.local."
_LIMIT_S = 5.0


class Announcement:
    """The phone's service record, kept up until closed.

    Its host name is its own: services that share one, as all phones share ``neon.local.``, share their addresses too.
    """

    def __init__(self, settings: SimulatorSettings, ip: str, port: int) -> None:
        device_id = settings.device_id
        # Dots would make labels of their own.
        name = settings.name.replace(".", " ")
        self._info = ServiceInfo(
            _TYPE,
            f"PI monitor:{name}:{device_id}.{_TYPE}",
            addresses=[socket.inet_aton(ip)],
            port=port,
            server=f"neon-sim-{device_id}.local.",
        )
        self._host = settings.host
        self._zeroconf: AsyncZeroconf | None = None

    async def open(self) -> None:
        """Announce.

        Raises
        ------
        LinkError
            Another device has this name, or there is no network to speak on.
        """
        try:
            interfaces = InterfaceChoice.All if self._host == "0.0.0.0" else [self._host]
            self._zeroconf = AsyncZeroconf(interfaces=interfaces, ip_version=IPVersion.V4Only)
            registered = await asyncio.wait_for(self._zeroconf.async_register_service(self._info), _LIMIT_S)
            await asyncio.wait_for(registered, _LIMIT_S)
        except NonUniqueNameException as error:
            await self.close()
            raise LinkError("mDNS", "another device has this name and serial number already") from error
        except (OSError, Error, asyncio.TimeoutError) as error:
            await self.close()
            why = str(error) or type(error).__name__
            raise LinkError("mDNS", f"the simulated Neon cannot be announced ({why})") from error

    async def close(self) -> None:
        """Say goodbye."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            await asyncio.wait_for(zeroconf.async_close(), _LIMIT_S)

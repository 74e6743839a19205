"""``psychopy-neon discover``."""

from __future__ import annotations

import dataclasses
import json
import sys

import click
from rich.console import Console
from rich.table import Table

from psychopy_neon.device.discovery import find_devices

__all__ = ["command"]

_NOTHING = (
    "No Neon announces itself. Bring the Companion app to the front and check that phone and computer are on the same "
    "network; guest networks, VPNs and firewalls often swallow mDNS. The address on the app's Stream page works "
    "without it."
)


@click.command()
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.1, 300), help="How long to look.")
@click.option("--interface", "interfaces", multiple=True, help="Address of this computer to ask from; default all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(seconds: float, interfaces: tuple[str, ...], as_json: bool) -> None:
    """List the Neons on the network. Exit code 1 when there is none."""
    devices = find_devices(seconds, interfaces=interfaces or None)
    if as_json:
        click.echo(json.dumps([{**dataclasses.asdict(device), "address": device.address} for device in devices]))
    elif devices:
        table = Table("address", "phone", "device id", "host")
        for device in devices:
            table.add_row(device.address, device.name, device.device_id, device.host)
        Console().print(table)
    else:
        click.secho(_NOTHING, fg="red", err=True)
    if not devices:
        sys.exit(1)

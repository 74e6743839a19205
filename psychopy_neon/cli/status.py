"""``psychopy-neon status [ADDRESS]``."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from psychopy_neon.device.neon import Neon
from psychopy_neon.wire.status import DeviceStatus, to_json

__all__ = ["command"]


@click.command()
@click.argument("address", required=False)
@click.option("--serial", help="Find the Neon with this serial number.")
@click.option("--name", help="Find the Neon whose phone has this name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(address: str | None, serial: str | None, name: str | None, as_json: bool) -> None:
    """Show phone, battery, storage, sensors, recording and clock of a Neon.

    ADDRESS is what the Companion app shows on its Stream page; without it the one Neon of the network is taken.
    """
    with Neon(address, serial=serial, name=name) as neon:
        status, offset = neon.status, neon.clock.newest
        # People know the wall clock, so the offset is told against it.
        host_ns, wall_ns = neon.host_clock.wall_bracket_ns()
        ahead_ns = None if offset is None else offset.device_ns(host_ns) - wall_ns
    bound_ns = None if offset is None else offset.bound_ns
    if as_json:
        click.echo(json.dumps(_as_json(neon.address, status, ahead_ns, bound_ns)))
    else:
        _print(neon.address, status, ahead_ns, bound_ns)


def _as_json(address: str, status: DeviceStatus, ahead_ns: int | None, bound_ns: int | None) -> dict[str, Any]:
    return {
        "address": address,
        "phone": to_json(status.phone)["data"],
        "hardware": to_json(status.hardware)["data"],
        "sensors": [to_json(sensor)["data"] for sensor in status.sensors],
        "recording": to_json(status.recording)["data"] if status.recording is not None else None,
        "is_recording": status.is_recording,
        "clock": None if ahead_ns is None else {"device_minus_wall_ns": ahead_ns, "bound_ns": bound_ns},
    }


def _print(address: str, status: DeviceStatus, ahead_ns: int | None, bound_ns: int | None) -> None:
    phone, hardware = status.phone, status.hardware
    table = Table(show_header=False, title=f"{phone.device_name or 'Unnamed'} at {address}", title_justify="left")
    rows = {
        "glasses": f"{_kind(hardware.version)}, module {hardware.module_serial or 'unknown'}"
        + (f", frame “{hardware.frame_name}”" if hardware.frame_name else ""),
        "battery": f"{'?' if phone.battery_level is None else phone.battery_level} % ({phone.battery_state or '?'})",
        "storage": "?" if phone.memory is None else f"{phone.memory / 1e9:.1f} GB free ({phone.memory_state or '?'})",
        "sensors": ", ".join(_sensors(status)) or "none",
        "recording": f"running, {status.recording.id}" if status.recording and status.is_recording else "not running",
        "clock": _clock(ahead_ns, bound_ns),
    }
    for name, text in rows.items():
        table.add_row(name, escape(text))
    Console().print(table)


def _kind(version: str | None) -> str:
    return {"1": "Pupil Invisible", "2.0": "Neon"}.get(version or "", f"version {version or 'unknown'}")


def _sensors(status: DeviceStatus) -> list[str]:
    names = dict.fromkeys(sensor.sensor for sensor in status.sensors)
    texts = []
    for name in names:
        sensor = status.sensor(name)
        is_fine = sensor is not None and sensor.connected and not sensor.stream_error
        texts.append(name if is_fine else f"{name} (not connected)")
    return texts


def _clock(ahead_ns: int | None, bound_ns: int | None) -> str:
    if ahead_ns is None or bound_ns is None:
        return "unknown: the device answers no time echo"
    direction = "ahead of" if ahead_ns >= 0 else "behind"
    return f"{abs(ahead_ns) / 1e6:.1f} ms {direction} this computer's (± {bound_ns / 1e6:.1f} ms)"

"""``psychopy-neon events [PATH]``."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from psychopy_neon.device.journal import journal_folder
from psychopy_neon.device.journal_reader import JournalContent, JournalEvent, read_journal

__all__ = ["command"]


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--redeliver", metavar="ADDRESS", help="Send again what is not on the device at this address.")
def command(path: Path | None, as_json: bool, redeliver: str | None) -> None:
    """List the events of a journal and what became of them; without PATH, the journals that were left.

    A program leaves its journal when the device has not confirmed every event. As long as the recording still runs, and
    once the program has ended, --redeliver sends the others again. Exit code 0 only if every event was confirmed.
    """
    if path is None:
        if redeliver is not None:
            raise click.UsageError("--redeliver needs the PATH of a journal.")
        is_fine = _list_journals(as_json)
    else:
        content, reasons = read_journal(path), {}
        if redeliver is not None:
            reasons = _redeliver(path, content, redeliver)
            content = read_journal(path)
        _print_events(path, content, reasons, as_json)
        is_fine = content.is_all_confirmed
    if not is_fine:
        sys.exit(1)


def _redeliver(path: Path, content: JournalContent, address: str) -> dict[str, str]:
    # Needs the network's libraries, which a mere list does not.
    from psychopy_neon.device.neon import Neon
    from psychopy_neon.device.redelivery import redeliver

    if not content.undelivered:
        return {}
    with Neon(address, journal=False) as neon:
        return redeliver(path, content, neon)


def _print_events(path: Path, content: JournalContent, reasons: dict[str, str], as_json: bool) -> None:
    events = list(content.events.values())
    if as_json:
        rows = [_as_json(event, content.wall_ns(event), reasons.get(event.id)) for event in events]
        click.echo(json.dumps({"journal": str(path), "damaged_lines": content.damaged_count, "events": rows}))
        return
    table = Table("event", "own time", "state", "reason", title=str(path), title_justify="left")
    for event in events:
        reason = reasons.get(event.id) or event.reason or ""
        table.add_row(escape(event.name), _time(content.wall_ns(event)), event.state.value, escape(reason))
    Console().print(table)
    if content.damaged_count:
        click.secho(f"{content.damaged_count} line(s) of the journal cannot be read.", fg="red", err=True)


def _as_json(event: JournalEvent, wall_ns: int | None, reason: str | None) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name,
        "state": event.state.value,
        "host_ns": event.host_ns,
        "wall_ns": wall_ns,
        "device_ns": event.device_ns,
        "bound_ns": event.bound_ns,
        "recording_id": event.recording_id,
        "reason": reason or event.reason,
    }


def _list_journals(as_json: bool) -> bool:
    """Whether every event of every journal was confirmed."""
    folder = journal_folder()
    contents = {path: read_journal(path) for path in sorted(folder.glob("*.jsonl"))}
    rows = [
        {
            "journal": str(path),
            "events": len(content.events),
            "undelivered": len(content.undelivered),
            "damaged_lines": content.damaged_count,
            "all_confirmed": content.is_all_confirmed,
        }
        for path, content in contents.items()
    ]
    if as_json:
        click.echo(json.dumps(rows))
    for row in rows if not as_json else ():
        # No table: it would cut the paths, which are there to be copied.
        click.echo("{journal}: {events} event(s), {undelivered} not delivered".format(**row))
    if not rows and not as_json:
        click.echo(f"No journals are left in {folder}.")
    return all(content.is_all_confirmed for content in contents.values())


def _time(wall_ns: int | None) -> str:
    if wall_ns is None:
        return "stamped by the device"
    moment = datetime.datetime.fromtimestamp(wall_ns / 1e9).astimezone()
    return moment.isoformat(sep=" ", timespec="milliseconds")

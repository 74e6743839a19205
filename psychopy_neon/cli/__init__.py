"""The command ``psychopy-neon``."""

from __future__ import annotations

import importlib
import sys

import click

from psychopy_neon.errors import NeonError

__all__ = ["main"]

_COMMANDS = {
    "discover": "Find the Neons of the local network.",
    "status": "Show what a Neon says about itself.",
    "clock": "Watch a Neon's clock against this computer's.",
    "preview": "Watch scene, gaze, tags and screen.",
    "latency": "Measure how late gaze is, leg by leg.",
    "events": "List the events of a journal, or send again what was lost.",
    "demo": "Run a demo: see your gaze, choose by looking, and more.",
    "demos": "Copy the demos for Builder and Coder to a folder.",
    "simulate": "Run a simulated Neon.",
}


class _Group(click.Group):
    """Imports a command only when it is asked for, and says what went wrong in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"psychopy_neon.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except NeonError as error:
            # Text of a device may be in it: one line, whatever it holds.
            line = " ".join(str(error).split())
            click.secho(f"Error: {line}", fg="red", err=True)
            sys.exit(1)


@click.command(cls=_Group)
@click.version_option(package_name="psychopy-neon")
def main() -> None:
    """Pupil Labs Neon for PsychoPy."""

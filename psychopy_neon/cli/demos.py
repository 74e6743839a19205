"""``psychopy-neon demos``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import psychopy_neon
from psychopy_neon.errors import ConfigurationError, NeonError

__all__ = ["command", "demo_folder"]

BUILDER_FILES = ("*.psyexp", "*.csv", "plot_*.py")
"""Not what PsychoPy leaves beside an experiment that was run: scripts and data."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--only", metavar="NAME", help="One demo, for Builder and Coder.")
def command(folder: Path, only: str | None) -> None:
    """Copy the demos for Builder and Coder to DIR, to be opened and changed there.

    What is in DIR already stays as it is.
    """
    source = demo_folder()
    paths = list(_paths(source, only))
    kept = [path for path in paths if not _copy(source / path, folder / path)]
    for path in kept:
        click.secho(f"was there already and is left as it is: {folder / path}", fg="yellow")
    click.echo(f"{len(paths) - len(kept)} of {len(paths)} files were copied to {folder.resolve()}")
    experiments = [path for path in paths if path.suffix == ".psyexp"]
    if experiments:
        click.echo(
            f"Builder: open {folder / experiments[0]}, leave pilot mode on and press the run button. A simulated Neon "
            "looks where the mouse points; without pilot mode it is a real one."
        )
    scripts = [path.stem for path in paths if path.parts[0] == "coder" and not path.stem.startswith("_")]
    if scripts:
        click.echo(f"Coder: psychopy-neon demo {scripts[0]} --simulate, or run {folder / 'coder' / scripts[0]}.py")


def demo_folder() -> Path:
    """Where the demos are: inside the installed package, or beside it in a checkout.

    Raises
    ------
    NeonError
        Nowhere.
    """
    package = Path(psychopy_neon.__file__).parent
    for folder in (package / "demos", package.parent / "demos"):
        if (folder / "coder").is_dir():
            return folder
    raise NeonError("the demos are not installed; install psychopy-neon from its wheel or its checkout")


def _paths(source: Path, only: str | None) -> Iterator[Path]:
    """What is to be copied, relative to ``source``; scripts that share something come with what they share."""
    builder = sorted(path for path in (source / "builder").glob("[!_]*") if path.is_dir())
    coder = sorted((source / "coder").glob("[!_]*.py"))
    names = {path.stem for path in (*builder, *coder)}
    if only is not None and only not in names:
        raise ConfigurationError("--only", only, f"one of {', '.join(sorted(names))}")
    wanted = names if only is None else {only}
    for folder in (each for each in builder if each.name in wanted):
        for pattern in BUILDER_FILES:
            yield from (path.relative_to(source) for path in sorted(folder.glob(pattern)))
    scripts = [path for path in coder if path.stem in wanted]
    shared = sorted((source / "coder").glob("_*.py")) if scripts else []
    yield from (path.relative_to(source) for path in (*scripts, *shared))


def _copy(path: Path, target: Path) -> bool:
    """Whether it was copied; False: there is such a file already."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(path.read_bytes())
    except FileExistsError:
        if not target.is_file():
            raise ConfigurationError("DIR", str(target), "a folder that is not a file") from None
        return False
    except OSError as error:
        raise ConfigurationError("DIR", str(target.parent), f"a folder to write to ({error.strerror})") from error
    return True

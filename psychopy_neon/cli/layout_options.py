"""The options that say where the tags of a screen are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.screen.layout import ScreenLayout, border_layout

__all__ = ["border_options", "border_screen"]

Function = TypeVar("Function", bound=Callable[..., Any])

TAGS_PER_HEIGHT = 9
"""A tag of AprilTagFrame is so small a part of the window's height, unless told otherwise."""

_OPTIONS = (
    click.option("--screen", metavar="WxH", help="Size in px of a screen with tags around its border, as 1920x1080."),
    click.option("--tag-size", type=int, help="Width of its tags with the white around, px.  [default: height / 9]"),
    click.option("--columns", type=int, default=5, show_default=True, help="Tags along its horizontal edges."),
    click.option("--rows", type=int, default=3, show_default=True, help="Tags along its vertical edges."),
    click.option("--first-id", type=int, default=0, show_default=True, help="Id of its first tag."),
)


def border_options(command: Function) -> Function:
    """Give a command the options of a screen as AprilTagFrame makes it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def border_screen(
    screen: str | None, tag_size: int | None, columns: int, rows: int, first_id: int
) -> ScreenLayout | None:
    """The screen that the options describe; None without ``--screen``.

    Raises
    ------
    ConfigurationError
        The size cannot be read, or its tags do not fit.
    """
    if screen is None:
        if tag_size is not None or (columns, rows, first_id) != (5, 3, 0):
            raise ConfigurationError("screen", None, "a size as 1920x1080, since there are options for its tags")
        return None
    size = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", screen.strip())
    if size is None:
        raise ConfigurationError("screen", screen, "width x height in px, as 1920x1080")
    width, height = int(size[1]), int(size[2])
    tag_px = height // TAGS_PER_HEIGHT if tag_size is None else tag_size
    return border_layout((width, height), tag_px=tag_px, columns=columns, rows=rows, first_id=first_id)

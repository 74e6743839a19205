"""Specifications as text: a name, ``field=value`` pairs, or a name and pairs that change it, split by commas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from psychopy_neon.errors import ConfigurationError

__all__ = ["parse_spec"]

Spec = TypeVar("Spec", bound=Any)


def parse_spec(setting: str, text: str, plain: Spec, named: Mapping[str, Spec]) -> Spec:
    """Read a specification, a frozen dataclass of numbers.

    Parameters
    ----------
    setting
        What it is called in errors.
    text
        As above.
    plain
        What pairs without a name change.
    named
        What the names mean.

    Raises
    ------
    ConfigurationError
        A name or a field is not known, or a value cannot be used.
    """
    first, *rest = text.split(",")
    spec, pairs = (plain, [first, *rest]) if "=" in first else (named.get(first.strip()), rest)
    if spec is None:
        raise ConfigurationError(setting, first, f"{', '.join(named)}, or field=value pairs")
    values: dict[str, float] = {}
    known = [field.name for field in fields(spec)]
    for pair in pairs:
        name, _, value = (part.strip() for part in pair.partition("="))
        if name not in known:
            raise ConfigurationError(setting, pair, f"field=value with one of {', '.join(known)}")
        try:
            values[name] = float(value)
        except ValueError as error:
            raise ConfigurationError(f"{setting}.{name}", value, "a number") from error
    return replace(spec, **values)

"""What the experiment's settings decide, checked."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from psychopy_neon.errors import ConfigurationError

__all__ = ["CHOICES", "RunSettings"]

CHOICES = {
    "record": ("phone", "stream"),
    "whenMissing": ("stop", "ask", "go on"),
    "whenLost": ("stop", "ask", "go on"),
    "leftRunning": ("use", "save", "cancel", "ask"),
    "atEnd": ("save", "cancel", "expression"),
    "events": ("none", "routines", "all"),
    "pilot": ("real", "simulated", "mouse"),
    "checks": ("gaze", "scene", "worn", "battery", "storage", "not recording"),
}
"""What a setting may be; of ``checks`` each."""


class RunSettings(NamedTuple):
    """Settings of one run; what each does is in docs/builder.md."""

    address: str = ""
    """Empty: found by mDNS."""
    serial: str = ""
    phoneName: str = ""
    record: str = "phone"
    whenMissing: str = "stop"
    whenLost: str = "ask"
    checks: tuple = ("gaze", "battery", "storage")
    leftRunning: str = "use"
    atEnd: str = "save"
    saveIf: Callable | None = None
    """Says at the end whether the recording is kept; for ``atEnd="expression"``."""
    template: Mapping = {}
    """Question to answer: the name of a field of expInfo, a text, or a function that gives the answer."""
    events: str = "none"
    conditions: tuple = ()
    """Columns of the conditions that events of trials show."""
    pilot: str = "simulated"

    @classmethod
    def of(cls, values):
        """From a dict.

        Raises
        ------
        ConfigurationError
            A setting that there is not, or a value that it cannot have.
        """
        unknown = sorted(set(values) - set(cls._fields))
        if unknown:
            raise ConfigurationError("settings", unknown, f"only {', '.join(cls._fields)}")
        settings = cls(**values)
        for name, allowed in CHOICES.items():
            value = getattr(settings, name)
            for each in value if name == "checks" else (value,):
                if each not in allowed:
                    raise ConfigurationError(name, each, f"one of {', '.join(allowed)}")
        if settings.atEnd == "expression" and not callable(settings.saveIf):
            raise ConfigurationError("saveIf", settings.saveIf, "a function, since the end is decided by an expression")
        texts = {name: str(getattr(settings, name) or "") for name in ("address", "serial", "phoneName")}
        if texts["address"] and (texts["serial"] or texts["phoneName"]):
            raise ConfigurationError(
                "address", texts["address"], "an address, or a serial number or name to search for"
            )
        return settings._replace(**texts)

    def answers(self, expInfo):
        """Answers for the phone's template, by question.

        Raises
        ------
        ConfigurationError
            An answer is code that fails; says why.
        """
        return {str(question): self._answer(question, value, expInfo) for question, value in self.template.items()}

    @staticmethod
    def _answer(question, value, expInfo):
        if callable(value):
            try:
                value = value()
            except Exception as error:  # the code is the user's: any kind
                words = f"code that runs ({type(error).__name__}: {error})"
                raise ConfigurationError(f"answer to {question!r}", "$ code", words) from error
        elif isinstance(value, str):
            value = (expInfo or {}).get(value, value)
        return [str(each) for each in value] if isinstance(value, (list, tuple)) else str(value)

"""Every exception of the package.

::

    NeonError                         base of all
    ├── ConfigurationError            (also ValueError) a setting cannot be used: setting, value, allowed
    │   └── TemplateError             answers do not fit the phone's template: problems
    ├── DeviceNotFoundError           nothing answers: address, tried
    ├── LinkError                     the connection could not be made or was lost: peer, last_packet_age_s
    ├── NeonTimeoutError              (also TimeoutError) no answer in time: operation, limit_s
    ├── RequestRefusedError           the device said no: method, url, status, reason
    │   └── RecordingRefusedError     a recording could not start, stop or be cancelled
    ├── ProtocolError                 abstract
    │   ├── LocalProtocolError        we tried to send something not allowed: our bug
    │   └── RemoteProtocolError       bytes that break the rules: where, offset, first_bytes, rule
    └── ClockNotReadyError            a time was asked for before the first clock offset

Whoever can act gets an exception; whoever is merely streaming gets data: a broken packet, a gap or gaze
off the screen is a counter or a reason, never raised.
"""

from __future__ import annotations

__all__ = [
    "ClockNotReadyError",
    "ConfigurationError",
    "DeviceNotFoundError",
    "LinkError",
    "LocalProtocolError",
    "NeonError",
    "NeonTimeoutError",
    "ProtocolError",
    "RecordingRefusedError",
    "RemoteProtocolError",
    "RequestRefusedError",
    "TemplateError",
]

_MAX_SHOWN = 5
"""Problems in one message: it has to fit on a screen, and through the calls between PsychoPy's processes."""


class NeonError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigurationError(NeonError, ValueError):
    """A setting cannot be used."""

    def __init__(self, setting: str, value: object, allowed: str) -> None:
        super().__init__(f"{setting}={value!r} cannot be used; allowed: {allowed}")
        self.setting = setting
        self.value = value
        self.allowed = allowed


class TemplateError(ConfigurationError):
    """Answers do not fit the template on the phone, or were not stored as they were given.

    ``problems`` has one sentence for each that says which and what would do; the text, with the first of them, is for
    whoever runs the experiment.
    """

    def __init__(self, answers: object, problems: tuple[str, ...]) -> None:
        more = (f"and {len(problems) - _MAX_SHOWN} more",) if len(problems) > _MAX_SHOWN else ()
        # Not as other settings are told: the answers may be anything, also what cannot be printed.
        NeonError.__init__(self, f"template answers: {'; '.join(problems[:_MAX_SHOWN] + more)}")
        self.setting = "answers"
        self.value = answers
        self.allowed = "what the questions of the template take"
        self.problems = problems


class DeviceNotFoundError(NeonError):
    """No Neon answers where one was expected.

    ``tried`` has one sentence for each way that was tried.
    """

    def __init__(self, address: str, tried: tuple[str, ...], remedy: str) -> None:
        what = f"no Neon found at {address}" if address else "no Neon found on the network"
        super().__init__(f"{what}; tried: {'; '.join(tried)}. {remedy}")
        self.address = address
        self.tried = tried


class LinkError(NeonError):
    """The connection could not be made or was lost."""

    def __init__(self, peer: str, what: str, last_packet_age_s: float | None = None) -> None:
        super().__init__(f"{peer}: {what}")
        self.peer = peer
        self.last_packet_age_s = last_packet_age_s


class NeonTimeoutError(NeonError, TimeoutError):
    """An operation did not finish within its limit."""

    def __init__(self, operation: str, limit_s: float, remedy: str = "") -> None:
        super().__init__(f"{operation}: nothing within {limit_s:g} s{'; ' + remedy if remedy else ''}")
        self.operation = operation
        self.limit_s = limit_s


class RequestRefusedError(NeonError):
    """The device answered a request with an error; ``reason`` is the device's own text."""

    def __init__(self, method: str, url: str, status: int, reason: str) -> None:
        super().__init__(f"the device refused {method} {url} ({status}): {reason}")
        self.method = method
        self.url = url
        self.status = status
        self.reason = reason


class RecordingRefusedError(RequestRefusedError):
    """A recording could not be started, stopped or cancelled."""


class ProtocolError(NeonError):
    """The rules of a protocol were broken; see the two classes below."""


class LocalProtocolError(ProtocolError):
    """We tried to send something that the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """Bytes from the other side break the rules.

    ``where`` names the structure, ``offset`` the byte in it, ``first_bytes`` shows up to 16 bytes as hex.
    """

    def __init__(self, where: str, rule: str, data: bytes = b"", offset: int = 0) -> None:
        first_bytes = data[:16].hex(" ")
        super().__init__(f"{where}: {rule} (at byte {offset}; starts {first_bytes or 'empty'})")
        self.where = where
        self.rule = rule
        self.offset = offset
        self.first_bytes = first_bytes


class ClockNotReadyError(NeonError):
    """A device time was asked for before the first clock offset was measured."""

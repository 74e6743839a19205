"""The phone's template: its questions, and the answers that go with the recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psychopy_neon.device.rest import RestClient
from psychopy_neon.errors import RequestRefusedError, TemplateError
from psychopy_neon.wire.template import TemplateDefinition, parse_answers, parse_definition
from psychopy_neon.wire.template_answers import differences, encode_answers

__all__ = ["Template"]

_DEFINITION = "/api/template_def"
_ANSWERS = "/api/template_data"
_NOT_CHOSEN = "no template is chosen on the phone: choose one in the Companion app"
_NOT_OFFERED = (
    "the app on the phone tells no template ({reason}): it takes a Neon with Companion 2.8.25 or later; "
    "a Pupil Invisible has none over the network"
)


class _Known(NamedTuple):
    definition: TemplateDefinition | None
    answers: dict[str, tuple[str, ...]]
    trouble: str | None


class Template:
    """What the template that is chosen on the phone asks, and the answers that the next recording is saved with.

    Both are read at first use and kept: somebody may choose another template or type into the phone meanwhile, which
    :meth:`read` finds out.

    Parameters
    ----------
    rest : RestClient
        Asks the phone.
    check : callable
        Raises when the device is closed.

    Notes
    -----
    Thread: any. Reading is two requests and filling four, each within the ``timeout_s`` of the device: not for the
    frame loop. Everything here may raise LinkError, NeonTimeoutError, RequestRefusedError (with the device's reason)
    and RemoteProtocolError (a template that cannot be understood) when it asks the phone.
    """

    def __init__(self, rest: RestClient, check: Callable[[], None]) -> None:
        self._rest = rest
        self._check = check
        self._lock = threading.Lock()  # no other answers are sent between reading the old and storing the new
        self._known: _Known | None = None

    @property
    def definition(self) -> TemplateDefinition | None:
        """Name and items of the template; None: there is none, and :attr:`trouble` says why."""
        return self._read_once().definition

    @property
    def trouble(self) -> str | None:
        """Why there is no definition and what to do; None when there is one."""
        return self._read_once().trouble

    @property
    def answers(self) -> dict[str, tuple[str, ...]]:
        """Texts by the id of their question; questions without an answer are left out."""
        return dict(self._read_once().answers)

    def missing(self) -> list[str]:
        """Titles of the required questions without an answer, in the order of the form."""
        known = self._read_once()
        return known.definition.missing(known.answers) if known.definition is not None else []

    def read(self) -> Template:
        """Ask the phone again; itself, so that ``template.read().missing()`` is of now."""
        self._check()
        with self._lock:
            self._known = self._ask()
        return self

    def fill(self, answers: Mapping[str, Any]) -> None:
        """Answer questions; the others keep the answers that they have on the phone.

        Everything is checked before anything is sent, and what the phone has stored is read back and compared.

        Parameters
        ----------
        answers
            By title of the question, or by its id where several have the same title. A text, a number, True or False,
            or a list of them where several boxes can be ticked; None deletes an answer.

        Raises
        ------
        TemplateError
            An answer or a question does not fit (all of them are told, nothing was sent), no template is chosen, or the
            phone stored something else. Its text can be shown to whoever runs the experiment.
        """
        self._check()
        with self._lock:
            known = self._known = self._ask()
            if known.definition is None:
                raise TemplateError(answers, (known.trouble or _NOT_CHOSEN,))
            # All of them: nobody has written down whether the app keeps or deletes those that are not sent.
            whole = encode_answers(known.definition, known.answers, answers)
            if not whole:
                return
            self._known = None  # until the phone has told what it has now
            self._rest.post(_ANSWERS, whole)
            stored = parse_answers(self._rest.get(_ANSWERS))
            self._known = known._replace(answers=stored)
        problems = differences(known.definition, whole, stored)
        if problems:
            raise TemplateError(answers, problems)

    def _read_once(self) -> _Known:
        self._check()
        with self._lock:
            if self._known is None:
                self._known = self._ask()
            return self._known

    def _ask(self) -> _Known:
        try:
            definition = parse_definition(self._rest.get(_DEFINITION))
        except RequestRefusedError as refusal:
            if refusal.status != 404:
                raise
            return _Known(None, {}, _NOT_OFFERED.format(reason=refusal.reason))
        if definition is None:
            return _Known(None, {}, _NOT_CHOSEN)
        return _Known(definition, parse_answers(self._rest.get(_ANSWERS)), None)

"""The error tree: one base, facts as attributes, the tree of the docstring is the tree of the code."""

import inspect
import re

import pytest

from psychopy_neon import errors


def all_errors() -> list[type[errors.NeonError]]:
    return [getattr(errors, name) for name in errors.__all__]


def test_every_error_has_the_one_base():
    assert all(issubclass(error, errors.NeonError) for error in all_errors())


def test_the_docstring_shows_every_error_at_its_depth():
    lines = re.findall(r"^([ │├└─]*)(\w+Error) ", errors.__doc__, re.M)
    shown = {name: len(indent) for indent, name in lines}

    assert set(shown) == set(errors.__all__)
    for error in all_errors():
        parents = [base for base in inspect.getmro(error)[1:] if issubclass(base, errors.NeonError)]
        assert shown[error.__name__] == 4 + 4 * len(parents)


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (errors.ConfigurationError("port", 0, "1 to 65535"), {"setting": "port", "value": 0}),
        (errors.TemplateError({"Age": "x"}, ("Age takes a number",)), {"problems": ("Age takes a number",)}),
        (errors.NeonTimeoutError("status", 2.5), {"operation": "status", "limit_s": 2.5}),
        (errors.RecordingRefusedError("POST", "/x", 500, "no wearer"), {"status": 500, "reason": "no wearer"}),
        (errors.RemoteProtocolError("RTP packet", "too short", b"\x80\x60"), {"first_bytes": "80 60", "offset": 0}),
    ],
)
def test_facts_are_attributes_and_stand_in_the_text(error, facts):
    for name, value in facts.items():
        assert getattr(error, name) == value
        for text in value if isinstance(value, tuple) else (value,):
            assert str(text) in str(error)


def test_builtin_bases_are_kept():
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.NeonTimeoutError, TimeoutError)

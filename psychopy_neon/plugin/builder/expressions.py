"""Params as Python: what is no expression stays text, so no value can break or change the script around it."""

import ast
import warnings

__all__ = ["UNKNOWN", "code_of", "expression", "is_blank", "literal"]

UNKNOWN = object()
"""The value of an expression is known only when the script runs."""
NOT_PYTHON = (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError)


def is_blank(param):
    """Whether nothing has been typed in."""
    return param.val is None or str(param.val).strip() in ("", "None")


def expression(param):
    """Python for a param, in one line; None if it holds no expression."""
    if is_blank(param):
        return "''" if param.valType == "str" else "None"
    try:
        code = str(param).strip()
        tree = _parsed(code)
    except NOT_PYTHON:
        return None
    # A comment would swallow the comma behind it, and the writer indents every line.
    return code if code.isprintable() and "#" not in code else ast.unparse(tree)


def code_of(param):
    """What the script has for a param: its expression, or as a text what is none."""
    code = expression(param)
    return repr(str(param.val)) if code is None else code


def literal(param):
    """The value of a param that holds a literal; ``UNKNOWN`` if it depends on anything.

    What is no expression is in the script as a text, and so here.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(code_of(param))
    except NOT_PYTHON:
        return UNKNOWN


def _parsed(code):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong escape, or "is" with a literal, is for the script's own run
        return ast.parse(code, mode="eval")

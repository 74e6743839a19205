"""What a setting of a component may be: one answer for the dialog, for the compiler and for the running experiment."""

import math
from collections import namedtuple
from numbers import Number

from psychopy_neon.errors import ConfigurationError

__all__ = [
    "ANYTHING",
    "COLOR",
    "COLOR_OR_BLANK",
    "FRAME",
    "NEW_SETTING",
    "PLACE",
    "REPEAT",
    "TEXT",
    "UNITS",
    "WINDOW_UNITS",
    "YES_NO",
    "Kind",
    "Setting",
    "choice",
    "length",
    "number",
    "whole",
    "wholes",
]

REPEAT = ("constant", "set every repeat")
FRAME = ("constant", "set every repeat", "set every frame")
"""What can be set in every frame is an attribute of the part's tool."""
NEW_SETTING = ("set every repeat",)
"""For what does not exist yet when the script makes its components: another component, for example."""
WINDOW_UNITS = "from exp settings"

Setting = namedtuple("Setting", "name default kind label hint categ updates", defaults=("Basic", None))
"""A param of a component; ``updates`` are those that Builder offers, the first is the default, None: constant."""


class Kind(namedtuple("Kind", "allowed take valType inputType choices", defaults=("code", "single", ()))):
    """A kind of value.

    Attributes
    ----------
    allowed : str
        In words.
    take : callable
        Makes of a value what is used, or raises TypeError, ValueError or OverflowError.
    valType, inputType : str
        As ``Param`` of PsychoPy has them.
    choices : tuple of str
        For a list in the dialog.
    """

    __slots__ = ()

    def of(self, setting, value):
        """The value as it is used.

        Raises
        ------
        ConfigurationError
            It cannot be used; names the setting and says what is allowed.
        """
        try:
            return self.take(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigurationError(setting, value, self.allowed) from error

    @property
    def isLength(self):
        """Whether it is a length on the screen, in the component's units."""
        return self.allowed.startswith(LENGTH)


LENGTH = "a length"


def number(least=None, above=None, most=None, isOptional=False, what="a number"):
    """A finite number within limits; blank if ``isOptional``."""
    limits = {"at least": least, "above": above, "at most": most}
    words = " and ".join(f"{word} {limit:g}" for word, limit in limits.items() if limit is not None)
    allowed = f"{what} {words}".strip() + (" or blank" if isOptional else "")

    def take(value):
        if value is None and isOptional:
            return None
        if isinstance(value, str | bytes | bool):
            raise TypeError(f"{value!r} is no number")
        found = float(value)
        isEnough = (least is None or found >= least) and (above is None or found > above)
        if not (math.isfinite(found) and isEnough and (most is None or found <= most)):
            raise ValueError(f"{value!r} is not within the limits")
        return found

    return Kind(allowed, take)


def length(canBeZero=False):
    """A length on the screen, in the component's units."""
    return number(least=0, what=LENGTH) if canBeZero else number(above=0, what=LENGTH)


def whole(least, most):
    """A whole number within limits."""
    within = number(least, most=most, what="a whole number")

    def take(value):
        found = within.take(value)
        if found != int(found):
            raise ValueError(f"{value!r} is not whole")
        return int(found)

    return within._replace(take=take)


def wholes(least, most):
    """Whole numbers, or blank."""
    each = whole(least, most)

    def take(value):
        return None if value is None else [each.take(one) for one in value]

    return Kind(f"a list, each {each.allowed}, or blank", take, "list")


def choice(*words):
    """One of some words."""

    def take(value):
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{value!r} is none of the words")
        return value

    return Kind(f"one of {', '.join(map(repr, words))}", take, "str", "choice", words)


def _place(value):
    x, y = (_COORDINATE.take(each) for each in value)
    return x, y


def _text(value):
    if value is None:
        return ""
    if isinstance(value, str | Number):  # of numpy's, too: conditions files have them
        return str(value)
    raise TypeError(f"{value!r} is no text")


def _yesNo(value):
    if isinstance(value, str) or value not in (True, False):
        raise TypeError(f"{value!r} is neither yes nor no")
    return bool(value)


def _units(value):
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is no unit")
    return value


def _color(value):
    from psychopy.colors import Color

    if value is None or not Color(value, "rgb"):
        raise ValueError(f"{value!r} is no colour")
    return value


def _colorOrNone(value):
    return None if value is None else _color(value)


def _anything(value):
    return value


_COORDINATE = number()
PLACE = Kind("a place (x, y)", _place, "list")
TEXT = Kind("a text", _text, "str")
YES_NO = Kind("True or False", _yesNo, "bool", "bool")
COLOR = Kind("a colour that PsychoPy knows", _color, "color", "color")
COLOR_OR_BLANK = COLOR._replace(allowed=f"{COLOR.allowed}, or blank", take=_colorOrNone)
ANYTHING = Kind("anything", _anything)
UNITS = Kind(
    "units of PsychoPy",
    _units,
    "str",
    "choice",
    (WINDOW_UNITS, "height", "norm", "deg", "cm", "pix", "degFlat", "degFlatPos"),
)

"""Scalars of a v3 body as the texts of X12 elements."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.elements import Place
from scrubber.claim.v3 import values
from scrubber.claim.v3.values import IrregularValue
from scrubber.claim.x12.layout import Step
from scrubber.claim.x12.pointers import is_something

TOO_LONG = "longer than the element may be"
BLANKS = "written with blanks for control characters"


class ElementText(NamedTuple):
    """What is written for a value: a text, which is empty where nothing says the same; None where it cannot be
    written. `reason`: why it is not, or not as sent."""

    text: str | None
    reason: str


NO_TEXT = ElementText(None, "")


def text_of(step: Step, value: Any) -> ElementText:
    """The text for a scalar, as the reader of its element understands it, else as it was sent.

    Nothing for what is no scalar, or says nothing.
    """
    if type(value) in (dict, list) or not is_something(value):
        return NO_TEXT
    kind = step.element.type
    if kind == "flag":
        return ElementText(_flag_text(step.place, value), "")
    text = _as_text(step.read(value), value)
    if text is None:
        return NO_TEXT
    printable = "".join(character if character.isprintable() else " " for character in text).strip()
    if length(printable, kind) > step.element.longest:
        return ElementText(None, TOO_LONG)
    return ElementText(printable or None, "" if printable == text else BLANKS)


def _flag_text(place: Place, value: Any) -> str | None:
    """The code for true, and for false, which is empty where there is none; None for what is neither."""
    truth = values.flag(value)
    truth = truth.value if type(truth) is IrregularValue else truth
    words = place.how.split()
    if truth is None:
        return words[1] if value == words[1] else None
    return words[1] if truth else (words[3] if words[3:] else "")


def _as_text(read: Any, value: Any) -> str | None:
    """What a reader understood; as sent where that is how the model has it, or where it is not understood."""
    if type(read) is IrregularValue and read.expected is None:
        return _in_x12(read.value)
    if type(value) is str:
        return value.strip()
    if type(value) is bool or (type(read) is IrregularValue and type(value) is float):
        return None
    return _in_x12(value)


def _in_x12(value: Any) -> str | None:
    if value is None:
        return None
    if type(value) is date:
        return f"{value:%Y%m%d}"
    if type(value) is Decimal:
        return f"{value:f}"
    return str(value)


def length(text: str, kind: str) -> int:
    """Signs and points do not count in numbers."""
    return len(text) if kind not in ("amount", "number") else sum(character.isdigit() for character in text)

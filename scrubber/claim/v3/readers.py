"""Chooses how each element of the catalogue is read, for JSON and X12 alike: by its type, length and codes."""

from __future__ import annotations

from typing import Any

from scrubber.claim.elements import Element, Place
from scrubber.claim.v3 import values
from scrubber.claim.v3.values import LONGEST_LIST, IrregularList, IrregularValue, Reader, read_list

TOO_LONG, NOT_IN_LIST, TOO_MANY = "too-long", "not-in-code-list", "too-many"

ALONE: dict[str, Reader] = {
    "text": values.text,
    "code": values.code,
    "digits": values.dashed_digits,
    "two-characters": values.two_digits,
    "yes-no": values.yes_no_code,
    "flag": values.flag,
    "amount": values.amount,
    "number": values.number,
    "date": values.day,
    "zip": values.zip_code,
    "sex": values.sex,
    "procedure": values.procedure,
    "diagnosis": values.diagnosis,
}
# Lists with ways of their own to be sent.
LISTED: dict[str, Reader] = {"two-characters": values.modifiers, "pointer": values.pointers}
MEASURED = ("text", "code", "digits", "two-characters", "yes-no", "zip", "procedure", "diagnosis")
_EXPECTED = {"text": "text", "digits": "text", "amount": "amount", "number": "number", "date": "date"}
_YES_AND_NO = frozenset(("Y", "N"))  # the transaction leaves out an element instead of a no; JSON may write it


def alone(element: Element) -> Reader:
    """How one value of an element is read. Whatever is longer than it may be, or not in its list, is so marked."""
    read = ALONE[element.type]
    if element.type == "text":
        return text_within(element.longest)
    if element.type == "flag":
        trues = [place.how.split()[1] for place in element.places if place.how.startswith("is ")]
        return flag_or_code(trues[0]) if trues else read
    if element.type not in MEASURED:
        return read
    codes = frozenset(element.codes)
    return within(read, element.longest, codes | _YES_AND_NO if codes and element.type == "yes-no" else codes)


def listed(element: Element) -> Reader:
    """How a list of values of an element is read."""
    if element.name in ("modifiers", "diagnosis-pointers"):  # these have checks of their own
        return LISTED[element.type]
    return list_of(alone(element), _EXPECTED.get(element.type, "code"), most(element))


def most(element: Element) -> int:
    """How many values of an element one list may have; as many as are read, where the transaction has no bound."""
    return max((_length(place) for place in element.places if place.last), default=LONGEST_LIST)


def _length(place: Place) -> int:
    return place.last - (place.component or place.element) + 1


def within(read: Reader, longest: int, codes: frozenset[str]) -> Reader:
    """What `read` reads, with a fault where it is longer than it may be, or not among the codes if there are such."""

    def read_within(raw: object) -> Any:
        value = read(raw)
        if type(value) is str:
            if len(value) > longest:
                return IrregularValue(value, None, None, TOO_LONG)
            return value if not codes or value in codes else IrregularValue(value, None, None, NOT_IN_LIST)
        if type(value) is IrregularValue and type(value.value) is str:
            if len(value.value) > longest:
                return value._replace(fault=TOO_LONG)
            if codes and value.value not in codes:
                return value._replace(fault=NOT_IN_LIST)
        return value

    return read_within


def text_within(longest: int) -> Reader:
    """A reader of texts as `values.text` reads them, with a fault where one is longer than it may be."""
    longer = within(values.text, longest, frozenset())

    def read_text(raw: object) -> Any:
        if type(raw) is str and 0 < len(raw) <= longest and raw.isprintable() and raw == raw.strip():
            return raw
        return longer(raw)

    return read_text


def flag_or_code(code: str) -> Reader:
    """A reader of true or false as `values.flag` reads them, which also takes the transaction's code for true."""
    true = IrregularValue(True, "code read as true or false")

    def read_flag(raw: object) -> Any:
        return true if raw == code else values.flag(raw)

    return read_flag


def list_of(read: Reader, expected: str, longest: int) -> Reader:
    """A reader of lists of what `read` reads, in order; also of one such value alone. Over `longest` are too many."""
    unreadable = IrregularValue(None, None, expected)
    too_many = ("", IrregularValue(None, None, None, TOO_MANY))

    def read_each(raw: object) -> Any:
        if raw == []:
            return ()
        found = read_list(raw, read, unreadable, LONGEST_LIST)
        kept, odd = found if type(found) is IrregularList else (found, ())
        return IrregularList(kept, (*odd, too_many)) if len(kept) > longest else found

    return read_each

"""Reads the scalars of a body, and lists of them, into dates, amounts, codes and texts of a claim.

A reader takes one JSON value other than null. It returns the plain value where that was sent as the v3 model says, else
an `IrregularValue`: the value as understood with a fixed description of the change, or what was expected. No reader
raises, and none keeps a value that it could not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

LONGEST_TEXT = 1_000  # characters
LONGEST_CODE = 60  # no code or ZIP code comes near; look-ups of them are cached, so their size is bounded
LONGEST_STATEMENT = 10_000  # characters of a passage from a report
NUMBER_AS_TEXT = "number read as text"
_LARGEST_INTEGER = 10**15  # beyond it a JSON number is no code or identifier


class IrregularValue(NamedTuple):
    """A scalar not sent as the model says: `change` describes how it was understood, else `expected` is set.

    `fault` is what the transaction does not allow of a value that could be read: a word of the facts of elements.
    """

    value: Any
    change: str | None
    expected: str | None = None
    fault: str | None = None


class IrregularList(NamedTuple):
    """A list with irregular scalars: the values as understood, and each irregular one by the suffix of its pointer."""

    values: tuple[Any, ...]
    odd: tuple[tuple[str, IrregularValue], ...]


Reader = Callable[[object], Any]
Step = tuple[str, Callable[[str], str]]

_BLANKS: Step = ("surrounding blanks removed", str.strip)
_UPPER: Step = ("upper case", str.upper)
_DOT: Step = ("dot removed", lambda text: text.replace(".", ""))


def _unreadable(expected: str) -> IrregularValue:
    return IrregularValue(None, None, expected)


_NO_DATE = _unreadable("date")


def _without_dashes(text: str) -> str:
    bare = text.replace("-", "").replace(" ", "")
    return bare if bare.isascii() and bare.isdigit() else text


_DASHES: Step = ("dashes removed", _without_dashes)


_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SHORT = frozenset(a + b for a in ("", *_CHARACTERS) for b in _CHARACTERS)  # one or two: most codes


def _text_reader(
    expected: str, regular: str, *steps: Step, widths: tuple[int, ...] = (), truth: tuple[str, str] | None = None
) -> Reader:
    """A reader of texts: as they are when they match `regular`, else through `steps`.

    A JSON number becomes text, its leading zeros restored up to the next of `widths`; `truth` are the codes for
    true and false where the model has a code for yes and no.
    """
    matches = re.compile(regular, re.ASCII).fullmatch

    def read(raw: object) -> Any:
        if type(raw) is str:
            return raw if raw in _SHORT or matches(raw) else _normalise(raw, [], steps, expected)
        if type(raw) is int and 0 <= raw < _LARGEST_INTEGER:
            return _normalise(_padded(str(raw), widths), [NUMBER_AS_TEXT], steps, expected)
        if type(raw) is bool and truth:
            return IrregularValue(truth[0] if raw else truth[1], "boolean read as a code")
        return _unreadable(expected)

    return read


def _padded(digits: str, widths: tuple[int, ...]) -> str:
    return digits.zfill(next((width for width in widths if len(digits) <= width), 0))


def _normalise(text: str, changes: list[str], steps: tuple[Step, ...], expected: str) -> Any:
    if len(text) > (LONGEST_CODE if expected == "code" else LONGEST_TEXT):
        return _unreadable(expected)
    for change, step in steps:
        changed = step(text)
        if changed != text:
            changes.append(change)
        text = changed
    return IrregularValue(text or None, ", ".join(changes)) if changes else text or None


_any_text = _text_reader("text", r"\S", _BLANKS)


def text(raw: object) -> Any:
    """A text of one line or several, without the blanks around it."""
    if type(raw) is str and raw.isprintable() and raw == raw.strip() and 0 < len(raw) <= LONGEST_TEXT:
        return raw
    return _any_text(raw)


dashed_digits: Reader = _text_reader("text", r"\d{1,20}", _BLANKS, _DASHES)
zip_code: Reader = _text_reader("code", r"\d{5}|\d{9}", _BLANKS, _DASHES, widths=(5, 9))
code: Reader = _text_reader("code", r"[A-Z0-9]{1,40}", _BLANKS, _UPPER)
_SEXES = {"FEMALE": "F", "MALE": "M", "UNKNOWN": "U"}
sex: Reader = _text_reader("code", r"[A-Z]", _BLANKS, _UPPER, ("first letter", lambda text: _SEXES.get(text, text)))
two_digits: Reader = _text_reader("code", r"[A-Z0-9]{2}", _BLANKS, _UPPER, widths=(2,))
procedure: Reader = _text_reader("code", r"[A-Z0-9]{5}", _BLANKS, _UPPER, widths=(5,))
yes_no_code: Reader = _text_reader("code", r"[A-Z]", _BLANKS, _UPPER, truth=("Y", "N"))
diagnosis: Reader = _text_reader("code", r"[A-Z0-9]{3,7}", _BLANKS, _UPPER, _DOT)
keyword = _text_reader("code", r"[a-z-]{1,40}", _BLANKS, ("lower case", str.lower))


_SMALL = {str(integer): Decimal(integer) for integer in range(1, 100)}  # most units


def _number_reader(expected: str, most_float_decimals: int) -> Reader:
    """A reader of numbers without exponent: digits, at most six places, a minus that is not before zero.

    A JSON number is read by its shortest exact text; one with more places than it may have is a rounding artefact.
    """
    regular = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII).fullmatch
    from_float = re.compile(rf"-?\d{{1,12}}(?:\.\d{{1,{most_float_decimals}}})?", re.ASCII).fullmatch
    unreadable = _unreadable(expected)

    def exact(raw: str) -> Any:
        value = Decimal(raw)
        return unreadable if raw[0] == "-" and not value else value

    def read(raw: object) -> Any:
        if type(raw) is str:
            return _SMALL.get(raw) or (exact(raw) if regular(raw) else bare(raw))
        if type(raw) is int and abs(raw) < 10**12:
            return IrregularValue(Decimal(raw), NUMBER_AS_TEXT)
        value = exact(repr(raw)) if type(raw) is float and from_float(repr(raw)) else unreadable
        return value if value is unreadable else IrregularValue(value, NUMBER_AS_TEXT)

    def bare(raw: str) -> Any:
        stripped = raw.strip() if len(raw) <= LONGEST_TEXT else raw
        value = exact(stripped) if regular(stripped) else unreadable
        if not stripped or value is unreadable:
            return value if stripped else None
        return IrregularValue(value, _BLANKS[0])

    return read


amount: Reader = _number_reader("amount", 2)
number: Reader = _number_reader("number", 6)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_RANGE = re.compile(r"(\d{8})-(\d{8})", re.ASCII).fullmatch


def day(raw: object) -> Any:
    """A date as CCYYMMDD; also as CCYY-MM-DD, with blanks around it, or as a number."""
    if type(raw) is str and len(raw) == 8 and raw.isascii() and raw.isdigit():
        try:
            return date.fromisoformat(raw)
        except ValueError:
            return _NO_DATE
    if type(raw) is int and 10**7 <= raw < 10**8:
        found, change = _calendar_day(str(raw)), "number read as a date"
    elif type(raw) is str and _ISO_DATE(raw):
        found, change = _calendar_day(raw), "ISO date"
    elif type(raw) is str and len(raw) <= LONGEST_TEXT and raw != raw.strip():
        return _day_with_blanks(raw.strip())
    else:
        return None if raw == "" else _NO_DATE
    return IrregularValue(found, change) if found else _NO_DATE


def _day_with_blanks(bare: str) -> IrregularValue:
    found = day(bare)
    value = found.value if type(found) is IrregularValue else found
    return _NO_DATE if found is _NO_DATE else IrregularValue(value, _BLANKS[0])


def _calendar_day(digits: str) -> date | None:
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def days(raw: object) -> Any:
    """A date, or a range CCYYMMDD-CCYYMMDD, which is irregular and becomes a pair of dates."""
    match = _RANGE(raw) if type(raw) is str and len(raw) == 17 else None
    if match is None:
        return day(raw)
    first, last = _calendar_day(match[1]), _calendar_day(match[2])
    return IrregularValue((first, last), "range of dates split in two") if first and last else _NO_DATE


_TRUTH = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


def flag(raw: object) -> Any:
    """True or false; also as yes, no, true, false, y or n."""
    if type(raw) is bool:
        return raw
    truth = _TRUTH.get(raw.strip().lower()) if type(raw) is str and len(raw) < 20 else None
    if truth is not None:
        return IrregularValue(truth, "text read as true or false")
    return None if type(raw) is str and not raw.strip() else _unreadable("code")


def flag_statement(raw: object) -> Any:
    """Like `flag`, as the text "true" or "false"."""
    truth = flag(raw)
    if type(truth) is bool:
        return "true" if truth else "false"
    if type(truth) is IrregularValue and truth.change:
        return IrregularValue("true" if truth.value else "false", truth.change)
    return truth


def statement(raw: object) -> Any:
    """A statement of a report, as text; None when it is empty. Numbers by their exact text."""
    if type(raw) is str and len(raw) <= LONGEST_STATEMENT:
        return raw.strip() or None
    if type(raw) is bool:
        return "true" if raw else "false"
    if type(raw) is float or (type(raw) is int and abs(raw) < _LARGEST_INTEGER):
        return repr(raw)
    return _unreadable("text")


def _keyword_reader(regular: str) -> Reader:
    """A reader of lower-case words that match `regular`."""
    known = re.compile(regular, re.ASCII).fullmatch

    def read(raw: object) -> Any:
        found = keyword(raw)
        value = found.value if type(found) is IrregularValue else found
        return found if value is None or known(value) else _unreadable("code")

    return read


locality: Reader = _keyword_reader(r"\d{5}-\d{2}|national")
participation: Reader = _keyword_reader("par|nonpar")
history_scope: Reader = _keyword_reader("group|payer|all")


LONGEST_LIST = 50  # modifiers, pointers: far beyond what a line may have
MOST_LINES = 1_000

_POSITIONS = {str(position): position for position in range(1, 13)}
_LETTERS = {letter: position for position, letter in enumerate("ABCDEFGHIJKL", start=1)}
_BETWEEN = re.compile(r"[\s,;:/|]+")  # separators of pointers in one text
_NOTHING: tuple[object, ...] = (None, "", [])  # each counts as an entry, so that the length of any list is bounded
_EMPTY = IrregularValue(None, "empty entry dropped")
_SINGLE = IrregularValue(None, "single value read as a list")
_JOINED = IrregularValue(None, "several pointers in one text read as a list")
NO_CODE = IrregularValue(None, None, "code")
NO_OBJECT = IrregularValue(None, None, "object")
NO_LIST = IrregularValue(None, None, "list")
_NO_POINTER = IrregularValue(None, None, "pointer")
_NO_NUMBER = IrregularValue(None, None, "number")


def modifiers(raw: object) -> Any:
    """Modifiers in order, upper case; empty ones are dropped."""
    return () if raw == [] else read_list(raw, two_digits, NO_CODE, LONGEST_LIST)


def diagnosis_codes(raw: object) -> Any:
    """Diagnosis codes in order, upper case, without dots; empty ones are dropped."""
    return () if raw == [] else read_list(raw, diagnosis, NO_CODE, LONGEST_LIST)


def pointers(raw: object) -> Any:
    """Diagnosis positions from "1"; also as numbers, as letters A-L, alone, or in a list within the list.

    One text may hold several: letters as box 24E has them ("AB"), or numbers with something between them
    ("1,2").
    """
    if type(raw) is list and len(raw) <= LONGEST_LIST:
        try:
            return tuple([_POSITIONS[entry] for entry in raw])
        except (KeyError, TypeError):
            pass
    return read_list(raw, _pointer, _NO_POINTER, LONGEST_LIST, _pointers_in)


def bare_pointers(raw: object) -> IrregularList:
    """Pointers that were sent instead of the object that should hold them."""
    found = pointers(raw)
    values, odd = found if type(found) is IrregularList else (found, ())
    return IrregularList(values, (("", IrregularValue(None, "pointers read without their object")), *odd))


def line_numbers(raw: object) -> Any:
    """Whole numbers; whether these lines exist is checked later."""
    return read_list(raw, _line_number, _NO_NUMBER, MOST_LINES)


def _pointer(raw: object) -> Any:
    if type(raw) is int:
        return IrregularValue(raw, "number read as a position") if 0 < raw < 1000 else _NO_POINTER
    bare = raw.strip().upper() if type(raw) is str and len(raw) <= LONGEST_LIST else ""
    if bare in _LETTERS:
        return IrregularValue(_LETTERS[bare], "letter read as a position")
    digits = bare.lstrip("0") if bare.isascii() and bare.isdigit() else ""
    if not 0 < len(digits) < 4:
        return _NO_POINTER
    return int(digits) if digits == raw else IrregularValue(int(digits), "blanks or zeros removed")


def _pointers_in(raw: object) -> list[object]:
    """The pointers in one text, letters as numbers; none where the text does not hold several."""
    if type(raw) is not str or not 1 < len(raw) <= LONGEST_LIST:
        return []
    pieces = [piece for piece in _BETWEEN.split(raw.upper()) if piece]
    found: list[object] = [
        pointer
        for piece in pieces
        for pointer in ([str(_LETTERS[letter]) for letter in piece] if _LETTERS.keys() >= set(piece) else (piece,))
    ]
    return found if len(found) > 1 else []


def _line_number(raw: object) -> Any:
    if type(raw) is int:
        return raw
    bare = raw.strip() if type(raw) is str and len(raw) < 10 else ""
    return IrregularValue(int(bare), "text read as a number") if bare.isascii() and bare.isdigit() else _NO_NUMBER


def read_list(
    raw: object,
    read: Callable[[object], Any],
    unreadable: IrregularValue,
    longest: int,
    split: Callable[[object], list[object]] = lambda _: [],
) -> tuple[Any, ...] | IrregularList:
    """The entries of a list, of lists within it, or a single one; none of them when it is too long.

    `within` gives the entries in one text, where it holds several.
    """
    entries, odd = _entries(raw, longest, split)
    if len(entries) > longest:
        return IrregularList((), (("", unreadable),))
    values = []
    for suffix, entry in entries:
        found = _EMPTY if entry in _NOTHING else read(entry)
        if type(found) is IrregularValue:
            odd.append((suffix, found))
            found = found.value
        if found is not None:
            values.append(found)
    return IrregularList(tuple(values), tuple(odd)) if odd else tuple(values)


Entries = list[tuple[str, object]]


def _entries(
    raw: object, longest: int, split: Callable[[object], list[object]]
) -> tuple[Entries, list[tuple[str, IrregularValue]]]:
    """Entries with the suffixes of their pointers, up to the limit, and what was irregular about the list."""
    if type(raw) is not list:
        if raw == "":
            return [], []
        joined = split(raw)
        return [("", one) for one in joined or [raw]], [("", _JOINED if joined else _SINGLE)]
    entries: Entries = []
    odd = []
    for index, entry in enumerate(raw):
        if len(entries) > longest:
            break
        if type(entry) is list and entry:
            odd.append((f"/{index}", IrregularValue(None, "list within a list opened")))
            entries += [(f"/{index}/{position}", one) for position, one in enumerate(entry[: longest + 1])]
            continue
        joined = split(entry)
        if joined:
            odd.append((f"/{index}", _JOINED))
        entries += [(f"/{index}", one) for one in joined or [entry]]
    return entries, odd

"""Reads scalars of a body, and lists of them, into values, and notes what could not be read or was changed.

A reader takes one JSON value other than null and returns what it means: the plain value when it was sent as the v3
model says, else an `Odd` that holds what was understood and the change in our own fixed words, or what was expected.
No reader raises, and none keeps a value that it could not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from scrubber.claim.model import Normalised, Unreadable

Loaded = Mapping[str, Any]


class Notes:
    """Takes values out of what was loaded and keeps, in the order of reading, what was odd about them."""

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []
        self.normalised: list[Normalised] = []
        self.unmapped: list[str] = []
        self.moved: dict[str, str] = {}

    def take(self, loaded: Loaded, name: str, place: str, element: str | None, line: int | None = None) -> Any:
        """The value under `name`, or None. `place` is the pointer of what was loaded.

        An unreadable value of no `element` is only told as left out: no check looks for it.
        """
        value = loaded.get(name)
        if type(value) is Odd:
            return self.tell(value, f"{place}/{name}", element, line)
        return value

    def take_each(
        self,
        loaded: Loaded,
        names: Sequence[str],
        place: str,
        elements: Sequence[str | None],
        line: int | None = None,
    ) -> list[Any]:
        """The values under several names, as `take` and `take_several` give them; a list that is not there is None."""
        values = [*map(loaded.get, names)]
        types = [*map(type, values)]
        if Odd in types or Several in types:
            for index, (name, element) in enumerate(zip(names, elements, strict=True)):
                values[index] = self._told(values[index], f"{place}/{name}", element, line)
        return values

    def _told(self, value: Any, pointer: str, element: str | None, line: int | None) -> Any:
        if type(value) is Odd:
            return self.tell(value, pointer, element, line)
        if type(value) is not Several:
            return value
        for suffix, odd in value.odd:
            self.tell(odd, f"{pointer}{suffix}", element, line)
        return value.values

    def take_either(
        self,
        loaded: Loaded,
        name: str,
        older: str,
        place: str,
        element: str | None,
        line: int | None = None,
    ) -> Any:
        """The value under `name`, else the one under its `older` name; that one is unmapped when both are there."""
        if loaded.get(older) is None:
            return self.take(loaded, name, place, element, line)
        if loaded.get(name) is not None:
            self.unmapped.append(f"{place}/{older}")
            return self.take(loaded, name, place, element, line)
        self.change(f"{place}/{older}", f"{older} read as {name}")
        self.stands_at(f"{place}/{name}", f"{place}/{older}")
        return self.take(loaded, older, place, element, line)

    def take_several(
        self, loaded: Loaded, name: str, place: str, element: str, line: int | None = None
    ) -> tuple[Any, ...]:
        """The values of a list under `name`; () when there is none."""
        return self._told(loaded.get(name), f"{place}/{name}", element, line) or ()

    def tell(self, odd: Odd, pointer: str, element: str | None, line: int | None = None) -> Any:
        """Keep what was odd about a value; the value as understood."""
        if odd.expected is None:
            self.change(pointer, odd.change or "")
        elif element is None:
            self.change(pointer, f"unreadable {odd.expected} left out")
        else:
            self.unreadable.append(Unreadable(element, odd.expected, pointer, line))
        return odd.value

    def stands_at(self, pointer: str, sent: str) -> None:
        """What has `pointer` by the names of the model stands at `sent` in the body."""
        self.moved[pointer] = sent

    def change(self, pointer: str, change: str) -> None:
        """Something was understood although it was not sent as the model says."""
        self.normalised.append(Normalised(pointer, change))


LONGEST_TEXT = 1_000  # characters
LONGEST_CODE = 60  # no code or ZIP code comes near; processes remember look-ups of them, so they are bounded
LONGEST_STATEMENT = 10_000  # characters of a passage from a report
NUMBER_AS_TEXT = "number read as text"
_LARGEST_WHOLE = 10**15  # beyond it a JSON number is no code or identifier


class Odd(NamedTuple):
    """A scalar not sent as the model says. `change` says how it was understood; else `expected` what was not found."""

    value: Any
    change: str | None
    expected: str | None = None


class Several(NamedTuple):
    """A list of scalars with odd ones among them: what was understood, and each odd one under its pointer suffix."""

    values: tuple[Any, ...]
    odd: tuple[tuple[str, Odd], ...]


Reader = Callable[[object], Any]
Step = tuple[str, Callable[[str], str]]

_BLANKS: Step = ("surrounding blanks removed", str.strip)
_UPPER: Step = ("upper case", str.upper)
_DOT: Step = ("dot removed", lambda text: text.replace(".", ""))


def _unreadable(expected: str) -> Odd:
    return Odd(None, None, expected)


_NO_DATE = _unreadable("date")


def _without_dashes(text: str) -> str:
    bare = text.replace("-", "").replace(" ", "")
    return bare if bare.isascii() and bare.isdigit() else text


_DASHES: Step = ("dashes removed", _without_dashes)


_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SHORT = frozenset(a + b for a in ("", *_CHARACTERS) for b in _CHARACTERS)  # one or two: most codes


def _words(
    expected: str, regular: str, *steps: Step, widths: tuple[int, ...] = (), truth: tuple[str, str] | None = None
) -> Reader:
    """A reader of texts: as they are when they match `regular`, else through `steps`.

    A JSON number becomes text, its leading zeros restored up to the next of `widths`; `truth` are the words for
    true and false where the model has a code for yes and no.
    """
    matches = re.compile(regular, re.ASCII).fullmatch

    def read(raw: object) -> Any:
        if type(raw) is str:
            return raw if raw in _SHORT or matches(raw) else _through(raw, [], steps, expected)
        if type(raw) is int and 0 <= raw < _LARGEST_WHOLE:
            return _through(_padded(str(raw), widths), [NUMBER_AS_TEXT], steps, expected)
        if type(raw) is bool and truth:
            return Odd(truth[0] if raw else truth[1], "boolean read as a code")
        return _unreadable(expected)

    return read


def _padded(digits: str, widths: tuple[int, ...]) -> str:
    return digits.zfill(next((width for width in widths if len(digits) <= width), 0))


def _through(text: str, changes: list[str], steps: tuple[Step, ...], expected: str) -> Any:
    if len(text) > (LONGEST_CODE if expected == "code" else LONGEST_TEXT):
        return _unreadable(expected)
    for change, step in steps:
        changed = step(text)
        if changed != text:
            changes.append(change)
        text = changed
    return Odd(text or None, ", ".join(changes)) if changes else text or None


_any_text = _words("text", r"\S", _BLANKS)


def text(raw: object) -> Any:
    """A text of one line or several, without the blanks around it."""
    if type(raw) is str and raw.isprintable() and raw == raw.strip() and 0 < len(raw) <= LONGEST_TEXT:
        return raw
    return _any_text(raw)


dashed_digits = _words("text", r"\d{1,20}", _BLANKS, _DASHES)
zip_code = _words("code", r"\d{5}|\d{9}", _BLANKS, _DASHES, widths=(5, 9))
code = _words("code", r"[A-Z0-9]{1,40}", _BLANKS, _UPPER)
_SEXES = {"FEMALE": "F", "MALE": "M", "UNKNOWN": "U"}
sex = _words("code", r"[A-Z]", _BLANKS, _UPPER, ("first letter", lambda text: _SEXES.get(text, text)))
two_digits = _words("code", r"[A-Z0-9]{2}", _BLANKS, _UPPER, widths=(2,))
procedure = _words("code", r"[A-Z0-9]{5}", _BLANKS, _UPPER, widths=(5,))
yes_no_code = _words("code", r"[A-Z]", _BLANKS, _UPPER, truth=("Y", "N"))
diagnosis = _words("code", r"[A-Z0-9]{3,7}", _BLANKS, _UPPER, _DOT)
word = _words("code", r"[a-z-]{1,40}", _BLANKS, ("lower case", str.lower))


_SMALL = {str(whole): Decimal(whole) for whole in range(1, 100)}  # most units


def _decimal(expected: str, most_float_places: int) -> Reader:
    """A reader of numbers without exponent: digits, at most six places, a minus that is not before zero.

    A JSON number is read by its shortest exact text; one with more places than it may have is a rounding artefact.
    """
    regular = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII).fullmatch
    from_float = re.compile(rf"-?\d{{1,12}}(?:\.\d{{1,{most_float_places}}})?", re.ASCII).fullmatch
    unreadable = _unreadable(expected)

    def exact(raw: str) -> Any:
        value = Decimal(raw)
        return unreadable if raw[0] == "-" and not value else value

    def read(raw: object) -> Any:
        if type(raw) is str:
            return _SMALL.get(raw) or (exact(raw) if regular(raw) else bare(raw))
        if type(raw) is int and abs(raw) < 10**12:
            return Odd(Decimal(raw), NUMBER_AS_TEXT)
        value = exact(repr(raw)) if type(raw) is float and from_float(repr(raw)) else unreadable
        return value if value is unreadable else Odd(value, NUMBER_AS_TEXT)

    def bare(raw: str) -> Any:
        stripped = raw.strip() if len(raw) <= LONGEST_TEXT else raw
        value = exact(stripped) if regular(stripped) else unreadable
        if not stripped or value is unreadable:
            return value if stripped else None
        return Odd(value, _BLANKS[0])

    return read


amount = _decimal("amount", 2)
number = _decimal("number", 6)

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
    return Odd(found, change) if found else _NO_DATE


def _day_with_blanks(bare: str) -> Odd:
    found = day(bare)
    value = found.value if type(found) is Odd else found
    return _NO_DATE if found is _NO_DATE else Odd(value, _BLANKS[0])


def _calendar_day(digits: str) -> date | None:
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def days(raw: object) -> Any:
    """A date, or a range CCYYMMDD-CCYYMMDD, which is odd and holds a pair of dates."""
    match = _RANGE(raw) if type(raw) is str and len(raw) == 17 else None
    if match is None:
        return day(raw)
    first, last = _calendar_day(match[1]), _calendar_day(match[2])
    return Odd((first, last), "range of dates split in two") if first and last else _NO_DATE


_TRUTH = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


def flag(raw: object) -> Any:
    """True or false; also the words for it."""
    if type(raw) is bool:
        return raw
    truth = _TRUTH.get(raw.strip().lower()) if type(raw) is str and len(raw) < 20 else None
    if truth is not None:
        return Odd(truth, "text read as true or false")
    return None if type(raw) is str and not raw.strip() else _unreadable("code")


def flag_statement(raw: object) -> Any:
    """Like `flag`, as the text "true" or "false"."""
    truth = flag(raw)
    if type(truth) is bool:
        return "true" if truth else "false"
    if type(truth) is Odd and truth.change:
        return Odd("true" if truth.value else "false", truth.change)
    return truth


def statement(raw: object) -> Any:
    """What a report says, as text; None when it says nothing. Numbers by their exact text."""
    if type(raw) is str and len(raw) <= LONGEST_STATEMENT:
        return raw.strip() or None
    if type(raw) is bool:
        return "true" if raw else "false"
    if type(raw) is float or (type(raw) is int and abs(raw) < _LARGEST_WHOLE):
        return repr(raw)
    return _unreadable("text")


def _one_of(regular: str) -> Reader:
    """A reader of lower-case words that match `regular`."""
    known = re.compile(regular, re.ASCII).fullmatch

    def read(raw: object) -> Any:
        found = word(raw)
        value = found.value if type(found) is Odd else found
        return found if value is None or known(value) else _unreadable("code")

    return read


locality = _one_of(r"\d{5}-\d{2}|national")
participation = _one_of("par|nonpar")


LONGEST_LIST = 50  # modifiers, pointers: far beyond what a line may have
MOST_LINES = 1_000

_POSITIONS = {str(position): position for position in range(1, 13)}
_LETTERS = {letter: position for position, letter in enumerate("ABCDEFGHIJKL", start=1)}
_BETWEEN = re.compile(r"[\s,;:/|]+")  # what senders put between pointers in one text
_NOTHING: tuple[object, ...] = (None, "", [])  # each counts as an entry, so that any list has an end
_EMPTY = Odd(None, "empty entry dropped")
_SINGLE = Odd(None, "single value read as a list")
_TOGETHER = Odd(None, "several pointers in one text read as a list")
_NO_CODE = Odd(None, None, "code")
_NO_POINTER = Odd(None, None, "pointer")
_NO_NUMBER = Odd(None, None, "number")


def modifiers(raw: object) -> Any:
    """Modifiers in order, upper case; empty ones are dropped."""
    return () if raw == [] else _several(raw, two_digits, _NO_CODE, LONGEST_LIST)


def pointers(raw: object) -> Any:
    """Diagnosis positions from "1"; also as numbers, as letters A-L, alone, or in a list within the list.

    Several may stand in one text: letters as box 24E has them ("AB"), or numbers with something between them ("1,2").
    """
    if type(raw) is list and len(raw) <= LONGEST_LIST:
        try:
            return tuple([_POSITIONS[entry] for entry in raw])
        except (KeyError, TypeError):
            pass
    return _several(raw, _pointer, _NO_POINTER, LONGEST_LIST, _pointers_in)


def bare_pointers(raw: object) -> Several:
    """Pointers that stand where the object that should hold them belongs."""
    found = pointers(raw)
    values, odd = found if type(found) is Several else (found, ())
    return Several(values, (("", Odd(None, "pointers read without their object")), *odd))


def line_numbers(raw: object) -> Any:
    """Whole numbers; which lines there are is not known here."""
    return _several(raw, _line_number, _NO_NUMBER, MOST_LINES)


def _pointer(raw: object) -> Any:
    if type(raw) is int:
        return Odd(raw, "number read as a position") if 0 < raw < 1000 else _NO_POINTER
    bare = raw.strip().upper() if type(raw) is str and len(raw) <= LONGEST_LIST else ""
    if bare in _LETTERS:
        return Odd(_LETTERS[bare], "letter read as a position")
    digits = bare.lstrip("0") if bare.isascii() and bare.isdigit() else ""
    if not 0 < len(digits) < 4:
        return _NO_POINTER
    return int(digits) if digits == raw else Odd(int(digits), "blanks or zeros removed")


def _pointers_in(raw: object) -> list[object]:
    """The pointers that stand in one text, letters as numbers; none where it is no text of several."""
    if type(raw) is not str or not 1 < len(raw) <= LONGEST_LIST:
        return []
    parts = [part for part in _BETWEEN.split(raw.upper()) if part]
    found: list[object] = [
        pointer
        for part in parts
        for pointer in ([str(_LETTERS[letter]) for letter in part] if _LETTERS.keys() >= set(part) else (part,))
    ]
    return found if len(found) > 1 else []


def _line_number(raw: object) -> Any:
    if type(raw) is int:
        return raw
    bare = raw.strip() if type(raw) is str and len(raw) < 10 else ""
    return Odd(int(bare), "text read as a number") if bare.isascii() and bare.isdigit() else _NO_NUMBER


def _several(
    raw: object,
    read: Callable[[object], Any],
    unreadable: Odd,
    longest: int,
    within: Callable[[object], list[object]] = lambda _: [],
) -> tuple[Any, ...] | Several:
    """The entries of a list, of lists within it, or a single one; nothing of it when it is too long.

    `within` gives the entries that stand in one text, where there are several.
    """
    entries, odd = _opened(raw, longest, within)
    if len(entries) > longest:
        return Several((), (("", unreadable),))
    values = []
    for suffix, entry in entries:
        found = _EMPTY if entry in _NOTHING else read(entry)
        if type(found) is Odd:
            odd.append((suffix, found))
            found = found.value
        if found is not None:
            values.append(found)
    return Several(tuple(values), tuple(odd)) if odd else tuple(values)


Places = list[tuple[str, object]]


def _opened(
    raw: object, longest: int, within: Callable[[object], list[object]]
) -> tuple[Places, list[tuple[str, Odd]]]:
    """Entries with the suffixes of their pointers, until there are too many, and what was odd about the list."""
    if type(raw) is not list:
        if raw == "":
            return [], []
        together = within(raw)
        return [("", one) for one in together or [raw]], [("", _TOGETHER if together else _SINGLE)]
    entries: Places = []
    odd = []
    for index, entry in enumerate(raw):
        if len(entries) > longest:
            break
        if type(entry) is list and entry:
            odd.append((f"/{index}", Odd(None, "list within a list opened")))
            entries += [(f"/{index}/{position}", one) for position, one in enumerate(entry[: longest + 1])]
            continue
        together = within(entry)
        if together:
            odd.append((f"/{index}", _TOGETHER))
        entries += [(f"/{index}", one) for one in together or [entry]]
    return entries, odd

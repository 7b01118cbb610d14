"""Step 1b of a claim's path: a list of scalars -> their values, the odd ones marked by their place in the list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scrubber.intake.normalise import Odd, Several, two_digits

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

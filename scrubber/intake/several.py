"""Step 1b of a claim's path: a list of scalars -> their values, the odd ones marked by their place in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scrubber.intake.normalise import Odd, Several, two_digits

LONGEST_LIST = 50  # modifiers, pointers: far beyond what a line may have
MOST_LINES = 1_000

_POSITIONS = {str(position): position for position in range(1, 13)}
_LETTERS = {letter: position for position, letter in enumerate("ABCDEFGHIJKL", start=1)}
_NOTHING: tuple[object, ...] = (None, "", [])  # each counts as an entry, so that any list has an end
_EMPTY = Odd(None, "empty entry dropped")
_NO_CODE = Odd(None, None, "code")
_NO_POINTER = Odd(None, None, "pointer")
_NO_NUMBER = Odd(None, None, "number")


def modifiers(raw: object) -> Any:
    """Modifiers in order, upper case; empty ones are dropped."""
    return () if raw == [] else _several(raw, two_digits, _NO_CODE, LONGEST_LIST)


def pointers(raw: object) -> Any:
    """Diagnosis positions from "1"; also as numbers, as letters A-L, alone, or in a list within the list."""
    if type(raw) is list and len(raw) <= LONGEST_LIST:
        try:
            return tuple([_POSITIONS[entry] for entry in raw])
        except (KeyError, TypeError):
            pass
    return _several(raw, _pointer, _NO_POINTER, LONGEST_LIST)


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


def _line_number(raw: object) -> Any:
    if type(raw) is int:
        return raw
    bare = raw.strip() if type(raw) is str and len(raw) < 10 else ""
    return Odd(int(bare), "text read as a number") if bare.isascii() and bare.isdigit() else _NO_NUMBER


def _several(raw: object, read: Callable[[object], Any], unreadable: Odd, longest: int) -> tuple[Any, ...] | Several:
    """The entries of a list, of lists within it, or a single one; nothing of it when it is too long."""
    entries, odd = _opened(raw, longest)
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


def _opened(raw: object, longest: int) -> tuple[list[tuple[str, object]], list[tuple[str, Odd]]]:
    """Entries with the suffixes of their pointers, until there are too many, and what was odd about the list."""
    if type(raw) is not list:
        return ([], []) if raw == "" else ([("", raw)], [("", Odd(None, "single value read as a list"))])
    entries: list[tuple[str, object]] = []
    odd = []
    for index, entry in enumerate(raw):
        if len(entries) > longest:
            break
        if type(entry) is list and entry:
            odd.append((f"/{index}", Odd(None, "list within a list opened")))
            entries += [(f"/{index}/{position}", one) for position, one in enumerate(entry[: longest + 1])]
        else:
            entries.append((f"/{index}", entry))
    return entries, odd

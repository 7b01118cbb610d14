"""Finds names that occur more than once in one object of a body, which parsing alone would hide.

Nearly every body repeats no name, and that is seen without parsing it again: in JSON each name is followed by a quote
and a colon, and the parsed body, serialised again, has as many.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson

from scrubber.claim.model import Normalised
from scrubber.claim.v3.schema import NAME, UNREADABLE_NAME
from scrubber.errors import NotAClaim, Problem

MOST_REPORTED = 200
MOST_LEVELS = 254  # of nested objects and lists that orjson serialises; it parses 1,024. A claim has ten
CHANGE = "this name stands more than once here: the last one was read"
_BLANKS = b" \t\r\n"
_QUOTE_ESCAPED = b"\\u0022"


def repeated_names(data: bytes, body: object) -> tuple[Normalised, ...]:
    """An entry for each name that repeats in `data`, which was parsed as `body`.

    Raises NotAClaim for a body that is nested too deeply: reading goes through it recursively.
    """
    if _none_repeats(data, body):
        return ()
    try:
        found = json.loads(data, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:  # json is stricter than orjson, which parsed the body
        return (Normalised("", CHANGE),)
    pointers: list[str] = []
    _gather(found, "", pointers)
    return tuple([Normalised(pointer, CHANGE) for pointer in pointers[:MOST_REPORTED]])


def _none_repeats(data: bytes, body: object) -> bool:
    try:
        again = orjson.dumps(body)
    except TypeError:  # too deep: the only body that orjson parses and does not serialise
        raise NotAClaim((Problem("", f"must be nested at most {MOST_LEVELS} levels deep"),)) from None
    return again == data or (_QUOTE_ESCAPED not in data and _names(data) == _names(again))


def _names(data: bytes) -> int:
    """How many names there are, and how many texts in which a quote and a colon follow each other."""
    return data.translate(None, _BLANKS).count(b'":')


class _Pairs:
    """An object with all its pairs of name and value, also the repeated ones."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _gather(node: object, pointer: str, pointers: list[str]) -> None:
    if isinstance(node, list):
        for index, entry in enumerate(node):
            _gather(entry, f"{pointer}/{index}", pointers)
    if not isinstance(node, _Pairs):
        return
    last = dict(node.pairs)
    if len(last) < len(node.pairs):
        counts = Counter(name for name, _ in node.pairs)
        repeated = sorted(name for name, count in counts.items() if count > 1)
        pointers += dict.fromkeys(f"{pointer}/{name if NAME(name) else UNREADABLE_NAME}" for name in repeated)
    for name, value in last.items():
        _gather(value, f"{pointer}/{name}", pointers)

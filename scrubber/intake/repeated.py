"""Step 0 of a claim's path: names that stand twice in one object of a body. The last of them holds, and it is told."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import orjson

from scrubber.claim import Normalised
from scrubber.errors import NotAClaim, Problem
from scrubber.intake.naming import NAME, UNREADABLE_NAME

MOST_TOLD = 200
MOST_LEVELS = 254  # of objects and lists in each other, which orjson writes; it reads 1,024. A claim has ten
CHANGE = "this name stands more than once here: the last one was read"
_BLANKS = b" \t\r\n"
_QUOTE_ESCAPED = b"\\u0022"


def repeated_names(data: bytes, body: object) -> tuple[Normalised, ...]:
    """What is to be told of names that repeat in `data`, which was parsed as `body`.

    Raises NotAClaim for a body that is nested too deeply to be read on: what is in it is followed level by level.

    Nearly every body repeats none, and that is seen without parsing it again: each name has a quote and a colon after
    it, and what was parsed, written anew, has as many.
    """
    if _none_repeats(data, body):
        return ()
    try:
        found = json.loads(data, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:  # it is stricter than the parser that read the body
        return (Normalised("", CHANGE),)
    pointers: list[str] = []
    _gather(found, "", pointers)
    return tuple([Normalised(pointer, CHANGE) for pointer in pointers[:MOST_TOLD]])


def _none_repeats(data: bytes, body: object) -> bool:
    try:
        again = orjson.dumps(body)
    except TypeError:  # the only thing that it reads and does not write
        raise NotAClaim((Problem("", f"must be nested at most {MOST_LEVELS} levels deep"),)) from None
    return again == data or (_QUOTE_ESCAPED not in data and _names(data) == _names(again))


def _names(data: bytes) -> int:
    """How many names there are, and how many texts in which a quote and a colon follow each other."""
    return data.translate(None, _BLANKS).count(b'":')


class _Pairs:
    """An object as it was written: names, each with its value, those that repeat among them."""

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

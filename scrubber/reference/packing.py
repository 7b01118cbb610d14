"""Look-ups of facts and money: the rows of a key as bytes, for every place that keeps more than memory holds.

Rows of most tables are JSON, one a line, so that rows of one key are put behind each other. Dates are ISO text,
Decimals text; texts that many rows share (`source`, `rationale`) are numbers, kept once a part. PTP edits, of which
there are millions, are packed by `ptp_packing`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import orjson

SHARED_TEXTS = ("source", "rationale")

Texts = Mapping[int, str]
Convert = Callable[[Any], Any]


class TextNumbers:
    """Numbers of shared texts, given as they come up."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text, from 0 on."""
        return self.numbers.setdefault(text, len(self.numbers))


def pack_row(row: NamedTuple, texts: TextNumbers) -> bytes:
    """A row as one line of JSON."""
    cells: list[Any] = list(row)
    for position, kind in _columns(type(row)):
        if kind == "text":
            cells[position] = texts.number(cells[position])
        elif kind is Decimal and cells[position] is not None:
            cells[position] = str(cells[position])
    return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)


def unpack_lines(row_type: type[NamedTuple], packed: bytes, texts: Texts) -> tuple[Any, ...]:
    """The rows in lines of JSON, in their order."""
    return tuple(_unpack(row_type, orjson.loads(line), texts) for line in packed.splitlines())


def _unpack(row_type: type[NamedTuple], cells: list[Any], texts: Texts) -> Any:
    for position, kind in _columns(row_type):
        if kind == "text":
            cells[position] = texts[cells[position]]
        elif cells[position] is not None:
            cells[position] = _LOAD[kind](cells[position])
    return row_type._make(cells)


_LOAD: Mapping[Any, Convert] = {date: date.fromisoformat, Decimal: Decimal, tuple: tuple}


@cache
def _columns(row_type: type[NamedTuple]) -> tuple[tuple[int, Any], ...]:
    """Position and kind of the columns that JSON does not hold as they are."""
    hints = get_type_hints(row_type)
    kinds = ("text" if name in SHARED_TEXTS else _kind(hints[name]) for name in row_type._fields)
    return tuple((position, kind) for position, kind in enumerate(kinds) if kind == "text" or kind in _LOAD)


def _kind(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not types.NoneType)
    return tuple if getattr(hint, "__origin__", None) is tuple else hint

"""Parses a body as JSON, or reports the line and column of the first fault."""

from __future__ import annotations

import orjson

from scrubber.errors import NotAClaim, NotJson, Problem

MOST_CONTAINERS = 100_000  # objects and lists; a claim of 1,000 lines has about 10,000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_json(data: bytes) -> object:
    """Parse UTF-8 JSON; of repeated keys the last wins. Numbers beyond 64 bits become floats.

    Raises NotJson with the position of the first fault: bad syntax, NaN or Infinity, bad UTF-8, a lone surrogate, a
    number beyond a float, more than 1,024 levels. Raises NotAClaim, before any parsing, for a body of so many objects
    and lists that it would take seconds and gigabytes.
    """
    if len(data) > MOST_CONTAINERS and data.count(b"[") + data.count(b"{") > MOST_CONTAINERS:
        raise NotAClaim((Problem("", f"must have at most {MOST_CONTAINERS} objects and lists"),))
    if data.startswith(_BYTE_ORDER_MARK):  # some systems write one before their exports
        data = b"   " + data[len(_BYTE_ORDER_MARK) :]
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        offset = error.pos
    raise _not_json(data, offset)  # outside the handler: the parser's error holds the body


def _not_json(data: bytes, characters: int) -> NotJson:
    """The fault after so many characters, or at the first byte that is not UTF-8 where the parser has no position."""
    try:
        before = data.decode()[:characters]
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return NotJson(len(before.encode()), line, column)

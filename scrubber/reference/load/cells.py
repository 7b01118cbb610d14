"""Before any claim: cells of published files, turned into values, each with a plain word when it cannot be."""

from __future__ import annotations

import re
from datetime import date, timedelta

_NPI = re.compile(r"[12][0-9]{9}")


class BadCell(ValueError):
    """A cell that cannot be read: its column and what was expected, never what it held."""

    def __init__(self, column: str, expected: str) -> None:
        self.column = column
        self.expected = expected
        super().__init__(f"{column}: {expected}")


def compact_day(cell: str, column: str) -> date | None:
    """A day written 20250131; blank: None."""
    return _day(cell, column, r"([0-9]{4})([0-9]{2})([0-9]{2})", "20250131")


def iso_day(cell: str, column: str) -> date | None:
    """A day written 2025-01-31, with or without a time behind it; blank: None."""
    return _day(cell, column, r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T][0-9:.]+)?", "2025-01-31")


def us_day(cell: str, column: str) -> date | None:
    """A day written 01/31/2025; blank: None."""
    turned = re.sub(r"^([0-9]{2})/([0-9]{2})/([0-9]{4})$", r"\3-\1-\2", cell)
    if cell and turned == cell:
        raise BadCell(column, "expected a day such as 01/31/2025")
    return iso_day(turned, column)


def day_after(last: date | None) -> date | None:
    """The first day no longer in force, of a published last day; the end of the calendar stands for no end."""
    return None if last is None or last.year == date.max.year else last + timedelta(days=1)


def npi(cell: str, column: str = "NPI") -> str:
    """An NPI: ten digits, the first 1 or 2."""
    if not _NPI.fullmatch(cell):
        raise BadCell(column, "expected ten digits, the first of them 1 or 2")
    return cell


def matching(cell: str, pattern: re.Pattern[str], column: str, expected: str) -> str:
    """The cell, if all of it matches."""
    if not pattern.fullmatch(cell):
        raise BadCell(column, f"expected {expected}")
    return cell


def _day(cell: str, column: str, pattern: str, example: str) -> date | None:
    if not cell:
        return None
    parts = re.fullmatch(pattern, cell)
    if parts is None:
        raise BadCell(column, f"expected a day such as {example}")
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        raise BadCell(column, "is no day of the calendar") from None

"""Before any claim: the quarters that NCCI releases are named by."""

from __future__ import annotations

import re
from datetime import date

from scrubber.reference.load.format import Stated

_is_quarter = re.compile(r"([0-9]{4})Q([1-4])").fullmatch


def quarter_named(name: str) -> Stated:
    """The days of a release named like 2026Q3; nothing for other names."""
    found = _is_quarter(name)
    return quarter(int(found[1]), int(found[2])) if found else Stated()


def quarter(year: int, number: int) -> Stated:
    """A quarter's name, first day, and first day after it."""
    since = date(year, 3 * number - 2, 1)
    until = date(year + number // 4, (3 * number) % 12 + 1, 1)
    return Stated(f"{year}Q{number}", since, until)

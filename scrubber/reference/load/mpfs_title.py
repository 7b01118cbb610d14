"""Before any claim: what the title rows of a physician fee schedule file say of its release, and what they do not.

The title names year and month: RVU25A is January, B April, C July, D October. Its days are that quarter's, for the next
release brings later changes. A correction (RVU24AR) has the title of what it corrects; that, and a title with another
month, is for the operator to name.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from scrubber.reference.load.cells import BadCell, us_day
from scrubber.reference.load.format import Source, Stated
from scrubber.reference.load.quarters import quarter
from scrubber.reference.load.sheets import first_lines

QUARTERS = {"January": ("A", 1), "April": ("B", 2), "July": ("C", 3), "October": ("D", 4)}
TITLE = re.compile(r"(20[0-9]{2}) National Physician Fee Schedule Relative Value File (\w+) Release", re.IGNORECASE)
RELEASED = re.compile(r"RELEASED ([0-9]{2}/[0-9]{2}/[0-9]{4})", re.IGNORECASE)


class Title(NamedTuple):
    """Calendar year, release with its days, and the day it was published; None: not said."""

    year: int | None
    stated: Stated
    released: date | None

    @property
    def citation(self) -> str:
        """The source of every row of the file."""
        name = self.stated.name or "physician fee schedule relative value file"
        return f"CMS {name}, released {self.released}" if self.released else f"CMS {name}"


def read_title(source: Source) -> Title:
    """The title of a file, as far as it has one."""
    text = first_lines(source)
    found = TITLE.search(text)
    if found is None:
        return Title(None, Stated(), _released(text))
    year = int(found[1])
    return Title(year, _quarter(year, found[2].capitalize()), _released(text))


def _quarter(year: int, month: str) -> Stated:
    if month not in QUARTERS:
        return Stated()
    letter, number = QUARTERS[month]
    return quarter(year, number)._replace(name=f"RVU{year % 100:02}{letter}")


def _released(text: str) -> date | None:
    found = RELEASED.search(text)
    try:
        return us_day(found[1], "RELEASED") if found else None
    except BadCell:
        return None

"""Before any claim: reads a list of claim adjustment group, reason and remark codes with their days.

X12 publishes the codes, and their texts are X12's: no column but the code, its type and its days is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from scrubber.reference.load.cells import iso_day
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.sheets import Cells, Shape, csv_rows, has_line_with, made, named_exactly, table, taken
from scrubber.reference.rows import AdjustmentCode

COLUMNS = named_exactly("code", "type", "start_date", "end_date")
KINDS: dict[str, Literal["group", "carc", "rarc"]] = {"GROUP": "group", "CARC": "carc", "RARC": "rarc"}
ADJUSTMENT_CODE = Shape(re.compile(r"[A-Z]{0,2}[0-9]{0,4}(?<=.)"), "an adjustment code such as 97, CO or N115")
KIND = Shape(re.compile("|".join(KINDS), re.IGNORECASE), "Group, CARC or RARC")
CITATION = "X12 claim adjustment codes"


def stated(source: Source) -> Stated:  # noqa: ARG001 (what every reader is asked)
    """Nothing: the list names neither a date nor a release."""
    return Stated()


def read(source: Source) -> Iterator[NamedTuple]:
    """An AdjustmentCode a row. X12 stops a code on its end date: that day it is no longer to be used."""
    return made(table(csv_rows(source), COLUMNS), _row)


def _row(cells: Cells) -> AdjustmentCode:
    return AdjustmentCode(
        code=taken(cells, "code", ADJUSTMENT_CODE),
        kind=KINDS[taken(cells, "type", KIND).upper()],
        since=iso_day(cells["start_date"], "start_date"),
        until=iso_day(cells["end_date"], "end_date"),
        source=CITATION,
    )


def recognise(head: bytes) -> bool:
    """Whether a header of adjustment codes is in it."""
    return has_line_with(head, b"CODE,", b"TYPE,", b"START_DATE", b"END_DATE")


FORMATS = (Format("adjustment-codes", "claim adjustment codes and their days (csv)", recognise, stated, read),)

"""Before any claim: reads CMS's list of providers who may order and refer: NPI and flags; names are not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import NamedTuple

from scrubber.reference.load.cells import BadCell, npi
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.lines import begins_with, records
from scrubber.reference.rows import OrderingProvider

SOURCE = "CMS Order and Referring"
HEADER = ("NPI", "LAST_NAME", "FIRST_NAME", "PARTB", "DME", "HHA", "PMD", "HOSPICE")
FLAGS = HEADER[3:]
_day_in_name = re.compile(r"(20[0-9]{2})-?([0-9]{2})-?([0-9]{2})(?![0-9])").search


def _row(cells: Sequence[str]) -> OrderingProvider:
    flags = [_flag(cell, column) for cell, column in zip(cells[1:], FLAGS, strict=True)]
    part_b, equipment, home_health, power_mobility, hospice = flags
    return OrderingProvider(npi(cells[0]), part_b, equipment, home_health, power_mobility, hospice, None, None, SOURCE)


def _flag(cell: str, column: str) -> bool:
    if cell not in ("Y", "N"):
        raise BadCell(column, "expected Y or N")
    return cell == "Y"


def _read(source: Source) -> Iterator[NamedTuple]:
    return records(source, HEADER, ("NPI", *FLAGS), _row)


def _recognise(head: bytes) -> bool:
    return begins_with(head, HEADER[:3])


def _stated(source: Source) -> Stated:
    """Only the name that the file is published under (OrderReferring_20261116.csv) tells its day."""
    named = _day_in_name(PurePosixPath(source.name).name)
    try:
        day = date(int(named[1]), int(named[2]), int(named[3])) if named else None
    except ValueError:
        day = None
    return Stated(day.isoformat(), day) if day else Stated()


FORMATS = (Format("order-referring", "Order and Referring csv", _recognise, _stated, _read),)

"""Before any claim: reads HCPCS Level II as CMS publishes it (ANWEB), csv or fixed width, procedures and modifiers.

Descriptions are dropped. A code whose description fills several lines has several records, of which the first counts.
TERM DT is the last day on which a code may be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import NamedTuple

from scrubber.reference.load.cells import BadCell, compact_day, day_after, matching
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.lines import begins_with, fixed_lines, records
from scrubber.reference.load.quarters import quarter
from scrubber.reference.rows import HcpcsCode, HcpcsModifier

KIND = "hcpcs"
SOURCE = "CMS HCPCS Level II"
HEADER = (
    "HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1", "PRICE2", "PRICE3", "PRICE4",
    "MULT_PI", "CIM1", "CIM2", "CIM3", "MCM1", "MCM2", "MCM3", "STATUTE", "LABCERT1", "LABCERT2", "LABCERT3",
    "LABCERT4", "LABCERT5", "LABCERT6", "LABCERT7", "LABCERT8", "XREF1", "XREF2", "XREF3", "XREF4", "XREF5", "COV",
    "ASC_GRP", "ASC_DT", "OPPS", "OPPS_PI", "OPPS_DT", "PROCNOTE", "BETOS", "TOS1", "TOS2", "TOS3", "TOS4", "TOS5",
    "ANEST_BU", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD",
)  # fmt: skip
WANTED = ("HCPC", "RECID", "ADD DT", "TERM DT")
# Characters of the fixed-width record, from 0: code, record id, date added, date terminated.
PLACES = (slice(0, 5), slice(10, 11), slice(268, 276), slice(284, 292))
NEEDED_WIDTH = 292
MONTHS = {"JAN": 1, "APR": 2, "JUL": 3, "OCT": 4}
PROCEDURE, MODIFIER, CONTINUED = "3", "7", ("4", "8")
_CODE = re.compile(r"[A-Z][0-9]{4}")
_MODIFIER = re.compile(r"[A-Z0-9]{2}")
_fixed_line = re.compile(rb"(?:[A-Z][0-9]{4}|   [A-Z0-9]{2})[0-9]{5}[3478].{100}").match
_published_name = re.compile(r"HCPC(20[0-9]{2})_(JAN|APR|JUL|OCT)", re.IGNORECASE).search


def _row(cells: Sequence[str]) -> HcpcsCode | HcpcsModifier | None:
    code, record, added, ended = cells
    if record in CONTINUED:
        return None
    since, until = compact_day(added, "ADD DT"), day_after(compact_day(ended, "TERM DT"))
    if since and until and until <= since:  # withdrawn before its first day
        return None
    return _typed(code, record, since, until)


def _typed(code: str, record: str, since: date | None, until: date | None) -> HcpcsCode | HcpcsModifier:
    if record == PROCEDURE:
        expected = "a procedure code of a letter and four digits"
        return HcpcsCode(matching(code, _CODE, "HCPC", expected), since, until, SOURCE)
    if record == MODIFIER:
        expected = "a modifier of two letters or digits"
        return HcpcsModifier(matching(code, _MODIFIER, "HCPC", expected), since, until, SOURCE)
    raise BadCell("RECID", "expected 3, 4, 7 or 8")


def _read_csv(source: Source) -> Iterator[NamedTuple]:
    return records(source, HEADER, WANTED, _row)


def _read_fixed(source: Source) -> Iterator[NamedTuple]:
    return fixed_lines(source, _cut)


def _cut(cells: Sequence[str]) -> HcpcsCode | HcpcsModifier | None:
    (line,) = cells
    if line[PLACES[1]] in CONTINUED:
        return None
    if len(line) < NEEDED_WIDTH:
        raise BadCell("TERM DT", f"has {len(line)} characters where at least {NEEDED_WIDTH} are expected")
    return _row([line[place].strip() for place in PLACES])


def _recognise_csv(head: bytes) -> bool:
    return begins_with(head, HEADER[:4])


def _recognise_fixed(head: bytes) -> bool:
    return _fixed_line(head) is not None


def _stated(source: Source) -> Stated:
    """Only the name that the file is published under (HCPC2026_OCT_ANWEB.csv) tells its quarter."""
    named = _published_name(PurePosixPath(source.name).name)
    return quarter(int(named[1]), MONTHS[named[2].upper()]) if named else Stated()


FORMATS = (
    Format(KIND, "HCPCS Level II csv (ANWEB)", _recognise_csv, _stated, _read_csv),
    Format(KIND, "HCPCS Level II fixed-width text (ANWEB)", _recognise_fixed, _stated, _read_fixed),
)

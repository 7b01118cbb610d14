"""Before any claim: reads ICD-10-CM code lists as CDC and CMS publish them; descriptions are dropped.

The code list has the billable codes; what they begin with is a header, not billable itself. The order file states
both, each with a flag. The tabular list is read by `icd10cm_tabular`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from scrubber.reference.diagnosis_rows import Diagnosis, DiagnosisHeader
from scrubber.reference.load import icd10cm_tabular
from scrubber.reference.load.cells import BadCell, matching
from scrubber.reference.load.format import Format, Source, Stated
from scrubber.reference.load.icd10cm_tabular import SOURCE, fiscal_year
from scrubber.reference.load.lines import fixed_lines

CATEGORY = 3  # characters; no header is shorter
LINES_LOOKED_AT = 50
CODE = re.compile(r"[A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])[0-9A-Z]{0,4}")  # QA0: since 2026 a letter may stand second
EXPECTED = "a code of 3 to 7 characters in columns {}, without its dot"
_code_line = re.compile(CODE.pattern.encode() + rb" *( .*)?").fullmatch
_order_line = re.compile(rb"[0-9]{5} " + CODE.pattern.encode() + rb" {1,5}[01]( .*)?").fullmatch


def _codes(source: Source) -> Iterator[NamedTuple]:
    """A Diagnosis for each line, and before it a DiagnosisHeader for every beginning that no line before it had."""
    previous = ""
    for row in fixed_lines(source, _listed):
        if isinstance(row, Diagnosis):
            yield from _headers(row.code, previous)
            previous = row.code
        yield row


def _headers(code: str, previous: str) -> Iterator[DiagnosisHeader]:
    for length in range(CATEGORY, len(code)):
        if code[:length] != previous[:length]:
            yield DiagnosisHeader(code[:length], None, None, SOURCE)


def _listed(cells: Sequence[str]) -> Diagnosis:
    (line,) = cells
    if line[7:8].strip():
        raise BadCell("code", "expected a blank in column 8")
    return Diagnosis(matching(line[:7].rstrip(), CODE, "code", EXPECTED.format("1-7")), None, None, SOURCE)


def _order(source: Source) -> Iterator[NamedTuple]:
    return fixed_lines(source, _ordered)


def _ordered(cells: Sequence[str]) -> Diagnosis | DiagnosisHeader:
    (line,) = cells
    code = matching(line[6:13].rstrip(), CODE, "code", EXPECTED.format("7-13"))
    if line[14:15] not in ("0", "1"):
        raise BadCell("valid flag", "expected 0 or 1 in column 15")
    kind = Diagnosis if line[14] == "1" else DiagnosisHeader
    return kind(code, None, None, SOURCE)


def _all_lines(fits: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    """Recognises a file whose first whole lines all fit."""

    def recognise(head: bytes) -> bool:
        whole = head.splitlines() if head.endswith(b"\n") else head.splitlines()[:-1] or [head]
        lines = list(islice((line for line in whole if line.strip()), LINES_LOOKED_AT))
        return bool(lines) and all(fits(line) for line in lines)

    return recognise


def _stated(source: Source) -> Stated:
    """Only the name that the file is published under tells its year."""
    return fiscal_year(source.name, None)


FORMATS = (
    Format("icd10cm", "ICD-10-CM code list", _all_lines(_code_line), _stated, _codes),
    Format("icd10cm", "ICD-10-CM order file", _all_lines(_order_line), _stated, _order),
    icd10cm_tabular.FORMAT,
)

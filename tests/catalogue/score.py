"""Scrubs the claims of the catalogue with the shipped rules, and says whose fault is not named."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.claim.formats import read_claim
from scrubber.findings import ScrubResult
from scrubber.scrub import Receipt, Scrubber

HERE = Path(__file__).resolve().parent
CASES = HERE.parents[2] / "shared" / "cases"
RECEIVED = date(2026, 12, 1)  # after every date of service that is none of the future


class CatalogueRow(NamedTuple):
    """A row of cases.csv; a blank `pointer` asks for no element."""

    case: str
    rule: str
    pointer: str
    reference: str
    remark: str


def catalogue_rows() -> list[CatalogueRow]:
    """The rows of cases.csv."""
    with (HERE / "cases.csv").open(newline="", encoding="utf-8") as rows:
        return [CatalogueRow(**row) for row in csv.DictReader(rows)]


def faulty_cases(folder: Path) -> list[dict[str, Any]]:
    """The cases that should not be accepted, without those of the family that has its own tests."""
    cases = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["cases"]
    return [
        case
        for case in cases
        if set(case["suggested_disposition"].split()) & {"warn", "deny"} and not case["id"].startswith("truth-tbs")
    ]


def unnamed(folder: Path, scrubber: Scrubber, rows: Iterable[CatalogueRow]) -> Iterator[tuple[str, str]]:
    """The cases of the rows where no row's rule speaks, each with what did speak."""
    inputs = {case["id"]: case["input"] for case in faulty_cases(folder)}
    for case, wanted in groupby(sorted(rows), key=lambda row: row.case):
        found = _found(_scrubbed(scrubber, (folder / inputs[case]).read_bytes()))
        if not any(_names(row, found) for row in wanted):
            yield case, ", ".join(rule for rule, _ in sorted(found)) or "nothing"


def _names(row: CatalogueRow, found: set[tuple[str, str]]) -> bool:
    return any(rule == row.rule and row.pointer in ("", pointer) for rule, pointer in found)


def _found(result: ScrubResult) -> set[tuple[str, str]]:
    return {(finding.rule.id, finding.pointer) for finding in result.findings if finding.severity != "info"}


def _scrubbed(scrubber: Scrubber, data: bytes) -> ScrubResult:
    claim = read_claim(data)
    return scrubber.scrub(claim, Receipt(RECEIVED).day(claim))

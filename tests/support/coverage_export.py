"""A small made-up export of the Medicare Coverage Database, for tests of what is made of it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scrubber.reference.load import coverage_database as columns

Rows = Sequence[Mapping[str, str]]
HEADERS = {
    "article": columns.ARTICLE,
    "article_x_hcpc_code": columns.PROCEDURES,
    "article_x_hcpc_code_group": columns.PROCEDURE_GROUPS,
    "article_x_icd10_covered": columns.COVERED,
    "article_x_icd10_covered_group": columns.COVERED_GROUPS,
    "article_x_icd10_noncovered": columns.NONCOVERED,
    "article_x_icd10_noncovered_group": columns.NONCOVERED_GROUPS,
    "article_x_contractor": columns.ARTICLE_CONTRACTORS,
    "article_related_documents": columns.RELATED,
    "contractor": columns.CONTRACTOR,
    "contractor_jurisdiction": columns.JURISDICTION,
    "state_lookup": columns.STATE,
    "lcd": columns.LCD,
}
HERE, ELSEWHERE = "10112", "15102"  # Alabama, where the claims of tests are, and Kentucky
_KEYS = {
    HERE: {"contractor_id": "1", "contractor_type_id": "12", "contractor_version": "1"},
    ELSEWHERE: {"contractor_id": "2", "contractor_type_id": "12", "contractor_version": "1"},
}


def article(
    number: str,
    code: str,
    version: str = "1",
    begins: str = "2024-01-01",
    contractor: str = HERE,
    covered: Mapping[str, str] | None = None,
    excluded: Sequence[str] = (),
    paragraph: str = "N/A",
    procedure_paragraph: str = "N/A",
    **dates: str,
) -> dict[str, Rows]:
    """A version of an article about one code; `covered` = diagnosis -> asterisk; `dates` and status as columns."""
    key = {"article_id": number, "article_version": version}
    made_of = {"title": "Made up", "article_eff_date": begins, "status": "A"} | dates
    codes = covered or {}
    return {
        "article": [key | made_of],
        "article_x_hcpc_code": [key | {"hcpc_code_id": code, "hcpc_code_group": "1"}],
        "article_x_hcpc_code_group": [key | {"hcpc_code_group": "1", "paragraph": procedure_paragraph}],
        "article_x_icd10_covered": [
            key | {"icd10_code_id": diagnosis, "icd10_covered_group": "1", "asterisk": asterisk}
            for diagnosis, asterisk in codes.items()
        ],
        "article_x_icd10_covered_group": [key | {"icd10_covered_group": "1", "paragraph": paragraph}],
        "article_x_icd10_noncovered": [
            key | {"icd10_code_id": diagnosis, "icd10_noncovered_group": "1"} for diagnosis in excluded
        ],
        "article_x_contractor": [key | _KEYS[contractor]],
        "article_related_documents": [key | {"r_lcd_id": "90009"}],
    }


def export(path: Path, *articles: Mapping[str, Rows]) -> Path:
    """The zip of their tables, as it is published."""
    contractors = [key | {"contractor_number": number} for number, key in _KEYS.items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name in HEADERS:
            rows = [row for each in articles for row in each.get(name, ())]
            rows += contractors if name == "contractor" else []
            if rows:
                archive.writestr(f"{name}.csv", table_bytes(name, rows))
    return path


def table_bytes(name: str, rows: Rows) -> bytes:
    """A table as the database exports it: every cell quoted, latin-1."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADERS[name], restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("latin-1")

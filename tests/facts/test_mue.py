"""What counts as units of a code on a day: parts of a study, parts of a surgical package, and minutes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from scrubber.claim.model import ServiceLine
from scrubber.facts.mue import code_day_facts
from scrubber.facts.service_lines import by_procedure, line_views
from scrubber.reference import Reference, open_reference
from scrubber.reference.rows import Mue
from scrubber.rulebook.rule_tables import CodeListRow
from scrubber.rulebook.rulebook import CodeLists
from tests.support.priced import MEDICARE, claim, service_line
from tests.support.published import typed_folder

LISTS = CodeLists(
    [
        CodeListRow("anesthesia-codes", "00100", "01999", None, None, "sample"),
        CodeListRow("modifiers-counted-in-days", "55", None, None, None, "sample"),
        *(CodeListRow("modifiers-of-a-part", each, None, None, None, "sample") for each in ("26", "TC", "54")),
    ]
)


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    """Every code here may have one unit a day."""
    codes = ("66984", "80053", "77080", "00812")
    rows = [Mue(code, 1, "2", date(2020, 1, 1), None, "sample") for code in codes]
    return open_reference(str(typed_folder(tmp_path, {"ncci-mue": rows})))


def over(reference: Reference, *lines: ServiceLine) -> list[tuple[int, ...]]:
    """The lines of each fact of too many units."""
    views = line_views(claim(*lines), MEDICARE, reference)
    return [fact.lines for fact in code_day_facts(by_procedure(views), LISTS, reference)]


@pytest.mark.parametrize(
    ("modifiers", "found"),
    [
        ([("26",), ("TC",)], []),
        ([(), ("26",)], [(1, 2)]),
        ([("TC",), ()], [(1, 2)]),
        ([(), ("26",), ("TC",)], [(1, 2), (1, 3)]),
        ([("26",), ("26",), ("TC",)], [(1, 2)]),
        ([(), ()], [(1, 2)]),
        ([()], []),
    ],
)
def test_a_whole_study_counts_beside_each_of_its_parts(
    reference: Reference, modifiers: list[tuple[str, ...]], found: list[tuple[int, ...]]
) -> None:
    lines = [service_line(number, "77080", *each) for number, each in enumerate(modifiers, start=1)]
    assert over(reference, *lines) == found


@pytest.mark.parametrize(
    ("modifiers", "units", "found"),
    [
        ([("54", "RT"), ("55", "RT")], ["1", "1"], []),
        ([("55", "RT")], ["80"], []),
        ([("54", "RT"), ("54", "LT")], ["1", "1"], [(1, 2)]),
        ([("RT",), ("54", "RT")], ["1", "1"], [(1, 2)]),
    ],
)
def test_parts_of_a_surgical_package_are_not_added_up(
    reference: Reference, modifiers: list[tuple[str, ...]], units: list[str], found: list[tuple[int, ...]]
) -> None:
    lines = [
        service_line(number, "66984", *each, units=Decimal(count))
        for number, (each, count) in enumerate(zip(modifiers, units, strict=True), start=1)
    ]
    assert over(reference, *lines) == found


@pytest.mark.parametrize(("code", "found"), [("00812", []), ("80053", [(1,)])])
def test_only_anesthesia_has_minutes_that_are_no_units(
    reference: Reference, code: str, found: list[tuple[int, ...]]
) -> None:
    assert over(reference, service_line(1, code, unit_code="MJ", units=Decimal(5))) == found

"""Visits that the fee of a procedure may include: by global days, by who furnished them, and by the days between."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.scrub import Scrubber
from tests.support.priced import DAY, starter
from tests.support.published import typed_folder
from tests.support.rule_folders import shipped_over
from tests.test_promises import claim_of, line

Body = dict[str, Any]
Found = list[tuple[str, tuple[int, ...], tuple[int, ...]]]  # rule, the visit, the procedures
DENIED, DOUBTED = "cms-mpfs-visit-in-package", "cms-mpfs-visit-in-package-doubtful"
GLOBAL_DAYS = {"67028": "000", "17000": "010", "66984": "090", "27236": "090", "59400": "MMM", "20930": "ZZZ"}
NOT_COVERED = "58300"  # status N, 000


@pytest.fixture(scope="module")
def scrubber(tmp_path_factory: pytest.TempPathFactory) -> Scrubber:
    """The shipped rules over a fee schedule of these codes alone, and no NCCI edits between them."""
    model = starter().fee("20610", "", DAY)
    assert model is not None
    rows = [model._replace(code=code, global_days=days) for code, days in GLOBAL_DAYS.items()]
    rows.append(model._replace(code=NOT_COVERED, status="N"))
    rows += [model._replace(code=code, global_days="XXX") for code in ("99213", "92014", "99283", "99204", "99223")]
    return shipped_over(typed_folder(tmp_path_factory.mktemp("fees"), {"mpfs": rows}))


@pytest.fixture
def found(scrubber: Scrubber) -> Callable[[Body], Found]:
    def answer(body: Body) -> Found:
        claim = read_v3(copy.deepcopy(body))
        assert claim.context.received_on is not None
        result = scrubber.scrub(claim, claim.context.received_on)
        told = [finding for finding in result.findings if finding.rule.id in (DENIED, DOUBTED)]
        return [(finding.rule.id, finding.lines, finding.related_lines) for finding in told]

    return answer


@pytest.mark.parametrize(
    ("visit", "procedure", "expected"),
    [
        (line("92014"), line("67028", modifiers=("RT",)), [(DENIED, (1,), (2,))]),
        (line("99213"), line("17000"), [(DENIED, (1,), (2,))]),
        (line("99213"), line("66984", modifiers=("RT",)), [(DENIED, (1,), (2,))]),
        (line("99283"), line("67028"), [(DOUBTED, (1,), (2,))]),
        (line("99204"), line("66984"), [(DOUBTED, (1,), (2,))]),
        (line("99213", modifiers=("57",)), line("17000"), [(DOUBTED, (1,), (2,))]),
        (line("99213"), line("17000", modifiers=("XS",)), [(DOUBTED, (1,), (2,))]),
        (line("92014", modifiers=("25",)), line("67028", modifiers=("RT",)), []),
        (line("92014", modifiers=("24",)), line("67028"), []),
        (line("99223", modifiers=("57",)), line("27236"), []),
        (line("99213", modifiers=("25",)), line("66984"), []),
        (line("99213"), line("59400"), []),
        (line("99213"), line("20930"), []),
        (line("99213"), line(NOT_COVERED), []),
        (line("99213"), line("90000"), []),
        (line("99213"), line("66984", modifiers=("55",)), []),
        (line("99213"), line("66984", modifiers=("AS",)), []),
        (line("99213"), line("17000", modifiers=("GY",)), []),
        (line("99213", modifiers=("GY",)), line("17000"), []),
        (line("99397"), line("17000"), []),
        (line("99291"), line("67028"), []),
    ],
)
def test_a_visit_on_the_day_of_a_procedure(
    visit: Body, procedure: Body, expected: Found, found: Callable[[Body], Found]
) -> None:
    assert found(claim_of(visit, procedure)) == expected
    swapped = [(rule, (2,), (1,)) for rule, _, _ in expected]
    assert found(claim_of(procedure, visit)) == swapped


@pytest.mark.parametrize(
    ("day", "procedure", "modifiers", "expected"),
    [
        ("20250311", "66984", (), [(DENIED, (1,), (2,))]),
        ("20250311", "66984", ("57",), []),
        ("20250310", "66984", (), []),
        ("20250313", "66984", (), []),
        ("20250311", "17000", (), []),
    ],
)
def test_the_day_before_counts_for_major_operations_only(
    day: str, procedure: str, modifiers: tuple[str, ...], expected: Found, found: Callable[[Body], Found]
) -> None:
    assert found(claim_of(line("99213", day=day, modifiers=modifiers), line(procedure))) == expected


def test_57_for_a_major_operation_is_right_beside_a_minor_procedure_of_the_day(found: Callable[[Body], Found]) -> None:
    assert found(claim_of(line("99223", modifiers=("57",)), line("17000"), line("27236"))) == []


def test_a_visit_is_told_once_with_every_procedure_that_includes_it(found: Callable[[Body], Found]) -> None:
    assert found(claim_of(line("99213"), line("67028"), line("17000"))) == [(DENIED, (1,), (2, 3))]
    # The operation with 090 global days counts before the others, since only 57 would separate the visit from it.
    assert found(claim_of(line("99213"), line("67028"), line("66984"))) == [(DENIED, (1,), (3,))]
    # One that nothing sets apart counts before one that 59 does.
    apart = line("67028", modifiers=("59",))
    assert found(claim_of(line("99213"), apart, line("17000"))) == [(DENIED, (1,), (3,))]


@pytest.mark.parametrize(
    ("npi", "taxonomy", "expected"),
    [
        ("1987654328", "207R00000X", [(DENIED, (1,), (2,))]),
        ("1555666779", "207R00000X", [(DOUBTED, (1,), (2,))]),
        ("1555666779", "207X00000X", []),
        ("1555666779", None, []),
    ],
)
def test_physicians_of_one_specialty_are_as_one(
    npi: str, taxonomy: str | None, expected: Found, found: Callable[[Body], Found]
) -> None:
    other = line("67028")
    other["renderingProvider"] = {"npi": npi, "firstName": "Sam", "lastName": "Sample", "taxonomyCode": taxonomy}
    assert found(claim_of(line("99213"), other)) == expected


def test_a_line_over_several_days_may_lie_beside_the_visit(found: Callable[[Body], Found]) -> None:
    visit = line("99213", day="20250311", units="2")
    visit["serviceDateEnd"] = "20250312"
    assert found(claim_of(visit, line("67028"))) == [(DOUBTED, (1,), (2,))]


def test_modifiers_that_cannot_be_read_leave_the_visit_unjudged(scrubber: Scrubber) -> None:
    body = claim_of(line("99213"), line("67028"))
    body["claimInformation"]["serviceLines"][0]["professionalService"]["procedureModifiers"] = {"what": "is this"}
    claim = read_v3(body)
    assert claim.context.received_on is not None
    result = scrubber.scrub(claim, claim.context.received_on)
    assert not [finding for finding in result.findings if finding.rule.id in (DENIED, DOUBTED)]
    assert (DENIED, (1,)) in {(item.rule.id, item.lines) for item in result.not_checked}


def test_a_fee_schedule_that_has_ended_denies_nothing(tmp_path: Path) -> None:
    model = starter().fee("20610", "", DAY)
    assert model is not None
    (tmp_path / "ended").mkdir()
    rows = [model._replace(code="67028", until=None)]
    ended = shipped_over(typed_folder(tmp_path / "ended", {"mpfs": rows}))
    claim = read_v3(claim_of(line("92014", day="20260312"), line("67028", day="20260312")))
    assert claim.context.received_on is not None
    told = {finding.rule.id for finding in ended.scrub(claim, claim.context.received_on).findings}
    assert DOUBTED in told
    assert DENIED not in told

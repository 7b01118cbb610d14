"""What separates pairs, and visits beside procedures, with the edits and the fee schedule as CMS published them."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.load import mpfs
from scrubber.reference.rows import PtpEdit
from scrubber.scrub import Scrubber, open_scrubber
from tests.conftest import ROOT
from tests.support.published import full_size, rows_of, typed_folder
from tests.test_promises import claim_of, line

Body = dict[str, Any]
Found = set[tuple[str, str, tuple[int, ...]]]
OPERATIONS = ("28285", "28296", "29827", "29820", "64721", "20526", "26055", "20550", "67036", "66840")
PROCEDURES = ("20610", "67028", "12001", "27236", "11042", "97597", "92920", "92924")
VISITS, TESTS = ("99213", "99203", "99283", "92014", "99223"), ("80053", "84132")
MAMMOGRAMS = ("77063", "77065", "77066", "77067", "19281")
CODES = frozenset((*OPERATIONS, *PROCEDURES, *VISITS, *TESTS, *MAMMOGRAMS))
SITES, VISIT_SITE = "cms-ncci-ptp-modifier-doubtful", "cms-ncci-ptp-visit-beside-site"
MISSING, MISPLACED, BOTH = "cms-ncci-ptp-modifier-missing", "cms-ncci-ptp-modifier-misplaced", "cms-ncci-ptp-column-two"
PACKAGE, PACKAGE_DOUBTED = "cms-mpfs-visit-in-package", "cms-mpfs-visit-in-package-doubtful"
JUDGED = (SITES, VISIT_SITE, MISSING, MISPLACED, BOTH, PACKAGE, PACKAGE_DOUBTED)


def edits() -> Iterator[PtpEdit]:
    """The published edits among CODES that were not deleted."""
    source = full_size("ncci/ncci_ptp_practitioner_v30.2_2024q3.csv.xz")
    for row in io.TextIOWrapper(io.BytesIO(source.content), "utf-8"):
        column1, column2, deleted, indicator, *_ = row.split(",")
        if column1 in CODES and column2 in CODES and deleted == "*":
            known: Any = indicator
            yield PtpEdit(column1, column2, known, None, None, "published", "CMS NCCI PTP 2024Q3")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Found]:
    """The findings of JUDGED on a Medicare claim of some lines."""
    source = full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")
    fees = [
        row._replace(since=None)
        for row in rows_of(mpfs.FORMATS, source)
        if isinstance(row, FeeRow) and row.code in CODES
    ]
    folder = typed_folder(tmp_path_factory.mktemp("tables"), {"mpfs": fees, "ncci-ptp": list(edits())})
    scrubber: Scrubber = open_scrubber(ROOT / "rules", str(folder))

    def answer(*lines: Body) -> Found:
        claim = read_v3(copy.deepcopy(claim_of(*lines)))
        assert claim.context.received_on is not None
        told = scrubber.scrub(claim, claim.context.received_on).findings
        return {(item.rule.id, item.rule.severity, item.lines) for item in told if item.rule.id.startswith(JUDGED)}

    return answer


@pytest.mark.parametrize(
    ("first", "second"),
    [("28296", "28285"), ("29827", "29820"), ("64721", "20526"), ("26055", "20550"), ("67036", "66840")],
)
@pytest.mark.parametrize(
    ("ones", "others", "rule"),
    [
        (("RT",), ("LT",), None),
        (("LT",), ("RT", "51"), None),
        (("RT",), ("LT", "59"), None),
        (("RT",), ("RT", "XS"), None),
        (("TA",), ("T1",), None),
        (("F6",), ("F7",), None),
        (("F6",), ("LT",), None),
        (("RT",), ("RT",), SITES),
        (("RT",), (), SITES),
        ((), ("RT",), SITES),
        (("50",), ("RT",), SITES),
        (("F6",), ("F6",), SITES),
        (("F6",), ("RT",), SITES),
        ((), (), MISSING),
        (("50",), ("50",), MISSING),
        (("51",), ("76",), MISSING),
        ((), ("91",), MISPLACED),
        ((), ("25",), MISPLACED),
    ],
)
def test_sites_separate_procedures_only_where_they_differ(
    found: Callable[..., Found],
    first: str,
    second: str,
    ones: tuple[str, ...],
    others: tuple[str, ...],
    rule: str | None,
) -> None:
    told = found(line(first, modifiers=ones), line(second, modifiers=others))
    severity = "warn" if rule == SITES else "deny"
    assert told == ({(rule, severity, (2,))} if rule else set())


def test_two_coronary_arteries(found: Callable[..., Found]) -> None:
    one, other = line("92924", modifiers=("LD",)), line("92920", modifiers=("LC",))
    assert found(one, other) == set()
    other["professionalService"]["procedureModifiers"] = ["LD"]
    assert {(rule, severity) for rule, severity, _ in found(one, other)} == {(SITES, "warn")}


@pytest.mark.parametrize(
    ("visit", "procedure", "expected"),
    [
        (line("99213"), line("20610", modifiers=("RT",)), {(VISIT_SITE, "deny", (1,))}),
        (line("99213"), line("20610"), {(MISSING, "deny", (1,))}),
        (line("92014"), line("67028", modifiers=("RT",)), {(PACKAGE, "deny", (1,))}),
        (line("92014"), line("67028"), {(PACKAGE, "deny", (1,))}),
        (line("99283"), line("12001"), {(PACKAGE_DOUBTED, "warn", (1,))}),
        (line("99203"), line("20610", modifiers=("RT",)), {(PACKAGE_DOUBTED, "warn", (1,))}),
        (line("99223"), line("27236", modifiers=("LT",)), {(VISIT_SITE, "deny", (1,))}),
        (line("99213", modifiers=("25",)), line("20610", modifiers=("RT",)), set()),
        (line("92014", modifiers=("25",)), line("67028", modifiers=("RT",)), set()),
        (line("99283", modifiers=("25",)), line("12001"), set()),
        (line("99223", modifiers=("57",)), line("27236", modifiers=("LT",)), set()),
    ],
)
def test_a_visit_beside_a_procedure_is_told_once(
    found: Callable[..., Found], visit: Body, procedure: Body, expected: Found
) -> None:
    assert found(visit, procedure) == expected


def test_91_separates_laboratory_tests(found: Callable[..., Found]) -> None:
    assert {rule for rule, _, _ in found(line("80053"), line("84132"))} == {MISSING}
    assert found(line("80053"), line("84132", modifiers=("91",))) == set()
    assert {rule for rule, _, _ in found(line("11042"), line("97597", modifiers=("91",)))} == {MISPLACED}


@pytest.mark.parametrize("screening", ["77067", "77063"])
@pytest.mark.parametrize(
    ("diagnostic", "modifiers", "rule"),
    [
        ("77066", ("GG",), None),
        ("77065", ("GG", "LT"), None),
        ("77066", ("26", "GG"), None),
        ("77066", (), MISSING),
        ("77065", ("LT",), SITES),
    ],
)
def test_gg_on_the_diagnostic_mammogram_separates_it_from_the_screening_one_of_the_day(
    found: Callable[..., Found], screening: str, diagnostic: str, modifiers: tuple[str, ...], rule: str | None
) -> None:
    told = found(line(screening), line(diagnostic, modifiers=modifiers))
    assert {name for name, _, _ in told} == ({rule} if rule else set())


def test_gg_separates_no_other_pair(found: Callable[..., Found]) -> None:
    told = found(line("19281"), line("77065", modifiers=("GG",)))
    assert {(name, lines) for name, _, lines in told} == {(MISSING, (2,))}

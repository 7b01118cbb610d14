"""What the status of a code on the fee schedule denies, what it never denies, and GY and edits of 0 beside it."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.findings import ScrubResult
from scrubber.reference import open_reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.load import mpfs
from scrubber.reference.rows import Mue, PtpEdit
from scrubber.scrub import Scrubber, assemble
from tests.support.claims import PHYSICIAN_NPI
from tests.support.priced import starter
from tests.support.published import full_size, rows_of, typed_folder
from tests.test_promises import Body, claim_of, line

RECEIVED = date(2026, 11, 22)
BY_STATUS = "cms-mpfs-status-"
SILENT = frozenset("XECRMTJA")
SAID = {
    "B": {"bundled": "deny"},
    "P": {"bundled": "deny"},
    "I": {"not-valid": "deny"},
    "N": {"not-covered": "warn"},
}


def scrubbed(scrubber: Scrubber, *lines: Body, plan: str | None = None, **context: object) -> ScrubResult:
    body = claim_of(*lines, documented=False, **context)
    body["claimInformation"]["claimSupplementalInformation"] = {"cliaNumber": "99D9999999"}
    if plan:
        body["scrubContext"]["eligibility"] = {"plan": plan}
    return scrubber.scrub(read_v3(body), RECEIVED)


def found(result: ScrubResult, number: int) -> dict[str, str]:
    """The findings on a line by rule, with their severity."""
    return {finding.rule.id: finding.rule.severity for finding in result.findings if number in finding.lines}


GOLDEN_SILENT = [
    [("36415", ())],
    [("80053", ())],
    [("J1885", ())],
    [("99213", ()), ("92015", ("GY",))],
    [("99213", ()), ("A9270", ("GY",))],
    [("99213", ("25",)), ("99397", ("GY",))],
    [("99213", ()), ("3074F", ())],
    [("0001U", ())],
]


@pytest.mark.parametrize("lines", GOLDEN_SILENT, ids=lambda lines: "+".join(code for code, _ in lines))
def test_what_is_paid_elsewhere_excluded_with_gy_or_only_reported_is_accepted(
    shipped: Scrubber, lines: Sequence[tuple[str, tuple[str, ...]]]
) -> None:
    result = scrubbed(shipped, *(line(code, modifiers=modifiers) for code, modifiers in lines))
    assert not [finding.rule.id for finding in result.findings if finding.rule.severity != "info"]


@pytest.mark.parametrize("modifiers", [(), ("GY",), ("GA",), ("GZ",)])
@pytest.mark.parametrize(
    ("code", "rule", "carc"),
    [
        ("97010", "bundled", "97"),
        ("36416", "bundled", "97"),
        ("99080", "bundled", "97"),
        ("A4550", "bundled", "97"),
        ("97014", "not-valid", "181"),
        ("98005", "not-valid", "181"),
    ],
)
def test_bundled_and_not_valid_is_denied_and_the_providers_whatever_modifier(
    shipped: Scrubber, code: str, rule: str, carc: str, modifiers: tuple[str, ...]
) -> None:
    result = scrubbed(shipped, line("99213"), line(code, charge="25.00", modifiers=modifiers))
    (finding,) = [each for each in result.findings if each.rule.id == BY_STATUS + rule]
    assert result.disposition == "deny"
    assert finding.impact is not None
    assert finding.rule.reason is not None
    assert (finding.lines, finding.impact.liability, finding.rule.reason.carc) == ((2,), "provider", carc)
    assert not result.impact.by_liability["patient"]
    told = " ".join(f"{each.message} {each.fix}" for each in result.findings if 2 in each.lines)
    assert "appeal" not in told  # an edit of 0 beside it gives no advice of its own
    assert "cms-ncci-mue-zero" not in found(result, 2)


def test_an_edit_of_zero_says_not_payable_and_gives_no_advice_to_appeal(shipped: Scrubber) -> None:
    result = scrubbed(shipped, line("99213"), line("C2637", charge="80.00"))
    (finding,) = [each for each in result.findings if 2 in each.lines and each.rule.severity != "info"]
    assert (finding.rule.id, finding.rule.severity) == ("cms-ncci-mue-zero", "deny")
    assert "not payable to Part B practitioners" in finding.message
    assert "appeal" not in finding.fix


def test_equipment_goes_to_its_contractor_and_a_suppliers_claim_is_not_judged_by_the_edits_of_practitioners(
    shipped: Scrubber,
) -> None:
    result = scrubbed(shipped, line("99213"), line("V2020", charge="80.00"))
    assert found(result, 2)["cms-ncci-mue-zero-equipment"] == "warn"
    assert "cms-ncci-mue-zero" not in found(result, 2)
    answered = scrubbed(shipped, line("99213"), line("V2020", charge="80.00", modifiers=("GY",)))
    assert answered.disposition == "accept"
    body = claim_of(line("V2020", charge="80.00"), documented=False)
    body["rendering"]["taxonomyCode"] = "332B00000X"
    suppliers = shipped.scrub(read_v3(body), RECEIVED)
    assert not [each.rule.id for each in suppliers.findings if each.rule.id.startswith("cms-ncci-mue")]
    del body["rendering"]
    body["billing"]["taxonomyCode"] = "332B00000X"
    suppliers = shipped.scrub(read_v3(body), RECEIVED)
    assert not [each.rule.id for each in suppliers.findings if each.rule.id.startswith("cms-ncci-mue")]


def test_who_owes_what_medicare_does_not_cover_is_unsettled_without_gy(shipped: Scrubber) -> None:
    result = scrubbed(shipped, line("99213"), line("92015"))
    (finding,) = [each for each in result.findings if each.rule.id == BY_STATUS + "not-covered"]
    assert finding.impact is not None
    assert (finding.rule.severity, finding.impact.liability, finding.impact.at_risk, finding.impact.unknown) == (
        "warn", None, None, "liability-unsettled",
    )  # fmt: skip


@pytest.mark.parametrize("plan", ["medicare-advantage", "commercial", "medicaid", "tricare"])
def test_the_schedule_of_original_medicare_says_nothing_of_other_payers(shipped: Scrubber, plan: str) -> None:
    lines = [line(code, charge="25.00") for code in ("97010", "97014", "98005", "92015", "V2020", "A4253")]
    result = scrubbed(shipped, *lines, plan=plan)
    assert not [each.rule.id for each in result.findings if each.rule.pack in ("cms-mpfs", "cms-ncci")]


@pytest.mark.parametrize("taxonomy", ["111N00000X", None])
def test_a_chiropractors_manual_therapy_with_gy_is_no_loss_by_an_edit(
    shipped: Scrubber, tmp_path: Path, taxonomy: str | None
) -> None:
    edit = PtpEdit("98941", "97140", "1", None, None, "misuse-of-column-two", "made")
    scrubber = assemble(shipped.rulebook, open_reference(str(typed_folder(tmp_path, {"ncci-ptp": [edit]}))))

    def bundled(modifiers: tuple[str, ...]) -> list[str]:
        lines = [line("98941", modifiers=("AT",)), line("97140", modifiers=modifiers)]
        for each in lines:
            each["renderingProvider"] = {"npi": PHYSICIAN_NPI, "lastName": "Placeholder"}
            if taxonomy:
                each["renderingProvider"]["taxonomyCode"] = taxonomy
        result = scrubbed(scrubber, *lines)
        return [finding.rule.id for finding in result.findings if finding.rule.category == "bundling"]

    assert bundled(("GP",)) == ["cms-ncci-ptp-modifier-missing"]
    assert bundled(("GP", "GY")) == []


@pytest.fixture(scope="module")
def at_full_size(shipped: Scrubber, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scrubber, dict[str, str]]:
    """The shipped rules over RVU25D and the edits of July 2024 as they are published, and the status of each code."""
    fees = [
        row._replace(since=None)
        for row in rows_of(mpfs.FORMATS, full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz"))
        if isinstance(row, FeeRow)
    ]
    edits = [
        Mue(row["hcpcs_code"], int(row["mue_units"]), row["mue_mai"], None, None, "July 2024")  # type: ignore[arg-type]
        for row in csv.DictReader(io.TextIOWrapper(full_size("ncci/mue_practitioner_eff_2024-07-01.csv.xz").binary()))
    ]
    folder = tmp_path_factory.mktemp("full")
    reference = open_reference(str(typed_folder(folder, {"mpfs": fees, "ncci-mue": edits})))
    return assemble(shipped.rulebook, reference), {row.code: row.status for row in fees if not row.component}


def line_by_line(scrubber: Scrubber, codes: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each code on a line of its own beside a visit of the day, with what is found on it."""
    for start in range(0, len(codes), 40):
        some = codes[start : start + 40]
        result = scrubbed(scrubber, line("99213"), *(line(code, charge="25.00") for code in some))
        for number, code in enumerate(some, start=2):
            yield code, found(result, number)


def test_each_status_says_what_it_must_at_full_size(at_full_size: tuple[Scrubber, dict[str, str]]) -> None:
    scrubber, statuses = at_full_size
    of: dict[str, list[str]] = defaultdict(list)
    for code, status in sorted(statuses.items()):
        of[status].append(code)
    some = [
        code
        for status, codes in of.items()
        for code in (codes[:: len(codes) // 60 or 1] if status in SILENT else codes)
    ]
    counted: dict[str, int] = defaultdict(int)
    for code, rules in line_by_line(scrubber, some):
        said = {rule.removeprefix(BY_STATUS): severity for rule, severity in rules.items() if BY_STATUS in rule}
        status = statuses[code]
        exempt = status in SILENT or (code.endswith("F") and code[:4].isdigit())
        assert said == ({} if exempt else SAID[status]), (code, status)
        counted[status] += exempt
    assert counted["I"] == 492  # of 565 codes of category II; the others are M


def test_edits_of_zero_at_full_size(at_full_size: tuple[Scrubber, dict[str, str]]) -> None:
    scrubber, statuses = at_full_size
    rows = csv.DictReader(io.TextIOWrapper(full_size("ncci/mue_practitioner_eff_2024-07-01.csv.xz").binary()))
    codes = [row["hcpcs_code"] for row in rows if row["mue_units"] == "0"]
    by_status = {status: [code for code in codes if statuses.get(code) == status] for status in "XNEPIB"}
    assert (len(codes), {status: len(each) for status, each in by_status.items()}) == (
        2667, {"X": 393, "N": 230, "E": 138, "P": 135, "I": 104, "B": 59},
    )  # fmt: skip
    some = [code for each in by_status.values() for code in each]
    unlisted = [code for code in codes if code not in statuses]
    for code, rules in line_by_line(scrubber, [*some, *unlisted[::20]]):
        units = {rule: severity for rule, severity in rules.items() if rule.startswith("cms-ncci-mue")}
        status = statuses.get(code)
        answered = status in ("B", "I", "N")
        equipment = code[0] in "BEKL" or "A4206" <= code < "A9" or "V2020" <= code < "V28"
        expected = {"cms-ncci-mue-zero-equipment": "warn"} if equipment else {"cms-ncci-mue-zero": "deny"}
        assert units == ({} if answered or (equipment and status == "P") else expected), code
        assert answered <= any(rule.startswith(BY_STATUS) for rule in rules), code


def test_the_starter_rows_have_the_status_that_is_published(at_full_size: tuple[Scrubber, dict[str, str]]) -> None:
    statuses = at_full_size[1]
    codes = ("36416", "80053", "92015", "97010", "97014", "98005", "99024", "99080", "99397", "A4253", "A4550", "A9270")
    for code in codes:
        row = starter().fee(code, "", date(2025, 3, 12))
        assert row is not None
        assert row.status == statuses[code]

"""A rule may ask for any element of the catalogue: on the claim or on a line, from JSON and from X12 alike."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.elements import CATALOGUE
from scrubber.claim.model import Claim
from scrubber.claim.v3 import read_json_claim
from scrubber.claim.whole import ask
from scrubber.claim.x12.claims import X12Claim, read_claims
from scrubber.errors import Faults
from scrubber.facts.asked import asked_fields
from scrubber.findings import ScrubResult
from scrubber.rulebook.vocabulary import KINDS
from scrubber.scrub import Scrubber, open_scrubber, read_facts
from tests.claim.v3.test_whole_body import changed_body, value_of
from tests.support.claims import office_claim
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

DAY = date(2026, 11, 30)
GENERATOR = Path(__file__).resolve().parents[3] / "shared" / "scripts" / "make_837p.py"
CI = "claimInformation"
LINE = f"{CI}/serviceLines/*"
ACCIDENT = f"{CI}/claimDateInformation/accidentDate"
SUPPLEMENT = f"{CI}/claimSupplementalInformation"


def asking(
    folder: Path, when: str, scope: str = "claim", message: str = "It is so.", severity: str = "warn"
) -> Scrubber:
    rule_folder(folder)
    rule = with_lines(
        RULE,
        id="id: asking",
        title="title: Something is asked",
        scope=f"scope: {scope}",
        applies="applies: {}",
        when=f"when: {when}",
        message=f'message: "{message}"',
    )
    put(folder, "sample/family/asking.yaml", rule)
    return open_scrubber(folder, None)


def found(result: ScrubResult) -> list[tuple[tuple[int, ...], str]]:
    return [(each.lines, each.message) for each in result.findings if each.rule.id == "asking"]


def unchecked(result: ScrubResult) -> list[tuple[tuple[int, ...], tuple[str, ...], str]]:
    return [(row.lines, row.missing, row.why) for row in result.not_checked if row.rule.id == "asking"]


@pytest.mark.parametrize(
    ("when", "path", "value", "other"),
    [
        ("{fact: prior-authorization, is: A1}", f"{SUPPLEMENT}/priorAuthorizationNumber", "A1", "A2"),
        ("{fact: prior-authorization, is: absent}", f"{SUPPLEMENT}/priorAuthorizationNumber", "", "A2"),
        (
            "{fact: accident-date, before: 2025-03-02}",
            f"{CI}/claimDateInformation/accidentDate",
            "20250301",
            "20250302",
        ),
        ("{fact: patient-paid, over: 10}", f"{CI}/patientAmountPaid", "10.01", "10.00"),
        ("{fact: patient-weight, at-most: 2.5}", f"{CI}/patientWeight", "2.5", "2.51"),
        ("{fact: homebound, is: yes}", f"{CI}/homeboundIndicator", True, False),
        ("{fact: related-causes, any: [AA, EM]}", f"{CI}/relatedCausesCode", ["OA", "AA"], ["OA"]),
        ("{fact: related-causes, is: absent}", f"{CI}/relatedCausesCode", [], ["OA"]),
        ("{fact: billing-commercial-number, is: X9}", "providers/*/commercialNumber", "X9", "X8"),
        ("{fact: patient-state, is: ZZ}", "subscriber/address/state", "zz", "NY"),
    ],
)
def test_a_rule_of_claims_asks_for_an_element(tmp_path: Path, when: str, path: str, value: Any, other: Any) -> None:
    scrubber = asking(tmp_path, when)
    assert found(scrubber.scrub(read_v3(changed_body({path: value})), DAY)) == [((), "It is so.")]
    assert found(scrubber.scrub(read_v3(changed_body({path: other})), DAY)) == []


def test_the_sum_of_what_other_payers_paid(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: other-payer-paid, is: 30.5}")
    body = office_claim()
    body[CI]["otherSubscriberInformation"] = [{"payerPaidAmount": "10.25"}, {"payerPaidAmount": 20.25}]
    assert found(scrubber.scrub(read_v3(body), DAY)) != []
    body[CI]["otherSubscriberInformation"].append({"payerPaidAmount": "1"})
    assert found(scrubber.scrub(read_v3(body), DAY)) == []


def test_a_line_says_its_own_or_else_what_the_claim_says(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: contract-code, any: [C1]}", "line", "Line {line}: {contract-code}.")
    body = changed_body({f"{CI}/claimContractInformation/contractCode": "C1"})
    lines = body[CI]["serviceLines"]
    assert len(lines) > 1
    lines[0]["contractInformation"] = {"contractCode": "C2"}
    assert found(scrubber.scrub(read_v3(body), DAY)) == [
        ((number,), f"Line {number}: C1.") for number in range(2, len(lines) + 1)
    ]


def test_a_service_written_into_its_line_is_asked_there(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: emergency, is: Y}", "line")
    body = office_claim()
    line = body[CI]["serviceLines"][0]
    line["professionalService"]["emergencyIndicator"] = "Y"
    assert [lines for lines, _ in found(scrubber.scrub(read_v3(body), DAY))] == [(1,)]
    line |= line.pop("professionalService")
    assert [lines for lines, _ in found(scrubber.scrub(read_v3(body), DAY))] == [(1,)]


@pytest.mark.parametrize("when", ["{fact: accident-date, before: 2025-03-02}", "{fact: accident-date, is: absent}"])
def test_a_rule_that_asks_what_cannot_be_read_is_not_checked(tmp_path: Path, when: str) -> None:
    scrubber = asking(tmp_path, when)
    result = scrubber.scrub(read_v3(changed_body({ACCIDENT: "soon"})), DAY)
    assert (found(result), unchecked(result)) == ([], [((), ("accident-date",), "unreadable")])
    assert result.checks["adjudication"].not_checked >= 1
    assert unchecked(scrubber.scrub(read_v3(office_claim()), DAY)) == []


def test_a_container_that_is_none_makes_what_is_in_it_unreadable(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: claim-note, is: absent}")
    result = scrubber.scrub(read_v3(changed_body({f"{CI}/claimNote": "see the chart"})), DAY)
    assert (found(result), unchecked(result)) == ([], [((), ("claim-note",), "unreadable")])


def test_a_rule_on_lines_is_not_checked_where_its_line_cannot_be_read(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: drug-quantity, over: 2}", "line")
    body = changed_body({f"{LINE}/drugIdentification/nationalDrugUnitCount": "two"})
    assert unchecked(scrubber.scrub(read_v3(body), DAY)) == [((1,), ("drug-quantity",), "unreadable")]


def test_a_rule_that_asks_for_a_misspelt_name_is_not_checked(tmp_path: Path) -> None:
    scrubber = asking(tmp_path, "{fact: prior-authorization, is: absent}")
    result = scrubber.scrub(read_v3(changed_body({f"{SUPPLEMENT}/priorAuthorisationNumber": "A1"})), DAY)
    assert (found(result), unchecked(result)) == ([], [((), ("priorAuthorizationNumber",), "unreadable")])


def test_facts_hold_only_what_running_rules_ask_for(tmp_path: Path, shipped: Scrubber) -> None:
    scrubber = asking(tmp_path, "{fact: prior-authorization, is: absent}", message="{referral-number}")
    asked = asked_fields(scrubber.rulebook)
    assert asked.every("claim") == {"prior-authorization", "referral-number"}
    assert asked.every("line") == frozenset()
    claim = read_v3(office_claim())
    facts = read_facts(claim, scrubber.rulebook, scrubber.reference, DAY).facts
    (of_claim,) = [fact for fact in facts if fact.kind == "claim"]
    assert {name for name in of_claim.values if "authorization" in name or "referral" in name} == {
        "prior-authorization?",
        "referral-number?",
    }


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_element_is_found_where_it_was_sent(name: str) -> None:
    element = CATALOGUE[name]
    for path in element.paths:
        body = changed_body({"/".join(path): value_of(element)})
        if path[0] == "dependent":
            body["dependent"] |= {"lastName": "Sample", "firstName": "Sam"}
            changed = body["dependent"]
            if path[1] in changed and path[-1] in ("lastName", "firstName"):
                changed[path[-1]] = value_of(element)
        elif path[0] in ("rendering", "billing", "ordering", "referring", "supervising"):
            body["providers"] = []
            body[path[0]] |= {"npi": "1234567893", "employerId": "123456789"} | body[path[0]]
        claim = read_v3(body)
        on_line = path[:3] == (CI, "serviceLines", "*")
        assert ask(claim, element, claim.lines[0] if on_line else None).values, path


def test_what_is_asked_of_an_empty_claim_is_absent() -> None:
    claim: Claim = read_v3({CI: {"serviceLines": [{}]}})
    for element in CATALOGUE.values():
        assert ask(claim, element, claim.lines[0]) == ((), False)


def test_a_misspelt_field_is_told_with_the_element_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(Faults) as refused:
        asking(tmp_path, "{fact: prior-authorisation, is: absent}")
    text = str(refused.value)
    assert "`prior-authorisation` is no fact of claim; perhaps `prior-authorization` was meant" in text
    assert "the elements of docs/elements.md" in text
    assert len(text) < 1_500


def test_rules_of_every_kind_but_these_have_no_elements() -> None:
    assert {kind.name for kind in KINDS.values() if any(field.element for field in kind.fields.values())} == {
        "claim",
        "line",
    }


def test_every_element_is_the_same_in_json_and_in_x12(tmp_path: Path, shipped: Scrubber) -> None:
    if not GENERATOR.exists():
        pytest.skip("the generator of claims in both formats is not here")
    made = [sys.executable, str(GENERATOR), "--claims", "60", "--seed", "11", "--other-payers", "2", "--out", "demo"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    data = (tmp_path / "demo.837").read_bytes()
    of_x12 = [item.claim for item in read_claims([data]) if isinstance(item, X12Claim) and item.claim is not None]
    of_json = [read_json_claim(line) for line in (tmp_path / "demo.ndjson").read_bytes().splitlines()]
    assert len(of_x12) == len(of_json) == 60
    present: set[str] = set()
    for one, other in zip(of_x12, of_json, strict=True):
        assert (other.unreadable, other.flawed) == ((), ())
        assert [(finding.rule.id, finding.lines, finding.message) for finding in shipped.scrub(one, DAY).findings] == [
            (finding.rule.id, finding.lines, finding.message) for finding in shipped.scrub(other, DAY).findings
        ]
        for element in CATALOGUE.values():
            values = ask(one, element, one.lines[0])
            assert values == ask(other, element, other.lines[0]), element.name
            present |= {element.name} if values.values else set()
    assert len(present) > 100, "the claims say little"

"""What is missing or malformed in a claim: each flaw once, where it stands, and none in a sound claim."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.claim import read_v3
from scrubber.facts.element import element_facts, npi_fault, x12_codes
from scrubber.facts.fact import Fact
from scrubber.rulebook.rule_tables import Payer
from scrubber.scrub import Scrubber
from tests.support.claims import Body, office_claim, tbs_claim

DAY = date(2025, 3, 12)
RECEIVED = date(2025, 3, 20)
MEDICARE = Payer(None, "original-medicare", None, None)
COMMERCIAL = Payer(None, "commercial", None, None)
CI = "claimInformation"

Flaws = list[tuple[str, str, int | None]]


def facts_of(body: Body, shipped: Scrubber, payer: Payer = MEDICARE, received_on: date = RECEIVED) -> list[Fact]:
    return list(element_facts(read_v3(body), payer, DAY, received_on, x12_codes(shipped.rulebook), shipped.rulebook))


def flaws_of(body: Body, shipped: Scrubber, payer: Payer = MEDICARE, received_on: date = RECEIVED) -> Flaws:
    return [
        (fact.values["element"], fact.values["fault"], fact.lines[0] if fact.lines else None)
        for fact in facts_of(body, shipped, payer, received_on)
    ]


def put(body: Body, path: str, value: Any) -> Body:
    """The body with a value at a path such as claimInformation/serviceLines/0/serviceDate."""
    *above, last = path.split("/")
    node: Any = body
    for key in above:
        node = node[int(key)] if isinstance(node, list) else node[key]
    node[last] = value
    return body


# NPI


@pytest.mark.parametrize("npi", ["1234567893", "1987654328", "1555666779", "2000000002"])
def test_a_right_npi(npi: str) -> None:
    assert npi_fault(npi) is None


@pytest.mark.parametrize(
    ("npi", "fault"),
    [
        ("1234567890", "check-digit"),
        ("1243567893", "check-digit"),
        ("123456789", "not-ten-digits"),
        ("12345678931", "not-ten-digits"),
        ("123456789X", "not-ten-digits"),
        ("١٢٣٤٥٦٧٨٩٣", "not-ten-digits"),  # digits, but not those of the standard
        ("3234567898", "wrong-format"),
        ("0234567894", "wrong-format"),
    ],
)
def test_a_wrong_npi(npi: str, fault: str) -> None:
    assert npi_fault(npi) == fault


def luhn(number: str) -> bool:
    """The check of ISO/IEC 7812 as textbooks give it."""
    total = 0
    for place, character in enumerate(reversed(number)):
        digit = int(character)
        if place % 2 == 1:
            digit *= 2
            if digit > 9:
                digit -= 9
        total += digit
    return total % 10 == 0


@given(st.from_regex(re.compile(r"[12][0-9]{9}", re.ASCII), fullmatch=True))
def test_the_check_digit_is_luhn_over_the_prefixed_number(npi: str) -> None:
    assert (npi_fault(npi) is None) == luhn("80840" + npi)


@given(st.integers(1_000_000_000, 2_999_999_999), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(number: int, place: int, shift: int) -> None:
    npi = str(number)
    if npi_fault(npi) is not None:
        return
    wrong = npi[:place] + str((int(npi[place]) + shift) % 10) + npi[place + 1 :]
    assert npi_fault(wrong) is not None


# Sound claims


@pytest.mark.parametrize("body", [office_claim(), tbs_claim()], ids=["office", "tbs"])
@pytest.mark.parametrize("payer", [MEDICARE, COMMERCIAL], ids=["medicare", "commercial"])
def test_a_sound_claim_has_no_flaw(body: Body, payer: Payer, shipped: Scrubber) -> None:
    assert flaws_of(body, shipped, payer) == []


def test_the_day_of_receipt_is_not_the_future(shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/serviceLines/0/serviceDateEnd", "20250320")
    assert flaws_of(body, shipped) == []
    assert flaws_of(body, shipped, received_on=date(2025, 3, 19)) == [("service-date-end", "future", 1)]


# Missing


@pytest.mark.parametrize(
    ("path", "element", "need"),
    [
        ("subscriber/memberId", "member-id", "required"),
        ("subscriber/firstName", "subscriber-first-name", "situational"),
        ("subscriber/dateOfBirth", "birth-date", "required"),
        ("receiver/organizationName", "receiver-name", "envelope"),
        ("submitter/contactInformation", "submitter-contact", "envelope"),
        ("billing/npi", "billing-npi", "required"),
        ("billing/employerId", "billing-tax-id", "required"),
        ("billing/address", "billing-street", "required"),
        (f"{CI}/claimFrequencyCode", "frequency", "required"),
        (f"{CI}/healthCareCodeInformation", "diagnoses", "required"),
    ],
)
def test_what_is_missing_is_told_with_its_need(path: str, element: str, need: str, shipped: Scrubber) -> None:
    facts = facts_of(put(tbs_claim(), path, None), shipped)
    told = {fact.values["element"]: fact.values for fact in facts}
    assert (told[element]["fault"], told[element]["need"]) == ("missing", need)


def test_the_name_of_a_subscriber_who_is_the_patient_is_missing_once(shipped: Scrubber) -> None:
    assert flaws_of(put(tbs_claim(), "subscriber/lastName", None), shipped) == [
        ("subscriber-last-name", "missing", None)
    ]


def test_a_dependent_has_needs_of_its_own(shipped: Scrubber) -> None:
    body = tbs_claim() | {"dependent": {"firstName": "Toni"}}
    assert {element for element, fault, _ in flaws_of(body, shipped) if fault == "missing"} == {
        "patient-last-name", "birth-date", "sex", "relationship",
    }  # fmt: skip


def test_the_places_of_all_lines_stand_for_that_of_the_claim(shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/placeOfServiceCode", None)
    assert ("claim-place", "missing", None) in flaws_of(body, shipped)
    put(body, f"{CI}/serviceLines/0/professionalService/placeOfServiceCode", "11")
    assert flaws_of(body, shipped) == []


def test_without_diagnoses_the_pointers_to_them_are_no_second_flaw(shipped: Scrubber) -> None:
    assert flaws_of(put(tbs_claim(), f"{CI}/healthCareCodeInformation", []), shipped) == [
        ("diagnoses", "missing", None)
    ]


# Unreadable


def test_what_cannot_be_read_is_not_also_missing(shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/serviceLines/0/serviceDate", "20250229")
    assert flaws_of(body, shipped) == [("service-date", "unreadable", 1)]


def test_an_unreadable_diagnosis_does_not_hide_a_malformed_one(shipped: Scrubber) -> None:
    body = put(office_claim(), f"{CI}/healthCareCodeInformation/0/diagnosisCode", ["I10"])
    put(body, f"{CI}/healthCareCodeInformation/1/diagnosisCode", "BREATHLESS")
    facts = facts_of(body, shipped)
    assert [(fact.values["fault"], fact.pointer) for fact in facts if fact.values["element"] == "diagnosis-code"] == [
        ("unreadable", f"/{CI}/healthCareCodeInformation/0/diagnosisCode"),
        ("wrong-format", f"/{CI}/healthCareCodeInformation/1/diagnosisCode"),
    ]


# Codes and forms of the claim


@pytest.mark.parametrize(
    ("path", "value", "flaw"),
    [
        (f"{CI}/claimFrequencyCode", "9", ("frequency", "not-in-code-list", None)),
        (f"{CI}/claimFilingCode", "QQ", ("filing-indicator", "not-in-code-list", None)),
        ("subscriber/gender", "X", ("sex", "not-in-code-list", None)),
        (f"{CI}/releaseInformationCode", "N", ("release-information", "not-in-code-list", None)),
        (f"{CI}/claimChargeAmount", "-60.00", ("total", "negative", None)),
        (f"{CI}/claimChargeAmount", "0", ("total", "not-positive", None)),
        (f"{CI}/claimChargeAmount", "60.001", ("total", "fraction-of-cents", None)),
        (f"{CI}/placeOfServiceCode", "OFFICE", ("claim-place", "wrong-format", None)),
        (f"{CI}/patientControlNumber", "S" * 39, ("patient-control-number", "too-long", None)),
        ("subscriber/dateOfBirth", "20300101", ("birth-date", "future", None)),
        ("subscriber/dateOfBirth", "19040101", ("birth-date", "out-of-range", None)),
        ("rendering/npi", "1987654329", ("rendering-npi", "check-digit", None)),
        ("rendering/taxonomyCode", "RADIOLOGY", ("rendering-taxonomy", "wrong-format", None)),
        ("billing/taxonomyCode", "207R", ("billing-taxonomy", "wrong-format", None)),
        ("billing/address/postalCode", "35233", ("billing-zip", "short-zip", None)),
        ("billing/address/postalCode", "3523300", ("billing-zip", "wrong-format", None)),
        (f"{CI}/healthCareCodeInformation/0/diagnosisCode", "733.00", ("diagnosis-code", "wrong-format", None)),
    ],
)
def test_a_flaw_of_the_claim(path: str, value: str, flaw: tuple[str, str, None], shipped: Scrubber) -> None:
    found = flaws_of(put(tbs_claim(), path, value), shipped)
    assert [item for item in found if item[2] is None] == [flaw]


@pytest.mark.parametrize("street", ["PO Box 7", "P.O. BOX 7", "p o box7", "100 Main St, Post Office Box 7"])
def test_a_post_office_box(street: str, shipped: Scrubber) -> None:
    body = put(tbs_claim(), "billing/address/address1", street)
    assert flaws_of(body, shipped) == [("billing-street", "post-office-box", None)]


@pytest.mark.parametrize("street", ["12 Boxwood Lane", "7 Depot Box Canyon Road", "1 P O Boxwood Way"])
def test_a_street_that_only_sounds_like_one(street: str, shipped: Scrubber) -> None:
    assert flaws_of(put(tbs_claim(), "billing/address/address1", street), shipped) == []


def test_only_original_medicare_has_its_form_of_number(shipped: Scrubber) -> None:
    body = put(tbs_claim(), "subscriber/memberId", "ABC-123")
    assert flaws_of(body, shipped, MEDICARE) == [("member-id", "wrong-format", None)]
    assert flaws_of(body, shipped, COMMERCIAL) == []


@pytest.mark.parametrize("letter", "SLOIBZ")
def test_letters_that_a_medicare_number_never_has(letter: str, shipped: Scrubber) -> None:
    body = put(tbs_claim(), "subscriber/memberId", f"1EG4TE5MK7{letter}")
    assert flaws_of(body, shipped) == [("member-id", "wrong-format", None)]


def test_an_organization_renders_only_when_no_person_is_named(shipped: Scrubber) -> None:
    body = put(tbs_claim(), "rendering/organizationName", "Sampletown Clinic")
    assert flaws_of(body, shipped) == []
    assert flaws_of(put(body, "rendering/lastName", None), shipped) == [("rendering-name", "organization", None)]


def test_providers_of_a_line_are_checked_where_they_stand(shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/serviceLines/0/orderingProvider", {"npi": "1555666770", "lastName": "Requester"})
    put(body, f"{CI}/serviceLines/0/serviceFacilityLocation", {"npi": "123", "address": {"postalCode": "35233"}})
    assert [(fact.values["element"], fact.pointer) for fact in facts_of(body, shipped)] == [
        ("ordering-npi", f"/{CI}/serviceLines/0/orderingProvider/npi"),
        ("facility-npi", f"/{CI}/serviceLines/0/serviceFacilityLocation/npi"),
        ("facility-zip", f"/{CI}/serviceLines/0/serviceFacilityLocation/address/postalCode"),
    ]


# Lines


@pytest.mark.parametrize(
    ("name", "value", "flaw"),
    [
        ("procedureCode", "7709", ("procedure", "wrong-format")),
        ("procedureModifiers", ["26A"], ("modifiers", "wrong-format")),
        ("procedureModifiers", ["XS", "XS"], ("modifiers", "repeated")),
        ("procedureModifiers", ["GA", "XS", "59", "LT", "RT"], ("modifiers", "too-many")),
        ("placeOfServiceCode", "111", ("line-place", "wrong-format")),
        ("measurementUnit", "F2", ("unit-code", "not-in-code-list")),
        ("procedureIdentifier", "ZZ", ("procedure-qualifier", "not-in-code-list")),
        ("lineItemChargeAmount", "-60.00", ("charge", "negative")),
        ("lineItemChargeAmount", "60.005", ("charge", "fraction-of-cents")),
        ("serviceUnitCount", "0", ("units", "not-positive")),
        ("serviceUnitCount", "0.5", ("units", "fraction")),
        ("compositeDiagnosisCodePointers", {"diagnosisCodePointers": ["2"]}, ("diagnosis-pointers", "out-of-range")),
        ("compositeDiagnosisCodePointers", {"diagnosisCodePointers": ["1", "1"]}, ("diagnosis-pointers", "repeated")),
    ],
)
def test_a_flaw_of_a_line(name: str, value: Any, flaw: tuple[str, str], shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/serviceLines/0/professionalService/{name}", value)
    assert flaws_of(body, shipped) == [(*flaw, 1)]


@pytest.mark.parametrize("code", ["G0130", "0554T", "0001U", "99213", "g0130"])
def test_forms_of_procedure_codes(code: str, shipped: Scrubber) -> None:
    body = put(tbs_claim(), f"{CI}/serviceLines/0/professionalService/procedureCode", code)
    assert flaws_of(body, shipped) == []


@pytest.mark.parametrize(
    ("changes", "received_on", "flaw"),
    [
        ({"serviceDate": "20250321"}, RECEIVED, ("service-date", "future", 1)),
        ({"serviceDateEnd": "20250321"}, RECEIVED, ("service-date-end", "future", 1)),
        ({"serviceDateEnd": "20250311"}, RECEIVED, ("service-date-end", "end-before-start", 1)),
        ({"serviceDate": "19500213"}, RECEIVED, ("service-date", "before-birth", 1)),
    ],
)
def test_dates_of_a_line(changes: Body, received_on: date, flaw: tuple[str, str, int], shipped: Scrubber) -> None:
    body = tbs_claim()
    body[CI]["serviceLines"][0] |= changes
    assert flaws_of(body, shipped, MEDICARE, received_on) == [flaw]


def test_the_day_itself_is_not_in_the_future(shipped: Scrubber) -> None:
    assert flaws_of(tbs_claim(), shipped, MEDICARE, DAY) == []


def test_a_flaw_says_where_it_stands(shipped: Scrubber) -> None:
    body = put(office_claim(), f"{CI}/serviceLines/2/professionalService/serviceUnitCount", "0")
    fact, *others = facts_of(put(body, "subscriber/gender", None), shipped)
    assert (fact.message_words["where"], fact.message_words["label"], fact.pointer) == (
        "Claim",
        "patient sex",
        "/subscriber/gender",
    )
    assert [(item.message_words["where"], item.lines) for item in others] == [("Line 3", (3,))]
    assert others[0].pointer == f"/{CI}/serviceLines/2/professionalService/serviceUnitCount"

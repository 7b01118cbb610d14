"""Every element of the catalogue is a known name of the body, is read by its type, and is told of where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.elements import CATALOGUE, Element
from scrubber.claim.model import Claim
from tests.support.claims import Body, office_claim

CI = "/claimInformation"
LINE = f"{CI}/serviceLines/0"
VALUES: dict[str, Any] = {
    "text": "SAMPLE",
    "code": "A1",
    "digits": "1234567893",
    "two-characters": "25",
    "yes-no": "Y",
    "flag": True,
    "amount": "12.50",
    "number": "2",
    "date": "20250301",
    "zip": "123450001",
    "sex": "F",
    "procedure": "99213",
    "diagnosis": "M810",
    "pointer": "1",
}


def value_of(element: Element) -> Any:
    if element.codes:
        return element.codes[0]
    return VALUES[element.type][: element.longest] if element.type in ("text", "code") else VALUES[element.type]


def put(body: Any, path: tuple[str, ...], value: Any) -> None:
    """Writes a value where a path leads, into the first entry of each list on the way."""
    for index, name in enumerate(path[:-1]):
        entries = path[index + 1] == "*"
        if name == "*":
            if not body:
                body.append({})
            body = body[0]
        else:
            body = body.setdefault(name, [] if entries else {})
    if path[-1] == "*":
        body[:] = [value]
    else:
        body[path[-1]] = value


def changed(**by_path: Any) -> Claim:
    return read_v3(changed_body({path.replace("__", "/"): value for path, value in by_path.items()}))


def changed_body(by_path: dict[str, Any]) -> Body:
    body = office_claim()
    for path, value in by_path.items():
        put(body, tuple(path.split("/")), value)
    return body


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_element_is_known_and_read_wherever_it_may_stand(name: str) -> None:
    element = CATALOGUE[name]
    for path in element.paths:
        body = office_claim()
        put(body, path, value_of(element))
        claim = read_v3(body)
        assert claim.unmapped == ()
        assert [odd for odd in claim.unreadable if odd.element == name] == []
        assert [odd for odd in claim.flawed if odd.element == name] == []


@pytest.mark.parametrize(
    ("path", "value", "element", "expected"),
    [
        ("claimInformation/claimDateInformation/accidentDate", "20251399", "accident-date", "date"),
        ("claimInformation/patientAmountPaid", "much", "patient-paid", "amount"),
        ("claimInformation/serviceLines/*/drugIdentification/nationalDrugUnitCount", "x", "drug-quantity", "number"),
        ("claimInformation/claimNote/additionalInformation", ["a"], "claim-note", "text"),
        ("claimInformation/homeboundIndicator", "perhaps", "homebound", "code"),
        ("claimInformation/claimNote", "see the chart", "claim-note", "object"),
        ("claimInformation/otherSubscriberInformation", "none", "other-payer-responsibility", "list"),
        ("claimInformation/otherSubscriberInformation/*", "none", "other-payer-responsibility", "object"),
    ],
)
def test_what_cannot_be_read_is_unreadable_and_no_refusal(path: str, value: Any, element: str, expected: str) -> None:
    claim = read_v3(changed_body({path: value}))
    pointer = "/" + path.replace("*", "0")
    line = 1 if "serviceLines" in path else None
    assert [tuple(odd) for odd in claim.unreadable] == [(element, expected, pointer, line)]


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_empty_containers_say_nothing(nothing: Any) -> None:
    body = office_claim()
    body["claimInformation"] |= dict.fromkeys(
        ("claimNote", "otherSubscriberInformation", "conditionInformation"), nothing
    )
    claim = read_v3(body)
    if nothing in (None, ""):
        assert claim.unreadable == ()
    assert (claim.unmapped, claim.flawed) == ((), ())


@pytest.mark.parametrize(
    ("path", "value", "element", "fault"),
    [
        ("claimInformation/claimNote/additionalInformation", "x" * 81, "claim-note", "too-long"),
        ("claimInformation/delayReasonCode", "99", "delay-reason", "not-in-code-list"),
        ("claimInformation/relatedCausesCode", ["AA", "EM", "OA", "OA"], "related-causes", "too-many"),
        ("claimInformation/patientControlNumber", "x" * 39, "patient-control-number", "too-long"),
        ("subscriber/address/address1", "x" * 56, "subscriber-street", "too-long"),
        ("claimInformation/serviceLines/*/additionalNotes", "x" * 81, "line-note", "too-long"),
    ],
)
def test_what_the_transaction_does_not_allow_is_told(path: str, value: Any, element: str, fault: str) -> None:
    body = changed_body({path: value})
    claim = read_v3(body)
    assert [(odd.element, odd.fault, odd.line) for odd in claim.flawed] == [
        (element, fault, 1 if "serviceLines" in path else None)
    ]
    assert (claim.unreadable, claim.normalised) == ((), ())


def test_a_no_that_the_transaction_leaves_out_is_no_fault() -> None:
    assert changed(claimInformation__pregnancyIndicator="N").flawed == ()
    assert changed(claimInformation__patientSignatureSourceCode="P").unreadable == ()


def test_an_object_alone_is_a_list_of_one_and_is_found_where_it_was_sent() -> None:
    claim = changed(claimInformation__otherSubscriberInformation={"payerPaidAmount": "much"})
    (odd,) = claim.unreadable
    assert odd.element == "other-payer-paid"
    assert claim.pointer_as_sent(odd.pointer) == f"{CI}/otherSubscriberInformation/payerPaidAmount"


def test_unknown_names_inside_are_unmapped_and_misspelt_ones_are_told() -> None:
    claim = changed(claimInformation__claimNote={"sampleText": "a", "additionalInfomation": "b"})
    assert claim.unmapped == (f"{CI}/claimNote/additionalInfomation", f"{CI}/claimNote/sampleText")
    assert [(odd.pointer, odd.known_name) for odd in claim.resembling] == [
        (f"{CI}/claimNote/additionalInfomation", "additionalInformation")
    ]
    assert claim.corrected is not None
    assert claim.corrected.unmapped == (f"{CI}/claimNote/sampleText",)


def test_providers_by_type_have_the_elements_of_their_role() -> None:
    body = office_claim()
    kinds = [entry["providerType"] for entry in body["providers"]]
    index = kinds.index("BillingProvider")
    body["providers"][index]["commercialNumber"] = "x" * 51
    (odd,) = read_v3(body).flawed
    assert odd == ("billing-commercial-number", "too-long", f"/providers/{index}/commercialNumber", None)


def test_the_order_of_names_does_not_matter() -> None:
    names = {"claimNote": "a", "delayReasonCode": "99", "patientAmountPaid": "b", "specialProgramCode": "77"}
    one, other = office_claim(), office_claim()
    one["claimInformation"] |= names
    other["claimInformation"] |= dict(reversed(names.items()))
    assert read_v3(one) == read_v3(other)

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from msgspec.structs import asdict, replace

from scrubber.claim import parse_json, read_v3
from scrubber.claim.elements import ELEMENTS
from scrubber.claim.model import Claim, ClaimPart, Normalised, Person, Provider, Unreadable
from scrubber.claim.v3.fast_load import MOST_PROBLEMS, MOST_UNMAPPED
from scrubber.claim.v3.names import MOST_NAMES
from scrubber.errors import NotAClaim
from tests.support.bodies import CANARY, JSON, mutated, mutations, paths, replaced, shuffled_keys
from tests.support.claims import Body, office_claim, tbs_claim

CI = "/claimInformation"
LINE = f"{CI}/serviceLines/0"
SERVICE = f"{LINE}/professionalService"


def _named(body: Body) -> Body:
    """The body with its `providers[]` as named providers."""
    named = dict(body)
    for provider in named.pop("providers"):
        rest = dict(provider)
        named[rest.pop("providerType").removesuffix("Provider").lower()] = rest
    return named


def _office(path: str, value: Any) -> Claim:
    return read_v3(_changed(office_claim(), path, value))


def as_said(claim: Claim) -> Claim:
    """The claim without the body in which it was said."""
    return replace(claim, body=None)


def _changed(body: Body, pointer: str, value: Any) -> Body:
    steps = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
    changed: Body = replaced(body, tuple(steps), value)
    return changed


def _plain(node: Any) -> Any:
    """A Claim as comparable and searchable data."""
    if isinstance(node, ClaimPart):
        return {name: _plain(value) for name, value in asdict(node).items()}
    if isinstance(node, tuple):
        return [_plain(inner) for inner in node]
    if isinstance(node, dict):
        return {key: _plain(inner) for key, inner in node.items()}
    return node.value if isinstance(node, Enum) else node


def test_the_office_claim() -> None:
    claim = read_v3(parse_json(orjson.dumps(office_claim())))
    assert (claim.normalised, claim.unreadable, claim.unmapped) == ((), (), ())
    assert (claim.control_number, claim.payer_id, claim.payer_name) == (
        "000000001",
        "MEDICARE-SAMPLE",
        "Sample Medicare",
    )
    assert (claim.filing_indicator, claim.frequency, claim.place, claim.total) == ("MB", "1", "11", Decimal("250.00"))
    assert claim.patient is claim.subscriber
    assert (claim.subscriber.member_id, claim.subscriber.birth_date) == ("1EG4TE5MK73", date(1950, 2, 14))
    assert claim.billing.pointer == "/providers/0"
    assert (claim.billing.npi, claim.billing.tax_id, claim.billing.taxonomy) == (
        "1234567893",
        "123456789",
        "207R00000X",
    )
    assert claim.billing.address is not None
    assert claim.billing.address.zip == "352330001"
    assert claim.rendering is not None
    assert (claim.rendering.pointer, claim.rendering.last_name) == ("/providers/1", "Placeholder")
    assert [(found.position, found.qualifier, found.code) for found in claim.diagnoses] == [
        (1, "ABK", "I10"),
        (2, "ABF", "R0602"),
    ]
    assert [line.procedure for line in claim.lines] == ["99213", "93000", "36415", "71046"]
    line = claim.lines[0]
    assert (line.number, line.pointer, line.service_pointer) == (1, LINE, SERVICE)
    assert (line.charge, line.units, line.unit_code, line.qualifier) == (Decimal("150.00"), Decimal(1), "UN", "HC")
    assert (line.first_day, line.last_day) == (date(2025, 3, 12), date(2025, 3, 12))
    assert (line.pointers, line.modifiers, line.place, line.rendering) == ((1, 2), (), None, None)


def test_texts_are_named_as_elements() -> None:
    texts = read_v3(office_claim()).texts
    assert set(texts) <= set(ELEMENTS)
    assert texts["submitter-contact"] == "given"
    assert texts["signature-indicator"] == "Y"
    assert texts["payment-responsibility"] == "P"
    assert texts["receiver-name"] == "Sample Clearing"
    assert "original-claim-number" not in texts


def test_a_submitter_without_a_way_to_reach_it_has_no_contact() -> None:
    assert "submitter-contact" not in _office("/submitter/contactInformation", {"name": "Sam", "email": ""}).texts


def test_both_shapes_give_one_claim() -> None:
    listed, named = read_v3(office_claim()), read_v3(_named(office_claim()))
    assert (named.billing.pointer, named.rendering and named.rendering.pointer) == ("/billing", "/rendering")
    assert listed.rendering is not None
    as_named = replace(
        listed,
        billing=replace(listed.billing, pointer="/billing"),
        rendering=replace(listed.rendering, pointer="/rendering"),
    )
    assert as_said(as_named) == as_said(named)


def test_both_shapes_together() -> None:
    body = office_claim()
    agreeing = read_v3(body | _named(body))
    assert agreeing.billing.pointer == "/billing"
    assert agreeing.normalised == ()
    body["providers"][0]["npi"] = "1122334455"
    differing = read_v3(body | _named(office_claim()))
    assert differing.billing.npi == "1234567893"
    assert [found.pointer for found in differing.normalised] == ["/providers/0"]


def test_an_empty_named_provider_gives_way_to_the_list() -> None:
    empty = {"providerType": "BillingProvider", "npi": "", "address": {"city": ""}}
    claim = read_v3(office_claim() | {"billing": empty, "rendering": "", "ordering": empty})
    assert claim.billing.pointer == "/providers/0"
    assert claim.rendering is not None
    assert claim.ordering is None


def test_an_empty_entry_of_the_list_does_not_contradict_a_named_provider() -> None:
    body = _named(office_claim()) | {"providers": [{"providerType": "BillingProvider", "npi": ""}]}
    assert read_v3(body).normalised == ()


def test_providers_of_unknown_and_of_repeated_types() -> None:
    body = office_claim()
    del body["ordering"]
    body["providers"] += [
        {"providerType": "Driver", "npi": "1"},
        {"npi": "1"},
        {"providerType": "BillingProvider", "npi": "1"},
        {"providerType": "orderingprovider", "npi": "1555666779"},
        {"providerType": "ReferringProvider", "npi": "1122334455"},
        {"providerType": "SupervisingProvider", "npi": "1777888995"},
    ]
    claim = read_v3(body)
    assert claim.unmapped == ("/providers/2", "/providers/3")
    assert [found.pointer for found in claim.normalised] == ["/providers/4", "/providers/5/providerType"]
    assert claim.ordering == Provider("/providers/5", "1555666779")
    assert claim.referring == Provider("/providers/6", "1122334455")
    assert claim.supervising == Provider("/providers/7", "1777888995")


def test_providers_of_a_line_and_the_facility() -> None:
    body = office_claim()
    facility = {"organizationName": "Sample Hospital", "npi": "1", "address": {"postalCode": "35233-0001"}}
    body["claimInformation"]["serviceFacilityLocation"] = facility
    body["claimInformation"]["serviceLines"][0] |= {
        "renderingProvider": {"npi": "1122334455", "taxonomyCode": []},
        "orderingProvider": {"npi": "2"},
        "referringProvider": {"npi": "3"},
        "serviceFacilityLocation": facility,
    }
    claim, pointer = read_v3(body), f"{LINE}/renderingProvider"
    line = claim.lines[0]
    assert line.rendering == Provider(pointer, "1122334455")
    assert line.ordering == Provider(f"{LINE}/orderingProvider", "2")
    assert line.referring == Provider(f"{LINE}/referringProvider", "3")
    assert claim.facility is not None
    assert claim.facility.address is not None
    assert claim.facility.address.zip == "352330001"
    assert line.facility == replace(claim.facility, pointer=f"{LINE}/serviceFacilityLocation")
    assert claim.unreadable == (Unreadable("rendering-taxonomy", "code", f"{pointer}/taxonomyCode", 1),)


def test_a_dependent_is_the_patient() -> None:
    dependent = {
        "memberId": "OWN-1",
        "firstName": "Kit",
        "lastName": "Testerson",
        "gender": "m",
        "dateOfBirth": "2019-06-01",
        "relationshipToSubscriberCode": 19,
    }
    claim = read_v3(office_claim() | {"dependent": dependent})
    assert claim.patient == Person("/dependent", "OWN-1", "Testerson", "Kit", date(2019, 6, 1), "M", None, "19")
    assert claim.subscriber.first_name == "Terry"
    assert len(claim.normalised) == 3


@pytest.mark.parametrize("nobody", [None, "", {}, {"firstName": "", "address": {"city": None}}])
def test_an_empty_dependent_is_nobody(nobody: Any) -> None:
    assert read_v3(office_claim() | {"dependent": nobody}).patient.pointer == "/subscriber"


def _service(name: str) -> str:
    return f"{SERVICE}/{name}"


POINTERS = _service("compositeDiagnosisCodePointers")


@pytest.mark.parametrize(
    ("pointer", "sent", "field", "value", "told"),
    [
        (POINTERS, [["2"]], "pointers", (2,), [POINTERS, f"{POINTERS}/0"]),
        (POINTERS, ["2"], "pointers", (2,), [POINTERS]),
        (f"{POINTERS}/diagnosisCodePointers", [2, 1], "pointers", (2, 1), None),
        (f"{POINTERS}/diagnosisCodePointers", ["B"], "pointers", (2,), None),
        (f"{POINTERS}/diagnosisCodePointers", [["2"]], "pointers", (2,), None),
        (_service("procedureModifiers"), ["xs", ""], "modifiers", ("XS",), None),
        (_service("lineItemChargeAmount"), 60.25, "charge", Decimal("60.25"), None),
        (_service("lineItemChargeAmount"), 60, "charge", Decimal("60"), None),
        (_service("lineItemChargeAmount"), " 60.00 ", "charge", Decimal("60.00"), None),
        (_service("serviceUnitCount"), 2, "units", Decimal(2), None),
        (_service("procedureCode"), 99214, "procedure", "99214", None),
        (_service("procedureIdentifier"), "hc", "qualifier", "HC", None),
        (_service("placeOfServiceCode"), 2, "place", "02", None),
        (f"{LINE}/serviceDate", "2025-03-12", "first_day", date(2025, 3, 12), None),
        (f"{LINE}/serviceDate", "20250312-20250314", "last_day", date(2025, 3, 14), None),
    ],
)
def test_deviations_on_a_line(pointer: str, sent: Any, field: str, value: Any, told: list[str] | None) -> None:
    claim = _office(pointer, sent)
    assert getattr(claim.lines[0], field) == value
    pointers = [found.pointer for found in claim.normalised]
    assert pointers
    assert pointers == (told or pointers)
    assert all(found.startswith(pointer) for found in pointers)
    assert (claim.unreadable, claim.unmapped) == ((), ())


@pytest.mark.parametrize(
    ("pointer", "sent", "field", "value"),
    [
        (f"{CI}/claimChargeAmount", 250.0, "total", Decimal("250.0")),
        (f"{CI}/claimChargeAmount", "-5.00", "total", Decimal("-5.00")),
        (f"{CI}/claimFilingCode", "mb", "filing_indicator", "MB"),
        (f"{CI}/claimFrequencyCode", 1, "frequency", "1"),
        (f"{CI}/placeOfServiceCode", 11, "place", "11"),
        (f"{CI}/claimSupplementalInformation", {"claimControlNumber": "ICN1"}, "original_claim_number", "ICN1"),
    ],
)
def test_deviations_of_the_claim(pointer: str, sent: Any, field: str, value: Any) -> None:
    assert getattr(_office(pointer, sent), field) == value


def test_more_deviations_of_the_claim() -> None:
    body = office_claim()
    body["tradingPartnerId"] = body.pop("tradingPartnerServiceId")
    body["claimInformation"] |= {"signatureIndicator": True, "releaseInformationCode": "i"}
    body["claimInformation"]["healthCareCodeInformation"][0]["diagnosisCode"] = "m81.0"
    body["providers"][0] |= {
        "npi": 1234567893,
        "employerId": "12-3456789",
        "address": {"line1": "1 Sample Way", "city": "Birmingham", "state": "al", "zip": "35233-0001"},
    }
    claim = read_v3(body)
    assert claim.payer_id == "MEDICARE-SAMPLE"
    assert (claim.texts["signature-indicator"], claim.texts["release-information"]) == ("Y", "I")
    assert claim.diagnoses[0].code == "M810"
    assert (claim.billing.npi, claim.billing.tax_id) == ("1234567893", "123456789")
    address = claim.billing.address
    assert address is not None
    assert (address.line1, address.state, address.zip) == ("1 Sample Way", "AL", "352330001")
    assert {found.pointer for found in claim.normalised} == {
        "/tradingPartnerId",
        f"{CI}/signatureIndicator",
        f"{CI}/releaseInformationCode",
        f"{CI}/healthCareCodeInformation/0/diagnosisCode",
        "/providers/0/npi",
        "/providers/0/employerId",
        "/providers/0/address/line1",
        "/providers/0/address/state",
        "/providers/0/address/zip",
    }
    assert (claim.unreadable, claim.unmapped) == ((), ())


def test_an_older_name_beside_the_present_one_is_unmapped() -> None:
    claim = _office("/providers/0/address/zip", "00000")
    assert claim.billing.address is not None
    assert claim.billing.address.zip == "352330001"
    assert claim.unmapped == ("/providers/0/address/zip",)


def test_a_flat_line() -> None:
    body = office_claim()
    line = body["claimInformation"]["serviceLines"][0]
    line |= line.pop("professionalService")
    claim, regular = read_v3(body), read_v3(office_claim())
    assert claim.lines[0] == replace(regular.lines[0], service_pointer=LINE)
    assert claim.normalised == (Normalised(LINE, "professionalService read from the line itself"),)


def test_nulls_beside_the_professional_service_say_nothing() -> None:
    """Clients that generators make write one for each member that their object does not have."""
    body = office_claim()
    line = body["claimInformation"]["serviceLines"][0]
    line |= dict.fromkeys(line["professionalService"])
    assert as_said(read_v3(body)) == as_said(read_v3(office_claim()))


def test_an_empty_professional_service_leaves_the_flat_line() -> None:
    body = office_claim()
    line = body["claimInformation"]["serviceLines"][0]
    line |= line["professionalService"] | {"professionalService": {}}
    assert read_v3(body).lines[0].service_pointer == LINE


def test_flat_names_beside_a_professional_service_are_unmapped() -> None:
    claim = _office(f"{LINE}/procedureCode", "99215")
    assert claim.lines[0].procedure == "99213"
    assert claim.unmapped == (f"{LINE}/procedureCode",)


@pytest.mark.parametrize(
    ("day", "end", "days"),
    [
        ("20250312", "20250314", (date(2025, 3, 12), date(2025, 3, 14))),
        ("20250312", "", (date(2025, 3, 12), date(2025, 3, 12))),
        ("20250312", "soon", (date(2025, 3, 12), None)),
        ("20250229", "20250314", (None, date(2025, 3, 14))),
        ("20250229", None, (None, None)),
        ("20250312-20250313", "20250314", (date(2025, 3, 12), date(2025, 3, 14))),
    ],
)
def test_days_of_a_line(day: str, end: str | None, days: tuple[date | None, date | None]) -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"][0] |= {"serviceDate": day, "serviceDateEnd": end}
    line = read_v3(body).lines[0]
    assert (line.first_day, line.last_day) == days


def test_an_empty_end_with_blanks_is_left_out() -> None:
    claim = _office(f"{LINE}/serviceDateEnd", " ")
    assert claim.lines[0].last_day == date(2025, 3, 12)


@pytest.mark.parametrize(
    ("pointer", "element", "expected", "line"),
    [
        (_service("lineItemChargeAmount"), "charge", "amount", 1),
        (_service("serviceUnitCount"), "units", "number", 1),
        (_service("procedureCode"), "procedure", "code", 1),
        (f"{LINE}/serviceDate", "service-date", "date", 1),
        (f"{LINE}/serviceDateEnd", "service-date-end", "date", 1),
        (f"{CI}/claimChargeAmount", "total", "amount", None),
        (f"{CI}/claimFilingCode", "filing-indicator", "code", None),
        (f"{CI}/patientControlNumber", "patient-control-number", "text", None),
        (f"{CI}/healthCareCodeInformation/0/diagnosisCode", "diagnosis-code", "code", None),
        ("/tradingPartnerServiceId", "payer-id", "text", None),
        ("/subscriber/memberId", "member-id", "text", None),
        ("/subscriber/dateOfBirth", "birth-date", "date", None),
        ("/subscriber/gender", "sex", "code", None),
        ("/subscriber/paymentResponsibilityLevelCode", "payment-responsibility", "code", None),
        ("/submitter/organizationName", "submitter-name", "text", None),
        ("/submitter/contactInformation/phoneNumber", "submitter-contact", "text", None),
        ("/providers/0/npi", "billing-npi", "text", None),
        ("/providers/0/address/address1", "billing-street", "text", None),
        ("/providers/0/address/postalCode", "billing-zip", "code", None),
        ("/providers/1/taxonomyCode", "rendering-taxonomy", "code", None),
    ],
)  # fmt: skip
def test_unreadable_scalars_are_listed(pointer: str, element: str, expected: str, line: int | None) -> None:
    claim = _office(pointer, {"x": [CANARY]})
    assert claim.unreadable == (Unreadable(element, expected, pointer, line),)
    assert element in ELEMENTS


def test_what_no_check_looks_for_is_told_as_left_out() -> None:
    claim = _office("/subscriber/address/city", [])
    assert claim.normalised == (Normalised("/subscriber/address/city", "unreadable text left out"),)


def test_missing_scalars_are_none() -> None:
    claim = read_v3({"claimInformation": {"serviceLines": [{}]}})
    assert claim.subscriber == claim.patient == Person("/subscriber")
    assert claim.billing == Provider("/billing")
    assert (claim.total, claim.texts, claim.diagnoses, claim.unreadable) == (None, {}, (), ())
    assert claim.lines[0].service_pointer == SERVICE
    assert claim.lines[0].procedure is None


def test_null_and_empty_are_missing() -> None:
    for pointer in (_service("procedureCode"), f"{LINE}/serviceDate", f"{CI}/healthCareCodeInformation", "/submitter"):
        left_out = office_claim()
        parent, _, name = pointer.rpartition("/")
        node: Any = left_out
        for step in parent.split("/")[1:]:
            node = node[int(step) if step.isdigit() else step]
        del node[name]
        assert as_said(_office(pointer, None)) == as_said(_office(pointer, "")) == as_said(read_v3(left_out))


def test_unknown_names_are_unmapped() -> None:
    body = office_claim()
    body["extra"] = {CANARY: 1}
    body["claimInformation"] |= {"Terry Testerson 1950": 1, "another one": 2, "x" * 65: 1, "colour": 1, "claimNote": {}}
    body["claimInformation"]["serviceLines"][1]["professionalService"]["~/odd"] = 1
    claim = read_v3(body)
    assert claim.unmapped == (
        f"{CI}/(unreadable name)",
        f"{CI}/colour",
        f"{CI}/serviceLines/1/professionalService/(unreadable name)",
        "/extra",
    )


def test_unknown_names_are_listed_up_to_a_limit() -> None:
    body = office_claim()
    for line in body["claimInformation"]["serviceLines"]:
        line |= {f"extra{index}": 1 for index in range(80)}
    unmapped = read_v3(body).unmapped
    assert len(unmapped) == MOST_UNMAPPED
    assert list(unmapped) == sorted(unmapped)


def test_an_object_of_very_many_names_is_still_read() -> None:
    body = office_claim()
    body["claimInformation"] |= {f"extra{index}": 1 for index in range(MOST_NAMES)}
    claim = read_v3(body)
    assert claim.unmapped == (f"{CI}/(many unknown names)",)
    assert claim.total == Decimal("250.00")


def test_key_order_does_not_matter() -> None:
    chance = random.Random(3)
    for _ in range(200):
        body = mutated(chance, chance.choice((office_claim(), tbs_claim())))
        assert _told(body) == _told(shuffled_keys(chance, body))


def _told(body: Any) -> Any:
    """A Claim, or the problems of its refusal."""
    try:
        return read_v3(body)
    except NotAClaim as refusal:
        return refusal.problems


@pytest.mark.parametrize("body", [None, 1, "x", [], [{}], True, 1.5])
def test_a_body_that_is_no_object(body: Any) -> None:
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    assert refusal.value.problems == (("", "must be an object"),)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (CI, None), (CI, []), (CI, "x"), (f"{CI}/serviceLines", None), (f"{CI}/serviceLines", []),
        (f"{CI}/serviceLines", {}), (f"{CI}/serviceLines", ""), (f"{CI}/serviceLines", [{}] * 1_001),
        (f"{CI}/healthCareCodeInformation", {}), (f"{CI}/healthCareCodeInformation", [{}] * 1_001),
        (f"{CI}/healthCareCodeInformation/1", "M810"), (f"{CI}/healthCareCodeInformation/1", None), (LINE, []),
        (LINE, None), (SERVICE, []), (SERVICE, "x"), ("/subscriber", []), ("/subscriber/address", "x"),
        ("/providers", {}), ("/providers/0", []), ("/providers/0/address", []), ("/submitter", 1),
        ("/submitter/contactInformation", True),
    ],
)  # fmt: skip
def test_a_wrong_container_is_refused_with_its_place(pointer: str, value: Any) -> None:
    with pytest.raises(NotAClaim) as refusal:
        _office(pointer, value)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]


@pytest.mark.parametrize(("body", "pointer"), [({}, CI), ({"claimInformation": {}}, f"{CI}/serviceLines")])
def test_what_is_missing_is_named(body: Any, pointer: str) -> None:
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]


def test_all_problems_are_told_at_once_in_order_up_to_a_limit() -> None:
    body = office_claim() | {"subscriber": [], "submitter": 1}
    body["claimInformation"]["serviceLines"] = [{"professionalService": []} for _ in range(100)]
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    pointers = [problem.pointer for problem in refusal.value.problems]
    assert len(pointers) == MOST_PROBLEMS
    assert pointers[:12] == [f"{CI}/serviceLines/{index}/professionalService" for index in range(12)]


def test_of_a_thousand_lines_those_that_a_claim_can_hold_are_read() -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"] *= 250
    claim = read_v3(body)
    assert (claim.lines_sent, len(claim.lines)) == (1_000, 50)


def test_a_line_that_is_none_is_refused_wherever_it_stands() -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"] *= 20
    body["claimInformation"]["serviceLines"][70] = "a line"
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    assert [problem.pointer for problem in refusal.value.problems] == [f"{CI}/serviceLines/70"]


@pytest.mark.parametrize("unit", [b"[[[[{}]]]]", b'{"a":0}', b"1", b'"x"'])
def test_large_garbage_is_refused(unit: bytes) -> None:
    garbage = b"[" + b",".join([unit] * (50_000_000 // (len(unit) + 1))) + b"]"
    with pytest.raises(NotAClaim):
        read_v3(parse_json(b'{"claimInformation":{"serviceLines":' + garbage + b"}}"))


def test_a_large_body_around_a_claim_is_read() -> None:
    body = office_claim() | {"extra": "x" * 50_000_000, "receiver": {"organizationName": "x" * 10_000_000}}
    body |= {f"name{index}": index for index in range(500_000)}
    claim = read_v3(body)
    assert claim.unmapped == ("/(many unknown names)",)
    assert [found.element for found in claim.unreadable] == ["receiver-name"]


def _searchable(told: Any) -> str:
    """What is told of a body besides the values of the claim itself."""
    if isinstance(told, Claim):
        return repr((told.unreadable, told.normalised, told.unmapped, told))
    return repr(told)


def _with_canaries(chance: random.Random, body: Body) -> Any:
    """Every text a canary of its own kind, and then some nodes replaced."""
    for path in paths(body):
        node: Any = body
        for key in path[:-1]:
            node = node[key]
        if not isinstance(node[path[-1]], dict | list):
            node[path[-1]] = chance.choice([CANARY, [CANARY], {"a": CANARY}, CANARY + " " * 2, {CANARY + "!": 1}])
    return body


def test_nothing_told_holds_a_value() -> None:
    chance = random.Random(11)
    for _ in range(200):
        body = _with_canaries(chance, chance.choice((office_claim(), tbs_claim())))
        assert CANARY not in _searchable(_told(body))
        assert CANARY not in _searchable(_told(mutated(chance, body))).replace(f"/{CANARY}'", "")


def test_a_refusal_holds_nothing_of_the_body() -> None:
    with pytest.raises(NotAClaim) as refusal:
        read_v3({"claimInformation": {"serviceLines": CANARY}, "subscriber": CANARY})
    assert CANARY not in repr(refusal.value.problems) + str(refusal.value)
    assert refusal.value.__context__ is None
    assert refusal.value.__cause__ is None


@settings(max_examples=300)
@given(mutations())
def test_any_mutation_gives_a_claim_or_a_refusal(body: Any) -> None:
    told = _told(body)
    assert isinstance(told, Claim) or 0 < len(told) <= MOST_PROBLEMS
    if isinstance(told, Claim):
        assert all(found.element in ELEMENTS for found in told.unreadable)
        assert _plain(told) == _plain(read_v3(body))


@given(JSON)
def test_any_json_gives_a_claim_or_a_refusal(body: Any) -> None:
    _told(body)
    _told({"claimInformation": body})
    _told({"claimInformation": {"serviceLines": [body]}})
    _told(office_claim() | {"scrubContext": body})

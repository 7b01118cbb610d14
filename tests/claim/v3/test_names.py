"""What senders call by other names: synonyms are read and told, misspelt names are told and never deny."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.claim.v3.synonyms import (
    MODIFIERS,
    NUMBERED,
    PROBABLE_SYNONYMS,
    SYNONYMS,
    distance,
    longer_or_shorter,
    nearest,
)
from scrubber.errors import NotAClaim
from scrubber.findings import Finding, ScrubResult
from scrubber.response.claim import document
from scrubber.response.clearinghouse import document as clearinghouse
from scrubber.scrub import Scrubber
from tests.support.bodies import CANARY, paths
from tests.support.claims import Body, office_claim, tbs_claim

DAY = date(2025, 4, 1)
CI = "/claimInformation"
SERVICE = f"{CI}/serviceLines/0/professionalService"
RESEMBLES = "x12-837p-name-resembles"
# Where an object of each shape stands in the office claim, named providers.
PLACES = {
    "Body": (),
    "Submitter": ("submitter",),
    "Receiver": ("receiver",),
    "Person": ("subscriber",),
    "Provider": ("billing",),
    "Address": ("billing", "address"),
    "ClaimInformation": ("claimInformation",),
    "Diagnosis": ("claimInformation", "healthCareCodeInformation", 0),
    "Line": ("claimInformation", "serviceLines", 0),
    "Service": ("claimInformation", "serviceLines", 0, "professionalService"),
    "Pointers": ("claimInformation", "serviceLines", 0, "professionalService", "compositeDiagnosisCodePointers"),
}


def full_claim() -> Body:
    """A sound claim with everything that has another name."""
    body = office_claim()
    providers = body.pop("providers")
    body["billing"], body["rendering"] = ({**one} for one in providers)
    for role in ("billing", "rendering"):
        del body[role]["providerType"]
    body["referring"] = body["ordering"] = body["supervising"] = {"npi": "1555666779", "lastName": "Sample"}
    body["subscriber"]["relationshipToSubscriberCode"] = "18"
    information = body["claimInformation"]
    information["serviceFacilityLocation"] = {"organizationName": "Sample Hospital", "npi": "1234567893"}
    line = information["serviceLines"][0]
    line |= {"serviceDateEnd": "20250312", "renderingProvider": {"npi": "1987654328", "lastName": "Sample"}}
    line |= {"orderingProvider": {"npi": "1555666779"}, "referringProvider": {"npi": "1555666779"}}
    line["professionalService"] |= {"procedureModifiers": ["25"], "placeOfServiceCode": "11"}
    return body


def at(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def said(claim: Claim) -> Claim:
    """The claim without what was told of its reading."""
    return replace(claim, normalised=(), moved=None, body=None)


def denials(result: ScrubResult) -> set[tuple[Any, ...]]:
    return {name(finding) for finding in result.findings if finding.rule.severity == "deny"}


def name(finding: Finding) -> tuple[Any, ...]:
    return finding.rule.id, finding.element, finding.lines, finding.related_lines


def told(result: ScrubResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule.id == RESEMBLES]


# Synonyms


@pytest.mark.parametrize(
    ("shape", "other", "model"),
    [(shape, other, model) for shape, names in SYNONYMS.items() for other, model in names.items()],
)
def test_a_synonym_is_read_as_the_models_name(shape: str, other: str, model: str) -> None:
    body = full_claim()
    node = at(body, PLACES[shape])
    assert model in node, "the claim has what is called otherwise"
    node[other] = node.pop(model)
    claim = read_v3(body)
    assert said(claim) == said(read_v3(full_claim()))
    pointer = "".join(f"/{step}" for step in (*PLACES[shape], other))
    assert [(found.pointer, found.change) for found in claim.normalised] == [(pointer, f"{other} read as {model}")]


@pytest.mark.parametrize("path", [("billing",), ("providers", 0)])
def test_the_payers_tax_id_is_the_billing_providers_where_that_one_has_none(path: tuple[Any, ...]) -> None:
    body = full_claim()
    billing = body.pop("billing")
    body |= (
        {"providers": [billing | {"providerType": "BillingProvider"}]}
        if path[0] == "providers"
        else {"billing": billing}
    )
    at(body, path)["employerIdentificationNumber"] = "987654321"
    assert read_v3(body).normalised == (), "the v3 body has both names: the payer's is one of them"
    own = at(body, path).pop("employerId")
    claim = read_v3(body)
    assert (own, claim.billing.tax_id) == ("123456789", "987654321")
    pointer = "".join(f"/{step}" for step in (*path, "employerIdentificationNumber"))
    assert [found.pointer for found in claim.normalised] == [pointer]
    assert claim.pointer_as_sent(f"{claim.billing.pointer}/employerId") == pointer


@pytest.mark.parametrize("names", [SYNONYMS, PROBABLE_SYNONYMS])
def test_no_other_name_is_one_of_the_models_own(names: Any) -> None:
    from scrubber.claim.v3.names import _object_kind
    from scrubber.claim.v3.schema import BODY

    shapes, known = [BODY], {}
    while shapes:
        found = _object_kind(shapes.pop())
        if found.name not in known:
            known[found.name] = found
            shapes += found.children.values()
    for shape, others in names.items():
        assert not others.keys() & known[shape].names
        inside = set().union(*(part.load_fields.keys() for part in known[shape].children.values()))
        assert set(others.values()) <= known[shape].names | inside


@pytest.mark.parametrize(
    ("sent", "modifiers"),
    [
        ({"procedureModifier1": "59"}, ("59",)),
        ({"procedureModifier2": "LT", "procedureModifier1": "59"}, ("59", "LT")),
        ({"procedureModifier": "59"}, ("59",)),
        ({"procedureModifier": ["59", "LT"]}, ("59", "LT")),
        ({"procedureModifier1": "59", "procedureModifier2": "", "procedureModifier3": None}, ("59",)),
        ({"procedureModifiers": ["25"], "procedureModifier1": "59"}, ("25",)),
    ],
)
def test_modifiers_under_other_names(sent: Body, modifiers: tuple[str, ...]) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    service |= {"procedureModifiers": []} | sent
    claim = read_v3(body)
    assert claim.lines[0].modifiers == modifiers
    assert claim.normalised
    assert bool(claim.unmapped) == (modifiers == ("25",))


@pytest.mark.parametrize(
    ("path", "other", "value", "change"),
    [
        (("billing",), "taxId", "999999999", "left out: employerId says something else"),
        (
            ("claimInformation",),
            "releaseOfInformationCode",
            "I",
            "left out: releaseInformationCode says something else",
        ),
        (PLACES["Service"], "procedureModifier", "59", "left out: procedureModifiers says something else"),
        (PLACES["Line"], "placeOfServiceCode", "22", "left out: professionalService says something else"),
        (("claimInformation",), "receiver", {"organizationName": "Other"}, "left out: receiver says something else"),
    ],
)
def test_the_models_name_wins_over_another_that_says_something_else(
    path: tuple[Any, ...], other: str, value: Any, change: str
) -> None:
    body = full_claim()
    at(body, path)[other] = value
    claim = read_v3(body)
    pointer = "".join(f"/{step}" for step in (*path, other))
    assert claim.unmapped == (pointer,)
    assert [(found.pointer, found.change) for found in claim.normalised] == [(pointer, change)]
    assert replace(said(claim), unmapped=()) == said(read_v3(full_claim()))


@pytest.mark.parametrize(
    ("names", "frm", "to"),
    [
        (["serviceLines"], ("claimInformation",), ()),
        (["serviceLines", "healthCareCodeInformation", "claimChargeAmount"], ("claimInformation",), ()),
        (["subscriber", "billing", "receiver"], (), ("claimInformation",)),
        (["placeOfServiceCode"], PLACES["Service"], PLACES["Line"]),
        (["placeOfServiceCode", "compositeDiagnosisCodePointers"], PLACES["Service"], PLACES["Line"]),
        (["serviceDate", "renderingProvider"], PLACES["Line"], PLACES["Service"]),
        (["address1", "city", "state", "postalCode"], ("billing", "address"), ("billing",)),
        (["city"], ("subscriber", "address"), ("subscriber",)),
        (["phoneNumber"], ("submitter", "contactInformation"), ("submitter",)),
    ],
)
def test_a_name_in_the_object_around_or_within_its_own_is_read(
    names: list[str], frm: tuple[Any, ...], to: tuple[Any, ...]
) -> None:
    body = full_claim()
    for each in names:
        at(body, to)[each] = at(body, frm).pop(each)
    claim = read_v3(body)
    assert said(claim) == said(read_v3(full_claim()))
    assert {found.pointer for found in claim.normalised} == {"".join(f"/{step}" for step in (*to, n)) for n in names}


def test_diagnosis_codes_as_a_list_of_texts() -> None:
    body = office_claim()
    entries = body["claimInformation"].pop("healthCareCodeInformation")
    body["claimInformation"]["diagnosisCodes"] = [entry["diagnosisCode"] for entry in entries]
    claim = read_v3(body)
    assert [(each.qualifier, each.code) for each in claim.diagnoses] == [("ABK", "I10"), ("ABF", "R0602")]


@pytest.mark.parametrize("place", ["Service", "Line"])
def test_diagnosis_codes_on_a_line_are_pointers_to_the_claims(place: str) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    del service["compositeDiagnosisCodePointers"]
    if place == "Line":
        at(body, PLACES["Line"]).update(at(body, PLACES["Line"]).pop("professionalService"))
    at(body, PLACES[place])["diagnosisCodes"] = ["r06.02", "I10"]
    claim = read_v3(body)
    assert claim.lines[0].pointers == (2, 1)
    pointer = "".join(f"/{step}" for step in (*PLACES[place], "diagnosisCodes"))
    assert pointer in [found.pointer for found in claim.normalised]
    assert claim.unmapped == ()


def test_a_flat_line_of_other_names_denies_nothing_and_one_beside_its_service_means_nothing(shipped: Scrubber) -> None:
    flat, beside = office_claim(), office_claim()
    line = at(flat, PLACES["Line"])
    service = line.pop("professionalService")
    line |= {"cpt": service.pop("procedureCode"), "units": service.pop("serviceUnitCount")} | service
    result = shipped.scrub(read_v3(flat), DAY)
    assert not denials(result)
    assert {finding.id for finding in told(result)} == {f"{RESEMBLES}:procedure", f"{RESEMBLES}:units"}
    at(beside, PLACES["Line"]).update({"code": "1", "units": "2", "total": "3"})
    assert not told(shipped.scrub(read_v3(beside), DAY))


def test_codes_on_a_line_that_the_claim_does_not_have_deny_nothing(shipped: Scrubber) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    del service["compositeDiagnosisCodePointers"]
    service["diagnosisCodes"] = ["I10", "E119"]
    result = shipped.scrub(read_v3(body), DAY)
    assert not denials(result)
    assert [finding.lines for finding in told(result)] == [(1,)]


def test_providers_as_one_object() -> None:
    body = office_claim()
    billing, rendering = body.pop("providers")
    one = read_v3(body | {"providers": billing, "rendering": rendering})
    by_role = read_v3(body | {"providers": {"billing": dict(billing), "RenderingProvider": dict(rendering)}})
    listed = read_v3(office_claim())
    for claim in (one, by_role):
        assert claim.billing.npi == listed.billing.npi
        assert claim.rendering
        assert claim.rendering.npi == "1987654328"
        assert [found.pointer for found in claim.normalised] == ["/providers"]
    assert one.pointer_as_sent(one.billing.pointer) == "/providers"
    assert by_role.pointer_as_sent(by_role.billing.pointer) == "/providers/billing"


@pytest.mark.parametrize("providers", [{}, {"a": 1}, {"billing": "x"}, "x", {"driver": {}}])
def test_providers_that_are_none_are_refused(providers: Any) -> None:
    body = office_claim() | {"providers": providers}
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    assert [problem.pointer for problem in refusal.value.problems] == ["/providers"]


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        (["AB"], (1, 2)),
        (["BA"], (2, 1)),
        ("1,2", (1, 2)),
        (["1,2"], (1, 2)),
        (["1, 2"], (1, 2)),
        ("A:B", (1, 2)),
        ("A B", (1, 2)),
        (["2", "1,2"], (2, 1, 2)),
        (["12"], (12,)),
        (["1", "2"], (1, 2)),
    ],
)
def test_pointers_that_stand_in_one_text(sent: Any, pointers: tuple[int, ...]) -> None:
    body = office_claim()
    at(body, PLACES["Pointers"])["diagnosisCodePointers"] = sent
    claim = read_v3(body)
    assert claim.lines[0].pointers == pointers
    assert claim.unreadable == ()
    assert bool(claim.normalised) == (sent not in (["12"], ["1", "2"]))


@pytest.mark.parametrize("sent", ["AZ", "A,Z", "1,x", "AB,Z"])
def test_pointers_that_are_none_are_told(sent: str) -> None:
    body = office_claim()
    at(body, PLACES["Pointers"])["diagnosisCodePointers"] = [sent]
    assert [found.element for found in read_v3(body).unreadable][:1] == ["diagnosis-pointers"]


# Names that only resemble a known one


def misspellings(word: str) -> Iterator[str]:
    """Typing errors and ways to write a name."""
    for place in (0, len(word) // 2, len(word) - 1):
        yield word[:place] + word[place + 1 :]
        yield word[:place] + "x" + word[place:]
        yield word[:place] + "z" + word[place + 1 :]
    yield word[:1] + word[2:3] + word[1:2] + word[3:]
    yield word + "s"
    yield word.capitalize()
    yield word.upper()
    yield f"the{word[:1].upper()}{word[1:]}" if len(word) > 5 else word + "s"
    yield f" {word}"
    yield f"{word}\u200b"
    yield re.sub(r"([A-Z])", r" \1", word)
    yield re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), word)


def misspelt(body: Body, path: tuple[Any, ...], other: str) -> Body:
    body = copy.deepcopy(body)
    node = at(body, path[:-1])
    node[other] = node.pop(path[-1])
    return body


def misspelt_bodies(body: Body, count: int, seed: int) -> list[tuple[tuple[Any, ...], str]]:
    every = [
        (path, other)
        for path in paths(body)
        if isinstance(path[-1], str)
        for other in misspellings(path[-1])
        if other not in at(body, path[:-1])
    ]
    return random.Random(seed).sample(every, min(count, len(every)))


def faulty_claim() -> Body:
    """A claim with denials of several kinds: a bundled pair, too many units, a bad NPI, a fault of the record."""
    body = tbs_claim()
    lines = body["claimInformation"]["serviceLines"]
    lines.append(copy.deepcopy(lines[0]))
    lines[1]["professionalService"] |= {"procedureCode": "77089", "serviceUnitCount": "9"}
    body["claimInformation"]["claimChargeAmount"] = "120.00"
    body["billing"]["npi"] = "1234567890"
    body["scrubContext"]["documentation"][0]["elements"]["tbsValue"] = "low"
    return body


COUNTS = [150, pytest.param(5_000, marks=pytest.mark.proof)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("make", [office_claim, tbs_claim, full_claim, faulty_claim])
def test_a_misspelt_name_never_denies_and_is_told(make: Any, count: int, shipped: Scrubber) -> None:
    """Whatever known name it is: nothing is denied that is not denied under the right one, and nothing goes unsaid."""
    body = make()
    regular = shipped.scrub(read_v3(make()), DAY)
    for path, other in misspelt_bodies(body, count, seed=count):
        sent = misspelt(body, path, other)
        if path[-1] in ("claimInformation", "serviceLines"):
            with pytest.raises(NotAClaim) as refusal:
                read_v3(sent)
            assert f"was probably meant as {path[-1]}" in {problem.message for problem in refusal.value.problems}
            continue
        claim = read_v3(sent)
        result = shipped.scrub(claim, DAY)
        assert denials(result) <= denials(regular), (path, other)
        assert told(result) or claim.normalised or claim.unmapped, (path, other)
        lost = denials(regular) - denials(result)
        unchecked = {item.rule.id for item in result.not_checked}
        assert {rule for rule, *_ in lost} <= unchecked, (path, other)


def test_a_modifier_under_a_misspelt_name_does_not_deny(shipped: Scrubber) -> None:
    body = tbs_claim()
    lines = body["claimInformation"]["serviceLines"]
    lines.append(copy.deepcopy(lines[0]))
    for line, code in zip(lines, ("77080", "77081"), strict=True):
        line["professionalService"]["procedureCode"] = code
    bundled = "cms-ncci-ptp-modifier-missing"
    assert bundled in {rule for rule, *_ in denials(shipped.scrub(read_v3(body), DAY))}
    service = lines[1]["professionalService"]
    service["procedureModifers"] = ["XS"]
    del service["procedureModifiers"]
    result = shipped.scrub(read_v3(body), DAY)
    assert bundled not in {finding.rule.id for finding in result.findings}
    rows = [item for item in result.not_checked if item.rule.id == bundled]
    assert [(row.lines, row.why, row.missing) for row in rows] == [((2,), "unreadable", ("procedureModifiers",))]
    (finding,) = told(result)
    assert finding.lines == (2,)
    assert finding.pointer == f"{CI}/serviceLines/1/professionalService/procedureModifers"
    assert not result.checks["adjudication"].complete


@pytest.mark.parametrize(
    "other",
    [
        "theProcedureModifiers",
        "lineModifiers",
        "hcpcs_modifiers",
        "additionalModifiers",
        "procMods",
        "procedureMods1",
        "mod2",
        "Modifier-1",
        "procedure.modifiers",
        "procedure Modifiers",
        " procedureModifiers",
        "Procedure Modifier 1",
        "procedureModifiers\u200b",
    ],
)
def test_modifiers_under_a_name_of_more_words_or_other_characters_do_not_deny(other: str, shipped: Scrubber) -> None:
    body = tbs_claim()
    lines = body["claimInformation"]["serviceLines"]
    lines.append(copy.deepcopy(lines[0]))
    for line, code in zip(lines, ("77080", "77081"), strict=True):
        line["professionalService"]["procedureCode"] = code
    lines[1]["professionalService"] |= {other: ["XS"], "procedureModifiers": []}
    result = shipped.scrub(read_v3(body), DAY)
    bundled = "cms-ncci-ptp-modifier-missing"
    assert bundled not in {finding.rule.id for finding in result.findings}
    assert bundled in {item.rule.id for item in result.not_checked}
    assert [finding.lines for finding in told(result)] == [(2,)]


def test_a_service_under_a_shorter_name_lacks_nothing(shipped: Scrubber) -> None:
    body = office_claim()
    line = at(body, PLACES["Line"])
    line["service"] = line.pop("professionalService")
    result = shipped.scrub(read_v3(body), DAY)
    assert not denials(result)
    assert [finding.pointer for finding in told(result)] == [f"{CI}/serviceLines/0/service"]


@pytest.mark.parametrize(
    ("shape", "other"),
    [
        ("Service", "procedureCodeDescription"),
        ("Service", "oldProcedureCode"),
        ("Service", "procedureDescription"),
        ("Body", "patientControlNumberSource"),
        ("Line", "serviceDateFormat"),
        ("Person", "genderIdentity"),
        ("Provider", "payToAddress"),
        ("Diagnosis", "diagnosisCodeDescription"),
    ],
)
def test_what_is_said_of_a_name_that_is_there_was_not_meant_as_it(shape: str, other: str, shipped: Scrubber) -> None:
    body = full_claim()
    at(body, PLACES[shape])[other] = "sample"
    result = shipped.scrub(read_v3(body), DAY)
    assert not told(result)
    assert result.unmapped == ("".join(f"/{step}" for step in (*PLACES[shape], other)),)
    assert result.not_checked == shipped.scrub(read_v3(full_claim()), DAY).not_checked


def test_more_modifiers_under_a_misspelt_name_count_as_well(shipped: Scrubber) -> None:
    body = office_claim()
    at(body, PLACES["Service"]).update({"procedureModifiers": ["25"], "procedureModifers": ["ZZ"]})
    result = shipped.scrub(read_v3(body), DAY)
    assert "reference-unknown-modifier" not in {finding.rule.id for finding in result.findings}
    assert [row.lines for row in result.not_checked if row.missing == ("procedureModifiers",)] != []


def test_a_patient_under_a_name_that_is_not_read(shipped: Scrubber) -> None:
    body = office_claim()
    body["patient"] = {"firstName": "Kit", "lastName": "Testerson", "gender": "M", "dateOfBirth": "20190601"}
    body["patient"]["relationshipToSubscriberCode"] = "19"
    del body["subscriber"]["dateOfBirth"]
    result = shipped.scrub(read_v3(body), DAY)
    assert not denials(result)
    assert [finding.pointer for finding in told(result)] == ["/patient"]


def test_one_finding_tells_a_name_on_all_lines(shipped: Scrubber) -> None:
    body = office_claim()
    for line in body["claimInformation"]["serviceLines"]:
        line["professionalService"]["ServiceUnitCount"] = line["professionalService"].pop("serviceUnitCount")
    result = shipped.scrub(read_v3(body), DAY)
    (finding,) = told(result)
    assert finding.lines == (1, 2, 3, 4)
    assert finding.id == f"{RESEMBLES}:units"
    assert finding.message.startswith("Lines 1, 2, 3, 4: ")


@pytest.mark.parametrize("unknown", ["colour", "address3", "x", "internalReference", "lineNumberInOurSystem"])
def test_a_name_like_none_is_unmapped_and_nothing_else(unknown: str, shipped: Scrubber) -> None:
    body = full_claim()
    for path in (PLACES["Body"], PLACES["Provider"], PLACES["Address"], PLACES["Service"]):
        at(body, path)[unknown] = "1"
    result = shipped.scrub(read_v3(body), DAY)
    regular = shipped.scrub(read_v3(full_claim()), DAY)
    assert len(result.unmapped) == 4
    assert (result.findings, result.not_checked) == (regular.findings, regular.not_checked)


def test_no_name_of_the_senders_stands_in_a_message(shipped: Scrubber) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    service |= {f"procedureModifiers{CANARY}": ["59"], f"procedureModifiers {CANARY}": ["59"], CANARY: "1"}
    result = shipped.scrub(read_v3(body), DAY)
    (finding,) = told(result)
    texts = [finding.message, finding.fix, finding.id, *(row.message for row in result.not_checked)]
    assert not [text for text in texts if CANARY in text]
    assert len(finding.pointer) < 150
    assert f"{SERVICE}/(unreadable name)" in result.unmapped


def test_many_unknown_names_are_compared_in_part() -> None:
    body = office_claim()
    for number, line in enumerate(body["claimInformation"]["serviceLines"] * 20):
        line["professionalService"] |= {f"procedureModifer{chr(97 + number % 26)}{number}": "1" for number in range(90)}
    claim = read_v3(body)
    assert len(claim.resembling) <= 400
    assert len(claim.unmapped) == 200


def test_the_clearinghouse_view_says_what_was_not_read_and_not_checked(shipped: Scrubber) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    service["serviceUnitCout"] = service.pop("serviceUnitCount")
    claim = read_v3(body)
    result = shipped.scrub(claim, DAY)
    view, answer = clearinghouse(claim, result), document(result)
    assert view["unmapped"] == [*answer["unmapped"]] == [f"{SERVICE}/serviceUnitCout"]
    assert [row["editName"] for row in view["notChecked"]] == [row["rule"]["id"] for row in answer["notChecked"]]
    assert "x12-837p-element-missing" in {row["editName"] for row in view["notChecked"]}


def test_every_check_by_name_agrees_with_the_findings(shipped: Scrubber) -> None:
    body = office_claim()
    service = at(body, PLACES["Service"])
    service["serviceUnitCout"] = service.pop("serviceUnitCount")
    claim = read_v3(body)
    result = shipped.with_every_check(claim, shipped.scrub(claim, DAY))
    fired = {(check.rule.id, check.lines) for check in result.every_check or () if check.outcome == "fired"}
    assert fired == {(finding.rule.id, finding.lines) for finding in result.findings}


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abcdef", "badcef", 2),
        ("abc", "xyz", None),
        ("", "a", 1),
    ],
)
def test_edits_between_names(one: str, other: str, edits: int | None) -> None:
    assert distance(one, other, 2) == edits == distance(other, one, 2)


def test_of_two_names_the_nearer_is_meant() -> None:
    names = ("serviceDate", "serviceDateEnd", "address1", "address2")
    assert nearest("serviceDat", names) == "serviceDate"
    assert nearest("serviceDateEn", names) == "serviceDateEnd"
    assert nearest("address3", names) is None
    assert nearest("SERVICE_DATE", names) == "serviceDate"
    assert nearest("service", names) is None
    assert nearest("colour", names) is None
    assert nearest("procedureMods", ("procedureCode",)) is None
    assert nearest("procedureIndentifer", ("procedureIdentifier",)) == "procedureIdentifier"


def test_a_name_that_has_more_or_fewer_words_than_another() -> None:
    names = ("modifiers", "procedureModifiers", "serviceDate", "address", "npi")
    assert longer_or_shorter("lineModifiers", names) == "modifiers"
    assert longer_or_shorter("theProcedureModifiers", names) == "procedureModifiers"
    assert longer_or_shorter("service", names) == "serviceDate"
    assert longer_or_shorter("serviceDateFormat", names) == "serviceDate"
    assert longer_or_shorter("readdress", names) is None
    assert longer_or_shorter("providerNpi", names) is None


def test_numbered_modifiers_are_four_of_a_kind() -> None:
    assert sorted(set(NUMBERED.values())) == [1, 2, 3, 4]
    assert MODIFIERS in SYNONYMS["Service"].values()


# Claims of another kind


@pytest.mark.parametrize(
    ("service", "kind"),
    [("institutionalService", "an institutional claim (837I)"), ("dentalService", "a dental claim (837D)")],
)
def test_a_claim_of_another_kind_is_named_as_such(service: str, kind: str) -> None:
    body = office_claim()
    for line in body["claimInformation"]["serviceLines"]:
        line[service] = line.pop("professionalService")
    with pytest.raises(NotAClaim) as refusal:
        read_v3(body)
    (problem,) = refusal.value.problems
    assert problem.pointer == f"{CI}/serviceLines/0/{service}"
    assert kind in problem.message


def test_an_empty_service_of_another_kind_is_only_unmapped() -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"][0]["institutionalService"] = {}
    assert read_v3(body).unmapped == (f"{CI}/serviceLines/0/institutionalService",)

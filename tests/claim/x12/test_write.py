"""A claim is written as X12 without loss: what it says comes back, and all else is listed by its pointer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.claim.elements import CATALOGUE
from scrubber.claim.v3 import read_v3
from scrubber.claim.x12 import ClaimLoops, read_loops
from scrubber.claim.x12.claims import X12Claim, read_claims
from scrubber.claim.x12.interchange import Header, write_interchanges
from scrubber.claim.x12.plans import WRITTEN
from scrubber.claim.x12.read import BodyReader
from scrubber.claim.x12.write import LeftOut, write_segments
from scrubber.errors import NotAClaim
from scrubber.scrub import Scrubber
from tests.claim.x12.test_samples import GENERATOR, SAMPLES, expected, needs_generator, needs_samples
from tests.support import claims
from tests.support.pyx12_map import complaints
from tests.support.service import ROOT
from tests.support.whole_claims import LEFT_AWAY, Body, body_with, whole_body

HEADER = Header("SENDER", "RECEIVER", datetime(2026, 9, 15, 12, 0, tzinfo=UTC), 1, "T")


def bodies_in(data: bytes) -> list[Body]:
    reader = BodyReader(WRITTEN)
    return [reader.body(item)[0] for item in read_loops([data]) if isinstance(item, ClaimLoops)]


def written(bodies: list[Body], header: Header = HEADER) -> str:
    return "".join(write_interchanges([write_segments(body) for body in bodies], header))


def segments(text: str) -> list[str]:
    return text.removesuffix("~\n").split("~\n")


def scalars(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if entries is None:
        yield pointer, value
        return
    for key, inner in entries:
        yield from scalars(inner, f"{pointer}/{key}")


def test_every_element_of_the_catalogue_comes_back() -> None:
    """All that can stand side by side in one claim, for a dependent."""
    body = whole_body()
    assert write_segments(body).left_out == ()
    assert bodies_in(written([body]).encode()) == [body]


@pytest.mark.parametrize("name", sorted(LEFT_AWAY))
def test_an_element_that_excludes_another_comes_back_without_it(name: str) -> None:
    body = body_with([name])
    back = bodies_in(written([body]).encode())[0]
    sent = dict(scalars(body))
    if name == "policy-number":  # SBR03 is one element, which is read as the group's
        assert back["subscriber"]["groupNumber"] == body["subscriber"]["policyNumber"]
    else:
        assert sent.items() <= dict(scalars(back)).items()


def test_what_pyx12_says_of_every_element() -> None:
    """pyx12 takes the certificate of medical necessity (PWK*CT) for the attachment before it, so it is left away."""
    names = [name for name in CATALOGUE if name not in LEFT_AWAY | {"necessity-certificate"}]
    assert complaints(written([body_with(names)])) == []


_TEXTS = [element.name for element in CATALOGUE.values() if element.type == "text" and element.longest >= 30]


@given(
    st.sets(st.sampled_from([*CATALOGUE]), min_size=1, max_size=60),
    st.dictionaries(st.sampled_from(_TEXTS), st.text("AB 1.*:~^|><`+-'", min_size=2, max_size=30)),
)
def test_whatever_a_claim_says_is_in_the_file_or_listed(names: set[str], texts: dict[str, str]) -> None:
    body = body_with([*names, *texts], texts)
    claim = write_segments(body)
    file = "".join(write_interchanges([claim], HEADER))
    back = bodies_in(file.encode())[0]
    listed = {pointer for pointer, _ in claim.left_out}
    came_back = dict(scalars(back))
    anywhere = {str(value) for value in came_back.values()}
    for pointer, value in scalars(body):
        if pointer.endswith("/qualifier"):  # a number with a name of its own comes back under that: stateLicenseNumber
            continue
        if pointer not in listed and str(value).strip():
            assert came_back.get(pointer) == value or str(value).strip() in anywhere, pointer
    assert bodies_in(written([back]).encode()) == [back], "and nothing is lost on the way back"


# What the sample files say otherwise than it is written: their own faults, by the end of the pointer.
NORMALISED = {
    "cosyte__claim_837p-comprehensive.edi": ["diagnosisCode"],  # with a dot
    "cosyte__claim_837p-edge-cases.edi": ["diagnosisCode"],
    "cosyte__claim_837p-with-patient-hl.edi": ["diagnosisCode"],
    "hccinfhir__sample_837_12.txt": ["employerId"],  # with a hyphen
}
# Lines without LX, which every line needs.
WITHOUT_LX = ("hccinfhir__sample_837_11.txt", "hccinfhir__sample_837_12.txt")


def samples() -> list[str]:
    return sorted(
        sample["file"] for sample in expected().values() if "file" in sample and not sample.get("must_be_refused")
    ) or ["none"]


@needs_samples
@pytest.mark.parametrize("name", samples())
def test_a_sample_file_comes_back(name: str) -> None:
    """X12, JSON, X12, JSON: nothing is lost but what the writer lists, which are values that no 837P may have."""
    bodies = bodies_in((SAMPLES / name).read_bytes())
    if not bodies:
        return
    claims = [write_segments(body) for body in bodies]
    back = bodies_in("".join(write_interchanges(claims, HEADER)).encode())
    assert len(back) == len(bodies)
    file = Path(name).name
    for body, claim, other in zip(bodies, claims, back, strict=True):
        listed = {pointer for pointer, _ in claim.left_out}
        changed = {pointer for pointer, _ in set(scalars(body)) ^ set(scalars(other))}
        for pointer in changed - listed:
            end = pointer.rpartition("/")[2]
            assert end in NORMALISED.get(file, []) or (end == "assignedNumber" and file in WITHOUT_LX), pointer


LISTED = {
    "cosyte__claim_837p-comprehensive.edi": {"more of them than the guide allows"},  # two NTE of the claim
    # Composites with another separator than ISA16 says.
    "lfh__837_005010X222A2_demo.cob.2ndary.example4.837": {"longer than the element may be"},
    "lfh__837_005010X222A2_demo.example11.837": {"longer than the element may be"},
    "lfh__837_005010X222A2_demo.example12.837": {"longer than the element may be"},
}


@needs_samples
def test_what_is_listed_of_the_sample_files() -> None:
    found = {}
    for name in samples():
        reasons = {
            reason for body in bodies_in((SAMPLES / name).read_bytes()) for _, reason in write_segments(body).left_out
        }
        if reasons:
            found[Path(name).name] = reasons
    assert found.items() <= LISTED.items()


VALID = [
    "837p/lfh__837_005010X222A2_demo.cob.example3.B.837",
    "837p/lfh__837_005010X222A2_demo.example8.837",
    "837p/moov__example_5010_837p_sample.txt",
    "837p/stupidedi__X222A1_HC837_pass_COB-claim-from-payer-a-to-payer-b-in-payer-to-payer.edi",
    "837p/stupidedi__X222A1_HC837_pass_ambulance.edi",
    "837p/stupidedi__X222A1_HC837_pass_out-of-network-repriced-claim.edi",
]


@needs_samples
def test_what_pyx12_says_of_valid_samples_written_anew() -> None:
    for name in VALID:
        assert complaints(written(bodies_in((SAMPLES / name).read_bytes()))) == [], name


def generated(folder: Path, count: int, *options: str) -> list[Body]:
    out = folder / "claims"
    command = [sys.executable, str(GENERATOR), "--claims", str(count), "--out", str(out), *options]
    subprocess.run(command, check=True)
    return [json.loads(line) for line in out.with_suffix(".ndjson").read_text().splitlines()]


@needs_generator
def test_generated_claims_come_back(tmp_path: Path) -> None:
    bodies = generated(tmp_path, 200, "--seed", "3", "--sets", "4", "--mixed-case")
    text = written(bodies)
    assert bodies_in(text.encode()) == bodies
    assert complaints(written(bodies[:40])) == []


@pytest.mark.proof
@needs_generator
def test_ten_thousand_claims_come_back(tmp_path: Path) -> None:
    bodies = generated(tmp_path, 10_000, "--seed", "11", "--sets", "20", "--money", "cents")
    assert all(not write_segments(body).left_out for body in bodies)
    assert bodies_in(written(bodies).encode()) == bodies


def outcome(claim: Any, scrubber: Scrubber) -> list[Any]:
    result = scrubber.scrub(claim, date(2026, 9, 20))
    return [(each.rule.id, each.lines, each.message, each.fix, each.impact) for each in result.findings]


def same_findings(body: Body, scrubber: Scrubber) -> None:
    item = next(iter(read_claims([written([body]).encode()])))
    assert isinstance(item, X12Claim)
    assert item.claim is not None
    assert outcome(item.claim, scrubber) == outcome(read_v3(body), scrubber)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples").glob("*.json")))
def test_an_example_has_the_same_findings_in_both_formats(name: str, shipped: Scrubber) -> None:
    body = json.loads((ROOT / "examples" / name).read_text())
    body.pop("scrubContext", None)
    same_findings(body, shipped)


@needs_generator
def test_generated_claims_have_the_same_findings_in_both_formats(tmp_path: Path, shipped: Scrubber) -> None:
    for body in generated(tmp_path, 60, "--seed", "5"):
        same_findings(body, shipped)


def left_out(body: Body) -> list[LeftOut]:
    return [*write_segments(body).left_out]


def test_other_shapes_of_a_body_are_written_as_the_model_has_it() -> None:
    body = claims.office_claim()
    line = body["claimInformation"]["serviceLines"][0]
    other = json.loads(json.dumps(body))
    flat = other["claimInformation"]["serviceLines"][0]
    flat |= flat.pop("professionalService")
    flat["compositeDiagnosisCodePointers"] = [["A"]]
    flat["serviceDate"] = f"{line['serviceDate']}-{line['serviceDate']}"
    line["serviceDateEnd"] = line["serviceDate"]
    line["professionalService"]["compositeDiagnosisCodePointers"] = {"diagnosisCodePointers": ["1"]}
    other |= {entry.pop("providerType").removesuffix("Provider").lower(): entry for entry in other.pop("providers")}
    address = other["subscriber"]["address"]
    address["line1"], address["zip"] = address.pop("address1"), address.pop("postalCode")
    other["claimInformation"]["claimChargeAmount"] = 250.5
    body["claimInformation"]["claimChargeAmount"] = "250.5"
    other["subscriber"]["dateOfBirth"] = "1950-02-14"
    assert written([other]) == written([body])
    assert left_out(other) == left_out(body) == []


def test_an_ordering_provider_of_the_claim_stands_on_every_line_without_its_own() -> None:
    body = claims.office_claim() | {"ordering": {"lastName": "REQUESTER", "npi": claims.ORDERING_NPI}}
    lines = body["claimInformation"]["serviceLines"]
    lines[0]["orderingProvider"] = {"lastName": "OTHER", "npi": claims.CLINIC_NPI}
    assert left_out(body) == []
    file = segments(written([body]))
    assert file.count(f"NM1*DK*1*REQUESTER*****XX*{claims.ORDERING_NPI}") == len(lines) - 1
    assert file.count(f"NM1*DK*1*OTHER*****XX*{claims.CLINIC_NPI}") == 1


@pytest.mark.parametrize(
    ("pointer", "value", "reason"),
    [
        ("/claimInformation/patientControlNumber", "X" * 39, "longer than the element may be"),
        ("/claimInformation/fileInformation", "LINE\nBREAK", "written with blanks for control characters"),
        ("/subscriber/favouriteColour", "green", "the 837P has no place for it"),
        ("/scrubContext", {"receivedOn": "20260915"}, "the 837P has no place for it"),
        ("/providers/0/ssn", "999000001", "more of them than the guide allows"),
        ("/claimInformation/serviceLines/0/professionalService/procedureModifiers",
         ["25", "59", "GA", "GZ", "76"], "more of them than the guide allows"),
        ("/claimInformation/claimNote", {"additionalInformation": "A", "certificationNarrative": "B"},
         "more of them than the guide allows"),
        ("/subscriber/gender", ["F"], "the 837P has no place for it"),
    ],
)  # fmt: skip
def test_what_the_837p_cannot_carry_is_listed_by_its_pointer(pointer: str, value: Any, reason: str) -> None:
    body: Any = claims.office_claim()
    *path, name = pointer.split("/")[1:]
    at = body
    for key in path:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[name] = value
    listed = left_out(body)
    assert [each.reason for each in listed] == [reason]
    assert listed[0].pointer.startswith(pointer)


def test_a_name_that_may_be_anything_is_not_listed_as_it_is() -> None:
    body = claims.office_claim() | {"Terry Testerson 1950": "x"}
    assert [each.pointer for each in left_out(body)] == ["/(unreadable name)"]


def test_claims_of_another_kind_are_refused() -> None:
    body = claims.office_claim()
    line = body["claimInformation"]["serviceLines"][0]
    line["institutionalService"] = line.pop("professionalService")
    with pytest.raises(NotAClaim) as refusal:
        write_segments(body)
    assert "837I" in refusal.value.problems[0].message


def test_neighbours_share_the_levels_they_have_in_common() -> None:
    body, other = claims.office_claim(), claims.office_claim()
    other["subscriber"] = other["subscriber"] | {"memberId": "SYN2"}
    child = claims.office_claim() | {"dependent": {"firstName": "CASEY", "relationshipToSubscriberCode": "19"}}
    levels = [line for line in segments(written([body, body, other, child, body])) if line.startswith("HL*")]
    assert levels == ["HL*1**20*1", "HL*2*1*22*0", "HL*3*1*22*0", "HL*4*1*22*1", "HL*5*4*23*0", "HL*6*1*22*0"]


def test_sets_are_those_of_the_control_numbers_and_no_number_comes_twice_in_a_group() -> None:
    bodies = [claims.office_claim() | {"controlNumber": number} for number in ("0007", "0007", "0008", "0007", "")]
    file = segments(written(bodies))
    starts = [line.split("*")[0] + "*" + line.split("*")[2] for line in file if line[:3] in ("ST*", "GS*", "SE*")]
    assert starts == [
        "GS*SENDER", "ST*0007", "SE*0007", "ST*0008", "SE*0008",
        "GS*SENDER", "ST*0007", "SE*0007", "ST*0001", "SE*0001",
    ]  # fmt: skip
    assert [line for line in file if line.startswith(("GE", "IEA"))] == ["GE*2*1", "GE*2*2", "IEA*2*000000001"]
    assert complaints(written(bodies)) == []


def test_an_interchange_is_of_one_usage_and_their_numbers_go_on() -> None:
    bodies = [claims.office_claim() | {"usageIndicator": usage} for usage in "TTP"]
    file = segments(written(bodies, HEADER._replace(control_number=999_999_999)))
    numbers = [line.split("*")[13:16] for line in file if line.startswith("ISA")]
    assert numbers == [["999999999", "0", "T"], ["000000001", "0", "P"]]


def test_delimiters_stand_in_no_value() -> None:
    body = claims.office_claim()
    body["claimInformation"]["claimNote"] = {"additionalInformation": "A*B|C:D>E<F^G`H~I!J"}
    text = written([body])
    assert {text[103], text[104], text[105], text[82]}.isdisjoint("*|:><^`~!")
    assert bodies_in(text.encode()) == bodies_in(text.encode())
    assert bodies_in(text.encode())[0]["claimInformation"]["claimNote"] == body["claimInformation"]["claimNote"]


def test_more_claims_than_a_set_should_have_are_several_interchanges() -> None:
    claim = write_segments(claims.office_claim())
    texts = [*write_interchanges([claim] * 5_001, HEADER)]
    assert [text.count("\nCLM*") for text in texts] == [5_000, 1]


def test_a_claim_in_the_shape_of_the_cms_1500_is_written_too() -> None:
    body = json.loads((ROOT / "examples/shapes/cms-1500.json").read_text()) | {"favourite": "x"}
    assert {each.pointer for each in left_out(body)} == {"/favourite", "/scrubContext"}
    assert complaints(written([body])) == []


@pytest.mark.parametrize("body", [[], {}, {"claimInformation": []}, "text"])
def test_what_is_no_claim_is_refused(body: object) -> None:
    with pytest.raises(NotAClaim):
        write_segments(body)

"""The catalogue of elements: each row is a place that can be read, in JSON and in X12, and is in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrubber.claim.elements import CATALOGUE, ELEMENTS, read_elements, read_place
from scrubber.claim.x12.guide import LOOPS, SEGMENTS

HEAD = "name,type,json,x12,box,length,need,when,codes,label"


def test_no_two_elements_stand_at_one_place() -> None:
    paths = [path for element in CATALOGUE.values() for path in element.paths]
    assert len(set(paths)) == len(paths)
    places = [(place, how) for element in CATALOGUE.values() for place in element.places for how in [place.how]]
    assert len(set(places)) == len(places)


def test_a_path_is_a_scalar_or_an_object_and_never_both() -> None:
    scalars = {path for element in CATALOGUE.values() for path in element.paths}
    objects = {path[:length] for path in scalars for length in range(1, len(path))}
    assert {path for path in scalars if path[-1] != "*"}.isdisjoint(objects)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_row_is_sound(name: str) -> None:
    element = CATALOGUE[name]
    assert element.label, "a label"
    assert element.need in ("required", "situational")
    assert 0 < element.shortest <= element.longest or element.name == "claim-place"
    assert element.longest
    for path, place in element.pairs():
        assert path in element.paths
        assert place.loop in {"HEADER", "ISA", *LOOPS}
        assert place.segment in SEGMENTS | {"ISA", "ST"}
    for code in element.codes:
        assert element.shortest <= len(code) <= element.longest or element.type == "two-characters"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2300 REF*G1 02", "REF02"),
        ("2400 SV1 01-2", "SV101-2"),
        ("2400 SV1 01-3..6", "SV101-3"),
        ("2400 SV1 07-1..4", "SV107"),
        ("2300 HI*ABK,BK,ABF,BF each-2", "HI01-2"),
        ("2010AA PER TE", "PER"),
        ("2320 CAS 02+3", "CAS02"),
        ("2330A NM1 03 if 02=1", "NM103"),
    ],
)
def test_a_place_is_named_as_the_trade_names_it(text: str, name: str) -> None:
    assert read_place(text).name == name


@pytest.mark.parametrize("text", ["", "2300", "2300 REF", "2300 ref 02", "2300 REF*G1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a place in the 837P"):
        read_place(text)


def test_a_name_stands_once(tmp_path: Path) -> None:
    file = tmp_path / "elements.csv"
    row = "clia,text,claimInformation/x,2300 REF*X4 02,,1..50,situational,,,CLIA number"
    file.write_text(f"{HEAD}\n{row}\n{row}\n")
    with pytest.raises(ValueError, match="two elements are called clia"):
        read_elements(file)


@pytest.mark.parametrize(
    ("name", "owner", "path"),
    [
        ("procedure", "service", "/procedureCode"),
        ("service-date", "line", "/serviceDate"),
        ("diagnosis-code", "diagnosis", "/diagnosisCode"),
        ("birth-date", "patient", "/dateOfBirth"),
        ("patient-last-name", "patient", "/lastName"),
        ("member-id", "subscriber", "/memberId"),
        ("billing-npi", "billing", "/npi"),
        ("facility-zip", "facility", "/address/postalCode"),
        ("clia-number", "claim", "/claimInformation/claimSupplementalInformation/cliaNumber"),
        ("documentation", "claim", "/scrubContext/documentation"),
        ("body", "claim", ""),
    ],
)
def test_a_pointer_begins_at_its_owner(name: str, owner: str, path: str) -> None:
    assert (ELEMENTS[name].owner, ELEMENTS[name].path) == (owner, path)

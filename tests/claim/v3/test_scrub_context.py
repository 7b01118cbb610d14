from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.model import (
    ABSENT,
    NOT_SUPPLIED,
    Claim,
    Context,
    Documentation,
    EarlierService,
    FurtherElement,
    Span,
    Unreadable,
    UnusableService,
)
from scrubber.errors import NotAClaim
from tests.support.claims import office_claim, tbs_claim

BLOCK = "/scrubContext/documentation/0"


def _read(**context: Any) -> Claim:
    return read_v3(office_claim() | {"scrubContext": context})


def _stated(elements: Any) -> dict[str, Any]:
    return dict(_read(documentation=[{"elements": elements}]).context.documentation[0].elements)


def test_without_a_context_nothing_is_supplied() -> None:
    assert read_v3(office_claim()).context == Context()
    assert _read().context == Context()
    assert read_v3(office_claim() | {"scrubContext": None}).context == Context()


def test_the_full_block() -> None:
    claim = read_v3(tbs_claim())
    block = claim.context.documentation[0]
    assert block.pointer == BLOCK
    assert block.lines == (1,)
    assert dict(block.elements) == {
        "tbsValue": "1.285",
        "tScore": "-2.1",
        "indication": "glucocorticoid therapy since 2024",
        "findings": "texture of L1 to L4 below that of young adults",
        "interpretation": "partially degraded texture, fracture risk raised",
        "recommendation": "repeat in two years",
        "separateReport": "true",
        "reportDate": "20250312",
        "calculatedBy": "other",
        "signature": "given",
        "signature.name": "Pat Placeholder",
        "signature.npi": "1987654328",
        "signature.date": "20250312",
        "signature.credential": "MD",
        "sourceStudy": "given",
        "sourceStudy.code": "77080",
        "sourceStudy.date": "20250310",
        "sourceStudy.levels": "L1-L4",
        "tbsSoftware": "given",
        "tbsSoftware.name": "Sample TBS",
        "tbsSoftware.version": "4",
        "tbsSoftware.clearance": "K243218",
        "order": "given",
        "order.npi": "1555666779",
        "order.date": "20250301",
    }
    assert claim.context.received_on == date(2025, 3, 20)
    assert (claim.normalised, claim.unreadable, claim.unmapped) == ((), (), ())


def test_an_element_is_present_absent_or_not_supplied() -> None:
    assert _stated({"tbsValue": None, "tScore": "", "indication": "x"}) == {
        "tbsValue": ABSENT,
        "tScore": ABSENT,
        "indication": "x",
    }


def test_an_element_of_several_parts() -> None:
    assert _stated({"signature": None}) == {"signature": ABSENT}
    assert _stated({"signature": ""}) == {"signature": ABSENT}
    assert _stated({"signature": {}}) == {}
    assert _stated({"signature": {"npi": None, "name": ""}}) == {
        "signature": ABSENT,
        "signature.npi": ABSENT,
        "signature.name": ABSENT,
    }
    assert _stated({"signature": {"npi": None, "name": "Pat"}}) == {
        "signature": "given",
        "signature.npi": ABSENT,
        "signature.name": "Pat",
    }


def test_numbers_and_booleans_are_taken_as_text() -> None:
    assert _stated({"tbsValue": 1.285, "separateReport": False, "modifierSupport": "yes", "calculatedBy": "Self"}) == {
        "tbsValue": "1.285",
        "separateReport": "false",
        "modifierSupport": "true",
        "calculatedBy": "Self",
    }


def test_an_unreadable_element_is_not_taken_for_absent() -> None:
    claim = _read(documentation=[{"elements": {"tbsValue": ["1.2"], "signature": {"npi": {}}}}])
    assert dict(claim.context.documentation[0].elements) == {"signature": "given"}
    assert set(claim.unreadable) == {
        Unreadable("documentation", "text", f"{BLOCK}/elements/tbsValue", None),
        Unreadable("documentation", "text", f"{BLOCK}/elements/signature/npi", None),
    }


def test_an_unknown_element_is_unmapped() -> None:
    claim = _read(documentation=[{"elements": {"tbsvalue": "1.2", "signature": {"nip": "1"}}}], extra=1)
    assert claim.unmapped == (
        f"{BLOCK}/elements/signature/nip",
        f"{BLOCK}/elements/tbsvalue",
        "/scrubContext/extra",
    )


@pytest.mark.parametrize("lines", [{}, {"lines": None}, {"lines": []}])
def test_a_block_without_lines_is_about_every_line(lines: dict[str, Any]) -> None:
    assert _read(documentation=[lines]).context.documentation[0].lines == (1, 2, 3, 4)
    assert _read(abn=[lines]).context.abn[0].lines == (1, 2, 3, 4)  # type: ignore[index]


@pytest.mark.parametrize("lines", [[5], [0], [-1], [True], [1.5], ["x"], [{}], {}, "x"])
def test_a_line_that_is_not_there_is_unreadable_and_does_not_mean_every_line(lines: Any) -> None:
    for name in ("documentation", "abn"):
        claim = _read(**{name: [{"lines": lines}]})
        assert getattr(claim.context, name)[0].lines == ()
        assert [(found.element, found.expected) for found in claim.unreadable] == [(name, "number")]
        assert claim.unreadable[0].pointer.startswith(f"/scrubContext/{name}/0/lines")


def test_line_numbers_are_taken_from_text_and_once() -> None:
    claim = _read(documentation=[{"lines": ["2", 1, 2]}])
    assert claim.context.documentation[0].lines == (1, 2)
    assert claim.normalised[0].pointer == f"{BLOCK}/lines/0"


def test_notices() -> None:
    notice = {"lines": [2], "form": "CMS-R-131", "issued": "2025-03-01", "signed": None, "option": 1, "estimate": 60.0}
    abn = _read(abn=[notice]).context.abn
    assert abn is not None
    assert (abn[0].pointer, abn[0].lines) == ("/scrubContext/abn/0", (2,))
    assert (abn[0].form, abn[0].issued, abn[0].signed) == ("CMS-R-131", date(2025, 3, 1), ABSENT)
    assert (abn[0].option, abn[0].estimate, abn[0].reason) == ("1", "60.0", NOT_SUPPLIED)


@pytest.mark.parametrize(("sent", "read"), [(True, True), ("no", False), (None, ABSENT), ("perhaps", NOT_SUPPLIED)])
def test_a_notice_that_the_patient_refused(sent: Any, read: Any) -> None:
    notice = {"refused": sent, "witnesses": "2"}
    abn = _read(abn=[notice, {"witnesses": None}, {"witnesses": "two"}]).context.abn
    assert abn is not None
    assert (abn[0].refused, abn[0].witnesses) == (read, Decimal(2))
    assert (abn[1].refused, abn[1].witnesses) == (NOT_SUPPLIED, ABSENT)
    assert abn[2].witnesses is NOT_SUPPLIED


def test_what_cannot_be_read_of_a_refusal_is_told_with_its_place() -> None:
    claim = _read(abn=[{"refused": "perhaps", "witnesses": ["Pat"]}])
    assert set(claim.unreadable) == {
        Unreadable("abn", "code", "/scrubContext/abn/0/refused", None),
        Unreadable("abn", "number", "/scrubContext/abn/0/witnesses", None),
    }


def test_an_unreadable_date_of_a_notice_is_not_supplied() -> None:
    claim = _read(abn=[{"signed": "20250229"}])
    assert claim.context.abn is not None
    assert claim.context.abn[0].signed is NOT_SUPPLIED
    assert claim.unreadable == (Unreadable("abn", "date", "/scrubContext/abn/0/signed", None),)


@pytest.mark.parametrize("nothing", [[], None])
def test_no_notice_and_no_history_can_be_stated(nothing: Any) -> None:
    assert _read(abn=nothing).context.abn == ()
    assert _read(history=nothing).context.history == ()


def test_history() -> None:
    rows = [
        {"code": "77080", "date": "20230402", "modifiers": ["26"], "renderingNpi": "1987654328"},
        {"code": "77080"},
        {"code": [], "date": "20230402"},
        {"code": "77080", "date": "20230231"},
    ]
    claim = _read(history=rows)
    assert claim.context.history is not None
    (row,) = claim.context.history
    assert (row.code, row.day, row.modifiers, row.rendering_npi) == ("77080", date(2023, 4, 2), ("26",), "1987654328")
    assert [(found.element, found.expected, found.pointer) for found in claim.unreadable] == [
        ("history", "date", "/scrubContext/history/1/date"),
        ("history", "code", "/scrubContext/history/2/code"),
        ("history", "date", "/scrubContext/history/3/date"),
    ]


SERVICE = {
    "code": "77080-TC",
    "date": "20230402",
    "modifiers": ["59"],
    "units": "1.5",
    "charge": "120.00",
    "allowed": "38.17",
    "renderingNpi": "1987654328",
    "billingNpi": "1234567893",
    "taxonomyCode": "207r00000x",
    "diagnoses": ["M81.0", "Z79899"],
    "careFrom": "20230301",
    "careTo": "2023-04-30",
}


def _services(*rows: dict[str, Any]) -> tuple[Claim, tuple[EarlierService, ...]]:
    claim = _read(history=[*rows])
    assert claim.context.history is not None
    return claim, claim.context.history


def test_all_that_is_said_of_an_earlier_service() -> None:
    _, (service,) = _services(SERVICE)
    assert service == EarlierService(
        "77080",
        date(2023, 4, 2),
        ("59", "TC"),
        rendering_npi="1987654328",
        units=Decimal("1.5"),
        charge=Decimal("120.00"),
        allowed=Decimal("38.17"),
        billing_npi="1234567893",
        taxonomy="207R00000X",
        diagnoses=("M810", "Z79899"),
        care_from=date(2023, 3, 1),
        care_to=date(2023, 4, 30),
        pointer="/scrubContext/history/0",
    )


FURTHER = ("rendering_npi", "units", "charge", "allowed", "billing_npi", "taxonomy", "care_from", "care_to")


def test_what_is_left_out_of_an_earlier_service_is_not_supplied_and_what_is_empty_is_absent() -> None:
    empty = {name: None if name == "units" else "" for name in SERVICE if name not in ("code", "date", "diagnoses")}
    _, (bare, stated) = _services(
        {"code": "77080", "date": "20230402"}, {"code": "77080", "date": "20230402", "diagnoses": [], **empty}
    )
    assert {getattr(bare, name) for name in (*FURTHER, "diagnoses")} == {NOT_SUPPLIED}
    assert {getattr(stated, name) for name in FURTHER} == {ABSENT}
    assert (bare.modifiers, stated.modifiers, stated.diagnoses) == ((), (), ())
    assert bare.unreadable == stated.unreadable == frozenset()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("units", "number"), ("charge", "amount"), ("allowed", "amount"), ("renderingNpi", "text"),
        ("billingNpi", "text"), ("taxonomyCode", "code"), ("careFrom", "date"), ("careTo", "date"),
    ],
)  # fmt: skip
def test_an_earlier_service_with_an_unreadable_value_is_kept_and_the_value_unknown(name: str, expected: str) -> None:
    claim, (service,) = _services(SERVICE | {name: ["x"]})
    assert service.unreadable == {name}
    assert claim.unreadable == (Unreadable("history", expected, f"/scrubContext/history/0/{name}", None),)
    kept = sum(getattr(service, further) is not NOT_SUPPLIED for further in FURTHER)
    assert kept == len(FURTHER) - 1


def test_what_can_be_read_of_a_list_of_an_earlier_service_is_not_all_of_it() -> None:
    claim, (service,) = _services(SERVICE | {"modifiers": ["59", {}], "diagnoses": ["M810", 7.5]})
    assert service.unreadable == {"modifiers", "diagnoses"}
    assert [odd.pointer for odd in claim.unreadable] == [
        "/scrubContext/history/0/modifiers/1",
        "/scrubContext/history/0/diagnoses/1",
    ]


def test_rows_that_name_no_service_or_no_day_show_that_there_was_more() -> None:
    claim = _read(history=[{"code": "77080"}, {"code": "77080", "date": "20230402"}, {"date": "20230402", "code": {}}])
    assert claim.context.unusable_history == (
        UnusableService("/scrubContext/history/0", "77080", None),
        UnusableService("/scrubContext/history/2", None, date(2023, 4, 2)),
    )


def test_what_a_history_covers() -> None:
    stated = _read(history=[], historyFrom="20210101", historyComplete=True, historyScope="Payer")
    context = stated.context
    assert (context.history_from, context.history_complete, context.history_scope) == (date(2021, 1, 1), True, "payer")
    assert stated.unmapped == ()
    odd = _read(history=[], historyFrom="2021", historyComplete="mostly", historyScope="clinic")
    context = odd.context
    assert (context.history_from, context.history_complete, context.history_scope) == (None, None, None)
    assert [(each.element, each.pointer) for each in odd.unreadable] == [
        ("history", "/scrubContext/historyFrom"),
        ("history", "/scrubContext/historyComplete"),
        ("history", "/scrubContext/historyScope"),
    ]


def test_a_history_of_five_thousand_services_is_read() -> None:
    _, services = _services(*[{"code": "97110", "date": "20240102", "units": "1"}] * 5_000)
    assert len(services) == 5_000


def test_product_and_hospice_care() -> None:
    spans = [{"from": "20240101", "to": "20240331"}, {"from": "20250101"}, {"from": "soon", "to": None}]
    claim = _read(eligibility={"product": "Sample Choice", "hospice": spans})
    assert claim.context.product == "Sample Choice"
    assert claim.context.hospice == (
        Span(date(2024, 1, 1), date(2024, 3, 31)),
        Span(date(2025, 1, 1), None),
        Span(None, None),
    )
    assert [odd.pointer for odd in claim.unreadable] == ["/scrubContext/eligibility/hospice/2/from"]
    assert _read(eligibility={"plan": "medicaid"}).context.hospice is None
    assert _read(eligibility={"hospice": []}).context.hospice == ()


def test_eligibility_and_pricing() -> None:
    stated = _read(
        eligibility={"plan": "medicare-advantage", "qmb": False, "checkedOn": "20250301"},
        pricing={"locality": "10112-00", "participation": "nonpar", "qualifyingApm": "Y"},
    ).context
    assert (stated.plan, stated.qmb, stated.eligibility_checked) == ("medicare-advantage", False, date(2025, 3, 1))
    assert (stated.locality, stated.participation, stated.qualifying_apm) == ("10112-00", "nonpar", True)


def test_unreadable_settings() -> None:
    claim = _read(
        eligibility={"plan": [], "qmb": "perhaps", "checkedOn": "soon"},
        pricing={"locality": "Alabama", "participation": "maybe", "qualifyingApm": 3},
        receivedOn="20250230",
    )
    assert claim.context == Context()
    assert [found.element for found in claim.unreadable] == ["eligibility"] * 3 + ["pricing"] * 3 + ["received-on"]


@pytest.mark.parametrize(
    ("context", "pointer"),
    [
        ([], ""),
        ({"documentation": {}}, "/documentation"),
        ({"documentation": [[]]}, "/documentation/0"),
        ({"documentation": [{"elements": []}]}, "/documentation/0/elements"),
        ({"documentation": [{"elements": {"signature": "Pat"}}]}, "/documentation/0/elements/signature"),
        ({"documentation": [{}] * 1_001}, "/documentation"),
        ({"abn": {}}, "/abn"),
        ({"history": [1]}, "/history/0"),
        ({"history": [{}] * 5_001}, "/history"),
        ({"eligibility": {"hospice": {}}}, "/eligibility/hospice"),
        ({"pricing": []}, "/pricing"),
        ({"eligibility": "x"}, "/eligibility"),
    ],
)
def test_wrong_containers_are_refused_with_their_place(context: Any, pointer: str) -> None:
    with pytest.raises(NotAClaim) as refusal:
        read_v3(office_claim() | {"scrubContext": context})
    assert [problem.pointer for problem in refusal.value.problems] == ["/scrubContext" + pointer]


def _block(**elements: Any) -> Documentation:
    return _read(documentation=[{"elements": elements}]).context.documentation[0]


def _further(name: str, path: str, within: str) -> FurtherElement:
    return FurtherElement(name, f"{BLOCK}/elements/{path}", f"{BLOCK}/elements/{within}")


def test_elements_of_any_name_are_kept_for_the_families() -> None:
    block = _block(tbsValue="1.2", anesthesiaStart="202601050830", timedMinutes=38, consented=True, contactDate=None)
    assert dict(block.elements) == {
        "tbsValue": "1.2",
        "anesthesiaStart": "202601050830",
        "timedMinutes": "38",
        "consented": "true",
        "contactDate": ABSENT,
    }
    assert block.further == tuple(
        _further(name, name, name) for name in ("anesthesiaStart", "consented", "contactDate", "timedMinutes")
    )


def test_elements_in_objects_and_lists_have_flat_names() -> None:
    vials = [{"code": "J9035", "units": 10}, {"code": None, "lot": {"number": "7"}}, {}]
    block = _block(vials=vials, levels2=["L1", ""], signature={"name": "Pat", "place": "ward"}, note={"a": None})
    assert dict(block.elements) == {
        "vials": "given",
        "vials.0": "given",
        "vials.0.code": "J9035",
        "vials.0.units": "10",
        "vials.1": "given",
        "vials.1.code": ABSENT,
        "vials.1.lot": "given",
        "vials.1.lot.number": "7",
        "levels2": "given",
        "levels2.0": "L1",
        "levels2.1": ABSENT,
        "note": ABSENT,
        "note.a": ABSENT,
        "signature": "given",
        "signature.name": "Pat",
        "signature.place": "ward",
    }
    assert set(block.further) == {
        _further("vials.code", "vials/0/code", "vials"),
        _further("vials.units", "vials/0/units", "vials"),
        _further("vials.code", "vials/1/code", "vials"),
        _further("vials.lot.number", "vials/1/lot/number", "vials"),
        _further("levels2", "levels2/0", "levels2"),
        _further("levels2", "levels2/1", "levels2"),
        _further("note.a", "note/a", "note"),
        _further("signature.place", "signature/place", "signature/place"),
    }


def test_what_is_no_statement_is_remembered_as_unreadable_and_not_as_absent() -> None:
    long = "x" * 20_000
    claim = _read(documentation=[{"elements": {"tbsValue": ["1.2"], "report": long, "deep": [[[[["too deep"]]]]]}}])
    block = claim.context.documentation[0]
    assert block.unreadable == {"tbsValue", "report", "deep.0.0.0.0"}
    assert not {*block.elements} & block.unreadable
    assert [odd.pointer for odd in claim.unreadable] == [f"{BLOCK}/elements/tbsValue"]  # others are nobody's business


def test_names_that_could_be_anything_are_not_told() -> None:
    claim = _read(documentation=[{"elements": {"Terry Testerson": "1", "visit": {"Terry Testerson": "1"}}}])
    block = claim.context.documentation[0]
    assert "Terry" not in str(block.further[0].pointer) + str(claim.unmapped)
    assert all("Terry" not in name for name in block.elements)


def test_a_thousand_elements_of_a_block_are_read_and_a_long_list_is_cut() -> None:
    assert len(_block(**{f"element{number}": "1" for number in range(1_000)}).elements) == 1_000
    assert len(_block(rows=["1"] * 100_000).further) == 2_000


def test_unknown_names_elsewhere_are_listed_before_those_of_documentation() -> None:
    claim = _read(documentation=[{"elements": {f"element{number}": "1" for number in range(300)}}], unknown=1)
    assert "/scrubContext/unknown" in claim.unmapped
    assert len(claim.unmapped) == 200

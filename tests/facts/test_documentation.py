"""What was said of the report behind a line, three-valued: present, stated absent, not supplied."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.claim import read_v3
from scrubber.claim.model import ABSENT
from scrubber.facts.documentation import Documents
from scrubber.facts.stated_values import number_in
from scrubber.scrub import Scrubber, read_facts
from tests.support.claims import Body, tbs_claim


def document_of(body: Body, shipped: Scrubber) -> dict[str, Any]:
    return documents_of(body, shipped)[0]


def documents_of(body: Body, shipped: Scrubber) -> list[dict[str, Any]]:
    known = read_facts(read_v3(body), shipped.rulebook, shipped.reference, date(2025, 3, 12))
    return [fact.values for fact in known.facts if fact.kind == "document"]


def stated(shipped: Scrubber, without: str | None = None, **elements: Any) -> dict[str, Any]:
    """The fact of a complete report with some elements said otherwise."""
    body = tbs_claim()
    block = body["scrubContext"]["documentation"][0]["elements"]
    block.update(elements)
    if without:
        del block[without]
    return document_of(body, shipped)


# Numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.285", "1.285"),
        (" 1.285 ", "1.285"),
        ("TBS 1.285", "1.285"),
        ("TBS: 1.285 (L1-L4)", "1.285"),
        ("1,285", "1.285"),
        (".985", ".985"),
        ("-2.1", "-2.1"),
        ("\u22122.1", "-2.1"),  # a minus sign as printed
        ("TBS-1.285", "1.285"),
        ("below 1.200.", "1.200"),
        ("0", "0"),
    ],
)
def test_the_number_in_a_text(text: str, number: str) -> None:
    assert number_in(text) == Decimal(number)


@pytest.mark.parametrize("text", ["low", "see report", "L1-L4", "1e3", "n/a", "1.2.3", "12,345,678", "L1", "\u0661"])
def test_a_text_without_a_number(text: str) -> None:
    assert number_in(text) == "not-a-number"


@pytest.mark.parametrize("text", ["1.285 (normal from 1.310)", "1.2 / 1.3", "1.2, 1.3", "1.2-1.3"])
def test_of_several_numbers_none_is_taken(text: str) -> None:
    assert number_in(text) == "several-numbers"


def test_absent_and_not_supplied_are_two_things() -> None:
    assert number_in(ABSENT) == "absent"
    assert number_in(None) == "not-supplied"


@given(st.decimals(-99, 99, places=3))
def test_every_plain_decimal_is_read_as_it_is(number: Decimal) -> None:
    assert number_in(f"{number:f}") == number
    assert number_in(f"TBS {number:f} (L1-L4)") == number


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    found = number_in(text)
    assert isinstance(found, Decimal) or found in ("not-a-number", "several-numbers")


# The score


@pytest.mark.parametrize(
    ("score", "word"),
    [
        ("1.285", "plausible"), ("0.8", "plausible"), ("1.8", "plausible"), ("0.799", "implausible"),
        ("1.801", "implausible"), ("128.5", "implausible"), ("0", "impossible"), ("-2.1", "impossible"),
    ],
)  # fmt: skip
def test_the_range_of_a_score(score: str, word: str, shipped: Scrubber) -> None:
    assert stated(shipped, tbsValue=score)["tbsRange"] == word


@pytest.mark.parametrize("said", [None, "low", "1.2 / 1.3"])
def test_without_one_number_there_is_no_range(said: str | None, shipped: Scrubber) -> None:
    values = stated(shipped, tbsValue=said)
    assert "tbsRange" not in values
    assert "tbsEqualsTScore" not in values
    assert "tbsValue" not in values


def test_equal_figures_written_otherwise_are_equal(shipped: Scrubber) -> None:
    assert stated(shipped, tbsValue="-2.10", tScore="-2.1")["tbsEqualsTScore"] is True
    assert stated(shipped)["tbsEqualsTScore"] is False
    assert "tbsEqualsTScore" not in stated(shipped, without="tScore")


# Elements


@pytest.mark.parametrize(
    "name", ["tbsValue", "indication", "interpretation", "separateReport", "signature", "sourceStudy", "tbsSoftware"]
)
def test_every_element_is_three_valued(name: str, shipped: Scrubber) -> None:
    assert name in stated(shipped)
    for absent in (None, ""):
        values = stated(shipped, **{name: absent})
        assert (values.get(f"{name}?"), name in values) == ("absent", False)
    values = stated(shipped, without=name)
    assert (values.get(f"{name}?"), name in values) == ("not-supplied", False)


def test_nothing_said_is_nothing_supplied(shipped: Scrubber) -> None:
    body = tbs_claim()
    del body["scrubContext"]["documentation"]
    of_the_payer = ("payer?", "contractor?")  # the claim names none: that is no matter of documents
    values = document_of(body, shipped)
    states = {value for key, value in values.items() if key.endswith("?") and key not in of_the_payer}
    assert states == {"not-supplied"}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("screening", "routine-only"), (" Routine Screening. ", "routine-only"), ("Z13.820", "routine-only"),
        ("Z13820", "routine-only"), ("osteopenia found at screening", "stated"), ("screening, steroids", "stated"),
        ("routine follow-up of a fracture", "stated"),
    ],
)  # fmt: skip
def test_an_indication_is_routine_only_when_it_says_nothing_else(said: str, word: str, shipped: Scrubber) -> None:
    assert stated(shipped, indication=said)["indication"] == word


# Signature


def test_the_signer_is_compared_with_the_rendering_provider(shipped: Scrubber) -> None:
    assert stated(shipped)["signer"] == "same"
    assert stated(shipped, signature={"name": "Robin", "npi": "1555666779"})["signer"] == "other"
    assert stated(shipped, signature={"name": "Pat", "npi": "198-765-4328"})["signer"] == "same"


@pytest.mark.parametrize(
    "signature", [{"name": "Pat"}, {"name": "Pat", "npi": None}, {"name": "Pat", "npi": "pending"}]
)
def test_without_a_number_the_signer_is_not_known(signature: Body, shipped: Scrubber) -> None:
    values = stated(shipped, signature=signature)
    assert (values["signature"], values["signer?"]) == (True, "not-supplied")


def test_a_number_is_a_signature_though_the_name_is_blank(shipped: Scrubber) -> None:
    values = stated(shipped, signature={"name": "", "npi": "1987654328"})
    assert (values["signature"], values["signer"]) == (True, "same")


@pytest.mark.parametrize("signature", [{"name": None}, {"name": "", "npi": ""}, {"name": None, "date": "20250312"}])
def test_a_block_without_a_name_is_no_signature(signature: Body, shipped: Scrubber) -> None:
    assert stated(shipped, signature=signature)["signature?"] == "absent"


def test_without_a_rendering_provider_the_signer_is_not_compared(shipped: Scrubber) -> None:
    body = tbs_claim()
    del body["rendering"]
    assert document_of(body, shipped)["signer?"] == "not-supplied"


# Study and software


@pytest.mark.parametrize(
    ("study", "word"),
    [
        ({"code": "77080"}, "spine"), ({"code": "77085"}, "spine"), ({"code": "77080-TC"}, "spine"),
        ({"code": "77081"}, "no-spine"), ({"code": "g0130"}, "no-spine"),
        ({"levels": "L1-L4"}, "spine"), ({"levels": "hip"}, "no-spine"), ({"levels": "lumbar"}, "spine"),
    ],
)  # fmt: skip
def test_the_study_behind_the_score(study: Body, word: str, shipped: Scrubber) -> None:
    assert stated(shipped, sourceStudy=study)["sourceStudy"] == word


def test_a_study_that_no_list_knows_says_nothing(shipped: Scrubber) -> None:
    assert stated(shipped, sourceStudy={"code": "77078"})["sourceStudy?"] == "not-supplied"


@pytest.mark.parametrize("nothing", ["N/A", "none", "not documented."])
def test_words_for_nothing_are_nothing(nothing: str, shipped: Scrubber) -> None:
    assert stated(shipped, interpretation=nothing)["interpretation?"] == "absent"


def test_a_clearance_that_was_left_out_is_not_supplied(shipped: Scrubber) -> None:
    assert stated(shipped, tbsSoftware={"name": "Sample TBS"})["tbsSoftware?"] == "not-supplied"


def test_a_signature_without_its_number_is_not_stated_absent(shipped: Scrubber) -> None:
    assert stated(shipped, signature={"npi": ""})["signature?"] == "not-supplied"
    assert stated(shipped, signature={"name": ""})["signature?"] == "absent"


def test_a_study_on_the_claim_stands_for_one_that_was_not_named(shipped: Scrubber) -> None:
    body = tbs_claim()
    del body["scrubContext"]["documentation"]
    lines = body["claimInformation"]["serviceLines"]
    lines.append({**lines[0], "professionalService": {**lines[0]["professionalService"], "procedureCode": "77080"}})
    assert documents_of(body, shipped)[0]["sourceStudy"] == "spine"


@pytest.mark.parametrize(
    ("software", "day", "word"),
    [
        ({"clearance": "K243218"}, "20250312", "cleared"),
        ({"clearance": "k243218 v4"}, "20250312", "cleared"),
        ({"clearance": "K243218"}, "20250117", "cleared"),
        ({"clearance": "K243218"}, "20250116", "not-listed"),
        ({"clearance": "K121716"}, "20220101", "cleared"),
        ({"clearance": "K999999"}, "20250312", "not-listed"),
        ({"clearance": "yes"}, "20250312", "not-listed"),
        ({"name": "Sample TBS", "clearance": None}, "20250312", "no-clearance-given"),
    ],
)
def test_the_software_behind_the_score(software: Body, day: str, word: str, shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["serviceDate"] = day
    body["scrubContext"]["documentation"][0]["elements"]["tbsSoftware"] = software
    assert document_of(body, shipped)["tbsSoftware"] == word


# Several blocks


def blocks(*elements: Body) -> Documents:
    body = tbs_claim()
    body["scrubContext"]["documentation"] = [{"lines": [1], "elements": block} for block in elements]
    return Documents(read_v3(body))


def test_blocks_of_one_line_complete_each_other() -> None:
    documents = blocks({"tbsValue": "1.285"}, {"tbsValue": "1.285", "indication": "fracture"})
    assert documents.of(1) == {"tbsValue": "1.285", "indication": "fracture"}
    assert not documents.conflicts


def test_a_contradiction_is_kept_and_the_later_block_holds() -> None:
    documents = blocks({"tbsValue": "1.285"}, {"tbsValue": None})
    assert documents.conflicts == {1}
    assert documents.of(1) == {"tbsValue": ABSENT}


def test_a_line_that_no_block_names_has_nothing_said_of_it() -> None:
    assert blocks({"tbsValue": "1.285"}).of(2) == {}


def test_the_lines_of_one_block_do_not_share_what_a_later_one_adds() -> None:
    body = tbs_claim()
    lines = body["claimInformation"]["serviceLines"]
    lines.append(lines[0])
    body["scrubContext"]["documentation"] = [
        {"lines": [1, 2], "elements": {"tbsValue": "1.285"}},
        {"lines": [2], "elements": {"indication": "fracture"}},
    ]
    documents = Documents(read_v3(body))
    assert (documents.of(1), documents.of(2)) == (
        {"tbsValue": "1.285"},
        {"tbsValue": "1.285", "indication": "fracture"},
    )


def test_the_day_of_service_decides_and_not_today(shipped: Scrubber) -> None:
    assert date(2025, 3, 12).toordinal() == stated(shipped)["day"]

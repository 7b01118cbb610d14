"""Rules that look things up: in tables of packs and in published ones, by facts of the claim."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import tbs_claim
from tests.support.own_tables import folder_with
from tests.support.rule_folders import RULE, put, with_lines

TABLES = """\
most-units.csv:
  about: How many units of a code a payer pays on one line.
  keys:
    payer: payer
    code: {type: procedure, through: last}
    modifier: {type: modifier, among: ["26", TC]}
  columns: {units: number}
  source: sample
"""
ROWS = """\
payer,code,last,modifier,units
COMMERCIAL-SAMPLE,77089,77092,,1
commercial,77089,77092,,2
original-medicare,77089,77092,none,3
original-medicare,77089,77092,26,4
"""
LOOK_UP = "look-up: {most: {in: most-units, for: {payer: payer, code: procedure, modifier: modifiers}}}"
RECEIVED = date(2025, 3, 20)


def opened(path: Path, **lines: str) -> Scrubber:
    """The sample rule with other lines, over the tables."""
    folder = folder_with(path, TABLES, {"most-units.csv": ROWS})
    text = (folder / "sample/pack.yaml").read_text(encoding="utf-8")
    put(folder, "sample/pack.yaml", text + 'grammar: "2"\n')
    put(folder, "sample/family/sample-rule.yaml", with_lines(RULE, applies="applies: {}", **lines))
    indicators = "filing_indicator,line_of_business,since,until,source\nMB,original-medicare,,,x\nCI,commercial,,,x\n"
    put(folder, "payers/tables/filing-indicators.csv", indicators)
    return open_scrubber(folder, None)


def outcome(
    scrubber: Scrubber, units: int, filing: str = "CI", payer: str = "COMMERCIAL-SAMPLE", **changed: Any
) -> str:
    """`fires`, `silent` or `not checked`."""
    claim = tbs_claim()
    claim["tradingPartnerServiceId"] = payer
    claim["claimInformation"]["claimFilingCode"] = filing
    service = claim["claimInformation"]["serviceLines"][0]["professionalService"]
    service |= {"procedureCode": "77092", "procedureModifiers": [], "serviceUnitCount": str(units), **changed}
    result = scrubber.scrub(read_v3(claim), RECEIVED)
    if any(finding.rule.id == "sample-rule" for finding in result.findings):
        return "fires"
    return "not checked" if any(item.rule.id == "sample-rule" for item in result.not_checked) else "silent"


@pytest.mark.parametrize(
    ("units", "claim", "expected"),
    [
        (1, {}, "silent"),
        (2, {}, "fires"),
        (2, {"payer": "OTHER-SAMPLE"}, "silent"),  # by its line of business
        (3, {"payer": "OTHER-SAMPLE"}, "fires"),
        (3, {"payer": "nobody"}, "not checked"),  # a row for that payer might say something else
        (3, {"payer": "nobody", "filing": "MB"}, "silent"),
        (4, {"payer": "nobody", "filing": "MB"}, "fires"),
        (4, {"payer": "nobody", "filing": "MB", "procedureModifiers": ["26"]}, "silent"),
        (9, {"payer": "nobody", "filing": "MB", "procedureModifiers": ["TC"]}, "silent"),  # no row
        (4, {"payer": "nobody", "filing": "MB", "procedureModifiers": ["GA"]}, "fires"),  # of which it does not speak
        (9, {"procedureCode": "99213"}, "silent"),
    ],
)
def test_a_rule_compares_with_the_row_that_answers(
    tmp_path: Path, units: int, claim: dict[str, Any], expected: str
) -> None:
    scrubber = opened(tmp_path, look_up=LOOK_UP, when="when: {fact: units, over: {fact: most.units}}")
    assert outcome(scrubber, units, **claim) == expected


@pytest.mark.parametrize(
    ("modifiers", "expected"), [(["26"], "silent"), (["TC"], "fires"), ([], "silent"), (["59", "TC"], "fires")]
)
def test_a_published_table_is_asked_alike(tmp_path: Path, modifiers: list[str], expected: str) -> None:
    """Only the technical component of 77092's neighbour 77080 has supervision level 01 in the starter tables."""
    look_up = "look-up: {fees: {in: fee-schedule, for: {procedure: procedure, modifier: modifiers}}}"
    scrubber = opened(tmp_path, look_up=look_up, when='when: {fact: fees.supervision, is: "01"}')
    assert outcome(scrubber, 1, procedureCode="77080", procedureModifiers=modifiers) == expected


def test_a_published_table_that_lacks_a_code_is_not_checked(tmp_path: Path) -> None:
    look_up = "look-up: {fees: {in: fee-schedule, for: {procedure: procedure}}}"
    scrubber = opened(tmp_path, look_up=look_up, when='when: {fact: fees.pc-tc, is-not: "1"}')
    assert outcome(scrubber, 1, procedureCode="99999") == "not checked"
    assert outcome(scrubber, 1, procedureCode="77080") == "silent"
    assert outcome(scrubber, 1, procedureCode="99213") == "fires"


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        ("{most: {in: most-unit, for: {payer: payer}}}", "there is no table `most-unit`"),
        ("{most: {in: most-units, for: {payr: payer}}}", "`payr` is no key column of `most-units`"),
        ("{most: {in: most-units, for: {code: units}}}", "`units` is a decimal, and `code` a text"),
        ("{most: {in: most-units, for: {code: day}}}", "`day` is a day, and `code` a text"),
    ],
)
def test_a_look_up_that_cannot_be_meant_is_a_fault(tmp_path: Path, look_up: str, message: str) -> None:
    with pytest.raises(Faults) as caught:
        opened(tmp_path, look_up=f"look-up: {look_up}")
    assert any(message in fault.message for fault in caught.value.faults), caught.value.faults


def test_a_wrong_cell_is_the_only_fault_of_rules_that_ask_the_table(tmp_path: Path) -> None:
    opened(tmp_path, look_up=LOOK_UP, when="when: {fact: units, over: {fact: most.units}}")
    put(tmp_path, "sample/tables/most-units.csv", ROWS.replace(",77092,none,3", ",77092,none,three"))
    with pytest.raises(Faults) as caught:
        open_scrubber(tmp_path, None)
    [fault] = caught.value.faults
    assert (fault.file, fault.line) == ("sample/tables/most-units.csv", 4)

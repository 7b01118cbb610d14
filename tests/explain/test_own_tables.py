"""Explanations of rules that look rows up and ask beside their fact, also where the payer does not apply them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.explain import Asked, explain
from scrubber.explain.conditions import leaves_of
from scrubber.explain.model import FIRED, NOT_ADOPTED, RuleExplained
from scrubber.scrub import open_scrubber
from tests.support.claims import tbs_claim
from tests.support.own_tables import folder_with
from tests.support.rule_folders import RULE, put, with_lines

TABLE = """\
most.csv:
  about: Sample.
  keys: {place: place, code: procedure}
  columns: {units: number}
  source: sample
"""
ROWS = "place,code,units,since,until\n,77092,2,,\n22,77092,1,2020-01-01,\n22,77092,9,,2020-01-01\n"
ADOPTIONS = "pack,payer,line_of_business,plan,contractor,adopted,since,until,source\nsample,,,,,ADOPTED,,,us\n"
TABLE_FILE = "sample/tables/most.csv"


def told(path: Path, adopted: str, place: str) -> RuleExplained:
    """What is explained of the sample rule on a line with three units, beside a line of the day."""
    folder = folder_with(path, TABLE, {"most.csv": ROWS})
    for pack, text in (("sample", 'grammar: "2"\n'), ("payers", "")):
        file = folder / pack / "pack.yaml"
        written = file.read_text(encoding="utf-8") + text
        put(folder, f"{pack}/pack.yaml", written.replace("{filing", "{adoptions.csv: adoptions, filing"))
    put(folder, "payers/tables/adoptions.csv", ADOPTIONS.replace("ADOPTED", adopted))
    lines = {
        "look_up": "look-up:\n  most: {in: most, for: {code: procedure, place: place}}",
        "amounts": "amounts:\n  drawn: {sum: units, of: lines, same: [day]}",
        "when": "when: {fact: drawn, over: {fact: most.units}}",
    }
    put(folder, "sample/family/sample-rule.yaml", with_lines(RULE, **lines))
    claim = tbs_claim()
    service = claim["claimInformation"]["serviceLines"][0]["professionalService"]
    service |= {"serviceUnitCount": "3", "placeOfServiceCode": place}
    asked = Asked(("sample-rule",), 1)
    [explained] = explain(open_scrubber(folder, None), read_v3(claim), date(2026, 11, 23), asked).rules
    return explained


@pytest.mark.parametrize(("adopted", "outcome"), [("yes", FIRED), ("no", NOT_ADOPTED)])
def test_questions_are_answered_whether_or_not_the_payer_applies_the_rule(
    tmp_path: Path, adopted: str, outcome: str
) -> None:
    explained = told(tmp_path, adopted, "22")
    assert explained.outcome == outcome
    [fact] = explained.facts
    [leaf] = [leaf for part in fact.parts if part.name == "when" for leaf in leaves_of(part.node)]
    assert (leaf.fact, leaf.value, leaf.verdict) == ("drawn", "3", "true")
    assert (fact.finding is None) == (adopted == "no")


def test_the_row_that_answered_and_those_that_competed(tmp_path: Path) -> None:
    [fact] = told(tmp_path, "yes", "22").facts
    [row] = [each for each in fact.lookups if each.table == "most"]
    assert (row.place, row.says) == (f"{TABLE_FILE}:3", "units 1")
    assert row.row == {"place": "22", "code": "77092", "units": "1"}
    assert [(each.place, each.scope, each.says, each.answered, each.because) for each in fact.competing] == [
        (f"{TABLE_FILE}:3", "for place 22, code 77092", "units 1", True, "answers: it says most"),
        (f"{TABLE_FILE}:2", "for code 77092", "units 2", False, "fits, but line 3 says more"),
        (f"{TABLE_FILE}:4", "for place 22, code 77092", "units 9", False, "not in force on 2025-03-12"),
    ]
    [fact] = told(tmp_path / "other", "yes", "11").facts
    assert [each.place for each in fact.lookups if each.table == "most"] == [f"{TABLE_FILE}:2"]
    assert fact.competing == ()

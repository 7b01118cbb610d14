"""A row of adoptions that names one rule: off, on, or less severe for a payer, with its reason; and never worse."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.authoring.revisions import may_fire_for_payer
from scrubber.claim import read_v3
from scrubber.errors import Faults
from scrubber.explain import Asked, explain
from scrubber.explain.text import render
from scrubber.findings import ScrubResult
from scrubber.reference import open_reference
from scrubber.response import DEFAULT_VIEW, VIEWS
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Scrubber, assemble
from tests.support.claims import tbs_claim
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, with_lines

HEAD = "pack,rule,payer,line_of_business,plan,contractor,adopted,severity,since,until,reason,owner,source\n"
ALIASES = "payer_id,payer,since,until,source\nP1,Sample One,,,x\nP2,Sample Two,,,x\n"
TABLES = "{lists.csv: code-lists, aliases.csv: aliases, adoptions.csv: adoptions}"
WHY = "contract of 2025,contracts,the contract"
DENY = with_lines(RULE, severity="severity: deny")
OTHER = with_lines(RULE, id="id: sample-other", title="title: Another sample rule")
DAY = date(2025, 3, 14)


def folder_with(folder: Path, *rows: str, adoption: str = "everyone") -> Path:
    pack = with_lines(PACK, tables=f"tables: {TABLES}", adoption=f"adoption: {adoption}")
    rule_folder(folder, DENY, CASES.replace("warn", "deny"), pack, LISTS)
    put(folder, "sample/family/sample-other.yaml", OTHER)
    put(folder, "sample/family/sample-other.test.yaml", CASES)
    put(folder, "sample/tables/aliases.csv", ALIASES)
    put(folder, "sample/tables/adoptions.csv", HEAD + "".join(f"{row}\n" for row in rows))
    return folder


def opened(folder: Path) -> Scrubber:
    return assemble(load_rulebook(folder), open_reference(None))


def claim_of(payer_id: str) -> dict[str, Any]:
    body: dict[str, Any] = tbs_claim()
    body["tradingPartnerServiceId"] = payer_id
    body["claimInformation"]["serviceLines"][0]["professionalService"]["serviceUnitCount"] = "2"
    return body


def scrubbed(folder: Path, payer_id: str = "P1") -> ScrubResult:
    return opened(folder).scrub(read_v3(claim_of(payer_id)), DAY)


def found(folder: Path, payer_id: str = "P1") -> dict[str, str]:
    return {finding.rule.id: finding.severity for finding in scrubbed(folder, payer_id).findings}


def fault(folder: Path, row: str) -> str:
    with pytest.raises(Faults) as caught:
        load_rulebook(folder_with(folder, row))
    return "\n".join(map(str, caught.value.faults))


BOTH = {"sample-rule": "deny", "sample-other": "warn"}


def test_a_row_switches_one_rule_off_for_one_payer(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-rule,Sample One,,,,no,,,,{WHY}")
    assert found(folder, "P1") == {"sample-other": "warn"}
    assert found(folder, "P2") == found(folder, "P3") == BOTH
    counted = scrubbed(folder, "P1").checks["adjudication"]
    assert (counted.fired, counted.not_checked) == (1, 0)


def test_a_row_switches_one_rule_of_a_pack_on(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-rule,,original-medicare,,,yes,,,,{WHY}", adoption="by-row")
    assert found(folder) == {"sample-rule": "deny"}


def test_a_row_lowers_the_severity_of_one_rule(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-rule,Sample One,,,,,warn,,,{WHY}")
    assert found(folder, "P1") == {"sample-rule": "warn", "sample-other": "warn"}
    assert found(folder, "P2") == BOTH
    result = scrubbed(folder, "P1")
    assert (result.disposition, scrubbed(folder, "P2").disposition) == ("warn", "deny")
    answer = json.loads(VIEWS[DEFAULT_VIEW].write(read_v3(claim_of("P1")), result))
    assert [item["severity"] for item in answer["findings"]] == ["warn", "warn"]


def test_a_finding_lowered_to_info_puts_no_dollars_at_risk_and_comes_last(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-rule,,,,,,info,,,{WHY}")
    result = scrubbed(folder)
    assert [finding.rule.id for finding in result.findings] == ["sample-other", "sample-rule"]
    of_rule = {finding.rule.id: finding.impact and finding.impact.at_risk for finding in result.findings}
    assert of_rule["sample-rule"] is None or not of_rule["sample-rule"]
    assert of_rule["sample-other"]


def test_a_row_that_only_lowers_leaves_the_pack_as_it_is(tmp_path: Path) -> None:
    lowered = f"sample,sample-rule,,,,,,warn,,,{WHY}"
    folder = folder_with(tmp_path, lowered, "sample,,Sample One,,,,no,,,,,,our decision")
    assert found(folder, "P1") == {}
    assert found(folder, "P2") == {"sample-rule": "warn", "sample-other": "warn"}


def test_a_row_that_names_the_rule_goes_before_one_that_names_the_payer(tmp_path: Path) -> None:
    rows = ("sample,,Sample One,,,,no,,,,,,our decision", f"sample,sample-rule,,,,,yes,,,,{WHY}")
    folder = folder_with(tmp_path, *rows)
    assert found(folder, "P1") == {"sample-rule": "deny"}


def test_dates_of_service_decide_which_row_answers(tmp_path: Path) -> None:
    before = f"sample,sample-rule,,,,,no,,,2025-03-12,{WHY}"
    after = f"sample,sample-rule,,,,,,warn,2025-03-12,,{WHY}"
    assert found(folder_with(tmp_path, before, after))["sample-rule"] == "warn"
    ended = f"sample,sample-rule,,,,,no,,,2025-03-13,{WHY}"
    assert "sample-rule" not in found(folder_with(tmp_path, ended))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"sample,sample-rul,,,,,no,,,,{WHY}", "rule: there is no rule `sample-rul`"),
        (f"payers,sample-rule,,,,,no,,,,{WHY}", "rule: `sample-rule` is of pack sample, and not of payers"),
        (f"sample,sample-rule,,,,,,deny,,,{WHY}", "severity: expected one of info, warn"),
        (f"sample,sample-other,,,,,,warn,,,{WHY}", "severity: is that of `sample-other` already"),
        (f"sample,sample-rule,,,,,,,,,{WHY}", "says nothing: `adopted` is yes or no"),
        (f"sample,sample-rule,,,,,no,warn,,,{WHY}", "a rule that is switched off has no `severity`"),
        ("sample,sample-rule,,,,,no,,,,,contracts,x", "a row that names a rule has a `reason`"),
        ("sample,sample-rule,,,,,no,,,,why,,x", "a row that names a rule has a `owner`"),
        ("sample,,,,,,,,,,,,x", "`adopted` is yes or no; only a row that names a rule"),
        ("sample,,,,,,yes,warn,,,,,x", "`severity` is for a row that names a `rule`"),
    ],
)
def test_a_row_that_could_not_mean_anything_is_a_fault(tmp_path: Path, row: str, message: str) -> None:
    said = fault(tmp_path, row)
    assert message in said
    assert "sample/tables/adoptions.csv:2" in said


def test_a_row_never_makes_a_rule_worse(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-other,,,,,,warn,,,{WHY}")
    put(folder, "sample/family/sample-other.yaml", with_lines(OTHER, severity="severity: info"))
    with pytest.raises(Faults, match="a row never makes a rule worse; `sample-other` says info"):
        load_rulebook(folder)


def test_a_row_may_name_a_draft_that_does_not_load(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, f"sample,sample-other,,,,,no,,,,{WHY}")
    put(folder, "sample/family/sample-other.yaml", "status: draft\n")
    assert list(load_rulebook(folder).rules) == ["sample-rule"]


def test_tables_without_the_columns_are_read_as_before(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    old = "pack,payer,line_of_business,plan,contractor,adopted,since,until,source\nsample,Sample One,,,,no,,,x\n"
    put(folder, "sample/tables/adoptions.csv", old)
    assert found(folder, "P1") == {}
    assert found(folder, "P2") == BOTH


def page(folder: Path, payer_id: str) -> str:
    explained = explain(opened(folder), read_v3(claim_of(payer_id)), DAY, Asked(("sample-rule",), None))
    return " ".join(render("claim", explained, 200, in_full=True).split())


def test_explain_names_the_row(tmp_path: Path) -> None:
    rows = (
        f"sample,sample-rule,Sample One,,,,no,,,,{WHY}",
        f"sample,sample-rule,Sample Two,,,,,warn,,,{WHY}",
        "sample,,,,,,yes,,,,,,everybody",
    )
    folder = folder_with(tmp_path, *rows)
    said = page(folder, "P1")
    by = "by the row for payer Sample One in sample/tables/adoptions.csv:2 (contract of 2025)"
    assert f"the payer does not apply this rule, {by}" in said
    assert "fits, but a row that names the rule goes before it" in said
    said = page(folder, "P2")
    assert "the payer applies pack sample (Sample pack), by the row for every payer in sample/tables" in said
    assert "what it finds is warn there and not deny, by the row for payer Sample Two" in said


def test_the_list_of_rules_for_a_payer_leaves_out_what_is_switched_off(tmp_path: Path) -> None:
    book: Rulebook = load_rulebook(folder_with(tmp_path, f"sample,sample-rule,Sample One,,,,no,,,,{WHY}"))
    of = {name: Payer(name, "commercial", None, None) for name in ("Sample One", "Sample Two")}
    fires = {name: may_fire_for_payer(book.rules["sample-rule"], payer, DAY, book) for name, payer in of.items()}
    assert fires == {"Sample One": False, "Sample Two": True}

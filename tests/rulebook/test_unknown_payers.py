"""Payers and contractors that no table knows: a word in rules, and never silently left out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.authoring.mutation import mutants
from scrubber.claim import read_v3
from scrubber.explain import Asked, explain
from scrubber.findings import ScrubResult
from scrubber.reference import open_reference
from scrubber.rulebook.condition_words import as_data
from scrubber.rulebook.lint import lint, lint_report
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.source_map import source_map
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import assemble
from tests.support.claims import tbs_claim
from tests.support.rule_folders import PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
DAY = date(2025, 3, 14)
ALIASES = "payer_id,payer,since,until,source\nP1,Sample One,,,x\nP2,Sample Two,,,x\n"
PAYERS = {"one": "P1", "two": "P2", "unknown": "P3"}


def folder_with(folder: Path, applies: str, when: str = "{fact: units, over: 0}") -> Path:
    pack = with_lines(PACK, tables="tables: {lists.csv: code-lists, aliases.csv: aliases}") + "lists: {ones: payers}\n"
    lists = "list,code,through,since,until,source\nones,Sample One,,,,x\n"
    rule_folder(folder, with_lines(RULE, applies=f"applies: {applies}", when=f"when: {when}"), pack=pack, lists=lists)
    put(folder, "sample/tables/aliases.csv", ALIASES)
    return folder


def scrubbed(folder: Path, payer: str) -> ScrubResult:
    body: dict[str, Any] = tbs_claim()
    body["tradingPartnerServiceId"] = PAYERS[payer]
    return assemble(load_rulebook(folder), open_reference(None)).scrub(read_v3(body), DAY)


def fires_for(folder: Path) -> set[str]:
    return {payer for payer in PAYERS if scrubbed(folder, payer).findings}


@pytest.mark.parametrize(
    ("test", "payers"),
    [
        ("Sample One", {"one"}),
        ("unknown", {"unknown"}),
        ("{is: unknown}", {"unknown"}),
        ("{is-not: unknown}", {"one", "two"}),
        ("{any: [Sample One, unknown]}", {"one", "unknown"}),
        ("{any: [unknown]}", {"unknown"}),
        ("{none: [Sample One, unknown]}", {"two"}),
        ("{none: [Sample One], is-not: unknown}", {"two"}),
        ("{not-known-to-be: [Sample One]}", {"two", "unknown"}),
        ("{not-known-to-be: [Sample One, Sample Two]}", {"unknown"}),
    ],
)
@pytest.mark.parametrize("place", ["applies", "when"])
def test_what_is_said_of_unknown_payers_holds(tmp_path: Path, test: str, payers: set[str], place: str) -> None:
    if place == "applies":
        folder = folder_with(tmp_path, f"{{payer: {test}}}")
    else:
        inner = test.strip("{}") if test.startswith("{") else f"is: {test}"
        folder = folder_with(tmp_path, "{}", f"{{fact: payer, {inner}}}")
    assert fires_for(folder) == payers
    assert [fault for fault in lint(folder) if ".test.yaml" not in fault.file] == []
    assert [str(each) for each in lint_report(folder, date(2026, 11, 23)).warnings if FILE in each.file] == []
    assert all(item.why != "payer-unknown" for payer in PAYERS for item in scrubbed(folder, payer).not_checked)


@pytest.mark.parametrize("test", ["{none: [Sample One]}", "{is-not: Sample One}", "{none-in: ones}"])
def test_leaving_unknown_payers_out_without_a_word_is_a_warning_and_not_checked(tmp_path: Path, test: str) -> None:
    folder = folder_with(tmp_path, f"{{payer: {test}}}")
    assert fires_for(folder) == {"two"}  # as it always was
    [warning] = [each for each in lint_report(folder, date(2026, 11, 23)).warnings if each.file == FILE]
    assert "leaves out every claim whose payer is unknown, and there the rule is not checked" in warning.message
    assert "`not-known-to-be: [...]`" in warning.message
    assert warning.line == read_yaml(folder / FILE, FILE).line(("applies", "payer"))
    [item] = scrubbed(folder, "unknown").not_checked
    assert (item.rule.id, item.lines, item.missing, item.why) == (
        "sample-rule", (1,), ("payer-id",), "payer-unknown",
    )  # fmt: skip
    assert item.message.endswith("was not checked, because it holds for some and the payer is unknown.")
    for known in ("one", "two"):
        assert scrubbed(folder, known).not_checked == ()


def test_a_rule_that_would_not_fire_anyway_is_not_listed(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "{payer: {none: [Sample One]}}", "{fact: units, over: 1}")
    assert scrubbed(folder, "unknown").not_checked == ()


def test_a_contractor_may_be_unknown(tmp_path: Path) -> None:
    scrubber = assemble(load_rulebook(folder_with(tmp_path, "{contractor: unknown}")), open_reference(None))
    body = tbs_claim()
    assert scrubber.scrub(read_v3(body), DAY).findings == ()
    body["billing"]["address"] |= {"postalCode": "", "state": ""}
    assert [finding.rule.id for finding in scrubber.scrub(read_v3(body), DAY).findings] == ["sample-rule"]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("{procedure: {not-known-to-be: [\"77092\"]}}", "`not-known-to-be` is for facts that may be unknown"),
        ("{payer: {not-known-to-be: Sample One}}", "needs a list of at least one code"),
        ("{payer: {not-known-to-be: [Sample Ones]}}", "`Sample One` is probably meant"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(tmp_path: Path, test: str, said: str) -> None:
    faults = lint(folder_with(tmp_path, test))
    assert any(said in fault.message for fault in faults), faults


def test_no_payer_is_called_unknown(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "{}")
    put(folder, "sample/tables/aliases.csv", ALIASES + "P4,unknown,,,x\n")
    assert any("unknown is the word for a payer that no row names" in fault.message for fault in lint(folder))


def test_explanations_and_mutations_take_or_unknown_as_one_condition(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "{payer: {not-known-to-be: [Sample One]}}")
    book = load_rulebook(folder)
    rule = book.rules["sample-rule"]
    document = read_yaml(folder / FILE, FILE)
    told = source_map(rule, document)
    assert [node.words for node in told.nodes() if node.section == "applies"] == ["payer not-known-to-be [Sample One]"]
    changed = [mutant.change for mutant in mutants(told, document, {}) if "payer" in mutant.change]
    assert changed == [
        "without: payer not-known-to-be [Sample One]",
        *["only a part of: payer not-known-to-be [Sample One]"] * 2,
    ]
    assert as_data(rule.applies, KINDS["line"].fields) == {
        "all": [{"any": [{"fact": "payer", "none": ("Sample One",)}, {"fact": "payer", "is": "unknown"}]}]
    }
    body = tbs_claim()
    body["tradingPartnerServiceId"] = "P3"
    explained = explain(assemble(book, open_reference(None)), read_v3(body), DAY, Asked(("sample-rule",), None))
    assert explained.rules[0].outcome == "fired"


@pytest.mark.parametrize(
    ("test", "warned"),
    [
        ("{payer: {none: [Sample One]}}", True),
        ("{payer: {is-not: Sample One}}", True),
        ("{payer: {none-in: ones}}", True),
        ("{payer: {none: [Sample One], is-not: unknown}}", False),
        ("{payer: {not-known-to-be: [Sample One]}}", False),
        ("{payer: {any: [Sample One]}}", False),
        ("{procedure: {none: ['77092']}}", False),
    ],
)
def test_a_definition_that_leaves_out_who_is_unknown_is_a_warning(tmp_path: Path, test: str, warned: bool) -> None:
    folder = folder_with(tmp_path, "{definition: others}")
    put(folder, "sample/definitions.yaml", f"others:\n  about: Other payers.\n  of: [line]\n  means: {test}\n")
    found = [
        str(each) for each in lint_report(folder, date(2026, 11, 23)).warnings if "definitions.yaml:4" in str(each)
    ]
    assert any("is unknown, in each rule that uses the definition" in each for each in found) == warned, found

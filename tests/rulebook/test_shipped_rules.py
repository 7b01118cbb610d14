"""The shipped rules: every file lints clean, every test case of every rule comes out as it says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from scrubber.authoring.run_tests import CaseResult, all_cases, run_tests
from scrubber.claim import read_v3
from scrubber.rulebook.json_schema import case_schema, rule_schema, schema_files, table_case_schema
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import rule_files
from scrubber.rulebook.table_case import table_case_files
from scrubber.rulebook.yaml_file import read_yaml
from tests.support.rule_folders import shipped_scrubber

RULES = Path(__file__).parents[2] / "rules"
CASES = [(case.rule, case.name) for case in all_cases(RULES, shipped_scrubber().rulebook)]
BASE_CLAIMS = sorted(path.stem for path in (RULES / "claims").glob("*.json"))


@cache
def results(rule: str) -> dict[str, CaseResult]:
    return {result.case: result for result in run_tests(shipped_scrubber(), RULES, [rule])}


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_a_case_of_a_rule(rule: str, case: str) -> None:
    assert not results(rule)[case].differences


def test_the_rules_lint_clean() -> None:
    assert not lint(RULES)


@pytest.mark.parametrize("name", schema_files())
def test_a_schema_beside_the_rules_is_of_this_version(name: str) -> None:
    assert (RULES / name).read_text() == schema_files()[name]


@cache
def schema_of_rules() -> Draft202012Validator:
    return Draft202012Validator(rule_schema())


@pytest.mark.parametrize("path", rule_files(RULES), ids=lambda path: path.stem)
def test_a_rule_fits_the_schema_that_editors_use(path: Path) -> None:
    assert not [error.message for error in schema_of_rules().iter_errors(read_yaml(path, path.name).content)]


def test_the_test_files_fit_the_schema_that_editors_use() -> None:
    """Those of tables have a schema of their own."""
    of_rules, of_tables = Draft202012Validator(case_schema()), Draft202012Validator(table_case_schema())
    tables = table_case_files(RULES)
    assert tables
    assert not [
        (path.name, error.message)
        for path in sorted(RULES.glob("*/**/*.test.yaml"))
        for error in (of_tables if path in tables else of_rules).iter_errors(read_yaml(path, path.name).content)
    ]


@pytest.mark.parametrize("name", BASE_CLAIMS)
def test_a_base_claim_is_complete(name: str) -> None:
    claim = read_v3(json.loads((RULES / "claims" / f"{name}.json").read_bytes()))
    assert (claim.unreadable, claim.normalised, claim.unmapped) == ((), (), ())


@pytest.mark.parametrize("name", BASE_CLAIMS)
def test_a_base_claim_denies_nothing_and_warns_only_of_unknown_coverage(name: str) -> None:
    claim = read_v3(json.loads((RULES / "claims" / f"{name}.json").read_bytes()))
    day = max(line.last_day for line in claim.lines if line.last_day)
    found = shipped_scrubber().scrub(claim, day).findings
    assert {finding.rule.category for finding in found if finding.rule.severity != "info"} <= {"coverage"}

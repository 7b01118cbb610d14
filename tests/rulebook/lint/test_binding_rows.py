"""Lint warns of rows by which a rule denies although their own authority does not bind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.rulebook.lint import lint_report
from tests.support.own_tables import folder_with
from tests.support.rule_folders import RULE, put, with_lines

DECLARED = """\
most.csv:
  about: The most units that a payer takes.
  keys: {payer: payer, code: procedure}
  columns:
    units: {type: number, required: yes}
    severity: {words: [info, warn, deny]}
    authority: {words: [payer-policy, advice, house-policy]}
    title: text
    binding: yes-no
  source: sample
"""
WITHOUT = DECLARED.replace("    binding: yes-no\n", "")
PAYERS = ("medicaid", "tricare", "commercial")
BINDS = "authority:\n  - {kind: regulation, title: Sample regulation, binding: yes}"
BY_ROW = "severity: {from: most.severity, otherwise: warn}"
DENY = "severity: deny"
OVER = "{fact: units, over: {fact: most.units}}"


def warned(
    path: Path, cells: str, severity: str = BY_ROW, when: str = OVER, declared: str = DECLARED, status: str = "active"
) -> list[str]:
    """What lint says of the rows of the table, beside a rule that itself rests on a binding authority."""
    names = "payer,code,units,severity,authority,title" + (",binding" if "binding" in declared else "")
    rows = "".join(f"{payer},77092,1,{row}\n" for payer, row in zip(PAYERS, cells.split(), strict=False))
    folder = folder_with(path, declared, {"most.csv": f"{names}\n{rows}"})
    put(folder, "sample/pack.yaml", (folder / "sample/pack.yaml").read_text("utf-8") + 'grammar: "2"\n')
    look_up = "look-up: {most: {in: most, for: {payer: payer, code: procedure}}}"
    lines = {"severity": severity, "authority": BINDS, "look_up": look_up, "when": f"when: {when}",
             "status": f"status: {status}"}  # fmt: skip
    put(folder, "sample/family/sample-rule.yaml", with_lines(RULE, **lines))
    report = lint_report(folder, date(2026, 11, 23))
    assert [each for each in report.faults if each.file == "sample/family/sample-rule.yaml"] == []
    return [f"{each.line}: {each.message}" for each in report.warnings if "denies by this row" in each.message]


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ("deny,payer-policy,Sample,no", ["2"]),
        ("deny,payer-policy,Sample,", ["2"]),
        ("deny,advice,Sample,yes", ["2"]),
        ("deny,,,", ["2"]),
        ("deny,payer-policy,Sample,yes", []),
        ("deny,house-policy,Sample,no", []),
        ("warn,advice,Sample,no info,advice,Sample,no", []),
        ("deny,payer-policy,Sample,yes deny,advice,Sample,no", ["3"]),
    ],
)
def test_a_row_that_says_deny_is_told_where_its_own_authority_does_not_bind(
    tmp_path: Path, cells: str, lines: list[str]
) -> None:
    found = warned(tmp_path, cells)
    assert [each.partition(":")[0] for each in found] == lines
    assert all("`sample-rule` denies by this row, whose own authority does not bind" in each for each in found)


def test_of_a_rule_that_says_deny_every_row_is_one_by_which_it_denies(tmp_path: Path) -> None:
    found = warned(tmp_path, "warn,advice,Sample,no deny,payer-policy,Sample,yes ,,,", DENY)
    assert [each.partition(":")[0] for each in found] == ["2", "4"]


@pytest.mark.parametrize(("severity", "status"), [("severity: warn", "active"), (DENY, "shadow"), (BY_ROW, "draft")])
def test_a_rule_that_denies_nothing_is_left_alone(tmp_path: Path, severity: str, status: str) -> None:
    assert warned(tmp_path, "deny,advice,Sample,no", severity, status=status) == []


@pytest.mark.parametrize(
    "when",
    [
        f'{{all: [{OVER}, {{fact: most.binding, is: "yes"}}]}}',
        '{some-row: {in: most, for: {code: procedure}, units: {over: 0}, binding: {is: "yes"}}}',
    ],
)
def test_a_rule_that_asks_by_whose_word_a_row_stands_decides_itself(tmp_path: Path, when: str) -> None:
    assert warned(tmp_path, "deny,advice,Sample,no", DENY, when) == []


def test_a_relation_to_rows_counts_as_a_look_up(tmp_path: Path) -> None:
    when = "{some-row: {in: most, for: {code: procedure}, units: {over: 0}}}"
    assert len(warned(tmp_path, "deny,advice,Sample,no", DENY, when)) == 1


def test_without_a_column_that_says_so_only_advice_is_known_not_to_bind(tmp_path: Path) -> None:
    found = warned(tmp_path, "deny,payer-policy,Sample deny,advice,Sample", DENY, declared=WITHOUT)
    assert [each.partition(":")[0] for each in found] == ["3"]

"""Test cases of tables: they are run and counted, and stop rules whose tables answer otherwise."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.admission import admit
from scrubber.authoring.check_cache import CheckCache
from scrubber.authoring.diff import rulebook_difference
from scrubber.authoring.diff_tables import describe_days
from scrubber.authoring.table_tests import cover_tables, run_table_tests
from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.reference import open_reference
from scrubber.rulebook.load import digest, load_rulebook
from tests.support.own_tables import folder_with
from tests.support.rule_folders import put

TABLES = """\
limits.csv:
  about: Within what time a payer takes a claim.
  keys:
    payer: payer
    frequency: x12-code
    modifier: {type: modifier, among: ["93", "95"]}
  columns: {amount: number, counted: {words: [days, years]}, fee: amount, first: day}
  source: sample
parts.csv:
  about: What a panel consists of.
  keys: {panel: procedure}
  columns: {component: procedure}
  answers: all
  source: sample
"""
LIMITS = """\
payer,frequency,modifier,amount,counted,fee,first,since,until
COMMERCIAL-SAMPLE,1,,90,days,10.50,2024-01-01,,2025-01-01
COMMERCIAL-SAMPLE,1,,80,days,,,2025-01-01,
COMMERCIAL-SAMPLE,7,none,180,days,,,,
original-medicare,,,1,years,,,,
"""
PARTS = "panel,component\n80048,82310\n80048,82374\n80053,82310\n"
CASES = """\
- name: the old limit
  keys: {payer: COMMERCIAL-SAMPLE, frequency: "1"}
  day: 2024-08-14
  answers: {amount: 90, counted: days, fee: 10.5, first: 2024-01-01, modifier: null}
- name: a payer goes before its line of business
  keys: {payer: [COMMERCIAL-SAMPLE, original-medicare], frequency: "7", modifier: ["26"]}
  day: 2024-08-14
  answers: {amount: "180", modifier: none}
- name: nobody else has one
  keys: {payer: OTHER-SAMPLE, frequency: "1"}
  day: 2024-08-14
  answers: none
- name: the payer is not known
  keys: {frequency: "1"}
  unknown: [payer]
  day: 2024-08-14
  answers: unknown
"""
OF_PARTS = """\
- name: both components
  keys: {panel: "80048"}
  day: 2024-08-14
  answers: [{component: "82374"}, {component: "82310"}]
"""


def folder(path: Path, cases: str = CASES, of_parts: str = OF_PARTS) -> Path:
    """A folder of rules with the two tables and their cases."""
    files = {"limits.csv": LIMITS, "parts.csv": PARTS, "limits.test.yaml": cases, "parts.test.yaml": of_parts}
    return folder_with(path, TABLES, files)


def run(monkeypatch: pytest.MonkeyPatch, rules: Path, *command: str) -> Result:
    monkeypatch.setenv("SCRUBBER_RULES", str(rules))
    return CliRunner().invoke(main, ["rules", *command])


def test_cases_of_tables_come_out(tmp_path: Path) -> None:
    rules = folder(tmp_path)
    results = run_table_tests(rules, load_rulebook(rules))
    assert [(result.case.table, result.case.name, result.differences) for result in results] == [
        ("limits", "the old limit", ()),
        ("limits", "a payer goes before its line of business", ()),
        ("limits", "nobody else has one", ()),
        ("limits", "the payer is not known", ()),
        ("parts", "both components", ()),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("amount: 90", "amount: 91", [
            "expected row: amount 91; counted days; fee 10.50; first 2024-01-01; modifier (blank)",
            "found row: line 2; payer COMMERCIAL-SAMPLE; frequency 1; modifier (blank); amount 90; counted days; "
            "fee 10.50; first 2024-01-01",
        ]),
        ("answers: none", "answers: {amount: 1}", ["expected row: amount 1"]),
        ("answers: unknown", "answers: none", ["expected row: none", "found row: unknown"]),
        ("  unknown: [payer]\n", "", ["expected row: unknown", "found row: none"]),
        ("modifier: [\"26\"]", "modifier: [\"95\"]", [
            "expected row: amount 180; modifier none",
            "found row: line 5; payer original-medicare; frequency (blank); modifier (blank); amount 1; "
            "counted years; fee (blank); first (blank)",
        ]),
    ],
)  # fmt: skip
def test_a_case_that_fails_shows_what_answers_instead(
    tmp_path: Path, before: str, after: str, expected: list[str]
) -> None:
    rules = folder(tmp_path, CASES.replace(before, after))
    [failed] = [result for result in run_table_tests(rules, load_rulebook(rules)) if not result.passed]
    assert list(failed.differences) == expected


def test_every_row_that_answers_is_named(tmp_path: Path) -> None:
    rules = folder(tmp_path, of_parts=OF_PARTS.replace('[{component: "82374"}, ', "[").replace("82310", "80000"))
    failed = run_table_tests(rules, load_rulebook(rules))[-1]
    assert failed.differences == (
        "expected row: component 80000",
        "found row: line 2; panel 80048; component 82310",
        "found row: line 3; panel 80048; component 82374",
    )


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("keys: {payer: COMMERCIAL-SAMPLE, ", "keys: {payr: COMMERCIAL-SAMPLE, ", 2, "`payer` is probably meant"),
        ("payer: COMMERCIAL-SAMPLE, ", "payer: COMMERCIAL, ", 2, "no row of aliases names the payer"),
        ("{amount: 90, ", "{amont: 90, ", 4, "`amount` is probably meant"),
        ("{amount: 90, ", "{amount: ninety, ", 4, "amount: `ninety` is no whole number"),
        ("first: 2024-01-01", "first: 2024-13-01", 4, "is no day of the calendar"),
        ("  day: 2024-08-14\n  answers: {amount: 90", "  answers: {amount: 90", 1, "day: is missing"),
        ("answers: none", "answers: nothing", 12, "must be columns with their values"),
        ("answers: none", "answers: [{amount: 1}, {amount: 2}]", 12, "one row answers in this table"),
        ("unknown: [payer]", "unknown: [plan]", 15, "`plan` is no key of limits"),
        ("name: nobody else has one", "name: the old limit", 9, "this name is used above"),
    ],
)
def test_a_case_that_cannot_be_meant_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, message: str
) -> None:
    assert before in CASES
    rules = folder(tmp_path, CASES.replace(before, after, 1))
    with pytest.raises(Faults) as caught:
        run_table_tests(rules, load_rulebook(rules))
    assert [fault.line for fault in caught.value.faults if message in fault.message] == [line], caught.value.faults


def test_rows_that_no_case_reaches_are_counted(tmp_path: Path) -> None:
    rules = folder(tmp_path)
    covered = {each.table.name: (each.cases, each.unreached) for each in cover_tables(rules, load_rulebook(rules))}
    assert covered == {"limits": (4, (3, 5)), "parts": (1, (4,))}


def test_commands_run_and_count_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = folder(tmp_path)
    done = run(monkeypatch, rules, "test")
    assert done.output.splitlines()[-1] == "5 cases of 2 tables, 0 failed"
    assert run(monkeypatch, rules, "test", "parts").output == "1 case of 1 table, 0 failed\n"
    assert "tables" not in run(monkeypatch, rules, "test", "sample-rule").output
    covered = run(monkeypatch, rules, "coverage", "limits").output.splitlines()
    assert covered == [
        "table limits: 4 cases, 2 of 4 rows answer in one",
        f"  {rules}/sample/tables/limits.csv:3: no case reaches this row",
        f"  {rules}/sample/tables/limits.csv:5: no case reaches this row",
    ]
    document = orjson.loads(run(monkeypatch, rules, "coverage", "parts", "--json").output)
    assert document["tables"][0]["unreachedLines"] == [4]
    put(rules, "sample/tables/parts.test.yaml", OF_PARTS.replace("82374", "82375"))
    failed = run(monkeypatch, rules, "test", "parts")
    assert failed.exit_code == 1
    assert failed.output.splitlines() == [
        f"{rules}/sample/tables/parts.test.yaml:1: parts: both components",
        "  - component 82375",
        "  + line 3; panel 80048; component 82374",
        "1 case of 1 table, 1 failed",
    ]


def test_a_case_of_a_table_that_fails_keeps_rules_from_being_taken(tmp_path: Path) -> None:
    rules = folder(tmp_path / "rules", CASES.replace("amount: 90", "amount: 91"))
    put(rules, "payers/CHANGES.md", "# Changes\n")
    with pytest.raises(Faults) as caught:
        admit(rules, open_reference(None), CheckCache(None), 1)
    assert ("sample/tables/limits.test.yaml", 1) in [(fault.file, fault.line) for fault in caught.value.faults]


def test_cases_of_tables_change_no_digest(tmp_path: Path) -> None:
    rules = folder(tmp_path)
    before = digest(rules)
    put(rules, "sample/tables/limits.test.yaml", CASES.replace("old", "former"))
    assert digest(rules) == before


def test_cases_of_no_table_are_a_fault(tmp_path: Path) -> None:
    rules = folder(tmp_path)
    put(rules, "sample/tables/lists.test.yaml", OF_PARTS)
    with pytest.raises(Faults, match=r"tests lists\.csv, which no pack\.yaml declares"):
        run_table_tests(rules, load_rulebook(rules))


def test_rows_that_differ_are_told_by_their_keys(tmp_path: Path) -> None:
    before = folder(tmp_path / "before")
    after = folder(tmp_path / "after")
    put(
        after,
        "sample/tables/limits.csv",
        LIMITS.replace("90,days,10.50", "95,days,10.50") + "OTHER-SAMPLE,,,5,days,,,,\n",
    )
    put(after, "sample/tables/parts.csv", PARTS.replace("80053,82310\n", ""))
    found = rulebook_difference(before, after, "before", "after")
    assert [(each.kind, each.way, each.columns, each.wording) for each in found.rows] == [
        ("limits", "changed", ("amount",), False),
        ("limits", "added", (), False),
        ("parts", "removed", (), False),
    ]
    [changed, added, removed] = found.rows
    assert changed.keys == ("payer", "frequency", "modifier")
    assert (changed.located.row.payer, changed.located.row.amount) == ("COMMERCIAL-SAMPLE", "95")
    assert describe_days(changed.days) == "dates of service to 2024-12-31"
    assert (added.located.row.payer, removed.located.row.panel) == ("OTHER-SAMPLE", "80053")

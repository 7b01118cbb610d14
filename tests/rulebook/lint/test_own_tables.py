"""What lint says of tables that packs declare: gaps, rows that never answer, tables that nothing looks up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.rulebook.lint import lint_report
from tests.support.own_tables import folder_with
from tests.support.rule_folders import RULE, put, with_lines

DECLARED = """\
own.csv:
  about: Sample.
  keys:
    code: {type: procedure, through: last}
    kind: {words: [first, further]}
    payer: payer
  columns: {units: number}
  answers: ANSWERS
  source: sample
"""
HEADER = "code,last,kind,payer,units,since,until"
LOOK_UP = "look-up: {own: {in: own, for: {code: procedure}}}"


def warnings(path: Path, rows: str, answers: str = "one", used: bool = True) -> list[str]:
    """The warnings about the table, with their lines."""
    folder = folder_with(path, DECLARED.replace("ANSWERS", answers), {"own.csv": f"{HEADER}\n{rows}"})
    text = (folder / "sample/pack.yaml").read_text(encoding="utf-8")
    put(folder, "sample/pack.yaml", text + 'grammar: "2"\n')
    if used:
        put(folder, "sample/family/sample-rule.yaml", with_lines(RULE, look_up=LOOK_UP))
    found = lint_report(folder, date(2026, 11, 23))
    assert [fault for fault in found.faults if "sample" in fault.file and "version" not in fault.message] == []
    return [f"{each.line}: {each.message}" for each in found.warnings if each.file == "sample/tables/own.csv"]


GAP = "no row of these keys answers from 2024-07-01 to the day before 2025-01-01"


@pytest.mark.parametrize(
    ("rows", "answers", "expected"),
    [
        ("77080,,,,1,2024-01-01,2024-07-01\n77080,,,,2,2025-01-01,\n", "one", [f"3: {GAP}"]),
        ("77080,,,,2,2025-01-01,\n77080,,,,1,2024-01-01,2024-07-01\n", "one", [f"2: {GAP}"]),
        ("77080,,,,1,2024-01-01,2025-01-01\n77080,,,,2,2025-01-01,\n", "one", []),
        ("77080,,,,1,2024-01-01,2024-07-01\n77081,,,,2,2025-01-01,\n", "one", []),
        ("77080,,,,1,2024-01-01,2024-07-01\n77080,,,,2,2025-01-01,\n", "all", []),  # each row by itself
    ],
)
def test_days_between_rows_of_the_same_keys_are_told(
    tmp_path: Path, rows: str, answers: str, expected: list[str]
) -> None:
    found = warnings(tmp_path, rows, answers)
    assert [each.partition(": line")[0] for each in found] == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "77080,77082,,,1,,\n77080,,,,2,,\n77081,,,,3,,\n77082,,,,4,,\n",
            ["2: never answers: there are rows for each code from 77080 to 77082 (lines 3, 4, 5)"],
        ),
        ("77080,77082,,,1,,\n77080,,,,2,,\n77081,,,,3,,\n", []),
        ("77080,77081,,,1,,\n77080,,,,2,,\n77081,,first,,3,,\n", []),  # the other key differs
        ("77080,77081,,,1,,\n77080,,,,2,,\n77081,,,,3,2024-01-01,\n", []),  # answers before that day
        (
            "77080,77081,,,1,2024-02-01,\n77080,,,,2,,\n77081,,,,3,2024-01-01,2024-03-01\n77081,,,,4,2024-03-01,\n",
            ["2: never answers: there are rows for each code from 77080 to 77081 (lines 3, 4, 5)"],
        ),
        ("0042T,0043T,,,1,,\n0042T,,,,2,,\n0043T,,,,2,,\n",
         ["2: never answers: there are rows for each code from 0042T to 0043T (lines 3, 4)"]),
        (
            "77080,,,,1,,\n77080,,first,,2,,\n77080,,further,,3,,\n",
            ["2: answers only where there is no `kind`: there are rows for each of its words (lines 3, 4)"],
        ),
        ("77080,,,,1,,\n77080,,first,,2,,\n77080,,none,,3,,\n", []),
    ],
)  # fmt: skip
def test_rows_that_others_always_answer_for_are_told(tmp_path: Path, rows: str, expected: list[str]) -> None:
    assert warnings(tmp_path, rows) == expected


def test_a_table_that_no_rule_asks_is_told(tmp_path: Path) -> None:
    row = "77080,,,,1,,\n"
    message = "0: no rule looks anything up in `own`: correct the name, or take the table out"
    assert warnings(tmp_path / "a", row, used=False) == [message]
    assert warnings(tmp_path / "b", row) == []


def test_very_many_gaps_are_told_in_part(tmp_path: Path) -> None:
    rows = "".join(f"77080,,,,1,{2000 + year}-01-01,{2000 + year}-07-01\n" for year in range(24))
    found = warnings(tmp_path, rows)
    assert len(found) == 21
    assert found[-1].endswith("and 3 more like it")


def test_a_large_table_is_linted(tmp_path: Path) -> None:
    rows = "".join(f"{number:05},,first,,1,,\n{number:05},,,,1,,\n" for number in range(4_000))
    assert warnings(tmp_path, rows) == []

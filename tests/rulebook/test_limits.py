"""Limits that rules name: what they mean on each day, what is refused, and that every tool can tell of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from scrubber.authoring.coverage import cover
from scrubber.authoring.mutation import mutate
from scrubber.authoring.run_tests import run_tests
from scrubber.cli import main
from scrubber.dated_rows import in_force
from scrubber.engine.durable import DurableEngine
from scrubber.engine.plain import PlainEngine, predicate
from scrubber.engine.program import MOST_ALTERNATIVES, EngineTest
from scrubber.errors import Fault
from scrubber.explain.conditions import parts_of
from scrubber.explain.model import ConditionLeaf, ConditionNode
from scrubber.facts.fact import Fact
from scrubber.rulebook.conditions import rule_frame, when_condition
from scrubber.rulebook.json_schema import rule_schema
from scrubber.rulebook.limits import by_name, limit_alternatives
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.names import Known, TypingContext
from scrubber.rulebook.operators import ORDER_OPERATORS
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, semantic_hash
from scrubber.rulebook.rule_tables import LimitRow
from scrubber.rulebook.rulebook import CodeLists, Rulebook
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import Scrubber, open_scrubber
from tests.conftest import ROOT
from tests.support.rule_folders import CASES, PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
LIMITS = """\
name,value,since,until,source
units-a-day,1,,2025-01-01,sample
units-a-day,2.5,2025-01-01,2026-01-01,sample
units-a-day,4,2026-01-01,,sample
"""
WHEN = "when: {fact: units, over: {limit: units-a-day}}"
BY_DAY = """\
- name: two units when one was the limit
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2024-12-31}
  finds: [{line: 1}]
- name: three units
  claim: tbs
  change: {line.1.units: 3, line.1.date: 2025-01-01}
  finds: [{line: 1}]
- name: two units
  claim: tbs
  change: {line.1.units: 2, line.1.date: 2025-01-01}
  finds: []
- name: four units since four are the limit
  claim: tbs
  change: {line.1.units: 4, line.1.date: 2026-01-01}
  finds: []
"""


def folder_with(folder: Path, limits: str = LIMITS, cases: str = BY_DAY, **lines: str) -> Path:
    """The sample pack with a table of limits, and its rule naming one."""
    rule = with_lines(RULE, **({"when": WHEN} | lines))
    put(folder, "sample/tables/limits.csv", limits)
    return rule_folder(folder, rule, cases, PACK.replace("}", ", limits.csv: limits}"))


def the_fault(folder: Path) -> Fault:
    faults = lint(folder)
    assert len(faults) == 1, faults
    return faults[0]


def on(year: int, month: int = 1, day: int = 1) -> int:
    return date(year, month, day).toordinal()


def test_a_limit_is_written_out_by_its_rows(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    assert load_rulebook(folder).rules["sample-rule"].when == AnyOf(
        (
            AllOf((Compare("day", "under", on(2025)), Compare("units", "over", 1_000_000))),
            AllOf(
                (
                    Compare("day", "at-least", on(2025)),
                    Compare("day", "under", on(2026)),
                    Compare("units", "over", 2_500_000),
                )
            ),
            AllOf((Compare("day", "at-least", on(2026)), Compare("units", "over", 4_000_000))),
        )
    )
    assert lint(folder) == []
    assert all(result.passed for result in run_tests(open_scrubber(folder, None), folder))


def test_a_row_without_dates_is_a_plain_comparison(tmp_path: Path) -> None:
    limits = "name,value,since,until,source\nmost,250.00,,,sample\n"
    applies = "applies: {procedure: {any: ['77092']}, charge: {at-most: {limit: most}}}"
    folder = folder_with(tmp_path, limits, CASES, applies=applies, when="when: {fact: units, over: 1}")
    applied = load_rulebook(folder).rules["sample-rule"].applies
    assert isinstance(applied, AllOf)
    assert applied.parts[1] == Compare("charge", "at-most", 25_000)
    assert lint(folder) == []


DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


class Drawn(NamedTuple):
    """Rows of a limit in whole units, some days left out, as a condition."""

    rows: list[LimitRow]
    word: str
    condition: Condition


@st.composite
def limits(draw: st.DrawFn) -> Drawn:
    edges = draw(st.lists(DAYS, min_size=1, max_size=6, unique=True).map(sorted))
    ends: list[date | None] = [None, *edges, None] if draw(st.booleans()) else [*edges, None]
    rows = [
        LimitRow("most", Decimal(draw(st.integers(0, 9))), since, until, "sample")
        for since, until in pairwise(ends)
        if draw(st.integers(0, 4))
    ] or [LimitRow("most", Decimal(3), None, None, "sample")]
    word, faults = draw(st.sampled_from(sorted(ORDER_OPERATORS))), list[str]()
    reading = TypingContext(
        rule_frame(KINDS["line"], Known(by_name(draw(st.permutations(rows))), {}, {}, {})),
        lambda _, said: faults.append(said),
    )
    condition = when_condition({"fact": "units", word: {"limit": "most"}}, (), reading)
    assert not faults
    return Drawn(rows, word, condition)


def holds(drawn: Drawn, day: date, units: int) -> bool:
    """The limit looked up by day, as the rulebook does for facts."""
    limit = Rulebook({}, {}, {"limits": tuple(drawn.rows)}, "").limit("most", day)
    if limit is None:
        return False
    return {"over": units > limit, "at-least": units >= limit, "under": units < limit, "at-most": units <= limit}[
        drawn.word
    ]


def explained(condition: Condition, fact: Fact, shipped: Scrubber) -> ConditionNode:
    """What an explanation says of a condition on a fact."""
    rule = next(rule for rule in shipped.rulebook.rules.values() if rule.scope == "line")
    (*_, when) = parts_of(replace(rule, when=condition), fact, CodeLists(()))
    return when.node


@given(limits(), DAYS, st.integers(0, 10), st.booleans())
def test_it_means_to_look_the_limit_up_by_day(
    shipped: Scrubber, drawn: Drawn, day: date, units: int, at_edge: bool
) -> None:
    edges = [edge for row in drawn.rows for edge in (row.since, row.until) if edge]
    days = [day, *([edge + timedelta(step) for edge in edges for step in (-1, 0)] if at_edge else [])]
    for each in days:
        fact = Fact("line", {"day": each.toordinal(), "units": units * 1_000_000})
        wanted = holds(drawn, each, units)
        assert predicate(drawn.condition, CodeLists(()))(fact.values) == wanted
        judged = explained(drawn.condition, fact, shipped)
        assert (judged.verdict == "true") == wanted
        if len(drawn.rows) > 1 and any(in_force(row, each) for row in drawn.rows):
            assert isinstance(judged, ConditionLeaf)
    assert len(limit_alternatives(drawn.condition)) == len(drawn.rows)


@pytest.mark.parametrize("rows", [2, MOST_ALTERNATIVES + 3])
def test_both_engines_find_the_same(rows: int) -> None:
    ends: list[date | None] = [None, *(date(2010 + year, 1, 1) for year in range(rows)), None]
    table = [LimitRow("most", Decimal(n % 4), *days, "sample") for n, days in enumerate(pairwise(ends))]
    reading = TypingContext(
        rule_frame(KINDS["line"], Known(by_name(table), {}, {}, {})), lambda _, said: pytest.fail(said)
    )
    condition = when_condition({"fact": "units", "over": {"limit": "most"}}, (), reading)
    facts = [
        Fact("line", {"day": on(2008 + year, month, 1), "units": units * 1_000_000})
        for year in range(rows + 4)
        for month in (1, 12)
        for units in range(5)
    ]
    tests = [EngineTest(0, "line", condition)]
    plain = PlainEngine(tests, CodeLists(())).match(facts)
    assert sorted(DurableEngine(tests, CodeLists(())).match(facts)) == sorted(plain)
    assert 0 < len(list(plain)) < len(facts)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "{fact: units, over: {limit: unit-a-day}}",
            "no limit `unit-a-day` in any table of kind limits; perhaps `units-a-day` was meant; there are: units",
        ),
        (
            "{fact: lineCount, over: {limit: units-a-day}}",
            "the limit `units-a-day` is 2.5, and `lineCount` takes at most 0",
        ),
        ("{fact: units, over: {list: units-a-day}}", "needs one number, or a limit of a table: {limit: NAME}"),
        ("{fact: units, over: {limit: }}", "needs one number, or a limit of a table: {limit: NAME}"),
        ("{fact: units, is: {limit: units-a-day}}", "needs one text or number"),
        ("{fact: day, before: {limit: units-a-day}}", "needs one text or number"),
        ("{fact: place, over: {limit: units-a-day}}", "`over` does not go with `place`, which holds a text"),
    ],
)
def test_a_limit_that_cannot_be_meant(tmp_path: Path, when: str, said: str) -> None:
    lines = {"when": f"when: {when}"}
    if "lineCount" in when:
        lines |= {
            "scope": "scope: claim",
            "applies": "",
            "message": "message: Too many lines.",
            "at_risk": "at-risk: nothing",
        }
    folder = folder_with(tmp_path, **lines)
    found = [fault for fault in lint(folder) if fault.file == FILE]
    assert [(said in fault.message) for fault in found] == [True], found
    assert (folder / FILE).read_text().splitlines()[found[0].line - 1] == f"when: {when}"


def test_a_table_that_cannot_be_read_is_the_only_fault(tmp_path: Path) -> None:
    assert the_fault(folder_with(tmp_path, LIMITS.replace(",4,", ",four,"))).file == "sample/tables/limits.csv"


def test_a_limit_of_very_many_rows(tmp_path: Path) -> None:
    days = [date(2000, 1, 1) + timedelta(number) for number in range(20_000)]
    rows = "".join(f"units-a-day,3,{first},{end},sample\n" for first, end in pairwise(days))
    found = the_fault(folder_with(tmp_path, "name,value,since,until,source\n" + rows))
    assert (found.file, "has 19999 rows; one that a rule names has at most 30" in found.message) == (FILE, True)


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        (["1,2023-01-01,"], "from 2022-01-01 to the day before 2023-01-01"),
        (["1,,2025-01-01"], "from 2025-01-01 to the day before 2030-01-01"),
        (["1,,2020-01-01", "2,2020-01-01,2022-01-01"], "from 2022-01-01 to the day before 2030-01-01"),
        (["1,,2020-01-01"], "from 2022-01-01 to the day before 2030-01-01"),
        (["1,2030-01-01,"], "from 2022-01-01 to the day before 2030-01-01"),
    ],
)
def test_days_of_the_rule_without_a_row(tmp_path: Path, rows: list[str], days: str) -> None:
    table = "name,value,since,until,source\n" + "".join(f"units-a-day,{row},sample\n" for row in rows)
    folder = folder_with(tmp_path, table)
    found = [fault for fault in lint(folder) if "no row" in fault.message]
    assert [(fault.file, f"no row for dates of service {days}, so" in fault.message) for fault in found] == [
        (FILE, True)
    ]
    assert (folder / FILE).read_text().splitlines()[found[0].line - 1] == WHEN


def test_rows_of_just_the_days_of_the_rule_are_enough(tmp_path: Path) -> None:
    table = LIMITS.replace("1,,2025", "1,2022-01-01,2025").replace("2026-01-01,,", "2026-01-01,2030-01-01,")
    assert lint(folder_with(tmp_path, table)) == []
    open_end = folder_with(tmp_path, table, effective='effective: {from: "2022-01-01"}')
    assert "dates of service from 2030-01-01 on, so" in the_fault(open_end).message


def test_editors_know_limits(tmp_path: Path) -> None:
    validator = Draft202012Validator(rule_schema())
    folder = folder_with(tmp_path)
    content = read_yaml(folder / FILE, FILE).content
    assert not list(validator.iter_errors(content))
    for wrong in ({"list": "x"}, {"limit": ""}, {}):
        assert list(validator.iter_errors(content | {"when": {"fact": "units", "over": wrong}}))
    assert list(validator.iter_errors(content | {"when": {"fact": "units", "is": {"limit": "x"}}}))


def test_a_case_cannot_change_the_limit_of_its_rule(tmp_path: Path) -> None:
    case = BY_DAY + (
        "- name: another limit\n  claim: tbs\n  finds: []\n"
        "  tables: {sample/limits.csv: [{name: units-a-day, value: 9}]}\n"
    )
    folder = folder_with(tmp_path, cases=case)
    told = [result.differences for result in run_tests(open_scrubber(folder, None), folder) if not result.passed]
    assert len(told) == 1
    assert told[0][0].startswith("the rule names the limit units-a-day, so no case can change its row")


def test_a_row_that_changes_changes_what_the_rule_means(tmp_path: Path) -> None:
    before = load_rulebook(folder_with(tmp_path / "before")).rules["sample-rule"]
    after = load_rulebook(folder_with(tmp_path / "after", LIMITS.replace(",4,", ",5,"))).rules["sample-rule"]
    assert semantic_hash(before) != semantic_hash(after)


def test_coverage_and_mutations_take_a_limit_as_one_condition(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    scrubber = open_scrubber(folder, None)
    (covered,) = cover(scrubber, folder)
    (seen,) = (each for each in covered.conditions if each.node.section == "when")
    assert (seen.true.cases, seen.false.cases) == (2, 2)
    assert seen.node.words == (
        "units over limit units-a-day (1 until before 2025-01-01; 2.5 from 2025-01-01 until before 2026-01-01; "
        "4 from 2026-01-01 on)"
    )
    (mutation,) = mutate(scrubber, folder)
    line = seen.node.line
    assert [mutant.change for mutant in mutation.survived if mutant.line == line] == []
    thin = folder_with(tmp_path, cases=BY_DAY.rpartition("- name")[0])
    (mutation,) = mutate(open_scrubber(thin, None), thin)
    assert [mutant.change for mutant in mutation.survived if mutant.line == line] == ["at-least, not over: units"]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SCRUBBER_RULES", str(folder_with(tmp_path / "rules")))
    return CliRunner()


def test_show_says_what_the_limit_is(command: CliRunner) -> None:
    shown = " ".join(command.invoke(main, ["rules", "show", "sample-rule"]).output.split())
    assert "units over limit units-a-day (1 until before 2025-01-01; 2.5 from 2025-01-01 until before" in shown


def test_explain_tells_the_row_of_the_day(command: CliRunner, tmp_path: Path) -> None:
    claim = str(tmp_path / "rules" / "claims" / "tbs.json")
    told = " ".join(command.invoke(main, ["rules", "explain", claim, "--rule", "sample-rule"]).output.split())
    assert "✗ units: 1 — asked: more than 2.5, the limit from 2025-01-01 until before 2026-01-01" in told


def test_a_fact_without_a_row_is_told_by_its_alternatives(shipped: Scrubber) -> None:
    rows = [LimitRow("most", Decimal(1), date(2025, 1, 1), None, "sample")]
    reading = TypingContext(
        rule_frame(KINDS["line"], Known(by_name(rows), {}, {}, {})), lambda _, said: pytest.fail(said)
    )
    condition = when_condition({"fact": "units", "over": {"limit": "most"}}, (), reading)
    fact = Fact("line", {"day": on(2024), "units": 9_000_000})
    judged = explained(condition, fact, shipped)
    assert not isinstance(judged, ConditionLeaf)
    assert judged.verdict == "false"


def test_a_difference_of_two_rulebooks_tells_the_figure(command: CliRunner, tmp_path: Path) -> None:
    before = folder_with(tmp_path / "before", LIMITS.replace(",4,", ",3,"))
    told = command.invoke(main, ["rules", "diff", str(before)]).output
    assert "units over 3" in told
    assert "units over 4" in told


def test_every_kind_of_fact_has_a_day() -> None:
    assert all("day" in kind.fields for kind in KINDS.values())


def test_the_limit_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    _, _, page = (ROOT / "docs" / "writing-rules.md").read_text(encoding="utf-8").partition("### A limit of your own")
    (table,) = re.findall(r"```csv\n(.*?)```", page.partition("\n### ")[0], re.DOTALL)
    (when,) = re.findall(r"```yaml\n(.*?)```", page.partition("\n### ")[0], re.DOTALL)
    case = (
        "- name: {units} units on {day}\n  claim: tbs\n"
        "  change: {{line.1.units: {units}, line.1.date: {day}}}\n  finds: {finds}\n"
    )
    cases = ((3, "2026-06-30", True), (2, "2026-06-30", False), (4, "2026-07-01", True), (3, "2026-07-01", False))
    told = "".join(case.format(units=n, day=day, finds="[{line: 1}]" if found else "[]") for n, day, found in cases)
    folder = folder_with(tmp_path, table, told, when=when.strip())
    assert lint(folder) == []
    assert [result.differences for result in run_tests(open_scrubber(folder, None), folder)] == [()] * 4

"""What test cases show of a rule's conditions: counted as the engine evaluates them, told with file and line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.coverage import RuleCoverage, cover
from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.cli import main
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import EngineTest
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.reachability import companions
from scrubber.rulebook.source_map import SECTIONS, SourceNode
from scrubber.rulebook.test_case import Case
from scrubber.scrub import open_scrubber, read_facts
from tests.conftest import ROOT
from tests.support.claims import office_claim, tbs_claim
from tests.support.rule_folders import CASES, PACK, RULE, put, rule_folder, shipped_scrubber, with_lines

RULES = ROOT / "rules"


# Gaps that no claim can close, by rule, condition and outcome, each with its reason.
MUE_ROWS = "the starter table of MUE has no row so early, and without a row there is no fact"
MUE_FACTS = "a fact of a code and day is made only where the units exceed the edit"
ICD10CM_ROWS = "the starter ICD-10-CM tables begin later, and before them no fact of a diagnosis is made"
NO_EDIT = "no starter edit joins the two codes"
VISITS = "a fact of a visit is made only for the codes that the rules name"
FEES = "no starter fee schedule has such a procedure; tests/facts/test_visits.py shows it"
COMPONENTS = "no row of the starter fee schedule has a part of a code that it says has none"
NOT_ASKED = (
    "the shape of the code is asked only where all other conditions hold, so that it counts as failed behind them"
)
ONE_DAY = "the fact is of all lines of the code and day, so that no other line of the code stands on another day in it"
ON_REQUEST = "an element that is there is read from the claim on request, and holds no state that could be counted"
EXCEPTIONS = {
    **{
        (f"cms-ncci-mue-{rule}", words, "false"): reason
        for rule in ("day-absolute", "day-clinical", "spread")
        for words, reason in (("day on or after 2007-01-01", MUE_ROWS), ("unitsOverMue is yes", MUE_FACTS))
    },
    **{
        (f"icd10cm-{rule}", "day on or after 2015-10-01", "false"): ICD10CM_ROWS
        for rule in (
            "age", "excludes1", "header", "not-listed", "seventh-character-missing", "seventh-character-wrong", "sex",
            "underlying-first",
        )
    },
    ("tbs-preparation-and-calculation", "edit is no", "false"): NO_EDIT,
    ("tbs-who-calculated", "edit is no", "false"): NO_EDIT,
    ("cms-mpfs-visit-in-package", "procedure any-in global-package-visits", "false"): VISITS,
    ("cms-mpfs-visit-in-package-doubtful", "procedure any-in global-package-visits", "false"): VISITS,
    ("cms-mpfs-visit-in-package", "globalDaysCarried is no", "false"): FEES,
    ("cms-mpfs-visit-in-package-doubtful", "globalDaysCarried is yes", "true"): FEES,
    ("cms-mpfs-visit-in-package-doubtful", "globalDays any [000, 010]", "false"): FEES,
    **{
        (f"cms-mpfs-component-{rule}", words, "false"): COMPONENTS
        for rule in ("modifier", "doubtful")
        for words in ("any of", "professional.pc-tc none [1, 6]", "technical.pc-tc is-not 1")
    },
    ("cms-mpfs-status-carried-forward", "feeStatus any [B, P, I, G]", "false"): NOT_ASKED,
    ("cms-mpfs-status-not-covered", "any of", "false"): NOT_ASKED,
    ("cms-ncci-mue-zero", "any of", "false"): NOT_ASKED,
    ("cms-ncci-mue-zero", "excluded is no", "false"): NOT_ASKED,
    ("cms-ncci-mue-both-sides", "line: same day", "false"): ONE_DAY,
    ("medicaid-drugs-ndc-missing", "drug-code is absent", "false"): ON_REQUEST,
}  # fmt: skip


@cache
def shipped_coverage() -> tuple[RuleCoverage, ...]:
    return tuple(cover(shipped_scrubber(), RULES))


def covered(folder: Path) -> RuleCoverage:
    (told,) = cover(open_scrubber(folder, None), folder)
    return told


def told(coverage: RuleCoverage) -> dict[str, tuple[int, int]]:
    return {seen.node.words: (seen.true.cases, seen.false.cases) for seen in coverage.conditions}


def test_each_condition_counts_the_cases_that_made_it_true_and_false(tmp_path: Path) -> None:
    coverage = covered(rule_folder(tmp_path))
    assert told(coverage) == {
        "day on or after 2022-01-01": (4, 0),
        "day before 2030-01-01": (4, 0),
        "procedure any [77092]": (3, 1),
        "units over 1": (2, 1),  # not asked of the other code
    }
    assert (coverage.cases, coverage.gaps, len(coverage.outcomes)) == (4, 2, 8)
    assert [(seen.node.line, seen.true.first, seen.false.first) for seen in coverage.conditions[2:]] == [
        (15, "two units", "another code"),
        (16, "two units", "one unit"),
    ]


def test_groups_needs_and_what_cannot_be(tmp_path: Path) -> None:
    when = "when:\n  any:\n    - {fact: units, over: 1}\n    - {fact: setting, any: [facility, non-facility]}"
    rule = with_lines(RULE, when=when, needs="needs: [renderingClass]", not_checked="not-checked: No taxonomy.")
    coverage = covered(rule_folder(tmp_path, rule, CASES.replace("finds: []", "finds: [{line: 1}]")))
    words = told(coverage)
    assert words["renderingClass is supplied"] == (3, 0)
    assert words["any of"] == (3, 0)
    assert words["setting any [facility, non-facility]"] == (3, 0)
    possible = {seen.node.words: seen.false.possible for seen in coverage.conditions}
    assert possible["any of"]
    assert [seen.node.line for seen in coverage.conditions][-3:] == [17, 18, 19]


def test_a_condition_that_always_holds_where_it_is_asked_is_no_gap(tmp_path: Path) -> None:
    rule = with_lines(RULE, when="when: {fact: procedure, is-not: '77089'}")
    coverage = covered(rule_folder(tmp_path, rule))
    assert not coverage.conditions[-1].false.possible
    assert not coverage.conditions[-1].false.gap


def test_counts_agree_with_the_engine() -> None:
    """Each condition of shipped rules, by the plain engine, one test a condition, on every fact of every case."""
    opened = shipped_scrubber()
    for coverage in shipped_coverage()[::3]:
        if coverage.rule.scope == "document":
            continue  # counted on reports of every code
        cases = all_cases(RULES, opened.rulebook, [coverage.rule.id])
        assert [(seen.true.cases, seen.false.cases) for seen in coverage.conditions] == by_the_engine(coverage, cases)


def by_the_engine(coverage: RuleCoverage, cases: list[Case]) -> list[tuple[int, int]]:
    nodes = [seen.node for seen in coverage.conditions]
    counts = [{True: 0, False: 0} for _ in nodes]
    for case in cases:
        context, claim, received_on = prepare_case(case, shipped_scrubber(), RULES)
        facts = read_facts(claim, context.rulebook, context.reference, received_on).facts
        tests = [EngineTest(key, coverage.rule.scope, node.condition) for key, node in enumerate(nodes)]
        matches = set(PlainEngine(tests, context.rulebook.lists).match(facts))
        ways: set[tuple[int, bool]] = set()
        for index, fact in enumerate(facts):
            if fact.kind == coverage.rule.scope:
                met = [((key, index) in matches) == node.wanted for key, node in enumerate(nodes)]
                ways |= {(key, met[key]) for key, node in enumerate(nodes) if asked(node, nodes, met)}
        for key, way in ways:
            counts[key][way] += 1
    return [(count[True], count[False]) for count in counts]


def asked(node: SourceNode, nodes: list[SourceNode], met: list[bool]) -> bool:
    """Whether all that stands in the sections before is fulfilled; a group is, or is not, as a whole."""
    before = SECTIONS[: SECTIONS.index(node.section)]
    return all(met[key] for key, other in enumerate(nodes) if other.section in before)


def test_a_report_of_another_code_shows_that_the_rule_passes_it_over() -> None:
    (number,) = [coverage for coverage in shipped_coverage() if coverage.rule.id == "documentation-tbs-number"]
    (applies,) = [seen for seen in number.conditions if seen.node.section == "applies"]
    assert applies.false.first == "the report behind a density study needs no score"


def test_the_cases_of_shipped_rules_show_every_condition_both_ways() -> None:
    gaps = {
        (coverage.rule.id, seen.node.words, word)
        for coverage in shipped_coverage()
        for seen in (*coverage.conditions, *coverage.relations)
        for word, way in (("true", seen.true), ("false", seen.false))
        if way.gap
    }
    assert gaps == set(EXCEPTIONS)


def test_no_shipped_rule_can_never_fire_and_none_doubles_another() -> None:
    assert [coverage.rule.id for coverage in shipped_coverage() if coverage.never] == []
    assert list(companions(shipped_scrubber().rulebook)) == []


def test_rules_that_always_fire_together(tmp_path: Path) -> None:
    folder = rule_folder(tmp_path)
    other = with_lines(RULE, id="id: sample-wider", title="title: The same in other words").replace("over", "at-least")
    put(folder, "sample/family/sample-wider.yaml", other)
    put(folder, "sample/family/sample-wider.test.yaml", CASES)
    (found,) = companions(load_rulebook(folder))
    assert (found.rule.id, found.other.id, found.both) == ("sample-rule", "sample-wider", False)
    put(folder, "sample/family/sample-wider.yaml", other.replace("at-least: 1", "at-least: 1.000001"))
    (found,) = companions(load_rulebook(folder))
    assert (found.rule.id, found.other.id, found.both) == ("sample-rule", "sample-wider", True)


def command(folder: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> Result:
    monkeypatch.setenv("SCRUBBER_RULES", str(folder))
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)
    return CliRunner().invoke(main, ["rules", "coverage", *args])


RELATIONS = {
    "amounts": "amounts:\n  drawn: {sum: units, of: lines, same: [group, day]}",
    "when": "when:\n  all:\n    - {fact: drawn, over: 1}\n"
    '    - no-history: {same: [procedure], within: {days: 30, before: this.day}, modifiers: {any: ["26"]}}',
}


def test_each_part_of_a_relation_and_of_a_sum_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways, on each item that stands beside the line; one group bills all lines of a claim."""
    folder = rule_folder(tmp_path, with_lines(RULE, **RELATIONS), CASES, PACK + 'grammar: "2"\n')
    history = "history: [{code: '77092', date: '2025-03-01', modifiers: ['26']}, {code: '77092', date: '2024-03-01'}]"
    cases = CASES.replace("line.1.units: 2}", f"line.1.units: 2, {history}}}", 1)
    put(folder, "sample/family/sample-rule.test.yaml", cases.replace("finds: [{line: 1, severity: warn}]", "finds: []"))
    counted = {each.node.words: (each.true.cases, each.false.cases) for each in covered(folder).relations}
    assert counted == {
        "line: same group": (3, 0),
        "line: same day": (3, 0),
        "history: same procedure": (1, 0),
        "history: within days, before": (1, 1),
        "history: modifiers any [26]": (1, 1),
    }
    output = command(folder, monkeypatch, "sample-rule").output
    assert "what stands beside it, one by one" in output
    assert "history: within days, before" in output
    (document,) = orjson.loads(command(folder, monkeypatch, "sample-rule", "--json").output)["rules"]
    gaps = [
        each["condition"] for each in document["relations"] if each["false"]["possible"] and not each["false"]["cases"]
    ]
    assert gaps == ["line: same day", "history: same procedure"]


def test_the_table_has_gaps_first_and_fits_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rule_folder(tmp_path / "rules").parent)
    lines = command(Path("rules"), monkeypatch).output.splitlines()
    assert lines[:5] == [
        "RULE         CASES  SHOWN  OF   %",
        "sample-rule      4      6   8  75",
        "  rules/sample/family/sample-rule.yaml:12",
        "    never false: day on or after 2022-01-01",
        "  rules/sample/family/sample-rule.yaml:12",
    ]
    assert "1 rule, 4 cases: 6 of 8 outcomes of conditions seen (75%)" in lines
    assert max(map(len, lines)) <= 80


def test_one_rule_is_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = command(rule_folder(tmp_path), monkeypatch, "sample-rule").output
    for part in ("   16     2     1    units over 1\n", "true: two units\n", "false: one unit\n", "no case shows it\n"):
        assert part in output


def test_a_rule_that_there_is_not_is_told_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = command(rule_folder(tmp_path), monkeypatch, "sample-none")
    assert (result.exit_code, "sample-none: there is no such rule" in result.output) == (2, True)


def test_codes_that_no_rule_mentions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = rule_folder(tmp_path)
    put(tmp_path, "codes.txt", "77092, the report\n# a comment\n77089\n\n77080\n")
    document = orjson.loads(command(folder, monkeypatch, "--codes", str(tmp_path / "codes.txt"), "--json").output)
    (code,) = [each for each in document["codes"]["unmentioned"] if each["code"] == "77080"]
    assert (code["standing"], code["lines"], code["mue"]) == ("in-force", None, 1)
    assert [each["code"] for each in document["codes"]["unmentioned"]] == ["77080", "77089"]  # no rule reads the list
    assert document["rules"][0]["conditions"][3]["true"] == {"cases": 2, "first": "two units", "possible": True}
    assert document["generalRules"] == []


def test_codes_of_claims_with_how_often_they_are_billed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = rule_folder(tmp_path)
    claims = b"\n".join(orjson.dumps(claim) for claim in (office_claim(), office_claim(), tbs_claim()))
    put(tmp_path, "claims.ndjson", claims.decode())
    output = command(folder, monkeypatch, "--claims", str(tmp_path / "claims.ndjson")).output
    assert output.splitlines()[-1].startswith("4 of 5 codes of ")
    assert any(line.startswith("99213      2  in-force") for line in output.splitlines())
    put(tmp_path, "claims.ndjson", "{}\n")
    result = command(folder, monkeypatch, "--claims", str(tmp_path / "claims.ndjson"))
    assert (result.exit_code, "claims.ndjson:1 is no claim" in result.output) == (2, True)

"""`rules diff`: what two rulebooks mean otherwise, and on which dates; what only looks otherwise is no difference."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrubber.authoring.diff import LIFE_CYCLE, MEANING, WORDING, RulebookDifference, RuleChange, rulebook_difference
from scrubber.authoring.diff_tables import Days
from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.rulebook.history import archive
from scrubber.rulebook.load import digest
from tests.conftest import ROOT
from tests.support.rule_folders import LISTS, PACK, RULE, put, rule_folder, with_lines

WINDOW = Days(date(2022, 1, 1), date(2030, 1, 1))  # of the sample rule
TWO = "when: {all: [{fact: units, over: 1}, {any: [{fact: charge, over: 0}, {fact: place, is: '11'}]}]}"


def compared(folder: Path, before: str = RULE, after: str = RULE, **files: str) -> RulebookDifference:
    """The difference of two sample folders; `files` replaces `lists` or `pack` in the second one."""
    one, other = rule_folder(folder / "before", before), rule_folder(folder / "after", after, **files)
    return rulebook_difference(one, other, "before", "after")


def changed(folder: Path, before: str = RULE, **lines: str) -> RuleChange:
    """The change of the sample rule when it gets these lines."""
    [change] = compared(folder, before, with_lines(before, **lines)).rules
    return change


@pytest.mark.parametrize(
    "after",
    [
        RULE + "# a comment\n",
        RULE.replace('applies: {procedure: {any: ["77092"]}}', "applies:\n  procedure:\n    any:\n      - '77092'"),
        with_lines(RULE, when="when: {all: [{fact: units, over: 1}]}"),
        with_lines(RULE, when="when: {any: [{all: [{fact: units, over: 1}, {fact: units, over: 1}]}]}"),
        with_lines(RULE, reason='reason: {carc: "045", group: CO, rarc: [N362]}'),
    ],
    ids=["comment", "layout", "a group of one", "groups of one, said twice", "order of keys"],
)
def test_what_only_looks_otherwise_is_no_difference(tmp_path: Path, after: str) -> None:
    found = compared(tmp_path, RULE, after)
    assert not found.any
    assert found.before != found.after


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("when: {all: [{fact: units, over: 1}, {fact: charge, over: 0}]}",
         "when: {all: [{fact: charge, over: 0}, {fact: units, over: 1}]}"),
        ("when: {all: [{fact: units, over: 1}, {all: [{fact: charge, over: 0}, {fact: place, is: '11'}]}]}",
         "when: {all: [{fact: units, over: 1}, {fact: charge, over: 0}, {fact: place, is: '11'}]}"),
        ("when: {fact: modifiers, any: ['26', TC]}", "when: {fact: modifiers, any: [TC, '26', TC]}"),
    ],
    ids=["order", "groups in groups", "order of codes"],
)  # fmt: skip
def test_the_order_and_grouping_of_conditions_is_no_difference(tmp_path: Path, one: str, other: str) -> None:
    assert not compared(tmp_path, with_lines(RULE, when=one), with_lines(RULE, when=other)).any


def test_rows_in_another_order_or_file_are_no_difference(tmp_path: Path) -> None:
    rows = "list,code,through,since,until,source\n# said\nother,77090,,,,sample\ntbs,77089,,,,sample\n"
    before = rule_folder(tmp_path / "before", lists=LISTS + "other,77090,,,,sample\n")
    after = rule_folder(tmp_path / "after", lists=rows)
    assert not rulebook_difference(before, after, "before", "after").any
    put(after, "sample/tables/lists.csv", LISTS)
    put(after, "sample/tables/more.csv", "list,code,through,since,until,source\nother,77090,,,,sample\n")
    put(
        after,
        "sample/pack.yaml",
        PACK.replace("{lists.csv: code-lists}", "{lists.csv: code-lists, more.csv: code-lists}"),
    )
    assert not rulebook_difference(before, after, "before", "after").any


@pytest.mark.parametrize(
    ("line", "key", "before", "after"),
    [
        ("severity: info", "severity", "warn", "info"),
        ("stage: submission", "stage", "adjudication", "submission"),
        ("category: units", "category", "coding", "units"),
        ("at-risk: nothing", "at-risk", "line-allowed", "nothing"),
        ("reason: null", "reason", "CO 045 N362", "none"),
        ("points-at: units", "points-at", "procedure", "units"),
        ('claim-status: {category: A7, code: "21"}', "claim-status", "none", "A7 21"),
    ],
)
def test_a_change_of_meaning_is_told_and_needs_another_version(
    tmp_path: Path, line: str, key: str, before: str, after: str
) -> None:
    name = line.split(":")[0].replace("-", "_")
    change = changed(tmp_path, **{name: line})
    [one] = change.changes
    assert (one.key, one.weight, one.before, one.after) == (key, MEANING, before, after)
    assert change.days == (WINDOW,)
    assert change.fault == "it means something else, and its version is still 1: raise it"
    raised = compared(tmp_path / "raised", RULE, with_lines(RULE, version="version: 2", **{name: line})).rules[0]
    assert raised.fault is None


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("title", "title: Another title"),
        ("message", 'message: "Line {line} bills too many."'),
        ("fix", "fix: Bill one."),
        ("reviewed", 'reviewed: "2026-11-23"'),
        ("owner", "owner: somebody else"),
        ("false-alarms", "false-alarms: Never."),
    ],
)
def test_other_words_are_marked_as_wording(tmp_path: Path, key: str, line: str) -> None:
    change = changed(tmp_path, **{key.replace("-", "_"): line})
    assert [(each.key, each.weight) for each in change.changes] == [(key, WORDING)]
    assert (change.changes_meaning, change.days, change.fault) == (False, (), None)


def test_where_an_authority_is_written_is_wording_and_what_kind_it_is_is_not(tmp_path: Path) -> None:
    moved = changed(
        tmp_path / "1", authority="authority:\n  - {kind: house-policy, title: Sample policy, locator: '2'}"
    )
    assert [each.weight for each in moved.changes] == [WORDING]
    weaker = changed(tmp_path / "2", authority="authority:\n  - {kind: advice, title: Sample policy}")
    assert next((each.key, each.before, each.after) for each in weaker.changes) == (
        "authority",
        "house-policy",
        "advice",
    )


def test_conditions_are_told_by_the_parts_that_differ(tmp_path: Path) -> None:
    other = TWO.replace("over: 1}", "over: 0}")
    [change] = changed(tmp_path / "1", with_lines(RULE, when=TWO), when=other).changes
    assert (change.key, change.removed, change.added) == ("when", ("units over 1",), ("units over 0",))
    inner = TWO.replace("{fact: place, is: '11'}", "{fact: place, is: '12'}, {fact: units, over: 1}")
    [change] = changed(tmp_path / "2", with_lines(RULE, when=TWO), when=inner).changes
    assert (change.removed, change.added) == (("place is 11",), ("place is 12", "units over 1"))
    [change] = changed(tmp_path / "3", applies='applies: {procedure: {any: ["77089", "77092"]}}').changes
    assert (change.key, change.removed, change.added) == (
        "applies", ("procedure any [77092]",), ("procedure any [77089, 77092]",)
    )  # fmt: skip


def test_other_days_affect_only_the_days_that_differ(tmp_path: Path) -> None:
    change = changed(tmp_path / "1", effective='effective: {from: "2023-01-01", to: "2030-01-01"}')
    assert change.days == (Days(date(2022, 1, 1), date(2023, 1, 1)),)
    assert change.changes[0].before == "from 2022-01-01 to 2029-12-31"
    both = changed(tmp_path / "2", effective='effective: {from: "2023-01-01"}', severity="severity: info")
    assert both.days == (Days(date(2022, 1, 1), None),)


def test_life_needs_no_other_version_and_affects_the_days_on_which_the_rule_runs(tmp_path: Path) -> None:
    shadow = changed(tmp_path / "1", status="status: shadow")
    assert [each.weight for each in shadow.changes] == [LIFE_CYCLE]
    assert (shadow.days, shadow.fault, shadow.changes_meaning) == ((WINDOW,), None, True)
    draft = with_lines(RULE, status="status: draft")
    begun = changed(tmp_path / "2", draft, status="status: active", severity="severity: info")
    assert (begun.days, begun.fault) == ((WINDOW,), None)
    never = changed(tmp_path / "3", draft, severity="severity: info")
    assert (never.days, never.runs) == ((), False)


def test_a_version_never_goes_back(tmp_path: Path) -> None:
    change = changed(tmp_path, with_lines(RULE, version="version: 3"), version="version: 2")
    assert change.fault == "its version went back from 3 to 2: versions only rise"


def test_rules_and_packs_come_and_go(tmp_path: Path) -> None:
    one, other = rule_folder(tmp_path / "before"), rule_folder(tmp_path / "after")
    (other / "sample/family/sample-rule.yaml").rename(other / "sample/family/sample-new.yaml")
    put(other, "sample/family/sample-new.yaml", with_lines(RULE, id="id: sample-new"))
    put(other, "more/pack.yaml", "name: more\ntitle: More\nabout: More.\nadoption: everyone\n")
    found = rulebook_difference(one, other, "before", "after")
    assert [(each.rule.id, each.way, each.days) for each in found.rules] == [
        ("sample-new", "added", (WINDOW,)),
        ("sample-rule", "removed", (WINDOW,)),
    ]
    assert [(each.name, each.way) for each in found.packs] == [("more", "added")]


def test_a_pack_that_holds_for_others_is_told(tmp_path: Path) -> None:
    [pack] = compared(tmp_path, pack=PACK.replace("everyone", "by-row")).packs
    assert (pack.changes, pack.changes_meaning) == ((("adoption", "everyone", "by-row"),), True)


@pytest.mark.parametrize(
    ("rows", "way", "columns", "days"),
    [
        ("tbs,77089,,,,sample\ntbs,77090,,2025-01-01,,sample\n", "added", (), (Days(date(2025, 1, 1), None),)),
        ("", "removed", (), (Days(None, None),)),
        ("tbs,77089,,,2025-01-01,sample\n", "changed", ("until",), (Days(date(2025, 1, 1), None),)),
        ("tbs,77089,,,,elsewhere\n", "changed", ("source",), ()),
    ],
)
def test_rows_are_compared_by_kind_and_key(
    tmp_path: Path, rows: str, way: str, columns: tuple[str, ...], days: tuple[Days, ...]
) -> None:
    [row] = compared(tmp_path, lists="list,code,through,since,until,source\n" + rows).rows
    assert (row.way, row.columns, row.days, row.wording) == (way, columns, days, columns == ("source",))
    assert (row.kind, row.located.file) == ("code-lists", "sample/tables/lists.csv")


def test_a_row_that_was_split_in_two_is_told_as_both(tmp_path: Path) -> None:
    rows = LISTS.replace("tbs,77089,,,,", "tbs,77089,,,2025-01-01,") + "tbs,77089,,2026-01-01,,sample\n"
    found = compared(tmp_path, lists=rows).rows
    assert [(row.way, row.days) for row in found] == [
        ("changed", (Days(date(2025, 1, 1), None),)),
        ("added", (Days(date(2026, 1, 1), None),)),
    ]


def test_a_row_is_compared_with_the_one_of_the_same_first_day(tmp_path: Path) -> None:
    header = "list,code,through,since,until,source\n"
    before = rule_folder(tmp_path / "before", lists=f"{header}tbs,1,,2020-01-01,2022-01-01,x\ntbs,1,,2023-01-01,,x\n")
    after = rule_folder(tmp_path / "after", lists=f"{header}tbs,1,,2023-01-01,2024-01-01,x\n")
    found = rulebook_difference(before, after, "before", "after").rows
    assert [(row.way, row.days) for row in found] == [
        ("changed", (Days(date(2024, 1, 1), None),)),
        ("removed", (Days(date(2020, 1, 1), date(2022, 1, 1)),)),
    ]


def test_a_folder_with_faults_is_told_by_its_revision(tmp_path: Path) -> None:
    with pytest.raises(Faults, match=r"after/sample/family/sample-rule.yaml"):
        compared(tmp_path, RULE, with_lines(RULE, severity="severity: awful"))


# The command


def diff(*words: object, rules: Path, state: Path | None = None) -> Result:
    environ = {"SCRUBBER_RULES": str(rules)} | ({"SCRUBBER_STATE": str(state)} if state else {})
    return CliRunner().invoke(main, ["rules", "diff", *map(str, words)], env=environ)


def test_the_page_fits_eighty_columns(tmp_path: Path) -> None:
    before = rule_folder(tmp_path / "before")
    long = with_lines(RULE, severity="severity: info", fix=f"fix: {'Bill one unit. ' * 12}", when=TWO)
    after = rule_folder(tmp_path / "after", long, lists=LISTS + "tbs,77090,,2025-01-01,,sample\n")
    done = diff(before, rules=after)
    assert done.exit_code == 1
    told = done.output.splitlines()
    assert max(map(len, told)) <= 80
    assert "~ rule sample-rule (version 1)" in told
    assert "    severity: warn -> info" in told
    assert "    dates of service from 2022-01-01 to 2029-12-31" in told
    assert "    fault: it means something else, and its version is still 1: raise it" in told
    assert "+ row of sample/tables/lists.csv: list tbs, code 77090" in told
    assert told[-1] == "1 rule changed, 1 row added, 1 fault"


def test_the_same_rules_in_other_dress_exit_0(tmp_path: Path) -> None:
    rules = rule_folder(tmp_path / "rules", RULE + "# a comment\n")
    done = diff(rule_folder(tmp_path / "before"), rules=rules)
    assert (done.exit_code, done.output) == (0, "the same meaning, in the same words\n")


def test_a_kept_rulebook_is_compared_as_json(tmp_path: Path) -> None:
    rules = rule_folder(tmp_path / "rules")
    kept = archive(rules, digest(rules), tmp_path / "state")
    put(rules, "sample/family/sample-rule.yaml", with_lines(RULE, severity="severity: info"))
    done = diff(kept.name[:10], "--json", rules=rules, state=tmp_path / "state")
    found = json.loads(done.output)
    assert (found["before"], found["after"]) == (f"sha256:{kept.name}", digest(rules))
    [rule] = found["rules"]
    assert (rule["rule"], rule["way"], rule["version"]) == ("sample-rule", "changed", {"before": 1, "after": 1})
    assert rule["days"] == [{"from": "2022-01-01", "to": "2030-01-01"}]
    assert rule["changes"][0] | {"key": "severity", "before": "warn", "after": "info"} == rule["changes"][0]


def test_what_is_no_revision_exits_2(tmp_path: Path) -> None:
    done = diff("no-such-revision", rules=rule_folder(tmp_path / "rules"))
    assert done.exit_code == 2
    assert "no-such-revision" in done.output


def test_the_shipped_rules_differ_in_nothing_from_themselves() -> None:
    assert not rulebook_difference(ROOT / "rules", ROOT / "rules", "one", "other").any

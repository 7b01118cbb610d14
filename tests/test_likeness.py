"""Names that are not known: every message says which known one was probably meant, and in bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubber.cli import main
from scrubber.errors import Faults
from scrubber.likeness import MOST_ASKED, Suggestions, known_names, meant, perhaps
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from tests.support.rule_folders import CASES, LISTS, PACK, RULE, put, rule_folder, with_lines

RULES = [f"documentation-{what}-{number}" for what in ("score", "report", "signature") for number in range(1500)]


@pytest.mark.parametrize(
    ("name", "known", "likely"),
    [
        ("sevrity", ["severity", "scope", "stage"], ["severity"]),
        ("Severity", ["severity", "scope"], ["severity"]),
        ("colour", ["severity", "scope"], []),
        ("", ["severity"], []),
        ("documentation-scroe-7", RULES, ["documentation-score-7"]),
        ("documentaton-signature-1499", RULES, ["documentation-signature-1499"]),
        ("x" * 1_000_000, RULES, []),
    ],
)
def test_the_likeliest_name_comes_first(name: str, known: list[str], likely: list[str]) -> None:
    assert meant(name, known, most=1) == likely


def test_messages_go_behind_others() -> None:
    assert perhaps("warm", ["info", "warn", "deny"]) == "; perhaps `warn` was meant"
    assert perhaps("colour", ["info", "warn", "deny"]) == ""
    assert known_names("colour", ["warn", "deny"]) == "; there are: deny, warn"
    assert known_names("colour", []) == "; there are: none"


def test_a_folder_full_of_unknown_names_ends_the_suggestions() -> None:
    like = Suggestions(["severity"])
    said = [like.perhaps("sevrity") for _ in range(MOST_ASKED + 1)]
    assert (said[MOST_ASKED - 1], said[MOST_ASKED]) == ("; perhaps `severity` was meant", "")


RULE_FILES = {
    "a key": ({"severity": "sevrity: warn"}, "sevrity: is no key that is known here", "severity"),
    "a key of an authority": (
        {"authority": "authority: [{kind: house-policy, titel: Sample policy}]"},
        "authority.titel: is no key",
        "title",
    ),
    "a key of the days": ({"effective": 'effective: {form: "2022-01-01"}'}, "effective.form: is no key", "from"),
    "a scope": ({"scope": "scope: lines"}, "scope: Must be one of", "line"),
    "a category": ({"category": "category: codings"}, "category: Must be one of", "coding"),
    "a severity": ({"severity": "severity: warm"}, "severity: Must be one of", "warn"),
    "a stage": ({"stage": "stage: submision"}, "stage: Must be one of", "submission"),
    "an element": ({"at_risk": "at-risk: nothing\npoints-at: modifers"}, "points-at: Must be one of", "modifiers"),
    "a fact": ({"when": "when: {fact: unitts, over: 1}"}, "`unitts` is no fact of line", "units"),
    "an operator": ({"when": "when: {fact: units, ovr: 1}"}, "`ovr` is no operator", "over"),
    "a list": ({"when": "when: {fact: procedure, any-in: tbss}"}, "there is no code list `tbss`", "tbs"),
    "a word of a fact": ({"when": "when: {fact: setting, is: facilty}"}, "`setting` is never `facilty`", "facility"),
    "a related rule": ({"at_risk": "at-risk: nothing\nrelated: [sample-rul]"}, "no rule `sample-rul`", "sample-rule"),
    "a successor": (
        {"status": "status: deprecated\nsuperseded-by: sample-rul"},
        "superseded-by: there is no rule `sample-rul`",
        "sample-rule",
    ),
    "a placeholder": ({"message": 'message: "{unis} units"'}, "{unis} is no fact of line", "units"),
}


@pytest.mark.parametrize("what", RULE_FILES)
def test_names_of_rule_files(tmp_path: Path, what: str) -> None:
    lines, message, likely = RULE_FILES[what]
    folder = rule_folder(tmp_path, with_lines(RULE, **lines))
    [said] = [str(fault) for fault in lint(folder) if message in str(fault)]
    assert f"perhaps `{likely}`" in said, said


LIMITS = "tables: {lists.csv: code-lists, limits.csv: limits}"


def test_a_limit(tmp_path: Path) -> None:
    rule = with_lines(RULE, when="when: {fact: units, over: {limit: most-unit}}")
    folder = rule_folder(tmp_path, rule, pack=with_lines(PACK, tables=LIMITS))
    put(folder, "sample/tables/limits.csv", "name,value,since,until,source\nmost-units,2,,,x\n")
    assert any("perhaps `most-units` was meant; there are: most-units" in str(fault) for fault in lint(folder))


OTHER_FILES = {
    "a key of pack.yaml": ("sample/pack.yaml", PACK + "adoptoin: everyone\n", "adoptoin: is no key", "adoption"),
    "a kind of table": (
        "sample/pack.yaml",
        with_lines(PACK, tables="tables: {lists.csv: code-list}"),
        "tables.lists.csv: Must be one of",
        "code-lists",
    ),
    "a column": ("sample/tables/lists.csv", LISTS.replace("through", "throug"), "unknown column 'throug'", "through"),
    "a key of a case": (
        "sample/family/sample-rule.test.yaml",
        CASES.replace("change:", "chnage:", 1),
        "chnage: is no key",
        "change",
    ),
    "a base claim": (
        "sample/family/sample-rule.test.yaml",
        CASES.replace("claim: tbs", "claim: tbss", 1),
        "there is no claims/tbss.json",
        "tbs",
    ),
    "a path": (
        "sample/family/sample-rule.test.yaml",
        CASES.replace("line.1.units: 2", "line.1.unit: 2", 1),
        "leads nowhere",
        "line.1.units",
    ),
    "a table of a case": (
        "sample/family/sample-rule.test.yaml",
        CASES.replace("  finds: []", "  tables: {sample/list.csv: []}\n  finds: []", 1),
        "no pack.yaml lists it",
        "sample/lists.csv",
    ),
}


@pytest.mark.parametrize("what", OTHER_FILES)
def test_names_of_other_files(tmp_path: Path, what: str) -> None:
    file, text, message, likely = OTHER_FILES[what]
    folder = rule_folder(tmp_path)
    put(folder, file, text)
    [said] = [str(fault) for fault in lint(folder) if message in str(fault)]
    assert f"perhaps `{likely}`" in said, said


@pytest.mark.parametrize(
    ("row", "likely"),
    [("sampel,,,,,yes,,,x", "sample"), ("sample,,original-medicar,,,yes,,,x", "original-medicare")],
)
def test_names_in_rows(tmp_path: Path, row: str, likely: str) -> None:
    folder = rule_folder(tmp_path, pack=with_lines(PACK, tables="tables: {lists.csv: code-lists, a.csv: adoptions}"))
    head = "pack,payer,line_of_business,plan,contractor,adopted,since,until,source\n"
    put(folder, "sample/tables/a.csv", f"{head}{row}\n")
    with pytest.raises(Faults, match=f"perhaps `{likely}` was meant"):
        load_rulebook(folder)


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "show", "sample-rul"),
        ("rules", "test", "sample-rul"),
        ("rules", "coverage", "sample-rul"),
        ("rules", "mutate", "sample-rul"),
        ("rules", "promote", "sample-rul", "draft"),
        ("rules", "explain", "{claim}", "--rule", "sample-rul"),
        ("rules", "explain", "{claim}", "--enable", "sample-rul"),
        ("rules", "backtest", "--rules", "sample-rul", "--claims", "{claim}"),
        ("scrub", "{claim}", "--disable", "sample-rul"),
        ("rules", "list", "--pack", "sampel"),
        ("rules", "list", "--payer", "original-medicar"),
        ("rules", "migrate", "sampel"),
    ],
    ids=" ".join,
)
def test_names_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    folder = rule_folder(tmp_path / "rules")
    monkeypatch.setenv("SCRUBBER_RULES", str(folder))
    claim = str(folder / "claims" / "tbs.json")
    done = CliRunner().invoke(main, [word.format(claim=claim) for word in words])
    likely = {"sample-rul": "sample-rule", "sampel": "sample"}
    expected = next((likely[word] for word in words if word in likely), "original-medicare")
    assert done.exit_code == 2, done.output
    assert f"perhaps `{expected}` was meant" in done.output

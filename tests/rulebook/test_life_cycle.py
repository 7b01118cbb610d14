"""What lets a rule deny, what a back-test on record is worth, and rules that take over from one another."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from scrubber.errors import Fault, Faults
from scrubber.rulebook.backtest_record import BackTestRecord, read_record, record_path, write_record
from scrubber.rulebook.lint import lint
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule import Rule, semantic_hash
from tests.support.rule_folders import CASES, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
ADVICE = "authority:\n  - {kind: advice, title: An article}"
DENY = {"severity": "severity: deny", "authority": ADVICE}
ON_RECORD = DENY | {"back_test": "back-test: backtests/sample-rule.json"}
DIGEST = "sha256:" + 64 * "0"


def sample(folder: Path, **lines: str) -> Rule:
    return load_rulebook(rule_folder(folder, with_lines(RULE, **lines))).rules["sample-rule"]


def record_of(rule: Rule) -> BackTestRecord:
    return BackTestRecord(
        rule.id, semantic_hash(rule), 1000, 12, Decimal("345.60"), Decimal("0.75"), date(2026, 11, 23), DIGEST
    )


def the_fault(folder: Path) -> Fault:
    faults = lint(folder)
    assert len(faults) == 1, faults
    return faults[0]


def denies(folder: Path, **lines: str) -> Path:
    cases = CASES.replace("severity: warn", "severity: deny")
    return rule_folder(folder, with_lines(RULE, **lines), cases)


@pytest.mark.parametrize("kind", ["advice, binding: yes", "advice", "cms-manual", "regulation, binding: no"])
def test_an_active_deny_needs_more_than_such_an_authority(tmp_path: Path, kind: str) -> None:
    authority = f"authority:\n  - {{kind: {kind}, title: A text}}"
    found = the_fault(denies(tmp_path, severity="severity: deny", authority=authority))
    assert "an active deny needs a binding authority" in found.message
    assert "scrubber rules backtest --record" in found.message


@pytest.mark.parametrize("kind", ["house-policy", "regulation, binding: yes", "payer-policy, binding: yes"])
def test_an_active_deny_on_authority(tmp_path: Path, kind: str) -> None:
    authority = f"authority:\n  - {{kind: {kind}, title: A text}}"
    assert lint(denies(tmp_path, severity="severity: deny", authority=authority)) == []


@pytest.mark.parametrize("status", ["draft", "shadow"])
def test_a_deny_may_be_written_and_tried_before_it_is_turned_on(tmp_path: Path, status: str) -> None:
    assert lint(denies(tmp_path, **DENY, status=f"status: {status}")) == []


def test_an_active_deny_on_a_back_test(tmp_path: Path) -> None:
    folder = denies(tmp_path, **ON_RECORD)
    rule = load_rulebook(folder).rules["sample-rule"]
    write_record(record_of(rule), record_path(rule, folder))
    assert lint(folder) == []


def test_dollars_that_nobody_knows_are_null(tmp_path: Path) -> None:
    rule = load_rulebook(denies(tmp_path, **ON_RECORD)).rules["sample-rule"]
    path = record_path(rule, tmp_path)
    write_record(replace(record_of(rule), dollars=None), path)
    assert '"dollars": null' in path.read_text()
    assert read_record(path, "record").dollars is None


def test_a_back_test_that_is_not_there(tmp_path: Path) -> None:
    folder = denies(tmp_path, **ON_RECORD)
    there, named = lint(folder)
    assert (there.file, there.message) == (
        "sample/backtests/sample-rule.json",
        "cannot be read: No such file or directory",
    )
    assert named.file == FILE
    assert "scrubber rules backtest --record" in named.message


def test_a_back_test_of_what_the_rule_meant_before(tmp_path: Path) -> None:
    folder = denies(tmp_path, **ON_RECORD)
    rule = load_rulebook(folder).rules["sample-rule"]
    write_record(record_of(replace(rule, since=date(2023, 1, 1))), record_path(rule, folder))
    assert "means something else since its back-test" in the_fault(folder).message
    write_record(replace(record_of(rule), rule="sample-other"), record_path(rule, folder))
    assert "of another rule" in the_fault(folder).message


def test_a_back_test_that_found_nothing(tmp_path: Path) -> None:
    folder = denies(tmp_path, **ON_RECORD)
    rule = load_rulebook(folder).rules["sample-rule"]
    write_record(replace(record_of(rule), findings=0, precision=None), record_path(rule, folder))
    assert "found nothing in 1,000 claims" in the_fault(folder).message


def test_back_test_names_the_rules_own_record(tmp_path: Path) -> None:
    found = the_fault(denies(tmp_path, back_test="back-test: backtests/sample-other.json"))
    assert "must be backtests/sample-rule.json" in found.message


CHANGES = {
    "scope": {"scope": "scope: repeat"},
    "applies": {"applies": 'applies: {procedure: {any: ["77092", "77089"]}}'},
    "operator": {"applies": 'applies: {procedure: {none: ["77092"]}}'},
    "list": {"applies": "applies: {procedure: {any-in: tbs}}"},
    "when": {"when": "when: {fact: units, at-least: 1}"},
    "any of": {"when": "when: {any: [{fact: units, over: 1}, {fact: setting, is: facility}]}"},
    "all of": {"when": "when: {all: [{fact: units, over: 1}, {fact: setting, is: facility}]}"},
    "severity": {"severity": "severity: info"},
    "from": {"effective": 'effective: {from: "2022-01-02", to: "2030-01-01"}'},
    "to": {"effective": 'effective: {from: "2022-01-01"}'},
    "needs": {"needs": "needs: [calculatedBy]", "not_checked": "not-checked: Say who calculated."},
}


def test_whatever_changes_the_meaning_changes_its_hash(tmp_path: Path) -> None:
    meanings = [semantic_hash(sample(tmp_path / name, **lines)) for name, lines in CHANGES.items()]
    assert len({semantic_hash(sample(tmp_path / "plain")), *meanings}) == len(CHANGES) + 1


@pytest.mark.parametrize(
    "lines",
    [
        {"title": "title: Another title", "message": "message: Otherwise.", "fix": "fix: Otherwise."},
        {"version": "version: 2", "status": "status: shadow", "reviewed": "reviewed: 2026-11-23"},
        {"applies": "applies:\n  procedure:\n    any: [77092]  # as before"},
    ],
)
def test_words_layout_and_status_leave_the_meaning(tmp_path: Path, lines: dict[str, str]) -> None:
    assert semantic_hash(sample(tmp_path / "a", **lines)) == semantic_hash(sample(tmp_path / "b"))


def test_the_order_of_codes_leaves_the_meaning(tmp_path: Path) -> None:
    one, other = 'applies: {procedure: {any: ["77092", "77089"]}}', 'applies: {procedure: {any: ["77089", "77092"]}}'
    assert semantic_hash(sample(tmp_path / "a", applies=one)) == semantic_hash(sample(tmp_path / "b", applies=other))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = record_of(sample(tmp_path))
    for precision in Decimal("0.7500"), None:
        told = replace(record, precision=precision)
        write_record(told, tmp_path / "new" / "record.json")
        assert read_record(tmp_path / "new" / "record.json", "record.json") == told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"claims": -1}, "claims: "),
        ({"claims": "10"}, "claims: "),
        ({"dollars": 12.5}, "dollars: "),
        ({"precision": "1.5"}, "precision: "),
        ({"run": "2026-02-30"}, "run: "),
        ({"meaning": "sha256:0"}, "meaning: "),
        ({"patient": "x"}, "patient: "),
        ({"rule": None}, "rule: "),
    ],
)
def test_a_record_holds_these_numbers_and_nothing_else(tmp_path: Path, change: dict[str, object], said: str) -> None:
    file = tmp_path / "record.json"
    write_record(record_of(sample(tmp_path / "rules")), file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(Faults) as caught:
        read_record(file, "record.json")
    (found,) = caught.value.faults
    assert (found.file, found.message.startswith(said)) == ("record.json", True)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10_000, "9" * 10_000, '"x"', " " * 20_000, "\0"])
def test_what_is_no_record(tmp_path: Path, text: str) -> None:
    put(tmp_path, "record.json", text)
    with pytest.raises(Faults):
        read_record(tmp_path / "record.json", "record.json")


# Rules that take over from one another


def two_rules(folder: Path, old: dict[str, str], new: dict[str, str]) -> Path:
    old = {"superseded_by": "superseded-by: sample-new", **old}
    rule_folder(folder, with_lines(RULE, **old))
    put(folder, "sample/family/sample-new.yaml", with_lines(RULE, id="id: sample-new", title="title: New", **new))
    put(folder, "sample/family/sample-new.test.yaml", CASES)
    return folder


def effective(since: str | None, until: str | None) -> dict[str, str]:
    days = ", ".join(f'{name}: "{day}"' for name, day in (("from", since), ("to", until)) if day)
    return {"effective": f"effective: {{{days}}}"}


DEPRECATED = {"status": "status: deprecated"}


def test_a_rule_ends_on_the_day_that_the_next_begins(tmp_path: Path) -> None:
    assert lint(two_rules(tmp_path, effective("2022-01-01", "2025-01-01"), effective("2025-01-01", None))) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (("2022-01-01", "2025-01-02"), ("2025-01-01", None), "hold on one day"),
        (("2022-01-01", None), ("2025-01-01", None), "effective: {to: 2025-01-01}"),
        (("2022-01-01", "2025-01-01"), (None, None), "hold on one day"),
        (("2022-01-01", "2025-01-01"), ("2025-02-01", None), "from 2025-01-01 to the day before 2025-02-01"),
    ],
)
def test_days_of_two_rules_and_of_none(
    tmp_path: Path, old: tuple[str, str | None], new: tuple[str | None, None], said: str
) -> None:
    found = the_fault(two_rules(tmp_path, effective(*old), effective(*new)))
    assert found.message.startswith("superseded-by: ")
    assert said in found.message


def test_a_deprecated_rule_leaves_its_days_to_the_next(tmp_path: Path) -> None:
    before, after = effective("2022-01-01", None), effective("2023-01-01", None)
    assert lint(two_rules(tmp_path / "a", DEPRECATED | before, before)) == []
    found = the_fault(two_rules(tmp_path / "b", DEPRECATED | before, after))
    assert "dates of service before 2023-01-01 are left to no rule" in found.message


def test_a_deprecated_rule_names_who_took_over(tmp_path: Path) -> None:
    assert "needs `superseded-by`" in the_fault(rule_folder(tmp_path, with_lines(RULE, **DEPRECATED))).message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"superseded_by": "superseded-by: sample-gone"}, {}, ["there is no rule `sample-gone`"]),
        ({"superseded_by": "superseded-by: sample-rule"}, {}, ["names the rule itself"]),
        ({}, DEPRECATED | {"superseded_by": "superseded-by: sample-rule"}, ["is deprecated itself", "circle"]),
        (DEPRECATED, {"status": "status: draft"}, ["is draft and has no effect"]),
        (DEPRECATED, {"status": "status: shadow"}, ["is shadow and has no effect"]),
    ],
)
def test_successors_that_are_none(tmp_path: Path, old: dict[str, str], new: dict[str, str], said: list[str]) -> None:
    with pytest.raises(Faults) as caught:
        load_rulebook(two_rules(tmp_path, old, new))
    messages = sorted(fault.message for fault in caught.value.faults)
    assert all(word in message for word, message in zip(said, messages, strict=True)), messages

"""`rules diff`: how a relation, an amount, a look-up, a definition, a table or a family changed, part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubber.authoring.diff import rulebook_difference
from scrubber.cli import main
from tests.support.own_tables import folder_with
from tests.support.rule_folders import LISTS, RULE, put, with_lines

TABLE = """\
most.csv:
  about: Sample.
  keys: {code: procedure, place: place}
  columns: {units: {type: number, about: Most units.}}
  source: sample
"""
PARTS = {
    "look_up": "look-up:\n  most: {in: most, for: {code: procedure, place: place}}",
    "amounts": "amounts:\n  drawn: {sum: units, of: lines, same: [day]}",
    "when": "when:\n  all:\n    - {fact: drawn, over: {fact: most.units}}\n"
    "    - no-other-line: {same: [day], units: {over: 1}, definition: visit}",
}
DEFINITIONS = """\
# yaml-language-server: $schema=../definitions.schema.json
visit:
  about: A visit.
  of: [line]
  means: {place: "11"}
"""
FAMILY = """\
# yaml-language-server: $schema=../../family.schema.json
family: sample-report
title: A report
list: tbs
elements:
  score: {type: number, about: The score.}
"""


def folder(
    path: Path, rule: str = "", table: str = TABLE, definitions: str = DEFINITIONS, family: str = FAMILY
) -> Path:
    made = folder_with(path, table, {"most.csv": "code,place,units\n77092,11,1\n"})
    text = (made / "sample/pack.yaml").read_text(encoding="utf-8")
    put(made, "sample/pack.yaml", text + 'grammar: "2"\n')
    put(made, "sample/definitions.yaml", definitions)
    put(made, "sample/families/sample-report.yaml", family)
    put(made, "sample/tables/lists.csv", LISTS)
    put(made, "sample/family/sample-rule.yaml", rule or with_lines(RULE, **PARTS))
    return made


def told(path: Path, **changed: str) -> list[str]:
    """The lines of the page, without those of digests, dates and counts."""
    before = folder(path / "before")
    rule = with_lines(RULE, **{**PARTS, **changed}) if changed.keys() <= PARTS.keys() else ""
    after = folder(path / "after", rule) if rule else folder(path / "after", **changed)
    outcome = CliRunner().invoke(main, ["rules", "diff", str(before), str(after)])
    assert outcome.exit_code == 1, outcome.output
    return [line.strip() for line in outcome.output.splitlines()[1:-2] if line.strip()]


FAULT = "fault: it means something else, and its version is still 1: raise it"


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"when": PARTS["when"].replace("over: 1", "over: 2")}, ["no-other-line.units.over: 1 -> 2"]),
        ({"when": PARTS["when"].replace("same: [day]", "same: [day, procedure]")},
         ["no-other-line.same: [day] -> [day, procedure]"]),
        ({"when": PARTS["when"].replace("no-other", "some-other")},
         ["- no-other-line: same [day], units over 1, definition visit",
          "+ some-other-line: same [day], units over 1, definition visit"]),
        ({"amounts": PARTS["amounts"].replace("[day]", "[day, procedure]")},
         ["amounts.drawn.same: [day] -> [day, procedure]"]),
        ({"look_up": PARTS["look_up"].replace(", place: place", "")}, ["look-up.most.for.place: place -> none"]),
    ],
)  # fmt: skip
def test_how_a_rule_asks_something_else(tmp_path: Path, changed: dict[str, str], parts: list[str]) -> None:
    lines = told(tmp_path, **changed)
    assert lines[0] == "~ rule sample-rule (version 1)"
    assert lines[-1] == FAULT
    assert set(parts) <= set(lines)


def test_a_definition_that_changed(tmp_path: Path) -> None:
    """It is told itself, and each rule that uses it means something else under the same version."""
    lines = told(tmp_path, definitions=DEFINITIONS.replace('"11"', '"22"').replace("A visit.", "A visit there."))
    assert lines[:3] == [
        "~ definition visit (sample/definitions.yaml)",
        "about: A visit. -> A visit there.",
        "means.place: 11 -> 22",
    ]
    assert lines[3] == "~ rule sample-rule (version 1)"
    assert lines[-1] == FAULT
    assert "a definition means something else" in " ".join(lines)


def test_a_table_that_is_declared_otherwise(tmp_path: Path) -> None:
    table = TABLE.replace("{code: procedure, place: place}", "{place: place, code: {type: procedure, list: yes}}")
    assert told(tmp_path, table=table)[:3] == [
        "~ table most (sample/pack.yaml)",
        "keys.code.list: none -> yes",
        "order of keys: [code, place] -> [place, code]",
    ]


def test_a_family_that_reads_otherwise(tmp_path: Path) -> None:
    family = FAMILY.replace("type: number", "type: text") + "  kind: {type: text, about: The kind.}\n"
    assert told(tmp_path, family=family) == [
        "~ family sample-report (sample/families/sample-report.yaml)",
        "elements.score.type: number -> text",
        "elements.kind: none -> type text, about The kind.",
    ]


def test_columns_in_short_and_at_length_are_the_same(tmp_path: Path) -> None:
    table = TABLE.replace("code: procedure", "code: {type: procedure}")
    found = rulebook_difference(folder(tmp_path / "one"), folder(tmp_path / "two", table=table), "one", "two")
    assert not found.any

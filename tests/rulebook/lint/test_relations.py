"""What lint says of relations, look-ups, amounts and comparisons, and of names of other packs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.rulebook.lint import lint_report
from tests.support.own_tables import folder_with
from tests.support.rule_folders import PACK, RULE, put, rule_folder, with_lines

FILE = "sample/family/sample-rule.yaml"
TABLE = """\
most.csv:
  about: Sample.
  keys: {code: {type: procedure, through: last}}
  columns: {units: number}
  source: sample
"""
ROWS = "code,last,units\n77080,77081,1\n"


def told(path: Path, scope: str = "line", **lines: str) -> tuple[list[str], list[str]]:
    """The faults and the warnings about the sample rule with these lines, with the lines that they are on."""
    folder = folder_with(path, TABLE, {"most.csv": ROWS})
    text = (folder / "sample/pack.yaml").read_text(encoding="utf-8")
    put(folder, "sample/pack.yaml", text + 'grammar: "2"\n')
    message = {"message": 'message: "Look at it."'} if scope != "line" else {}
    put(folder, FILE, with_lines(RULE, scope=f"scope: {scope}", **message, **lines))
    found = lint_report(folder, date(2026, 11, 23))
    of_rule = [[f"{each.line}: {each.message}" for each in kind if each.file == FILE] for kind in found[:2]]
    return of_rule[0], of_rule[1]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"when": "when:\n  some-other-line: {same: [day], units: {over: 1, under: 1}}"},
         "17: no other line is ever so: `units over 1` and `units under 1` never hold together; correct one of them"),
        ({"when": 'when:\n  some-other-line: {same: [procedure], procedure: {any: ["77080"]}}'},
         "17: no other line is ever so: `procedure any [77080]` and `procedure any [77092]` of the rule itself never "
         "hold together; correct one of them"),
        ({"when": 'when:\n  some-other-line:\n    same: [day]\n    no-history: {same: [procedure], units: {over: 1}}\n'
                  '    some-history: {same: [procedure], units: {over: 1}}'},
         "17: no other line is ever so: "),
        ({"amounts": "amounts:\n  others: {count: other-lines, same: [day], units: {over: 1, under: 1}}",
          "when": "when: {fact: others, over: 0}"}, "no other line is ever so: "),
        ({"when": "when:\n  all:\n    - some-other-line: {same: [day]}\n    - no-other-line: {same: [day]}"},
         "can never fire: `some-other-line: same [day]` (line 18) and `no-other-line: same [day]` (line 19) never"),
        ({"amounts": "amounts:\n  all-units: {sum: units, of: lines, same: [day]}",
          "when": "when:\n  all:\n    - {fact: all-units, over: 1}\n    - {fact: all-units, at-most: 1}"},
         "can never fire: `all-units over 1` (line 18) and `all-units at-most 1` (line 19) never hold together"),
        ({"when": "when:\n  all:\n    - {fact: units, over: {fact: charge-count}}\n"
                  "    - {fact: units, at-most: {fact: charge-count}}",
          "amounts": "amounts:\n  charge-count: {count: other-lines, same: [charge]}"},
         "can never fire: "),
        ({"amounts": "amounts:\n  others: {count: other-lines, same: [day]}", "when": "when: {fact: others, under: 0}"},
         "can never fire: `others under 0` never holds"),
        ({"look_up": "look-up:\n  most: {in: most, for: {code: procedure}}",
          "when": "when: {fact: units, over: {fact: most.units}}"},
         "22: no row of `most` has 77092 as its `code`: add the row, or correct the look-up"),
        ({"look_up": "look-up:\n  most: {in: most, for: {code: procedure}}", "applies": 'applies: {procedure: "77080"}',
          "when": "when:\n  all:\n    - {fact: most, is: not-found}\n    - {fact: most.units, over: 1}"},
         "can never fire: `most is not-found` (line 18) and `most.units over 1` (line 19) never hold together"),
        ({"when": "when:\n  some-history: {same: [procedure], within: {days: 0, before: this.day}}"},
         "17: no day lies in 0 days before another: say how many, or `same: [day]`"),
        ({"when": "when:\n  some-history:\n    same: [procedure]\n"
                  "    within: [{days: 9, before: this.day}, {days: 9, from: this.day}]"},
         "19: no day is before and from one and the same day: the relation never finds anything"),
        ({"when": "when:\n  some-other-line: {same: [day], within: {days: 9, before: this.day}}"},
         "17: no day is before and the same day as one and the same day"),
        ({"when": "when:\n  some-diagnosis: {code: {any: [M810]}, within: {days: 9, before: this.day}}"},
         "17: `within` asks for the day of a diagnosis, which has none: take it out"),
    ],
)  # fmt: skip
def test_what_never_holds_is_a_fault(tmp_path: Path, lines: dict[str, str], said: str) -> None:
    faults, _ = told(tmp_path, **lines)
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"when": "when:\n  some-other-line: {units: {over: 1}}"},
         "17: holds for any other line, whatever it has in common with the fact in hand: say what is the `same`, a "
         "window `within` which it lies, or compare it with `this.…`"),
        ({"when": "when:\n  no-history: {units: {over: 1}}"}, "17: holds for any history"),
        ({"amounts": "amounts:\n  others: {sum: units, of: lines}", "when": "when: {fact: others, over: 1}"},
         "holds for any line, whatever it has in common"),
        ({"when": "when:\n  some-history: {same: [procedure], within: {full-years: 200, before: this.day}}"},
         "17: 200 full-years are longer than a life"),
        ({"when": "when:\n  no-history: {same: [procedure], within: {days: 30, after: this.day}}"},
         "17: history ends on the day on which a claim is sent"),
        ({"when": 'when:\n  all:\n    - {fact: units, over: 1}\n    - {fact: procedure, none: ["77080"]}'},
         "19: `procedure none [77080]` is always true where the conditions before it hold: take it out, or correct it"),
        ({"when": 'when:\n  any:\n    - {fact: units, over: 1}\n    - {fact: procedure, is: "77080"}'},
         "19: `procedure is 77080` is never true where the conditions before it hold"),
        ({"when": "when:\n  all:\n    - {fact: units, over: 1}\n    - {fact: units, is: {fact: units}}"},
         "19: `units is fact units` compares a value with itself, and is always true: take it out, or correct it"),
        ({"amounts": "amounts:\n  others: {count: other-lines, same: [day]}",
          "when": "when:\n  all:\n    - {fact: units, over: 1}\n    - {fact: others, at-least: 0}"},
         "`others at-least 0` is always true: a count is never below zero"),
        ({"look_up": "look-up:\n  most: {in: most, for: {code: procedure}}",
          "amounts": "amounts:\n  others: {count: other-lines, same: [day]}\n  more: {plus: [others, 1]}"},
         "`more` is used by nothing in this rule: use it, or take it out"),
    ],
)  # fmt: skip
def test_what_a_reviewer_should_look_at_is_a_warning(tmp_path: Path, lines: dict[str, str], said: str) -> None:
    faults, warnings = told(tmp_path, **lines)
    assert faults == []
    assert [each for each in warnings if said in each]


@pytest.mark.parametrize(
    "lines",
    [
        {"when": "when:\n  some-other-line: {same: [day], units: {over: 1}}"},
        {"when": "when:\n  some-other-line: {units: {over: {fact: this.units}}}"},
        {"when": "when:\n  some-earlier-line: {units: {over: 1}}"},  # before the line in hand
        {"when": 'when:\n  some-history: {procedure: {any: ["77080"]}}'},  # whenever in the patient's life
        {"when": 'when:\n  some-other-line: {same: [day], procedure: {any: ["77080"]}}'},
        {"when": "when:\n  some-history: {same: [procedure], within: {days: 30, after: this.day}}"},
        {"when": "when:\n  some-history: {same: [procedure], within: {days: 30, before: this.day}}"},
        {"when": "when:\n  some-other-line: {same: [diagnosis], diagnoses: {none: [M810]}}"},
        {"when": "when:\n  any:\n    - some-other-line: {same: [day]}\n    - no-other-line: {same: [day]}"},
        {"amounts": "amounts:\n  others: {count: other-lines, same: [day]}",
         "when": "when:\n  all:\n    - {fact: others, over: 0}\n    - {fact: units, over: {fact: others}}"},
        {"look_up": "look-up:\n  most: {in: most, for: {code: procedure}}",
         "applies": 'applies: {procedure: {any: ["77081", "77092"]}}',
         "when": "when: {fact: units, over: {fact: most.units}}"},
        {"when": "when: {fact: modifiers, any: [GZ]}", "applies": "applies: {modifiers: {any: [GZ]}}"},
    ],
)  # fmt: skip
def test_what_may_come_out_either_way_is_left_alone(tmp_path: Path, lines: dict[str, str]) -> None:
    assert told(tmp_path, **lines) == ([], [])


def test_a_relation_of_the_claim_needs_no_anchor(tmp_path: Path) -> None:
    lines = {"applies": "", "when": "when:\n  some-line: {units: {over: 1}}"}
    assert told(tmp_path, "claim", **lines) == ([], [])


def test_names_of_other_packs_stand_under_uses(tmp_path: Path) -> None:
    lists = PACK.replace("name: sample", "name: lists").replace("lists.csv: code-lists", "others.csv: code-lists")
    rule = with_lines(RULE, applies="applies: {procedure: {any-in: others}}")
    folder = rule_folder(tmp_path, rule)
    put(folder, "lists/pack.yaml", lists + "lists: {others: procedures}\n")
    put(folder, "lists/tables/others.csv", "list,code,through,since,until,source\nothers,77092,,,,sample\n")
    put(folder, "lists/CHANGES.md", "# Changes\n")

    def told_of(uses: str) -> list[tuple[str, int, str]]:
        put(folder, "sample/pack.yaml", PACK + uses)
        found = lint_report(folder, date(2026, 11, 23))
        every = (*found.faults, *found.warnings)
        return [(each.file, each.line, each.message) for each in every if "uses" in each.message]

    [(file, line, message)] = told_of("")
    assert (file, line) == (FILE, 15)
    assert message.startswith("list `others` is of the pack lists: say `uses: [lists]` in sample/pack.yaml")
    assert told_of("uses: [lists]\n") == []
    assert told_of("uses: [lists, payers]\n") == [
        ("sample/pack.yaml", 0, "uses: no rule of this pack uses a name of payers: take it out")
    ]
    [(file, _, message)] = told_of("uses: [lists, list]\n")
    assert file == "sample/pack.yaml"
    assert message.startswith("uses: there is no other pack `list`; perhaps `lists` was meant")

"""Named conditions of packs: used by name, shown expanded, refused with file and line where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrubber.errors import Faults
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.vocabulary import KINDS
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

PACK = "sample/pack.yaml"
FILE = "sample/definitions.yaml"
OFFICE = """\
office-visit:
  about: A visit in the office.
  of: [line, history]
  means: {procedure: {any: ["99213", "99214"]}}
"""


def folder_with(tmp_path: Path, definitions: str, when: str = "when: {definition: office-visit}") -> Path:
    folder = rule_folder(tmp_path, with_lines(RULE, when=when))
    pack = folder / PACK
    pack.write_text(pack.read_text(encoding="utf-8") + 'grammar: "2"\n', encoding="utf-8")
    put(folder, FILE, definitions)
    return folder


def test_a_definition_stands_for_its_conditions(tmp_path: Path) -> None:
    [rule] = load_rulebook(folder_with(tmp_path, OFFICE)).rules.values()
    assert in_one_line(rule.when, KINDS["line"].fields) == "all of (procedure any [99213, 99214])"


def test_it_means_the_same_of_an_item(tmp_path: Path) -> None:
    used = load_rulebook(folder_with(tmp_path / "1", OFFICE, "when: {some-history: {definition: office-visit}}"))
    spelled = "when: {some-history: {procedure: {any: ['99213', '99214']}}}"
    written = load_rulebook(folder_with(tmp_path / "2", OFFICE, spelled))
    [one], [two] = used.rules.values(), written.rules.values()
    assert one.when.question.group.where[0].parts == two.when.question.group.where  # type: ignore[union-attr]


def test_what_it_says_is_part_of_the_digest(tmp_path: Path) -> None:
    before = load_rulebook(folder_with(tmp_path / "1", OFFICE)).digest
    assert load_rulebook(folder_with(tmp_path / "2", OFFICE.replace("99214", "99215"))).digest != before


OF_ITSELF = OFFICE.replace("{procedure", "{definition: office-visit, procedure")


@pytest.mark.parametrize(
    ("definitions", "when", "file", "line", "said"),
    [
        pytest.param(OFFICE, "when: {definition: ofice-visit}", None, None, "`office-visit` was meant", id="misspelt"),
        pytest.param(OFFICE.replace("procedure:", "proceduer:"), None, FILE, 4, "`proceduer`", id="no such fact"),
        pytest.param(OFFICE.replace("[line, history]", "[lines]"), None, FILE, 3, "Must be one of", id="of nothing"),
        pytest.param(OF_ITSELF, None, FILE, 4, "names itself", id="itself"
        ),
        pytest.param(OFFICE.replace("office-visit:", "Office visit:"), None, FILE, 1, "is no name", id="no name"),
        pytest.param("office-visit: 99213\n", None, FILE, 1, "must be a mapping", id="no mapping"),
        pytest.param("[office-visit]\n", None, FILE, 1, "must be a mapping", id="a list"),
    ],
)  # fmt: skip
def test_a_wrong_definition(
    tmp_path: Path, definitions: str, when: str | None, file: str | None, line: int | None, said: str
) -> None:
    with pytest.raises(Faults) as raised:
        load_rulebook(folder_with(tmp_path, definitions, when or "when: {fact: units, over: 1}"))
    [fault] = [each for each in raised.value.faults if file is None or each.file == file]
    assert said in fault.message
    assert line is None or fault.line == line


def test_two_definitions_that_name_each_other(tmp_path: Path) -> None:
    other = OFFICE.replace("office-visit:", "a-visit:").replace("{procedure", "{definition: office-visit, procedure")
    both = OFFICE.replace("{procedure", "{definition: a-visit, procedure") + other
    with pytest.raises(Faults, match="names itself"):
        load_rulebook(folder_with(tmp_path, both, "when: {fact: units, over: 1}"))


def test_two_packs_that_define_one_name(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, OFFICE)
    put(folder, "second/pack.yaml", "name: second\ntitle: Second\nabout: Second.\nadoption: everyone\n")
    put(folder, "second/definitions.yaml", OFFICE)
    with pytest.raises(Faults, match=r"is defined in sample/definitions\.yaml too"):
        load_rulebook(folder)

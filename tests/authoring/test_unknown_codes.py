"""Codes in authors' tables and lists that no loaded release has are warnings of lint, and of nothing else."""

from __future__ import annotations

from pathlib import Path

from scrubber.authoring.unknown_codes import unknown_codes
from scrubber.reference import Reference, open_reference
from scrubber.reference.typed_tables import MemoryBackend, read_contents
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from tests.support.own_tables import folder_with
from tests.support.rule_folders import LISTS, put

TABLES = """\
own.csv:
  about: Sample.
  keys: {code: {type: procedure, through: last}, place: place}
  columns: {diagnoses: {type: diagnosis, list: yes}, modifier: modifier, note: text}
  source: sample
"""
ROWS = """\
code,last,place,diagnoses,modifier,note
77080,,11,M810,26,99998
99998,,11,,,
77080,,98,,,
77081,,,M810 Z9999,Z9,
00001,99999,,,,
"""


def book(path: Path) -> Rulebook:
    """A rulebook with the table above and a list with a code that does not exist."""
    folder = folder_with(path, TABLES, {"own.csv": ROWS})
    text = (folder / "sample/pack.yaml").read_text(encoding="utf-8")
    put(folder, "sample/pack.yaml", text + "lists: {tbs: procedures, notes: text}\n")
    put(folder, "sample/tables/lists.csv", LISTS + "tbs,99997,,,,sample\nnotes,99996,,,,sample\n")
    return load_rulebook(folder)


def loaded() -> Reference:
    """The starter tables as if they had been loaded from the files of the publishers."""
    tables, releases = read_contents(None)
    return Reference(MemoryBackend(tables, [each._replace(starter=False) for each in releases]))


def test_codes_that_no_release_has_are_told_with_file_line_and_column(tmp_path: Path) -> None:
    found = [(fault.file, fault.line, fault.message.partition(" on any day")[0])
             for fault in unknown_codes(book(tmp_path), loaded())]  # fmt: skip
    assert sorted(found) == [
        ("sample/tables/lists.csv", 3, "code: no loaded release has the code `99997`"),
        ("sample/tables/own.csv", 3, "code: no loaded release has the code `99998`"),
        ("sample/tables/own.csv", 4, "place: no loaded release has the code `98`"),
        ("sample/tables/own.csv", 5, "diagnoses: no loaded release has the code `Z9999`"),
        ("sample/tables/own.csv", 5, "modifier: no loaded release has the code `Z9`"),
    ]


def test_the_starter_tables_have_too_few_codes_to_say_so(tmp_path: Path) -> None:
    assert list(unknown_codes(book(tmp_path), open_reference(None))) == []

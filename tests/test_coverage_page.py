"""docs/coverage.md: each rule and table that it names exists, and every row says what carries it or what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scrubber.reference.load.formats import KINDS
from scrubber.scrub import Scrubber
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "coverage.md"
WITHOUT = re.compile(r"(no rule yet|not judged: .+)\Z")


class Row(NamedTuple):
    """A row of a table: what is checked, and by what."""

    section: str
    edit: str
    carried_by: str

    def names(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.carried_by)


def rows() -> Iterator[Row]:
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("|") and not line.startswith(("| edit |", "| --- |")):
            edit, carried_by = (cell.strip() for cell in line.strip("|").split("|"))
            yield Row(section, edit, carried_by)


def test_every_name_is_a_rule_or_a_table(shipped: Scrubber) -> None:
    known = {*shipped.rulebook.rules, *KINDS}
    unknown = {
        name
        for row in rows()
        for name in row.names()
        if name not in known and not (name.endswith(".csv") and (ROOT / "rules" / name).is_file())
    }
    assert unknown == set()


def test_every_row_names_a_rule_or_says_what_is_missing() -> None:
    assert [row for row in rows() if not row.names() and not WITHOUT.match(row.carried_by)] == []


def test_no_edit_stands_twice_in_a_section() -> None:
    edits = [(row.section, row.edit) for row in rows()]
    assert len(edits) == len(set(edits))

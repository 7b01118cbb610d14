"""Documentation that a family declares is read with its type, and what is not there is absent, unsaid or unreadable."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.facts.documentation import Documents, document_value
from scrubber.facts.stated_values import time
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import Body, office_claim
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

FAMILY = """\
# yaml-language-server: $schema=../../family.schema.json
family: sample-record
title: A record
codes: ["99213"]
elements:
  start: {type: time, about: when it began}
  loss: {type: number, about: milliliters}
  length: {type: minutes, about: minutes}
  seen: {type: day, about: a day}
  kind: {type: word, words: [General, regional], about: what kind}
  note: {type: text, about: a note, absent: [n/a]}
  consent: {type: yes-no, about: there is a consent}
  signedBy: {type: signature, about: the record}
  drug.dose: {type: number, about: dose}
  pieces.minutes: {type: minutes, about: of a piece, several: yes}
  pieces.kind: {type: word, words: [a, b], about: of a piece, several: yes}
  pieces.day: {type: day, about: of a piece, several: yes}
  segments: {type: text, about: segments, several: yes}
"""
DAY = date(2024, 8, 14).toordinal()
ABSENT, UNSAID, UNREADABLE = "absent", "not-supplied", "unreadable"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rules")
    rule_folder(made)
    put(made, "sample/families/sample-record.yaml", FAMILY)
    return made


@pytest.fixture(scope="module")
def book(folder: Path) -> Rulebook:
    return load_rulebook(folder)


def documented(*blocks: dict[str, Any]) -> Body:
    return office_claim() | {"scrubContext": {"documentation": [*blocks], "receivedOn": "20260320"}}


def value(book: Rulebook, name: str, *blocks: dict[str, Any]) -> Any:
    """The value of an element for line 1 where these blocks were sent, or its state."""
    documents = Documents(read_v3(documented(*({"elements": each} for each in blocks))), book.documentation_elements)
    found = document_value(documents.line(1), name, book)
    return found.value if found.state is None else found.state


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("start", "202408140835", DAY * 1440 + 515),
        ("start", "2024-08-14T08:35", DAY * 1440 + 515),
        ("start", "202408142400", (DAY + 1) * 1440),
        ("start", "202408140860", UNREADABLE),
        ("start", "20240814", UNREADABLE),
        ("loss", "350.5", 350_500_000),
        ("loss", 350.5, 350_500_000),
        ("loss", "350 ml", 350_000_000),
        ("loss", "350 or 400", UNREADABLE),
        ("loss", "little", UNREADABLE),
        ("length", "38", 38),
        ("length", 38, 38),
        ("length", "38 minutes", 38),
        ("length", "38.5", UNREADABLE),
        ("length", "-5", UNREADABLE),
        ("seen", "20240814", DAY),
        ("seen", "2024-08-14", DAY),
        ("seen", "20240230", UNREADABLE),
        ("kind", "general", "General"),
        ("kind", "REGIONAL", "regional"),
        ("kind", "spinal", UNREADABLE),
        ("note", "well", "well"),
        ("note", "N/A.", ABSENT),
        ("note", "", ABSENT),
        ("note", {"a": "b"}, UNREADABLE),
        ("note", "given", "given"),
        ("consent", True, True),
        ("consent", "no", False),
        ("consent", "perhaps", UNREADABLE),
        ("signedBy", {"name": "Pat Placeholder"}, True),
        ("signedBy", {"npi": "1987654328"}, True),
        ("signedBy", {"name": None}, ABSENT),
        ("signedBy", None, ABSENT),
        ("segments", ["L1", "L2", ""], ("L1", "L2")),
        ("segments", "L1", ("L1",)),
        ("segments", [], ABSENT),
        ("segments", ["L1", "x" * 20_000], UNREADABLE),
    ],
)
def test_elements_are_read_as_their_type_says(book: Rulebook, name: str, sent: Any, read: Any) -> None:
    assert value(book, name, {name: sent}) == read


@pytest.mark.parametrize("name", ["start", "loss", "length", "seen", "kind", "note", "consent", "signedBy", "segments"])
def test_what_is_left_out_is_not_supplied_and_what_is_empty_is_absent(book: Rulebook, name: str) -> None:
    assert value(book, name) == UNSAID
    assert value(book, name, {"other": "1"}) == UNSAID
    assert value(book, name, {name: None}) == ABSENT


def test_elements_of_an_object_are_absent_where_it_is(book: Rulebook) -> None:
    assert value(book, "drug.dose", {"drug": {"dose": "2.5"}}) == 2_500_000
    assert value(book, "drug.dose", {"drug": None}) == ABSENT
    assert value(book, "drug.dose", {"drug": {"name": "x"}}) == UNSAID
    assert value(book, "signedBy.date", {"signedBy": {"date": "20240814"}}) == DAY


def test_numbers_in_a_list_are_added_up_and_other_values_are_all_there(book: Rulebook) -> None:
    pieces = [{"minutes": "15", "kind": "A", "day": "20240814"}, {"minutes": 23, "kind": "b"}, {"minutes": ""}]
    assert value(book, "pieces.minutes", {"pieces": pieces}) == 38
    assert value(book, "pieces.kind", {"pieces": pieces}) == ("a", "b")
    assert value(book, "pieces.day", {"pieces": pieces}) == ("2024-08-14",)
    assert value(book, "pieces.minutes", {"pieces": [*pieces, {"minutes": "long"}]}) == UNREADABLE
    assert value(book, "pieces.minutes", {"pieces": {"minutes": "15"}}) == 15
    assert value(book, "pieces.minutes", {"pieces": None}) == ABSENT
    assert value(book, "pieces.minutes", {"pieces": [{"kind": "a"}]}) == UNSAID


def test_several_blocks_for_one_line_merge_and_the_later_one_wins(book: Rulebook) -> None:
    assert value(book, "length", {"length": "10"}, {"loss": "1"}) == 10
    assert value(book, "length", {"length": "10"}, {"length": "20"}) == 20


def test_a_name_that_no_family_declares_is_not_supplied(book: Rulebook) -> None:
    assert value(book, "undeclared", {"undeclared": "1"}) == UNSAID


@pytest.mark.parametrize(
    ("name", "conflicts"), [("length", {1, 2, 3, 4}), ("undeclared", set()), ("tScore", {1, 2, 3, 4})]
)
def test_blocks_that_contradict_each_other_do_so_under_known_names(
    book: Rulebook, name: str, conflicts: set[int]
) -> None:
    blocks = [{"elements": {name: "1"}}, {"elements": {name: "2"}}]
    assert Documents(read_v3(documented(*blocks)), book.documentation_elements).conflicts == conflicts


def unmapped(scrubber: Scrubber, **elements: Any) -> tuple[str, ...]:
    claim = read_v3(documented({"elements": elements}))
    return scrubber.scrub(claim, date(2026, 3, 20)).unmapped


def test_what_a_family_declares_was_read_and_all_else_was_not(folder: Path) -> None:
    scrubber, at = open_scrubber(folder, None), "/scrubContext/documentation/0/elements"
    assert unmapped(scrubber, length="10", tbsValue="1.2", signedBy={"name": "Pat"}) == ()
    assert unmapped(scrubber, length="10", other="1") == (f"{at}/other",)
    assert unmapped(scrubber, pieces=[{"minutes": "1", "room": "2"}, {"room": "3"}]) == (
        f"{at}/pieces/0/room",
        f"{at}/pieces/1/room",
    )
    assert unmapped(scrubber, room={"number": "1"}) == (f"{at}/room",)


def test_a_declared_name_is_no_misspelling_of_a_similar_one(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    claim = read_v3(documented({"elements": {"tScores": "1.2"}}))
    assert [name.known_name for name in claim.resembling] == ["tScore"]
    put(tmp_path, "sample/families/sample-record.yaml", FAMILY.replace("  loss:", "  tScores:"))
    result = open_scrubber(tmp_path, None).scrub(claim, date(2026, 3, 20))
    assert result.unmapped == ()
    assert not any("tScore" in finding.message for finding in result.findings)


def test_a_clock_time_after_midnight_is_later_than_one_before() -> None:
    late, early = time("202408142340"), time("202408150115")
    assert late is not None
    assert early is not None
    assert early - late == 95


def test_a_rule_reads_what_the_family_declares(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    put(tmp_path, "sample/families/sample-record.yaml", FAMILY)
    put(tmp_path, "sample/pack.yaml", (tmp_path / "sample/pack.yaml").read_text() + "grammar: 2\n")
    rule = with_lines(
        RULE,
        id="id: reads",
        title="title: It took over ten minutes",
        scope="scope: line",
        applies="applies: {}",
        when="when: {fact: document.length, over: 10}",
        message='message: "It took over ten minutes."',
    )
    put(tmp_path, "sample/family/reads.yaml", rule)
    scrubber = open_scrubber(tmp_path, None)

    def asked(**elements: Any) -> tuple[int, int]:
        """How many findings the rule has on the first line, and how often it was not checked there."""
        claim = read_v3(documented({"lines": [1], "elements": elements}))
        result = scrubber.scrub(claim, date(2026, 3, 20))
        findings = [row for row in result.findings if row.rule.id == "reads" and row.lines == (1,)]
        unchecked = [row for row in result.not_checked if row.rule.id == "reads" and row.lines == (1,)]
        return len(findings), len(unchecked)

    assert asked(length="11") == (1, 0)
    assert asked(length="10") == (0, 0)
    assert asked(length=None) == (0, 0)
    assert asked(length="long") == (0, 1)
    assert asked() == (0, 1)

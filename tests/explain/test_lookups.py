"""Look-ups that explanations list: they were made, and those that a finding rests on are among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import pytest

from scrubber.authoring.run_tests import all_cases, prepare_case
from scrubber.claim.model import Claim
from scrubber.explain import Asked, explain
from scrubber.explain.context import cells
from scrubber.explain.model import FIRED, IN_SHADOW, LookupExplained, RuleExplained
from scrubber.reference import Reference
from scrubber.reference.releases import Pair, Release, Windows
from scrubber.reference.tables import PTP, R, Table
from scrubber.rulebook.rule import InList, leaves
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Scrubber, read_facts, scrub
from tests.conftest import ROOT

RULES = ROOT / "rules"
# Tables that say who pays, and whether the payer applies a pack: an explanation has a place of its own for them.
OF_PAYER = frozenset(("aliases", "filing-indicators", "plans", "adoptions", "zip-locality", "contractors", "policies"))

BESIDE_RULES = ("limits", "diagnosis-lists", "frequencies", "software-vendors", "needed-elements")


class Fired(NamedTuple):
    """A claim on which a rule fires, with the rules and tables of its test case."""

    rule: str
    claim: Claim
    scrubber: Scrubber
    received_on: date


class Spy:
    """See Backend: that of a reference, noting every row that it gives out; `without` gives out none of a table."""

    def __init__(self, reference: Reference, without: str | None = None) -> None:
        self._backend = reference.backend
        self._without = without
        self.rows_read: dict[str, list[Any]] = {}

    def rows(self, table: Table[R], part: str, key: str) -> tuple[R, ...]:
        """See Backend."""
        rows = self._backend.rows(table, part, key) if table.name != self._without else ()
        self.rows_read.setdefault(table.name, []).extend(rows)
        return rows

    def ptp_among(self, part: str, codes: frozenset[str]) -> Mapping[Pair, Windows]:
        """See Backend."""
        found = self._backend.ptp_among(part, codes) if self._without != PTP.name else {}
        self.rows_read.setdefault(PTP.name, []).extend(row for rows in found.values() for row in rows)
        return found

    def releases(self) -> tuple[Release, ...]:
        """See Backend."""
        return self._backend.releases()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@pytest.fixture(scope="module")
def fired(shipped: Scrubber) -> list[Fired]:
    """Of each rule that runs the first test case in which it fires."""
    found: dict[str, Fired] = {}
    for case in all_cases(RULES, shipped.rulebook):
        if case.finds and case.rule not in found:
            ready = prepare_case(case, shipped, RULES)
            found[case.rule] = Fired(case.rule, ready.claim, ready.scrubber, ready.received_on)
    assert len(found) > 150
    return list(found.values())


def explained(each: Fired) -> RuleExplained:
    (told,) = explain(each.scrubber, each.claim, each.received_on, Asked((each.rule,))).rules
    return told


def listed(told: RuleExplained) -> Iterator[LookupExplained]:
    for fact in told.facts:
        if fact.outcome in (FIRED, IN_SHADOW):
            yield from fact.lookups


def test_every_row_of_a_reference_table_that_is_listed_was_read_to_make_the_facts(fired: list[Fired]) -> None:
    checked = 0
    for each in fired:
        scrubber = each.scrubber
        spy = Spy(scrubber.reference)
        read_facts(each.claim, scrubber.rulebook, Reference(spy), each.received_on, scrubber.stale_after)
        for lookup in listed(explained(each)):
            if lookup.release is not None and lookup.row:
                read = [cells(row) for row in spy.rows_read[lookup.table]]
                assert any(lookup.row.items() <= row.items() for row in read), (each.rule, lookup)
                checked += 1
    assert checked > 50


class ListSpy:
    """In place of the lists of codes of a rulebook: notes which codes are looked up in which lists."""

    def __init__(self, book: Rulebook) -> None:
        self._lists = book.lists
        self.asked: set[tuple[str, str | None]] = set()

    def contains(self, name: str, code: str, day: int) -> bool:
        self.asked.add((name, code))
        return self._lists.contains(name, code, day)

    def may_contain(self, name: str, code: str) -> bool:
        self.asked.add((name, code))
        return self._lists.may_contain(name, code)

    def on(self, name: str, day: int) -> Any:
        self.asked.add((name, None))
        return self._lists.on(name, day)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lists, name)


@lru_cache(64)  # the rules of a pack often run on one rulebook: it is changed once for all of them
def book_without(book: Rulebook, kind: str | None = None, code_list: str | None = None) -> Rulebook:
    """The rulebook with no rows of a kind of table, or of one list of codes."""
    rows = dict(book.rows)
    if kind is not None:
        rows[kind] = ()
    if code_list is not None:
        rows["code-lists"] = tuple(row for row in rows["code-lists"] if row.list != code_list)
    return book.with_others(rows=rows)


def test_every_code_that_is_listed_with_a_list_was_looked_up_in_it(fired: list[Fired]) -> None:
    checked = 0
    for each in fired:
        scrubber = each.scrubber
        book = scrubber.rulebook.with_others()
        spy = ListSpy(book)
        book.lists = spy  # type: ignore[assignment]
        read_facts(each.claim, book, scrubber.reference, each.received_on, scrubber.stale_after)
        rule = scrubber.rulebook.rules[each.rule]
        by_rule = {leaf.list for tree in (rule.applies, rule.when) for leaf in leaves(tree) if isinstance(leaf, InList)}
        asked = {name for name, _ in spy.asked}
        for lookup in listed(explained(each)):
            if lookup.table == "code-lists" and lookup.row and lookup.row["list"] not in by_rule:
                assert lookup.row["list"] in asked, (each.rule, lookup)
                checked += 1
    assert checked > 5


@lru_cache(64)
def reference_without(reference: Reference, table: str) -> Reference:
    return Reference(Spy(reference, without=table))


def finds(each: Fired, book: Rulebook, reference: Reference) -> bool:
    """Whether the rule still fires on the claim, its facts made with other tables."""
    scrubber = each.scrubber
    result = scrub(each.claim, book, reference, scrubber.engine, each.received_on, stale_after=scrubber.stale_after)
    return any(finding.rule.id == each.rule for finding in (*result.findings, *result.shadow))


def test_every_table_without_which_a_rule_would_not_fire_is_listed(fired: list[Fired]) -> None:
    named, needed = {}, {}
    for each in fired:
        scrubber = each.scrubber
        book, reference = scrubber.rulebook, scrubber.reference
        spy = Spy(reference)
        read_facts(each.claim, book, Reference(spy), each.received_on, scrubber.stale_after)
        read = {table for table, rows in spy.rows_read.items() if rows and table not in OF_PAYER}
        needed[each.rule] = {table for table in read if not finds(each, book, reference_without(reference, table))}
        named[each.rule] = tables_of(explained(each))
    for kind in BESIDE_RULES:  # one after the other: what is remembered of a rulebook serves many rules
        for each in fired:
            if not finds(each, book_without(each.scrubber.rulebook, kind), each.scrubber.reference):
                needed[each.rule].add(kind)
    assert [(rule, table) for rule, tables in needed.items() for table in tables - named[rule]] == []
    assert sum(map(len, needed.values())) > 60


def tables_of(told: RuleExplained) -> frozenset[str]:
    return frozenset(lookup.table for lookup in listed(told))

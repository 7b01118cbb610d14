"""Holds the outcomes of random rules on random claims against those of the naive evaluator, through the real path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.engine import PlainEngine
from scrubber.engine.program import Engine, EngineFact
from scrubber.facts.fact import Fact
from scrubber.facts.gather import first_day
from scrubber.facts.on_request import add_line_fields
from scrubber.facts.payer import identify_payer
from scrubber.facts.service_lines import line_views
from scrubber.findings.finding import UNREADABLE, ScrubResult
from scrubber.findings.judge import rule_tests
from scrubber.pricing import price_lines
from scrubber.reference import open_reference
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.vocabulary import KINDS
from scrubber.scrub import Scrubber, assemble
from tests.relations.naive import Naive, Table
from tests.relations.random_claims import RandomClaims
from tests.relations.random_rules import LISTS, RandomRules, random_tables, write_pack
from tests.support.rule_folders import FILING, PAYERS, put

RECEIVED = date(2025, 7, 5)
# The fields of lines that are made on request, each with the element that it is made from.
ON_REQUEST = {name: each.made_from for name, each in KINDS["line"].fields.items() if each.made_from}
RULES_OF_A_BOOK = 100
BUSINESSES = FILING + "CI,commercial,,,sample\n"


class Difference(NamedTuple):
    """A rule on a line (None: on the claim) of which the two have different outcomes."""

    rule: Mapping[str, Any]
    line: int | None
    body: Mapping[str, Any]
    naive: str
    product: str


@dataclass
class Book:
    """A rulebook of random rules, as they were written and as they were loaded."""

    rules: list[dict[str, Any]]
    tables: Mapping[str, Table]
    scrubber: Scrubber


def random_book(seed: int, folder: Path, count: int = RULES_OF_A_BOOK) -> Book:
    """A rulebook of random rules, written into a folder and loaded from it."""
    random = Random(seed)
    tables, writer = random_tables(random), RandomRules(random)
    rules = [writer.rule() for _ in range(count)]
    put(folder, "payers/pack.yaml", PAYERS)
    put(folder, "payers/tables/filing-indicators.csv", BUSINESSES)
    write_pack(folder, rules, tables)
    return Book(rules, tables, assemble(load_rulebook(folder), open_reference(None)))


def random_claims(seed: int, count: int) -> list[tuple[Mapping[str, Any], Claim]]:
    """Random bodies, each with the claim that is read from it."""
    writer = RandomClaims(Random(seed))
    bodies = [writer.body() for _ in range(count)]
    return [(body, read_v3(body)) for body in bodies]


@dataclass
class BothEngines:
    """An engine that asks durable_rules and the plain evaluator, which have to agree, and keeps the facts."""

    fast: Engine
    plain: Engine
    facts: Sequence[Fact] = ()

    def match(self, facts: Sequence[EngineFact]) -> list[tuple[int, int]]:
        """As an engine does."""
        found = list(self.fast.match(facts))
        assert found == list(self.plain.match(facts)), "the engines differ"
        self.facts = [fact for fact in facts if isinstance(fact, Fact)]
        return found


def naive_claim(claim: Claim, facts: Sequence[Fact], book: Book) -> Naive:
    """The naive evaluator on a claim."""

    def prices() -> dict[int, tuple[Decimal | None, Decimal | None]]:
        rulebook, reference = book.scrubber.rulebook, book.scrubber.reference
        payer = identify_payer(claim, first_day(claim, RECEIVED), rulebook, reference)
        found = price_lines(claim, line_views(claim, payer, reference), rulebook, reference)
        return {number: (price.allowed, price.unit_fee) for number, price in found.items()}

    return Naive(claim, with_every_field(claim, facts, book), book.tables, LISTS, prices)


def with_every_field(claim: Claim, facts: Sequence[Fact], book: Book) -> list[Fact]:
    """The facts of lines with the fields that are made on request, whether or not they were requested."""
    rulebook, reference = book.scrubber.rulebook, book.scrubber.reference
    views = line_views(claim, identify_payer(claim, first_day(claim, RECEIVED), rulebook, reference), reference)
    whole = []
    for fact in facts:
        if fact.kind == "line":
            bare = {name: value for name, value in fact.values.items() if name.removesuffix("?") not in ON_REQUEST}
            view = views[fact.lines[0] - 1]
            add_line_fields(bare, ON_REQUEST, claim, view, RECEIVED, rulebook.lists)
            whole.append(Fact("line", bare, fact.lines))
        elif fact.kind == "claim":
            whole.append(fact)
    return whole


def product_outcomes(result: ScrubResult) -> dict[tuple[str, int | None], str]:
    """The outcomes of rules in an answer that are not silent, by rule and line."""
    found: dict[tuple[str, int | None], str] = {}
    for each in result.not_checked:
        if each.why != UNREADABLE:  # those are told by the element of the line, whatever the rule asks
            found[each.rule.id, each.lines[0] if each.lines else None] = "not checked"
    for finding in result.findings:
        found[finding.rule.id, finding.lines[0] if finding.lines else None] = "fires"
    return found


def differences(book: Book, claims: list[tuple[Mapping[str, Any], Claim]]) -> Iterator[Difference]:
    """Every difference between the product and the naive evaluator; the two engines have to agree."""
    scrubber = book.scrubber
    tests, lists = rule_tests(scrubber.rulebook.running), scrubber.rulebook.lists
    engine = BothEngines(scrubber.engine, PlainEngine(tests, lists))
    for body, claim in claims:
        got = product_outcomes(replace(scrubber, engine=engine).scrub(claim, RECEIVED))
        naive = naive_claim(claim, engine.facts, book)
        for number, rule in enumerate(book.rules):
            for line in [None] if rule["scope"] == "claim" else range(1, len(claim.lines) + 1):
                wanted = naive.outcome(rule, line)
                had = got.get((f"random-{number:04}", line), "silent")
                if wanted != had:
                    yield Difference(rule, line, body, wanted, had)

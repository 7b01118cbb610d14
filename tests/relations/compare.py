"""Holds the outcomes of random rules on random claims against those of the naive evaluator, through the real path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from scrubber.claim import read_v3
from scrubber.claim.model import Claim
from scrubber.engine import PlainEngine
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact
from scrubber.facts.gather import first_day, gather_facts, tables_for
from scrubber.facts.notices import Notices
from scrubber.facts.payer import identify_payer
from scrubber.facts.service_lines import line_views
from scrubber.findings.finding import UNREADABLE, ScrubResult
from scrubber.findings.judge import rule_tests
from scrubber.pricing import price_lines
from scrubber.reference import Reference, open_reference
from scrubber.response.claim import to_bytes
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rulebook import Rulebook
from scrubber.scrub import Scrubber, assemble
from tests.relations.naive import Naive, Table
from tests.relations.random_claims import RandomClaims
from tests.relations.random_rules import LISTS, RandomRules, random_tables, write_pack
from tests.support.rule_folders import FILING, PAYERS, put

RECEIVED = date(2025, 7, 5)
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


def naive_claim(claim: Claim, book: Book) -> Naive:
    """The naive evaluator on a claim, over the facts as they are before any question is answered."""
    rulebook, reference = book.scrubber.rulebook, book.scrubber.reference
    facts = facts_alone(claim, rulebook, reference)
    payer = identify_payer(claim, first_day(claim, RECEIVED), rulebook, reference)
    prices = price_lines(claim, line_views(claim, payer, reference), rulebook, reference)
    by_line = {number: (price.allowed, price.unit_fee) for number, price in prices.items()}
    return Naive(claim, facts, book.tables, LISTS, by_line)


def facts_alone(claim: Claim, rulebook: Rulebook, reference: Reference) -> list[Fact]:
    """The facts of a claim without the answers to questions of rules."""
    payer = identify_payer(claim, first_day(claim, RECEIVED), rulebook, reference)
    views = line_views(claim, payer, reference)
    return list(
        gather_facts(
            claim, payer, views, Notices(claim, rulebook), Exclusions(views, rulebook.lists),
            tables_for(payer, rulebook, reference), RECEIVED,
        )
    )  # fmt: skip


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
    """Every difference between the product and the naive evaluator, and between the two engines."""
    scrubber = book.scrubber
    plain = replace(scrubber, engine=PlainEngine(rule_tests(scrubber.rulebook.running), scrubber.rulebook.lists))
    for body, claim in claims:
        result = scrubber.scrub(claim, RECEIVED)
        assert to_bytes(result) == to_bytes(plain.scrub(claim, RECEIVED)), "the engines differ"
        got, naive = product_outcomes(result), naive_claim(claim, book)
        for number, rule in enumerate(book.rules):
            for line in [None] if rule["scope"] == "claim" else range(1, len(claim.lines) + 1):
                wanted = naive.outcome(rule, line)
                had = got.get((f"random-{number:04}", line), "silent")
                if wanted != had:
                    yield Difference(rule, line, body, wanted, had)

"""Beside the path: tries every small change of a rule on its test cases, and tells those that no case notices.

A case is scrubbed once, and what was known of its claim is kept; a changed rule is then judged on that. This is exact:
facts are made of claim, tables and reference data, and of rules only as `facts/interest.py` says, which reads `applies`
of rules of documents and pairs: where that changes, the case is scrubbed anew. Every other rule finds what it found.
Money is worked out again over all findings, since who bears a line's loss depends on each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scrubber.engine.plain import PlainEngine
from scrubber.errors import NotAClaim
from scrubber.facts.fact import Fact
from scrubber.findings import AS_WRITTEN, Finding
from scrubber.findings.judge import in_order, judge, rule_tests
from scrubber.findings.unchecked import all_unchecked
from scrubber.money import add_impacts, price_lines
from scrubber.money.impact import Prices
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.cases import Case
from scrubber.rulebook.firing import means_the_same
from scrubber.rulebook.outline import outline
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import read_yaml
from scrubber.scrub import Known, Scrubber, conclude, read_facts
from scrubber.workshop.claims import CaseNotMade
from scrubber.workshop.mutants import Mutant, mutants
from scrubber.workshop.testing import SetUp, all_cases, differences, set_up

ASKED_FOR = frozenset(("document", "pair", "visit"))  # kinds of facts that are made only where a rule asks for them


class Mutation(NamedTuple):
    """What became of the small changes of one rule. `failing`: cases that fail as it is; then nothing was tried.

    `survived` are those that no case noticed and that some claim might; `same` counts those that no claim can show.
    """

    rule: Rule
    tried: int
    survived: tuple[Mutant, ...]
    same: int
    failing: tuple[str, ...]


class Recorded(NamedTuple):
    """A case and all that is known of its claim, whatever its rule says."""

    case: Case
    ready: SetUp
    known: Known
    facts: Sequence[Fact]  # of the rule's scope
    others: tuple[Finding, ...]  # what other rules found
    prices: Prices


def mutate(scrubber: Scrubber, folder: Path, ids: Collection[str] | None = None) -> Iterator[Mutation]:
    """Tries the changes of the rules `ids` (None: of all) in a folder that `scrubber` was opened on, by id.

    Raises Faults as `run_tests` does.
    """
    book = scrubber.rulebook
    by_rule = {name: tuple(cases) for name, cases in groupby(all_cases(folder, book, ids), lambda case: case.rule)}
    for name in sorted(book.rules if ids is None else set(ids)):
        yield _mutate_rule(book.rules[name], by_rule.get(name, ()), scrubber, folder)


def _mutate_rule(rule: Rule, cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> Mutation:
    recorded, failing = _record_all(cases, scrubber, folder)
    if failing:
        return Mutation(rule, 0, (), 0, failing)
    document = read_yaml(folder / rule.file, rule.file)
    tried = list(mutants(outline(rule, document), document))
    unnoticed = [mutant for mutant in tried if not any(notices(each, mutant.rule, rule) for each in recorded)]
    survived = tuple(mutant for mutant in unnoticed if not _cannot_show(mutant.rule, rule, scrubber.rulebook))
    return Mutation(rule, len(tried), survived, len(unnoticed) - len(survived), ())


def _record_all(cases: Sequence[Case], scrubber: Scrubber, folder: Path) -> tuple[list[Recorded], tuple[str, ...]]:
    """Every case, and the names of those that fail."""
    recorded, failing = [], []
    for case in cases:
        try:
            recorded.append(record(case, set_up(case, scrubber, folder)))
        except (CaseNotMade, NotAClaim):
            failing.append(case.name)
    failing += [each.case.name for each in recorded if notices(each, _tested(each), _tested(each))]
    return recorded, tuple(failing)


def _tested(recorded: Recorded) -> Rule:
    return recorded.ready.scrubber.rulebook.rules[recorded.case.rule]


def record(case: Case, ready: SetUp) -> Recorded:
    """A case as it ran, with all that is known of its claim."""
    bench, claim, received_on = ready
    known = read_facts(claim, bench.rulebook, bench.reference, received_on)
    matches = bench.engine.match(known.facts)
    result = conclude(claim, known, matches, bench.rulebook, bench.reference, received_on)
    scope = bench.rulebook.rules[case.rule].scope
    return Recorded(
        case,
        ready,
        known,
        [fact for fact in known.facts if fact.kind == scope],
        tuple(finding for finding in result.findings if finding.rule.id != case.rule),
        price_lines(claim, known.views, bench.rulebook, bench.reference),
    )


def notices(recorded: Recorded, changed: Rule, rule: Rule) -> bool:
    """Whether the case comes out otherwise than it says when the rule is `changed`."""
    tested = replace(changed, status="active")
    if rule.scope in ASKED_FOR and changed.applies != rule.applies:
        return _notices_anew(recorded, tested)
    bench, known = recorded.ready.scrubber.rulebook, recorded.known
    alone = Rulebook({tested.id: tested}, bench.packs, bench.rows, bench.digest)
    matches = PlainEngine(rule_tests(alone.running), alone.lists).match(recorded.facts)
    claim = recorded.ready.claim
    reference = recorded.ready.scrubber.reference
    judged = judge(matches, recorded.facts, claim, known.payer, known.day, alone, reference, AS_WRITTEN)
    unchecked = all_unchecked(
        judged.unchecked, judged.findings, known.views, known.payer, known.day, alone, reference, AS_WRITTEN
    )
    every = in_order((*judged.findings, *recorded.others))
    priced, _ = add_impacts(every, recorded.prices, recorded.known.liabilities)
    return any(differences(recorded.case, priced, unchecked))


def _notices_anew(recorded: Recorded, tested: Rule) -> bool:
    """The same by a whole scrub: other facts may be made for the changed rule."""
    (bench, claim, received_on), old = recorded.ready, recorded.ready.scrubber.rulebook
    book = Rulebook({**old.rules, tested.id: tested}, old.packs, old.rows, old.digest)
    whole = Scrubber(book, bench.reference, PlainEngine(rule_tests(book.running), book.lists))
    result = whole.scrub(claim, received_on)
    return any(differences(recorded.case, result.findings, result.not_checked))


def _cannot_show(changed: Rule, rule: Rule, book: Rulebook) -> bool:
    """Whether the changed rule does the same on every claim, for certain, apart from elements that cannot be read."""
    if changed != replace(rule, applies=changed.applies, when=changed.when, needs=changed.needs):
        return False  # it says the same, and says it of something else
    return means_the_same(rule, changed, book.lists)

"""The whole path of a claim, from the bytes that came in to the bytes of the answer, for everything that scrubs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from scrubber import __version__
from scrubber.claim.formats import read_claim
from scrubber.claim.model import Claim
from scrubber.config import STALE_AFTER
from scrubber.engine import DurableEngine
from scrubber.engine.program import Engine
from scrubber.facts.declared_elements import as_declared, unmapped
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.fact import Fact
from scrubber.facts.gather import first_day, gather_facts, tables_for
from scrubber.facts.medicaid import MEDICAID as MEDICAID_CLAIMS
from scrubber.facts.notices import Notices, liabilities
from scrubber.facts.payer import identify_payer
from scrubber.facts.service_lines import LineView, line_views
from scrubber.findings import (
    NO_SWITCHES,
    ClaimImpact,
    Finding,
    ScrubResult,
    Switches,
    UsedRelease,
    Versions,
    disposition,
)
from scrubber.findings.bounds import limit_findings, unjudged_rules
from scrubber.findings.checks import count_checks, every_check, fired_or_not_checked
from scrubber.findings.identity import with_unique_ids
from scrubber.findings.judge import in_order, judge, rule_tests
from scrubber.findings.misspelled_names import ReadingResult, certain_checks, combine_readings
from scrubber.findings.not_checked import all_unchecked
from scrubber.pricing import add_impacts, add_unpriced_impacts, price_lines
from scrubber.reference import LiveReference, Reference, open_reference
from scrubber.reference.tables import MEDICAID, TABLES, UNUSED_FOR_CLAIMS
from scrubber.reference.typed_tables import TypedTables
from scrubber.relations import answer_questions
from scrubber.relations.surroundings import PricedLine, Surroundings
from scrubber.remembered import forget, remembered
from scrubber.response import DEFAULT_VIEW, VIEWS, View
from scrubber.rulebook.load import load_rulebook
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook

MOST_RUNS_CACHED = 31  # of days, of a claim whose releases a process caches
OWN_VIEW: View = VIEWS[DEFAULT_VIEW]


class Receipt(NamedTuple):
    """When a claim came in: the day `stated` by the caller, else what the claim says, else `otherwise`."""

    otherwise: date
    stated: date | None = None

    def day(self, claim: Claim) -> date:
        """The claim's day of receipt."""
        return self.stated or claim.context.received_on or self.otherwise


class Answered(NamedTuple):
    """A claim that was scrubbed. `content` is the answer as the view writes it."""

    claim: Claim
    result: ScrubResult
    content: bytes


def scrub_bytes(
    data: bytes,
    scrubber: Scrubber,
    receipt: Receipt,
    switches: Switches = NO_SWITCHES,
    view: View = OWN_VIEW,
    read: Callable[[bytes], Claim] = read_claim,
) -> Answered:
    """Bytes in, answer out: the path of each claim of the API, the command line, batches and partitions.

    Raises NotJson, NotX12 and NotAClaim for bytes that are no claim.
    """
    claim = read(data)
    return answer(claim, scrubber, receipt.day(claim), switches, view)


def answer(
    claim: Claim, scrubber: Scrubber, received_on: date, switches: Switches = NO_SWITCHES, view: View = OWN_VIEW
) -> Answered:
    """`scrub_bytes` from the claim on."""
    result = scrubber.scrub(claim, received_on, switches)
    if view.every_check:
        result = scrubber.with_every_check(claim, result)
    return Answered(claim, result, view.write(claim, result))


def scrub(
    claim: Claim,
    rulebook: Rulebook,
    reference: Reference,
    engine: Engine,
    received_on: date,
    switches: Switches = NO_SWITCHES,
    stale_after: int | None = STALE_AFTER,
) -> ScrubResult:
    """Scrubs one claim. Pure: the same arguments give the same result. `engine` was made from `rulebook`.

    A table warns where its last release ended more than `stale_after` days before the dates of service; None: never.
    """
    known = read_facts(claim, rulebook, reference, received_on, stale_after)
    matches = engine.match(known.facts)
    on_corrected = (
        None if claim.corrected is None else read_corrected(claim, rulebook, reference, engine, received_on, switches)
    )
    return conclude(claim, known, matches, rulebook, reference, received_on, switches, stale_after, on_corrected)


class ClaimFacts(NamedTuple):
    """Everything about a claim before any rule runs; `day` is its first date of service.

    `liabilities`: who bears a denial of coverage, by line number, where it is not the provider.
    """

    day: date
    payer: Payer
    views: tuple[LineView, ...]
    liabilities: Mapping[int, str]
    facts: Sequence[Fact]


def read_facts(
    claim: Claim,
    rulebook: Rulebook,
    reference: Reference,
    received_on: date,
    stale_after: int | None = STALE_AFTER,
) -> ClaimFacts:
    """First half of `scrub`: every fact that a running rule could fire on, and what they were made from."""
    claim = as_declared(claim, rulebook)
    day = first_day(claim, received_on)
    payer = identify_payer(claim, day, rulebook, reference)
    views = line_views(claim, payer, reference)
    notices, exclusions = Notices(claim, rulebook), Exclusions(views, rulebook.lists)
    tables = tables_for(payer, rulebook, reference)
    facts = gather_facts(claim, payer, views, notices, exclusions, tables, received_on, stale_after)
    around = surroundings(claim, views, facts, rulebook, reference, received_on)
    answer_questions(facts, around, payer, day, rulebook)
    return ClaimFacts(day, payer, views, liabilities(views, notices, exclusions, rulebook.lists, reference), facts)


def surroundings(
    claim: Claim,
    views: Sequence[LineView],
    facts: Sequence[Fact],
    rulebook: Rulebook,
    reference: Reference,
    received_on: date,
) -> Surroundings:
    """What stands beside the facts of a claim, for the questions of rules about them."""
    prices = partial(_priced, claim, tuple(views), rulebook, reference)
    return Surroundings(claim, views, facts, rulebook, reference, received_on, prices)


def _priced(
    claim: Claim, views: tuple[LineView, ...], rulebook: Rulebook, reference: Reference
) -> tuple[PricedLine, ...]:
    """What each line is priced at, for rules that ask."""
    prices = price_lines(claim, views, rulebook, reference)
    full = prices
    if claim.context.participation == "nonpar":
        participating = structs.replace(claim, context=structs.replace(claim.context, participation="par"))
        full = price_lines(participating, views, rulebook, reference)
    return tuple(
        [
            PricedLine(prices[view.number].allowed, prices[view.number].unit_fee, full[view.number].unit_fee)
            for view in views
        ]
    )


def conclude(
    claim: Claim,
    known: ClaimFacts,
    matches: Iterable[tuple[int, int]],
    rulebook: Rulebook,
    reference: Reference,
    received_on: date,
    switches: Switches = NO_SWITCHES,
    stale_after: int | None = STALE_AFTER,
    on_corrected: ReadingResult | None = None,
) -> ScrubResult:
    """Second half of `scrub`: findings, what was not judged, and dollars. `matches` are the engine's on these facts.

    `on_corrected` is what `read_corrected` gives for a claim with names that are probably misspelled.
    """
    claim = as_declared(claim, rulebook)
    views = known.views
    payer, day = known.payer, known.day
    reading = _judged(claim, known, matches, rulebook, reference, switches)
    if on_corrected is not None:
        reading = combine_readings(reading, on_corrected, sorted({name.known_name for name in claim.resembling}))
    fired, shadow, not_checked = reading
    findings, shadows, impact = _with_dollars(claim, known, fired, shadow, rulebook, reference)
    ends = [] if claim.too_long else [(view.first or view.last, view.last or view.first) for view in views]
    days = {(first, last) for first, last in ends if first and last} or {(day, day)}
    # Claims of different days mostly use the same releases, and then these are looked up once.
    since = reference.unchanged_since
    runs = frozenset([(since(first), since(last)) for first, last in days])
    find = _used_releases if len(runs) <= MOST_RUNS_CACHED else _find_releases
    used = find(runs, _TABLES if payer.line_of_business != MEDICAID_CLAIMS else _TABLES_FOR_MEDICAID, reference)
    return ScrubResult(
        disposition(findings),
        findings,
        not_checked,
        impact,
        claim.normalised,
        unmapped(claim, rulebook),
        Versions(__version__, rulebook.digest, used),
        received_on,
        shadows,
        switches,
        count_checks(fired, known.facts, not_checked, payer, day, rulebook, switches),
        stale_after=stale_after,
        in_x12=claim.position is not None,
    )


def _judged(
    claim: Claim,
    known: ClaimFacts,
    matches: Iterable[tuple[int, int]],
    rulebook: Rulebook,
    reference: Reference,
    switches: Switches,
) -> ReadingResult:
    views, payer, day = known.views, known.payer, known.day
    fired, shadow, unchecked = judge(matches, known.facts, claim, payer, day, rulebook, reference, switches)
    if claim.too_long:
        return ReadingResult(fired, shadow, unjudged_rules(fired, payer, day, rulebook, switches))
    return ReadingResult(
        fired, shadow, all_unchecked(unchecked, fired, views, payer, day, rulebook, reference, switches)
    )


def _with_dollars(
    claim: Claim,
    known: ClaimFacts,
    fired: Sequence[Finding],
    shadow: Sequence[Finding],
    rulebook: Rulebook,
    reference: Reference,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], ClaimImpact]:
    """Findings and shadow findings in their order, with ids and dollars, and the dollars of the claim."""
    findings = limit_findings(with_unique_ids(in_order(fired), claim))
    shadows = limit_findings(with_unique_ids(in_order(shadow), claim))
    if claim.too_long:
        findings, impact = add_unpriced_impacts(findings, claim.total)
        return findings, add_unpriced_impacts(shadows, claim.total)[0], impact
    prices = price_lines(claim, known.views, rulebook, reference)
    findings, impact = add_impacts(findings, prices, known.liabilities)
    return findings, add_impacts(shadows, prices, known.liabilities)[0] if shadows else (), impact


def read_corrected(
    claim: Claim, rulebook: Rulebook, reference: Reference, engine: Engine, received_on: date, switches: Switches
) -> ReadingResult | None:
    """The result of the claim with misspelled names read as the known ones; None where there are none."""
    corrected = as_declared(claim, rulebook).corrected
    if corrected is None:
        return None
    known = read_facts(corrected, rulebook, reference, received_on_corrected(claim, corrected, received_on))
    return _judged(corrected, known, engine.match(known.facts), rulebook, reference, switches)


def received_on_corrected(claim: Claim, corrected: Claim, received_on: date) -> date:
    """The day of receipt of the corrected claim: a misspelled `receivedOn` counts where the first reading has none."""
    return received_on if claim.context.received_on is not None else Receipt(received_on).day(corrected)


def with_every_check(claim: Claim, result: ScrubResult, rulebook: Rulebook, reference: Reference) -> ScrubResult:
    """The result with every check by name, also those that passed: evaluates all rules on the facts again."""
    known = read_facts(claim, rulebook, reference, result.received_on, result.stale_after)
    if claim.too_long:
        return result._replace(every_check=fired_or_not_checked(result))
    every = every_check(known.facts, result.not_checked, known.views, known.payer, known.day, rulebook, result.switches)
    one_reading = as_declared(claim, rulebook).corrected is None
    return result._replace(every_check=every if one_reading else certain_checks(every, result))


def _find_releases(
    runs: frozenset[tuple[date, date]], tables: tuple[str, ...], reference: Reference
) -> tuple[UsedRelease, ...]:
    """The releases of each of the tables that may answer for any day of these runs of days."""
    used = {}
    for table in tables:
        for first, last in sorted(runs):
            for release in reference.answering(table, first, last):
                used[table, release.name] = UsedRelease(table, release.name, release.sha256, release.complete)
    return tuple(used.values())


_TABLES = tuple(table for table in TABLES if table not in UNUSED_FOR_CLAIMS)
_TABLES_FOR_MEDICAID = (*_TABLES, *MEDICAID)
_used_releases = remembered(1024)(_find_releases)


@dataclass(frozen=True)
class Scrubber:
    """A rulebook, its engine and the reference data, opened once a process; `stale_after` as in `scrub`."""

    rulebook: Rulebook
    reference: Reference
    engine: Engine
    stale_after: int | None = STALE_AFTER

    def scrub(self, claim: Claim, received_on: date, switches: Switches = NO_SWITCHES) -> ScrubResult:
        """`scrub` with this rulebook, reference data and engine."""
        return scrub(claim, self.rulebook, self.reference, self.engine, received_on, switches, self.stale_after)

    def with_every_check(self, claim: Claim, result: ScrubResult) -> ScrubResult:
        """`with_every_check` with this rulebook and reference data."""
        return with_every_check(claim, result, self.rulebook, self.reference)


def open_scrubber(rules: Path, reference: str | None, stale_after: int | None = STALE_AFTER) -> Scrubber:
    """A scrubber over a folder of rules and a reference store (None: the starter tables).

    Raises Faults for files that fail their checks, ConfigError for a store that cannot be opened.
    """
    return assemble(load_rulebook(rules), open_reference(reference), stale_after)


def assemble(rulebook: Rulebook, reference: Reference, stale_after: int | None = STALE_AFTER) -> Scrubber:
    """A scrubber over what is already loaded; compiles the engine."""
    engine = DurableEngine(rule_tests(rulebook.running), rulebook.lists)
    return Scrubber(rulebook, reference, engine, stale_after)


class Prepared(NamedTuple):
    """A scrubber that is not in force yet, and the reference data that it follows."""

    scrubber: Scrubber
    reference: LiveReference


class LiveScrubber:
    """A scrubber that can be given new rules, over the reference data that is loaded now.

    Ask for `current` once a claim: a claim is finished on the one that it began with.
    """

    def __init__(self, rulebook: Rulebook, reference: LiveReference, stale_after: int | None = STALE_AFTER) -> None:
        self._stale_after = stale_after
        self._lock = threading.Lock()
        self.reference = reference
        self._scrubber = assemble(rulebook, reference.current(), stale_after)

    @property
    def rulebook(self) -> Rulebook:
        """The rules now."""
        return self._scrubber.rulebook

    def current(self) -> Scrubber:
        """The scrubber now."""
        scrubber = self._scrubber
        if scrubber.reference is self.reference.current():
            return scrubber
        with self._lock:
            self._scrubber = replace(self._scrubber, reference=self.reference.current())
            return self._scrubber

    def prepare(self, rulebook: Rulebook, typed: TypedTables) -> Prepared:
        """What `take` is to put in force: rules, and reference tables typed by hand. Costs time, and changes nothing.

        Raises ConfigError when the reference data cannot be opened.
        """
        reference = self.reference
        if typed.releases != reference.typed_releases:
            reference = LiveReference(reference.location, typed, reference.report)
        return Prepared(assemble(rulebook, reference.current(), self._stale_after), reference)

    def take(self, prepared: Prepared) -> None:
        """Put it in force. What the old rules hold is freed with the last claim that is under way on them."""
        with self._lock:
            self._scrubber, self.reference = prepared
        forget()

"""Counts the checks of a claim by stage, and lists each check with its outcome.

A check is one rule evaluated on one fact. Rules that the payer does not apply, that a request disables or that run in
shadow are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scrubber.engine.plain import Predicate, predicate
from scrubber.facts.fact import Fact
from scrubber.facts.service_lines import LineView, payer_fields
from scrubber.findings.finding import Check, Finding, NotChecked, ScrubResult, StageChecks, Switches
from scrubber.findings.judge import missing_needs
from scrubber.findings.not_checked import LINE_SCOPES, may_apply, possible
from scrubber.remembered import remembered
from scrubber.rulebook.rule import STAGES, AllOf, Rule, window
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import KINDS


class _BypassTest(NamedTuple):
    """A rule with a `bypassed`: whether it is bypassed on a fact, and whether it fires all the same."""

    rule: Rule
    answered: Predicate
    fires: Predicate


def bypassed(facts: Sequence[Fact], rulebook: Rulebook) -> Iterator[tuple[Rule, Fact]]:
    """Each running rule with a fact on which it does not fire because a modifier or notice on the claim answers it."""
    by_scope = _by_scope(rulebook)
    for fact in facts:
        for test in by_scope.get(fact.kind, ()):
            if test.answered(fact.values) and not test.fires(fact.values):
                yield test.rule, fact


@remembered(4)
def _by_scope(rulebook: Rulebook) -> dict[str, list[_BypassTest]]:
    found: dict[str, list[_BypassTest]] = {}
    for rule in rulebook.running:
        if rule.bypassed is not None:
            answered = predicate(AllOf((*window(rule), rule.applies, rule.bypassed)), rulebook.lists)
            found.setdefault(rule.scope, []).append(_BypassTest(rule, answered, predicate(rule.when, rulebook.lists)))
    return found


FIRED, BYPASSED, PASSED, NOT_CHECKED = "fired", "bypassed", "passed", "notChecked"
OUTCOMES = (FIRED, BYPASSED, PASSED, NOT_CHECKED)
# Facts of these kinds exist only where a rule may have something to find: without one, the check passed.
ABSENT_MEANS_PASSED = frozenset(kind.name for kind in KINDS.values() if kind.only_where_relevant)
HELD = AllOf(())


def count_checks(
    findings: Sequence[Finding],
    facts: Sequence[Fact],
    not_checked: Sequence[NotChecked],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    switches: Switches,
) -> Mapping[str, StageChecks]:
    """By stage, how many checks had each outcome other than passed."""
    fired, answered, unchecked = dict.fromkeys(STAGES, 0), dict.fromkeys(STAGES, 0), dict.fromkeys(STAGES, 0)
    for finding in findings:
        fired[finding.rule.stage] += 1
    for rule, fact in bypassed(facts, rulebook):
        if _counts(rule, payer, day, rulebook, switches) and not missing_needs(rule, fact):
            answered[rule.stage] += 1
    for item in not_checked:
        unchecked[item.rule.stage] += item.checks
    return {stage: StageChecks(fired[stage], answered[stage], unchecked[stage]) for stage in STAGES}


def _counts(rule: Rule, payer: Payer, day: date, rulebook: Rulebook, switches: Switches) -> bool:
    return switches.status(rule) == "active" and bool(rulebook.applied(rule, payer, day))


def every_check(
    facts: Sequence[Fact],
    not_checked: Sequence[NotChecked],
    views: Sequence[LineView],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    switches: Switches,
) -> tuple[Check, ...]:
    """Every check with its outcome, by rule and lines. Takes as long as a scrub with the plain engine."""
    unchecked = {(item.rule.id, line) for item in not_checked for line in item.lines or (0,)}
    checks = [Check(item.rule, item.lines, NOT_CHECKED) for item in not_checked]
    for rule, tests in zip(rulebook.running, _tests(rulebook), strict=True):
        if not _counts(rule, payer, day, rulebook, switches):
            continue
        held = [*_held(rule, tests, facts, unchecked)]
        checks += held
        if rule.scope in ABSENT_MEANS_PASSED:
            checks += _passed_without_fact(rule, held, unchecked, views, payer, day, rulebook)
    return tuple(sorted(checks, key=lambda check: (check.rule.id, check.lines, check.outcome)))


def fired_or_not_checked(result: ScrubResult) -> tuple[Check, ...]:
    """Every check of a claim whose lines are not judged: what fired, and what was not checked."""
    fired = [Check(finding.rule, finding.lines, FIRED) for finding in result.findings]
    return (*fired, *(Check(item.rule, item.lines, NOT_CHECKED) for item in result.not_checked))


def _held(
    rule: Rule, tests: tuple[Predicate, ...], facts: Sequence[Fact], unchecked: set[tuple[str, int]]
) -> Iterator[Check]:
    concerns, fires, answered = tests
    for fact in facts:
        if fact.kind != rule.scope or not concerns(fact.values) or missing_needs(rule, fact):
            continue
        if fires(fact.values):
            yield Check(rule, fact.lines, FIRED)
        elif rule.bypassed is not None and answered(fact.values):
            yield Check(rule, fact.lines, BYPASSED)
        elif not any((rule.id, line) in unchecked for line in fact.lines or (0,)):
            yield Check(rule, fact.lines, PASSED)


def _passed_without_fact(
    rule: Rule,
    held: Sequence[Check],
    unchecked: set[tuple[str, int]],
    views: Sequence[LineView],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
) -> Iterator[Check]:
    """One check that passed: on the lines that the rule may apply to, or on the claim."""
    in_force = (rule.since is None or rule.since <= day) and (rule.until is None or day < rule.until)
    if not in_force:
        return
    if rule.scope in LINE_SCOPES:
        covered = {line for check in held for line in check.lines}
        left = [view for view in views if view.number not in covered and (rule.id, view.number) not in unchecked]
        lines = tuple([view.number for view in left if may_apply(rule, view, rulebook.lists)])
        if lines:
            yield Check(rule, lines, PASSED)
        return
    checked = bool(held) or any(name == rule.id for name, _ in unchecked)
    if not checked and possible(rule.applies, {**payer_fields(payer), "day": day.toordinal()}, rulebook.lists):
        yield Check(rule, (), PASSED)


@remembered(4)
def _tests(rulebook: Rulebook) -> tuple[tuple[Predicate, ...], ...]:
    """Of each running rule: whether it concerns a fact, fires on it, and is answered."""
    return tuple(
        (
            predicate(AllOf((*window(rule), rule.applies)), rulebook.lists),
            predicate(rule.when, rulebook.lists),
            predicate(rule.bypassed or HELD, rulebook.lists),
        )
        for rule in rulebook.running
    )

"""Lists the rules that cannot be judged because an element they ask for was sent and cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from scrubber.claim.elements import CATALOGUE
from scrubber.facts.asked import asked_elements, rule_reads
from scrubber.facts.fact import Fact
from scrubber.findings.finding import UNREADABLE, Finding, NotChecked, Switches
from scrubber.findings.not_checked import possible
from scrubber.remembered import remembered
from scrubber.rulebook.element_fields import UNREADABLE as CANNOT_BE_READ
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook


def unread_elements(
    facts: Sequence[Fact],
    findings: Sequence[Finding],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    switches: Switches,
) -> Iterator[NotChecked]:
    """One entry for each fact and each active rule that may apply and reads an unreadable element of it.

    A rule that fired all the same was checked.
    """
    asking = _asking(rulebook)
    if not asking:
        return
    fired = {(finding.rule.id, finding.lines) for finding in findings}
    for fact in facts:
        for rule, names in asking.get(fact.kind, ()):
            unread = tuple([name for name in names if fact.values.get(state_key(name)) == CANNOT_BE_READ])
            if not unread or switches.status(rule) != "active" or (rule.id, fact.lines) in fired:
                continue
            adopted = _is_in_force(rule, fact) and rulebook.applied(rule, payer, day)
            if adopted and possible(rule.applies, fact.values, rulebook.lists):
                yield NotChecked(rule, fact.lines, unread, _message(rule, fact, unread), UNREADABLE)


def _is_in_force(rule: Rule, fact: Fact) -> bool:
    day = fact.values.get("day")
    if day is None:
        return True
    return (rule.since is None or rule.since.toordinal() <= day) and (
        rule.until is None or day < rule.until.toordinal()
    )


def _message(rule: Rule, fact: Fact, unread: Sequence[str]) -> str:
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    labels = " and ".join(CATALOGUE[name].label for name in unread)
    return f"{where}: “{rule.title}” was not checked, because the {labels} cannot be read."


@remembered(4)
def _asking(rulebook: Rulebook) -> Mapping[str, tuple[tuple[Rule, tuple[str, ...]], ...]]:
    """By kind of fact, the running rules that read elements of the catalogue, each with those."""
    found: dict[str, list[tuple[Rule, tuple[str, ...]]]] = {}
    for kind, asked in asked_elements(rulebook).items():
        elements = {field.name for field, _ in asked}
        for rule in rulebook.running:
            names = tuple(name for name in rule_reads(rule) if name in elements) if rule.scope == kind else ()
            if names:
                found.setdefault(kind, []).append((rule, names))
    return {kind: tuple(rules) for kind, rules in found.items()}

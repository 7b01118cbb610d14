"""Lists the rules that cannot be judged because an element they ask for was sent and cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from scrubber.claim.elements import ELEMENTS
from scrubber.facts.asked import asked_fields, rule_reads
from scrubber.facts.fact import Fact
from scrubber.findings.finding import UNREADABLE, Finding, NotChecked, Switches
from scrubber.findings.not_checked import possible
from scrubber.remembered import remembered
from scrubber.rulebook.element_fields import UNREADABLE as CANNOT_BE_READ
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.vocabulary import KINDS, OF_ELEMENTS


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
        if fact.kind not in asking or CANNOT_BE_READ not in fact.values.values():
            continue  # nearly every fact
        for rule, names in asking[fact.kind]:
            unread = tuple([name for name in names if fact.values.get(state_key(name)) == CANNOT_BE_READ])
            if not unread or switches.status(rule) != "active" or (rule.id, fact.lines) in fired:
                continue
            adopted = _is_in_force(rule, fact) and rulebook.applied(rule, payer, day)
            if adopted and possible(rule.applies, fact.values, rulebook.lists):
                fields = KINDS[fact.kind].fields
                elements = tuple(dict.fromkeys(fields[name].made_from or name for name in unread))
                yield NotChecked(rule, fact.lines, elements, _message(rule, fact, elements), UNREADABLE)


def _is_in_force(rule: Rule, fact: Fact) -> bool:
    day = fact.values.get("day")
    if day is None:
        return True
    return (rule.since is None or rule.since.toordinal() <= day) and (
        rule.until is None or day < rule.until.toordinal()
    )


def _message(rule: Rule, fact: Fact, unread: Sequence[str]) -> str:
    where = f"Line {fact.lines[0]}" if fact.lines else "The claim"
    labels = " and ".join(ELEMENTS[element].label for element in unread)
    return f"{where}: “{rule.title}” was not checked, because the {labels} cannot be read."


@remembered(4)
def _asking(rulebook: Rulebook) -> Mapping[str, tuple[tuple[Rule, tuple[str, ...]], ...]]:
    """By kind of fact, the running rules that read elements of the catalogue, or what is made of these, with those."""
    found: dict[str, list[tuple[Rule, tuple[str, ...]]]] = {}
    asked = asked_fields(rulebook)
    for kind in OF_ELEMENTS:
        read = asked.every(kind)
        for rule in rulebook.running if read else ():
            names = tuple(name for name in rule_reads(rule) if name in read) if rule.scope == kind else ()
            if names:
                found.setdefault(kind, []).append((rule, names))
    return {kind: tuple(rules) for kind, rules in found.items()}

"""All that was not checked, from wherever it is known: without what a finding answers, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from scrubber.facts.lines import LineView
from scrubber.facts.medicare_edits import own_edits
from scrubber.findings.finding import Finding, NotChecked
from scrubber.findings.switches import Switches
from scrubber.findings.unjudged import unjudged
from scrubber.findings.unreached import unreached
from scrubber.reference import Reference
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer


def all_unchecked(
    judged: Iterable[NotChecked],
    findings: Sequence[Finding],
    views: Sequence[LineView],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    reference: Reference,
    switches: Switches,
) -> tuple[NotChecked, ...]:
    """What `judge` could not judge, what lines lack, and what tables do not reach. A rule that fired was checked."""
    lacking = lacking_something(views, payer, day, rulebook, reference, switches)
    if lacking:
        fired: dict[str, set[int]] = {}
        for finding in findings:
            fired.setdefault(finding.rule.id, set()).update(finding.lines)
        lacking = [item for item in lacking if item.rule.id not in fired or fired[item.rule.id].isdisjoint(item.lines)]
    return unchecked_in_order([*judged, *lacking])


def lacking_something(
    views: Sequence[LineView], payer: Payer, day: date, rulebook: Rulebook, reference: Reference, switches: Switches
) -> list[NotChecked]:
    """What cannot be judged of lines because of an element, else because of a table: each rule once a line."""
    lacking = [*unjudged(views, payer, day, rulebook, switches)]
    without_table = [*unreached(views, payer, day, rulebook, own_edits(payer, reference), switches)]
    if lacking and without_table:
        listed = {(item.rule.id, item.lines) for item in lacking}
        without_table = [item for item in without_table if (item.rule.id, item.lines) not in listed]
    return lacking + without_table


def unchecked_in_order(unchecked: Iterable[NotChecked]) -> tuple[NotChecked, ...]:
    """By line, then by rule; what would be told twice is told once."""
    unique = {(item.lines, item.rule.id, item.missing, item.message): item for item in unchecked}
    return tuple([unique[key] for key in sorted(unique)]) if len(unique) > 1 else tuple(unique.values())

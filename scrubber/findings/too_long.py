"""A claim of more lines than it can hold: that alone is found, and all other rules are told as not checked.

Whoever splits it sends claims that are each judged; judging this one would tell of lines that never go together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from scrubber.claim import MOST_LINES
from scrubber.facts.lines import payer_fields
from scrubber.findings.finding import TOO_MANY_LINES, Finding, NotChecked
from scrubber.findings.switches import Switches
from scrubber.findings.unjudged import possible
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.tables import Payer

SERVICE_LINES = ("service-lines",)


def unjudged_rules(
    fired: Iterable[Finding], payer: Payer, day: date, rulebook: Rulebook, switches: Switches
) -> tuple[NotChecked, ...]:
    """One row for each active rule that the payer applies, or may apply, and that did not fire."""
    told = {finding.rule.id for finding in fired}
    values = payer_fields(payer)
    return tuple(
        [
            NotChecked(
                rule,
                (),
                SERVICE_LINES,
                f"“{rule.title}” was not checked, because the claim has more than {MOST_LINES} lines.",
                TOO_MANY_LINES,
            )
            for rule in sorted(rulebook.running, key=lambda rule: rule.id)
            if rule.id not in told
            and switches.standing(rule) == "active"
            and rulebook.adopted(rule.pack, payer, day) is not False
            and possible(rule.applies, values, rulebook.lists)
        ]
    )

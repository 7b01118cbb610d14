"""Step 4 of a claim's path: rules that one request switches on or off, and what their findings then count as."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from scrubber.errors import WrongSwitch
from scrubber.rulebook.book import RUNNING, Rulebook
from scrubber.rulebook.rule import Rule


@dataclass(frozen=True, slots=True)
class Switches:
    """Ids of rules, sorted. `enable` makes a shadow rule count like an active one, `disable` leaves a rule out."""

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()

    def standing(self, rule: Rule) -> str | None:
        """`active` or `shadow`: as what a running rule's findings count; None: they are left out."""
        if rule.id in self.disable:
            return None
        return "active" if rule.id in self.enable else rule.status


AS_WRITTEN = Switches()


def read_switches(enable: Collection[str], disable: Collection[str], rulebook: Rulebook) -> Switches:
    """Switches that fit the rulebook, each id once.

    Raises WrongSwitch for an id that has no rule or stands in both, and for enabling a rule that does not run.
    """
    on, off = frozenset(enable), frozenset(disable)
    unknown = (on | off).difference(rulebook.rules)
    if unknown:
        raise WrongSwitch("`enable` or `disable` names a rule that there is not; ask for the list of rules")
    for rule_id in sorted(on & off):
        raise WrongSwitch(f"{rule_id} is to be enabled and disabled at once")
    for rule_id in sorted(on):
        status = rulebook.rules[rule_id].status
        if status not in RUNNING:
            raise WrongSwitch(f"{rule_id} is {status}: only shadow and active rules run, so it cannot be enabled")
    return Switches(tuple(sorted(on)), tuple(sorted(off))) if on or off else AS_WRITTEN

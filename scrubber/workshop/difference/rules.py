"""Beside the path: in what two versions of a rule differ: what it means, where it stands in its life, its wording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from scrubber.rulebook.book import RUNNING
from scrubber.rulebook.rule import Authority, ClaimStatus, Condition, Reason, Rule
from scrubber.vocabulary import KINDS
from scrubber.workshop.difference.conditions import Parts, in_words, parts_changed
from scrubber.workshop.difference.days import Days, affected, span

MEANING, LIFE, WORDING = "meaning", "life", "wording"


class Change(NamedTuple):
    """One key of a rule file that says something else. `weight` is MEANING, LIFE (its status) or WORDING.

    Of conditions, `removed` and `added` hold the parts that differ, and `before` and `after` all of them.
    """

    key: str
    weight: str
    before: str
    after: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


class RuleChange(NamedTuple):
    """A rule that was added (`before` is None), removed (`after` is None) or changed, and the days it affects."""

    before: Rule | None
    after: Rule | None
    changes: tuple[Change, ...]
    days: tuple[Days, ...]

    @property
    def rule(self) -> Rule:
        """The rule as it is, or was last."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 (one of them is there)
        return found

    @property
    def way(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def means_another(self) -> bool:
        """Whether what the rule does is another thing: it is new, gone, runs or no longer, or means something else."""
        return self.way != "changed" or any(change.weight != WORDING for change in self.changes)

    @property
    def runs(self) -> bool:
        """Whether the rule runs, before or after."""
        return any(rule is not None and rule.status in RUNNING for rule in (self.before, self.after))

    @property
    def fault(self) -> str | None:
        """A version that should have been raised. A draft never answered, so nobody relies on what it meant."""
        if self.before is None or self.after is None or self.before.status == "draft":
            return None
        old, new = self.before.version, self.after.version
        if new < old:
            return f"its version went back from {old} to {new}: versions only rise"
        if new == old and any(change.weight == MEANING for change in self.changes):
            return f"it means something else, and its version is still {old}: raise it"
        return None


def rule_changes(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Iterator[RuleChange]:
    """The rules that differ, by id."""
    for rule_id in sorted(before.keys() | after.keys()):
        change = _rule_change(before.get(rule_id), after.get(rule_id))
        if change is not None:
            yield change


def _rule_change(before: Rule | None, after: Rule | None) -> RuleChange | None:
    if before is None or after is None:
        return RuleChange(before, after, (), affected(_days(before), _days(after), alike=False))
    changes = tuple(_changes(before, after))
    if not changes and before.version == after.version:
        return None
    if all(change.weight == WORDING for change in changes):
        return RuleChange(before, after, changes, ())
    alike = all(change.key in _APART_FROM_DAYS or change.weight == WORDING for change in changes)
    return RuleChange(before, after, changes, affected(_days(before), _days(after), alike))


def _days(rule: Rule | None) -> Days | None:
    return Days(rule.since, rule.until) if rule and rule.status in RUNNING else None


def _changes(before: Rule, after: Rule) -> Iterator[Change]:
    for key, (weight, told) in _TOLD.items():
        old, new = told(before), told(after)
        if old != new:
            yield Change(key, weight, old, new)
    for key, conditions in _CONDITIONS.items():
        parts = _parts(before, after, conditions)
        if parts is not None:
            old, new = (_words(rule, conditions(rule)) for rule in (before, after))
            yield Change(key, MEANING, old, new, *parts)


def _parts(before: Rule, after: Rule, of: Callable[[Rule], Condition]) -> Parts | None:
    if before.scope == after.scope:
        return parts_changed(of(before), of(after), KINDS[after.scope].fields)
    old, new = (_words(rule, of(rule)) for rule in (before, after))
    return None if old == new else Parts((old,), (new,))


def _words(rule: Rule, condition: Condition) -> str:
    return in_words(condition, KINDS[rule.scope].fields)


def _standing(rule: Rule) -> str:
    """What kind of word the rule stands by; where that is written is wording."""
    return _listed(sorted(f"{item.kind}{' (binding)' if item.binding else ''}" for item in rule.authority))


def _sources(rule: Rule) -> str:
    return "; ".join(map(_source, rule.authority))


def _source(item: Authority) -> str:
    return ", ".join(filter(None, (item.title, item.locator, item.url, item.retrieved)))


def _reason(reason: Reason | None) -> str:
    return " ".join((reason.group, reason.carc, *sorted(reason.rarc))) if reason else "none"


def _claim_status(status: ClaimStatus | None) -> str:
    return f"{status.category} {status.code}" if status else "none"


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"


_APART_FROM_DAYS = ("effective", "superseded-by")  # what a rule says of a day on which it holds stays the same

_Told = Callable[[Rule], str]

_TOLD: Mapping[str, tuple[str, _Told]] = {
    "status": (LIFE, lambda rule: rule.status),
    "superseded-by": (LIFE, lambda rule: rule.superseded_by or "none"),
    "pack": (MEANING, lambda rule: rule.pack),
    "severity": (MEANING, lambda rule: rule.severity),
    "stage": (MEANING, lambda rule: rule.stage),
    "category": (MEANING, lambda rule: rule.category),
    "scope": (MEANING, lambda rule: rule.scope),
    "effective": (MEANING, lambda rule: span(Days(rule.since, rule.until))),
    "needs": (MEANING, lambda rule: _listed(sorted(rule.needs))),
    "points-at": (MEANING, lambda rule: rule.element),
    "reason": (MEANING, lambda rule: _reason(rule.reason)),
    "claim-status": (MEANING, lambda rule: _claim_status(rule.claim_status)),
    "at-risk": (MEANING, lambda rule: rule.at_risk),
    "authority": (MEANING, _standing),
    "authority, where it is written": (WORDING, _sources),
    "title": (WORDING, lambda rule: rule.title),
    "message": (WORDING, lambda rule: rule.message),
    "fix": (WORDING, lambda rule: rule.fix),
    "bypassed": (WORDING, lambda rule: _words(rule, rule.bypassed) if rule.bypassed is not None else "none"),
    "not-checked": (WORDING, lambda rule: rule.not_checked or "none"),
    "false-alarms": (WORDING, lambda rule: rule.false_alarms or "none"),
    "owner": (WORDING, lambda rule: rule.owner),
    "reviewed": (WORDING, lambda rule: rule.reviewed.isoformat()),
    "back-test": (WORDING, lambda rule: rule.back_test or "none"),
    "related": (WORDING, lambda rule: _listed(sorted(rule.related))),
}
_CONDITIONS: Mapping[str, Callable[[Rule], Condition]] = {
    "applies": lambda rule: rule.applies,
    "when": lambda rule: rule.when,
}

"""Before any claim: rules that take over from one another (`superseded-by`): who follows whom, and on which days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from scrubber.errors import Fault
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.rule import Rule


def check_successors(files: Sequence[RuleFile], ids: Mapping[str, bool]) -> Iterator[Fault]:
    """Deprecated rules without a rule that took over, and successors that are none.

    `ids`: of every rule file, also those that do not load, and whether it is of a draft.
    """
    by_id = {rule.id: rule for _, rule in files}
    for document, rule in files:
        message = _successor_fault(rule, by_id, ids)
        if message:
            yield document.fault(("superseded-by" if rule.superseded_by else "status",), message)


def _successor_fault(rule: Rule, by_id: Mapping[str, Rule], ids: Mapping[str, bool]) -> str | None:
    name = rule.superseded_by
    if name is None:
        wanted = "a deprecated rule needs `superseded-by`: the id of the rule that took over"
        return wanted if rule.status == "deprecated" else None
    if name not in ids:
        return f"superseded-by: there is no rule `{name}`"
    if name == rule.id:
        return "superseded-by: names the rule itself"
    successor = by_id.get(name)
    if successor is not None and successor.status == "deprecated":
        return f"superseded-by: `{name}` is deprecated itself: name the rule that holds now"
    status = successor.status if successor is not None else "draft" if ids[name] else "active"
    if rule.status == "deprecated" and status != "active":
        return f"superseded-by: `{name}` is {status} and has no effect: make it active before this one goes"
    return "superseded-by: goes round in a circle back to this rule" if _returns(rule, by_id) else None


def _returns(rule: Rule, by_id: Mapping[str, Rule]) -> bool:
    """Whether the successors of a rule lead back to it."""
    seen: set[str] = set()
    name = rule.superseded_by
    while name is not None and name in by_id and name not in seen:
        if name == rule.id:
            return True
        seen.add(name)
        name = by_id[name].superseded_by
    return False


def check_days(files: Sequence[RuleFile]) -> Iterator[Fault]:
    """Days on which a rule and the one that took over both hold, and days on which neither does."""
    by_id = {rule.id: rule for _, rule in files}
    for document, rule in files:
        successor = by_id.get(rule.superseded_by or "")
        if successor is None or successor.id == rule.id:
            continue
        message = _left_unjudged(rule, successor) if rule.status == "deprecated" else _seam(rule, successor)
        if message:
            yield document.fault(("superseded-by",), message)


def _left_unjudged(rule: Rule, successor: Rule) -> str | None:
    """A deprecated rule never runs, so the one that took over must hold on all its days."""
    if (successor.since or date.min) <= (rule.since or date.min):
        return None
    return (
        f"superseded-by: dates of service before {successor.since} are left to no rule: `{successor.id}` begins then "
        f"and a deprecated rule never runs; keep this one active with `effective: {{to: {successor.since}}}`"
    )


def _seam(rule: Rule, successor: Rule) -> str | None:
    """A rule that still runs for old dates ends on the day that the one after it begins."""
    if successor.since is None or rule.until is None or successor.since < rule.until:
        ends = f"effective: {{to: {successor.since}}}" if successor.since else "a first day to the later one"
        return f"superseded-by: this rule and `{successor.id}` hold on one day: give {ends}"
    if successor.since > rule.until:
        return (
            f"superseded-by: dates of service from {rule.until} to the day before {successor.since} are left to no "
            f"rule: `{successor.id}` begins only then"
        )
    return None

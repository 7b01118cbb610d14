"""Compares two rulebooks by meaning, for authors and reviewers: their packs, rules and rows of tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scrubber.authoring.diff_declarations import (
    DeclarationChange,
    PartChange,
    declaration_changes,
    declared_changes,
    question_changes,
)
from scrubber.authoring.diff_tables import Days, TableRowChange, affected, describe_span, own_row_changes, row_changes
from scrubber.errors import Fault, Faults
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.family_rules import rule_document
from scrubber.rulebook.field import Field
from scrubber.rulebook.load import FolderContents, digest, read_folder
from scrubber.rulebook.rule import TAKEN, AllOf, AnyOf, Asks, Authority, ClaimStatus, Condition, Has, Reason, Rule
from scrubber.rulebook.rulebook import RUNNING, Pack

Fields = Mapping[str, Field]


class ConditionDifference(NamedTuple):
    """Conditions that were removed and added, in the words of a rule file.

    `parts` are those of one question that differ. All are empty where only what it names means something else.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    parts: tuple[PartChange, ...] = ()


def normalised(condition: Condition, fields: Fields) -> Condition:
    """The condition in a canonical form: equal for all notations of the same condition."""
    match condition:
        case Has(fact, op, values):
            return Has(fact, op, tuple(sorted(set(values))))
        case AllOf(parts):
            return _group(AllOf, parts, fields)
        case AnyOf(parts):
            return _group(AnyOf, parts, fields)
    return condition


def condition_difference(before: Condition, after: Condition, fields: Fields) -> ConditionDifference | None:
    """What differs between two conditions; None where they mean the same."""
    before, after = normalised(before, fields), normalised(after, fields)
    if before == after:
        return None
    gone, new = _difference(before, after)
    parts: tuple[PartChange, ...] = ()
    if len(gone) == len(new) == 1 and isinstance(gone[0], Asks) and isinstance(new[0], Asks):
        parts = question_changes(gone[0].source, new[0].source)
    old, now = (tuple(in_one_line(each, fields) for each in conditions) for conditions in (gone, new))
    return ConditionDifference(
        tuple(each for each in old if each not in now), tuple(each for each in now if each not in old), parts
    )


def _group(kind: type[AllOf | AnyOf], parts: tuple[Condition, ...], fields: Fields) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        inner = normalised(part, fields)
        flat |= dict.fromkeys(inner.parts if isinstance(inner, AllOf | AnyOf) and type(inner) is kind else (inner,))
    if len(flat) == 1:
        return next(iter(flat))
    return kind(tuple(sorted(flat, key=lambda each: in_one_line(each, fields))))


def _difference(before: Condition, after: Condition) -> tuple[list[Condition], list[Condition]]:
    """The smallest conditions that differ: where one member of a group changed, the difference within it."""
    if type(before) is not type(after) or not isinstance(before, AllOf | AnyOf) or not isinstance(after, AllOf | AnyOf):
        return [before], [after]
    gone = [part for part in before.parts if part not in after.parts]
    new = [part for part in after.parts if part not in before.parts]
    return _difference(gone[0], new[0]) if len(gone) == len(new) == 1 else (gone, new)


class EarlierRules(NamedTuple):
    """Earlier rules by id, and their name in messages: `HEAD`, `the rules in force (sha256:…)`."""

    rules: Mapping[str, Rule]
    name: str


def same_version_faults(earlier: EarlierRules, folder: Path, rules: Mapping[str, Rule]) -> list[Fault]:
    """A fault for each of `rules`, which lie in `folder`, whose meaning changed while its version did not.

    A rule that was a draft earlier never ran, so nobody relies on its former meaning.
    """
    return [
        _fault(change.after, keys, earlier, folder)
        for change in rule_changes(earlier.rules, rules)
        if change.after is not None and (keys := tuple(_changed(change)))
    ]


def _changed(change: RuleChange) -> Iterator[str]:
    """The keys whose meaning changed under the same version."""
    before, after = change.before, change.after
    if before is not None and after is not None and before.status != "draft" and before.version == after.version:
        yield from (each.key for each in change.changes if each.weight == MEANING)


def _fault(rule: Rule, keys: tuple[str, ...], earlier: EarlierRules, folder: Path) -> Fault:
    line = rule_document(rule, folder).line(("version",))
    changed = ", ".join(f"`{key}`" for key in keys)
    return Fault(
        rule.file,
        line,
        f"version: is still {rule.version}, but the rule means another thing than in {earlier.name} ({changed}): raise "
        f"it, and add a line to {rule.pack}/CHANGES.md",
    )


MEANING, LIFE_CYCLE, WORDING = "meaning", "life", "wording"


class KeyChange(NamedTuple):
    """One key of a rule file that changed. `weight` is MEANING, LIFE_CYCLE (its status) or WORDING.

    Of conditions, `removed` and `added` hold those that differ, `before` and `after` the whole condition; `parts` are
    those of one question that differ.
    """

    key: str
    weight: str
    before: str
    after: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    parts: tuple[PartChange, ...] = ()


class RuleChange(NamedTuple):
    """A rule that was added (`before` is None), removed (`after` is None) or changed, and the days it affects."""

    before: Rule | None
    after: Rule | None
    changes: tuple[KeyChange, ...]
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
    def changes_meaning(self) -> bool:
        """Whether the rule is new or removed, started or stopped running, or changed its meaning."""
        return self.way != "changed" or any(change.weight != WORDING for change in self.changes)

    @property
    def runs(self) -> bool:
        """Whether the rule runs, before or after."""
        return any(rule is not None and rule.status in RUNNING for rule in (self.before, self.after))

    @property
    def fault(self) -> str | None:
        """A version that should have been raised. A draft never ran, so nobody relies on its former meaning."""
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
        return RuleChange(before, after, (), affected(_days_of_rule(before), _days_of_rule(after), alike=False))
    changes = tuple(_changes(before, after))
    if not changes and before.version == after.version:
        return None
    if all(change.weight == WORDING for change in changes):
        return RuleChange(before, after, changes, ())
    alike = all(change.key in _APART_FROM_DAYS or change.weight == WORDING for change in changes)
    return RuleChange(before, after, changes, affected(_days_of_rule(before), _days_of_rule(after), alike))


def _days_of_rule(rule: Rule | None) -> Days | None:
    return Days(rule.since, rule.until) if rule and rule.status in RUNNING else None


def _changes(before: Rule, after: Rule) -> Iterator[KeyChange]:
    for key, (weight, text) in _COMPARED_KEYS.items():
        old, new = text(before), text(after)
        if old != new:
            yield KeyChange(key, weight, old, new)
    for key, conditions in _CONDITIONS.items():
        parts = _condition_changes(before, after, conditions)
        if parts is not None:
            old, new = (_condition_text(rule, conditions(rule)) for rule in (before, after))
            yield KeyChange(key, MEANING, old, new if parts.added or parts.removed else _MEANS_ELSE, *parts)
    asks_else = any(_condition_changes(before, after, conditions) for conditions in _CONDITIONS.values())
    for part in declared_changes(before, after):
        yield KeyChange(part.part, MEANING if asks_else else WORDING, part.before, part.after)


def _condition_changes(before: Rule, after: Rule, of: Callable[[Rule], Condition]) -> ConditionDifference | None:
    if before.scope == after.scope:
        return condition_difference(of(before), of(after), after.kind.fields)
    old, new = (_condition_text(rule, of(rule)) for rule in (before, after))
    return None if old == new else ConditionDifference((old,), (new,))


def _condition_text(rule: Rule, condition: Condition) -> str:
    return in_one_line(condition, rule.kind.fields)


def _authority_kinds(rule: Rule) -> str:
    """The kinds of authority that the rule rests on; their titles and locators count as wording."""
    return _comma_separated(sorted(f"{item.kind}{' (binding)' if item.binding else ''}" for item in rule.authority))


def _sources(rule: Rule) -> str:
    return "; ".join(map(_source, rule.authority))


def _source(item: Authority) -> str:
    return ", ".join(filter(None, (item.title, item.locator, item.url, item.retrieved)))


def _reason(reason: Reason | None) -> str:
    return " ".join((reason.group, reason.carc, *sorted(reason.rarc))) if reason else "none"


def _taken(rule: Rule) -> str:
    """What findings of the rule take from rows, as its file writes it."""
    taken = json.loads(rule.declared).get(TAKEN)
    return json.dumps(taken, sort_keys=True) if taken else "none"


def _claim_status(status: ClaimStatus | None) -> str:
    return f"{status.category} {status.code}" if status else "none"


def _comma_separated(words: list[str]) -> str:
    return ", ".join(words) or "none"


_MEANS_ELSE = "the same words, in which an amount, a look-up or a definition means something else"
_APART_FROM_DAYS = (
    "effective",
    "superseded-by",
)  # keys that leave the effect on a day unchanged where the rule holds before and after

_KeyText = Callable[[Rule], str]

_COMPARED_KEYS: Mapping[str, tuple[str, _KeyText]] = {
    "status": (LIFE_CYCLE, lambda rule: rule.status),
    "superseded-by": (LIFE_CYCLE, lambda rule: rule.superseded_by or "none"),
    "pack": (MEANING, lambda rule: rule.pack),
    "severity": (MEANING, lambda rule: rule.severity),
    "stage": (MEANING, lambda rule: rule.stage),
    "category": (MEANING, lambda rule: rule.category),
    "scope": (MEANING, lambda rule: rule.scope),
    "effective": (MEANING, lambda rule: describe_span(Days(rule.since, rule.until))),
    "needs": (MEANING, lambda rule: _comma_separated(sorted(rule.needs))),
    "points-at": (MEANING, lambda rule: rule.element),
    "reason": (MEANING, lambda rule: _reason(rule.reason)),
    "claim-status": (MEANING, lambda rule: _claim_status(rule.claim_status)),
    "at-risk": (MEANING, lambda rule: rule.at_risk),
    "from a row": (MEANING, _taken),
    "authority": (MEANING, _authority_kinds),
    "authority, where it is written": (WORDING, _sources),
    "title": (WORDING, lambda rule: rule.title),
    "message": (WORDING, lambda rule: rule.message),
    "fix": (WORDING, lambda rule: rule.fix),
    "remedies": (WORDING, lambda rule: "; ".join(each.in_words for each in rule.remedies) or "none"),
    "bypassed": (WORDING, lambda rule: _condition_text(rule, rule.bypassed) if rule.bypassed is not None else "none"),
    "not-checked": (WORDING, lambda rule: rule.not_checked or "none"),
    "false-alarms": (WORDING, lambda rule: rule.false_alarms or "none"),
    "owner": (WORDING, lambda rule: rule.owner),
    "reviewed": (WORDING, lambda rule: rule.reviewed.isoformat()),
    "back-test": (WORDING, lambda rule: rule.back_test or "none"),
    "related": (WORDING, lambda rule: _comma_separated(sorted(rule.related))),
}
_CONDITIONS: Mapping[str, Callable[[Rule], Condition]] = {
    "applies": lambda rule: rule.applies,
    "when": lambda rule: rule.when,
}


class PackChange(NamedTuple):
    """A pack that was added, removed or changed; `changes` are (key, before, after) of its pack.yaml."""

    name: str
    way: str
    changes: tuple[tuple[str, str, str], ...]

    @property
    def changes_meaning(self) -> bool:
        """Whether more than its wording changed."""
        return self.way != "changed" or any(key == "adoption" for key, _, _ in self.changes)


class RulebookDifference(NamedTuple):
    """The differences of two rulebooks that change an answer or its wording; digests differ by any comment."""

    before: str
    after: str
    packs: tuple[PackChange, ...]
    rules: tuple[RuleChange, ...]
    rows: tuple[TableRowChange, ...]
    declarations: tuple[DeclarationChange, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a difference."""
        return bool(self.packs or self.rules or self.rows or self.declarations)


def rulebook_difference(before: Path, after: Path, before_name: str, after_name: str) -> RulebookDifference:
    """The differences of two folders. Raises Faults, with the names instead of the folders, where one has faults."""
    old, new = _read(before, before_name), _read(after, after_name)
    return RulebookDifference(
        digest(before),
        digest(after),
        tuple(_pack_changes(old.packs, new.packs)),
        tuple(rule_changes(_rules(old), _rules(new))),
        (*row_changes(old.tables, new.tables), *own_row_changes(old.own_tables, new.own_tables)),
        tuple(declaration_changes(before, after)),
    )


def _read(folder: Path, name: str) -> FolderContents:
    contents = read_folder(folder)
    if contents.faults:
        raise Faults(Fault(f"{name}/{fault.file}", fault.line, fault.message) for fault in contents.faults)
    return contents


def _rules(contents: FolderContents) -> Mapping[str, Rule]:
    return {file.rule.id: file.rule for file in contents.files}


def _pack_changes(before: Mapping[str, Pack], after: Mapping[str, Pack]) -> Iterator[PackChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield PackChange(name, "removed" if old else "added", ())
        elif changes := tuple(_changed_texts(old, new)):
            yield PackChange(name, "changed", changes)


def _changed_texts(before: Pack, after: Pack) -> Iterator[tuple[str, str, str]]:
    for key in ("title", "about", "adoption"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield key, old, new

"""In what two rulebooks differ by meaning: rules, rows of their tables, packs; and on which days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.errors import Fault, Faults
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.load import FolderContents, digest, read_folder
from scrubber.rulebook.rule import AllOf, AnyOf, Authority, ClaimStatus, Condition, Has, Reason, Rule
from scrubber.rulebook.rule_tables import ROW_KEYS, RuleTable
from scrubber.rulebook.rulebook import RUNNING, Pack
from scrubber.rulebook.vocabulary import KINDS, Field
from scrubber.rulebook.yaml_file import read_yaml

Fields = Mapping[str, Field]


class Parts(NamedTuple):
    """Conditions that were taken out and put in, in the words of a rule file."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


def settled(condition: Condition, fields: Fields) -> Condition:
    """The condition in the one way of writing it that all ways of writing it share."""
    match condition:
        case Has(fact, op, values):
            return Has(fact, op, tuple(sorted(set(values))))
        case AllOf(parts):
            return _group(AllOf, parts, fields)
        case AnyOf(parts):
            return _group(AnyOf, parts, fields)
    return condition


def parts_changed(before: Condition, after: Condition, fields: Fields) -> Parts | None:
    """What differs between two conditions; None where they mean the same."""
    before, after = settled(before, fields), settled(after, fields)
    if before == after:
        return None
    gone, new = _difference(before, after)
    return Parts(
        tuple(in_one_line(each, fields) for each in gone),
        tuple(in_one_line(each, fields) for each in new),
    )


def _group(kind: type[AllOf | AnyOf], parts: tuple[Condition, ...], fields: Fields) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        inner = settled(part, fields)
        flat |= dict.fromkeys(inner.parts if isinstance(inner, AllOf | AnyOf) and type(inner) is kind else (inner,))
    if len(flat) == 1:
        return next(iter(flat))
    return kind(tuple(sorted(flat, key=lambda each: in_one_line(each, fields))))


def _difference(before: Condition, after: Condition) -> tuple[list[Condition], list[Condition]]:
    """The smallest conditions that differ: one changed part of a group is looked into, not told as a whole."""
    if type(before) is not type(after) or not isinstance(before, AllOf | AnyOf) or not isinstance(after, AllOf | AnyOf):
        return [before], [after]
    gone = [part for part in before.parts if part not in after.parts]
    new = [part for part in after.parts if part not in before.parts]
    return _difference(gone[0], new[0]) if len(gone) == len(new) == 1 else (gone, new)


class Earlier(NamedTuple):
    """Rules by id as they were, and what a reader calls them: `HEAD`, `the rules in force (sha256:…)`."""

    rules: Mapping[str, Rule]
    name: str


def same_version_faults(earlier: Earlier, folder: Path, rules: Mapping[str, Rule]) -> list[Fault]:
    """A fault for each of `rules`, which lie in `folder`, that means another thing than earlier under one version.

    A rule that was a draft earlier never answered, so nobody relies on what it meant.
    """
    return [
        _fault(change.after, keys, earlier, folder)
        for change in rule_changes(earlier.rules, rules)
        if change.after is not None and (keys := tuple(_changed(change)))
    ]


def _changed(change: RuleChange) -> Iterator[str]:
    """The keys that mean something else under the same version."""
    before, after = change.before, change.after
    if before is not None and after is not None and before.status != "draft" and before.version == after.version:
        yield from (each.key for each in change.changes if each.weight == MEANING)


def _fault(rule: Rule, keys: tuple[str, ...], earlier: Earlier, folder: Path) -> Fault:
    line = read_yaml(folder / rule.file, rule.file).line(("version",))
    changed = ", ".join(f"`{key}`" for key in keys)
    return Fault(
        rule.file,
        line,
        f"version: is still {rule.version}, but the rule means another thing than in {earlier.name} ({changed}): raise "
        f"it, and add a line to {rule.pack}/CHANGES.md",
    )


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
    return in_one_line(condition, KINDS[rule.scope].fields)


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


class Days(NamedTuple):
    """Dates of service from `since` to before `until`; None = open."""

    since: date | None
    until: date | None


_EVER = Days(None, None)


def affected(before: Days | None, after: Days | None, alike: bool) -> tuple[Days, ...]:
    """The days on which something held before or holds after a change, in order; None: it never does.

    Where both are `alike` but for their days, those of both are not affected.
    """
    if before is None or after is None:
        return tuple(days for days in (before, after) if days is not None)
    ends = sorted({end for days in (before, after) for end in _ends(days)})
    touched = [
        (first, last)
        for first, last in pairwise(ends)
        if (_holds(before, first) != _holds(after, first) if alike else _holds(before, first) or _holds(after, first))
    ]
    return tuple(
        Days(first if first > date.min else None, last if last < date.max else None) for first, last in _joined(touched)
    )


def days_in_words(days: tuple[Days, ...]) -> str:
    """`dates of service from 2025-01-01 to 2025-12-31`; the last day is included."""
    if not days:
        return "no date of service"
    return f"dates of service {'; '.join(map(span, days))}" if _EVER not in days else "every date of service"


def span(days: Days) -> str:
    """`from 2025-01-01 to 2025-12-31`; the last day is included."""
    if days == _EVER:
        return "at all times"
    since = f"from {days.since}" if days.since else ""
    until = f"to {date.fromordinal(days.until.toordinal() - 1)}" if days.until else "on" if days.since else ""
    return f"{since} {until}".strip()


def _ends(days: Days) -> tuple[date, date]:
    return days.since or date.min, days.until or date.max


def _holds(days: Days, day: date) -> bool:
    first, last = _ends(days)
    return first <= day < last


def _joined(spans: list[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """Spans in order, those that touch as one."""
    for index, (first, last) in enumerate(spans):
        if index and spans[index - 1][1] == first:
            continue
        while index + 1 < len(spans) and spans[index + 1][0] == last:
            index += 1
            last = spans[index][1]
        yield first, last


SOURCES = ("source", "title", "locator", "url", "retrieved")  # columns that tell where it is written
DAYS = ("since", "until")


class Placed(NamedTuple):
    """A row and the file that it stands in, below the folder of rules."""

    file: str
    row: Any


class RowChange(NamedTuple):
    """A row that was added (`before` is None), removed (`after` is None) or changed, and the days it affects.

    `columns` are those of a changed row that say something else; `wording` where they only tell its source.
    """

    kind: str
    before: Placed | None
    after: Placed | None
    columns: tuple[str, ...]
    days: tuple[Days, ...]
    wording: bool

    @property
    def placed(self) -> Placed:
        """The row as it is, or was last."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 (one of them is there)
        return found

    @property
    def way(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def row_changes(before: Iterable[RuleTable], after: Iterable[RuleTable]) -> Iterator[RowChange]:
    """The rows that differ, by kind and key; a row that moved to another file does not."""
    old, new = _by_key(before), _by_key(after)
    for kind, *key in sorted(old.keys() | new.keys(), key=str):
        of_key = (kind, *key)
        rows, others = _without_same(old.get(of_key, []), new.get(of_key, []))
        for one, other in _paired(rows, others):
            yield _change(str(kind), one, other)


def _by_key(tables: Iterable[RuleTable]) -> dict[tuple[Any, ...], list[Placed]]:
    found: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
    for table in tables:
        for row in table.rows:
            key = (table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind]))
            found[key].append(Placed(table.name, row))
    return found


def _without_same(before: list[Placed], after: list[Placed]) -> tuple[list[Placed], list[Placed]]:
    old, new = {each.row for each in before}, {each.row for each in after}
    return [each for each in before if each.row not in new], [each for each in after if each.row not in old]


def _paired(before: list[Placed], after: list[Placed]) -> Iterator[tuple[Placed | None, Placed | None]]:
    """Rows that begin on the same day; then the others, in order, each with the next one."""
    old, new = ({_first(each): each for each in rows} for rows in (before, after))  # no two of a key begin on one day
    both = old.keys() & new.keys()
    yield from ((old[day], new[day]) for day in sorted(both))
    yield from zip_longest(
        (old[day] for day in sorted(old.keys() - both)), (new[day] for day in sorted(new.keys() - both))
    )


def _first(placed: Placed) -> date:
    since: date | None = placed.row.since
    return since or date.min


def _change(kind: str, before: Placed | None, after: Placed | None) -> RowChange:
    columns: tuple[str, ...] = ()
    if before and after:
        cells = zip(before.row._fields, before.row, after.row, strict=True)
        columns = tuple(name for name, old, new in cells if old != new)
    told = [name for name in columns if name not in DAYS]
    wording = bool(told) and set(columns) <= set(SOURCES)
    days = () if wording else affected(_days_of_row(before), _days_of_row(after), alike=not told and bool(columns))
    return RowChange(kind, before, after, columns, days, wording)


def _days_of_row(placed: Placed | None) -> Days | None:
    return Days(placed.row.since, placed.row.until) if placed else None


class PackChange(NamedTuple):
    """A pack that was added, removed, or says something else of itself: (key, before, after) of its pack.yaml."""

    name: str
    way: str
    changes: tuple[tuple[str, str, str], ...]

    @property
    def means_another(self) -> bool:
        """Whether more than its words changed."""
        return self.way != "changed" or any(key == "adoption" for key, _, _ in self.changes)


class BookDifference(NamedTuple):
    """In what two rulebooks differ. Digests differ by a comment; what is listed here changes an answer or its words."""

    before: str
    after: str
    packs: tuple[PackChange, ...]
    rules: tuple[RuleChange, ...]
    rows: tuple[RowChange, ...]

    @property
    def any(self) -> bool:
        """Whether there is a difference."""
        return bool(self.packs or self.rules or self.rows)


def book_difference(before: Path, after: Path, before_name: str, after_name: str) -> BookDifference:
    """The difference of two folders. Raises Faults, with the names in place of the folders, where one has faults."""
    old, new = _read(before, before_name), _read(after, after_name)
    return BookDifference(
        digest(before),
        digest(after),
        tuple(_pack_changes(old.packs, new.packs)),
        tuple(rule_changes(_rules(old), _rules(new))),
        tuple(row_changes(old.tables, new.tables)),
    )


def _read(folder: Path, name: str) -> FolderContents:
    contents = read_folder(folder)
    if contents.faults:
        told = [Fault(f"{name}/{fault.file}", fault.line, fault.message) for fault in contents.faults]
        raise Faults(told)
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

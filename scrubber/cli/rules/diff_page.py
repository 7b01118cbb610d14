"""Beside the path: the difference of two rulebooks as a page of 80 columns, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from scrubber.cli.rules.opening import counted
from scrubber.rulebook.tables import ROW_KEYS
from scrubber.workshop.difference.books import BookDifference, PackChange
from scrubber.workshop.difference.days import Days, in_words
from scrubber.workshop.difference.rows import DAYS, RowChange
from scrubber.workshop.difference.rules import WORDING, Change, RuleChange

WIDTH = 80
SHORT = len("sha256:") + 12
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def page(found: BookDifference) -> str:
    """Every difference, to be read."""
    if not found.any:
        return "the same meaning, in the same words"
    return "\n".join(
        [
            f"{found.before[:SHORT]} -> {found.after[:SHORT]}",
            *(line for pack in found.packs for line in _pack(pack)),
            *(line for rule in found.rules for line in _rule(rule)),
            *(line for row in found.rows for line in _row(row)),
            "",
            _counts(found),
        ]
    )


def as_json(found: BookDifference) -> dict[str, Any]:
    """Every difference, as data; dates in ISO form, `to` is the first day no longer affected."""
    return {
        "before": found.before,
        "after": found.after,
        "packs": [{"pack": each.name, "way": each.way, "changes": list(map(_key_json, each.changes))}
                  for each in found.packs],
        "rules": [_rule_json(each) for each in found.rules],
        "rows": [_row_json(each) for each in found.rows],
    }  # fmt: skip


def _counts(found: BookDifference) -> str:
    told = [
        f"{counted(len(ways), what)} {way}"
        for what, changes in (("pack", found.packs), ("rule", found.rules), ("row", found.rows))
        for way in _SIGNS
        if (ways := [change for change in changes if change.way == way])
    ]
    faults = sum(each.fault is not None for each in found.rules)
    return ", ".join([*told, *([counted(faults, "fault")] if faults else [])])


def _pack(change: PackChange) -> Iterator[str]:
    yield ""
    yield f"{_SIGNS[change.way]} pack {change.name}"
    for key, before, after in change.changes:
        yield from _was_now(key + ("" if key == "adoption" else " (wording)"), before, after)


def _rule(change: RuleChange) -> Iterator[str]:
    rule = change.rule
    yield ""
    yield f"{_SIGNS[change.way]} rule {rule.id}{_version(change)}"
    if change.way != "changed":
        yield from _wrapped(rule.title, 4)
        yield from _wrapped(f"{rule.status}, {rule.severity}", 4)
    for each in change.changes:
        yield from _change(each)
    if change.means_another:
        yield from _wrapped(in_words(change.days) + ("" if change.runs else ": it does not run"), 4)
    if change.fault:
        yield from _wrapped(f"fault: {change.fault}", 4)


def _version(change: RuleChange) -> str:
    if change.before is None or change.after is None:
        return ""
    old, new = change.before.version, change.after.version
    return f" (version {old} -> {new})" if old != new else f" (version {old})"


def _change(change: Change) -> Iterator[str]:
    if change.removed or change.added:
        yield f"    {change.key}"
        for sign, parts in (("-", change.removed), ("+", change.added)):
            for part in parts:
                yield from _wrapped(f"{sign} {part}", 6)
        return
    yield from _was_now(change.key + (" (wording)" if change.weight == WORDING else ""), change.before, change.after)


def _was_now(key: str, before: str, after: str) -> Iterator[str]:
    line = f"    {key}: {before} -> {after}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    {key}"
    yield from _wrapped(f"- {before}", 6)
    yield from _wrapped(f"+ {after}", 6)


def _row(change: RowChange) -> Iterator[str]:
    row = change.placed.row
    yield ""
    yield from _wrapped(f"{_SIGNS[change.way]} row of {change.placed.file}: {_key_words(change)}", 0)
    if change.before and change.after:
        for name in change.columns:
            old, new = (_cell(getattr(placed.row, name)) for placed in (change.before, change.after))
            yield from _was_now(name + (" (wording)" if change.wording else ""), old or "blank", new or "blank")
    else:
        told = {name: _cell(getattr(row, name)) for name in row._fields if name not in (*ROW_KEYS[change.kind], *DAYS)}
        yield from _wrapped(", ".join(f"{name} {value}" for name, value in told.items() if value), 4)
    if not change.wording:
        yield from _wrapped(in_words(change.days), 4)


def _key_words(change: RowChange) -> str:
    told = {name: _cell(getattr(change.placed.row, name)) for name in ROW_KEYS[change.kind]}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value) or "for everyone"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
    )


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
    return str(value)


def _rule_json(change: RuleChange) -> dict[str, Any]:
    return {
        "rule": change.rule.id,
        "pack": change.rule.pack,
        "way": change.way,
        "version": {"before": change.before and change.before.version, "after": change.after and change.after.version},
        "changes": [each._asdict() for each in change.changes],
        "days": list(map(_days_json, change.days)),
        "fault": change.fault,
    }


def _row_json(change: RowChange) -> dict[str, Any]:
    return {
        "file": change.placed.file,
        "kind": change.kind,
        "key": {name: _cell(getattr(change.placed.row, name)) for name in ROW_KEYS[change.kind]},
        "way": change.way,
        "weight": WORDING if change.wording else "meaning",
        "before": _row_cells(change.before and change.before.row),
        "after": _row_cells(change.after and change.after.row),
        "columns": change.columns,
        "days": list(map(_days_json, change.days)),
    }


def _row_cells(row: Any) -> dict[str, str] | None:
    return {name: _cell(getattr(row, name)) for name in row._fields} if row else None


def _key_json(change: tuple[str, str, str]) -> dict[str, str]:
    key, before, after = change
    return {"key": key, "before": before, "after": after}


def _days_json(days: Days) -> dict[str, str | None]:
    return {"from": _cell(days.since) or None, "to": _cell(days.until) or None}

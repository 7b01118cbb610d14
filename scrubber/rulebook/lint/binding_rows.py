"""Lints rules that deny by a row of a table whose own authority does not bind.

A rule's binding authority says that there is such an edit; that this code, payer or state is one of its rows may rest
on less. A table says so in columns `authority` and `binding`. A rule that asks for one of them in its conditions
decides itself which rows it denies by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from scrubber.errors import Fault
from scrubber.rulebook.by_row import AUTHORITY, BINDING
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.relations import Column, Group, LookUp, Own, walk
from scrubber.rulebook.rule import Compare, Has, InList, Rule, conditions_of
from scrubber.rulebook.typed_table import TypedTable

MOST_WARNINGS = 20  # of one rule and table
_OF_AUTHORITY = frozenset((AUTHORITY, BINDING))


def denies_by_unbound_rows(files: Iterable[RuleFile], tables: Mapping[str, TypedTable]) -> Iterator[Fault]:
    """The rows by which an active rule denies although their own authority does not bind, by file and line."""
    for _, rule in files:
        if rule.status != "active":
            continue
        for name, severity in sorted(_tables_that_decide(rule).items()):
            if name in tables:
                yield from islice(_unbound_rows(rule, tables[name], severity), MOST_WARNINGS)


def _tables_that_decide(rule: Rule) -> dict[str, str | None]:
    """The tables by whose rows a rule denies, each with its column that says how severe; None: the rule says deny.

    But for those whose rows the rule asks by whose authority they stand.
    """
    source = rule.by_row.severity if rule.by_row is not None else None
    found: dict[str, str | None] = {}
    if source is None and rule.severity == "deny":
        found = {part.table: None for part in walk((rule.applies, rule.when))
                 if isinstance(part, LookUp | Group) and part.table is not None}  # fmt: skip
    elif source is not None and isinstance(source.operand, Column):
        found = {source.operand.look_up.table: source.operand.name}
    asked = _asked_for_authority(rule)
    return {name: severity for name, severity in found.items() if name not in asked}


def _asked_for_authority(rule: Rule) -> set[str]:
    """The tables of which a condition of the rule reads the authority of a row."""
    found = set()
    for part in walk(conditions_of(rule)):
        if isinstance(part, Column) and part.name in _OF_AUTHORITY:
            found.add(part.look_up.table)
        elif isinstance(part, Group) and part.table is not None and _reads_authority(part):
            found.add(part.table)
    return found


def _reads_authority(group: Group) -> bool:
    for part in walk(group.where):
        if isinstance(part, Own) and part.name in _OF_AUTHORITY:
            return True
        if isinstance(part, Compare | Has | InList) and part.fact.removesuffix("?") in _OF_AUTHORITY:
            return True
    return False


def _unbound_rows(rule: Rule, table: TypedTable, severity: str | None) -> Iterator[Fault]:
    if not _OF_AUTHORITY & table.columns.keys():
        return
    message = (
        f"`{rule.id}` denies by this row, whose own authority does not bind: say warn, or by whose word it binds, or "
        f"let the rule ask for `{BINDING}`"
    )
    for row in table.rows(None):
        if (severity is None or row.values.get(severity) == "deny") and not _binds(row.values):
            yield Fault(table.file, row.line, message)


def _binds(values: Mapping[str, Any]) -> bool:
    """Whether a row may deny. Where a table has no column `binding`, nothing but advice is known not to bind."""
    kind = values.get(AUTHORITY)
    if kind in ("house-policy", "advice"):
        return bool(kind == "house-policy")
    return BINDING not in values or values[BINDING] is True

"""Reads what findings of a rule take from rows of tables: severity, expected reason, dollars; and checks such rows.

A row may make a finding less severe than any other. It makes it a deny only where an authority binds: that of the
rule, or its own, in columns `authority`, `title` and `binding` of its table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from scrubber.errors import Fault
from scrubber.rulebook.check import RuleFile, rests_on_authority
from scrubber.rulebook.field import Type
from scrubber.rulebook.names import NameScope, Resolved, names_in, resolve
from scrubber.rulebook.relations import Column
from scrubber.rulebook.rule import SEVERITIES, ByRow, FromRow, Rule
from scrubber.rulebook.schema import AUTHORITY_KINDS, CARC, GROUPS, RARC, ValueFromRow
from scrubber.rulebook.typed_table import TableRow, TypedTable
from scrubber.rulebook.yaml_file import Position

AMOUNT = "amount"  # dollars at risk that the rule names
AUTHORITY, TITLE, BINDING = "authority", "title", "binding"  # columns of a row that says by whose word it denies
_FORMS = {"carc": (re.compile(CARC), "236 or B7"), "rarc": (re.compile(RARC), "M15 or N362")}

ReportFault = Callable[[Position, str], None]
Fits = Callable[[Resolved], bool]


def read_by_row(content: Mapping[str, Any], frame: NameScope | None, report: ReportFault) -> ByRow | None:
    """What the findings of a rule take from rows, by the typed content of its file; None: nothing."""
    reason = content["reason"] or {}
    asked = (content["severity"], content["at_risk"], *reason.values())
    if frame is None or not any(isinstance(part, ValueFromRow) for part in asked):
        return None

    def take(value: Any, position: Position, fits: Fits, wanted: str) -> Any:
        if not isinstance(value, ValueFromRow):
            return value
        found = resolve(value.name, frame)
        if found is None:
            near = ", ".join(sorted(names_in(frame)[:20])) or "none"
            report((*position, "from"), f"`{value.name}` stands for nothing here; names of this rule: {near}")
        elif not fits(found) or (_of_every_row(found) and fits is not _codes):
            report((*position, "from"), f"`{value.name}` is not {wanted}")
        else:
            return FromRow(value.name, found.operand, value.otherwise)
        return None

    severity = take(content["severity"], ("severity",), _severity, f"a word of: {', '.join(SEVERITIES)}")
    at_risk = take(content["at_risk"], ("at-risk",), _dollars, "an amount of dollars")
    rarc = take(reason.get("rarc", []), ("reason", "rarc"), _codes, "a column of type text or x12-code")
    severity = severity if isinstance(severity, FromRow) else None
    return ByRow(
        severity,
        take(reason.get("group"), ("reason", "group"), _group, f"a word of: {', '.join(GROUPS)}"),
        take(reason.get("carc"), ("reason", "carc"), _code, "a column of type text or x12-code"),
        rarc if isinstance(rarc, FromRow) else tuple(rarc or ()),
        at_risk if isinstance(at_risk, FromRow) else None,
        _authority_columns(severity, frame),
    )


def _of_every_row(found: Resolved) -> bool:
    return isinstance(found.operand, Column) and found.operand.look_up.every


def _severity(found: Resolved) -> bool:
    return found.field.type is Type.WORD and bool(found.field.words) and set(found.field.words) <= set(SEVERITIES)


def _group(found: Resolved) -> bool:
    return found.field.type is Type.WORD and bool(found.field.words) and set(found.field.words) <= set(GROUPS)


def _dollars(found: Resolved) -> bool:
    return found.field.type is Type.AMOUNT


def _code(found: Resolved) -> bool:
    return found.field.type is Type.TEXT and isinstance(found.operand, Column)


def _codes(found: Resolved) -> bool:
    return found.field.type in (Type.TEXT, Type.CODES) and isinstance(found.operand, Column)


def _authority_columns(severity: FromRow | None, frame: NameScope) -> tuple[FromRow, ...]:
    """The columns by which the row that says how severe a finding is names its authority, where it has all of them."""
    if severity is None or not isinstance(severity.operand, Column):
        return ()
    look_up = severity.name.partition(".")[0]
    found = [(name, resolve(name, frame)) for name in (f"{look_up}.{each}" for each in (AUTHORITY, TITLE, BINDING))]
    columns = tuple(FromRow(name, each.operand) for name, each in found if each is not None)
    return columns if len(columns) == len(found) else ()


def check_taken_rows(files: Iterable[RuleFile], tables: Mapping[str, TypedTable]) -> Iterator[Fault]:
    """Rows by which an active rule would deny without an authority that binds, and cells that are no codes."""
    for document, rule in files:
        by_row = rule.by_row
        if by_row is None or rule.status == "draft":
            continue
        severity = by_row.severity
        if severity is not None and rule.status == "active" and not (rests_on_authority(rule) or rule.back_test):
            if isinstance(severity.operand, Column):
                yield from _unbound(severity.operand, rule, tables)
            else:
                wanted = "a fact says deny only where an authority of the rule binds, or is house-policy: add one"
                yield document.fault(("severity",), wanted)
        for name, source in (("carc", by_row.carc), ("rarc", by_row.rarc)):
            if isinstance(source, FromRow) and isinstance(source.operand, Column):
                yield from _wrong_codes(name, source.operand, tables)


def _unbound(column: Column, rule: Rule, tables: Mapping[str, TypedTable]) -> Iterator[Fault]:
    table = tables.get(column.look_up.table)
    for row in table.rows(None) if table is not None else ():
        if row.values.get(column.name) == "deny" and not _binds(row):
            yield Fault(
                table.file if table is not None else "",
                row.line,
                f"{column.name}: `deny` needs an authority that binds, and neither `{rule.id}` nor the row has one: "
                f"write warn, or say so in columns `{AUTHORITY}` (of {', '.join(AUTHORITY_KINDS)}), `{TITLE}` and "
                f"`{BINDING}` (yes) of the row",
            )


def _binds(row: TableRow) -> bool:
    kind, binds = row.values.get(AUTHORITY), row.values.get(BINDING)
    if row.values.get(TITLE) is None:
        return False
    return kind == "house-policy" or (kind in AUTHORITY_KINDS and kind != "advice" and binds is True)


def _wrong_codes(name: str, column: Column, tables: Mapping[str, TypedTable]) -> Iterator[Fault]:
    form, like = _FORMS[name]
    table = tables.get(column.look_up.table)
    for row in table.rows(None) if table is not None else ():
        value = row.values.get(column.name)
        for code in value if isinstance(value, tuple) else str(value or "").split():
            if not form.fullmatch(code):
                file = table.file if table is not None else ""
                yield Fault(file, row.line, f"{column.name}: `{code}` is no {name}: one looks like {like}")

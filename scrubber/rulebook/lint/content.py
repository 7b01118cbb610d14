"""Lints the content of rules: codes that no claim can have, unquoted codes, constants for tables, days without rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, NamedTuple

from scrubber.errors import Fault
from scrubber.rulebook.cell_forms import mistyped
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.field import UNKNOWN, Field, Type, field_named
from scrubber.rulebook.limits import WITH_CONDITIONS, Limits, limit_references
from scrubber.rulebook.line_items import ITEMS, PLURALS
from scrubber.rulebook.operators import (
    IN_LIST_OPERATORS,
    LIST_OPERATORS,
    OPERATORS,
    ORDER_OPERATORS,
    SHAPES,
    UNLESS_KNOWN,
)
from scrubber.rulebook.relations import QUANTIFIERS
from scrubber.rulebook.rule_tables import ROW_KEYS, LimitRow, RuleTable
from scrubber.rulebook.vocabulary import KINDS, LISTS_OF_FACTS
from scrubber.rulebook.yaml_file import Document, Position

_LEAVING_OUT = ("is-not", "none", "none-in")
_INSTEAD = f"write `{UNLESS_KNOWN}: [...]` if the rule holds for those too, or add `is-not: {UNKNOWN}` if it shall not"


def impossible_values(document: Document, payers: Collection[str]) -> Iterator[Fault]:
    """Codes in another form than claims have them in, and payers that no row of aliases names."""
    for position, fact, text in _values(document):
        message = never_met(fact, text, payers)
        if message:
            yield document.fault(position, message)


def silent_exclusions(document: Document) -> Iterator[Fault]:
    """Tests that leave out every claim whose payer or contractor is unknown, in rules that never speak of that."""
    silent: list[tuple[Position, str, str]] = []
    declared: set[str] = set()
    for position in document.lines:
        field = field_at(document, position) if position and position[0] in WITH_CONDITIONS else None
        if field is None or not field.may_be_unknown:
            continue
        if document.at(position) == UNKNOWN or position[-1] == UNLESS_KNOWN:
            declared.add(field.name)
        elif position[-1] in _LEAVING_OUT:
            silent.append((position, field.name, str(position[-1])))
    for position, name, operator in silent:
        if name not in declared:
            message = f"`{operator}` leaves out every claim whose {name} is unknown, and there the rule is not checked"
            yield document.fault(position, f"{message}: {_INSTEAD}")


_MAYBE_UNKNOWN = frozenset(
    field.name for kind in KINDS.values() for field in kind.fields.values() if field.may_be_unknown
)


def silent_definitions(document: Document) -> Iterator[Fault]:
    """The same for the definitions of a pack: one that leaves out who is unknown says so in no rule that uses it."""
    for position in document.lines:
        if len(position) < 4 or position[1] != "means" or position[-1] not in _LEAVING_OUT:
            continue
        name, tests = position[-2], document.at(position[:-1])
        if name not in _MAYBE_UNKNOWN or not isinstance(tests, Mapping) or UNKNOWN in _texts(tests):
            continue
        message = (
            f"`{position[-1]}` leaves out every claim whose {name} is unknown, in each rule that uses the definition"
        )
        yield document.fault(position, f"{message}: {_INSTEAD}")


def _texts(tests: Mapping[str, object]) -> set[str]:
    """What the operators of one fact are compared with."""
    values = (value if isinstance(value, list) else [value] for value in tests.values())
    return {text for each in values for text in each if isinstance(text, str)}


def never_met(fact: str, text: str, payers: Collection[str]) -> str | None:
    """Why no claim has this text in the fact; None where one may."""
    held = LISTS_OF_FACTS.get(fact)
    return mistyped(held, text, {"payers": payers}) if held else None


def _values(document: Document) -> Iterator[tuple[Position, str, str]]:
    """Position, fact and text of each value that a condition compares with."""
    for position in document.lines:
        if len(position) < 2 or position[0] not in WITH_CONDITIONS:
            continue
        field, text = field_at(document, position), document.at(position)
        if field is None or field.type not in (Type.TEXT, Type.CODES) or not isinstance(text, str):
            continue
        if text not in field.states and position[-1] not in IN_LIST_OPERATORS and not _is_part(position):
            yield position, field.name, text


def _is_part(position: Position) -> bool:
    """Whether the operator there, with its value or list of values, asks for beginnings or patterns: no whole codes."""
    return any(step in SHAPES for step in position[-2:])


MOST_CODES = 12  # of one list in a rule file

_CODED = (Type.TEXT, Type.CODES)
_CODE_KEYS = {"carc", "rarc", "category", "code"}
# Ends of the paths and columns of a test case that hold codes and identifiers; amounts and counts are numbers.
_CODE_NAMES = {
    "procedure", "modifiers", "place", "diagnoses", "code", "qualifier", "ndc", "taxonomy", "npi", "rendering-npi",
    "ordering-npi", "zip", "tax-id", "member-id", "payer-id", "filing", "frequency", "through", "payer_id",
    "contractor", "filing_indicator",
}  # fmt: skip


def unquoted_in_rule(document: Document) -> Iterator[Fault]:
    """Codes of a rule that other readers of YAML take for something else: 0450 is 296 to them, NO is false."""
    for position in sorted(document.misread, key=str):
        if _holds_code(document, position):
            yield _unquoted(document, position)


def unquoted_in_cases(document: Document) -> Iterator[Fault]:
    """The same for the changes, lines and table rows of test cases."""
    for position in sorted(document.misread, key=str):
        if len(position) > 1 and position[1] in ("change", "lines", "tables") and _case_name(position) in _CODE_NAMES:
            yield _unquoted(document, position)


def _unquoted(document: Document, position: Position) -> Fault:
    text = document.at(position)
    return document.fault(position, f'a code stands in quotes: write "{text}", or other programs read something else')


def _case_name(position: Position) -> str:
    names = [step for step in position if isinstance(step, str)]
    return names[-1].rpartition(".")[2]


def _holds_code(document: Document, position: Position) -> bool:
    if position[:1] in (("reason",), ("claim-status",)):
        return any(step in _CODE_KEYS for step in position)
    field = field_at(document, position)
    return field is not None and field.type in _CODED


def field_at(document: Document, position: Position) -> Field | None:
    """The fact, of the rule or of an item, that a value in a condition speaks of."""
    if len(position) < 2 or position[0] not in WITH_CONDITIONS or position[-1] == "fact" or "for" in position:
        return None
    operator = position[:-1] if isinstance(position[-1], int) else position
    leaf = document.at(operator[:-1])
    if isinstance(leaf, Mapping) and "fact" in leaf:
        name = leaf["fact"]
    else:
        name = operator[-2] if operator[-1] in OPERATORS else operator[-1]
    return field_named(_fields_at(document, position), str(name))


def _fields_at(document: Document, position: Position) -> Mapping[str, Field]:
    """The fields that conditions at a position may name: of the innermost relation, sum or count, else of the scope."""
    for end in range(len(position), 0, -1):
        key = str(position[end - 1])
        if key.partition("-")[0] in QUANTIFIERS and key.partition("-")[2] in ITEMS:
            return ITEMS[key.partition("-")[2]].fields
        above = document.at(position[:end])
        if end < len(position) and isinstance(above, Mapping) and (above.get("of") or above.get("count")):
            plural = above.get("of") or above["count"]
            item = ITEMS.get(PLURALS.get(str(plural[0] if isinstance(plural, list) else plural), ""))
            return item.fields if item else {}
    scope = document.content.get("scope") if isinstance(document.content, Mapping) else None
    kind = KINDS.get(scope) if isinstance(scope, str) else None
    return kind.fields if kind else {}


def table_matters(document: Document) -> Iterator[Fault]:
    """Limits and long lists change with dates, and so belong in a dated table; 0 and 1 are no limits."""
    for position in document.lines:
        if len(position) < 2 or position[0] not in WITH_CONDITIONS:
            continue
        if position[-1] in ORDER_OPERATORS and not _no_limit(document.at(position)):
            message = "a limit belongs in a dated table (limits), not in the rule: name it"
            yield document.fault(position, f"{message} with `{position[-1]}: {{limit: NAME}}`")
        if position[-1] in LIST_OPERATORS and _codes(document.at(position)) > MOST_CODES:
            named = f"more than {MOST_CODES} codes belong in a dated table (code-lists), not in the rule"
            yield document.fault(position, f"{named}: name the list with `{position[-1]}-in`")


def _codes(values: object) -> int:
    """How many codes a list holds; conditions are none."""
    return sum(isinstance(value, str) for value in values) if isinstance(values, list) else 0


def _no_limit(value: object) -> bool:
    try:
        return not isinstance(value, str) or Decimal(value) in (0, 1)
    except InvalidOperation:
        return True  # the loader reports that it is no number


# A code that left a list and returned leaves an intended gap: rows of these tables state membership.
MEMBERSHIP = frozenset(("code-lists", "diagnosis-lists", "needed-elements"))


class _DatedRow(NamedTuple):
    file: str
    line: int
    since: date | None
    until: date | None


def row_gaps(tables: Iterable[RuleTable]) -> Iterator[Fault]:
    """Rows that answer for the same, with days between them that have none."""
    by_key: dict[tuple[Any, ...], list[_DatedRow]] = defaultdict(list)
    for table in tables:
        if table.kind in MEMBERSHIP:
            continue
        for line, row in table.numbered:
            key = (table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind]))
            by_key[key].append(_DatedRow(table.name, line, row.since, row.until))
    for rows in by_key.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: row.since or date.min)):
            if earlier.until and later.since and earlier.until < later.since:
                yield _gap(earlier, later)


def _gap(earlier: _DatedRow, later: _DatedRow) -> Fault:
    where = f"line {earlier.line}" if earlier.file == later.file else f"line {earlier.line} of {earlier.file}"
    return Fault(
        later.file,
        later.line,
        f"no row answers from {earlier.until} to the day before {later.since}: {where} ends too early, or this one "
        "begins too late",
    )


def silent_days(files: Iterable[RuleFile], limits: Limits) -> Iterator[Fault]:
    """Limits that rules name and that have no row on some days of the rule."""
    for document, rule in files:
        for position, name in limit_references(document):
            days = _without_row(limits.get(name, ()), rule.since or date.min, rule.until or date.max)
            if days:
                message = (
                    f"the limit `{name}` has no row for dates of service {_span(*days)}, so the rule is silent there"
                )
                yield document.fault(position, f"{message}: add a row, or give the rule the days of its rows")


def _without_row(rows: Iterable[LimitRow], first: date, end: date) -> tuple[date, date] | None:
    """The first days from `first` to before `end` on which none of the rows, the oldest first, is in force."""
    for row in rows:
        if (row.since or date.min) > first:
            return (first, min(row.since or end, end)) if first < end else None
        first = max(first, row.until or date.max)
    return (first, end) if first < end else None


def _span(first: date, end: date) -> str:
    since = f"from {first}" if first > date.min else ""
    until = f"to the day before {end}" if end < date.max else "on" if since else "at all"
    return f"{since} {until}".strip()

"""Types the conditions of a rule file: `applies`, `when`, `bypassed`, and the limits of tables that they name.

A limit of one row without dates becomes a plain comparison. Otherwise each row becomes an alternative: the row's days
and the comparison. Both use the existing types of conditions, so every reader of conditions reads limits too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NamedTuple

from scrubber.rulebook.field import DECIMAL_PLACES, UNKNOWN, Field, Type, state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList
from scrubber.rulebook.rule_tables import LimitRow
from scrubber.rulebook.vocabulary import KINDS, FactKind
from scrubber.rulebook.yaml_file import Document, Position, iso_day

LIMIT_KEY = "limit"
MOST_ROWS = 30  # of one limit that rules name; a rule with more would have too many conditions anyway

Limits = Mapping[str, Sequence[LimitRow]]  # the rows of each limit by its name, the oldest first


class LimitAlternative(NamedTuple):
    """A comparison, and the days (ordinals) for which its row holds: from `since` to before `until`; None: open."""

    since: int | None
    until: int | None
    test: Compare


def by_name(rows: Iterable[LimitRow]) -> Limits:
    """The rows of each limit."""
    limits: dict[str, list[LimitRow]] = {}
    for row in sorted(rows, key=lambda row: row.since or date.min):
        limits.setdefault(row.name, []).append(row)
    return limits


def limit_name(value: object) -> str | None:
    """The limit that an operator's value names; None where it names none. Raises ValueError for other mappings."""
    if not isinstance(value, Mapping):
        return None
    name = value.get(LIMIT_KEY)
    if len(value) != 1 or not isinstance(name, str) or not name:
        raise ValueError("needs one number, or a limit of a table: {limit: NAME}")
    return name


def expand_limit(rows: Sequence[LimitRow], test: Callable[[LimitRow], Compare]) -> Condition:
    """True where the row that is in force on the fact's day passes the test; false on days without a row."""
    if len(rows) == 1 and not rows[0].since and not rows[0].until:
        return test(rows[0])
    return AnyOf(tuple(AllOf((*_days(row), test(row))) for row in rows))


def _days(row: LimitRow) -> Iterator[Compare]:
    if row.since:
        yield Compare("day", "at-least", row.since.toordinal())
    if row.until:
        yield Compare("day", "under", row.until.toordinal())


def limit_alternatives(condition: Condition) -> tuple[LimitAlternative, ...]:
    """The alternatives of a condition that `expand_limit` returned; empty for any other condition."""
    parts = condition.parts if isinstance(condition, AnyOf) else (AllOf((condition,)),)
    found = [_one_row(part) for part in parts]
    rows = tuple(row for row in found if row is not None)
    return rows if len(rows) == len(found) and len({(row.test.fact, row.test.op) for row in rows}) == 1 else ()


def _one_row(part: Condition) -> LimitAlternative | None:
    tests = [test for test in part.parts if isinstance(test, Compare)] if isinstance(part, AllOf) else []
    if not isinstance(part, AllOf) or not tests or len(tests) < len(part.parts):
        return None
    *bounds, test = tests
    days = {bound.op: bound.value for bound in bounds if bound.fact == "day" and isinstance(bound.value, int)}
    if test.fact == "day" or len(days) < len(bounds) or not days.keys() <= {"at-least", "under"}:
        return None
    return LimitAlternative(days.get("at-least"), days.get("under"), test)


def holds_on(row: LimitAlternative, day: object) -> bool:
    """Whether the row is in force on the day (an ordinal) of a fact; a fact without a day has no row."""
    if not isinstance(day, int):
        return False
    return (row.since is None or row.since <= day) and (row.until is None or day < row.until)


def format_days(row: LimitAlternative) -> str:
    """`from 2025-01-01 until before 2026-01-01`; empty for a row that holds on all days."""
    since = f"from {date.fromordinal(row.since)}" if row.since is not None else ""
    until = f"until before {date.fromordinal(row.until)}" if row.until is not None else "on" if since else ""
    return f"{since} {until}".strip()


def limit_references(document: Document) -> Iterator[tuple[Position, str]]:
    """Where the conditions of a rule file name a limit, and which."""
    for position in document.lines:
        if len(position) > 2 and position[0] in ("applies", "when", "bypassed") and position[-1] == LIMIT_KEY:
            name = document.at(position)
            if isinstance(name, str):
                yield position, name


ReportFault = Callable[[Position, str], None]

ORDERED = {Type.NUMBER, Type.DECIMAL, Type.AMOUNT}
LISTED = {Type.TEXT, Type.WORD, Type.CODES}
ORDER_OPERATORS = {"over": "over", "at-least": "at-least", "under": "under", "at-most": "at-most"}
DAY_OPERATORS = {"before": "under", "on-or-after": "at-least"}
LIST_OPERATORS = ("any", "all", "none")
IN_LIST_OPERATORS = {"any-in": "any", "all-in": "all", "none-in": "none"}
UNLESS_KNOWN = "not-known-to-be"  # none of these, or unknown: for facts that may be unknown
OPERATORS = {  # descriptions for authors of rules
    "is": "It is this.",
    "is-not": "It is known, and is something else.",
    "over": "It is more than this.",
    "at-least": "It is this or more.",
    "under": "It is less than this.",
    "at-most": "It is this or less.",
    "before": "It lies before this day.",
    "on-or-after": "It is this day or a later one.",
    "any": "It has one of these.",
    "all": "It has codes, and each is one of these.",
    "none": "It is known, and has none of these.",
    "any-in": "It has a code of this list.",
    "all-in": "It has codes, and each is in this list.",
    "none-in": "It is known, and has no code of this list.",
    UNLESS_KNOWN: "It is none of these, or is unknown.",
}
NEVER = AnyOf(())
_LIKENESS = 0.75  # of a misspelt name and the one that was meant
_HOLDS = {
    Type.WORD: "a word",
    Type.TEXT: "a text",
    Type.NUMBER: "a whole number",
    Type.DECIMAL: "a number",
    Type.AMOUNT: "dollars",
    Type.DAY: "a day",
    Type.FLAG: "yes or no",
    Type.CODES: "a list of codes",
}


class Conditions(NamedTuple):
    """The conditions of a rule; `bypassed` is None where it has none."""

    applies: Condition
    when: Condition
    bypassed: Condition | None = None


class TypingContext(NamedTuple):
    """What typing a condition needs: the kind of fact it may read, the limits it may name, where faults are reported.

    `limits` is None where tables could not be read: a limit is then NEVER, and no fault of the rule.
    """

    kind: FactKind
    limits: Limits | None
    report: ReportFault


def rule_conditions(document: Document, limits: Limits | None, report: ReportFault) -> Conditions:
    """The conditions of a rule file, whatever else is wrong with it; NEVER for what cannot be typed."""
    content = document.content if isinstance(document.content, Mapping) else {}
    scope = content.get("scope")
    kind = KINDS.get(scope) if isinstance(scope, str) else None
    if kind is None or content.get("when") is None:
        return Conditions(NEVER, NEVER)
    context = TypingContext(kind, limits, report)
    return Conditions(
        applies_condition(content.get("applies"), ("applies",), context),
        when_condition(content["when"], ("when",), context),
        when_condition(content["bypassed"], ("bypassed",), context) if content.get("bypassed") is not None else None,
    )


def applies_condition(raw: object, position: Position, context: TypingContext) -> Condition:
    """`applies`: a mapping of facts to a value (`is`) or to operators, all of which must hold. None: always."""
    if raw is None:
        return AllOf(())
    if not isinstance(raw, Mapping):
        context.report(position, "must be a mapping of facts, such as {procedure: {any: [...]}}")
        return NEVER
    parts: list[Condition] = []
    for fact, wanted in raw.items():
        tests = wanted if isinstance(wanted, Mapping) else {"is": wanted}
        parts.extend(_tests(str(fact), tests, (*position, str(fact)), context))
    return AllOf(tuple(parts))


def when_condition(raw: object, position: Position, context: TypingContext) -> Condition:
    """`when`: {all: [...]}, {any: [...]} or {fact: NAME, OPERATOR: VALUE}."""
    if not isinstance(raw, Mapping):
        context.report(position, "must be {all: [...]}, {any: [...]} or {fact: NAME, OPERATOR: VALUE}")
        return NEVER
    if "fact" in raw:
        tests = {key: value for key, value in raw.items() if key != "fact"}
        return _one(list(_tests(str(raw["fact"]), tests, position, context)))
    if len(raw) == 1 and (word := next(iter(raw))) in ("all", "any"):
        return _group(str(word), raw[word], (*position, str(word)), context)
    context.report(position, "needs exactly one of `all`, `any` or `fact`")
    return NEVER


def _group(word: str, raw: object, position: Position, context: TypingContext) -> Condition:
    if not isinstance(raw, list) or not raw:
        context.report(position, f"`{word}` needs a list of at least one condition")
        return NEVER
    parts = tuple(when_condition(part, (*position, index), context) for index, part in enumerate(raw))
    return AllOf(parts) if word == "all" else AnyOf(parts)


def _one(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _tests(fact: str, tests: Mapping[Any, Any], position: Position, context: TypingContext) -> Iterator[Condition]:
    kind = context.kind
    field = kind.fields.get(fact)
    if field is None:
        context.report(position, f"`{fact}` is no fact of {kind.name}; {known_fields(fact, kind)}")
        return
    if not tests:
        context.report(position, f"says nothing of `{fact}`: add one of {', '.join(OPERATORS)}")
    for operator, value in tests.items():
        yield _test(field, str(operator), value, (*position, str(operator)), context)


def known_fields(name: str, kind: FactKind, *others: str) -> str:
    """What an author may have meant by a name that is no field of a kind: names like it, and the names there are.

    `others` are names beside the fields. Of elements of the catalogue only those are named that are like it.
    """
    near = get_close_matches(name, (*kind.fields, *others), n=3, cutoff=_LIKENESS)
    meant = f"perhaps {' or '.join(f'`{one}`' for one in near)} was meant; " if near else ""
    names = sorted((*others, *(field.name for field in kind.fields.values() if not field.element)))
    elements = ", and the elements of docs/elements.md" if any(field.element for field in kind.fields.values()) else ""
    return f"{meant}there are: {', '.join(names)}{elements}"


def _test(field: Field, operator: str, value: object, position: Position, context: TypingContext) -> Condition:
    try:
        return _typed(field, operator, value, context.limits)
    except ValueError as error:
        context.report(position, str(error))
        return NEVER


def _typed(field: Field, operator: str, value: object, limits: Limits | None) -> Condition:
    if operator in ("is", "is-not"):
        return _equality(field, operator, value)
    if operator == UNLESS_KNOWN:
        return _unless_known(field, value)
    if operator in LIST_OPERATORS or operator in IN_LIST_OPERATORS:
        if field.type not in LISTED:
            raise ValueError(f"`{operator}` is for codes and words; `{field.name}` holds {_HOLDS[field.type]}")
        if operator in IN_LIST_OPERATORS:
            return InList(field.name, IN_LIST_OPERATORS[operator], _scalar(value))
        return _listed(field, operator, _values(field, operator, value))
    return _order(field, operator, value, limits)


def _listed(field: Field, operator: str, values: tuple[str, ...]) -> Condition:
    """One of these, or none of them; `unknown` among them is the field's state, which `none` excludes in any case."""
    if operator == "none" or not field.may_be_unknown or UNKNOWN not in values:
        return Has(field.name, operator, values)
    named = tuple(value for value in values if value != UNKNOWN)
    unknown = Compare(state_key(field.name), "is", UNKNOWN)
    return AnyOf((Has(field.name, operator, named), unknown)) if named else unknown


def _unless_known(field: Field, value: object) -> Condition:
    if not field.may_be_unknown:
        raise ValueError(f"`{UNLESS_KNOWN}` is for facts that may be unknown: payer and contractor; say `none`")
    named = Has(field.name, "none", _values(field, UNLESS_KNOWN, value))
    return AnyOf((named, Compare(state_key(field.name), "is", UNKNOWN)))


def _order(field: Field, operator: str, value: object, limits: Limits | None) -> Condition:
    words = DAY_OPERATORS if field.type is Type.DAY else ORDER_OPERATORS if field.type in ORDERED else {}
    if operator not in OPERATORS:
        raise ValueError(f"`{operator}` is no operator; there are: {', '.join(OPERATORS)}")
    if operator not in words:
        raise ValueError(f"`{operator}` does not go with `{field.name}`, which holds {_HOLDS[field.type]}")
    name = limit_name(value) if words is ORDER_OPERATORS else None
    if name is not None:
        return _by_limit(field, operator, name, limits)
    return Compare(field.name, words[operator], constant(field, _scalar(value)))


def _by_limit(field: Field, operator: str, name: str, limits: Limits | None) -> Condition:
    if limits is None:
        return NEVER
    if name not in limits:
        known = ", ".join(sorted(limits)) or "none"
        raise ValueError(f"there is no limit `{name}` in any table of kind limits; there are: {known}")
    if len(limits[name]) > MOST_ROWS:
        raise ValueError(
            f"the limit `{name}` has {len(limits[name])} rows; one that a rule names has at most {MOST_ROWS}"
        )

    def test(row: LimitRow) -> Compare:
        try:
            return Compare(field.name, operator, constant(field, f"{row.value.normalize():f}"))
        except ValueError as error:
            raise ValueError(f"the limit `{name}` is {row.value:f}, and {error}") from None

    return expand_limit(limits[name], test)


def _equality(field: Field, operator: str, value: object) -> Condition:
    text = _scalar(value)
    if text in field.states:
        if operator == "is-not" and text == UNKNOWN:
            return Compare(field.name, operator, text)  # it has a value, and none is called so
        if operator == "is-not":
            raise ValueError(f"`is-not` does not go with the state `{text}`: name what it must be instead")
        return Compare(state_key(field.name), "is", text)
    if field.type is Type.CODES:
        raise ValueError(f"`{field.name}` is a list: say `any`, `all` or `none`")
    return Compare(field.name, operator, constant(field, text))


def _values(field: Field, operator: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"`{operator}` needs a list of at least one code")
    texts = tuple(_scalar(item) for item in value)
    if field.words:
        for text in texts:
            _checked_word(field, text)
    return texts


def _scalar(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("needs one text or number")
    return value


def _checked_word(field: Field, text: str) -> str:
    if text not in field.words:
        known = ", ".join((*field.words, *field.states))
        raise ValueError(f"`{field.name}` is never `{text}`; it is one of: {known}")
    return text


def constant(field: Field, text: str) -> str | int | bool:
    """`text` as a value of the field's type: cents, millionths, a day ordinal, … Raises ValueError."""
    if field.type is Type.WORD:
        return _checked_word(field, text) if field.words else text
    if field.type is Type.TEXT:
        return text
    if field.type is Type.FLAG:
        if text not in ("yes", "no"):
            raise ValueError(f"`{field.name}` is `yes` or `no`")
        return text == "yes"
    if field.type is Type.DAY:
        day = iso_day(text)
        if day is None:
            raise ValueError(f"`{field.name}` needs a date such as 2025-03-12")
        return day.toordinal()
    return _number(field, text)


_SCALES = {Type.NUMBER: 0, Type.AMOUNT: 2, Type.DECIMAL: DECIMAL_PLACES}
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.([0-9]+))?", re.ASCII)


def _number(field: Field, text: str) -> int:
    decimals = _SCALES[field.type]
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"`{field.name}` needs a plain number of at most 12 digits")
    if len(found[1] or "") > decimals:
        raise ValueError(f"`{field.name}` takes at most {decimals} decimals")
    return int(Decimal(text).scaleb(decimals))


def format_number(field: Field, value: str | int) -> str:
    """A typed number as a rule file has it: dollars from cents, 2.5 from millionths."""
    return f"{Decimal(value).scaleb(-_SCALES[field.type]).normalize():f}"

"""Lists what could not be checked on a claim: an element is missing, or no table answers for the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from scrubber.claim.elements import ELEMENTS
from scrubber.facts.medicaid import MEDICAID, loaded_as, own_edits
from scrubber.facts.service_lines import TOGETHER, LineView, payer_fields
from scrubber.findings.finding import NO_TABLE, UNREADABLE, Finding, NotChecked, Switches
from scrubber.reference import Reference
from scrubber.remembered import remembered
from scrubber.rulebook.rule import AllOf, Compare, Condition, Has, InList, Rule, leaves
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import CodeLists, Rulebook
from scrubber.rulebook.vocabulary import KINDS

LINE_SCOPES = frozenset(kind.name for kind in KINDS.values() if kind.of_lines)
JOINED = frozenset(kind.name for kind in KINDS.values() if kind.joins)
UNREAD = ("modifiers", *sorted(TOGETHER))
READ_FROM_MODIFIERS = frozenset(("modifiers", "setApart", "bypass", "modifierSupport"))
READ_FROM_PLACE = frozenset(("place", "setting", "facilityNotApplicable"))
READ_FROM_UNITS = frozenset(("units", "unitsOverMue"))
READ_FROM_POINTERS = frozenset(("diagnoses", "diagnosisTest"))


def unjudged(
    views: Sequence[LineView], payer: Payer, day: date, rulebook: Rulebook, switches: Switches
) -> Iterator[NotChecked]:
    """One entry for each line with a missing element and each active rule that may apply to it."""
    for view in views:
        line = view.line
        present = view.first and line.procedure and line.units is not None and view.diagnoses and view.place
        if present and not view.unread:
            continue  # nothing is missing: as on nearly every line
        missing = _missing(view)
        for rule in rulebook.running:
            if switches.status(rule) != "active":
                continue
            lacks = tuple(element for element in missing if _needs(rule, element))
            if lacks and rulebook.applied(rule, payer, day) and may_apply(rule, view, rulebook.lists):
                yield NotChecked(rule, (view.number,), lacks, _message(view, rule, lacks), UNREADABLE)


def _missing(view: LineView) -> tuple[str, ...]:
    line = view.line
    present = {
        "service-date": view.first is not None,
        "procedure": line.procedure is not None,
        "units": line.units is not None,
        "diagnosis-pointers": bool(view.diagnoses),
        "line-place": view.place is not None,
        **{element: element not in view.unread for element in UNREAD},
    }
    return tuple(element for element, there in present.items() if not there)


def _needs(rule: Rule, element: str) -> bool:
    if rule.scope not in LINE_SCOPES:
        return False
    read = {leaf.fact for leaf in leaves(rule.when)}
    if element in TOGETHER:
        return rule.scope in JOINED
    if element == "units":
        return rule.scope == "code-day" or not READ_FROM_UNITS.isdisjoint(read)
    if element == "modifiers":
        return not READ_FROM_MODIFIERS.isdisjoint(read | {leaf.fact for leaf in leaves(rule.applies)})
    if element == "line-place":
        return not READ_FROM_PLACE.isdisjoint(read | {leaf.fact for leaf in leaves(rule.applies)})
    return element != "diagnosis-pointers" or not READ_FROM_POINTERS.isdisjoint(read)


def _message(view: LineView, rule: Rule, lacks: tuple[str, ...]) -> str:
    labels = " and ".join(ELEMENTS[element].label for element in lacks)
    return f"Line {view.number}: “{rule.title}” was not checked, because the {labels} cannot be read."


def may_apply(rule: Rule, view: LineView, lists: CodeLists) -> bool:
    """False only when the known values of the line rule it out."""
    if rule.scope != "pair" or view.line.procedure is None:
        return possible(rule.applies, view.values, lists)
    sides = ({**view.values, side: view.line.procedure} for side in ("first", "second"))
    return any(possible(rule.applies, side, lists) for side in sides)


def possible(condition: Condition, values: Mapping[str, Any], lists: CodeLists) -> bool:
    """False only when the values that are known rule the condition out."""
    if isinstance(condition, AllOf):
        return all(possible(part, values, lists) for part in condition.parts)
    if isinstance(condition, Has | InList | Compare) and condition.fact in values:
        return _leaf_possible(condition, values[condition.fact], lists)
    return True


def _leaf_possible(leaf: Has | InList | Compare, value: Any, lists: CodeLists) -> bool:
    if isinstance(leaf, Compare):
        return leaf.op != "is" or bool(value == leaf.value)
    codes = value if isinstance(value, tuple) else (value,)
    inside = [code in leaf.values if isinstance(leaf, Has) else lists.may_contain(leaf.list, code) for code in codes]
    return any(inside) if leaf.op == "any" else True


REMEMBERED = 16_384  # days, and codes by day and payer, in the caches of a process
PAIR_SIDES = ("first", "second")


class _RuleWithoutTable(NamedTuple):
    """A rule, the tables that it rests on and that do not answer on a day, and why the first of them does not.

    Tables have the names under which they are loaded.
    """

    rule: Rule
    tables: tuple[str, ...]
    why: str
    message: str  # the text after the line numbers


class _LineItems(NamedTuple):
    """The entries of one line: in any case, if it has units, and if other lines go with it."""

    alone: tuple[NotChecked, ...]
    of_units: tuple[NotChecked, ...]
    of_others: tuple[NotChecked, ...]


def unreached(
    views: Sequence[LineView], payer: Payer, day: date, rulebook: Rulebook, reference: Reference, switches: Switches
) -> Iterator[NotChecked]:
    """One entry for each line and each active rule that reads a table which does not answer on its day.

    Rules about diagnoses are judged on the claim's first day, and reported once, with the lines that point to any.
    """
    for view in views:
        code, first = view.line.procedure, view.first
        if code is None or first is None or not _silent_tables(first, rulebook, reference):
            continue  # every table answers: as on nearly every line
        rows = _of_line(code, view.number, first, payer, rulebook, reference)
        items = [*rows.alone, *rows.of_units] if view.line.units else [*rows.alone]
        if rows.of_others and _has_company(view, views):
            items += rows.of_others
        for row in items:
            if switches.status(row.rule) == "active":
                yield row
    if _silent_tables(day, rulebook, reference):
        lines = tuple([view.number for view in views if view.diagnoses])
        for item in _of_diagnoses(day, lines, payer, rulebook, reference) if lines else ():
            if switches.status(item.rule) == "active":
                yield item


def _not_checked(without: _RuleWithoutTable, lines: tuple[int, ...]) -> NotChecked:
    where = f"Line {lines[0]}" if len(lines) == 1 else "The diagnoses"
    return NotChecked(without.rule, lines, without.tables, f"{where}: {without.message}", without.why)


def _has_company(view: LineView, views: Sequence[LineView]) -> bool:
    """Whether a rule about several lines has another line to compare this one with."""
    return any(
        other.line.procedure and other.line.procedure != view.line.procedure and other.provider == view.provider
        for other in views
        if other.first and other.last and view.first and view.last
        if other.first <= view.last and view.first <= other.last
    )


@remembered(REMEMBERED)
def _silent_tables(day: date, rulebook: Rulebook, reference: Reference) -> tuple[str, ...]:
    """The tables that active rules rest on and that do not answer on a day."""
    tables = dict.fromkeys(table for _, tables in _resting(rulebook) for table in tables)
    return tuple(table for table in tables if reference.silent(table, day))


@remembered(REMEMBERED)
def _of_line(code: str, number: int, day: date, payer: Payer, rulebook: Rulebook, reference: Reference) -> _LineItems:
    """The rules that cannot be judged on a line of a code and a day."""
    rows = [
        (without.rule.scope, _not_checked(without, (number,)))
        for without in _of_code(code, day, payer, rulebook, reference)
    ]
    return _LineItems(
        tuple(row for scope, row in rows if scope not in JOINED),
        tuple(row for scope, row in rows if scope == "code-day"),
        tuple(row for scope, row in rows if scope in JOINED and scope != "code-day"),
    )


@remembered(REMEMBERED)
def _of_code(
    code: str, day: date, payer: Payer, rulebook: Rulebook, reference: Reference
) -> tuple[_RuleWithoutTable, ...]:
    """The rules that cannot be judged on any line of a code and a day."""
    values = {**payer_fields(payer), "procedure": code, "day": day.toordinal()}
    sides = [{**values, side: code} for side in PAIR_SIDES]
    return tuple(
        without
        for without in _of_day(day, payer, rulebook, reference)
        if without.rule.scope in LINE_SCOPES
        and any(
            possible(without.rule.applies, held, rulebook.lists)
            for held in (sides if without.rule.scope == "pair" else (values,))
        )
    )


@remembered(REMEMBERED)
def _of_diagnoses(
    day: date, lines: tuple[int, ...], payer: Payer, rulebook: Rulebook, reference: Reference
) -> tuple[NotChecked, ...]:
    """The rules about diagnoses that cannot be judged, as entries for these lines."""
    rules = _of_day(day, payer, rulebook, reference)
    return tuple(_not_checked(without, lines) for without in rules if without.rule.scope == "diagnosis")


@remembered(REMEMBERED)
def _of_day(day: date, payer: Payer, rulebook: Rulebook, reference: Reference) -> tuple[_RuleWithoutTable, ...]:
    """The rules in force that the payer applies and that rest on a table that does not answer on the day."""
    silent = frozenset(_silent_tables(day, rulebook, reference))
    return tuple(
        _without_table(rule, tuple(table for table in tables if table in silent), day, payer, reference)
        for rule, tables in _resting(rulebook)
        if not silent.isdisjoint(tables)
        and (rule.since is None or rule.since <= day)
        and (rule.until is None or day < rule.until)
        and _may_apply_pack(rule, payer, day, rulebook)
    )


def _may_apply_pack(rule: Rule, payer: Payer, day: date, rulebook: Rulebook) -> bool:
    """Whether the payer applies the rule's pack; Medicaid may, where no row says: a state or a plan decides."""
    adopted = rulebook.applied(rule, payer, day)
    return payer.line_of_business == MEDICAID if adopted is None else adopted


def _without_table(
    rule: Rule, tables: tuple[str, ...], day: date, payer: Payer, reference: Reference
) -> _RuleWithoutTable:
    why = reference.silent(tables[0], day) or NO_TABLE
    loaded = tuple(loaded_as(table, payer.line_of_business) for table in tables)
    names = ", ".join(loaded)
    because = f"no release of {names} is loaded" if why == NO_TABLE else f"no loaded release of {names} reaches {day}"
    return _RuleWithoutTable(rule, loaded, why, f"“{rule.title}” was not checked, because {because}.")


@remembered(4)
def _resting(rulebook: Rulebook) -> tuple[tuple[Rule, tuple[str, ...]], ...]:
    """The running rules that rest on reference tables, each with their names."""
    found = [(rule, tables_of(rule)) for rule in rulebook.running]
    return tuple((rule, tables) for rule, tables in found if tables)


def tables_of(rule: Rule) -> tuple[str, ...]:
    """The reference tables from which the facts that a rule reads are made, each once."""
    fields = rule.kind.fields
    read = [leaf.fact.removesuffix("?") for part in (rule.applies, rule.when) for leaf in leaves(part)]
    return tuple(dict.fromkeys(table for name in read if name in fields for table in fields[name].tables))


def all_unchecked(
    judged: Iterable[NotChecked],
    findings: Sequence[Finding],
    views: Sequence[LineView],
    payer: Payer,
    day: date,
    rulebook: Rulebook,
    reference: Reference,
    switches: Switches,
) -> tuple[NotChecked, ...]:
    """What `judge` could not judge, what lines lack, and what tables do not cover. A rule that fired was checked."""
    lacking = lacking_something(views, payer, day, rulebook, reference, switches)
    if lacking:
        fired: dict[str, set[int]] = {}
        for finding in findings:
            fired.setdefault(finding.rule.id, set()).update(finding.lines)
        lacking = [item for item in lacking if item.rule.id not in fired or fired[item.rule.id].isdisjoint(item.lines)]
    return unchecked_in_order([*judged, *lacking])


def lacking_something(
    views: Sequence[LineView], payer: Payer, day: date, rulebook: Rulebook, reference: Reference, switches: Switches
) -> list[NotChecked]:
    """What cannot be judged on lines for want of an element, else of a table: each rule once a line."""
    lacking = [*unjudged(views, payer, day, rulebook, switches)]
    without_table = [*unreached(views, payer, day, rulebook, own_edits(payer, reference), switches)]
    if lacking and without_table:
        listed = {(item.rule.id, item.lines) for item in lacking}
        without_table = [item for item in without_table if (item.rule.id, item.lines) not in listed]
    return lacking + without_table


def unchecked_in_order(unchecked: Iterable[NotChecked]) -> tuple[NotChecked, ...]:
    """By line, then by rule, without duplicates."""
    unique = {(item.lines, item.rule.id, item.missing, item.message): item for item in unchecked}
    return tuple([unique[key] for key in sorted(unique)]) if len(unique) > 1 else tuple(unique.values())

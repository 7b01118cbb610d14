"""Loads the dated tables of the packs, and checks rows against each other and against the packs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from scrubber.claim.elements import ELEMENTS
from scrubber.dated_rows import numbered_rows
from scrubber.errors import Fault, Faults
from scrubber.likeness import Suggestions
from scrubber.rulebook.cell_forms import not_known
from scrubber.rulebook.field import UNKNOWN
from scrubber.rulebook.read_typed_table import SUFFIX, read_typed_table
from scrubber.rulebook.reference_tables import REFERENCE_TABLES
from scrubber.rulebook.rule_tables import ROW_KEYS, ROW_TYPES, RuleTable
from scrubber.rulebook.rulebook import Pack
from scrubber.rulebook.satisfiable import in_range
from scrubber.rulebook.schema import AUTHORITY_KINDS
from scrubber.rulebook.table_ties import tied_rows
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS


def load_tables(folder: Path, packs: Mapping[str, Pack], faults: list[Fault]) -> list[RuleTable]:
    """Every table that a pack.yaml lists; those with faults are left out."""
    tables = []
    for pack_name, pack in packs.items():
        position = folder / pack_name / "tables"
        for file, kind in pack.tables.items():
            name = f"{pack_name}/tables/{file}"
            try:
                tables.append(RuleTable(name, kind, numbered_rows(position / file, ROW_TYPES[kind], ROW_KEYS[kind])))
            except Faults as error:
                faults += [fault._replace(file=name) for fault in error.faults]
        found = {path.name for path in position.glob("*.csv")}
        for file in sorted(found - pack.tables.keys() - pack.own_tables.keys()):
            faults.append(Fault(f"{pack_name}/tables/{file}", 0, "is not listed under `tables` of pack.yaml"))
    return tables


def load_own_tables(
    folder: Path, packs: Mapping[str, Pack], tables: Iterable[RuleTable], faults: list[Fault]
) -> dict[str, TypedTable]:
    """The tables that packs declare themselves, by name; those with faults have no rows.

    `tables` are those of built-in kinds: they have the names of payers and of code lists.
    """
    rows = all_rows(tables)
    payers = {row.payer for row in rows.get("aliases", ())}
    owners = dict.fromkeys((row.list for row in rows.get("code-lists", ())), "a code list")
    owners |= dict.fromkeys(REFERENCE_TABLES, "a reference table")
    loaded = {}
    for pack_name, pack in packs.items():
        for file, declaration in pack.own_tables.items():
            table = f"{pack_name}/tables/{file}"
            name = file.removesuffix(SUFFIX)
            if name in owners:
                faults.append(
                    Fault(table, 0, f"bears the name of {owners[name]}, `{name}`: give the file another name")
                )
            owners[name] = f"the table {table}"
            try:
                loaded[name] = read_typed_table(folder / pack_name / "tables" / file, table, declaration, payers)
                faults += tied_rows(loaded[name])
            except Faults as error:
                faults += error.faults
                loaded[name] = TypedTable(name, table, declaration, ())  # so that rules which name it have no fault
    return loaded


def all_rows(tables: Iterable[RuleTable]) -> dict[str, tuple[Any, ...]]:
    """The rows of all files by kind of table."""
    rows: dict[str, tuple[Any, ...]] = {}
    for table in tables:
        rows[table.kind] = rows.get(table.kind, ()) + table.rows
    return rows


_EARLIER_LISTS = Path(__file__).parent / "earlier" / "code-lists.csv"


def with_earlier_lists(rows: Mapping[str, tuple[Any, ...]]) -> Mapping[str, tuple[Any, ...]]:
    """The rows with each list of codes that the program had itself once, where a rulebook of that time lacks it."""
    listed = rows.get("code-lists", ())
    names = {row.list for row in listed}
    missing = tuple(row for row in _earlier_lists() if row.list not in names)
    return {**rows, "code-lists": (*listed, *missing)} if missing else rows


@lru_cache(1)
def _earlier_lists() -> tuple[Any, ...]:
    numbered: tuple[tuple[int, Any], ...] = numbered_rows(
        _EARLIER_LISTS, ROW_TYPES["code-lists"], ROW_KEYS["code-lists"]
    )
    return tuple(row for _, row in numbered)


def check_rows(tables: Iterable[RuleTable], packs: Collection[str]) -> Iterator[Fault]:
    """Rows of two files that tie; names, ranges and amounts in rows that are impossible."""
    tables = tuple(tables)
    yield from _ties(tables)
    rows = all_rows(tables)
    names = {
        "packs": set(packs),
        "lists": {row.list for row in rows.get("code-lists", ())},
        "diagnosis lists": {row.list for row in rows.get("diagnosis-lists", ())},
        "frequencies": {row.name for row in rows.get("frequencies", ())},
        "payers": {row.payer for row in rows.get("aliases", ())},
        "plans": {row.plan for row in rows.get("plans", ())},
        "lines of business": LINES_OF_BUSINESS,
        "authorities": AUTHORITY_KINDS,
        "elements": ELEMENTS,
    }
    known = {what: Suggestions(known_names) for what, known_names in names.items()}
    for table in tables:
        check = _CHECKS.get(table.kind, _nothing)
        for line, row in table.numbered:
            for message in check(row, known):
                yield Fault(table.name, line, message)


def _ties(tables: Iterable[RuleTable]) -> Iterator[Fault]:
    """Rows of two files that answer for the same on the same day; within one file the reader has seen to it."""
    by_key: dict[tuple[Any, ...], list[tuple[str, int, Any]]] = defaultdict(list)
    for table in tables:
        for line, row in table.numbered:
            by_key[table.kind, *(getattr(row, name) for name in ROW_KEYS[table.kind])].append((table.name, line, row))
    for rows in by_key.values():
        order = {placed[:2]: position for position, placed in enumerate(rows)}  # as the tables are read
        rows.sort(key=lambda placed: placed[2].since or date.min)
        name, line, row = rows[0]  # of those before, the one that is in force longest
        for other, other_line, other_row in rows[1:]:
            if name != other and (other_row.since or date.min) < (row.until or date.max):
                first, second = sorted(((name, line), (other, other_line)), key=order.__getitem__)
                yield Fault(*second, f"answers for the same on the same day as line {first[1]} of {first[0]}")
            if (other_row.until or date.max) > (row.until or date.max):
                name, line, row = other, other_line, other_row


KnownNames = Mapping[str, Suggestions]

_CONTRACTOR = re.compile(r"[0-9]{5}")
_PROCEDURE = re.compile(r"[0-9A-Z]{5}")


def _nothing(_: Any, __: KnownNames) -> Iterator[str]:
    return iter(())


def _code_list(row: Any, _: KnownNames) -> Iterator[str]:
    if row.through is not None and not in_range(row.through, row.code, row.through):
        yield "`through` must be a later code of the same length, and end in the same letter where the code ends in one"


def _adoption(row: Any, known: KnownNames) -> Iterator[str]:
    if row.pack not in known["packs"]:
        yield f"there is no pack `{row.pack}`{known['packs'].known_names(row.pack)}"
    if row.rule is None:
        yield from _adoption_of_pack(row)
    else:
        if row.adopted is None and row.severity is None:
            yield "says nothing: `adopted` is yes or no, or `severity` is info or warn"
        if row.adopted is False and row.severity is not None:
            yield "a rule that is switched off has no `severity`: leave one of the two blank"
        for column in ("reason", "owner"):
            if getattr(row, column) is None:
                yield f"a row that names a rule has a `{column}`: {_WHY_BY_RULE[column]}"
    yield from _scope(row, known)


_WHY_BY_RULE = {"reason": "why this payer is apart", "owner": "the role that answers for it, never a person"}


def _adoption_of_pack(row: Any) -> Iterator[str]:
    if row.adopted is None:
        yield "`adopted` is yes or no; only a row that names a rule may leave it blank"
    if row.severity is not None:
        yield "`severity` is for a row that names a `rule`: a pack has none"


def _line_of_business(row: Any, known: KnownNames) -> Iterator[str]:
    if row.line_of_business is not None and row.line_of_business not in LINES_OF_BUSINESS:
        like = known["lines of business"].perhaps(row.line_of_business)
        yield f"`line_of_business` is one of: {', '.join(LINES_OF_BUSINESS)}{like}"


def _scope(row: Any, known: KnownNames) -> Iterator[str]:
    """A row for a payer whom no claim can name would never answer, and nobody would see it."""
    yield from _line_of_business(row, known)
    if row.payer is not None and row.payer not in known["payers"]:
        yield not_known("payers", row.payer, known["payers"])
    if row.plan is not None and row.plan not in known["plans"]:
        yield f"no row of plans has the plan `{row.plan}`{known['plans'].known_names(row.plan)}"
    if row.contractor is not None and not _CONTRACTOR.fullmatch(row.contractor):
        yield "`contractor` is the five digits of a Medicare contractor, such as 10112"


def _code(row: Any) -> Iterator[str]:
    if row.code is not None and not _PROCEDURE.fullmatch(row.code):
        yield "`code` is a procedure code of five digits and capital letters, without a modifier"


def _payer_fee(row: Any, known: KnownNames) -> Iterator[str]:
    yield from _code(row)
    if (row.amount or 0) < 0 or (row.percent_of_medicare or 0) < 0:
        yield "neither `amount` nor `percent_of_medicare` is below zero"
    if (row.amount is None) == (row.percent_of_medicare is None):
        yield "give either `amount` or `percent_of_medicare`"
    yield from _scope(row, known)


def _policy(row: Any, known: KnownNames) -> Iterator[str]:
    yield from _code(row)
    if row.diagnosis_list is not None and row.diagnosis_list not in known["diagnosis lists"]:
        yield f"there is no diagnosis list `{row.diagnosis_list}`{known['diagnosis lists'].perhaps(row.diagnosis_list)}"
    if row.frequency is not None and row.frequency not in known["frequencies"]:
        yield f"there is no frequency limit `{row.frequency}`{known['frequencies'].perhaps(row.frequency)}"
    if row.authority not in AUTHORITY_KINDS:
        yield f"`authority` is one of: {', '.join(AUTHORITY_KINDS)}{known['authorities'].perhaps(row.authority)}"
    if row.effect == "deny" and not row.binding and row.authority != "house-policy":
        yield "a deny needs a binding authority or a house-policy"
    yield from _scope(row, known)


def _frequency(row: Any, known: KnownNames) -> Iterator[str]:
    if row.code_list not in known["lists"]:
        yield f"there is no code list `{row.code_list}`{known['lists'].perhaps(row.code_list)}"
    if row.excepted_diagnoses is not None and row.excepted_diagnoses not in known["lists"]:
        yield f"there is no code list `{row.excepted_diagnoses}`{known['lists'].perhaps(row.excepted_diagnoses)}"
    if row.months < 1:
        yield "`months` must be at least 1"


def _needed_element(row: Any, known: KnownNames) -> Iterator[str]:
    if row.element not in ELEMENTS:
        like = known["elements"].perhaps(row.element)
        yield f"`{row.element}` is no element of a claim{like}; docs/writing-rules.md lists them all"


def _alias(row: Any, _: KnownNames) -> Iterator[str]:
    if row.payer == UNKNOWN:
        yield f"`payer`: {UNKNOWN} is the word for a payer that no row names"


_CHECKS: Mapping[str, Callable[[Any, KnownNames], Iterator[str]]] = {
    "code-lists": _code_list,
    "aliases": _alias,
    "adoptions": _adoption,
    "filing-indicators": _line_of_business,
    "plans": _line_of_business,
    "payer-fees": _payer_fee,
    "policies": _policy,
    "frequencies": _frequency,
    "needed-elements": _needed_element,
}

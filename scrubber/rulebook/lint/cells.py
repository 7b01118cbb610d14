"""Lints cells of tables: values that no claim can meet, and rows, lists and limits that nothing uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from scrubber.claim.elements import ELEMENTS
from scrubber.dated_rows import Dated
from scrubber.errors import Fault
from scrubber.rulebook.cell_forms import mistyped
from scrubber.rulebook.check import RuleFile, limits_named, lists_in, lists_named
from scrubber.rulebook.family import Family
from scrubber.rulebook.limits import LIMIT_KEY, WITH_CONDITIONS, limit_references
from scrubber.rulebook.lint.content import field_at
from scrubber.rulebook.operators import IN_LIST_OPERATORS
from scrubber.rulebook.relations import OfLimit, walk
from scrubber.rulebook.rule_tables import RuleTable
from scrubber.rulebook.rulebook import Pack
from scrubber.rulebook.same import SAME_MODIFIERS
from scrubber.rulebook.satisfiable import in_range
from scrubber.rulebook.vocabulary import LIMITS_READ, LISTS_OF_FACTS, LISTS_READ, X12_LISTS
from scrubber.rulebook.yaml_file import Document, Position

PACK_FILE = "pack.yaml"
# What the cells of a column hold, by kind of table. Those of code lists hold what their list does.
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "payer-fees": {"code": "procedures"},
    "policies": {"code": "procedures"},
    "filing-indicators": {"filing_indicator": "x12-codes"},
    "plans": {"plan": "plans"},
}
# Columns that name a code list, and what that list must hold.
_LIST_COLUMNS = {"code_list": "procedures", "excepted_diagnoses": "diagnoses"}


MODIFIERS = "modifiers"


class ListUse(NamedTuple):
    """A code list that a condition of a rule names: where, and what the fact that is held against it holds."""

    document: Document
    position: Position
    fact: str
    name: str
    type: str | None


def impossible_cells(
    tables: Iterable[RuleTable], packs: Mapping[str, Pack], files: Iterable[RuleFile]
) -> Iterator[Fault]:
    """Cells that no claim can meet, and lists that hold something else than what is held against them."""
    tables, uses = tuple(tables), tuple(list_uses(files))
    types = list_types(packs, uses, tables)
    payers = {row.payer for table in tables if table.kind == "aliases" for row in table.rows}
    known = {"payers": payers, "elements": set(ELEMENTS)}
    yield from _conflicts(packs)
    for use in uses:
        held = types.get(use.name)
        if held and use.type and held != use.type:
            message = (
                f"`{use.fact}` holds {use.type}, and the list `{use.name}` {held}: it would never have one of them"
            )
            yield use.document.fault(use.position, message)
    for table in tables:
        for line, row in table.numbered:
            for column, message in _of_row(table.kind, row, types, known):
                yield Fault(table.name, line, f"{column}: {message}")


def _of_row(
    kind: str, row: Any, types: Mapping[str, str], known: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str]]:
    """Columns of a row whose cells no claim can match, and why."""
    for column, type_ in _typed_columns(kind, row, types):
        text = getattr(row, column)
        message = mistyped(type_, text, known) if text is not None else None
        if message:
            yield column, message
    if kind == "frequencies":
        for column, wanted in _LIST_COLUMNS.items():
            held = types.get(getattr(row, column) or "")
            if held and held != wanted:
                yield column, f"the list `{getattr(row, column)}` holds {held}; one of {wanted} is needed"


def _typed_columns(kind: str, row: Any, types: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if kind == "code-lists":
        held = types.get(row.list, "text")
        return ("code", held), ("through", held)
    if kind == "diagnosis-lists":
        return (("code", "diagnosis beginnings" if row.prefix else "diagnoses"),)
    return _COLUMNS.get(kind, {}).items()


def list_types(packs: Mapping[str, Pack], uses: Iterable[ListUse], tables: Iterable[RuleTable]) -> Mapping[str, str]:
    """What each list holds: by pack.yaml, else as the program reads it, else by the first fact compared with it."""
    found = {use.name: use.type for use in reversed(tuple(uses)) if use.type}
    for _, _, row in _rows_of_kind(tables, "frequencies"):
        found |= {name: held for column, held in _LIST_COLUMNS.items() if (name := getattr(row, column))}
    found |= {f"{X12_LISTS}{element}": "x12-codes" for element in ELEMENTS}
    found.update(LISTS_READ)
    for pack in packs.values():
        found.update(pack.lists)
    return found


def _conflicts(packs: Mapping[str, Pack]) -> Iterator[Fault]:
    """Lists that two packs, or a pack and the program, take for different things."""
    declared = {name: (held, "the program reads") for name, held in LISTS_READ.items()}
    for pack in packs.values():
        for name, held in pack.lists.items():
            before, who = declared.setdefault(name, (held, f"{pack.name}/{PACK_FILE} says"))
            if before != held:
                message = f"lists.{name}: {who} that it holds {before}, and not {held}"
                yield Fault(f"{pack.name}/{PACK_FILE}", 0, message)


def list_uses(files: Iterable[RuleFile]) -> Iterator[ListUse]:
    """Each code list that a condition names."""
    for document, _ in files:
        for position in document.lines:
            if len(position) < 2 or position[0] not in WITH_CONDITIONS:
                continue
            name = document.at(position)
            if position[-1] in (*IN_LIST_OPERATORS, SAME_MODIFIERS) and isinstance(name, str):
                field = field_at(document, position)
                fact = MODIFIERS if position[-1] == SAME_MODIFIERS else field.name if field else ""
                yield ListUse(document, position, fact, name, LISTS_OF_FACTS.get(fact))


def unused(
    tables: Iterable[RuleTable], packs: Mapping[str, Pack], files: Iterable[RuleFile], families: Iterable[Family] = ()
) -> Iterator[Fault]:
    """Lists, limits and rows that no rule, no row and no part of the program reads; lists of undeclared type."""
    tables, files = tuple(tables), tuple(files)
    rows = {kind: _rows_of_kind(tables, kind) for kind in ("code-lists", "limits", "diagnosis-lists", "frequencies")}
    uses = tuple(list_uses(files))
    lists = {use.name for use in uses} | {name for file in files for name in lists_named(file.rule)}
    lists |= {name for family in families for name in lists_in((family.derived, family.code_list))}
    lists |= LISTS_READ.keys() | {f"{X12_LISTS}{element}" for element in ELEMENTS}
    lists |= {name for _, _, row in rows["frequencies"] for name in (row.code_list, row.excepted_diagnoses) if name}
    policies = [row for table in tables if table.kind == "policies" for row in table.rows]
    limits = {name for document, _ in files for _, name in limit_references(document)} | LIMITS_READ
    limits |= {name for file in files for name in limits_named(file.rule)}
    limits |= {name for document, _ in files if document.within for name in _limits_in(document.content)}
    derived = walk(tuple(family.derived for family in families))
    limits |= {part.name for part in derived if isinstance(part, OfLimit)}
    yield from _never_read(rows["code-lists"], "list", lists, "no rule names the list")
    yield from _never_read(rows["limits"], "name", limits, "no rule names the limit")
    of_policies = {row.diagnosis_list for row in policies}
    yield from _never_read(rows["diagnosis-lists"], "list", of_policies, "no row of policies names the diagnosis list")
    yield from _never_read(
        rows["frequencies"], "name", {row.frequency for row in policies}, "no row of policies names the frequency limit"
    )
    yield from _undeclared(rows["code-lists"], packs, lists, list_types(packs, uses, tables))
    yield from _covered(rows["code-lists"])


def _limits_in(content: object) -> Iterator[str]:
    """The limits that the content of a file names, wherever it does."""
    if isinstance(content, Mapping):
        if content.keys() == {LIMIT_KEY}:
            yield str(content[LIMIT_KEY])
        content = content.values()
    elif not isinstance(content, list):
        return
    for each in content:
        yield from _limits_in(each)


def _rows_of_kind(tables: Iterable[RuleTable], kind: str) -> list[tuple[str, int, Any]]:
    return [(table.name, line, row) for table in tables if table.kind == kind for line, row in table.numbered]


def _never_read(
    rows: Iterable[tuple[str, int, Any]], column: str, read: Collection[str | None], why: str
) -> Iterator[Fault]:
    """A fault at the first row of each name that nothing reads."""
    reported: set[str] = set()
    for file, line, row in rows:
        name = getattr(row, column)
        if name not in read and name not in reported:
            reported.add(name)
            yield Fault(
                file, line, f"{column}: {why} `{name}`, and nothing else reads it: correct the name, or take it out"
            )


def _undeclared(
    rows: Iterable[tuple[str, int, Any]], packs: Mapping[str, Pack], read: Collection[str], types: Mapping[str, str]
) -> Iterator[Fault]:
    """Lists of rule authors whose type no pack.yaml declares, and declarations of lists that have no row."""
    declared = {name for pack in packs.values() for name in pack.lists}
    names: dict[str, tuple[str, int]] = {}
    for file, line, row in rows:
        names.setdefault(row.list, (file, line))
    for name, (file, line) in names.items():
        if name not in declared and name in read and name not in LISTS_READ and not name.startswith(X12_LISTS):
            line_to_add = f"{name}: {types.get(name, 'text')}"
            message = f"list: {PACK_FILE} does not say what `{name}` holds: add under `lists` {line_to_add}"
            yield Fault(file, line, message)
    for pack in packs.values():
        for name in pack.lists:
            if name not in names:
                yield Fault(f"{pack.name}/{PACK_FILE}", 0, f"lists.{name}: no row of a table has this list")


def _covered(rows: Iterable[tuple[str, int, Any]]) -> Iterator[Fault]:
    """Rows of a list that a range of the same list already covers, on each of their days."""
    by_list: dict[str, list[tuple[str, int, Any]]] = {}
    for placed in rows:
        by_list.setdefault(placed[2].list, []).append(placed)
    for placed_rows in by_list.values():
        ranges = [placed for placed in placed_rows if placed[2].through is not None]
        for file, line, row in placed_rows:
            wider = next((each for each in ranges if each[2] is not row and _covers(each[2], row)), None)
            if wider is not None:
                where = f"line {wider[1]}" if wider[0] == file else f"line {wider[1]} of {wider[0]}"
                yield Fault(
                    file, line, f"code: {where} says the same for all of its days: one of the two is not needed"
                )


def _covers(wide: Any, narrow: Any) -> bool:
    held = in_range(narrow.code, wide.code, wide.through) and in_range(
        narrow.through or narrow.code, wide.code, wide.through
    )
    return held and _runs_through(wide, narrow)


def _runs_through(wide: Dated, narrow: Dated) -> bool:
    begins = wide.since is None or (narrow.since is not None and wide.since <= narrow.since)
    ends = wide.until is None or (narrow.until is not None and narrow.until <= wide.until)
    return begins and ends

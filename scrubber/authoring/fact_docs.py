"""Generates tables of docs/writing-rules.md and docs/elements.md: facts, items, elements and types of tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from scrubber.claim.elements import CATALOGUE, ELEMENTS, Element, Place
from scrubber.rulebook.column_types import COLUMN_TYPES, ColumnType
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.item_kinds import ITEM_KINDS
from scrubber.rulebook.reference_tables import REFERENCE_TABLES, ReferenceTable
from scrubber.rulebook.rule_tables import ROW_TYPES
from scrubber.rulebook.table_declaration import ALL, Column
from scrubber.rulebook.test_case_paths import DIAGNOSIS_FIELDS, LINE_FIELDS, PATHS, ValueForm
from scrubber.rulebook.vocabulary import KINDS, OF_ELEMENTS, FactKind

MOST_VALUES = 30  # of one fact in its row; the names of all elements have a table of their own

_GENERATED = re.compile(r"(<!-- written by the program: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CELLS: Mapping[Any, str] = {str: "text", int: "whole number", Decimal: "number", date: "day", bool: "`yes`, `no`"}
_FORMS: Mapping[ValueForm, str] = {
    ValueForm.TEXT: "text",
    ValueForm.DAY: "day, such as 2025-03-12",
    ValueForm.FLAG: "`yes` or `no`",
    ValueForm.CODES: "one text or a list",
    ValueForm.DIAGNOSES: "list of codes, the principal one first",
    ValueForm.BLOCKS: "one block or a list of blocks, with the names that the claim has",
}


def renew(page: Path) -> None:
    """Rewrites the generated sections of a page."""
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


def renewed(text: str) -> str:
    """The text with every section between `<!-- written by the program: NAME -->` and `<!-- end -->` up to date.

    Raises KeyError for a NAME that is no section.
    """
    return _GENERATED.sub(lambda part: f"{part[1]}\n{_SECTIONS[part[2]]()}\n\n{part[3]}", text)


def facts() -> str:
    """The facts that scopes share, then a section a scope with its own."""
    everywhere = _shared(KINDS.values())
    of_lines = [kind for kind in KINDS.values() if "modifiers" in kind.fields]
    on_lines = [field for field in _shared(of_lines) if field not in everywhere]
    names = ", ".join(f"`{kind.name}`" for kind in of_lines)
    return "\n\n".join(
        (
            "### Facts of every scope",
            _facts_table(everywhere),
            f"### More facts of the scopes {names}",
            _facts_table(on_lines),
            *(_scope(kind, (*everywhere, *on_lines)) for kind in KINDS.values()),
        )
    )


def _shared(kinds: Iterable[FactKind]) -> list[Field]:
    first, *others = kinds
    return [field for field in first.fields.values() if all(kind.fields.get(field.name) == field for kind in others)]


_ELEMENTS_TOO = "Every other element of [elements.md](elements.md) is a fact of it, under its name there."


def _scope(kind: FactKind, shared: Sequence[Field]) -> str:
    own = [field for field in kind.fields.values() if field not in shared and not field.element]
    parts = [
        f"### Scope `{kind.name}`",
        f"One fact: {kind.about}. A finding points at {_target(kind)}.",
        *([_facts_table(own)] if own else []),
        *([_ELEMENTS_TOO] if kind.name in OF_ELEMENTS else []),
    ]
    if kind.placeholders:
        parts.append(f"Texts may also say {', '.join(f'`{{{word}}}`' for word in kind.placeholders)}.")
    return "\n\n".join(parts)


def _target(kind: FactKind) -> str:
    return "that element" if "element" in kind.fields else f"the element `{kind.element}`"


def _facts_table(fields: Iterable[Field]) -> str:
    rows = ((f"`{field.name}`", field.type.value, field.about, _possible_values(field)) for field in fields)
    return _table(("fact", "type", "what it is", "words"), rows)


def _possible_values(field: Field) -> str:
    values = ("yes", "no") if field.type is Type.FLAG else field.words
    if len(values) > MOST_VALUES:
        return "an element, see elements.md"
    return ", ".join(f"`{word}`" for word in (*values, *field.states))


def items() -> str:
    """A section for each kind of thing that relations speak of, with its fields."""
    return "\n\n".join(
        f"### Item `{kind.name}`\n\nEach is {kind.about}. Of several: `{kind.plural}`.{_WHERE[kind.of_lines]}\n\n"
        + _facts_table(kind.fields.values())
        for kind in ITEM_KINDS.values()
    )


_WHERE = {True: " Only lines have it.", False: ""}


def objects() -> str:
    """The objects and lists of a claim that `points-at` may name, beside its elements."""
    rows = (
        (f"`{name}`", element.label, f"{element.loop} {element.x12}".strip(), element.box or "")
        for name, element in ELEMENTS.items()
        if name not in CATALOGUE
    )
    return _table(("name", "what it is", "837P loop and segment", "CMS-1500 box"), rows)


def catalogue() -> str:
    """Every element that a claim can carry, with its places and what may stand there."""
    head = ("element", "what it is", "in the body", "837P", "box", "type", "characters", "needed", "codes")
    return _table(head, (_of_catalogue(element) for element in CATALOGUE.values()))


def _of_catalogue(element: Element) -> tuple[str, ...]:
    characters = f"{element.shortest}-{element.longest}" if element.longest > element.shortest else str(element.longest)
    return (
        f"`{element.name}`",
        element.label,
        "<br>".join(f"`{'.'.join(path)}`" for path in element.paths),
        "<br>".join(f"{place.loop} {place.name}{_qualified(place)}" for place in element.places),
        element.box or "",
        element.type,
        characters,
        element.need if not element.when else f"{element.need}: {element.when}",
        " ".join(element.codes),
    )


def _qualified(place: Place) -> str:
    words = [*place.qualifiers, *filter(None, (place.behind,))]
    return f" ({', '.join(words)})" if words else ""


def tables() -> str:
    """One section for each kind of table: what a row means, and its columns."""
    return "\n\n".join(_table_section(name, row_type) for name, row_type in ROW_TYPES.items())


def column_types() -> str:
    """The types that columns of authors' tables may have."""
    rows = ((f"`{name}`", type_.about, ", ".join(_keys_of(type_))) for name, type_ in COLUMN_TYPES.items())
    return _table(("type", "what a cell holds", "may also have"), rows)


def _keys_of(type_: ColumnType) -> Iterator[str]:
    if type_.in_lists:
        yield "`list`"
    if type_.in_ranges:
        yield "`through`"
    if type_.in_bands:
        yield "`from`, `to`, `below`"


def published_tables() -> str:
    """The published tables that rules may ask, with their keys and columns."""
    return "\n\n".join(map(_published, REFERENCE_TABLES.values()))


def _published(table: ReferenceTable) -> str:
    which = "All rows that fit answer" if table.answers == ALL else "One row answers"
    columns = _table(("column", "type", "what it is"), map(_of_column, _named(table)))
    return f"`{table.name}`: {table.about} {which}; rows are of {', '.join(table.tables)}.\n\n{columns}"


def _named(table: ReferenceTable) -> Iterable[Column]:
    return {**table.keys, **table.columns}.values()


def _of_column(column: Column) -> tuple[str, str, str]:
    return f"`{column.name}`{' (key)' if column.key else ''}", column.type, column.field.about


def _table_section(name: str, row_type: type[Any]) -> str:
    columns = "; ".join(
        f"`{column}` {_cell(column_type)}{', or no such column' if column in row_type._field_defaults else ''}"
        for column, column_type in get_type_hints(row_type).items()
    )
    return f"### Table `{name}`\n\n{' '.join((row_type.__doc__ or '').split())}\n\nColumns: {columns}."


def _cell(column_type: Any) -> str:
    """What a cell holds."""
    if get_origin(column_type) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(column_type))
    kinds = [kind for kind in get_args(column_type) if kind is not NoneType]
    return f"{_cell(kinds[0])} or blank" if kinds else _CELLS[column_type]


def paths() -> str:
    """What a test case may change or leave out."""
    return _table(("path begins with", "and goes on with", "value"), _path_rows())


def _path_rows() -> Iterator[tuple[str, str, str]]:
    """Beginnings of paths with the same endings share a row."""
    ends: dict[tuple[str, ValueForm], list[str]] = {}
    for path, form in _all_paths():
        part, _, end = path.partition(".N.") if ".N." in path else path.partition(".")
        ends.setdefault((part + ".N" * (".N." in path), form), []).append(end)
    parts: dict[tuple[tuple[str, ...], ValueForm], list[str]] = {}
    for (part, form), found in ends.items():
        parts.setdefault((tuple(found), form), []).append(part)
    for (names, form), starts in parts.items():
        yield _in_backticks(starts), _in_backticks(filter(None, names)) or "nothing", _FORMS[form]


def _all_paths() -> Iterator[tuple[str, ValueForm]]:
    yield from ((f"line.N.{name}", target.form) for name, target in LINE_FIELDS.items())
    yield from ((f"diagnosis.N.{name}", ValueForm.TEXT) for name in DIAGNOSIS_FIELDS)
    yield from ((path, target.form) for path, target in PATHS.items())


def _in_backticks(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


_SECTIONS: Mapping[str, Callable[[], str]] = {
    "facts": facts,
    "elements": catalogue,
    "items": items,
    "objects": objects,
    "tables": tables,
    "column-types": column_types,
    "published-tables": published_tables,
    "paths": paths,
}

"""Lints what rules take from other packs: their tables, lists, limits, definitions and elements of documentation.

A rule of one pack stops loading when the pack that it takes a name from is taken away, and means something else when
somebody changes the name there for reasons of their own. So pack.yaml says under `uses` whose names its rules use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scrubber.errors import Fault
from scrubber.likeness import known_names
from scrubber.rulebook.check import RuleFile, lists_named
from scrubber.rulebook.definitions import DEFINITION
from scrubber.rulebook.family import Family
from scrubber.rulebook.limits import limit_references
from scrubber.rulebook.relations import OfDocument, OfLimit, tables_asked, walk
from scrubber.rulebook.rule import conditions_of
from scrubber.rulebook.rule_tables import RuleTable
from scrubber.rulebook.rulebook import Pack
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.yaml_file import Document

PACK_FILE = "pack.yaml"
USES = "uses"


class NamesOfPacks(NamedTuple):
    """The packs that a name is of, by what it names and the name: a list may have rows in several."""

    packs: Mapping[tuple[str, str], frozenset[str]]


def names_of_packs(
    tables: Iterable[RuleTable],
    own_tables: Mapping[str, TypedTable],
    definitions: Iterable[Document],
    families: Iterable[Family],
) -> NamesOfPacks:
    """What each pack gives names to."""
    found: dict[tuple[str, str], set[str]] = {}
    for table in tables:
        for row in table.rows if table.kind == "code-lists" else ():
            found.setdefault(("list", row.list), set()).add(_pack(table.name))
        for row in table.rows if table.kind == "limits" else ():
            found.setdefault(("limit", row.name), set()).add(_pack(table.name))
    for name, typed in own_tables.items():
        found.setdefault(("table", name), set()).add(_pack(typed.file))
    for document in definitions:
        for name in document.content if isinstance(document.content, Mapping) else ():
            found.setdefault((DEFINITION, str(name)), set()).add(_pack(document.file))
    for family in families:
        for name in family.elements:
            found.setdefault(("element", name), set()).add(_pack(family.file))
    return NamesOfPacks({name: frozenset(packs) for name, packs in found.items()})


def _pack(file: str) -> str:
    return file.split("/", 1)[0]


def used_packs(files: Iterable[RuleFile], packs: Mapping[str, Pack], names: NamesOfPacks) -> Iterator[Fault]:
    """Names of other packs that a pack does not say it uses, and packs under `uses` of which nothing is used."""
    used: dict[str, set[str]] = {name: set() for name in packs}
    for file in files:
        pack = file.rule.pack
        for what, name in sorted(set(_names(file))):
            owners = names.packs.get((what, name), frozenset())
            if not owners or pack in owners:
                continue
            used[pack] |= owners
            if not owners & set(packs[pack].uses):
                owner = min(owners)
                message = (
                    f"{what} `{name}` is of the pack {owner}: say `{USES}: [{owner}]` in {pack}/{PACK_FILE}, so that "
                    "nobody changes or takes it away unawares"
                )
                yield Fault(file.document.file, _line(file.document, name), message)
    for name, pack_of in packs.items():
        for other in pack_of.uses:
            if other in packs and other not in used[name]:
                message = f"{USES}: no rule of this pack uses a name of {other}: take it out"
                yield Fault(f"{name}/{PACK_FILE}", 0, message)


def unknown_packs(packs: Mapping[str, Pack]) -> Iterator[Fault]:
    """Packs under `uses` that there are not."""
    for name, pack in packs.items():
        for other in pack.uses:
            if other == name or other not in packs:
                meant = known_names(other, [each for each in packs if each != name])
                message = f"{USES}: there is no other pack `{other}`{meant}"
                yield Fault(f"{name}/{PACK_FILE}", 0, message)


def _names(file: RuleFile) -> Iterator[tuple[str, str]]:
    """What a rule names that a pack may have given the name to."""
    document, rule = file
    yield from (("list", name) for name in lists_named(rule))
    yield from (("limit", name) for _, name in limit_references(document))
    yield from (("table", name) for name in tables_asked((conditions_of(rule), rule.names)))
    for part in walk((conditions_of(rule), rule.names)):
        if isinstance(part, OfLimit):
            yield "limit", part.name
        elif isinstance(part, OfDocument):
            yield "element", part.name
    for position in document.lines:
        if position and position[-1] == DEFINITION:
            value = document.at(position)
            yield from ((DEFINITION, str(name)) for name in (value if isinstance(value, list) else [value]))


def _line(document: Document, name: str) -> int:
    """The line of the first place where a rule says a name."""
    for position in sorted(document.lines, key=lambda each: document.lines[each]):
        value = document.at(position)
        if value == name or (position and str(position[-1]) == name) or _within(value, name):
            return document.line(position)
    return 0


def _within(value: object, name: str) -> bool:
    return isinstance(value, str) and value.split(".", 1)[-1] == name

"""Finds what differs in what packs declare: tables, definitions and families; and in the parts of one question.

Everything is compared as the data that its file holds, part by part, so that a change is told where it is:
`keys.code.through: last -> none`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scrubber.rulebook.condition_words import in_words
from scrubber.rulebook.definitions import definition_files
from scrubber.rulebook.load_families import family_files
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.yaml_file import read_yaml

WORDS = frozenset(("about", "title"))  # keys that mean nothing to the program
NONE = "none"
_OF_RULES = ("every-rule", "rules")  # of a family: its rules are compared as rules


class PartChange(NamedTuple):
    """A part of something declared that differs, by the keys that lead to it; `none` where it is not there."""

    part: str
    before: str
    after: str

    @property
    def wording(self) -> bool:
        """Whether it is only said in other words."""
        return self.part.rpartition(".")[2] in WORDS


class DeclarationChange(NamedTuple):
    """A table, definition or family that was added, removed or changed."""

    what: str
    name: str
    file: str
    way: str
    changes: tuple[PartChange, ...]

    @property
    def changes_meaning(self) -> bool:
        """Whether more than its wording changed."""
        return self.way != "changed" or not all(change.wording for change in self.changes)


class _DeclaredPart(NamedTuple):
    file: str
    content: Any


def declaration_changes(before: Path, after: Path) -> Iterator[DeclarationChange]:
    """The tables, definitions and families that differ between two folders without faults, by what they are and name.

    Rows of tables and rules of families are told as rows and as rules.
    """
    old, new = dict(_declared(before)), dict(_declared(after))
    for what, name in sorted(old.keys() | new.keys()):
        one, other = old.get((what, name)), new.get((what, name))
        if one is None or other is None:
            there = other or one
            assert there is not None  # noqa: S101 (one of them is there)
            yield DeclarationChange(what, name, there.file, "removed" if one else "added", ())
        elif changes := tuple(part_changes(one.content, other.content)):
            yield DeclarationChange(what, name, other.file, "changed", changes)


def _declared(folder: Path) -> Iterator[tuple[tuple[str, str], _DeclaredPart]]:
    for path in sorted(folder.glob("*/pack.yaml")):
        content, file = _content(path, folder)
        for table, declaration in (content.get("tables") or {}).items():
            if isinstance(declaration, Mapping):
                yield ("table", table.removesuffix(".csv")), _DeclaredPart(file, _of_table(declaration))
    for path in definition_files(folder):
        content, file = _content(path, folder)
        yield from ((("definition", name), _DeclaredPart(file, each)) for name, each in content.items())
    for path in family_files(folder):
        content, file = _content(path, folder)
        yield ("family", path.stem), _DeclaredPart(file, _without_rules(content))


def _content(path: Path, folder: Path) -> tuple[Any, str]:
    name = path.relative_to(folder).as_posix()
    return read_yaml(path, name).content, name


def _of_table(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration with each column as a mapping, and the keys in their order, which decides."""
    content = dict(declaration)
    for part in ("keys", "columns"):
        columns = content.get(part) or {}
        content[part] = {name: {"type": each} if isinstance(each, str) else each for name, each in columns.items()}
    return content | {"order of keys": list(content["keys"])}


def _without_rules(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_rules(each) for key, each in content.items() if key not in _OF_RULES}
    return content


def part_changes(before: Any, after: Any, part: str = "") -> Iterator[PartChange]:
    """The smallest parts in which two contents of files differ. Lists of texts are compared whatever their order."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from part_changes(before.get(key), after.get(key), f"{part}.{key}" if part else str(key))
    elif before != after:
        yield PartChange(part, _in_words(before), _in_words(after))


def _in_words(content: Any) -> str:
    return NONE if content is None else in_words(content)


def question_changes(before: str, after: str) -> tuple[PartChange, ...]:
    """The parts in which two questions differ, as their rule files write them (JSON).

    None where they are about different things: other items, another fact.
    """
    one, other = json.loads(before), json.loads(after)
    about = [data.get("fact") if "fact" in data else next(iter(data), None) for data in (one, other)]
    return tuple(part_changes(one, other)) if about[0] == about[1] else ()


def declared_changes(before: Rule, after: Rule) -> Iterator[PartChange]:
    """The look-ups and amounts that differ between two rules, part by part."""
    yield from part_changes(json.loads(before.declared), json.loads(after.declared))

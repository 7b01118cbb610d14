"""Measures, for rule authors, which parts of a rule's relations and sums its test cases made true, and which false.

A relation as a whole is a condition of the rule, and counted there. Here each of its parts is: what is the `same`, each
window, each condition of an item, on every item of the kind that a case has beside a fact that the rule asks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from scrubber.relations.evaluate import Evaluator
from scrubber.relations.surroundings import Subject
from scrubber.rulebook.condition_words import in_one_line
from scrubber.rulebook.line_items import LINE_ITEMS
from scrubber.rulebook.relations import Group, Related
from scrubber.rulebook.rule import NO, YES
from scrubber.rulebook.same_and_within import fields_of_group
from scrubber.rulebook.source_map import SourceMap, SourceNode
from scrubber.rulebook.typed_table import TypedTable
from scrubber.rulebook.yaml_file import Document

ALIKE_ON_A_CLAIM = frozenset(("payer", "billing-provider", "group"))  # of all its lines


class RelationPart(NamedTuple):
    """A part of a group of items, by its number among them; `may_fail`: an item may be there of which it is false."""

    group: Group
    number: int
    node: SourceNode
    may_fail: bool


def relation_parts(source: SourceMap, document: Document, tables: Mapping[str, TypedTable]) -> list[RelationPart]:
    """The parts of the relations and sums that the conditions of a rule ask, down the file."""
    found: dict[tuple[Group, int], RelationPart] = {}
    for node in source.nodes():
        for group in () if node.parts else _groups(node.condition):
            for number, (words, may_fail) in enumerate(_words_of(group, tables)):
                key = group, number
                if key not in found:
                    line = document.line(group.position) if group.position in document.lines else node.line
                    named = f"{' or '.join(group.items)}: {words}"
                    part = node._replace(line=line, words=named, path=(*node.path, number))
                    found[key] = RelationPart(group, number, part, may_fail)
    return list(found.values())


def _groups(part: object) -> Iterator[Group]:
    """The groups that are asked as seen from the fact in hand, and not from an item of another group."""
    if isinstance(part, Group | Related):
        yield part.group if isinstance(part, Related) else part
    elif isinstance(part, tuple):
        for each in part:
            yield from _groups(each)
    elif is_dataclass(part) and not isinstance(part, type):
        for each in fields(part):
            yield from _groups(getattr(part, each.name))


def _words_of(group: Group, tables: Mapping[str, TypedTable]) -> Iterator[tuple[str, bool]]:
    """Each part in words, in the order in which an evaluator answers them, and whether it may be false."""
    on_claim = set(group.items) <= LINE_ITEMS.keys()
    yield from ((f"same {name}", not (on_claim and name in ALIKE_ON_A_CLAIM)) for name in group.same)
    yield from ((f"same modifiers of {name}", True) for name in group.same_modifiers)
    yield from ((f"within {window.unit}, {window.side}", True) for window in group.within)
    known = fields_of_group(group, tables)
    yield from ((in_one_line(condition, known), True) for condition in group.where)


class PartCounts:
    """Counts the cases that have an item of which one part is true, and those that have one of which it is false."""

    def __init__(self, part: RelationPart) -> None:
        self.part = part
        self.cases: dict[bool, list[str]] = {True: [], False: []}

    def count(self, case: str, answers: Iterable[str]) -> None:
        """Counts a case once for each way."""
        found = set(answers)
        for way, answer in ((True, YES), (False, NO)):
            if answer in found and case not in self.cases[way][-1:]:
                self.cases[way].append(case)


def count_parts(case: str, counts: Iterable[PartCounts], evaluator: Evaluator, subject: Subject) -> None:
    """Counts what the items beside a fact come to."""
    answered: dict[Group, list[tuple[str, ...]]] = {}
    for each in counts:
        group = each.part.group
        if group not in answered:
            answered[group] = list(evaluator.answers_of_items(group, subject))
        each.count(case, (answers[each.part.number] for answers in answered[group]))

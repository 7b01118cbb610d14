"""A rule's conditions as they stand in its file: a tree with the line and the words of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from scrubber.claim.model import NOT_SUPPLIED
from scrubber.rulebook.condition_words import as_written
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Rule, window
from scrubber.rulebook.vocabulary import KINDS, state_key
from scrubber.rulebook.yaml_file import Document, Place

SECTIONS = ("effective", "applies", "needs", "when")  # as they are asked: each counts only where those before it hold


class Node(NamedTuple):
    """One condition of a rule, or a group of them, and where it stands.

    It is fulfilled where `condition` is `wanted`: what is listed under `needs` is asked as "is not-supplied", and
    must not hold. `path` leads to the condition from the root of its section, by index of part.
    """

    section: str  # of SECTIONS
    place: Place
    line: int  # of the rule's file; 0 for a section that is not written
    words: str
    condition: Condition
    wanted: bool = True
    path: tuple[int, ...] = ()
    parts: tuple[Node, ...] = ()

    def each(self) -> Iterator[Node]:
        """This node and all below it, as they stand in the file."""
        yield self
        for part in self.parts:
            yield from part.each()


class Outline(NamedTuple):
    """The four sections of a rule: what must hold for it to fire, and on which line each condition stands."""

    rule: Rule
    sections: tuple[tuple[Node, ...], ...]  # one for each of SECTIONS

    def nodes(self) -> Iterator[Node]:
        """Every condition and group, section by section."""
        return (node for section in self.sections for root in section for node in root.each())

    def by_section(self) -> Iterator[tuple[str, tuple[Node, ...]]]:
        """The name of each section and what must be fulfilled in it, in the order in which they are asked."""
        return zip(SECTIONS, self.sections, strict=True)

    def before(self, section: str) -> tuple[Node, ...]:
        """What must be fulfilled for the section to be asked at all."""
        return tuple(root for earlier in self.sections[: SECTIONS.index(section)] for root in earlier)

    def roots(self) -> tuple[Node, ...]:
        """The conditions that must all be fulfilled."""
        return tuple(root for section in self.sections for root in section)


def outline(rule: Rule, document: Document) -> Outline:
    """The conditions of a rule with their places in `document`, the file it was loaded from."""
    return Outline(rule, (_effective(rule, document), _applies(rule, document), _needs(rule, document),
                          (_when(rule.when, ("when",), (), rule, document),)))  # fmt: skip


def _effective(rule: Rule, document: Document) -> tuple[Node, ...]:
    names = {"at-least": ("from", "on or after"), "under": ("to", "before")}
    nodes = []
    for test in window(rule):
        key, word = names[test.op]
        place: Place = ("effective", key)
        words = f"day {word} {document.at(place)}"
        nodes.append(Node("effective", place, document.line(place), words, test))
    return tuple(nodes)


def _applies(rule: Rule, document: Document) -> tuple[Node, ...]:
    raw, fields = document.content.get("applies") or {}, KINDS[rule.scope].fields
    parts = rule.applies.parts if isinstance(rule.applies, AllOf) else ()
    written = [
        (("applies", fact, operator), fact, operator, value)
        for fact, wanted in raw.items()
        for operator, value in (wanted if isinstance(wanted, Mapping) else {"is": wanted}).items()
    ]
    return tuple(
        Node(
            "applies",
            place,
            document.line(place),
            as_written(fact, operator, value, part, fields[fact]),
            part,
            path=(index,),
        )
        for index, ((place, fact, operator, value), part) in enumerate(zip(written, parts, strict=True))
    )


def _needs(rule: Rule, document: Document) -> tuple[Node, ...]:
    return tuple(
        Node(
            "needs",
            ("needs", index),
            document.line(("needs", index)),
            f"{name} is supplied",
            Compare(state_key(name), "is", NOT_SUPPLIED.value),
            wanted=False,
            path=(index,),
        )
        for index, name in enumerate(rule.needs)
    )


def _when(condition: Condition, place: Place, path: tuple[int, ...], rule: Rule, document: Document) -> Node:
    raw = document.at(place)
    if "fact" in raw:
        return _leaves(condition, place, path, rule, document)
    word = next(iter(raw))
    below: Sequence[Condition] = condition.parts if isinstance(condition, AllOf | AnyOf) else ()
    parts = tuple(
        _when(part, (*place, word, index), (*path, index), rule, document) for index, part in enumerate(below)
    )
    return Node("when", place, document.line((*place, word)), f"{word} of", condition, path=path, parts=parts)


def _leaves(condition: Condition, place: Place, path: tuple[int, ...], rule: Rule, document: Document) -> Node:
    """One fact with one operator, or with several, all of which must hold."""
    operators = [operator for operator in document.at(place) if operator != "fact"]
    if len(operators) == 1:
        return _leaf(condition, (*place, operators[0]), path, rule, document)
    below = condition.parts if isinstance(condition, AllOf) else ()
    parts = tuple(
        _leaf(part, (*place, operator), (*path, index), rule, document)
        for index, (operator, part) in enumerate(zip(operators, below, strict=True))
    )
    return Node("when", place, document.line(place), "all of", condition, path=path, parts=parts)


def _leaf(condition: Condition, place: Place, path: tuple[int, ...], rule: Rule, document: Document) -> Node:
    fact, operator = document.at(place[:-1])["fact"], str(place[-1])
    field = KINDS[rule.scope].fields[fact]
    words = as_written(fact, operator, document.at(place), condition, field)
    return Node("when", place, document.line(place), words, condition, path=path)

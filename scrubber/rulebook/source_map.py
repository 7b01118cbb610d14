"""Maps a rule's conditions to the lines and words of its file, for explanations, coverage and lint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scrubber.claim.model import NOT_SUPPLIED
from scrubber.rulebook.condition_words import format_test, in_one_line, in_words
from scrubber.rulebook.conditions import is_relation
from scrubber.rulebook.definitions import DEFINITION
from scrubber.rulebook.field import state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Asks, Compare, Condition, Rule, window
from scrubber.rulebook.yaml_file import Document, Position

SECTIONS = (
    "effective",
    "applies",
    "needs",
    "when",
)  # in the order of evaluation: each counts only where those before it hold


class SourceNode(NamedTuple):
    """One condition of a rule, or a group of them, with its position in the file.

    It is fulfilled where `condition` is `wanted`: an entry of `needs` becomes the test "is not-supplied", which
    must not hold. `path` leads to the condition from the root of its section, by index of part.
    """

    section: str  # of SECTIONS
    position: Position
    line: int  # of the rule's file; 0 for a section that the file does not have
    words: str
    condition: Condition
    wanted: bool = True
    path: tuple[int, ...] = ()
    parts: tuple[SourceNode, ...] = ()

    def walk(self) -> Iterator[SourceNode]:
        """This node and all below it, in the order of the file."""
        yield self
        for part in self.parts:
            yield from part.walk()


class SourceMap(NamedTuple):
    """The four sections of a rule: what must hold for it to fire, and on which line each condition stands."""

    rule: Rule
    sections: tuple[tuple[SourceNode, ...], ...]  # one for each of SECTIONS

    def nodes(self) -> Iterator[SourceNode]:
        """Every condition and group, section by section."""
        return (node for section in self.sections for root in section for node in root.walk())

    def by_section(self) -> Iterator[tuple[str, tuple[SourceNode, ...]]]:
        """The name of each section and what must be fulfilled in it, in the order of evaluation."""
        return zip(SECTIONS, self.sections, strict=True)

    def before(self, section: str) -> tuple[SourceNode, ...]:
        """What must be fulfilled for the section to be evaluated at all."""
        return tuple(root for earlier in self.sections[: SECTIONS.index(section)] for root in earlier)

    def roots(self) -> tuple[SourceNode, ...]:
        """The conditions that must all be fulfilled."""
        return tuple(root for section in self.sections for root in section)


def source_map(rule: Rule, document: Document) -> SourceMap:
    """The conditions of a rule with their positions in `document`, the file it was loaded from."""
    return SourceMap(rule, (_effective(rule, document), _applies(rule, document), _needs(rule, document),
                          (_when(rule.when, ("when",), (), rule, document),)))  # fmt: skip


def _effective(rule: Rule, document: Document) -> tuple[SourceNode, ...]:
    names = {"at-least": ("from", "on or after"), "under": ("to", "before")}
    nodes = []
    for test in window(rule):
        key, word = names[test.op]
        position: Position = ("effective", key)
        words = f"day {word} {document.at(position)}"
        nodes.append(SourceNode("effective", position, document.line(position), words, test))
    return tuple(nodes)


def _applies(rule: Rule, document: Document) -> tuple[SourceNode, ...]:
    raw, fields = document.content.get("applies") or {}, rule.kind.fields
    parts = rule.applies.parts if isinstance(rule.applies, AllOf) else ()
    tests = [*_tests(raw)]
    return tuple(
        SourceNode(
            "applies",
            position,
            document.line(position),
            format_test(fact, operator, value, part, fields[fact]) if fact in fields else in_one_line(part, fields),
            part,
            path=(index,),
        )
        for index, ((position, fact, operator, value), part) in enumerate(zip(tests, parts, strict=True))
    )


def _tests(raw: Mapping[str, Any]) -> Iterator[tuple[Position, str, str, Any]]:
    """Where each condition of `applies` stands, with its fact, operator and value; a relation has none of these."""
    for name, wanted in raw.items():
        if isinstance(wanted, list) or is_relation(name) or name == DEFINITION:
            yield ("applies", name), "", "", wanted
        elif isinstance(wanted, Mapping) and set(wanted) != {"fact"}:
            yield from ((("applies", name, operator), name, operator, value) for operator, value in wanted.items())
        else:
            yield ("applies", name, "is"), name, "is", wanted


def _needs(rule: Rule, document: Document) -> tuple[SourceNode, ...]:
    return tuple(
        SourceNode(
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


def _when(
    condition: Condition, position: Position, path: tuple[int, ...], rule: Rule, document: Document
) -> SourceNode:
    raw = document.at(position)
    if "fact" in raw:
        return _leaves(condition, position, path, rule, document)
    word = next(iter(raw))
    if is_relation(word) or word == DEFINITION:
        words = in_one_line(condition, rule.kind.fields)
        return SourceNode("when", position, document.line((*position, word)), words, condition, path=path)
    below: Sequence[Condition] = condition.parts if isinstance(condition, AllOf | AnyOf) else ()
    parts = tuple(
        _when(part, (*position, word, index), (*path, index), rule, document) for index, part in enumerate(below)
    )
    return SourceNode(
        "when", position, document.line((*position, word)), f"{word} of", condition, path=path, parts=parts
    )


def _leaves(
    condition: Condition, position: Position, path: tuple[int, ...], rule: Rule, document: Document
) -> SourceNode:
    """One fact with one operator, or with several, all of which must hold."""
    operators = [operator for operator in document.at(position) if operator != "fact"]
    if len(operators) == 1:
        return _leaf(condition, (*position, operators[0]), path, rule, document)
    below = condition.parts if isinstance(condition, AllOf) else ()
    parts = tuple(
        _leaf(part, (*position, operator), (*path, index), rule, document)
        for index, (operator, part) in enumerate(zip(operators, below, strict=True))
    )
    return SourceNode("when", position, document.line(position), "all of", condition, path=path, parts=parts)


def _leaf(
    condition: Condition, position: Position, path: tuple[int, ...], rule: Rule, document: Document
) -> SourceNode:
    fact, operator = document.at(position[:-1])["fact"], str(position[-1])
    field = rule.kind.fields.get(fact)
    if field is None or isinstance(condition, Asks):
        words = f"{fact} {operator} {in_words(document.at(position))}"
    else:
        words = format_test(fact, operator, document.at(position), condition, field)
    return SourceNode("when", position, document.line(position), words, condition, path=path)

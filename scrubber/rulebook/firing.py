"""Beside the path: what can be told of rules without any claim: which can never fire, and which never fire alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scrubber.claim import NOT_SUPPLIED
from scrubber.errors import Fault
from scrubber.rulebook.book import Rulebook
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.outline import Node, Outline, outline
from scrubber.rulebook.rule import AllOf, Rule, any_state, window
from scrubber.rulebook.satisfiable import ListsByDay, Wanted, contradiction, satisfiable
from scrubber.vocabulary import KINDS


def fires_when(rule: Rule) -> tuple[Wanted, ...]:
    """What a fact must fulfil for the rule to fire on it."""
    asked = (AllOf((*window(rule), rule.applies, rule.when)), True)
    return (asked, (any_state(rule.needs, NOT_SUPPLIED.value), False)) if rule.needs else (asked,)


def can_fire(rule: Rule, lists: ListsByDay) -> bool:
    """False only where no fact could ever make the rule fire."""
    return satisfiable(fires_when(rule), KINDS[rule.scope], lists)


def why_never(told: Outline, lists: ListsByDay) -> tuple[Node, ...]:
    """The conditions that never hold together, each of them needed for it; none where the rule may fire."""
    if can_fire(told.rule, lists):
        return ()
    nodes = tuple(_certain(told.roots()))
    against = contradiction([(node.condition, node.wanted) for node in nodes], KINDS[told.rule.scope], lists)
    return tuple(nodes[index] for index in against)


def check_firing(files: Iterable[RuleFile], lists: ListsByDay) -> Iterator[Fault]:
    """Rules that no claim could ever make fire; told at the first of the conditions that contradict each other."""
    for document, rule in files:
        against = why_never(outline(rule, document), lists)
        if against:
            yield Fault(document.file, against[0].line, f"can never fire: {told_against(against)}")


def told_against(against: Sequence[Node]) -> str:
    """Conditions that never hold together, as a sentence."""
    if len(against) == 1:
        return f"`{against[0].words}` never holds"
    told = " and ".join(f"`{node.words}` (line {node.line})" for node in against)
    return f"{told} never hold together"


def _certain(nodes: Iterable[Node]) -> Iterator[Node]:
    """What must all be fulfilled: a group of which all parts must hold is told by its parts."""
    for node in nodes:
        if node.parts and node.wanted and isinstance(node.condition, AllOf):
            yield from _certain(node.parts)
        else:
            yield node


class Companions(NamedTuple):
    """Two rules of one scope: on every fact on which `rule` fires, `other` fires too; `both` ways, or only this one."""

    rule: Rule
    other: Rule
    both: bool


def companions(book: Rulebook) -> Iterator[Companions]:
    """Rules that never fire alone, although they say the same: of one scope, severity and category.

    A rule that is not active, or that a payer may switch off apart from the other, does not count as the other.
    """
    rules = [rule for rule in book.rules.values() if rule.status == "active" and can_fire(rule, book.lists)]
    for rule in rules:
        for other in rules:
            if rule.id == other.id or not _says_the_same(rule, other) or not implies(rule, other, book.lists):
                continue
            back = implies(other, rule, book.lists)
            if not back or rule.id < other.id:
                yield Companions(rule, other, back)


def _says_the_same(rule: Rule, other: Rule) -> bool:
    """Whether both speak of the same kind of fact, in the same words for lists, for the same payers."""
    same = (rule.scope, rule.severity, rule.category, rule.pack)
    return same == (other.scope, other.severity, other.category, other.pack)


def implies(rule: Rule, other: Rule, lists: ListsByDay) -> bool:
    """Whether `other` fires on every fact on which `rule` fires, for certain. Both are of one scope."""
    kind = KINDS[rule.scope]
    fires = fires_when(rule)
    return not any(satisfiable((*fires, (test, not holds)), kind, lists) for test, holds in fires_when(other))


def means_the_same(rule: Rule, other: Rule, lists: ListsByDay) -> bool:
    """Whether two rules fire, and say that they could not be judged, on the same facts, for certain."""
    if not (implies(rule, other, lists) and implies(other, rule, lists)):
        return False
    one, two = _unjudged_when(rule), _unjudged_when(other)
    kind = KINDS[rule.scope]
    return not (
        satisfiable(((one, True), (two, False)), kind, lists) or satisfiable(((two, True), (one, False)), kind, lists)
    )


def _unjudged_when(rule: Rule) -> AllOf:
    return AllOf((*window(rule), rule.applies, any_state(rule.needs, NOT_SUPPLIED.value)))

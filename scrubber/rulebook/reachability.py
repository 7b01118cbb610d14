"""Finds, without any claim, rules that can never fire and rules that never fire alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from scrubber.claim.model import NOT_SUPPLIED
from scrubber.errors import Fault
from scrubber.rulebook.check import RuleFile
from scrubber.rulebook.field import Type
from scrubber.rulebook.question_fields import QuestionFields
from scrubber.rulebook.rule import AllOf, Compare, Has, Rule, any_state, window
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.satisfiable import ListsByDay, Requirement, contradiction, satisfiable
from scrubber.rulebook.source_map import SECTIONS, SourceMap, SourceNode, source_map
from scrubber.rulebook.vocabulary import FactKind


def fires_when(rule: Rule) -> tuple[Requirement, ...]:
    """What a fact must fulfil for the rule to fire on it."""
    fulfilled = (AllOf((*window(rule), rule.applies, rule.when)), True)
    return (fulfilled, (any_state(rule.needs, NOT_SUPPLIED.value), False)) if rule.needs else (fulfilled,)


def can_fire(rule: Rule, lists: ListsByDay) -> bool:
    """False only where no fact could ever make the rule fire, whatever its questions come to."""
    return possible_together(fires_when(rule), rule.kind, lists)


def possible_together(wanted: Sequence[Requirement], kind: FactKind, lists: ListsByDay) -> bool:
    """Whether some fact, with what stands beside it, may fulfil all of `wanted`. False is certain, True is not."""
    questions = QuestionFields(kind)
    requirements = [(questions.replaced(condition), holds) for condition, holds in wanted]
    return satisfiable(requirements, questions.kind, lists)


def impossible_together(wanted: Sequence[Requirement], kind: FactKind, lists: ListsByDay) -> tuple[int, ...]:
    """Which of `wanted`, by index, never hold together, each of them needed for it; none where they may."""
    questions = QuestionFields(kind)
    requirements = [(questions.replaced(condition), holds) for condition, holds in wanted]
    return contradiction(requirements, questions.kind, lists)


def why_never(text: SourceMap, lists: ListsByDay) -> tuple[SourceNode, ...]:
    """The conditions that never hold together, each of them needed for it; none where the rule may fire."""
    if can_fire(text.rule, lists):
        return ()
    nodes = tuple(_certain(text.roots()))
    wanted = [(node.condition, node.wanted) for node in nodes]
    against = impossible_together(wanted, text.rule.kind, lists)
    return tuple(nodes[index] for index in against)


def check_firing(files: Iterable[RuleFile], lists: ListsByDay) -> Iterator[Fault]:
    """Rules that no claim could ever make fire; the fault is on the first of the contradicting conditions."""
    for document, rule in files:
        against = why_never(source_map(rule, document), lists)
        if against:
            yield Fault(document.file, against[0].line, f"can never fire: {describe_contradiction(against)}")


class Certain(NamedTuple):
    """A condition that comes out one way wherever it is asked, since those asked before it hold."""

    node: SourceNode
    holds: bool


def certain_conditions(text: SourceMap, lists: ListsByDay) -> Iterator[Certain]:
    """Conditions of a rule that may fire which are always true, or never, where what stands before them holds."""
    kind = text.rule.kind
    if not can_fire(text.rule, lists):
        return
    for section in ("applies", "when"):
        before = [(root.condition, root.wanted) for root in text.before(section)]
        for root in text.sections[SECTIONS.index(section)]:
            yield from _certain_below(root, before, kind, lists)
            before.append((root.condition, root.wanted))


def _certain_below(
    node: SourceNode, before: Sequence[Requirement], kind: FactKind, lists: ListsByDay
) -> Iterator[Certain]:
    """The outermost conditions of a node that come out one way. Of a list `all`, each counts after those before it."""
    for holds in (True, False):
        if not possible_together([*before, (node.condition, node.wanted != holds)], kind, lists):
            yield Certain(node, holds)
            return
    known = list(before)
    for part in node.parts:
        yield from _certain_below(part, known, kind, lists)
        if isinstance(node.condition, AllOf):
            known.append((part.condition, part.wanted))


def describe_contradiction(against: Sequence[SourceNode]) -> str:
    """Conditions that never hold together, as a sentence."""
    if len(against) == 1:
        return f"`{against[0].words}` never holds"
    text = " and ".join(f"`{node.words}` (line {node.line})" for node in against)
    return f"{text} never hold together"


def _certain(nodes: Iterable[SourceNode]) -> Iterator[SourceNode]:
    """The conditions that must all be fulfilled: an all-of group is replaced by its members."""
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


def companions(rulebook: Rulebook) -> Iterator[Companions]:
    """Active rules that never fire alone, of one scope, severity and category.

    Only rules of one pack are held against each other: a payer may apply one pack and not another.
    """
    alike: dict[tuple[str, ...], list[Rule]] = defaultdict(list)
    for rule in rulebook.rules.values():
        if rule.status == "active" and can_fire(rule, rulebook.lists):
            alike[rule.scope, rule.severity, rule.category, rule.pack].append(rule)
    for rules in alike.values():
        allowed = [_allowed_codes(rule) for rule in rules]
        for (rule, codes), (other, others) in permutations(zip(rules, allowed, strict=True), 2):
            if _apart(codes, others) or not implies(rule, other, rulebook.lists):
                continue
            back = implies(other, rule, rulebook.lists)
            if not back or rule.id < other.id:
                yield Companions(rule, other, back)


AllowedCodes = Mapping[str, frozenset[str]]


def _allowed_codes(rule: Rule) -> AllowedCodes:
    """By fact of one text, the only texts that the rule applies to; just those that are quickly seen."""
    fields = rule.kind.fields
    parts = rule.applies.parts if isinstance(rule.applies, AllOf) else ()
    allowed = {}
    for part in parts:
        if isinstance(part, Has) and part.op != "none" and fields[part.fact].type is not Type.CODES:
            allowed[part.fact] = frozenset(part.values)
        elif isinstance(part, Compare) and part.op == "is" and isinstance(part.value, str):
            allowed[part.fact] = frozenset((part.value,))
    return allowed


def _apart(codes: AllowedCodes, others: AllowedCodes) -> bool:
    """Whether two rules that can fire never do so on one fact: thousands of pairs are settled by this alone."""
    return any(not codes[fact] & others[fact] for fact in codes.keys() & others.keys())


def implies(rule: Rule, other: Rule, lists: ListsByDay) -> bool:
    """Whether `other` fires on every fact on which `rule` fires, for certain. Both are of one scope."""
    kind = rule.kind
    fires = fires_when(rule)
    return not any(satisfiable((*fires, (test, not holds)), kind, lists) for test, holds in fires_when(other))


def means_the_same(rule: Rule, other: Rule, lists: ListsByDay) -> bool:
    """Whether two rules fire, and are not checked, on the same facts, for certain."""
    if not (implies(rule, other, lists) and implies(other, rule, lists)):
        return False
    one, two = _unjudged_when(rule), _unjudged_when(other)
    kind = rule.kind
    return not (
        satisfiable(((one, True), (two, False)), kind, lists) or satisfiable(((two, True), (one, False)), kind, lists)
    )


def _unjudged_when(rule: Rule) -> AllOf:
    return AllOf((*window(rule), rule.applies, any_state(rule.needs, NOT_SUPPLIED.value)))

"""Compiles tests into rulesets within the limits of durable_rules.

Past these limits it hangs, crashes or loses facts, so they are counted here over the tree of conditions that it will
build. A ruleset that is full is closed and the next one opened.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from scrubber.engine.encode import END, MessageEncoder, Term
from scrubber.engine.program import CodeListLookup, Conjunction, EngineTest, alternatives

MOST_RULES = 4000
MOST_CHILDREN = 500
MOST_STACKED = 60  # conditions of one fact waiting at the same time; the engine's stack holds 64
MOST_PROPERTIES = 240

Expression = dict[str, object]


class _TreeNode:
    """A condition in the tree, with the conditions that are tested after it."""

    __slots__ = ("children", "choices", "deepest")

    def __init__(self) -> None:
        self.children: dict[Term, _TreeNode] = {}
        self.choices: set[object] = set()  # what can hold of one fact: an equality per property, any other term
        self.deepest = 0

    def child(self, term: Term) -> _TreeNode:
        self.choices.add(term.name if term.operator == "" else term)
        return self.children.setdefault(term, _TreeNode())

    @property
    def stacked(self) -> int:
        return len(self.choices) + self.deepest


class Ruleset:
    """Rules for one durable_rules ruleset; `readers` by kind, `rules` as rows of terms with the keys they stand for."""

    def __init__(self) -> None:
        self.readers: dict[str, MessageEncoder] = {}
        self.rules: dict[tuple[Term, ...], list[int]] = {}
        self._root = _TreeNode()

    def takes(self, test: EngineTest, reader: MessageEncoder, ways: Iterable[Conjunction]) -> bool:
        """Adds a test, unless it would exceed a limit: then the ruleset is full and takes no other test."""
        rows = [reader.spell(way) for way in ways]
        if len(self.rules) + len(rows) > MOST_RULES or not all(self._grow(row) for row in rows):
            return False
        self.readers[test.kind] = reader
        for row in rows:
            self.rules.setdefault(row, []).append(test.key)
        return True

    def _grow(self, row: tuple[Term, ...]) -> bool:
        path = [self._root]
        for term in row:
            path.append(path[-1].child(term))
        for node, below in zip(path[-2::-1], path[:0:-1], strict=True):
            node.deepest = max(node.deepest, below.stacked)
        return self._root.stacked <= MOST_STACKED and all(len(node.children) <= MOST_CHILDREN for node in path)

    @property
    def keys(self) -> list[tuple[int, ...]]:
        """Test keys by rule number."""
        return [tuple(keys) for keys in self.rules.values()]

    def definition(self) -> str:
        """The ruleset as durable_rules takes it: rules r0, r1, … and one that fires last, for the end of a batch."""
        rules: Expression = {f"r{number}": _rule(row) for number, row in enumerate(self.rules)}
        rules["end"] = {"all": [{"m": {END: 1}}], "pri": 65535}
        return orjson.dumps(rules).decode()


def _rule(row: tuple[Term, ...]) -> Expression:
    terms = [_expression(term) for term in row]
    return {"all": [{"m": terms[0] if len(terms) == 1 else {"$and": terms}}]}


def _expression(term: Term) -> Expression:
    equality: Expression = {term.name: term.constant}
    return {term.operator: equality} if term.operator else equality


def pack(tests: Iterable[EngineTest], lists: CodeListLookup) -> tuple[list[Ruleset], list[EngineTest]]:
    """Rulesets for the tests, and those tests that fit in none. KeyError for an unknown operator."""
    by_kind: dict[str, list[tuple[EngineTest, list[Conjunction]]]] = {}
    for test in tests:
        by_kind.setdefault(test.kind, []).append((test, alternatives(test.condition)))
    rulesets, left = [Ruleset()], []
    for number, kind in enumerate(sorted(by_kind)):
        for reader, group in _readers(kind, number, by_kind[kind], lists):
            if kind in rulesets[-1].readers:
                rulesets.append(Ruleset())
            left += _fill(rulesets, reader, group)
    return [ruleset for ruleset in rulesets if ruleset.rules], left


TestGroup = list[tuple[EngineTest, list[Conjunction]]]


def _readers(kind: str, number: int, group: TestGroup, lists: CodeListLookup) -> list[tuple[MessageEncoder, TestGroup]]:
    """Readers for the tests of a kind: one, or as many as keep their messages within bounds."""
    reader = MessageEncoder(kind, number, [way for _, ways in group for way in ways], lists)
    if reader.width <= MOST_PROPERTIES or len(group) == 1:
        return [(reader, group)]
    half = len(group) // 2
    return _readers(kind, number, group[:half], lists) + _readers(kind, number, group[half:], lists)


def _fill(rulesets: list[Ruleset], reader: MessageEncoder, group: TestGroup) -> list[EngineTest]:
    left = []
    for test, ways in group:
        if rulesets[-1].takes(test, reader, ways):
            continue
        rulesets.append(Ruleset())
        if not rulesets[-1].takes(test, reader, ways):
            rulesets.append(Ruleset())
            left.append(test)
    return left

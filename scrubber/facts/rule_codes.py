"""Says which procedure codes running rules are for, so that no facts are made that no rule could fire on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import product

from scrubber.remembered import remembered
from scrubber.rulebook.relations import Own, Shaped
from scrubber.rulebook.rule import AllOf, Asks, Compare, Condition, Has, InList, Rule
from scrubber.rulebook.rulebook import Rulebook

Test = Callable[[str], bool]
CODES_KEPT = 16_384


class RuleCodes:
    """The procedure codes that the running rules of a rulebook are for. `pairs`: the pairs of codes that rules name."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._tests = {scope: _procedure_tests(rules, rulebook) for scope, rules in _by_scope(rulebook).items()}
        self.pairs = frozenset(pair for rule in rulebook.running if rule.scope == "pair" for pair in named_pairs(rule))
        self.has = lru_cache(CODES_KEPT)(self._find)

    def _find(self, scope: str, procedure: str) -> bool:
        """Whether some running rule of the scope may apply to the procedure on some day."""
        return any(test(procedure) for test in self._tests.get(scope, ()))


@remembered(4)
def rule_codes(rulebook: Rulebook) -> RuleCodes:
    """The codes that the rules of a rulebook are for, worked out once."""
    return RuleCodes(rulebook)


def _by_scope(rulebook: Rulebook) -> dict[str, list[Rule]]:
    scopes: dict[str, list[Rule]] = {}
    for rule in rulebook.running:
        scopes.setdefault(rule.scope, []).append(rule)
    return scopes


def _procedure_tests(rules: Iterable[Rule], rulebook: Rulebook) -> tuple[Test, ...]:
    return tuple(procedure_test(rule.applies, rulebook) for rule in rules)


def procedure_test(applies: Condition, rulebook: Rulebook) -> Test:
    """Whether a rule that applies where the condition holds may be for a procedure code."""
    for part in applies.parts if isinstance(applies, AllOf) else ():
        if isinstance(part, InList) and part.fact == "procedure" and part.op in ("any", "all"):
            name = part.list
            return lambda code: rulebook.lists.may_contain(name, code)
        beginnings = begins_with(part)
        if beginnings:
            return lambda code: code.startswith(beginnings)
        codes = _codes(part, "procedure")
        if codes:
            return frozenset(codes).__contains__
    return lambda _: True


def begins_with(part: Condition) -> tuple[str, ...]:
    """With what a procedure code begins where a condition holds; empty where it says nothing of that."""
    if isinstance(part, Asks) and isinstance(part.question, Shaped) and part.question.op == "begins-with":
        operand = part.question.operand
        return part.question.values if isinstance(operand, Own) and operand.name == "procedure" else ()
    return ()


def _codes(part: Condition, fact: str) -> tuple[str, ...]:
    if isinstance(part, Has) and part.fact == fact and part.op in ("any", "all"):
        return part.values
    if isinstance(part, Compare) and part.fact == fact and part.op == "is":
        return (str(part.value),)
    return ()


def named_pairs(rule: Rule) -> Iterable[tuple[str, str]]:
    """The pairs of codes that a rule names: the code that stays, the code that falls."""
    parts = rule.applies.parts if isinstance(rule.applies, AllOf) else ()
    first = [code for part in parts for code in _codes(part, "first")]
    second = [code for part in parts for code in _codes(part, "second")]
    return product(first, second)

"""Random tests and facts over the whole vocabulary, for comparing the engines."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from scrubber.engine.program import EngineTest
from scrubber.rulebook.field import Field, Type, state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList
from scrubber.rulebook.vocabulary import KINDS

CODES = ("77080", "77081", "77089", "77090", "77091", "77092", "26", "TC", "59", "M810", "Z78.0", "é", "")
NUMBERS = (-(2**53) - 1, -2_100_000, -1, 0, 1, 2, 3, 1_285_000, 738_000, 738_001, 2**53, 2**53 + 1)
STATES = ("absent", "not-supplied", "not-a-number")
NUMERIC = (Type.NUMBER, Type.DECIMAL, Type.AMOUNT, Type.DAY)
POISON: tuple[Any, ...] = (
    "x" * 70_000, 'a"b\\c', "\u0000", "\ud800", "\u2028", "\U0001d518", "1e400", 1.5, float("nan"), None, 2**63, 2**64,
    2**200, -(2**63) - 1, True, 0, "", (), ("\ud800", "26"), ("x" * 70_000,), "77089\x00",
    '{"id":1}', b"26", [], {"id": 2},
)  # fmt: skip


@dataclass
class AnyFact:
    kind: str
    values: dict[str, Any]


class SampleLists:
    """Two lists whose codes depend on the day."""

    def contains(self, list_name: str, code: str, day: int) -> bool:
        return code.startswith("7708" if list_name == "first" else "M") and day != 738_000


def condition(random: Random, fields: list[Field], depth: int = 3) -> Condition:
    if depth and random.random() < 0.6:
        parts = tuple(condition(random, fields, depth - 1) for _ in range(random.randint(0, 4)))
        return AllOf(parts) if random.random() < 0.6 else AnyOf(parts)
    return leaf(random, random.choice(fields))


def leaf(random: Random, field: Field) -> Condition:
    if field.states and random.random() < 0.4:
        return Compare(state_key(field.name), random.choice(("is", "is-not")), random.choice(field.states))
    if field.type in NUMERIC:
        op = random.choice(("is", "is-not", "over", "at-least", "under", "at-most"))
        return Compare(field.name, op, random.choice(NUMBERS))
    if field.type is Type.FLAG:
        return Compare(field.name, random.choice(("is", "is-not")), random.random() < 0.5)
    codes = field.words or CODES
    op = random.choice(("any", "all", "none"))
    if random.random() < 0.3:
        return InList(field.name, op, random.choice(("first", "second")))
    if field.type is Type.CODES or random.random() < 0.5:
        return Has(field.name, op, tuple(random.sample(codes, random.randint(0, min(4, len(codes))))))
    return Compare(field.name, random.choice(("is", "is", "is-not", "over", "under")), random.choice(codes))


def value(random: Random, field: Field) -> Any:
    if field.type in NUMERIC:
        return random.choice(NUMBERS)
    if field.type is Type.FLAG:
        return random.random() < 0.5
    codes = (*(field.words or CODES), "other")
    if field.type is Type.CODES:
        return tuple(random.sample(codes, random.randint(0, 3)))
    return random.choice(codes)


def values(random: Random, fields: list[Field], poison: float = 0.0) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for field in fields:
        if random.random() < 0.15:
            continue
        key = state_key(field.name) if field.states and random.random() < 0.4 else field.name
        held[key] = random.choice(field.states) if key != field.name else value(random, field)
        if random.random() < poison:
            held[key] = random.choice(POISON)
    return held


def case(random: Random, poison: float = 0.0) -> tuple[list[EngineTest], list[AnyFact]]:
    """A rulebook of up to 60 tests over a few kinds, with up to 30 facts of these and of others."""
    kinds = random.sample(sorted(KINDS), 4)
    # Few fields a kind, so that conditions meet and hold.
    chosen = {kind: random.sample(list(KINDS[kind].fields.values()), 5) for kind in kinds}
    tests = []
    for key in range(random.randint(1, 60)):
        kind = random.choice(kinds[:3])
        tests.append(EngineTest(key, kind, condition(random, chosen[kind])))
    facts = []
    for _ in range(random.randint(0, 30)):
        kind = random.choice(kinds)
        facts.append(AnyFact(kind, values(random, chosen[kind], poison)))
    return tests, facts

"""What is said to be impossible is: never contradicted by any of many facts; and what people write is seen through."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.dated_rows import cell_parsers
from scrubber.engine.plain import predicate
from scrubber.rulebook.field import Field, Type, state_key
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList
from scrubber.rulebook.rule_tables import CodeListRow
from scrubber.rulebook.rulebook import CodeLists
from scrubber.rulebook.satisfiable import contradiction, satisfiable
from scrubber.rulebook.vocabulary import KINDS
from scrubber.scrub import read_facts
from tests.support.random_claims import random_claim
from tests.support.rule_folders import shipped_scrubber

CODES = ("77080", "77081", "77089", "77092")
DAY = 738_000
NUMBERS = (DAY - 1, DAY, DAY + 1, 0, 1)
NO_LISTS = CodeLists(())


def row(name: str, code: str, through: str = "", since: str = "", until: str = "") -> CodeListRow:
    parse = cell_parsers(CodeListRow)
    cells = {"list": name, "code": code, "through": through, "since": since, "until": until, "source": "sample"}
    return CodeListRow(**{column: parse[column](cell) for column, cell in cells.items()})


# 738_000 is 2021-07-29: `first` turns on that day; `second` has a range beside a code that ends on it.
LISTS = CodeLists(
    (
        row("first", "77080", until="2021-07-29"),
        row("first", "77089", since="2021-07-29"),
        row("second", "77080", "77081"),
        row("second", "77092", until="2021-07-30"),
        row("ended", "77080", until="2000-01-01"),
    )
)


def a_leaf(random: Random, field: Field) -> Condition:
    """A comparison as rule files have them, or turned round as no rule file has it."""
    if field.states and random.random() < 0.4:
        return Compare(state_key(field.name), random.choice(("is", "is-not")), random.choice(field.states))
    if field.type is Type.FLAG:
        return Compare(field.name, random.choice(("is", "is-not")), random.random() < 0.5)
    if field.type in (Type.NUMBER, Type.DECIMAL, Type.AMOUNT, Type.DAY):
        op = random.choice(("is", "is-not", "over", "at-least", "under", "at-most"))
        return Compare(field.name, op, random.choice(NUMBERS))
    codes = field.words or CODES
    op = random.choice(("any", "all", "none"))
    if random.random() < 0.3:
        return InList(field.name, op, random.choice(("first", "second", "ended")))
    if field.type is Type.CODES or random.random() < 0.5:
        return Has(field.name, op, tuple(random.sample(codes, random.randint(0, min(3, len(codes))))))
    return Compare(field.name, random.choice(("is", "is-not")), random.choice(codes))


def a_condition(random: Random, fields: list[Field], depth: int) -> Condition:
    if depth and random.random() < 0.6:
        parts = tuple(a_condition(random, fields, depth - 1) for _ in range(random.randint(1, 4)))
        return random.choice((AllOf, AllOf, AnyOf))(parts)
    return a_leaf(random, random.choice(fields))


def a_fact(random: Random, fields: list[Field]) -> dict[str, Any]:
    """Any fact that the vocabulary allows: of each field a value, a state, or nothing."""
    values: dict[str, Any] = {}
    for field in fields:
        if random.random() < 0.1:
            continue
        if field.states and random.random() < 0.3:
            values[state_key(field.name)] = random.choice(field.states)
        else:
            values[field.name] = a_value(random, field)
    return values


def a_value(random: Random, field: Field) -> Any:
    if field.type is Type.FLAG:
        return random.random() < 0.5
    if field.type in (Type.NUMBER, Type.DECIMAL, Type.AMOUNT, Type.DAY):
        return random.choice(NUMBERS) + random.choice((-1, 0, 0, 1))
    codes = field.words or (*CODES, "other")
    return tuple(random.sample(codes, random.randint(0, 3))) if field.type is Type.CODES else random.choice(codes)


def a_sample(random: Random) -> tuple[list[tuple[Condition, bool]], list[Field], str]:
    kind = random.choice(sorted(KINDS))
    fields = [*random.sample(list(KINDS[kind].fields.values()), 2), KINDS[kind].fields["day"]]
    asked = [(a_condition(random, fields, 2), random.random() < 0.7) for _ in range(random.randint(1, 3))]
    return asked, fields, kind


def test_what_is_impossible_is_never_seen_on_any_fact() -> None:
    impossible = found = 0
    for seed in range(2500):
        random = Random(seed)
        asked, fields, kind = a_sample(random)
        tests = [(predicate(condition, LISTS), wanted) for condition, wanted in asked]
        seen = any(
            all(holds(values) == wanted for holds, wanted in tests)
            for values in (a_fact(random, fields) for _ in range(150))
        )
        possible = satisfiable(asked, KINDS[kind], LISTS)
        assert possible or not seen, f"seed {seed}"
        impossible += not possible
        found += seen
    assert impossible > 400
    assert found + impossible > 2300  # little is called possible that nothing fulfils


LINE = KINDS["line"]
ONE, OTHER = Has("procedure", "any", ("77080",)), Has("procedure", "any", ("77092",))
FIRST, SECOND = InList("procedure", "any", "first"), InList("procedure", "any", "second")


def code(text: str) -> Compare:
    return Compare("procedure", "is", text)


IMPOSSIBLE: dict[str, tuple[Condition, ...]] = {
    "two codes at once": (ONE, OTHER),
    "words excluded": (Has("setting", "none", ("facility", "non-facility")),),
    "words excluded in two ways": (Compare("setting", "is-not", "facility"), Has("setting", "none", ("non-facility",))),
    "over and under": (Compare("units", "over", 5), Compare("units", "under", 6)),
    "1 to 3, and not 2": (Compare("mue", "over", 1), Compare("mue", "under", 3), Compare("mue", "is-not", 2)),
    "yes and no": (Compare("unitsOverMue", "is", True), Compare("unitsOverMue", "is", False)),
    "a state and a value": (Compare("calculatedBy?", "is", "absent"), Compare("calculatedBy", "is", "self")),
    "two states": (Compare("calculatedBy?", "is", "absent"), Compare("calculatedBy?", "is", "not-supplied")),
    "nothing": (AnyOf(()),),
    "every branch": (AnyOf((ONE, OTHER)), code("77081")),
    "any and none": (Has("modifiers", "any", ("26", "TC")), Has("modifiers", "none", ("TC", "26", "59"))),
    "all of two lists": (Has("modifiers", "all", ("26",)), Has("modifiers", "all", ("TC",))),
    "a list that has ended": (InList("procedure", "any", "ended"), Compare("day", "at-least", DAY)),
    "a list before its code is in it": (FIRST, Compare("day", "under", DAY), code("77089")),
    "in a list and out of it": (SECOND, InList("procedure", "none", "second"), code("77081")),
}
POSSIBLE: dict[str, tuple[Condition, ...]] = {
    "two modifiers at once": (Has("modifiers", "any", ("26",)), Has("modifiers", "any", ("TC",))),
    "one of two codes": (AnyOf((ONE, OTHER)),),
    "a list on its last day": (FIRST, Compare("day", "is", DAY - 1), code("77080")),
    "no modifier at all": (Has("modifiers", "none", ("26",)), Has("modifiers", "none", ("TC",))),
    "between": (Compare("units", "over", 5), Compare("units", "under", 7)),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_seen_through(name: str) -> None:
    assert not satisfiable([(condition, True) for condition in IMPOSSIBLE[name]], LINE, LISTS)


@pytest.mark.parametrize("name", POSSIBLE)
def test_left_alone(name: str) -> None:
    assert satisfiable([(condition, True) for condition in POSSIBLE[name]], LINE, LISTS)


def test_only_what_contradicts_is_named() -> None:
    conditions: list[Condition] = [Compare("place", "is", "11"), ONE, Compare("units", "over", 1), OTHER]
    asked = [(condition, True) for condition in conditions]
    assert contradiction(asked, LINE, NO_LISTS) == (1, 3)
    assert contradiction(asked[:3], LINE, NO_LISTS) == ()


def test_a_search_that_would_never_end_gives_up() -> None:
    modifiers = tuple(
        AnyOf((Has("modifiers", "any", (f"{n}",)), Has("modifiers", "any", (f"x{n}",)))) for n in range(24)
    )
    codes = (AnyOf(tuple(Compare("procedure", "is", code) for code in CODES[:3])), AnyOf((OTHER, OTHER, OTHER)))
    assert not satisfiable([(AllOf(codes), True)], LINE, NO_LISTS)
    assert satisfiable([(AllOf((*modifiers, *codes)), True)], LINE, NO_LISTS)


def test_facts_of_claims_are_what_the_vocabulary_allows() -> None:
    """Proofs rest on it: a value or a state and never both, and no word that is not listed."""
    opened = shipped_scrubber()
    for number in range(300):
        claim = read_v3(random_claim(number))
        for fact in read_facts(claim, opened.rulebook, opened.reference, date(2026, 11, 23)).facts:
            for field in KINDS[fact.kind].fields.values():
                held, state = fact.values.get(field.name), fact.values.get(state_key(field.name))
                assert held is None or state is None, field.name
                assert state is None or state in field.states, field.name
                words = held if isinstance(held, tuple) else (held,)
                assert held is None or not field.words or set(words) <= set(field.words), field.name

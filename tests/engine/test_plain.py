"""The plain engine, by truth tables: it is what the fast engine is held against."""

from __future__ import annotations

from typing import Any

import pytest

from scrubber.engine.durable import DurableEngine
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import Engine, EngineTest
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Condition, Has, InList, any_state
from tests.support.engine_cases import AnyFact

TRUE, FALSE = AllOf(()), AnyOf(())


class Lists:
    """`dxa` has 77080 until day 100, and 77089 from then on."""

    def contains(self, list_name: str, code: str, day: int) -> bool:
        return list_name == "dxa" and code == ("77080" if day < 100 else "77089")


@pytest.fixture(params=[PlainEngine, DurableEngine])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


def holds(make: Any, condition: Condition, **values: Any) -> bool:
    engine: Engine = make([EngineTest(7, "line", condition)], Lists())
    facts = [AnyFact("claim", {}), AnyFact("line", {key.replace("_state", "?"): held for key, held in values.items()})]
    found = engine.match(facts)
    assert found in ([], [(7, 1)])
    return bool(found)


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("is", (False, True, False)),
        ("is-not", (True, False, True)),
        ("over", (False, False, True)),
        ("at-least", (False, True, True)),
        ("under", (True, False, False)),
        ("at-most", (True, True, False)),
    ],
)
def test_numbers_compare(make: Any, op: str, wanted: tuple[bool, ...]) -> None:
    assert tuple(holds(make, Compare("charge", op, 5), charge=charge) for charge in (4, 5, 6)) == wanted
    assert not holds(make, Compare("charge", op, 5))


@pytest.mark.parametrize("op", ["is", "is-not", "over", "at-least", "under", "at-most"])
@pytest.mark.parametrize("other", ["5", 5.0, True, None, ("5",)])
def test_a_value_of_another_type_counts_as_unset(make: Any, op: str, other: Any) -> None:
    assert not holds(make, Compare("charge", op, 5), charge=other)


def test_words_and_flags_compare(make: Any) -> None:
    assert holds(make, Compare("setting", "is", "facility"), setting="facility")
    assert not holds(make, Compare("setting", "is", "facility"), setting="non-facility")
    assert holds(make, Compare("setting", "is-not", "facility"), setting="non-facility")
    assert not holds(make, Compare("setting", "is-not", "facility"))
    assert holds(make, Compare("unitsOverMue", "is", False), unitsOverMue=False)
    assert holds(make, Compare("unitsOverMue", "is-not", False), unitsOverMue=True)
    assert not holds(make, Compare("unitsOverMue", "is", True), unitsOverMue=1)
    assert not holds(make, Compare("unitsOverMue", "is-not", True))


def test_states_stand_under_their_own_key(make: Any) -> None:
    missing = any_state(["calculatedBy", "renderingClass"], "not-supplied")
    assert holds(make, missing, calculatedBy="self", renderingClass_state="not-supplied")
    assert not holds(make, missing, calculatedBy_state="absent", renderingClass="physician")
    assert not holds(make, missing)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (("26",), (True, True, False)),
        (("26", "59"), (True, False, False)),
        (("59",), (False, False, True)),
        ((), (False, False, True)),
        (None, (False, False, False)),
    ],
)
def test_lists_of_codes(make: Any, held: tuple[str, ...] | None, wanted: tuple[bool, ...]) -> None:
    values = {} if held is None else {"modifiers": held}
    tests = [Has("modifiers", op, ("26", "TC")) for op in ("any", "all", "none")]
    assert tuple(holds(make, test, **values) for test in tests) == wanted


@pytest.mark.parametrize(
    ("held", "wanted"), [("77089", (True, True, False)), ("77080", (False, False, True)), (None, (False,) * 3)]
)
def test_one_text_counts_as_a_list_of_one(make: Any, held: str | None, wanted: tuple[bool, ...]) -> None:
    values = {} if held is None else {"procedure": held}
    tests = [Has("procedure", op, ("77089", "77092")) for op in ("any", "all", "none")]
    assert tuple(holds(make, test, **values) for test in tests) == wanted


def test_has_nothing_to_look_for(make: Any) -> None:
    tests = [Has("modifiers", op, ()) for op in ("any", "all", "none")]
    assert [holds(make, test, modifiers=()) for test in tests] == [False, False, True]
    assert [holds(make, test, modifiers=("26",)) for test in tests] == [False, False, True]


@pytest.mark.parametrize(
    ("code", "day", "wanted"),
    [
        ("77080", 99, (True, True, False)),
        ("77080", 100, (False, False, True)),
        ("77089", 100, (True, True, False)),
        ("77080", None, (False, False, False)),
        (None, 99, (False, False, False)),
    ],
)
def test_code_lists_are_those_of_the_day(
    make: Any, code: str | None, day: int | None, wanted: tuple[bool, ...]
) -> None:
    values = {key: held for key, held in (("procedure", code), ("day", day)) if held is not None}
    tests = [InList("procedure", op, "dxa") for op in ("any", "all", "none")]
    assert tuple(holds(make, test, **values) for test in tests) == wanted


def test_code_lists_against_several_codes(make: Any) -> None:
    tests = [InList("diagnoses", op, "dxa") for op in ("any", "all", "none")]
    assert [holds(make, test, diagnoses=("77089", "x"), day=100) for test in tests] == [True, False, False]
    assert [holds(make, test, diagnoses=(), day=100) for test in tests] == [False, False, True]


@pytest.mark.parametrize("left", [TRUE, FALSE])
@pytest.mark.parametrize("right", [TRUE, FALSE])
def test_all_and_any(make: Any, left: Condition, right: Condition) -> None:
    assert holds(make, AllOf((left, right))) is (left is TRUE and right is TRUE)
    assert holds(make, AnyOf((left, right))) is (left is TRUE or right is TRUE)


def test_alternatives_of_one_field_hold_without_it_when_one_always_does(make: Any) -> None:
    assert holds(make, AnyOf((TRUE, Compare("setting", "is", "facility"))))


def test_matches_are_sorted_by_fact_then_key(make: Any) -> None:
    tests = [EngineTest(9, "line", TRUE), EngineTest(2, "claim", TRUE), EngineTest(4, "line", TRUE)]
    facts = [AnyFact("line", {}), AnyFact("claim", {}), AnyFact("table", {}), AnyFact("line", {})]
    assert make(tests, Lists()).match(facts) == [(4, 0), (9, 0), (2, 1), (4, 3), (9, 3)]


def test_an_operator_that_does_not_exist_is_refused(make: Any) -> None:
    with pytest.raises(KeyError):
        make([EngineTest(1, "line", Compare("charge", "about", 5))], Lists())

"""Random rules on random claims: the product's outcomes are those of an evaluator that shares no code with it.

1,000 rules, each on 100 claims; `python -m tests.relations 100` tries ten times as many.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.relations.compare import RECEIVED, differences, product_outcomes, random_book, random_claims

BOOKS, CLAIMS = 10, 100


@pytest.mark.parametrize("seed", range(BOOKS))
def test_the_product_and_the_naive_evaluator_agree(seed: int, tmp_path: Path) -> None:
    book = random_book(seed, tmp_path)
    found = list(differences(book, random_claims(seed, CLAIMS)))
    assert [(each.rule, each.line, each.naive, each.product) for each in found[:3]] == []


def test_random_rules_fire_and_are_not_checked_often_enough_to_say_something(tmp_path: Path) -> None:
    book = random_book(0, tmp_path)
    outcomes = Counter[str]()
    fired: set[str] = set()
    unchecked: set[str] = set()
    for _, claim in random_claims(0, 30):
        for (rule, _), outcome in product_outcomes(book.scrubber.scrub(claim, RECEIVED)).items():
            outcomes[outcome] += 1
            (fired if outcome == "fires" else unchecked).add(rule)
    assert len(fired) > 50
    assert len(unchecked) > 20
    assert min(outcomes.values()) > 200

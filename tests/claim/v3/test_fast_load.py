"""The accept path gives what the schema gives, for any body, and refuses what it refuses."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from marshmallow import ValidationError

from scrubber.claim.v3 import fast_load
from scrubber.claim.v3.schema import BODY
from scrubber.errors import NotAClaim
from tests.support.bodies import mutated, mutations, shuffled_keys
from tests.support.claims import Body, office_claim, tbs_claim


def _slow(body: Any) -> Any:
    try:
        return BODY.load(body)
    except ValidationError:
        return "refused"


def _fast(body: Any) -> Any:
    try:
        return fast_load._accept(body, "", fast_load.Found())
    except fast_load._WrongContainer:
        return "refused"


def test_a_regular_body_is_accepted() -> None:
    for body in (office_claim(), tbs_claim()):
        assert _fast(body) == BODY.load(body)


@pytest.mark.parametrize("count", [1_000, pytest.param(20_000, marks=pytest.mark.proof)])
def test_mutated_bodies_load_alike(count: int) -> None:
    chance = random.Random(2025)
    refused = 0
    for _ in range(count):
        body = mutated(chance, chance.choice((office_claim(), tbs_claim())))
        slow = _slow(body)
        assert _fast(body) == slow
        refused += slow == "refused"
    assert count / 10 < refused < count * 9 / 10, "both outcomes are exercised"


@settings(max_examples=300)
@given(mutations())
def test_any_mutation_loads_alike(body: Body) -> None:
    assert _fast(body) == _slow(body)


def test_a_refusal_has_the_schemas_words() -> None:
    body = office_claim()
    body["claimInformation"]["serviceLines"] = {}
    with pytest.raises(NotAClaim) as refusal:
        fast_load.load(body)
    assert [problem.pointer for problem in refusal.value.problems] == ["/claimInformation/serviceLines"]


def test_shuffled_keys_load_alike() -> None:
    chance = random.Random(7)
    for body in (office_claim(), tbs_claim()):
        assert fast_load.load(shuffled_keys(chance, body)).body == fast_load.load(body).body

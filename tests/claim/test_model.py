"""Parts of a claim are frozen, compared by what they hold, and never print it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import asdict

from scrubber.claim import model
from scrubber.claim.v3 import read_v3
from tests.support.claims import tbs_claim


def parts_of(node: Any) -> Iterator[model.ClaimPart]:
    """A part of a claim, and all that are in it."""
    if isinstance(node, model.ClaimPart):
        yield node
        for value in asdict(node).values():
            yield from parts_of(value)
    elif isinstance(node, tuple):
        for value in node:
            yield from parts_of(value)


def test_a_part_is_frozen_and_compared_by_what_it_holds() -> None:
    one, other = (model.Diagnosis(1, "/claimInformation", "ABK", "M810") for _ in range(2))
    assert (one == other, hash(one) == hash(other), one is other) == (True, True, False)
    with pytest.raises(AttributeError) as refused:
        one.code = "I10"  # type: ignore[misc]
    assert "I10" not in str(refused.value)


def test_a_claim_survives_copies_and_processes() -> None:
    read = read_v3(tbs_claim())
    assert type(read) is model.Claim
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  our own bytes
    assert copy.copy(read) == read


def test_no_part_prints_its_fields() -> None:
    parts = list(parts_of(read_v3(tbs_claim())))
    assert {type(part) for part in parts} >= {
        model.Claim, model.Person, model.Provider, model.Address, model.Diagnosis, model.ServiceLine, model.Context,
        model.Documentation,
    }  # fmt: skip
    for part in parts:
        printed = f"{part!r} {part} {list(part.__rich_repr__())}"
        values = [value for value in asdict(part).values() if isinstance(value, str) and len(value) > 5]
        assert not [value for value in values if value in printed]

"""The quick ways to make a claim's parts give what the classes themselves give."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields

import pytest

from scrubber.claim import model
from scrubber.claim.v3 import constructors, read_v3
from tests.support.claims import tbs_claim


def test_a_part_is_of_the_class_itself_and_frozen() -> None:
    made = constructors.diagnosis(1, "/claimInformation", "ABK", "M810")
    assert type(made) is model.Diagnosis
    assert made == model.Diagnosis(1, "/claimInformation", "ABK", "M810")
    assert hash(made) == hash(model.Diagnosis(1, "/claimInformation", "ABK", "M810"))
    with pytest.raises(FrozenInstanceError):
        made.code = "I10"  # type: ignore[misc]


def test_what_is_left_out_has_its_default() -> None:
    assert constructors.provider("/billing") == model.Provider("/billing")


def test_a_claim_survives_copies_and_processes() -> None:
    read = read_v3(tbs_claim())
    assert type(read) is model.Claim
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  our own bytes
    assert copy.copy(read) == read


def test_no_part_prints_its_fields() -> None:
    read = read_v3(tbs_claim())
    for part in (read, read.lines[0], read.billing, read.subscriber):
        values = [getattr(part, field.name) for field in fields(part)]
        assert not any(value in repr(part) for value in values if isinstance(value, str) and len(value) > 5)

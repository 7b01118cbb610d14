"""Facts of what is wrong with the segments of a claim that came as X12."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from scrubber.claim import read_claim
from scrubber.claim.x12.faults import FAULTS
from scrubber.rulebook.rule import leaves
from scrubber.scrub import Scrubber
from tests.support.x12 import BODY, envelope

OF_NO_CLAIM = {"foreign-set"}  # a set that is not read has no claims


def test_every_fault_is_found_by_one_rule(shipped: Scrubber) -> None:
    words = Counter(
        getattr(leaf, "value", None)
        for rule in shipped.rulebook.running
        if rule.scope == "segment"
        for leaf in leaves(rule.when)
    )
    assert words == Counter(FAULTS.keys() - OF_NO_CLAIM)


@pytest.mark.parametrize(("count", "where"), [(1, "Segment 29: "), (2, "Segments 29, 30: "), (7, "33 and 2 more: ")])
def test_segments_with_the_same_fault_are_one_finding(shipped: Scrubber, count: int, where: str) -> None:
    one_claim = BODY.partition("\nHL*3*2*23")[0].replace("HI*ABK", "ZZZ*1\n" * count + "HI*ABK")
    result = shipped.scrub(read_claim(envelope(one_claim)), date(2026, 9, 20))
    found = [each for each in result.findings if each.rule.id == "x12-837p-segment-not-in-guide"]
    assert len(found) == 1
    assert where in found[0].message

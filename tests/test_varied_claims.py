"""Claims of many kinds for benchmarks and tests: the same for a seed, and what is said of their faults holds."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import orjson
import pytest

from scrubber.claim import read_claim
from scrubber.findings import ScrubResult
from scrubber.scrub import Scrubber
from tests.support.varied_claims import FAULTS, MOST_LINES, PAYERS, SPECIALTIES, VariedClaim, npi, varied_claims

RECEIVED = date(2026, 11, 23)
CLAIMS = 600


@pytest.fixture(scope="module")
def scrubbed(shipped: Scrubber) -> list[tuple[VariedClaim, ScrubResult]]:
    made = varied_claims(CLAIMS)
    return [(claim, shipped.scrub(read_claim(orjson.dumps(claim.body)), RECEIVED)) for claim in made]


def test_a_claim_is_the_same_for_its_seed_and_number_and_another_for_others() -> None:
    first = [orjson.dumps(claim.body) for claim in varied_claims(20)]
    assert [orjson.dumps(claim.body) for claim in varied_claims(10, first=11)] == first[10:]
    assert len({*first, *(orjson.dumps(claim.body) for claim in varied_claims(20, seed=2))}) == 40


def test_every_specialty_payer_and_fault_occurs_and_claims_have_one_to_fifty_lines() -> None:
    made = list(varied_claims(CLAIMS))
    lines = [len(claim.body["claimInformation"]["serviceLines"]) for claim in made]
    assert {claim.specialty for claim in made} == {*SPECIALTIES}
    assert {claim.body["claimInformation"]["claimFilingCode"] for claim in made} == {payer.filing for payer in PAYERS}
    assert {fault for claim in made for fault in claim.faults} == {*FAULTS, "coverage unknown"}
    assert (min(lines), max(lines)) == (1, MOST_LINES)


def test_claims_without_faults_are_accepted(scrubbed: list[tuple[VariedClaim, ScrubResult]]) -> None:
    judged = defaultdict(set)
    for claim, result in scrubbed:
        if not claim.faults:
            judged[result.disposition].add(claim.specialty)
    assert judged == {"accept": {*SPECIALTIES} - {"bone score"}}


def test_claims_with_faults_are_not_accepted(scrubbed: list[tuple[VariedClaim, ScrubResult]]) -> None:
    assert {result.disposition for claim, result in scrubbed if claim.faults} == {"warn", "deny"}


def test_made_up_npis_have_the_check_digit_of_one_that_is_published() -> None:
    assert npi(23_456_789) == "1234567893"
    assert len({npi(number) for number in range(100)}) == 100

"""A claim with any two faults of the rules' own cases shows both, but for pairs that say why not."""

from __future__ import annotations

import pytest

from scrubber.scrub import Scrubber
from tests.pairwise.pairs import hidden, pairs, single_faults

# What one case changes beside its fault, so that the claim no longer has the other: no rule keeps silent for another.
TOO_MANY = "x12-837p-too-many"  # lines of a claim that holds more than it can are listed as not checked
NO_LONGER_THERE = {
    "code-set-add-on-alone": "the other case adds the service that the add-on code goes with",
    "cms-mpfs-procedure-in-global-days": "the other case gives who rendered the procedure another specialty",
    "medicare-wiser-authorization": "the other case gives an authorization number, if one that is too long",
    "x12-837p-further-element-unreadable": "the other case puts other dates of the claim in its place",
    "x12-837p-onset-after-service": "the other case has a later day of service",
    "documentation-unreadable": "it is about the report of a line that is not there, and the other case adds that line",
    "cms-mpfs-status-supply-alone": "it is about a claim without another service, and the other case adds one",
    "x12-837p-accident-date": "the other case gives the date",
    "x12-837p-accident-without-cause": "the other case gives the cause",
    "medicare-orders-laboratory": "the other case names who referred the patient, if not one who may",
    "medicare-orders-imaging": "the other case names who referred the patient, if not one who may",
    "medicare-orders-therapy": "the other case names who referred the patient, if not one who may",
    "medicare-orders-equipment": "the other case names who referred the patient, if not one who may",
    "medicare-visits-two-of-one-specialty": "the other case gives who rendered the visit another specialty",
    "medicare-visits-complexity-with-25": "the other case makes the only other service of the day a preventive one",
}
EVERY = 6  # of the pairs, in the ordinary tests


@pytest.mark.parametrize("step", [EVERY, pytest.param(1, marks=pytest.mark.proof)])
def test_two_faults_do_not_hide_one_another(step: int, shipped: Scrubber) -> None:
    every = [pair for pair in pairs(single_faults(shipped)) if TOO_MANY not in (pair[0].rule, pair[1].rule)]
    silent = {
        f"{rule} is silent in {one.rule} with {other.rule}"
        for one, other in every[::step]
        for rule in hidden(one, other, shipped)
        if rule not in NO_LONGER_THERE
    }
    assert silent == set()
    assert len(every) > 2_000

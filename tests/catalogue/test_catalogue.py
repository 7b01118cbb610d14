"""Each faulty claim of the catalogue gets a finding that names its fault, by the rule that cases.csv names."""

from __future__ import annotations

import os

import pytest

from scrubber.scrub import Scrubber, open_scrubber
from tests.catalogue.score import CASES, catalogue_rows, faulty_cases, unnamed
from tests.conftest import ROOT

REFERENCE = os.environ.get("SCRUBBER_REFERENCE")
with_cases = pytest.mark.skipif(not CASES.is_dir(), reason="needs the claims of ../shared/cases")


def test_the_rules_of_the_catalogue_are_rules(shipped: Scrubber) -> None:
    assert {row.rule for row in catalogue_rows()} - set(shipped.rulebook.rules) == set()


@with_cases
def test_the_cases_of_the_catalogue_are_faulty_claims() -> None:
    assert {row.case for row in catalogue_rows()} - {case["id"] for case in faulty_cases(CASES)} == set()


@with_cases
def test_the_starter_tables_show_the_faults_that_need_no_others(shipped: Scrubber) -> None:
    rows = [row for row in catalogue_rows() if row.reference != "yes"]
    assert dict(unnamed(CASES, shipped, rows)) == {}


@with_cases
@pytest.mark.skipif(REFERENCE is None, reason="needs full reference tables: SCRUBBER_REFERENCE names none")
def test_full_tables_show_every_fault() -> None:
    assert dict(unnamed(CASES, open_scrubber(ROOT / "rules", REFERENCE), catalogue_rows())) == {}

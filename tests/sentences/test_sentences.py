"""Every sentence that is written as rules fires, stays silent and says what it did not check, as its claims expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sentences.score import HERE, judged, sentence_rules

SENTENCES = HERE.parents[2] / "shared" / "language"


@pytest.mark.skipif(not SENTENCES.is_dir(), reason="needs the claims of ../shared/language")
def test_the_claims_of_each_sentence_come_out_as_expected(tmp_path: Path) -> None:
    """But for sentences that ask a reference table which the starter tables have too little of."""
    on_starter_tables = {row.sentence for row in sentence_rules()} - {
        row.sentence for row in sentence_rules() if row.reference == "yes"
    }
    claims = [claim for claim in judged(SENTENCES, tmp_path, None) if claim.sentence in on_starter_tables]
    assert {claim.file: claim.wrong for claim in claims if claim.wrong} == {}
    assert {claim.sentence for claim in claims} == on_starter_tables


def test_a_severity_that_is_not_the_sentence_s_says_why() -> None:
    """The claims are compared with the severity that rules.csv states, so that a difference is a decision."""
    assert [row.rule for row in sentence_rules() if row.severity and not row.why] == []

"""What is told of a rule whose needs were not supplied, where nobody knows whether the payer applies its pack."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.scrub import open_scrubber
from tests.support.claims import tbs_claim
from tests.support.rule_folders import PACK, RULE, rule_folder, with_lines

DAY = date(2025, 3, 12)
NEEDS = with_lines(
    RULE, when="when: {fact: units, over: 0}", needs="needs: [calculatedBy]", not_checked="not-checked: Say who."
)


@pytest.mark.parametrize(("said", "missing"), [(True, [("adoption",)]), (False, [])])
def test_one_question_at_a_time(tmp_path: Path, said: bool, missing: list[tuple[str, ...]]) -> None:
    folder = rule_folder(tmp_path, NEEDS, pack=with_lines(PACK, adoption="adoption: by-row"))
    body = tbs_claim()
    elements = body["scrubContext"]["documentation"][0]["elements"]
    elements.pop("calculatedBy", None)
    if said:
        elements["calculatedBy"] = "self"
    result = open_scrubber(folder, None).scrub(read_v3(body), DAY)
    assert result.findings == ()
    assert [item.missing for item in result.not_checked] == missing

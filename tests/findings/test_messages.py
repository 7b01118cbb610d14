"""What billers read: no finding sends them to a file of the rules, and sentences agree with their numbers."""

from __future__ import annotations

import copy
import re
from datetime import date
from typing import Any

import pytest

from scrubber.claim import read_v3
from scrubber.claim.elements import ELEMENTS
from scrubber.response.claim import document
from scrubber.scrub import Scrubber
from tests.support.claims import office_claim, tbs_claim

SLIPS = re.compile(r"\b1 (?:units|months|lines|days)\b|\bline \d+(?:, \d+)+|\{|\}|\bunknown unknown\b")


def test_no_text_of_a_rule_names_a_file(shipped: Scrubber) -> None:
    for rule in shipped.rulebook.rules.values():
        for text in (rule.message, rule.fix, rule.not_checked or ""):
            assert ".csv" not in text, rule.id
            assert "/tables/" not in text, rule.id


def told(shipped: Scrubber, body: Any) -> list[str]:
    answer = document(shipped.scrub(read_v3(copy.deepcopy(body)), date(2025, 4, 1)))
    rows = [*answer["findings"], *answer["notChecked"]]
    return [row[key] for row in rows for key in ("message", "fix") if key in row]


def test_an_unknown_payer_is_not_sent_to_a_file(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["claimFilingCode"] = "CI"
    body["claimInformation"]["serviceLines"][0]["professionalService"] |= {"serviceUnitCount": "2"}
    texts = told(shipped, body)
    assert any("this payer applies" in text for text in texts)
    assert not [text for text in texts if ".csv" in text]


@pytest.mark.parametrize("name", [name for name, element in ELEMENTS.items() if element.owner == "service"])
def test_a_missing_element_is_told_in_a_sentence(shipped: Scrubber, name: str) -> None:
    *above, last = ELEMENTS[name].path.split("/")[1:]
    body = office_claim()
    for service in (line["professionalService"] for line in body["claimInformation"]["serviceLines"]):
        node = service
        for key in above:
            node = node[key]
        node.pop(last, None)
    label = ELEMENTS[name].label
    texts = [text for text in told(shipped, body) if f"the {label} " in text and "missing" in text]
    assert all(f"the {label} {'are' if label.endswith('s') else 'is'} missing" in text for text in texts)
    assert texts or ELEMENTS[name].need == "situational"
    assert not [text for text in told(shipped, body) if SLIPS.search(text)]


@pytest.mark.parametrize(
    ("part", "sent", "says"),
    [
        ("pricing", {"participation": "perhaps"}, "scrubContext.pricing.participation cannot be read"),
        ("pricing", {"participation": "perhaps"}, "there can be par or nonpar"),
        ("pricing", {"locality": "Alabama"}, "there can be national, or five digits"),
        ("pricing", {"qualifyingApm": "perhaps"}, "there can be true or false"),
        ("eligibility", {"checkedOn": "soon"}, "there can be a date as CCYYMMDD"),
        ("abn", [{"refused": "perhaps"}], "scrubContext.abn.refused cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_can_be(shipped: Scrubber, part: str, sent: Any, says: str) -> None:
    body = tbs_claim()
    body["scrubContext"][part] = sent
    texts = told(shipped, body)
    assert [text for text in texts if says in text]
    assert not [text for text in texts if "perhaps" in text or "Alabama" in text or "soon" in text.split()]

"""What a process remembers between claims: look-ups of codes, days and places, and never who a claim is about."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from scrubber.claim.v3 import read_v3
from scrubber.engine.encode import CodeField, CodeRow
from scrubber.response.claim import to_bytes
from scrubber.scrub import Scrubber, open_scrubber
from tests.support.claims import Body, office_claim, tbs_claim
from tests.support.rule_folders import RULE, put, rule_folder, with_lines

CANARY = "quetzal"  # a word that nothing else here is called by
SAID_OF_SOMEBODY = frozenset(
    (
        "organizationName", "lastName", "firstName", "name", "phoneNumber", "memberId", "npi", "employerId", "address1",
        "city", "postalCode", "tradingPartnerName", "tradingPartnerServiceId", "patientControlNumber", "controlNumber",
        "tbsValue", "tScore", "indication", "interpretation", "recommendation", "calculatedBy", "credential", "levels",
        "version", "clearance",
    )
)  # fmt: skip


def poisoned(value: Any) -> Any:
    """The claim with a word of its own in every name, number of somebody, address and free text."""
    if isinstance(value, dict):
        return {
            name: f"{CANARY} {name}" if name in SAID_OF_SOMEBODY and isinstance(item, str) else poisoned(item)
            for name, item in value.items()
        }
    return [poisoned(item) for item in value] if isinstance(value, list) else value


def with_plan(body: Body) -> Body:
    """The claim with a plan, a locality and a history in free text."""
    context = body.setdefault("scrubContext", {})
    context["eligibility"] = {"plan": f"{CANARY} plan"}
    context["history"] = [{"code": "77080", "date": "20240101", "renderingNpi": f"{CANARY} npi"}]
    return body


def texts(value: object) -> Iterator[str]:
    """Every text in a key, however deep in tuples and sets."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from texts(item)


def remembered() -> Iterator[str]:
    """Every text in a key of whatever fills itself: functions that remember answers, and the engine's readers."""
    kept = type(lru_cache(lambda: None))
    for each in gc.get_objects():
        if isinstance(each, kept):
            for key in gc.get_referents(each):
                yield from texts(key)
        elif isinstance(each, CodeField | CodeRow):
            for key in each:
                yield from texts(key)


def test_elements_that_rules_ask_for_are_not_remembered(tmp_path: Path) -> None:
    rule_folder(tmp_path)
    tested = (
        "{fact: prior-authorization, any: [A1, A2]}",
        "{fact: patient-city, is-not: B1}",
        "{fact: referral-number, is: C1}",
    )
    for number, when in enumerate(tested):
        rule = with_lines(
            RULE,
            id=f"id: asking-{number}",
            title=f"title: Something is asked {number}",
            scope="scope: claim",
            applies="applies: {}",
            when=f"when: {when}",
            message='message: "{prior-authorization} {patient-city}"',
        )
        put(tmp_path, f"sample/family/asking-{number}.yaml", rule)
    scrubber = open_scrubber(tmp_path, None)
    body = office_claim()
    body["subscriber"]["address"]["city"] = f"{CANARY} city"
    body["claimInformation"]["claimSupplementalInformation"] = {
        "priorAuthorizationNumber": f"{CANARY} number",
        "referralNumber": "C1",
    }
    claim = read_v3(body)
    day = claim.lines[0].first_day
    assert day is not None
    found = {finding.rule.id: finding.message for finding in scrubber.scrub(claim, day).findings}
    said = f"{CANARY} number {CANARY} city"
    assert {"asking-1": said, "asking-2": said}.items() <= found.items()
    assert "asking-0" not in found
    assert not [text for text in remembered() if CANARY in text.casefold()]


def test_nothing_that_is_remembered_says_who_a_claim_is_about(shipped: Scrubber) -> None:
    for body in (office_claim(), tbs_claim()):
        claim = read_v3(with_plan(poisoned(body)))
        day = claim.lines[0].first_day or claim.context.received_on
        assert day is not None
        assert to_bytes(shipped.scrub(claim, day))
    found = set(remembered())
    assert {"77092", "207R00000X"} <= found  # codes are remembered, so the search sees what is
    assert not [text for text in found if CANARY in text.casefold()]

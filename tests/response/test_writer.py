"""What the writers write is what marshmallow's dump gives for the same schemas, byte for byte."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema

from scrubber.batch.model import Batch, BatchOptions, BatchProgress, BatchTally, PinnedVersions, StoredUpload
from scrubber.batch.result_row import BatchResultResponse, RejectedRow, Rejection, write_rejected_row
from scrubber.batch.status import BatchListResponse, BatchReadResponse, BatchStatus, BatchSummary, BatchSummaryResponse
from scrubber.claim import read_claim, read_v3
from scrubber.claim.elements import ELEMENTS
from scrubber.claim.model import Claim
from scrubber.code_lookup import look_up_code, look_up_price
from scrubber.code_lookup.query import code_question, price_question
from scrubber.errors import Problem, describe_failure
from scrubber.explain import Asked, explain
from scrubber.explain.as_json import ExplanationResponse
from scrubber.findings import NO_SWITCHES, Finding, NotChecked, ScrubResult, StageChecks, Switches, UsedRelease
from scrubber.findings.finding import WHYS
from scrubber.reference.pinned import PinnedRelease
from scrubber.response import claim as claim_response
from scrubber.response import writer as response_writer
from scrubber.response.claim import AnswerResponse, FindingResponse, answer_schema, with_every_check, with_included
from scrubber.response.clearinghouse import ClearinghouseAnswerResponse, Validation
from scrubber.response.codes import CodeAnswer, KnownCodeResponse, PricedResponse
from scrubber.response.problem import ProblemDetails, ProblemResponse
from scrubber.response.rules import (
    ReleaseList,
    ReleasesResponse,
    RuleInRulebook,
    RuleList,
    RuleListResponse,
    RuleResponse,
)
from scrubber.response.schema import Number, Object, ResponseSchema, Text
from scrubber.response.writer import MOST_CACHED, writer
from scrubber.rulebook.rule import Authority, Reason, Rule
from scrubber.scrub import Scrubber
from tests.conftest import ROOT
from tests.support import results
from tests.support.claims import office_claim, tbs_claim
from tests.support.varied_claims import varied_claims

CASES = ROOT.parent / "shared" / "cases"
RECEIVED = date(2026, 11, 23)
EVERYTHING = (
    claim_response.SHADOW,
    claim_response.CHECKS,
    claim_response.SETTLED_BY,
    claim_response.REMEDIES,
)
MOMENT = datetime(2026, 11, 23, 10, 20, 30, 456_789, tzinfo=UTC)


def same(schema: Schema, value: Any) -> None:
    """Both give the same bytes: names, their order, and values."""
    assert orjson.dumps(writer(schema)(value)) == orjson.dumps(schema.dump(value))


def holds(claim: Claim, result: ScrubResult, scrubber: Scrubber) -> None:
    """The answer and its other forms are as their schemas give them."""
    assert claim_response.to_bytes(result) == orjson.dumps(answer_schema().dump(result))
    checked = scrubber.with_every_check(claim, result)
    assert with_included(checked, EVERYTHING) == orjson.dumps(AnswerResponse().dump(with_every_check(checked)))
    same(ClearinghouseAnswerResponse(), Validation(claim, result))


def test_answers_for_varied_claims(shipped: Scrubber) -> None:
    bodies = [office_claim(), tbs_claim(), *(varied.body for varied in varied_claims(60))]
    for body in bodies:
        claim = read_v3(copy.deepcopy(body))
        holds(claim, shipped.scrub(claim, RECEIVED), shipped)


@pytest.mark.skipif(not CASES.is_dir(), reason="there is no ../shared/cases")
def test_answers_for_the_shared_cases(shipped: Scrubber) -> None:
    files = [path for path in sorted(CASES.glob("*.json")) if path.name != "expected.json"]
    assert len(files) > 200
    for path in files:
        claim = read_claim(path.read_bytes())
        holds(claim, shipped.scrub(claim, claim.context.received_on or RECEIVED), shipped)


def test_answers_under_switches(shipped: Scrubber) -> None:
    claim = read_v3(tbs_claim())
    rule = next(iter(shipped.rulebook.active)).id
    result = shipped.scrub(claim, RECEIVED, Switches(disable=(rule,)))
    assert json.loads(claim_response.to_bytes(result))["switched"] == {"enable": [], "disable": [rule]}
    holds(claim, result, shipped)


def test_explanations(shipped: Scrubber) -> None:
    rules = tuple(shipped.rulebook.rules)
    for body in (office_claim(), tbs_claim()):
        claim = read_v3(body)
        for asked in (Asked((), None), Asked((), 1), *(Asked((rule,), None) for rule in rules[::9])):
            same(ExplanationResponse(), explain(shipped, claim, RECEIVED, asked, NO_SWITCHES))


def test_rules_and_releases(shipped: Scrubber) -> None:
    book = shipped.rulebook
    same(RuleListResponse(), RuleList(book.digest, book.packs.values(), list(book.rules.values())))
    for rule in book.rules.values():
        same(RuleResponse(), RuleInRulebook(book.digest, rule))
    releases = shipped.reference.releases()
    loaded = releases[0]._replace(loaded=MOMENT, until=None)
    same(ReleasesResponse(), ReleaseList([*releases, loaded]))


@pytest.mark.parametrize("code", ["77080", "77081", "77092", "99213", "90472", "L0650", "00000"])
def test_codes_and_prices(code: str, shipped: Scrubber) -> None:
    for texts in ({"date": "20250312"}, {"date": "20250312", "zip": "10001", "pos": "11"}, {"date": "19991231"}):
        known = look_up_code(code_question(code, texts, RECEIVED), shipped.rulebook, shipped.reference)
        same(KnownCodeResponse(), CodeAnswer(known, shipped.rulebook.digest))
        question = price_question({"code": code, "units": "2", "charge": "80", **texts}, RECEIVED)
        same(PricedResponse(), look_up_price(question, shipped.rulebook, shipped.reference))


def batch(**changes: Any) -> Batch:
    options = BatchOptions(RECEIVED, ("a",), (), Decimal("0.05"), 3, "https://example.org/end")
    return Batch("b1", "running", MOMENT, StoredUpload("ndjson", False, 120, "ab"), options, **changes)


def test_batches() -> None:
    pinned = PinnedVersions("0.1.0", "sha256:abc", (PinnedRelease("ptp", "2025q1", "def", False),))
    progress = BatchProgress(BatchTally(1, 2, 3, 4, Decimal("-0.00"), 1), 1, 2)
    begun = batch(rows=40, started=MOMENT, pinned=pinned)
    stalled = BatchStatus(begun, progress, [pinned.in_short()], "The disk is full", MOMENT.replace(second=33))
    waiting = BatchStatus(batch(), BatchProgress(BatchTally(), 0, 0), [], None, MOMENT)
    for status in (stalled, waiting):
        same(BatchReadResponse(), status)
        same(BatchListResponse(), type("Listed", (), {"batches": [status]}))
    totals = {"rules": {"a": [1, 2, 12345]}, "payers": {"": [1, 0, 0]}, "codes": {}, "providers": {"n": [3, 2, 1]}}
    same(BatchSummaryResponse(), BatchSummary(begun, totals))


def rejections() -> Iterator[Rejection]:
    yield Rejection("The row is larger than a claim may be")
    yield Rejection("The row is not JSON", column=1, byte=0)
    yield Rejection("The row is not a claim", errors=(Problem("/a", "a text"),))
    try:
        raise ValueError from KeyError()
    except ValueError as error:
        yield Rejection("The service failed on this row", **describe_failure(error))


def test_rejected_rows() -> None:
    schema = BatchResultResponse(exclude=("answer",))
    for rejection in rejections():
        row = RejectedRow(7, rejection)
        assert orjson.dumps(write_rejected_row(row)) == orjson.dumps(schema.dump(row))
    where = json.loads(orjson.dumps(write_rejected_row(RejectedRow(7, Rejection("The row is not JSON", 1, 0)))))
    assert where["rejected"] == {"title": "The row is not JSON", "column": 1, "byte": 0}


def test_problems() -> None:
    for errors in (None, [Problem("/a", "a text"), Problem("", "an object")]):
        same(ProblemResponse(), ProblemDetails("urn:x", "X", 422, "Why.", errors))


TEXTS = st.text(max_size=12)
VALUES = TEXTS | st.integers(-9, 9) | st.booleans() | st.tuples(TEXTS)
LINES = st.lists(st.integers(1, 1000), max_size=4).map(tuple)
AMOUNTS = st.none() | st.decimals(-10_000, 10_000, places=2) | st.sampled_from(["-0.00", "5", "1E+2"]).map(Decimal)
OWN_RULES = tuple(results.rule(f"rule-{n}", reason=Reason("CO", str(n)) if n % 2 else None) for n in range(4))
AUTHORITIES = st.builds(Authority, TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none(), st.booleans())


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    rule = draw(st.sampled_from(OWN_RULES))
    impact = results.impact(
        billed=draw(AMOUNTS),
        allowed=draw(AMOUNTS),
        at_risk=draw(AMOUNTS),
        liability=draw(st.sampled_from(["provider", "patient", None])),
        steps=tuple(draw(st.lists(TEXTS, max_size=2))),
        unknown=draw(st.none() | TEXTS),
    )
    return results.finding(
        rule,
        element=draw(st.sampled_from(sorted(ELEMENTS)) | st.just(rule.element)),
        lines=draw(LINES),
        related_lines=draw(LINES),
        pointer=draw(TEXTS),
        message=draw(TEXTS),
        authority=draw(st.just(rule.authority) | st.lists(AUTHORITIES, max_size=2).map(tuple)),
        evidence=draw(
            st.dictionaries(TEXTS, TEXTS | st.integers(-9, 9) | st.booleans() | st.tuples(TEXTS), max_size=3)
        ),
        impact=draw(st.none() | st.just(impact)),
    )


UNCHECKED = st.builds(
    NotChecked,
    st.sampled_from(OWN_RULES),
    LINES,
    st.lists(TEXTS, max_size=2).map(tuple),
    TEXTS,
    st.sampled_from(WHYS),
    st.integers(1, 9),
)
RELEASES = st.lists(st.builds(UsedRelease, TEXTS, TEXTS, TEXTS, st.booleans()), max_size=3).map(tuple)


@given(
    st.lists(findings(), max_size=3).map(tuple),
    st.lists(UNCHECKED, max_size=4).map(tuple),
    RELEASES,
    st.dictionaries(st.integers(1, 9), AMOUNTS, max_size=3),
    st.dates(),
    st.none() | st.integers(0, 999),
    st.sets(st.sampled_from(EVERYTHING)),
)
def test_any_answer(
    found: tuple[Finding, ...],
    unchecked: tuple[NotChecked, ...],
    releases: tuple[UsedRelease, ...],
    by_line: dict[int, Decimal | None],
    received_on: date,
    stale_after: int | None,
    included: set[str],
) -> None:
    plain = results.result(findings=found, not_checked=unchecked, shadow=found[:1])
    result = plain._replace(
        impact=plain.impact._replace(by_line=by_line, by_liability={"provider": None}),
        versions=plain.versions._replace(reference=releases),
        received_on=received_on,
        stale_after=stale_after,
        checks={stage: StageChecks(len(found), 1, 0) for stage in plain.checks},
        every_check=(),
    )
    assert claim_response.to_bytes(result) == orjson.dumps(answer_schema().dump(result))
    whole = with_every_check(result) if claim_response.CHECKS in included else result
    assert with_included(result, included) == orjson.dumps(answer_schema(included).dump(whole))


def test_rules_of_one_id_are_told_apart_and_memory_for_them_is_bounded() -> None:
    write = writer(FindingResponse())
    for number in range(MOST_CACHED + 10):
        rule: Rule = results.rule("same", version=number)
        for _ in range(2):
            assert orjson.loads(orjson.dumps(write(results.finding(rule))))["rule"]["version"] == number
    caches = [len(cache) for name, cache in response_writer._globals.items() if name.startswith("cache_")]
    assert 0 < max(caches) <= MOST_CACHED


class Entry(ResponseSchema):
    """Holds entries of its own kind."""

    since = Number("A number.", data_key="from")
    inner = Object(lambda: Entry(), "One more.", optional=True)
    left_out = Text("Left out or null.", optional=True, nullable=True)
    last_word = Text("A text.", convert=str.upper, nullable=True)


class Held:
    """What an Entry is of."""

    def __init__(self, since: int, inner: Held | None, last_word: str | None) -> None:
        self.since, self.inner, self.left_out, self.last_word = since, inner, None, last_word


def test_objects_of_their_own_kind_and_members_behind_one_that_is_left_out() -> None:
    held = Held(1, Held(2, None, "b"), None)
    same(Entry(), held)
    assert writer(Entry())(held) == {
        "from": 1,
        "inner": {"from": 2, "leftOut": None, "lastWord": "B"},
        "leftOut": None,
        "lastWord": None,
    }

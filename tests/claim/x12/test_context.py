"""Contexts beside an X12 file: each is its claim's, and what is for none or for several is told without its number."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from scrubber.claim.model import Claim
from scrubber.claim.x12.claims import X12Claim, read_file, read_one
from scrubber.claim.x12.context import Contexts
from scrubber.claim.x12.row import read_row, rows_of_file
from scrubber.errors import BadContext, NotAClaim
from tests.support.x12 import BODY, CANARY, context_line, envelope

TBS = {"documentation": [{"lines": [1], "elements": {"tbsValue": "1.285"}}], "receivedOn": "20260920"}
LINES = context_line("CLAIM-2", {"receivedOn": "20260921"}) + b"\n" + context_line("CLAIM-1", TBS)


def read(data: bytes, lines: bytes) -> tuple[list[X12Claim], Contexts]:
    contexts = Contexts([lines[:7], lines[7:]])
    contexts.count([data])
    return [item for item in read_file([data], contexts) if isinstance(item, X12Claim)], contexts


def claim(item: X12Claim) -> Claim:
    assert item.claim is not None
    return item.claim


def test_each_claim_has_the_context_with_its_number() -> None:
    (first, second), contexts = read(envelope(), LINES)
    assert str(claim(first).context.received_on) == "2026-09-20"
    [report] = claim(first).context.documentation
    assert report.elements["tbsValue"] == "1.285"
    assert str(claim(second).context.received_on) == "2026-09-21"
    assert contexts.without_claim() == []


def test_a_line_of_a_batch_holds_the_context() -> None:
    contexts = Contexts([LINES])
    contexts.count([envelope()])
    first, second = [read_row(row) for row in rows_of_file([envelope()], contexts)]
    assert first.context.documentation
    assert str(second.context.received_on) == "2026-09-21"


def test_claims_with_one_number_are_refused_where_there_is_a_context_for_it() -> None:
    data = envelope(BODY.replace("CLM*CLAIM-2", "CLM*CLAIM-1"))
    claims, _ = read(data, context_line("CLAIM-1", TBS))
    assert [item.claim for item in claims] == [None, None]
    assert [item.refusal is not None for item in claims] == [True, True]
    contexts = Contexts([context_line("CLAIM-1", TBS)])
    contexts.count([data])
    for row in rows_of_file([data], contexts):
        with pytest.raises(NotAClaim) as refused:
            read_row(row)
        assert "stands on several claims" in refused.value.problems[0].message
    again, _ = read(data, b"")
    assert all(item.claim is not None for item in again)


def test_a_context_for_no_claim_is_told_by_its_line() -> None:
    _, contexts = read(envelope(), LINES + b"\n\n" + context_line(CANARY, {}))
    assert contexts.without_claim() == ["line 4 of the context is for no claim of the file"]
    many = Contexts([b"\n".join(context_line(f"C{number}", {}) for number in range(150))])
    assert many.without_claim()[-1] == "and 50 more lines of it are for none"


def test_what_is_not_read_of_a_context_is_told_as_in_a_body() -> None:
    (first, _), _ = read(envelope(), context_line("CLAIM-1", {"receivedOn": "2026-09-31", "zzzzz": CANARY}))
    assert "/scrubContext/zzzzz" in claim(first).unmapped
    assert [odd.pointer for odd in claim(first).unreadable] == ["/scrubContext/receivedOn"]
    (wrong, _), _ = read(envelope(), context_line("CLAIM-1", {"documentation": CANARY}))
    assert wrong.refusal is not None
    assert wrong.refusal.problems[0].pointer == "/scrubContext/documentation"
    assert CANARY not in str(wrong.refusal.problems)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b"{}", "line 1 of the context must be a JSON object"),
        (b"\n" + CANARY.encode(), "line 2 of the context must be"),
        (context_line("A", {}) + b"\n" + context_line("A ", {}), "line 2 of the context has a claim number that an"),
        (json.dumps({"patientControlNumber": CANARY, "scrubContext": {}, "extra": 1}).encode(), "and nothing else"),
        (json.dumps({"patientControlNumber": 7, "scrubContext": {}}).encode(), "line 1"),
        (json.dumps({"patientControlNumber": " ", "scrubContext": {}}).encode(), "line 1"),
        (json.dumps({"patientControlNumber": "A", "scrubContext": []}).encode(), "line 1"),
        (b" " * 1_500_000, "line 1 of the context has more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_context_is_refused_by_its_line(lines: bytes, words: str) -> None:
    with pytest.raises(BadContext, match=words) as refused:
        Contexts([lines])
    assert CANARY not in str(refused.value)


def test_the_only_claim_of_a_file_is_read_with_its_context() -> None:
    one = envelope(BODY.partition("\nHL*3*2*23")[0])
    assert read_one(one, context_line("CLAIM-1", TBS)).context.documentation
    with pytest.raises(BadContext, match="line 1 of the context is for no claim of the file"):
        read_one(one, context_line(CANARY, TBS))


def test_many_contexts_take_little_memory() -> None:
    def lines() -> Iterator[bytes]:
        for number in range(20_000):
            yield context_line(f"C{number}", {"history": [{"code": "77080", "charge": "1" * 300}]}) + b"\n"

    tracemalloc.start()
    try:
        Contexts(lines())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000

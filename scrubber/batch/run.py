"""The whole path for the rows of one chunk: bytes in, lines of results and their tally out. Pure, like `scrub`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from scrubber.answer.json import to_bytes
from scrubber.batch.job import Summary, Tally
from scrubber.batch.summary import SummaryOfRows
from scrubber.claim import Claim
from scrubber.errors import NotAClaim, NotJson, describe_failure
from scrubber.findings import ScrubResult
from scrubber.intake.v3 import read_claim

ScrubOne = Callable[[Claim], ScrubResult]
BeforeRow = Callable[[int], None]

FATAL_DEATHS = 3  # processes that ended at one row before it is given up
TOO_LARGE = {"title": "The row is larger than a claim may be"}
FATAL = {"title": "The service ended several times while it scrubbed this row"}


class Outcome(NamedTuple):
    """What came out of a chunk: results as NDJSON in the order of the rows, and what they come to."""

    results: bytes
    tally: Tally
    summary: Summary


@dataclass(slots=True)
class _Count:
    accept: int = 0
    warn: int = 0
    deny: int = 0
    rejected: int = 0
    at_risk: Decimal = Decimal("0.00")
    unpriced: int = 0


def scrub_rows(
    rows: Iterator[tuple[int, bytes | None]], scrub: ScrubOne, before_row: BeforeRow, fatal: Collection[int] = ()
) -> Outcome:
    """Scrubs rows: (number, bytes; None for one that is too large). `before_row` is told of each first.

    Rows of the numbers `fatal` ended workers before: they are rejected unread.

    A row that is no claim becomes a rejected result, and so does one on which this program fails.
    """
    count, summary, lines = _Count(), SummaryOfRows(), []
    for number, data in rows:
        before_row(number)
        if number in fatal:
            lines.append(_rejected(number, FATAL, count))
        else:
            lines.append(_one(number, data, scrub, count, summary))
    tally = Tally(count.accept, count.warn, count.deny, count.rejected, count.at_risk, count.unpriced)
    return Outcome(b"".join(lines), tally, summary.told())


def _one(number: int, data: bytes | None, scrub: ScrubOne, count: _Count, summary: SummaryOfRows) -> bytes:
    if data is None:
        return _rejected(number, TOO_LARGE, count)
    try:
        claim = read_claim(data)
        result = scrub(claim)
        answer = to_bytes(result)
    except NotJson as error:
        return _rejected(number, {"title": "The row is not JSON", "column": error.column, "byte": error.byte}, count)
    except NotAClaim as error:
        problems = [{"pointer": problem.pointer, "detail": problem.message} for problem in error.problems]
        return _rejected(number, {"title": "The row is not a claim", "errors": problems}, count)
    except Exception as error:  # noqa: BLE001 -- one row must not stop the others
        return _rejected(number, {"title": "The service failed on this row", **describe_failure(error)}, count)
    _add(result, count)
    summary.add(claim, result)
    return b'{"row":%d,"claimNumber":%b,"answer":%b}\n' % (number, orjson.dumps(claim.patient_control_number), answer)


def reject(number: int, why: dict[str, Any]) -> bytes:
    """The result of a row that is not scrubbed."""
    return orjson.dumps({"row": number, "claimNumber": None, "rejected": why}) + b"\n"


def _rejected(number: int, why: dict[str, Any], count: _Count) -> bytes:
    count.rejected += 1
    return reject(number, why)


def _add(result: ScrubResult, count: _Count) -> None:
    setattr(count, result.disposition, getattr(count, result.disposition) + 1)
    if result.impact.at_risk is not None:
        count.at_risk += result.impact.at_risk
    if result.impact.at_risk is None or result.impact.uncounted_lines:
        count.unpriced += 1

"""Scrubs the rows of one chunk: bytes in, lines of results and their tally out. Pure, like `scrub`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import orjson

from scrubber.batch.model import BatchTally, Summary
from scrubber.batch.result_row import RejectedRow, Rejection, write_rejected_row
from scrubber.claim.model import Claim
from scrubber.errors import NotAClaim, NotJson, NotX12, Problem, describe_failure
from scrubber.findings import Finding, ScrubResult
from scrubber.pricing.impact import lines_at_risk
from scrubber.scrub import Answered

GROUPS = ("rules", "payers", "codes", "providers")
NOTHING = Decimal("0.00")
MOST_KEYS = 1_000  # of one group in what is told; the rest are told together
OTHERS = "(others)"
_CENTS = 2

Row = list[int]  # claims, findings, cents at risk as far as they are known


class SummaryBuilder:
    """Adds up results."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Row]] = {group: {} for group in GROUPS}

    def add(self, claim: Claim, result: ScrubResult) -> None:
        """One claim. Dollars of a line count once for each rule, code, payer and provider."""
        at_risk = _cents(result.impact.at_risk)
        found = len(result.findings)
        self._add("payers", claim.payer_id or "", found, at_risk)
        rendering = claim.rendering.npi if claim.rendering else None
        self._add("providers", rendering or claim.billing.npi or "", found, at_risk)
        if found:
            self._add_rules(result)
            self._add_codes(claim, result)

    def _add_rules(self, result: ScrubResult) -> None:
        by_rule: dict[str, list[Finding]] = {}
        for finding in result.findings:
            by_rule.setdefault(finding.rule.id, []).append(finding)
        for rule, findings in by_rule.items():
            self._add("rules", rule, len(findings), _exposed(findings, result.impact.by_line))

    def _add_codes(self, claim: Claim, result: ScrubResult) -> None:
        by_code: dict[str, list[int]] = {}
        for finding in result.findings:
            for number in finding.lines:
                by_code.setdefault(claim.lines[number - 1].procedure or "", []).append(number)
        for code, numbers in by_code.items():
            amounts = (result.impact.by_line.get(number) for number in set(numbers))
            self._add("codes", code, len(numbers), sum(map(_cents, amounts)))

    def _add(self, group: str, key: str, findings: int, cents: int) -> None:
        row = self._groups[group].setdefault(key, [0, 0, 0])
        row[0] += 1
        row[1] += findings
        row[2] += cents

    def as_dict(self) -> Summary:
        """What was added up, for the job store."""
        return {group: dict(rows) for group, rows in self._groups.items()}


def _exposed(findings: Iterable[Finding], by_line: Mapping[int, Decimal | None]) -> int:
    lines: set[int] = set()
    for finding in findings:
        if finding.impact is not None and finding.impact.at_risk != NOTHING:
            lines.update(lines_at_risk(finding, by_line))
    return sum(_cents(by_line.get(number)) for number in lines)


def _cents(amount: Decimal | None) -> int:
    return int(amount.scaleb(_CENTS)) if amount else 0


def merged(summaries: Iterable[Summary]) -> Summary:
    """Summaries of chunks as one; the keys with most dollars first, then with most findings."""
    total: dict[str, dict[str, Row]] = {group: {} for group in GROUPS}
    for summary in summaries:
        for group, rows in summary.items():
            into = total[group]
            for key, row in rows.items():
                known = into.get(key)
                into[key] = row if known is None else [a + b for a, b in zip(known, row, strict=True)]
    return {group: _ranked(rows) for group, rows in total.items()}


def _ranked(rows: Mapping[str, Row]) -> dict[str, Row]:
    ranked = sorted(rows.items(), key=lambda item: (-item[1][2], -item[1][1], item[0]))
    listed = dict(ranked[:MOST_KEYS])
    if len(ranked) > MOST_KEYS:
        listed[OTHERS] = [sum(column) for column in zip(*(row for _, row in ranked[MOST_KEYS:]), strict=True)]
    return listed


ScrubOne = Callable[[bytes], Answered]
BeforeRow = Callable[[int], None]

FATAL_DEATHS = 3  # processes that ended at one row before it is given up
TOO_LARGE: Rejection = Rejection("The row is larger than a claim may be")
FATAL: Rejection = Rejection("The service ended several times while it scrubbed this row")


class ChunkOutcome(NamedTuple):
    """What came out of a chunk: results as NDJSON in the order of the rows, and what they come to."""

    results: bytes
    tally: BatchTally
    summary: Summary


@dataclass(slots=True)
class _Count:
    accept: int = 0
    warn: int = 0
    deny: int = 0
    rejected: int = 0
    at_risk: Decimal = Decimal("0.00")
    unpriced: int = 0


def scrub_chunk(
    rows: Iterator[tuple[int, bytes | None]], scrub: ScrubOne, before_row: BeforeRow, fatal: Collection[int] = ()
) -> ChunkOutcome:
    """Scrubs rows: (number, bytes; None for one that is too large). `before_row` is called before each.

    Rows of the numbers `fatal` ended workers before: they are rejected unread.

    A row that is no claim becomes a rejected result, and so does one on which this program fails.
    """
    count, summary, lines = _Count(), SummaryBuilder(), []
    for number, data in rows:
        before_row(number)
        if number in fatal:
            lines.append(_rejected(number, FATAL, count))
        else:
            lines.append(_one(number, data, scrub, count, summary))
    tally = BatchTally(count.accept, count.warn, count.deny, count.rejected, count.at_risk, count.unpriced)
    return ChunkOutcome(b"".join(lines), tally, summary.as_dict())


def _one(number: int, data: bytes | None, scrub: ScrubOne, count: _Count, summary: SummaryBuilder) -> bytes:
    if data is None:
        return _rejected(number, TOO_LARGE, count)
    try:
        claim, result, answer = scrub(data)
    except NotJson as error:
        return _rejected(number, Rejection("The row is not JSON", column=error.column, byte=error.byte), count)
    except NotX12 as error:
        refused = (Problem("", f"is {error}"),)
        return _rejected(number, Rejection("The row is not a claim", byte=error.byte, errors=refused), count)
    except NotAClaim as error:
        return _rejected(number, Rejection("The row is not a claim", errors=error.problems), count)
    except Exception as error:  # noqa: BLE001 -- one row must not stop the others
        return _rejected(number, Rejection("The service failed on this row", **describe_failure(error)), count)
    _add(result, count)
    summary.add(claim, result)
    return result_row(number, claim, answer) + b"\n"


def result_row(number: int, claim: Claim, answer: bytes) -> bytes:
    """The result of a row that was scrubbed, with the bytes of its answer."""
    return b'{"row":%d,"claimNumber":%b,"answer":%b}' % (number, orjson.dumps(claim.patient_control_number), answer)


def reject(number: int, why: Rejection) -> bytes:
    """The result of a row that is not scrubbed."""
    return orjson.dumps(write_rejected_row(RejectedRow(number, why))) + b"\n"


def _rejected(number: int, why: Rejection, count: _Count) -> bytes:
    count.rejected += 1
    return reject(number, why)


def _add(result: ScrubResult, count: _Count) -> None:
    setattr(count, result.disposition, getattr(count, result.disposition) + 1)
    if result.impact.at_risk is not None:
        count.at_risk += result.impact.at_risk
    if result.impact.at_risk is None or result.impact.uncounted_lines:
        count.unpriced += 1
